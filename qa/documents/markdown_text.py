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
            marks = "#" * max(1, min(level, MAX_HEADING))
            self._add("heading", f"{marks} {words}")

    def paragraph(self, text: str) -> None:
        """Adds a paragraph with its line ends; a line without words is left out."""
        lines = _tidy_lines(text)
        if lines:
            self._add("paragraph", "\n".join(lines))

    def value(self, name: str, value: str) -> None:
        """Adds a line `name: value`."""
        self.paragraph(value_text(name, value))

    def item(self, text: str, level: int = 0, marker: str = "-") -> None:
        """Adds a list item, `level` lists deep; `marker` is "-" or a number with its full stop."""
        words = one_line(text)
        if not words:
            return
        if self._previous != "item":
            self._depth = -1
        # An item can be only one level deeper than the item before it.
        deepest = self._depth + 1
        self._depth = min(max(0, level), deepest)
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
            self.paragraph(" | ".join(cells))
            return
        if not marked_header and holds_values(filled):
            for name, value in filled:
                self.value(name, value)
            return

        self._add("table", row_text(header))
        self._add("row", rule_text(len(header)))
        for row in body:
            self._add("row", row_text(row))

    def grid(self, rows: Sequence[SpanRow], marked_header: bool = False) -> None:
        """Adds a table whose cells may span columns and rows."""
        captions, texts = flat_grid(rows, self._limits)
        for caption in captions:
            self.paragraph(caption)
        self.table(texts, marked_header)

    def code(self, text: str, language: str = "") -> None:
        """Adds lines that are kept exactly."""
        content = clean(text).strip("\n").rstrip()
        if not content.strip():
            return
        # The fence has to be longer than any fence inside.
        inner_fences = map(len, _FENCE.findall(content))
        longest = max(inner_fences, default=0)
        fence = "`" * max(3, longest + 1)
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
            is_next_item = kind == self._previous == "item"
            is_close = kind == "row" or is_next_item
            separator = "\n" if is_close else "\n\n"
            self._parts.append(separator)
        self._characters += len(text)
        check_length(self._characters, self._limits)
        self._parts.append(text)
        self._previous = kind


def _tidy_lines(text: str) -> list[str]:
    lines = []
    for line in text.split("\n"):
        words = one_line(line)
        if words and not _RULE.fullmatch(words):
            lines.append(words)
    return lines


def value_text(name: str, value: str) -> str:
    """Returns `name: value`, or what there is of it."""
    name = one_line(name).rstrip(":").rstrip()
    value = one_line(value)
    if not name or not value:
        return name or value
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
        used.update(_filled_places(cells))
        characters += _row_length(cells)
        check_length(characters, limits)

    # A hostile sheet has a row of many cells, and many rows of one cell.
    characters = CELL_SIGNS * len(used) * len(tidy)
    check_length(characters, limits)
    columns = sorted(used)
    return [_at_places(cells, columns) for cells in tidy]


def _filled_places(cells: Row) -> Iterator[int]:
    for place, cell in enumerate(cells):
        if cell:
            yield place


def _row_length(cells: Row) -> int:
    """Returns the characters of a row of Markdown."""
    words = sum(map(len, cells))
    return words + CELL_SIGNS * len(cells)


def _at_places(cells: Row, places: Sequence[int]) -> list[str]:
    """Returns the cells at some places; a place after the end of a short row is empty."""
    width = len(cells)
    return [cells[place] if place < width else "" for place in places]


def holds_values(rows: Sequence[Row]) -> bool:
    """Returns whether rows of two cells are names with their values, from the first row on."""
    if len(rows[0]) != 2:
        return False
    name, value = rows[0]
    if name.endswith(":"):
        return True
    value_has_digit = _DIGIT.search(value) is not None
    name_has_digit = _DIGIT.search(name) is not None
    return value_has_digit and not name_has_digit


def flat_grid(rows: Sequence[SpanRow], limits: Limits) -> tuple[list[str], Texts]:
    """Returns the captions above a table, and its rows with a text for each place.

    A cell that spans rows stands in each of them. A header of two rows becomes one row, with the
    words of both.
    """
    grid = _Grid(limits)
    for row in rows:
        grid.add_row(row)
    texts = grid.texts

    start = 0
    while start < len(texts) and _is_caption(rows[start], grid.spans[start]):
        start += 1
    captions = [row[0] for row in texts[:start]]
    texts = texts[start:]

    if len(texts) > 2:
        upper, lower = texts[:2]
        spans = grid.spans[start]
        if _names_groups(upper, spans, lower):
            header = _joined_headers(upper, spans, lower)
            texts = [header, *texts[2:]]
    return captions, texts


def _is_caption(row: SpanRow, spans: Sequence[int]) -> bool:
    """Returns whether a row is one cell over all of several columns."""
    is_one_cell = len(row) == 1
    has_columns = len(spans) > 1
    return is_one_cell and has_columns and spans[0] == len(spans)


class _Grid:
    """The places of a table, row by row, with the cells that span rows repeated in each row.

    Raises Unreadable as soon as the places hold more characters than the limits allow.
    """

    def __init__(self, limits: Limits) -> None:
        self.texts: Texts = []
        self.spans: list[list[int]] = []
        """How many columns the cell at each place spans. The columns after its first are empty."""
        self._limits = limits
        self._characters = 0
        # By column: the text that goes on from above, and for how many rows.
        self._open: dict[int, tuple[str, int]] = {}

    def add_row(self, cells: SpanRow) -> None:
        above = self.texts[-1] if self.texts else []
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
        columns = max(1, min(cell.columns, MAX_SPAN))
        covered = [""] * (columns - 1)
        texts.append(text)
        texts.extend(covered)
        spans.extend([columns] * columns)
        self._count(text, columns)

        rows_below = cell.rows - 1
        if rows_below < 1:
            return
        self._open[column] = (text, rows_below)
        for place in range(column + 1, column + columns):
            self._open[place] = ("", rows_below)

    def _add_open(self, texts: list[str], spans: list[int]) -> None:
        """Adds the cells from the rows above that come next in a row."""
        column = len(texts)
        while column in self._open:
            text, rows = self._open.pop(column)
            if rows > 1:
                self._open[column] = (text, rows - 1)
            texts.append(text)
            spans.append(1)
            self._count(text, columns=1)
            column += 1

    def _count(self, text: str, columns: int) -> None:
        self._characters += len(text) + CELL_SIGNS * columns
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
    for place, name in enumerate(lower):
        above = upper[place] if place < len(upper) else ""
        is_spanned = place < len(spans) and spans[place] > 1
        # Only the first of the columns that a cell spans has its text.
        if above or not is_spanned:
            group = above
        full_name = f"{group} {name}".strip()
        names.append(name if group == name else full_name)
    return names
