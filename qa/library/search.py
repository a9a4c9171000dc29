"""A question finds passages: the nearest by meaning and the best by words, fused by reciprocal rank."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from qa.documents.sentences import Sentence, segment
from qa.library.index import Index
from qa.models.embedding import Vectors
from qa.text.words import Bm25, Rarity, words
from qa.types import Document, Passage, RankedPassage, Span, Why

Nearest = Callable[[Vectors, int, Collection[Document]], list[tuple[str, float]]]
"""`Index.nearest`, or anything that finds passage ids for a vector the same way."""
DEPTH = 50
"""How far down each of the two rankings counts."""
RRF_K = 60
"""Reciprocal rank fusion's constant, from Cormack, Clarke and Büttcher (2009)."""


@dataclass(frozen=True, slots=True)
class Library:
    """The index as it was at one moment, with what searching and reading need."""

    generation: str
    documents: tuple[Document, ...]
    passages: dict[str, Passage]
    """By passage id, by document and place."""
    sentences: dict[str, tuple[Sentence, ...]]
    """By document id."""
    lexical: Bm25
    rarity: Rarity
    words: frozenset[str]
    """Every word of the documents, case-folded."""

    @classmethod
    def of(
        cls, index: Index, names: Collection[str] | None = None, known: Iterable["Library"] = ()
    ) -> "Library":
        """The whole index, or the documents of these names; `known` spare cutting their documents into sentences."""
        generation = index.generation
        documents = tuple(d for d in index.documents() if names is None or d.name in names)
        cut = {
            document: library.sentences[document.id]
            for library in known
            for document in library.documents
        }
        return cls.made_of(index.passages(documents), documents, generation, cut)

    @classmethod
    def made_of(
        cls,
        passages: Sequence[Passage],
        documents: Sequence[Document],
        generation: str,
        cut: Mapping[Document, tuple[Sentence, ...]] = MappingProxyType({}),
    ) -> "Library":
        """A library of these passages, which are all of these documents'; `cut`: the sentences of some of them."""
        sentences = {document.id: cut.get(document) or segment(document) for document in documents}
        return cls(
            generation=generation,
            documents=tuple(documents),
            passages={passage.id: passage for passage in passages},
            sentences=sentences,
            lexical=Bm25([f"{passage.document.title}\n{passage.text}" for passage in passages]),
            rarity=Rarity.over(
                d.text[s.span.start : s.span.end] for d in documents for s in sentences[d.id]
            ),
            words=frozenset(word for document in documents for word in words(document.text)),
        )

    def inside(self, passage: Passage) -> list[Sentence]:
        """The sentences that begin in a passage, in order."""
        sentences = self.sentences[passage.document.id]
        first = bisect_right(
            sentences, passage.span.start - 1, key=lambda sentence: sentence.span.start
        )
        last = bisect_right(
            sentences, passage.span.end - 1, key=lambda sentence: sentence.span.start
        )
        return list(sentences[first:last])

    def holding(self, document: Document, span: Span) -> Passage:
        """The passage of a document in which a span begins."""
        return next(
            passage
            for passage in self.passages.values()
            if passage.document.id == document.id
            and passage.span.start <= span.start < passage.span.end
        )


def retrieve(
    question: str, vector: Vectors, library: Library, nearest: Nearest, top_k: int
) -> list[RankedPassage]:
    """The best passages for a question and its vector, best first; the score is the fused one, above 0 to 1/30.

    There are `top_k`, and those beside that say in full what a sentence of these only echoes.
    """
    near = nearest(vector, DEPTH, library.documents)
    dense = _ranks([key for key, _ in near if key in library.passages])
    scored = zip(library.passages, library.lexical.scores(question), strict=True)
    by_words = sorted((row for row in scored if row[1] > 0), key=lambda row: -row[1])[:DEPTH]
    lexical = _ranks([key for key, _ in by_words])
    fused = {
        key: sum(1 / (RRF_K + ranks[key]) for ranks in (dense, lexical) if key in ranks)
        for key in library.passages
        if key in dense or key in lexical
    }
    best = sorted(fused, key=lambda key: -fused[key])[:top_k]
    originals = [key for key in _originals(best, library) if key not in best]
    return [
        RankedPassage(
            library.passages[key],
            fused.get(key, 0.0),
            Why(dense.get(key), lexical.get(key), fused.get(key, 0.0)),
        )
        for key in [*best, *originals]
    ]


def _ranks(keys: Sequence[str]) -> dict[str, int]:
    return {key: rank for rank, key in enumerate(keys, start=1)}


def _originals(keys: Sequence[str], library: Library) -> list[str]:
    """The passages that hold what sentences of these passages echo, once each."""
    found: dict[str, None] = {}
    for key in keys:
        passage = library.passages[key]
        for sentence in library.inside(passage):
            if sentence.echo_of is not None:
                original = library.sentences[passage.document.id][sentence.echo_of]
                found[library.holding(passage.document, original.span).id] = None
    return list(found)
