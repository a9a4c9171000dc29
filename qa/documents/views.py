"""The view of a passage: the text that embedder, word index, reader and language model get.

It has what gives the passage its meaning and does not stand in it: its headings, the line that
introduces its list, the header of its table. The view of plain prose is the text of the passage.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from qa.documents.blocks import text_of
from qa.documents.context import introduces
from qa.documents.sentences import Sentence
from qa.documents.tables import Cell
from qa.text.words import terms
from qa.types import EMBEDDED_TITLE, Document, Passage, Span

MAX_CONTEXT = 240
"""Characters in front of the passage's own text."""
MAX_NAME_WORDS = 8
"""Words that the names of file and folders add to the title."""
# A word or a year: "x2" and the number of a scan say nothing of a document.
_NAME_WORD = re.compile(r"(?<![^\W_])(?:[^\W\d_]{3,20}|(?:19|20)\d\d)(?![^\W_])")
_END_MARKS = (".", "!", "?", ";", ":")


@dataclass(frozen=True, slots=True)
class ViewPiece:
    """A part of a view that stands in the document, character for character."""

    view_start: int
    document_start: int
    length: int
    copied: int = 0
    """Characters in front of it that were copied for it: the name of a cell."""

    @property
    def view_end(self) -> int:
        return self.view_start + self.length

    @property
    def document_end(self) -> int:
        return self.document_start + self.length


@dataclass(frozen=True, slots=True)
class View:
    """A passage as it is read. Offsets in it and in the document can be exchanged."""

    text: str
    pieces: tuple[ViewPiece, ...]
    """In the order of the document, which is that of the view."""

    @property
    def context(self) -> str:
        """What stands before the passage in the document, on lines of its own; may be empty."""
        first = self.pieces[0] if self.pieces else None
        return self.text[: first.view_start - first.copied] if first else ""

    def to_view(self, span: Span) -> Span | None:
        """Returns where the view has the words of a span of the document.

        The names of cells belong to the words of the cells. None: the view leaves the span out.
        """
        following_index = bisect_right(self.pieces, span.start, key=_document_start)
        first_index = max(0, following_index - 1)
        start: int | None = None
        end = 0
        for index in range(first_index, len(self.pieces)):
            piece = self.pieces[index]
            if piece.document_start >= span.end:
                break
            low = max(span.start, piece.document_start)
            high = min(span.end, piece.document_end)
            if low >= high:
                continue
            if start is None:
                shift = piece.view_start - piece.document_start
                start = low + shift
                if low == piece.document_start:
                    start -= piece.copied
            end = piece.view_start + high - piece.document_start
        return None if start is None else Span(start, end)

    def to_document(self, view_span: Span) -> Span | None:
        """Returns the words of the document behind a span of the view.

        Of several parts of the document, the one with the most of its characters. The name of a
        cell stands for the cell. None: all of it is context.
        """
        best: Span | None = None
        for piece in self.pieces:
            if piece.view_start - piece.copied >= view_span.end:
                break
            low = max(view_span.start, piece.view_start)
            high = min(view_span.end, piece.view_end)
            shift = piece.document_start - piece.view_start
            if low < high:
                span = Span(low + shift, high + shift)
                if best is None or len(span) > len(best):
                    best = span
            elif view_span.start < piece.view_start and best is None:
                best = Span(piece.document_start, piece.document_end)
        return best


ViewOf = Callable[[Passage], View]
"""Returns the view of a passage: `Snapshot.view_of`, or `plain_view`."""


def plain_view(passage: Passage) -> View:
    """Returns the text of a passage, without any context."""
    piece = ViewPiece(0, passage.span.start, len(passage.span))
    return View(passage.text, (piece,))


def view_of(passage: Passage, sentences: Sequence[Sentence]) -> View:
    """Returns the view of a passage; `sentences` are those that begin in it, in order."""
    text = passage.document.text
    writer = _Writer(text)
    if sentences:
        writer.add(_context(passage, sentences[0]))
    offset = passage.span.start
    for cut in _replaced(passage, sentences):
        writer.add_verbatim(offset, cut.start)
        writer.add_row(cut.cells)
        offset = cut.end
    writer.add_verbatim(offset, passage.span.end)
    return writer.view()


