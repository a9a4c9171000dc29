"""The library as it is at one moment, with everything that search and reader need of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qa.documents.sentences import Sentence
from qa.library.bm25 import Bm25, SentenceFrequencies
from qa.library.spelling import Vocabulary
from qa.text.words import words
from qa.types import Document, Passage


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Documents, their passages and sentences, and the counts of their words; never changes."""

    generation: str
    """The generation of the index that this snapshot was made from."""
    documents: tuple[Document, ...]
    passages: dict[str, Passage]
    """By passage id, in the order of documents and offsets."""
    sentences: dict[str, tuple[Sentence, ...]]
    """By document id."""
    lexical: Bm25
    """Over the passages, in their order."""
    frequencies: SentenceFrequencies
    vocabulary: Vocabulary
    """Every word of the documents."""
    _in_order: dict[str, list[Passage]]
    """The passages by document id, in the order of the text."""

    @classmethod
    def of(
        cls,
        passages: Sequence[Passage],
        documents: Sequence[Document],
        sentences: Mapping[str, tuple[Sentence, ...]],
        generation: str,
    ) -> "Snapshot":
        """Makes a snapshot of these documents, all of their passages and all of their sentences.

        `sentences` has the sentences of each document by its id.
        """
        in_order: dict[str, list[Passage]] = {}
        for passage in passages:
            in_order.setdefault(passage.document.id, []).append(passage)
        texts = [f"{passage.document.title}\n{passage.text}" for passage in passages]

        return cls(
            generation=generation,
            documents=tuple(documents),
            passages={passage.id: passage for passage in passages},
            sentences=dict(sentences),
            lexical=Bm25(texts),
            frequencies=SentenceFrequencies.count(_sentence_texts(documents, sentences)),
            vocabulary=_vocabulary(documents),
            _in_order=in_order,
        )

    def sentences_in(self, passage: Passage) -> list[Sentence]:
        """Returns the sentences that begin in a passage, in order."""
        sentences = self.sentences[passage.document.id]
        first = bisect_left(sentences, passage.span.start, key=_start)
        end = bisect_left(sentences, passage.span.end, key=_start)
        return list(sentences[first:end])

    def passage_at(self, document: Document, offset: int) -> Passage:
        """Returns the passage of a document that holds the character at this offset."""
        passages = self._in_order.get(document.id, [])
        following = bisect_right(passages, offset, key=_passage_start)
        if following:
            passage = passages[following - 1]
            if offset < passage.span.end:
                return passage

        raise LookupError(f"no passage of {document.name} holds character {offset}")


def _passage_start(passage: Passage) -> int:
    return passage.span.start


def _start(sentence: Sentence) -> int:
    return sentence.span.start


def _sentence_texts(
    documents: Sequence[Document],
    sentences: Mapping[str, Sequence[Sentence]],
) -> Iterable[str]:
    for document in documents:
        for sentence in sentences[document.id]:
            span = sentence.span
            yield document.text[span.start : span.end]


def _vocabulary(documents: Sequence[Document]) -> Vocabulary:
    distinct: set[str] = set()
    for document in documents:
        distinct.update(words(document.text))
    return Vocabulary.of(distinct)
