"""Paragraphs become documents, one for each article, and keep their places."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from eval.formats.base import Notes
from eval.formats.canonical import Taken, canonical, file_name, is_altered, one_line
from qa.types import Document, Span

_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class Place:
    """A paragraph: the number of its document, from 0, and where it stands there."""

    document: int
    span: Span


@dataclass(slots=True)
class _Article:
    title: str
    paragraphs: list[str] = field(default_factory=list)
    length: int = 0


class Articles:
    """Paragraphs, added one by one. Those of one key are one document; one that is there already is not added again."""

    def __init__(self, format_name: str, notes: Notes) -> None:
        self._format, self._notes = format_name, notes
        self._articles: dict[Hashable, _Article] = {}
        self._numbers: dict[Hashable, int] = {}
        self._places: dict[str, Place] = {}

    def add(self, key: Hashable, title: str, text: str) -> Place | None:
        """Where the paragraph stands; None for one without a word, which is in no document."""
        paragraph = canonical(text)
        if not paragraph.strip():
            return None
        if paragraph not in self._places:
            if is_altered(text):
                self._notes.count(
                    "Texts with characters that no text file holds, which are spaces or U+FFFD now"
                )
            self._places[paragraph] = self._append(key, title, paragraph)
        elif self._numbers.get(key) != self._places[paragraph].document:
            self._notes.count("Texts that were in another document already, and are there only")
        return self._places[paragraph]

    def _append(self, key: Hashable, title: str, paragraph: str) -> Place:
        number = self._numbers.setdefault(key, len(self._numbers))
        article = self._articles.setdefault(key, _Article(one_line(title)))
        start = article.length + (len(_BETWEEN) if article.paragraphs else 0)
        article.paragraphs.append(paragraph)
        article.length = start + len(paragraph)
        return Place(number, Span(start, article.length))

    def documents(
        self, by_key: bool = False, beside: Iterable[Document] = ()
    ) -> tuple[Document, ...]:
        """In the order of their first paragraphs: `Place.document` counts in it.

        Named by title, or by key; by no name of those `beside` them.
        """
        taken: Taken = {}
        for document in beside:
            file_name(document.name.removesuffix(".txt"), taken)
        wanted = (str(key) if by_key else article.title for key, article in self._articles.items())
        names = [file_name(name, taken) for name in wanted]
        return tuple(
            Document(
                name=name,
                source=f"{self._format}/{name}",
                title=article.title or name.removesuffix(".txt"),
                text=_BETWEEN.join(article.paragraphs),
            )
            for name, article in zip(names, self._articles.values(), strict=True)
        )
