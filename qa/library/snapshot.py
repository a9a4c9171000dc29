"""The library as it is at one moment, with everything that search and reader need of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from qa.documents.passages import split
from qa.documents.sentences import Sentence, segment
from qa.documents.views import View, embedded_text, name_line, view_of
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
    """Over the embedded texts of the passages, in their order."""
    frequencies: SentenceFrequencies
    vocabulary: Vocabulary
    """Every word of the documents, their titles and their names."""
    _in_order: dict[str, list[Passage]]
    """The passages by document id, in the order of the text."""
    _views: dict[str, View] = field(default_factory=dict)
    """By passage id: those that were needed so far."""

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
        texts = []
        for passage in passages:
            inside = sentences_in(passage, sentences.get(passage.document.id, ()))
            texts.append(embedded_text(passage, view_of(passage, inside)))

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

    @classmethod
    def in_memory(
        cls, documents: Sequence[Document], count_tokens: Callable[[str], int]
    ) -> "Snapshot":
        """Splits documents and makes a snapshot of them alone, without a stored library.

        `count_tokens`: the embedder's, which limits the length of a passage.
        """
        passages: list[Passage] = []
        sentences: dict[str, tuple[Sentence, ...]] = {}
        for document in documents:
            segmented = segment(document)
            sentences[document.id] = segmented
            passages += split(document, segmented, count_tokens)
        return cls.of(passages, documents, sentences, generation="")

    def sentences_in(self, passage: Passage) -> list[Sentence]:
        """Returns the sentences that begin in a passage, in order."""
        return sentences_in(passage, self.sentences[passage.document.id])

    def view_of(self, passage: Passage) -> View:
        """Returns the view of a passage; of a passage of no document of the library, its text."""
        key = passage.id
        view = self._views.get(key)
        if view is None:
            sentences = self.sentences.get(passage.document.id, ())
            view = view_of(passage, sentences_in(passage, sentences))
            self._views[key] = view
        return view

    def embedded_text(self, passage: Passage) -> str:
        """Returns the text that the vector of a passage stands for: its name line and its view."""
        return embedded_text(passage, self.view_of(passage))

    def passage_at(self, document: Document, offset: int) -> Passage:
        """Returns the passage of a document that holds the character at this offset."""
        passages = self._in_order.get(document.id, [])
        following_index = bisect_right(passages, offset, key=_passage_start)
        if following_index:
            passage = passages[following_index - 1]
            if offset < passage.span.end:
                return passage

        raise LookupError(f"no passage of {document.name} holds character {offset}")


def sentences_in(passage: Passage, sentences: Sequence[Sentence]) -> list[Sentence]:
    """Returns those of a document's sentences that begin in a passage, in order."""
    first = bisect_left(sentences, passage.span.start, key=attrgetter("start"))
    end = bisect_left(sentences, passage.span.end, key=attrgetter("start"))
    return list(sentences[first:end])


def _passage_start(passage: Passage) -> int:
    return passage.span.start


def _sentence_texts(
    documents: Sequence[Document],
    sentences: Mapping[str, Sequence[Sentence]],
) -> Iterable[str]:
    for document in documents:
        # A year that only the name of a folder has is not missing from the library.
        yield name_line(document)
        for sentence in sentences[document.id]:
            span = sentence.span
            yield document.text[span.start : span.end]


def _vocabulary(documents: Sequence[Document]) -> Vocabulary:
    distinct: set[str] = set()
    for document in documents:
        distinct.update(words(document.text))
        distinct.update(words(name_line(document)))
    return Vocabulary.of(distinct)
