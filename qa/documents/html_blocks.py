"""Writes the tree of a web page, or of the article that trafilatura finds in it, as Markdown.

The walks keep no Python stack, so that no depth of nesting breaks them.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from lxml import etree

from qa.documents.markdown_text import MarkdownWriter, SpanCell, flat_grid
from qa.documents.parsing import Limits, small_number

# Elements of HTML and of the XML that trafilatura returns.
_LISTS = frozenset({"ul", "ol", "list"})
_ITEMS = frozenset({"item", "li"})
_CELLS = frozenset({"cell", "td", "th"})
_ROWS = frozenset({"row", "tr"})
_VERBATIM = frozenset({"pre", "code"})
_BREAKS = frozenset({"br", "lb"})
_BLOCKS = frozenset(
    """item li row tr address article blockquote body caption center dd details div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html legend list main ol
    p pre quote section summary table ul""".split()
)
"""Elements that begin and end a line."""
_LAYOUT = frozenset("h1 h2 h3 h4 h5 h6 head ul ol dl list pre table".split())
"""Elements that no cell of a table of data holds."""
_HEADING = re.compile(r"h([1-6])")


def visible_text(tree: Any, limits: Limits) -> str:
    """Returns the text of a tree of HTML as Markdown."""
    return _Walk(tree, limits, keep_line_ends=False).text()


def article_text(body: Any, limits: Limits) -> str:
    """Returns the text of what trafilatura found as Markdown; a line end in it stays."""
    return _Walk(body, limits, keep_line_ends=True).text()


@dataclass(frozen=True, slots=True)
class _OpenBlock:
    """A block that has not ended, and what it is in Markdown."""

    kind: Literal["paragraph", "heading", "item", "term", "value"]
    """"term" and "value": what a list of definitions defines, and its definition."""
    level: int = 0
    """Of a heading: 1 to 6."""
    marker: str = "-"
    """Of an item."""


@dataclass(slots=True)
class _OpenTable:
    """A table of data that has not ended. No other table is inside it."""

    rows: list[list[str]] = field(default_factory=list)
    in_cell: bool = False
    """Whether its last cell has not ended."""
    has_marked_header: bool = False
    """Whether a cell of its first row is marked as the header of a column."""

    def add_row(self) -> None:
        self.rows.append([])

    def open_cell(self, is_header: bool) -> None:
        if not self.rows:
            self.add_row()
        self.rows[-1].append("")
        self.in_cell = True
        # A header over the columns, and not only one to the left of a row.
        if is_header and len(self.rows) == 1 and len(self.rows[0]) != 1:
            self.has_marked_header = True

    def close_cell(self, text: str) -> None:
        self.rows[-1][-1] = text
        self.in_cell = False


@dataclass(slots=True)
class _OpenCode:
    """A block of code that has not ended."""

    texts: list[str] = field(default_factory=list)
    depth: int = 0
    """How many of its elements, one inside the other, have not ended."""


class _Walk:
    """Goes through a tree once, and gives each block to the writer when it ends."""

    def __init__(self, root: Any, limits: Limits, keep_line_ends: bool) -> None:
        self._root = root
        self._keep_line_ends = keep_line_ends
        self._layout = _layout_tables(root)
        self._lines_of_code = _verbatim_with_lines(root)
        self._writer = MarkdownWriter(limits)
        self._line: list[str] = []
        """The words since the last block or cell."""
        self._block: _OpenBlock | None = None
        """What the line is a block of; None for a paragraph."""
        self._term = ""
        """Terms of a list of definitions that wait for their definition."""
        self._numbers: list[int] = []
        """For each open list, how many items it has."""
        self._table: _OpenTable | None = None
        self._code: _OpenCode | None = None

    def text(self) -> str:
        for event, element in etree.iterwalk(self._root, events=("start", "end")):
            if event == "start":
                self._start(element)
                self._add(element.text)
            else:
                self._end(element)
                if element is not self._root:
                    self._add(element.tail)
        self._flush()
        self._close_term()
        return self._writer.text()

    def _start(self, element: Any) -> None:
        tag = element.tag
        if tag == "table" and element not in self._layout:
            self._flush()
            self._table = _OpenTable()
        if self._table:
            self._start_in_table(element, self._table)
            return
        if tag in _VERBATIM and (self._code or element in self._lines_of_code):
            self._open_verbatim()
            return

        if tag in _BLOCKS:
            self._flush(keeps_block=True)
            self._open_block(element)
        elif tag in _BREAKS:
            self._line.append("\n")

    def _end(self, element: Any) -> None:
        tag = element.tag
        if self._table:
            self._end_in_table(element, self._table)
            return
        if self._code:
            if tag in _VERBATIM:
                self._close_verbatim(self._code)
            return

        if tag in _BLOCKS:
            self._flush()
        if tag in _LISTS and self._numbers:
            self._numbers.pop()

    def _open_block(self, element: Any) -> None:
        tag = element.tag
        rend = str(element.get("rend", ""))
        if tag in _LISTS:
            self._numbers.append(0)
        elif rend.startswith("dt") or tag == "dt":
            self._block = _OpenBlock("term")
        elif rend.startswith("dd") or tag == "dd":
            self._block = _OpenBlock("value")
        elif tag in _ITEMS:
            self._block = _OpenBlock("item", marker=self._next_marker(element))
        else:
            heading = _HEADING.fullmatch(rend if tag == "head" else tag)
            if heading:
                self._block = _OpenBlock("heading", level=int(heading[1]))
            elif tag == "head":
                self._block = _OpenBlock("heading", level=2)

    def _next_marker(self, item: Any) -> str:
        if not self._numbers:
            return "-"
        self._numbers[-1] += 1
        parent = item.getparent()
        is_numbered = parent is not None and (parent.tag == "ol" or parent.get("rend") == "ol")
        return f"{self._numbers[-1]}." if is_numbered else "-"

    def _flush(self, keeps_block: bool = False) -> None:
        """Gives the line to the writer. `keeps_block`: an item's own block is still to come."""
        text = "".join(self._line)
        self._line = []
        if not text.strip():
            if not keeps_block:
                self._block = None
            return

        block = self._block or _OpenBlock("paragraph")
        self._block = None
        if self._term and block.kind not in ("value", "term"):
            self._close_term()
        if block.kind == "heading":
            self._writer.heading(text, block.level)
        elif block.kind == "item":
            self._writer.item(text, len(self._numbers) - 1, block.marker)
        elif block.kind == "term":
            # Several terms can have one description.
            self._term = f"{self._term}, {text}" if self._term else text
        elif block.kind == "value":
            self._writer.value(self._term, text)
            self._term = ""
        else:
            self._writer.paragraph(text)

    def _close_term(self) -> None:
        self._writer.paragraph(self._term)
        self._term = ""

    def _add(self, text: str | None) -> None:
        if not text:
            return
        if self._code:
            self._code.texts.append(text)
            return
        is_exact = self._keep_line_ends and not self._table
        self._line.append(text if is_exact else re.sub(r"\s+", " ", text))

    def _open_verbatim(self) -> None:
        if not self._code:
            self._flush()
            self._code = _OpenCode()
        self._code.depth += 1

    def _close_verbatim(self, code: _OpenCode) -> None:
        code.depth -= 1
        if not code.depth:
            self._writer.code("".join(code.texts))
            self._code = None

    def _start_in_table(self, element: Any, table: _OpenTable) -> None:
        tag = element.tag
        if tag not in _ROWS | _CELLS:
            # What is inside a cell are its words.
            if tag in _BLOCKS or tag in _BREAKS:
                self._line.append(" ")
            return
        # The caption, or words that stand in a table outside its cells.
        self._close_cell(table)
        self._flush()
        if tag in _ROWS:
            table.add_row()
        else:
            table.open_cell(is_header=tag == "th" or element.get("role") == "head")

    def _close_cell(self, table: _OpenTable) -> None:
        if table.in_cell:
            table.close_cell("".join(self._line))
            self._line = []

    def _end_in_table(self, element: Any, table: _OpenTable) -> None:
        tag = element.tag
        if tag == "table":
            self._close_cell(table)
            self._flush()
            self._writer.table(table.rows, table.has_marked_header)
            self._table = None
        elif tag in _CELLS:
            self._close_cell(table)
        elif tag in _BLOCKS:
            self._line.append(" ")


