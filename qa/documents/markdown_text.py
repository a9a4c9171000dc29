"""Writes the Markdown that is the canonical text of the formats that are not text themselves.

Citations quote this text, so it holds the words of the file and as few signs as the structure
needs. Nothing is escaped but a bar inside a cell, which would end the cell.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qa.documents.parsing import Limits, check_length, clean, one_line

MAX_HEADING = 6
"""Levels of headings that Markdown has."""
MAX_SPAN = 1_000
"""Columns or rows that one cell may span; browsers have the same limit for columns."""
_CELL_SIGNS = 3
"""Characters that a cell adds to its row."""
_INDENT = "    "
"""Of a list inside a list."""
_RULE = re.compile(r"[-=_*~\s]+")
"""A line without words. Below a line of text it would make that line a heading."""
_DIGIT = re.compile(r"\d")
_FENCE = re.compile(r"^\s*(`{3,})", re.MULTILINE)

Row = Sequence[str]
"""The texts of a row's cells."""


@dataclass(frozen=True, slots=True)
class SpanCell:
    """A cell of a table that may span columns and rows."""

    text: str
    columns: int = 1
    rows: int = 1
    continues: bool = False
    """Whether it goes on from the cell above, as Word writes a cell that spans rows."""


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
        self._depth = min(max(0, level), self._depth + 1)
        self._add("item", f"{_INDENT * self._depth}{marker} {words}")

    def table(self, rows: Iterable[Row], marked_header: bool = False) -> None:
        """Adds a table; its first row names the columns.

        Without rows below it, the row is a paragraph. Two columns that the file does not name are
        lines `name: value`.
        """
        filled = _without_empty(rows, self._limits)
        if not filled:
            return
        if len(filled) == 1:
            cells = filter(None, filled[0])
            self.paragraph(" | ".join(cells))
            return
        if not marked_header and holds_values(filled):
            for name, value in filled:
                self.value(name, value)
            return

        self._add("table", row_text(filled[0]))
        self._add("row", "|" + "---|" * len(filled[0]))
        for row in filled[1:]:
            self._add("row", row_text(row))

    def grid(self, rows: Sequence[Sequence[SpanCell]], marked_header: bool = False) -> None:
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
        fences = [len(fence) for fence in _FENCE.findall(content)]
        fence = "`" * max(3, 1 + max(fences, default=0))
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
            is_close = kind == "row" or kind == self._previous == "item"
            self._parts.append("\n" if is_close else "\n\n")
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
    return f"{name}: {value}" if name and value else name or value


def row_text(row: Row) -> str:
    """Returns the line of a table for a row."""
    cells = " | ".join(cell.replace("|", "\\|") for cell in row)
    return f"| {cells} |"


def _without_empty(rows: Iterable[Row], limits: Limits) -> list[list[str]]:
    """Returns the tidy cells of rows of one width, without empty rows and empty columns."""
    tidy: list[list[str]] = []
    used: set[int] = set()
    characters = 0
    for row in rows:
        cells = [one_line(cell) for cell in row]
        filled = [place for place, cell in enumerate(cells) if cell]
        if not filled:
            continue
        used.update(filled)
        tidy.append(cells)
        characters += sum(map(len, cells)) + _CELL_SIGNS * len(cells)
        check_length(characters, limits)

    columns = sorted(used)
    # A hostile sheet has a row of many cells, and many rows of one cell.
    check_length(_CELL_SIGNS * len(columns) * len(tidy), limits)
    filled_rows = []
    for cells in tidy:
        width = len(cells)
        filled_rows.append([cells[place] if place < width else "" for place in columns])
    return filled_rows


def holds_values(rows: Sequence[Row]) -> bool:
    """Returns whether rows of two cells are names with their values, from the first row on."""
    if len(rows[0]) != 2:
        return False
    name, value = rows[0]
    if name.endswith(":"):
        return True
    return _DIGIT.search(value) is not None and _DIGIT.search(name) is None


def _is_caption(row: Sequence[SpanCell], spans: Sequence[int]) -> bool:
    """Returns whether a row is one cell over all of several columns."""
    return len(row) == 1 and len(spans) > 1 and spans[0] == len(spans)


def flat_grid(
    rows: Sequence[Sequence[SpanCell]], limits: Limits
) -> tuple[list[str], list[list[str]]]:
    """Returns the captions above a table, and its rows with a text for each place.

    A cell that spans rows stands in each of them. A header of two rows becomes one row, with the
    words of both.
    """
    texts, spans = _filled_grid(rows, limits)
    characters = 0
    for row in texts:
        characters += sum(map(len, row))
        check_length(characters, limits)

    captions = []
    while texts and _is_caption(rows[len(captions)], spans[len(captions)]):
        captions.append(texts[0][0])
        del texts[0]
    if len(texts) > 2:
        header_spans = spans[len(captions)]
        if _names_groups(texts[0], header_spans, texts[1]):
            texts[:2] = [_joined_headers(texts[0], header_spans, texts[1])]
    return captions, texts


def _filled_grid(
    rows: Sequence[Sequence[SpanCell]], limits: Limits
) -> tuple[list[list[str]], list[list[int]]]:
    """Returns the texts of all places of a table, and how many columns the cell there spans.

    The columns after the first that a cell spans are empty.
    """
    texts: list[list[str]] = []
    spans: list[list[int]] = []
    # By column: the text that goes on from above, and for how many rows.
    open_cells: dict[int, tuple[str, int]] = {}
    places = 0
    for row in rows:
        row_texts: list[str] = []
        row_spans: list[int] = []
        for cell in row:
            _continue_open(open_cells, row_texts, row_spans)
            column = len(row_texts)
            columns = max(1, min(cell.columns, MAX_SPAN))
            text = one_line(cell.text)
            if cell.continues and texts and column < len(texts[-1]):
                text = texts[-1][column]
            row_texts += [text] + [""] * (columns - 1)
            row_spans += [columns] * columns
            if cell.rows > 1:
                open_cells[column] = (text, cell.rows - 1)
                for following in range(column + 1, column + columns):
                    open_cells[following] = ("", cell.rows - 1)
            places += columns
            check_length(_CELL_SIGNS * places, limits)
        _continue_open(open_cells, row_texts, row_spans)
        texts.append(row_texts)
        spans.append(row_spans)
    return texts, spans


def _continue_open(
    open_cells: dict[int, tuple[str, int]], texts: list[str], spans: list[int]
) -> None:
    """Adds the cells from the rows above that come next in a row."""
    while len(texts) in open_cells:
        column = len(texts)
        text, rows = open_cells.pop(column)
        if rows > 1:
            open_cells[column] = (text, rows - 1)
        texts.append(text)
        spans.append(1)


def _names_groups(upper: Row, spans: Sequence[int], lower: Row) -> bool:
    """Returns whether a first row names groups of the columns that the second row names.

    Then the second row has nothing new below a cell that spans one column.
    """
    if max(spans, default=1) == 1:
        return False
    for place, name in enumerate(lower):
        if place < len(upper) and spans[place] == 1 and name not in ("", upper[place]):
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
        group = above or (group if is_spanned else "")
        names.append(name if group == name else f"{group} {name}".strip())
    return names
