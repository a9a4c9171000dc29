"""Tables of a plain text whose columns are aligned by spaces.

    Room        Rent    From
    Hall A       800    May
    Cellar       120

Two spaces separate cells. A cell belongs to the column whose name it stands below; a row may lack
cells. A header that begins further right than its rows has a first column without a name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.documents.spans import is_directly_below, is_drawn_line
from qa.types import Span

MIN_COLUMNS = 2
MIN_COLUMNS_ALONE = 3
"""Of a header that neither a line below it nor a first column without a name shows to be one."""
MIN_ROWS = 2
MIN_SHARE_WITH_NUMBERS = 2 / 3
"""Rows with a number in a column whose name has none: then the first line is a header."""
MAX_NAME = 60
"""Characters of a column's name."""
MAX_LINE = 300
"""Characters. A longer line is a paragraph."""
_CELL = re.compile(r"\S+(?: \S+)*")
"""Words with single spaces between them."""
_DIGIT = re.compile(r"\d")
_SENTENCE = re.compile(r"(?:\S+ ){2,}\S*[.!?]")
"""Three words and a full stop; "Video conf." is an abbreviation."""
_OPENS_WITH_NUMBER = re.compile(r"\W*\d")
_AMOUNT = re.compile(r"\W*\d+[.,:]\d+\W*")
"""An amount or a time, which does not name a column; a year may."""
_OTHER_SEPARATORS = "|\t"
_VALUE_SIGN = re.compile(r":(?:\s|$)|\.{3}")
"""In a line that gives a name its value: "Host ..... Lena", "Born : 1991"."""


@dataclass(frozen=True, slots=True)
class AlignedColumn:
    """A column of a header, or a row's part of it."""

    name: Span | None
    value: Span | None


@dataclass(frozen=True, slots=True)
class _NamedColumn:
    name: Span | None
    start: int
    """Characters from the start of the line."""
    end: int


def is_aligned_header(text: str, header: Span) -> bool:
    """Returns whether a line has the names of columns, with two spaces or more between them."""
    if len(header) > MAX_LINE or text.find("\n", header.start, header.end) >= 0:
        return False
    for separator in _OTHER_SEPARATORS:
        if text.find(separator, header.start, header.end) >= 0:
            return False
    names = list(_cells(text, header))
    gaps = len(names) - 1
    # A name may have a comma; a line with as many commas as gaps has commas between its cells.
    most_signs = max(text.count(sign, header.start, header.end) for sign in ",;")
    is_short = all(len(name) <= MAX_NAME for name in names)
    has_words = all(re.search(r"\w", text[name.start : name.end]) for name in names)
    return gaps > most_signs and is_short and has_words


def aligned_columns(text: str, row: Span, header: Span) -> tuple[AlignedColumn, ...]:
    """Returns the columns of a header in their order, each with the row's cell, if it has one."""
    columns = _columns(text, header)
    values: list[Span | None] = [None] * len(columns)
    for cell in _cells(text, row):
        column_index = _column_index(text, cell, columns)
        previous = values[column_index]
        # Several cells of a row can stand below one name: they are one value.
        values[column_index] = Span(previous.start, cell.end) if previous else cell
    aligned = []
    for column, value in zip(columns, values, strict=True):
        aligned.append(AlignedColumn(column.name, value))
    return tuple(aligned)


def find_aligned_tables(text: str, lines: Sequence[Span]) -> dict[int, int]:
    """Returns, for the index of each line of such a table, the index of its header.

    The header, and a line that is drawn below it, have their own index.
    """
    header_indexes: dict[int, int] = {}
    index = 0
    while index < len(lines):
        end = _end_of_table(text, lines, index)
        for row_index in range(index, end):
            is_rule = is_drawn_line(text, lines[row_index])
            header_indexes[row_index] = row_index if is_rule else index
        index = max(end, index + 1)
    return header_indexes


def _end_of_table(text: str, lines: Sequence[Span], header_index: int) -> int:
    """Returns the index after the last line of the table that begins with this header.

    Without such a table, returns the index of the header.
    """
    header = lines[header_index]
    if not is_aligned_header(text, header):
        return header_index
    columns = _columns(text, header)
    if len(columns) < MIN_COLUMNS:
        return header_index

    first_row = header_index + 1
    has_rule = (
        first_row < len(lines)
        and is_directly_below(text, header, lines[first_row])
        and is_drawn_line(text, lines[first_row])
    )
    # Asked before the rows are read: most lines of a long log end here, and time stays linear.
    if not has_rule and not _may_open_table(text, lines, header_index):
        return header_index
    if has_rule:
        first_row += 1

    end = first_row
    while end < len(lines) and is_directly_below(text, lines[end - 1], lines[end]):
        if not _is_row(text, lines[end], columns):
            break
        end += 1
    rows = lines[first_row:end]
    if len(rows) < MIN_ROWS:
        return header_index
    is_marked = has_rule or columns[0].name is None
    is_table = is_marked or _names_columns(text, header, rows)
    return end if is_table else header_index