def _verbatim_with_lines(root: Any) -> set[Any]:
    """Returns each `pre`, and each `code` that has a line end inside: a word in a line has none."""
    with_lines: set[Any] = set()
    if next(root.iter(*_VERBATIM), None) is None:
        return with_lines
    # For each open element: whether a line end was seen inside it.
    open_elements: list[bool] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            open_elements.append(_has_line_end(element.text))
            continue
        has_lines = open_elements.pop()
        tag = element.tag
        if tag == "pre" or (tag == "code" and has_lines):
            with_lines.add(element)
        if open_elements and (has_lines or _has_line_end(element.tail)):
            open_elements[-1] = True
    return with_lines


def _has_line_end(text: str | None) -> bool:
    return "\n" in (text or "")


def _layout_tables(root: Any) -> set[Any]:
    """Returns the tables that arrange the parts of a page and hold no data."""
    layout: set[Any] = set()
    tables: list[Any] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag
        if event == "end":
            if tag == "table":
                tables.pop()
            continue
        if tables and tag in _LAYOUT:
            layout.add(tables[-1])
        if tag == "table":
            tables.append(element)
    return layout


def expand_spans(tree: Any, limits: Limits) -> None:
    """Rewrites the tables whose cells span columns or rows: then each row has a cell per column.

    trafilatura leaves the spans out. Raises Unreadable for tables that become too long.
    """
    layout = _layout_tables(tree)
    for table in list(tree.iter("table")):
        if table in layout or table.getparent() is None:
            continue
        if table.xpath(".//*[self::td or self::th][@colspan or @rowspan]"):
            _rewrite_table(table, limits)


