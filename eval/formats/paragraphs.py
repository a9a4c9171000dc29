"""Paragraphs become documents, one document for each article, and keep their spans."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from eval.formats.base import Notes
from eval.formats.canonical import TakenNames, canonical, file_name, is_altered, one_line
from qa.types import Document, Span

_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class ParagraphSpan:
    """The number of a paragraph's document, from 0, and the paragraph's span in the document."""

    document: int
    span: Span


@dataclass(slots=True)
class _Article:
    title: str
    paragraphs: list[str] = field(default_factory=list)
    length: int = 0
    """Characters of the paragraphs, joined."""


class ArticleBuilder:
    """Joins paragraphs of the same key into one document. A repeated paragraph is kept once."""

    def __init__(self, format_name: str, notes: Notes) -> None:
        self._format = format_name
        self._notes = notes
        self._articles: dict[Hashable, _Article] = {}
        self._numbers: dict[Hashable, int] = {}
        self._spans: dict[str, ParagraphSpan] = {}

    def add(self, key: Hashable, title: str, text: str) -> ParagraphSpan | None:
        """Adds a paragraph and returns its span; None for a blank text, which is not added."""
        paragraph = canonical(text)
        if not paragraph.strip():
            return None

        paragraph_span = self._spans.get(paragraph)
        if paragraph_span is None:
            if is_altered(text):
                self._notes.count(
                    "Texts with characters that a text file cannot hold, replaced by spaces or "
                    "U+FFFD"
                )
            paragraph_span = self._append(key, title, paragraph)
            self._spans[paragraph] = paragraph_span
        elif self._numbers.get(key) != paragraph_span.document:
            self._notes.count("Texts that another document already has, kept only there")
        return paragraph_span

    def documents(
        self, by_key: bool = False, taken_by: Iterable[Document] = ()
    ) -> tuple[Document, ...]:
        """Returns the documents, in the order in which `ParagraphSpan.document` counts them.

        by_key: name the documents by their keys; otherwise by their titles.
        taken_by: documents whose names are not used again.
        """
        taken: TakenNames = {}
        for document in taken_by:
            file_name(document.name.removesuffix(".txt"), taken)

        documents = []
        for key, article in self._articles.items():
            name = file_name(str(key) if by_key else article.title, taken)
            document = Document(
                name=name,
                source=f"{self._format}/{name}",
                title=article.title or name.removesuffix(".txt"),
                text=_BETWEEN.join(article.paragraphs),
            )
            documents.append(document)
        return tuple(documents)

    def _append(self, key: Hashable, title: str, paragraph: str) -> ParagraphSpan:
        """Adds a paragraph to the article of its key, and returns its span."""
        number = self._numbers.setdefault(key, len(self._numbers))
        article = self._articles.setdefault(key, _Article(one_line(title)))

        start = article.length
        if article.paragraphs:
            start += len(_BETWEEN)
        article.paragraphs.append(paragraph)
        article.length = start + len(paragraph)
        return ParagraphSpan(number, Span(start, article.length))
