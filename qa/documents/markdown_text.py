"""Writes the Markdown that is the canonical text of the formats that are not text themselves.

Citations quote this text, so it holds the words of the file and as few signs as the structure
needs. Nothing is escaped but a bar inside a cell, which would end the cell.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qa.documents.parsing import Limits, check_length, clean, one_line

MAX_HEADING = 6
"""Levels of headings that Markdown has."""
MAX_SPAN = 1_000
"""Columns or rows that one cell may span; browsers have the same limit for columns."""
CELL_SIGNS = 3
"""Characters that a cell adds to its row."""
_INDENT = "    "
"""Of a list inside a list."""
_RULE = re.compile(r"[-=_*~\s]+")
"""A line without words. Below a line of text it would make that line a heading."""
_DIGIT = re.compile(r"\d")
# Not `\s`, which would go over every blank line below from each blank line.
_FENCE = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)

Row = Sequence[str]
"""The texts of a row's cells."""
Texts = list[list[str]]
"""The texts of the cells of each row."""


@dataclass(frozen=True, slots=True)
class SpanCell:
    """A cell of a table that may span columns and rows."""

    text: str
    columns: int = 1
    rows: int = 1
    continues: bool = False
    """Whether it goes on from the cell above, as Word writes a cell that spans rows."""


SpanRow = Sequence[SpanCell]