def mark_code(tree: Any) -> None:
    """Puts the content of each `pre` into a `code`: trafilatura takes others for quotations."""
    # To move the content of each of many nested ones would take quadratic time.
    for verbatim in tree.xpath("descendant-or-self::pre[not(ancestor::pre)]"):
        if verbatim.find("code") is not None:
            continue
        code = etree.Element("code")
        code.text = verbatim.text
        verbatim.text = None
        for inner in list(verbatim):
            code.append(inner)
        verbatim.append(code)


def _rewrite_table(table: Any, limits: Limits) -> None:
    rows: list[list[SpanCell]] = []
    for row in table.iter("tr"):
        cells = []
        for cell in row.iterchildren("td", "th"):
            text = cell.text_content()
            columns = small_number(cell.get("colspan"), default=1, most_digits=4)
            row_count = small_number(cell.get("rowspan"), default=1, most_digits=4)
            cells.append(SpanCell(text, columns, row_count))
        rows.append(cells)
    headers = table.xpath("(.//tr)[1]/th")
    captions, texts = flat_grid(rows, limits)
    captions[:0] = [caption.text_content() for caption in table.iter("caption")]

    for inner in list(table):
        table.remove(inner)
    table.text = None
    for caption in captions:
        paragraph = etree.Element("p")
        paragraph.text = caption
        table.addprevious(paragraph)
    for row_index, row_texts in enumerate(texts):
        row = etree.SubElement(table, "tr")
        for text in row_texts:
            is_header = row_index == 0 and len(headers) > 1
            etree.SubElement(row, "th" if is_header else "td").text = text
