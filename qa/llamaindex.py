"""The chain and its checks as parts of llama-index.

A retriever and a query engine around a bot, a reranker of any nodes, an evaluator of any answer.
None uses llama-index's `Settings`, so no default model of llama-index is ever made. Our errors
pass through. Each question stands alone; a chat engine of llama-index can condense follow-ups into
one question with its own language model.
"""

import asyncio
import math
import threading
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.evaluation import BaseEvaluator, EvaluationResult
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.prompts.mixin import PromptDictType, PromptMixinType
from llama_index.core.schema import (
    MetadataMode,
    NodeRelationship,
    NodeWithScore,
    QueryBundle,
    RelatedNodeInfo,
    TextNode,
)

from qa.answer.generate import Claim
from qa.answer.verify import Verifier
from qa.bot import Bot
from qa.config import PACKAGED_EMBEDDING
from qa.documents.sentences import segment
from qa.errors import FootnoteError
from qa.library.snapshot import Snapshot
from qa.models.embedding import Embedder, EncodingCache, SentenceTransformerEmbedder
from qa.models.entailment import CrossEncoderEntailment, EntailmentModel
from qa.models.spans import CrossEncoder, SpanModel
from qa.types import Answer, AnswerSentence, Citation, Document, RankedPassage, digest


class FootnoteRetriever(BaseRetriever):
    """Returns the passages that the bot reads, best first, even if it would refuse.

    Calls no language model.
    """

    def __init__(self, bot: Bot) -> None:
        super().__init__()
        self._bot = bot

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        answer = self._bot.ask(query_bundle.query_str, built_in=True)
        snapshot = self._bot.index.snapshot()
        nodes = []
        for ranked in answer.passages:
            context = snapshot.view_of(ranked.passage).context
            nodes.append(_passage_node(ranked, context))
        return nodes

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class FootnoteQueryEngine(BaseQueryEngine):
    """Answers with a source node for each citation.

    A refusal has no source nodes; its reason is in the metadata.
    """

    def __init__(self, bot: Bot) -> None:
        super().__init__(callback_manager=None)
        self._bot = bot

    def _query(self, query_bundle: QueryBundle) -> Response:
        return _response(self._bot.ask(query_bundle.query_str))

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        stop = threading.Event()
        try:
            answer = await asyncio.to_thread(self._bot.ask, query_bundle.query_str, stop=stop)
            return _response(answer)
        finally:
            # A cancelled query leaves its thread running: this stops the language model in it.
            stop.set()

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


class FootnoteReranker(BaseNodePostprocessor):
    """Sorts nodes by how likely they answer the question, by the reader's cross-encoder.

    The score of a node becomes the probability, 0 to 1, that its best span answers. Needs no
    library and no language model.
    """

    top_n: int = Field(default=5, gt=0, description="How many nodes remain.")
    _cross_encoder: SpanModel = PrivateAttr()

    def __init__(self, top_n: int = 5, cross_encoder: SpanModel | None = None) -> None:
        """Loads the packaged reader, unless another is given. Raises ModelError."""
        super().__init__()
        self.top_n = top_n
        self._cross_encoder = cross_encoder or CrossEncoder()

    @classmethod
    def class_name(cls) -> str:
        return "FootnoteReranker"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        """Raises FootnoteError without a question."""
        if query_bundle is None:
            raise FootnoteError("FootnoteReranker needs a question: pass query_str.")

        texts = [node.get_content(MetadataMode.NONE) for node in nodes]
        scores = self._cross_encoder.score(query_bundle.query_str, texts)
        ranked = []
        for node, text, spans in zip(nodes, texts, scores, strict=True):
            best = spans.best_span(0, len(text))
            probability = 1 / (1 + math.exp(-best.margin)) if best else 0.0
            ranked.append(NodeWithScore(node=node.node, score=probability))
        ranked.sort(key=lambda node: -(node.score or 0.0))
        return ranked[: self.top_n]


