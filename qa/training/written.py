"""Documents that are written for training: a text in which the spans of the answers are known.

Every format of a document ends as text and views (`qa.documents.views`), and the cross-encoder
reads views. So a written document goes the same way, and each question gets the view of the passage
that answers it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from qa.documents.passages import split
from qa.documents.sentences import segment
from qa.documents.views import View, view_of
from qa.library.stored_document import sentences_in
from qa.reader.named_views import helpful_line
from qa.text.words import terms
from qa.training.sources import Part, TrainingQuestion
from qa.types import Document, Passage, Span


@dataclass(frozen=True, slots=True)
class WrittenQuestion:
    """A question about a written document; without answers, the document does not answer it."""

    question: str
    answers: tuple[Span, ...]
    """Offsets in the document's text."""
    region: bool = False
    """Whether the words that answer lie somewhere in these spans."""


@dataclass(frozen=True, slots=True)
class WrittenDocument:
    """A document of a certain form with its questions."""

    source: str
    """The form: "table", "cards", "list", "faq", "notes", …"""
    group: str
    """Documents of one group are about the same thing: their passages are near misses."""
    text: str
    questions: tuple[WrittenQuestion, ...]
    part: Part
    markdown: bool = True
    title: str = ""
    file: Document | None = None
    """The document as it was read, where it is a file."""

    def as_document(self) -> Document:
        """Returns it as a document of a library."""
        if self.file:
            return self.file
        # Documents of one group may begin alike, and each needs an id of its own.
        source = f"{self.source} {self.group} {self.text}"
        return Document(
            name=self.group,
            source=source,
            title=self.title,
            text=self.text,
            markdown=self.markdown,
        )


@dataclass(slots=True)
class TextWriter:
    """Writes a text, and remembers where parts of another text stand in it."""

    _parts: list[str] = field(default_factory=list)
    _length: int = 0
    _copies: list[tuple[Span, int]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, words: str) -> Span:
        """Adds words. Returns where they stand."""
        start = self._length
        self._parts.append(words)
        self._length += len(words)
        return Span(start, self._length)

    def copy(
        self,
        text: str,
        span: Span,
    ) -> Span:
        """Adds a part of another text. Returns where it stands."""
        self._copies.append((span, self._length))
        return self.add(text[span.start : span.end])

    def copy_of(self, span: Span) -> Span | None:
        """Returns where a span of the other text was copied to; None: not, or not as a whole."""
        for copied, start in self._copies:
            if copied.start <= span.start and span.end <= copied.end:
                shift = start - copied.start
                return Span(span.start + shift, span.end + shift)
        return None


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage of a written document, as it is read."""

    passage: Passage
    view: View

    def spans_in_view(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Returns where the view has these spans of the document; those that it has in full."""
        in_view = []
        for span in spans:
            is_inside = self.passage.span.start <= span.start and span.end <= self.passage.span.end
            view_span = self.view.to_view(span) if is_inside else None
            if view_span:
                in_view.append(view_span)
        return tuple(in_view)


def views_of(
    document: Document,
    count_tokens: Callable[[str], int],
) -> list[PassageView]:
    """Returns the passages of a document with their views."""
    sentences = segment(document)
    read = []
    for passage in split(document, sentences, count_tokens):
        view = view_of(passage, sentences_in(passage, sentences))
        read.append(PassageView(passage, view))
    return read


def training_questions(
    documents: Sequence[WrittenDocument],
    count_tokens: Callable[[str], int],
) -> Iterator[TrainingQuestion]:
    """Yields each question with the view of the passage that answers it.

    A question without an answer gets the view that shares most words with it. The view of a file is
    below the file's name where that helps, as the reader reads it.
    """
    for document in documents:
        read = views_of(document.as_document(), count_tokens)
        for question in document.questions:
            find_view = _own_view if question.answers else _nearest_view
            answering_view = find_view(question, read)
            if answering_view is None:
                continue
            passage_view, answers = answering_view
            line = ""
            if document.file:
                question_terms = frozenset(terms(question.question))
                line = helpful_line(question_terms, passage_view.passage, passage_view.view)
            yield TrainingQuestion(
                source=document.source,
                group=document.group,
                question=question.question,
                context=line + passage_view.view.text,
                answers=tuple(_moved(answer, len(line)) for answer in answers),
                region=question.region,
                part=document.part,
            )


def _moved(span: Span, distance: int) -> Span:
    return Span(span.start + distance, span.end + distance)


_Found = tuple[PassageView, tuple[Span, ...]]
"""A passage, and the spans of its view that answer."""


def _own_view(question: WrittenQuestion, read: Sequence[PassageView]) -> _Found | None:
    for passage_view in read:
        answers = passage_view.spans_in_view(question.answers)
        if answers:
            return passage_view, answers
    return None


def _nearest_view(question: WrittenQuestion, read: Sequence[PassageView]) -> _Found | None:
    question_terms = set(terms(question.question))

    def shared_terms(passage_view: PassageView) -> int:
        return len(question_terms & set(terms(passage_view.view.text)))

    nearest = max(read, key=shared_terms, default=None)
    return (nearest, ()) if nearest else None
