"""Reads a Word document as Markdown: its headings, paragraphs, lists and tables, in order."""

import re
from typing import Any

from lxml import etree

from qa.documents.archive import (
    Archive,
    attribute,
    child,
    child_attribute,
    child_line,
    children,
    local_name,
)
from qa.documents.markdown_text import MarkdownWriter, SpanCell
from qa.documents.parsing import Limits, ParsedFile, Unreadable, one_line, small_number

_DAMAGED = "is damaged or not a Word document. Open it in a word processor and save it again."
_OLD = "is encrypted, or a .doc file of old Word. Save it as .docx without a password."
_EMPTY = "holds no text. Add a document with text in it."

_HIDDEN_ELEMENTS = frozenset({"Fallback", "del", "moveFrom", "instrText"})
"""Second versions for old programs, deleted text, text moved away, and the code of fields."""
_SIGNS = {
    "tab": "\t",
    "br": "\n",
    "cr": "\n",
    "noBreakHyphen": "-",
}
_READ_ELEMENTS = tuple(
    f"{{*}}{name}" for name in ("p", "r", "t", "tbl", "tr", "tc", *_SIGNS, *_HIDDEN_ELEMENTS)
)
_HEADING_STYLE = re.compile(r"heading\s*(\d)|title|subtitle", re.IGNORECASE)
_SUBTITLE_LEVEL = 2
_BULLET = "bullet"
_LEVELS = 10
"""Levels that a list can have."""