class FootnoteFaithfulness(BaseEvaluator):
    """Checks each sentence of an answer against its contexts, as the bot checks a language model's.

    The score is the share of the sentences that the contexts support, 0 to 1; the answer passes if
    they support all. `feedback` lists the others. Calls no language model.
    """

    def __init__(
        self, embedder: Embedder | None = None, entailment: EntailmentModel | None = None
    ) -> None:
        """Loads the packaged models, unless others are given. Raises ModelError."""
        self._embedder = embedder or SentenceTransformerEmbedder(PACKAGED_EMBEDDING)
        self._verifier = Verifier(
            EncodingCache(self._embedder), entailment or CrossEncoderEntailment()
        )

    def _get_prompts(self) -> PromptDictType:
        return {}

    def _update_prompts(self, prompts: PromptDictType) -> None:
        pass

    async def aevaluate(
        self,
        query: str | None = None,
        response: str | None = None,
        contexts: Sequence[str] | None = None,
        **kwargs: Any,  # noqa: ARG002  # the base class's
    ) -> EvaluationResult:
        """Returns the score. An answer without a sentence, or without contexts, is invalid."""
        checked: list[AnswerSentence] = []
        if response and contexts:
            checked = await asyncio.to_thread(self._check, query or "", response, contexts)
        if not checked:
            return EvaluationResult(
                query=query,
                response=response,
                contexts=contexts,
                invalid_result=True,
                invalid_reason="The response has no sentence, or there are no contexts.",
            )

        backed = [sentence for sentence in checked if sentence.support in ("verbatim", "supported")]
        doubtful = [sentence for sentence in checked if sentence not in backed]
        return EvaluationResult(
            query=query,
            response=response,
            contexts=contexts,
            passing=not doubtful,
            score=len(backed) / len(checked),
            feedback="\n".join(f"{sentence.support}: {sentence.text}" for sentence in doubtful),
        )

    def _check(self, question: str, response: str, contexts: Sequence[str]) -> list[AnswerSentence]:
        documents = []
        for number, context in enumerate(contexts):
            if not context.strip():
                continue
            name = f"context {number + 1}"
            documents.append(Document(name=name, source=name, title="", text=context))

        written = Document.of_text(response, markdown=True)
        claims = []
        for sentence in segment(written):
            text = " ".join(written.text_of(sentence.span).split())
            claims.append(Claim(text, (), question))
        snapshot = Snapshot.in_memory(documents, self._embedder.count_tokens)
        passages = snapshot.all_passages()
        return [claim.sentence for claim in self._verifier.check(claims, passages, snapshot)]


def _response(answer: Answer) -> Response:
    citations: dict[Citation, None] = {}
    for sentence in answer.sentences:
        citations.update(dict.fromkeys(sentence.citations))

    return Response(
        response=answer.text,
        source_nodes=[_citation_node(citation, answer.confidence) for citation in citations],
        metadata={
            "abstained": answer.abstained,
            "reason": answer.reason,
            "confidence": answer.confidence,
            "engine": answer.engine,
            "sentences": [sentence.as_json() for sentence in answer.sentences],
            "nearest": answer.nearest.as_json() if answer.nearest else None,
            "notices": list(answer.notices),
        },
    )


def _passage_node(ranked: RankedPassage, context: str) -> NodeWithScore:
    """Returns a passage with its score (higher is better) and the id of its document.

    context: the headings and the lead-in that stand before it. llama-index puts metadata in front
    of the text that an embedder or a language model gets.
    """
    passage = ranked.passage
    document = passage.document
    metadata = {"document": document.name, "title": document.title}
    if context:
        metadata["context"] = " ".join(context.split())
    node = TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.span.start,
        end_char_idx=passage.span.end,
        metadata=metadata,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document.id)},
    )
    return NodeWithScore(node=node, score=ranked.score)


def _citation_node(citation: Citation, score: float) -> NodeWithScore:
    """Returns an exact quote. The same quote has the same id in every answer.

    score: the confidence of the answer, 0 to 1.
    """
    node = TextNode(
        id_=digest(citation.document, citation.version, str(citation.start), str(citation.end)),
        text=citation.quote,
        start_char_idx=citation.start,
        end_char_idx=citation.end,
        metadata={
            "document": citation.document,
            "title": citation.title,
            "version": citation.version,
        },
        excluded_llm_metadata_keys=["version"],
        excluded_embed_metadata_keys=["version"],
    )
    return NodeWithScore(node=node, score=score)