class MarkdownWriter:
    """Collects blocks and joins them: items and rows by line ends, other blocks by blank lines.

    Raises Unreadable as soon as the text is longer than the limits allow.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parts: list[str] = []
        self._previous = ""
        self._characters = 0
        self._depth = -1

    def heading(self, text: str, level: int = 1) -> None:
        """Adds a heading; a level over 6 becomes 6."""
        words = one_line(text)
        if words:
            depth = min(level, MAX_HEADING)
            marks = "#" * max(1, depth)
            self._add("heading", f"{marks} {words}")

    def paragraph(self, text: str) -> None:
        """Adds a paragraph with its line ends; a line without words is left out."""
        lines = _tidy_lines(text)
        if lines:
            content = "\n".join(lines)
            self._add("paragraph", content)

    def value(self, name: str, value: str) -> None:
        """Adds a line `name: value`."""
        line = value_text(name, value)
        self.paragraph(line)

    def item(self, text: str, level: int = 0, marker: str = "-") -> None:
        """Adds a list item, `level` lists deep; `marker` is "-" or a number with its full stop."""
        words = one_line(text)
        if not words:
            return
        if self._previous != "item":
            self._depth = -1
        # An item can be only one level deeper than the item before it.
        deepest = self._depth + 1
        depth = max(0, level)
        self._depth = min(depth, deepest)
        indent = _INDENT * self._depth
        self._add("item", f"{indent}{marker} {words}")

    def table(self, rows: Iterable[Row], marked_header: bool = False) -> None:
        """Adds a table; its first row names the columns.

        Without rows below it, the row is a paragraph. Two columns that the file does not name are
        lines `name: value`.
        """
        filled = _without_empty(rows, self._limits)
        if not filled:
            return
        header, *body = filled
        if not body:
            cells = filter(None, header)
            line = " | ".join(cells)
            self.paragraph(line)
            return
        if not marked_header and holds_values(filled):
            for name, value in filled:
                self.value(name, value)
            return

        header_line = row_text(header)
        self._add("table", header_line)
        columns = len(header)
        rule = rule_text(columns)
        self._add("row", rule)
        for row in body:
            line = row_text(row)
            self._add("row", line)

    def grid(self, rows: Sequence[SpanRow], marked_header: bool = False) -> None:
        """Adds a table whose cells may span columns and rows."""
        captions, texts = flat_grid(rows, self._limits)
        for caption in captions:
            self.paragraph(caption)
        self.table(texts, marked_header)

    def code(self, text: str, language: str = "") -> None:
        """Adds lines that are kept exactly."""
        block = clean(text).strip("\n")
        content = block.rstrip()
        if not content:
            return
        length = 3
        # The fence has to be longer than any fence inside.
        for inner_fence in _FENCE.findall(content):
            longer = len(inner_fence) + 1
            length = max(length, longer)
        fence = "`" * length
        self._add("code", f"{fence}{language}\n{content}\n{fence}")

    def markdown(self, text: str) -> None:
        """Adds what another writer has written."""
        content = text.strip("\n")
        if content.strip():
            self._add("markdown", content)

    def text(self) -> str:
        """Returns the whole text."""
        return "".join(self._parts)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def _add(self, kind: str, text: str) -> None:
        if self._parts:
            separator = self._separator(kind)
            self._parts.append(separator)
        self._characters += len(text)
        check_length(self._characters, self._limits)
        self._parts.append(text)
        self._previous = kind

    def _separator(self, kind: str) -> str:
        """Returns what stands between the previous block and one of this kind."""
        if kind == "row":
            return "\n"
        if kind == "item" and self._previous == "item":
            return "\n"
        return "\n\n"


def _tidy_lines(text: str) -> list[str]:
    lines = []
    for line in text.split("\n"):
        words = one_line(line)
        if words and not _RULE.fullmatch(words):
            lines.append(words)
    return lines


def value_text(name: str, value: str) -> str:
    """Returns `name: value`, or what there is of it."""
    name_line = one_line(name)
    name = name_line.rstrip(":").rstrip()
    value = one_line(value)
    if not name:
        return value
    if not value:
        return name
    return f"{name}: {value}"


def row_text(row: Row) -> str:
    """Returns the line of a table for a row."""
    escaped = [cell.replace("|", "\\|") for cell in row]
    cells = " | ".join(escaped)
    return f"| {cells} |"


def rule_text(columns: int) -> str:
    """Returns the line below the header of a table."""
    return "|" + "---|" * columns


def _without_empty(rows: Iterable[Row], limits: Limits) -> Texts:
    """Returns the tidy cells of rows of one width, without empty rows and empty columns."""
    tidy: Texts = []
    used: set[int] = set()
    characters = 0
    for row in rows:
        cells = list(map(one_line, row))
        if not any(cells):
            continue
        tidy.append(cells)
        filled_columns = _filled_columns(cells)
        used.update(filled_columns)
        characters += _row_length(cells)
        check_length(characters, limits)

    # A hostile sheet has a row of many cells, and many rows of one cell.
    characters = CELL_SIGNS * len(used) * len(tidy)
    check_length(characters, limits)
    columns = sorted(used)
    return [_cells_in(cells, columns) for cells in tidy]


def _filled_columns(cells: Row) -> Iterator[int]:
    """Yields the columns, counted from 0, in which a row has a text."""
    for column, cell in enumerate(cells):
        if cell:
            yield column


def _row_length(cells: Row) -> int:
    """Returns the characters of a row of Markdown."""
    words = sum(map(len, cells))
    return words + CELL_SIGNS * len(cells)


def _cells_in(cells: Row, columns: Sequence[int]) -> list[str]:
    """Returns a row's cells in some columns; a column after the end of a short row is empty."""
    texts = []
    width = len(cells)
    for column in columns:
        text = ""
        if column < width:
            text = cells[column]
        texts.append(text)
    return texts


def holds_values(rows: Sequence[Row]) -> bool:
    """Returns whether rows of two cells are names with their values, from the first row on."""
    first = rows[0]
    if len(first) != 2:
        return False
    name, value = first
    if name.endswith(":"):
        return True
    if _DIGIT.search(name):
        return False
    digit = _DIGIT.search(value)
    return digit is not None


