"""Cuts a text at the words that an answer cites, so that a template can mark them.

The pieces, joined, are the text again: no character is lost or added. Of a long text only the parts
around the cited words are cut, and a line between them says how much is left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from types import MappingProxyType
from typing import Literal

from qa.types import Span
from ui.jinja import count, shorten
from ui.structure import TABLE_KINDS, CellSpans, LineKind, LineStructure

MAX_CHARACTERS = 400_000
"""A text that is longer, or has more lines, is not shown whole: a browser gets it at each rerun."""
MAX_LINES = 8_000
LineGroup = Literal["text", "table", "code"]
NO_STRUCTURES: Mapping[int, LineStructure] = MappingProxyType({})
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Highlight:
    """The characters from `start` up to `end` of a text, cited by the footnote of this number."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that the same footnotes cite; plain text has no numbers."""

    text: str
    numbers: tuple[int, ...] = ()
    starting: tuple[int, ...] = ()
    """The footnotes whose quote begins with this piece."""


@dataclass(frozen=True, slots=True)
class RowCell:
    """A cell of a row: its value, and the marks and the white space around it."""

    before: list[Piece]
    value: list[Piece]
    after: list[Piece]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text with its line end."""

    pieces: list[Piece]
    blank: bool
    notice: bool = False
    """Whether it is not of the text: it says what is left out."""
    furniture: bool = False
    """Whether it is page furniture, which is not searched."""
    kind: LineKind | None = None
    """None: prose, or a line of which nothing is known."""
    cells: list[RowCell] = field(default_factory=list)
    """The same characters as `pieces`, by cell, in a row of a table."""

    @property
    def group(self) -> LineGroup:
        """What the line is a part of."""
        if self.kind is None:
            return "text"
        return "table" if self.kind in TABLE_KINDS else "code"


def grouped(lines: Sequence[Line]) -> list[tuple[LineGroup, list[Line]]]:
    """Returns the lines in order, those of one table or of one block of code together."""
    groups: list[tuple[LineGroup, list[Line]]] = []
    for group, members in groupby(lines, key=lambda line: line.group):
        groups += [(group, table) for table in _tables(list(members))]
    return groups


def _tables(lines: list[Line]) -> list[list[Line]]:
    """Returns lines of one group, cut before each header: a table may follow another at once."""
    cuts = []
    for index, line in enumerate(lines):
        if line.kind == "header" and index > 0:
            cuts.append(index)
    edges = [0, *cuts, len(lines)]
    return [lines[start:end] for start, end in pairwise(edges)]


def split_lines(
    text: str,
    highlights: Sequence[Highlight],
    structures: Mapping[int, LineStructure] = NO_STRUCTURES,
    furniture: Sequence[Span] = (),
) -> list[Line]:
    """Returns the lines of a text, cut into pieces, and notices of what is left out.

    `structures`: what the lines are that are not prose, by the offset of their beginning.
    `furniture`: the lines that are page furniture.
    """
    furniture_starts = {span.start for span in furniture}
    lines = []
    shown = 0
    for start, end in _parts(text, highlights):
        lines += _left_out(start - shown)
        for match in _LINE.finditer(text, start, end):
            pieces = _pieces(text, *match.span(), highlights)
            content = match.group()
            is_blank = not content.strip()
            structure = structures.get(match.start())
            if structure is None:
                # The span of a line has no white space at its ends.
                first_letter = match.start() + len(content) - len(content.lstrip())
                is_furniture = first_letter in furniture_starts
                lines.append(Line(pieces, is_blank, furniture=is_furniture))
                continue
            cells = [_cell(text, cell, highlights) for cell in structure.cells]
            lines.append(Line(pieces, is_blank, kind=structure.kind, cells=cells))
        shown = end
    return lines + _left_out(len(text) - shown)


def _cell(text: str, cell: CellSpans, highlights: Sequence[Highlight]) -> RowCell:
    """Returns the pieces of a cell: its value, and what is before and after it."""
    whole = cell.whole
    value = cell.value
    return RowCell(
        before=_pieces(text, whole.start, value.start, highlights),
        value=_pieces(text, value.start, value.end, highlights),
        after=_pieces(text, value.end, whole.end, highlights),
    )


def _left_out(characters: int) -> list[Line]:
    if not characters:
        return []
    notice = f"Not shown here: {count(characters, 'character')} of this document."
    return [Line([Piece(notice)], blank=False, notice=True)]


def _parts(text: str, highlights: Sequence[Highlight]) -> list[tuple[int, int]]:
    """Returns the bounds of the parts that are shown: all of a short text.

    Of a long text, each part has words that a footnote cites, and the text around them. Parts that
    touch or overlap are joined.
    """
    if len(text) <= MAX_CHARACTERS and text.count("\n") <= MAX_LINES:
        return [(0, len(text))]

    # Without highlights the text is shown from its beginning.
    cited = sorted((highlight.start, highlight.end) for highlight in highlights) or [(0, 0)]
    characters = MAX_CHARACTERS // (2 * len(cited))
    line_count = max(1, MAX_LINES // (2 * len(cited)))
    parts: list[tuple[int, int]] = []
    for cited_start, cited_end in cited:
        text_before = text[max(0, cited_start - characters) : cited_start]
        text_after = text[cited_end : cited_end + characters]
        lines_before = text_before.split("\n")[-line_count:]
        lines_after = text_after.split("\n")[:line_count]
        start = cited_start - len("\n".join(lines_before))
        end = cited_end + len("\n".join(lines_after))
        if parts and start <= parts[-1][1]:
            previous_start, previous_end = parts.pop()
            start, end = previous_start, max(previous_end, end)
        parts.append((start, end))
    return parts


def excerpt(text: str, highlight: Highlight, context: int) -> list[Piece]:
    """Returns the highlighted words with up to `context` characters on either side.

    The context is cut between words.
    """
    start = highlight.start
    end = highlight.end
    # Shortened backwards, so that the words nearest to the highlight stay.
    backwards = text[:start][::-1]
    before = shorten(backwards, context)[::-1]
    after = shorten(text[end:], context)

    # The card must not begin or end with an empty line.
    pieces = [Piece(before.lstrip("\n"))]
    pieces += _pieces(text, start, end, [highlight])
    pieces.append(Piece(after.rstrip("\n")))
    return pieces


def _pieces(text: str, start: int, end: int, highlights: Sequence[Highlight]) -> list[Piece]:
    """Returns `text[start:end]`, cut wherever a highlight begins or ends."""
    near = []
    edges = {start, end}
    for highlight in highlights:
        if highlight.start < end and highlight.end > start:
            near.append(highlight)
            edges.add(max(highlight.start, start))
            edges.add(min(highlight.end, end))

    pieces = []
    for first, last in pairwise(sorted(edges)):
        numbers: list[int] = []
        starting: list[int] = []
        for highlight in near:
            # No highlight begins or ends inside a piece, so it covers all of the piece or nothing.
            if not highlight.start <= first < highlight.end:
                continue
            numbers.append(highlight.number)
            if highlight.start == first:
                starting.append(highlight.number)
        piece = Piece(
            text=text[first:last],
            numbers=tuple(numbers),
            starting=tuple(starting),
        )
        pieces.append(piece)
    return pieces
