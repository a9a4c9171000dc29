"""Reads a spreadsheet as Markdown: a heading for each sheet and a table for each block of rows."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from qa.documents.archive import Archive, attribute, child, children, local_name
from qa.documents.docx import document_title
from qa.documents.markdown_text import CELL_SIGNS, MarkdownWriter
from qa.documents.parsing import Limits, ParsedFile, Unreadable, check_length, small_number
from qa.documents.xlsx_numbers import NumberFormats, shown_number

WORKBOOK = "xl/workbook.xml"
MAX_COLUMNS = 16_384
"""Columns that a sheet can have."""

_DAMAGED = "is damaged or not a spreadsheet. Open it in a spreadsheet program and save it again."
_OLD = "is encrypted, or an .xls file of old Excel. Save it as .xlsx without a password."
_EMPTY = "holds no text. Add a spreadsheet with filled cells."

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d+)")
_NUMBER = re.compile(r"-?\d[\d.,]*%?")


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the sheets of an XLSX in order, cells as a spreadsheet program shows them.

    Hidden sheets and formulas are left out; of a formula the stored value is read. Raises
    Unreadable for a file that is not an XLSX, is encrypted, damaged, unsafe, too large, or holds no
    text.
    """
    package = Archive(data, limits, _DAMAGED, _OLD)
    workbook = package.part(WORKBOOK)
    if workbook is None:
        raise Unreadable(_DAMAGED)
    targets = package.related(WORKBOOK)
    strings = list(_shared_strings(package))
    formats = NumberFormats.of(package.part("xl/styles.xml"), workbook)

    writer = MarkdownWriter(limits)
    characters = _CharacterCount(limits)
    for sheet in _visible_sheets(workbook):
        part = targets.get(attribute(sheet, "id"), "")
        rows = _rows(package, part, strings, formats, characters)
        tables = list(_tables(rows))
        if tables:
            writer.heading(sheet.get("name") or "", level=2)
        for table in tables:
            _write_table(writer, table)
    if not writer:
        raise Unreadable(_EMPTY)
    return ParsedFile(writer.text(), document_title(package))


class _CharacterCount:
    """Counts the characters of cells while they are read: a short file can repeat a long text."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._count = 0

    def add(self, row: Sequence[str]) -> None:
        """Counts a row. Raises Unreadable when the sheets hold more than the limits allow."""
        words = sum(map(len, row))
        self._count += words + CELL_SIGNS * len(row)
        check_length(self._count, self._limits)


def _visible_sheets(workbook: Any) -> Iterator[Any]:
    for sheet in children(workbook, "sheets"):
        if (sheet.get("state") or "visible") == "visible":
            yield sheet


def _shared_strings(package: Archive) -> Iterator[str]:
    for item in package.elements("xl/sharedStrings.xml", "{*}si"):
        yield _text(item)


def _text(element: Any) -> str:
    """Returns the text of a cell, without the reading aids of Japanese."""
    parts = []
    for inner in element.iter("{*}t"):
        if local_name(inner.getparent()) != "rPh":
            parts.append(inner.text or "")
    return "".join(parts)


def _rows(
    package: Archive,
    part: str,
    strings: Sequence[str],
    formats: NumberFormats,
    characters: _CharacterCount,
) -> Iterator[list[str]]:
    """Yields the rows of a sheet; a row that the file leaves out is an empty row."""
    previous_number = 0
    for row in package.elements(part, "{*}row"):
        if row.get("hidden") in ("1", "true"):
            continue
        next_number = previous_number + 1
        row_number = small_number(row.get("r"), default=next_number, most_digits=8)
        # One empty row says as much as many.
        if row_number > next_number:
            yield []
        previous_number = row_number
        cells = _cells(row, strings, formats)
        characters.add(cells)
        yield cells


def _cells(row: Any, strings: Sequence[str], formats: NumberFormats) -> list[str]:
    cells: list[str] = []
    for cell in row:
        if local_name(cell) != "c":
            continue
        reference = _REFERENCE.fullmatch(cell.get("r") or "")
        column = _column(reference[1]) if reference else len(cells)
        text = _cell_text(cell, strings, formats)
        gap = column - len(cells)
        if text and gap >= 0 and column < MAX_COLUMNS:
            cells += [""] * gap
            cells.append(text)
    return cells


def _column(letters: str) -> int:
    """Returns the index of a column from its letters; column A has the index 0."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _cell_text(cell: Any, strings: Sequence[str], formats: NumberFormats) -> str:
    kind = cell.get("t") or "n"
    if kind == "inlineStr":
        return _text(cell).strip()
    value = child(cell, "v")
    text = "" if value is None else (value.text or "").strip()
    if not text or kind == "e":
        return ""
    if kind == "s":
        index = small_number(text, default=-1, most_digits=8)
        is_known = 0 <= index < len(strings)
        return strings[index].strip() if is_known else ""
    if kind == "b":
        return "TRUE" if text == "1" else "FALSE"
    if kind in ("str", "d"):
        return text
    style = cell.get("s") or "0"
    number_format = formats.of_style(style)
    return shown_number(text, number_format, formats.starts_in_1904)


def _tables(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    """Yields the blocks of rows that stand apart: below an empty row, in other columns."""
    table: list[list[str]] = []
    was_empty = False
    for row in rows:
        if not any(row):
            was_empty = True
            continue
        if table and was_empty and _begins_table(row, table):
            yield table
            table = []
        table.append(row)
        was_empty = False
    if table:
        yield table


def _begins_table(row: list[str], table: list[list[str]]) -> bool:
    """Returns whether a row after an empty row is not one more row of the table above."""
    if _columns(row) != _columns(table[-1]):
        return True
    # A row of names under rows with numbers is another header.
    has_numbers = any(map(_NUMBER.fullmatch, table[-1]))
    return has_numbers and not any(map(_NUMBER.fullmatch, row))


def _columns(row: list[str]) -> tuple[int, int]:
    """Returns the index of the first filled column, and the index after the last column."""
    first = next((column for column, cell in enumerate(row) if cell), 0)
    return first, len(row)


def _write_table(writer: MarkdownWriter, table: list[list[str]]) -> None:
    """Adds the titles above a table, then the table."""
    first_columns, ends = zip(*map(_columns, table), strict=True)
    width = max(ends) - min(first_columns)
    last = len(table) - 1
    start = 0
    while start < last and width > 1 and _is_title(table[start]):
        title = "".join(table[start])
        writer.paragraph(title)
        start += 1
    writer.table(table[start:], marked_header=width > 2)


def _is_title(row: list[str]) -> bool:
    filled = list(filter(None, row))
    return len(filled) == 1