def _may_open_table(text: str, lines: Sequence[Span], index: int) -> bool:
    """Returns whether a line may be a header: it has no values, and is not one of several rows."""
    line = lines[index]
    if _VALUE_SIGN.search(text, line.start, line.end):
        return False
    for name in _cells(text, line):
        is_amount = _AMOUNT.fullmatch(text, name.start, name.end)
        if is_amount or _SENTENCE.fullmatch(text, name.start, name.end):
            return False
    if index == 0 or not is_directly_below(text, lines[index - 1], line):
        return True
    cells_above = list(_cells(text, lines[index - 1]))
    return len(cells_above) < MIN_COLUMNS


def _names_columns(text: str, header: Span, rows: Sequence[Span]) -> bool:
    """Returns whether a line is a header by its words alone, and not the first of the rows.

    The first name has no number, most of the others do not open with one, and most rows have a
    number in a column whose name does not.
    """
    names = list(_cells(text, header))
    opens_with_number = []
    for name in names:
        match = _OPENS_WITH_NUMBER.match(text, name.start, name.end)
        opens_with_number.append(match is not None)
    count = len(opens_with_number)
    if count < MIN_COLUMNS_ALONE:
        return False
    first = names[0]
    first_has_number = _DIGIT.search(text, first.start, first.end) is not None
    are_mostly_numbers = 2 * sum(opens_with_number) > count
    if first_has_number or are_mostly_numbers:
        return False

    with_number = [0] * count
    for row in rows:
        for column_index, column in enumerate(aligned_columns(text, row, header)):
            value = column.value
            if value and _DIGIT.search(text, value.start, value.end):
                with_number[column_index] += 1
    least = MIN_SHARE_WITH_NUMBERS * len(rows)
    columns = zip(with_number, opens_with_number, strict=True)
    return any(rows_with >= least and not opens for rows_with, opens in columns)


def _is_row(text: str, line: Span, columns: Sequence[_NamedColumn]) -> bool:
    """Returns whether a line has cells of two columns, each below or beside its name."""
    if len(line) > MAX_LINE or text.find("\n", line.start, line.end) >= 0:
        return False
    column_indexes = []
    for cell in _cells(text, line):
        column_index = _column_index(text, cell, columns)
        column = columns[column_index]
        start, end = _extent(text, cell)
        overlaps_name = start < column.end and column.start < end
        is_aligned = start == column.start or overlaps_name
        if not is_aligned and column.name is not None:
            return False
        column_indexes.append(column_index)
    are_distinct = len(set(column_indexes)) == len(column_indexes)
    return len(column_indexes) >= MIN_COLUMNS and are_distinct


def _columns(text: str, header: Span) -> list[_NamedColumn]:
    """Returns the columns that a header names; before an indent, a column without a name."""
    columns = []
    for name in _cells(text, header):
        start, end = _extent(text, name)
        columns.append(_NamedColumn(name, start, end))
    indent = columns[0].start if columns else 0
    if indent:
        columns.insert(0, _NamedColumn(None, 0, indent - 1))
    return columns


def _column_index(text: str, cell: Span, columns: Sequence[_NamedColumn]) -> int:
    """Returns the index of the column that a cell is in.

    The column whose name begins where the cell does; else the column whose name it shares most
    characters of its line with; else the last column that begins before it.
    """
    start, end = _extent(text, cell)
    best = 0
    most_shared = 0
    for index, column in enumerate(columns):
        if column.name is not None and column.start == start:
            return index
        shared = min(end, column.end) - max(start, column.start)
        begins_before = column.start <= start
        if shared > most_shared or (not most_shared and begins_before):
            best = index
            most_shared = max(shared, 0)
    return best


def _extent(text: str, cell: Span) -> tuple[int, int]:
    """Returns where a cell begins and ends, in characters from the start of its line."""
    line_start = text.rfind("\n", 0, cell.start) + 1
    return cell.start - line_start, cell.end - line_start


def _cells(text: str, line: Span) -> Iterator[Span]:
    for match in _CELL.finditer(text, line.start, line.end):
        yield Span(match.start(), match.end())
