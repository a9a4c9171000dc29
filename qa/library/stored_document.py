"""A document of a library with its sentences and its passages."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from qa.documents.passages import split
from qa.documents.sentences import Sentence, segment
from qa.documents.views import View, embedded_text, name_line, view_of
from qa.types import Document, Passage, Span


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the library has it. Its passages tile its text."""

    document: Document
    sentences: tuple[Sentence, ...]
    passages: tuple[Passage, ...]
    """In the order of the text."""

    @classmethod
    def of(cls, document: Document, count_tokens: Callable[[str], int]) -> "StoredDocument":
        """Cuts a document into sentences and passages.

        `count_tokens`: the embedder's, which limits the length of a passage.
        """
        sentences = segment(document)
        passages = split(document, sentences, count_tokens)
        return cls(document, tuple(sentences), tuple(passages))

    @property
    def name_line(self) -> str:
        """The line with title and name that a passage is embedded with."""
        return name_line(self.document)

    @property
    def spans(self) -> list[Span]:
        """The spans of the sentences."""
        return [sentence.span for sentence in self.sentences]

    def sentences_in(self, passage: Passage) -> list[Sentence]:
        """Returns the sentences that begin in a passage, in order."""
        return sentences_in(passage, self.sentences)

    def view_of(self, passage: Passage) -> View:
        """Returns the view of a passage of this document."""
        return view_of(passage, self.sentences_in(passage))

    def embedded_text(self, passage: Passage) -> str:
        """Returns the text that the vector of a passage stands for: its name line and its view."""
        return embedded_text(passage, self.view_of(passage))

    def passage_at(self, offset: int) -> Passage:
        """Returns the passage that holds the character at this offset."""
        following_index = bisect_right(self.passages, offset, key=_passage_start)
        if following_index:
            passage = self.passages[following_index - 1]
            if offset < passage.span.end:
                return passage

        raise LookupError(f"no passage of {self.document.name} holds character {offset}")


def sentences_in(passage: Passage, sentences: Sequence[Sentence]) -> list[Sentence]:
    """Returns those of a document's sentences that begin in a passage, in order."""
    first = bisect_left(sentences, passage.span.start, key=attrgetter("start"))
    end = bisect_left(sentences, passage.span.end, key=attrgetter("start"))
    return list(sentences[first:end])


def _passage_start(passage: Passage) -> int:
    return passage.span.start
