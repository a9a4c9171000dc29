"""Which lines of a document are rows of a table or code, and where their cells are."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from qa.documents.sentences import blocks_of
from qa.documents.tables import columns_of
from qa.types import Document, Span

MAX_STRUCTURED = 200_000
"""Characters. A longer text is shown line by line: its tables and its code would take too long."""
_FENCE = re.compile(r"[ \t>]*(?:`{3,}|~{3,})")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")

LineKind = Literal["header", "row", "rule", "code", "fence"]
"""A rule is drawn between the header and the rows. Fences stand before and after code."""
TABLE_KINDS: tuple[LineKind, ...] = ("header", "row", "rule")


@dataclass(frozen=True, slots=True)
class CellSpans:
    """The characters of a cell with the separator before it, and its value among them."""

    whole: Span
    value: Span


@dataclass(frozen=True, slots=True)
class LineStructure:
    """What a line is, and its cells, which tile it."""

    kind: LineKind
    cells: tuple[CellSpans, ...] = ()


@lru_cache(maxsize=4)
def structure_of(document: Document) -> Mapping[int, LineStructure]:
    """Returns the structure of the lines that are not prose, by the offset of their beginning."""
    text = document.text
    structures: dict[int, LineStructure] = {}
    if len(text) > MAX_STRUCTURED:
        return structures
    last_header: Span | None = None
    for block in blocks_of(document):
        if block.kind == "code":
            _add_code(structures, text, block.span)
        if block.header is None:
            continue
        header_line = _line_at(text, block.header.start)
        row_line = _line_at(text, block.span.start)
        if block.header != last_header:
            _add_row(structures, text, header_line, block.header, "header")
            for line in _lines(text, header_line.end, row_line.start):
                structures[line.start] = LineStructure("rule")
        last_header = block.header
        _add_row(structures, text, row_line, block.header, "row", block.span)
    return structures


def _add_code(structures: dict[int, LineStructure], text: str, block: Span) -> None:
    """Adds the lines of a block of code; the fences are its first and its last line."""
    start = _line_at(text, block.start).start
    lines = list(_lines(text, start, block.end))
    is_fenced = _FENCE.match(text, start) is not None
    for line in lines:
        is_edge = line in (lines[0], lines[-1])
        is_fence = is_fenced and is_edge and _FENCE.match(text, line.start) is not None
        structures[line.start] = LineStructure("fence" if is_fence else "code")


def _add_row(
    structures: dict[int, LineStructure],
    text: str,
    line: Span,
    header: Span,
    kind: LineKind,
    row: Span | None = None,
) -> None:
    """Adds a line of a table with cells that tile it."""
    cells = []
    start = line.start
    columns = columns_of(text, row or header, header)
    for number, column in enumerate(columns, start=1):
        is_last = number == len(columns)
        end = line.end if is_last else column.bounds.end
        value = column.value or Span(end, end)
        cells.append(CellSpans(Span(start, end), value))
        start = end
    structures[line.start] = LineStructure(kind, tuple(cells))


def _line_at(text: str, offset: int) -> Span:
    """Returns the line of a character, with its line end."""
    start = text.rfind("\n", 0, offset) + 1
    line_end = text.find("\n", offset)
    return Span(start, len(text) if line_end < 0 else line_end + 1)


def _lines(text: str, start: int, end: int) -> Iterator[Span]:
    """Yields the lines that begin in a part of the text, each with its line end."""
    while start < end:
        line = _line_at(text, start)
        yield line
        start = line.end
