"""The chain for programs made with llama-index: a retriever and a query engine around a bot.

Neither uses llama-index's `Settings`, so no default model of llama-index is ever made. Our errors
pass through. Each question stands alone; a chat engine of llama-index can condense follow-ups into
one question with its own language model.
"""

import asyncio
import threading

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import (
    NodeRelationship,
    NodeWithScore,
    QueryBundle,
    RelatedNodeInfo,
    TextNode,
)

from qa.bot import Bot
from qa.types import Answer, Citation, RankedPassage, digest


class FootnoteRetriever(BaseRetriever):
    """Returns the passages that the bot reads, best first, even if it would refuse.

    Calls no language model.
    """

    def __init__(self, bot: Bot) -> None:
        super().__init__()
        self._bot = bot

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        answer = self._bot.ask(query_bundle.query_str, built_in=True)
        return [_passage_node(ranked) for ranked in answer.passages]

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
            "notices": list(answer.notices),
        },
    )


def _passage_node(ranked: RankedPassage) -> NodeWithScore:
    """Returns a passage with its score (higher is better) and the id of its document."""
    passage = ranked.passage
    document = passage.document
    node = TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.span.start,
        end_char_idx=passage.span.end,
        metadata={"document": document.name, "title": document.title},
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
