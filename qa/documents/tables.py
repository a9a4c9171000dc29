"""Rows of tables: where their cells are, and where the rows of a plain text have a header.

A header is the line that names the columns. In a plain text only a certain header counts: a line
of names, above lines of the same number of cells with numbers in one column. Tables whose columns
are aligned by spaces are in `aligned_tables`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.documents.aligned_tables import (
    aligned_columns,
    find_aligned_tables,
    is_aligned_header,
)
from qa.documents.spans import is_directly_below, is_drawn_line, trimmed
from qa.types import Span

SEPARATORS = ("|", "\t", ";", ",")
"""The first of them that a header has separates the cells of its table."""
MAX_ROW = 600
"""Characters. A longer row is read as it is written, without the names of its columns."""
MAX_NAME = 60
"""Characters of a column's name."""
_DIGIT = re.compile(r"\d")
_OPENS_WITH_NUMBER = re.compile(r"\W*\d")
_QUOTED = re.compile(r'[ \t]*"((?:[^"]|"")*)"[ \t]*')


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row, and the name of its column in the header; None: the column has no name."""

    name: Span | None
    value: Span


def cells_of(text: str, row: Span, header: Span) -> tuple[Cell, ...]:
    """Returns the cells of a row that are not empty, with the names of their columns."""
    if is_aligned_header(text, header):
        columns = aligned_columns(text, row, header)
        return tuple(Cell(column.name, column.value) for column in columns if column.value)
    separator = _separator(text, header)
    if separator is None:
        return ()
    names = list(_split(text, header, separator))
    values = list(_split(text, row, separator))
    # A row may have more cells than the header has names.
    unnamed = len(values) - len(names)
    names += [None] * unnamed
    cells = []
    for name, value in zip(names, values, strict=False):
        if value:
            cell = Cell(name, value)
            cells.append(cell)
    return tuple(cells)


@dataclass(frozen=True, slots=True)
class Column:
    """A row's part of a column: all between two separators, and the value there, if any."""

    bounds: Span
    value: Span | None


def columns_of(text: str, row: Span, header: Span) -> tuple[Column, ...]:
    """Returns the columns of a row or of its header, the empty ones too."""
    if is_aligned_header(text, header):
        return tuple(_tiled(row, [column.value for column in aligned_columns(text, row, header)]))
    separator = _separator(text, header)
    if separator is None:
        return ()
    columns = []
    for bounds, content in _bounds(text, row, separator):
        value = trimmed(text, content.start, content.end)
        columns.append(Column(bounds, value))
    return tuple(columns)


def _tiled(row: Span, values: Sequence[Span | None]) -> Iterator[Column]:
    """Yields columns that follow each other without a gap; an empty one has no character."""
    start = row.start
    for value in values:
        end = value.end if value else start
        yield Column(Span(start, end), value)
        start = end


def is_header(text: str, header: Span) -> bool:
    """Returns whether a line can name the columns of the rows below it."""
    separator = _separator(text, header)
    if separator is None or len(header) > MAX_ROW:
        return False
    names = list(filter(None, _split(text, header, separator)))
    longest = max(map(len, names), default=0)
    return 0 < longest <= MAX_NAME


def find_tables(text: str, lines: Sequence[Span]) -> dict[int, int]:
    """Returns, for the index of each line of a table with a header, the index of the header.

    The header, and a line that is drawn below it, have their own index.
    """
    header_indexes = find_aligned_tables(text, lines)
    for indexes in _runs(text, lines):
        header_index = indexes[0]
        rows = [lines[index] for index in indexes]
        if header_index in header_indexes or not _has_header(text, rows):
            continue
        for index, row in zip(indexes, rows, strict=True):
            is_rule = is_drawn_line(text, row)
            header_indexes[index] = index if is_rule else header_index
    return header_indexes


def _runs(text: str, lines: Sequence[Span]) -> Iterator[range]:
    """Yields the indexes of lines that follow each other and have equally many cells."""
    shapes = [_shape(text, line) for line in lines]
    count = len(lines)
    first = 0
    for index in range(1, count + 1):
        shape = shapes[first]
        has_same_shape = shape is not None and index < count and shapes[index] == shape
        if has_same_shape and is_directly_below(text, lines[index - 1], lines[index]):
            continue
        run = range(first, index)
        if len(run) > 1:
            yield run
        first = index


def _shape(text: str, line: Span) -> tuple[str, int] | None:
    """Returns the separator of a line and the number of its cells; None: it is not a row."""
    has_line_end = text.find("\n", line.start, line.end) >= 0
    if has_line_end or len(line) > MAX_ROW:
        return None
    separator = _separator(text, line)
    if separator is None:
        return None
    cells = list(_split(text, line, separator))
    count = len(cells)
    # A sentence has commas and semicolons too.
    least = 2 if separator in "|\t" else 3
    return (separator, count) if count >= least else None


def _has_header(text: str, rows: Sequence[Span]) -> bool:
    header = rows[0]
    separator = _separator(text, header)
    if separator is None or not is_header(text, header):
        return False
    names = []
    for name in _split(text, header, separator):
        if name is None or _is_value(text, name, separator):
            return False
        names.append(name)
    if separator not in "|\t" and len(rows) < 3:
        return False

    with_numbers = [True] * len(names)
    for row in rows[1:]:
        if is_drawn_line(text, row):
            continue
        for column_index, value in enumerate(_split(text, row, separator)):
            has_number = False
            if value:
                match = _DIGIT.search(text, value.start, value.end)
                has_number = match is not None
            with_numbers[column_index] &= has_number
    return any(with_numbers)


def _is_value(text: str, name: Span, separator: str) -> bool:
    """Returns whether a cell is a value and does not name its column.

    In a line with commas or semicolons, any number speaks against a header: it may be a sentence.
    """
    if separator in "|\t":
        return _OPENS_WITH_NUMBER.match(text, name.start, name.end) is not None
    return _DIGIT.search(text, name.start, name.end) is not None


def _separator(text: str, line: Span) -> str | None:
    for separator in SEPARATORS:
        if text.find(separator, line.start, line.end) >= 0:
            return separator
    return None


def _split(text: str, line: Span, separator: str) -> Iterator[Span | None]:
    """Yields the cells of a line without the white space around them; None for an empty cell."""
    for _, content in _bounds(text, line, separator):
        yield trimmed(text, content.start, content.end)


def _bounds(text: str, line: Span, separator: str) -> Iterator[tuple[Span, Span]]:
    """Yields what is between two separators, and its content without quotation marks."""
    start, end = line.start, line.end
    if separator == "|":
        # The bars around a row of Markdown separate nothing.
        start += text.startswith("|", start, end)
        is_closed = end > start and text[end - 1] == "|"
        end -= is_closed and not text.endswith("\\|", start, end)
    while True:
        quoted = _QUOTED.match(text, start, end) if separator in ",;" else None
        quote_end = quoted.end() if quoted else start
        is_whole_cell = quote_end == end or text.startswith(separator, quote_end)
        if quoted and is_whole_cell:
            cell_end = quote_end
            content = Span(*quoted.span(1))
        else:
            cell_end = _find(text, separator, start, end)
            content = Span(start, cell_end)
        yield Span(start, cell_end), content
        if cell_end >= end:
            return
        start = cell_end + 1


def _find(text: str, separator: str, start: int, end: int) -> int:
    """Returns the offset of the next separator, or of the end; `\\|` is a bar inside a cell."""
    offset = text.find(separator, start, end)
    while separator == "|" and offset > start and text[offset - 1] == "\\":
        offset = text.find(separator, offset + 1, end)
    return offset if offset >= 0 else end