def embedded_text(passage: Passage, view: View) -> str:
    """Returns the name line and the view: the context that the passage leaves out."""
    return f"{name_line(passage.document)}\n{view.text}"


def name_line(document: Document) -> str:
    """Returns the title, and in brackets what the names of file and folders say beyond it.

    "Invoice (2024)" for the title "Invoice" and the file "2024/invoice.pdf".
    """
    return _name_line(document.title[:EMBEDDED_TITLE], document.name)


# All passages of a document have the same line.
@lru_cache(maxsize=1_000)
def _name_line(title: str, name: str) -> str:
    known_terms = set(terms(title))
    path = PurePosixPath(name)
    added = []
    for part in (*path.parts[:-1], path.stem):
        for word in _NAME_WORD.findall(part):
            word_terms = terms(word)
            if word_terms and known_terms.isdisjoint(word_terms):
                added.append(word)
                known_terms.update(word_terms)
    words = " ".join(added[:MAX_NAME_WORDS])
    return f"{title} ({words})".lstrip() if words else title


def row_text(text: str, cells: Sequence[Cell]) -> str:
    """Returns the cells of a row, each after the name of its column, as a view has them."""
    writer = _Writer(text)
    writer.add_row(cells)
    return writer.view().text


@dataclass(frozen=True, slots=True)
class _Cut:
    """A part of the document that the view replaces by a row; without cells, by nothing."""

    start: int
    end: int
    cells: Sequence[Cell] = ()


def _replaced(passage: Passage, sentences: Sequence[Sentence]) -> Iterator[_Cut]:
    """Yields the rows of tables in a passage, and their headers."""
    last_header: Span | None = None
    for sentence in sentences:
        header, span = sentence.header, sentence.span
        cells = sentence.cells(passage.document.text)
        if header is None or not cells or span.end > passage.span.end:
            continue
        if header != last_header and header.start >= passage.span.start:
            # With the line below it, which Markdown has between header and rows.
            yield _Cut(header.start, span.start)
        last_header = header
        yield _Cut(span.start, span.end, cells)


def _context(passage: Passage, sentence: Sentence) -> str:
    """Returns the context of the first sentence that does not stand in the passage."""
    document = passage.document
    headings = []
    lines = []
    for span in sentence.context:
        words = " ".join(document.text_of(span).split())
        # The title stands in front of every passage that is embedded.
        if span.start >= passage.span.start or words == document.title:
            continue
        if introduces(words):
            lines.append(words)
        else:
            headings.append(words)

    # The last of them says most.
    while len(" > ".join((*headings, *lines))) > MAX_CONTEXT:
        del (headings or lines)[0]
    path = [f"{' > '.join(headings)}:"] if headings else []
    return "".join(f"{line}\n" for line in (*path, *lines))


class _Writer:
    """Puts a view together."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts: list[str] = []
        self._length = 0
        self._pieces: list[ViewPiece] = []

    def add(self, words: str) -> None:
        """Adds words that do not stand in the passage."""
        self._parts.append(words)
        self._length += len(words)

    def add_verbatim(self, start: int, end: int, copied: int = 0) -> None:
        """Adds a part of the document. `copied`: of the words before it, how many belong to it."""
        if start < end:
            self._pieces.append(ViewPiece(self._length, start, end - start, copied))
            self.add(self._text[start:end])

    def add_row(self, cells: Sequence[Cell]) -> None:
        """Adds "Plan: Pro; Price: $12." for the cells of a row."""
        value = ""
        for index, cell in enumerate(cells):
            if index:
                self.add("; ")
            name = text_of(self._text, cell.name) if cell.name else ""
            name = f"{name.rstrip(':')}: " if name else ""
            self.add(name)
            self.add_verbatim(cell.value.start, cell.value.end, copied=len(name))
            value = text_of(self._text, cell.value)
        if value and not value.endswith(_END_MARKS):
            self.add(".")

    def view(self) -> View:
        return View("".join(self._parts), tuple(self._pieces))


def _document_start(piece: ViewPiece) -> int:
    return piece.document_start