def flat_grid(rows: Sequence[SpanRow], limits: Limits) -> tuple[list[str], Texts]:
    """Returns the captions above a table, and its rows with a text for each column.

    A cell that spans rows stands in each of them. A header of two rows becomes one row, with the
    words of both.
    """
    grid = _Grid(limits)
    for row in rows:
        grid.add_row(row)
    texts = grid.texts

    start = 0
    captions = []
    for row, spans in zip(rows, grid.spans, strict=True):
        if not _is_caption(row, spans):
            break
        caption = texts[start][0]
        captions.append(caption)
        start += 1

    texts = texts[start:]
    if len(texts) <= 2:
        return captions, texts
    upper, lower, *body = texts
    spans = grid.spans[start]
    if _names_groups(upper, spans, lower):
        header = _joined_headers(upper, spans, lower)
        texts = [header, *body]
    return captions, texts


def _is_caption(row: SpanRow, spans: Sequence[int]) -> bool:
    """Returns whether a row is one cell over all of several columns."""
    if len(row) != 1:
        return False
    columns = len(spans)
    if columns < 2:
        return False
    return spans[0] == columns


class _Grid:
    """The texts of a table, row by row, with the cells that span rows repeated in each row.

    Raises Unreadable as soon as the rows hold more characters than the limits allow.
    """

    def __init__(self, limits: Limits) -> None:
        self.texts: Texts = []
        self.spans: list[list[int]] = []
        """For each text, how many columns its cell spans. The columns after its first are empty."""
        self._limits = limits
        self._characters = 0
        # By column: the text that goes on from above, and for how many rows.
        self._open: dict[int, tuple[str, int]] = {}

    def add_row(self, cells: SpanRow) -> None:
        above: Row = []
        if self.texts:
            above = self.texts[-1]
        texts: list[str] = []
        spans: list[int] = []
        for cell in cells:
            self._add_open(texts, spans)
            self._add_cell(cell, above, texts, spans)
        self._add_open(texts, spans)
        self.texts.append(texts)
        self.spans.append(spans)

    def _add_cell(self, cell: SpanCell, above: Row, texts: list[str], spans: list[int]) -> None:
        column = len(texts)
        text = one_line(cell.text)
        if cell.continues and column < len(above):
            text = above[column]
        allowed = min(cell.columns, MAX_SPAN)
        columns = max(1, allowed)
        covered = [""] * (columns - 1)
        texts.append(text)
        texts.extend(covered)
        cell_spans = [columns] * columns
        spans.extend(cell_spans)
        self._count(text, columns)

        rows_below = cell.rows - 1
        if rows_below < 1:
            return
        self._open[column] = (text, rows_below)
        end = column + columns
        for covered_column in range(column + 1, end):
            self._open[covered_column] = ("", rows_below)

    def _add_open(self, texts: list[str], spans: list[int]) -> None:
        """Adds the cells from the rows above that come next in a row."""
        column = len(texts)
        while column in self._open:
            text, rows = self._open.pop(column)
            rows_below = rows - 1
            if rows_below > 0:
                self._open[column] = (text, rows_below)
            texts.append(text)
            spans.append(1)
            self._count(text, columns=1)
            column += 1

    def _count(self, text: str, columns: int) -> None:
        signs = CELL_SIGNS * columns
        self._characters += len(text) + signs
        check_length(self._characters, self._limits)


def _names_groups(upper: Row, spans: Sequence[int], lower: Row) -> bool:
    """Returns whether a first row names groups of the columns that the second row names.

    Then the second row has nothing new below a cell that spans one column.
    """
    if max(spans, default=1) == 1:
        return False
    for above, span, name in zip(upper, spans, lower, strict=False):
        is_new = name not in ("", above)
        if span == 1 and is_new:
            return False
    return True


def _joined_headers(upper: Row, spans: Sequence[int], lower: Row) -> list[str]:
    """Returns the names of columns from two rows, of which the upper has cells over several."""
    names = []
    group = ""
    for column, name in enumerate(lower):
        above = ""
        span = 1
        if column < len(upper):
            above = upper[column]
            span = spans[column]
        # Only the first of the columns that a cell spans has its text.
        if above or span == 1:
            group = above
        full_name = name
        if group != name:
            full_name = f"{group} {name}".strip()
        names.append(full_name)
    return names