Numbering = dict[tuple[str, str], str]
"""The format of the numbers of a list, by the id of the list and the level."""


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the text of a DOCX and its title.

    Raises Unreadable for a file that is not a DOCX, is encrypted, damaged, unsafe, too large, or
    holds no text.
    """
    package = Archive(data, limits, _DAMAGED, _OLD)
    body = package.part("word/document.xml")
    if body is None:
        raise Unreadable(_DAMAGED)
    styles = _styles(package.part("word/styles.xml"))
    numbering = _numbering(package.part("word/numbering.xml"))
    title = document_title(package)

    walk = _DocumentWalk(styles, numbering, limits)
    text = walk.text(body)
    if not text:
        raise Unreadable(_EMPTY)
    return ParsedFile(text, title or walk.first_heading)


def document_title(package: Archive) -> str | None:
    """Returns the title in the properties of an Office document."""
    properties = package.part("docProps/core.xml")
    return child_line(properties, "title") or None


class _DocumentWalk:
    """Goes through the body once, and gives each block to the writer when it ends."""

    def __init__(self, styles: dict[str, str], numbering: Numbering, limits: Limits) -> None:
        self.first_heading: str | None = None
        self._styles = styles
        self._numbering = numbering
        self._writer = MarkdownWriter(limits)
        self._kind = "prose"
        self._text: list[str] = []
        self._marker = "-"
        self._level = 0
        self._counts: dict[tuple[str, int], int] = {}
        self._open_tables = 0
        self._rows: list[list[SpanCell]] = []

    def text(self, body: Any) -> str:
        # The walk skips all other elements without coming back to Python, which is the slow part.
        walk = etree.iterwalk(body, events=("start", "end"), tag=_READ_ELEMENTS)
        names: dict[str, str] = {}
        for event, element in walk:
            tag = element.tag
            name = names.get(tag) or names.setdefault(tag, local_name(element))
            if event == "end":
                self._end(name, element)
            elif _is_hidden(name, element):
                walk.skip_subtree()
            elif name == "t":
                self._text.append(element.text or "")
            elif name in _SIGNS:
                self._text.append(_SIGNS[name])
            else:
                self._start(name, element)
        self._close_paragraph()
        return self._writer.text()

    def _start(self, name: str, element: Any) -> None:
        if name == "tbl":
            if not self._open_tables:
                self._close_paragraph()
                self._rows = []
            self._open_tables += 1
        elif name == "p" and not self._open_tables:
            # A paragraph can stand in another, in a text box.
            self._close_paragraph()
            self._open_paragraph(element)
        elif self._open_tables:
            self._start_in_table(name)

    def _start_in_table(self, name: str) -> None:
        is_outer = self._open_tables == 1
        if is_outer and name == "tr":
            self._rows.append([])
        elif is_outer and name == "tc":
            self._text = []
        elif name in ("p", "tc"):
            # A table in a cell of another table becomes words of the outer cell.
            self._text.append(" ")

    def _end(self, name: str, element: Any) -> None:
        if name == "p" and not self._open_tables:
            self._close_paragraph()
        elif name == "tc":
            self._close_cell(element)
        elif name == "tbl":
            self._open_tables -= 1
            if not self._open_tables:
                self._close_table()

    def _close_cell(self, element: Any) -> None:
        if self._open_tables != 1 or not self._rows:
            return
        text = "".join(self._text)
        cell = _cell(element, text)
        self._rows[-1].append(cell)
        self._text = []

    def _close_table(self) -> None:
        self._writer.grid(self._rows)
        self._text = []
        self._rows = []

    def _open_paragraph(self, paragraph: Any) -> None:
        style = _value(paragraph, "pPr", "pStyle")
        self._kind = self._styles.get(style, "prose")
        if self._kind.startswith("heading"):
            return
        numbering = child(paragraph, "pPr", "numPr")
        list_id = _value(numbering, "numId")
        # Word writes the number 0 to take a paragraph out of the list of its style.
        if numbering is not None and list_id != "0":
            self._kind = "item"
        if self._kind == "item":
            level = _value(numbering, "ilvl")
            self._level = small_number(level, default=0, most_digits=1)
            self._marker = self._next_marker(list_id)

    def _next_marker(self, list_id: str) -> str:
        level = self._level
        number_format = self._numbering.get((list_id, str(level)), _BULLET)
        if number_format in (_BULLET, "none"):
            return "-"
        count = self._counts.get((list_id, level), 0) + 1
        self._counts[list_id, level] = count
        # A new item begins the lists inside it again.
        for deeper in range(level + 1, _LEVELS):
            self._counts.pop((list_id, deeper), None)
        return f"{count}."

    def _close_paragraph(self) -> None:
        text = "".join(self._text)
        kind = self._kind
        self._text = []
        self._kind = "prose"
        if not text.strip():
            return
        if kind.startswith("heading"):
            level = int(kind[-1])
            self._writer.heading(text, level)
            self.first_heading = self.first_heading or one_line(text)
        elif kind == "item":
            self._writer.item(text, self._level, self._marker)
        else:
            self._writer.paragraph(text)


def _cell(element: Any, text: str) -> SpanCell:
    properties = child(element, "tcPr")
    span = _value(properties, "gridSpan")
    columns = small_number(span, default=1, most_digits=3)
    is_merged = child(properties, "vMerge") is not None
    continues = is_merged and _value(properties, "vMerge") != "restart"
    return SpanCell(text, columns, continues=continues)


def _is_hidden(name: str, element: Any) -> bool:
    if name in _HIDDEN_ELEMENTS:
        return True
    if name != "r" or child(element, "rPr", "vanish") is None:
        return False
    return _value(element, "rPr", "vanish") not in ("0", "false", "off")


def _styles(root: Any) -> dict[str, str]:
    """Returns which ids of styles make a paragraph a heading ("heading1") or an "item"."""
    kinds: dict[str, str] = {}
    for style in children(root):
        key = attribute(style, "styleId")
        name = _value(style, "name").lower()
        level = _heading_level(style, name)
        has_numbering = child(style, "pPr", "numPr") is not None
        if level:
            kinds[key] = f"heading{level}"
        elif has_numbering or name.startswith("list "):
            kinds[key] = "item"
    return kinds


def _heading_level(style: Any, name: str) -> int:
    """Returns the level of the headings with a style; 0 if they are not headings."""
    heading = _HEADING_STYLE.match(name)
    if heading and heading[1]:
        return max(1, int(heading[1]))
    if heading:
        return _SUBTITLE_LEVEL if name.startswith("sub") else 1
    outline = _value(style, "pPr", "outlineLvl")
    # Level 9 is that of text.
    level = 1 + small_number(outline, default=-1, most_digits=1)
    return level if level < _LEVELS - 1 else 0


def _numbering(root: Any) -> Numbering:
    """Returns the formats of the numbers of all lists."""
    by_definition: dict[str, dict[str, str]] = {}
    formats: Numbering = {}
    for element in children(root):
        name = local_name(element)
        if name == "abstractNum":
            definition = attribute(element, "abstractNumId")
            by_definition[definition] = _level_formats(element)
        elif name == "num":
            list_id = attribute(element, "numId")
            definition = _value(element, "abstractNumId")
            levels = by_definition.get(definition, {})
            for level, number_format in levels.items():
                formats[list_id, level] = number_format
    return formats


def _level_formats(definition: Any) -> dict[str, str]:
    """Returns the format of the numbers of each level of a list."""
    formats: dict[str, str] = {}
    for level in children(definition):
        key = attribute(level, "ilvl")
        if local_name(level) == "lvl" and len(formats) < _LEVELS:
            formats[key] = _value(level, "numFmt")
    return formats


def _value(element: Any, *path: str) -> str:
    """Returns the "val" attribute of the descendant at a path; "" if there is none."""
    return child_attribute(element, *path, name="val")
