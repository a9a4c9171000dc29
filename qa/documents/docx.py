"""Reads a Word document as Markdown: its headings, paragraphs, lists and tables, in order."""

import re
from typing import Any

from lxml import etree

from qa.documents.archive import Archive, attribute, child, local_name
from qa.documents.markdown_text import MarkdownWriter, SpanCell
from qa.documents.parsing import Limits, ParsedFile, Unreadable, one_line

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
    title = None if properties is None else child(properties, "title")
    if title is None:
        return None
    return one_line(title.text or "") or None


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
            # A table in a cell of another table becomes words of the outer cell.
            self._text.append(" " if name in ("p", "tc") else "")
            if self._open_tables == 1 and name == "tr":
                self._rows.append([])
            elif self._open_tables == 1 and name == "tc":
                self._text = []

    def _end(self, name: str, element: Any) -> None:
        if name == "p" and not self._open_tables:
            self._close_paragraph()
        elif name == "tc" and self._open_tables == 1 and self._rows:
            self._rows[-1].append(_cell(element, "".join(self._text)))
            self._text = []
        elif name == "tbl":
            self._open_tables -= 1
            if not self._open_tables:
                self._text = []
                self._writer.grid(self._rows)
                self._rows = []

    def _open_paragraph(self, paragraph: Any) -> None:
        style = _value(paragraph, "pPr", "pStyle")
        self._kind = self._styles.get(style, "prose")
        if self._kind.startswith("heading"):
            return
        list_id = _value(paragraph, "pPr", "numPr", "numId")
        has_numbering = child(paragraph, "pPr", "numPr") is not None
        # Word writes the number 0 to take a paragraph out of the list of its style.
        if has_numbering and list_id != "0":
            self._kind = "item"
        if self._kind == "item":
            level = _value(paragraph, "pPr", "numPr", "ilvl")
            self._level = int(level) if level.isdecimal() and len(level) == 1 else 0
            self._marker = self._next_marker(list_id)

    def _next_marker(self, list_id: str) -> str:
        number_format = self._numbering.get((list_id, str(self._level)), _BULLET)
        if number_format in (_BULLET, "none"):
            return "-"
        key = (list_id, self._level)
        self._counts[key] = self._counts.get(key, 0) + 1
        # A new item begins the lists inside it again.
        for level in range(self._level + 1, 10):
            self._counts.pop((list_id, level), None)
        return f"{self._counts[key]}."

    def _close_paragraph(self) -> None:
        text = "".join(self._text)
        kind = self._kind
        self._text = []
        self._kind = "prose"
        if not text.strip():
            return
        if kind.startswith("heading"):
            self.first_heading = self.first_heading or one_line(text)
            self._writer.heading(text, int(kind[-1]))
        elif kind == "item":
            self._writer.item(text, self._level, self._marker)
        else:
            self._writer.paragraph(text)


def _cell(element: Any, text: str) -> SpanCell:
    span = _value(element, "tcPr", "gridSpan")
    columns = int(span) if span.isdecimal() and len(span) < 4 else 1
    is_merged = child(element, "tcPr", "vMerge") is not None
    continues = is_merged and _value(element, "tcPr", "vMerge") != "restart"
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
    if root is None:
        return kinds
    for style in root:
        key = attribute(style, "styleId")
        name = _value(style, "name")
        outline = _value(style, "pPr", "outlineLvl")
        has_numbering = child(style, "pPr", "numPr") is not None
        heading = _HEADING_STYLE.match(name)
        if heading:
            is_subtitle = name.lower().startswith("sub")
            level = int(heading[1] or (_SUBTITLE_LEVEL if is_subtitle else 1))
            kinds[key] = f"heading{max(1, level)}"
        elif outline in tuple("01234567"):
            kinds[key] = f"heading{int(outline) + 1}"
        elif has_numbering or name.lower().startswith("list "):
            kinds[key] = "item"
    return kinds


def _numbering(root: Any) -> Numbering:
    """Returns the formats of the numbers of all lists."""
    by_definition: dict[str, dict[str, str]] = {}
    formats: Numbering = {}
    if root is None:
        return formats
    for element in root:
        name = local_name(element)
        if name == "abstractNum":
            levels = {}
            for level in element:
                if local_name(level) == "lvl":
                    levels[attribute(level, "ilvl")] = _value(level, "numFmt")
            by_definition[attribute(element, "abstractNumId")] = levels
        elif name == "num":
            definition = _value(element, "abstractNumId")
            for depth, number_format in by_definition.get(definition, {}).items():
                formats[attribute(element, "numId"), depth] = number_format
    return formats


def _value(element: Any, *path: str) -> str:
    """Returns the "val" attribute of the descendant at a path; "" if there is none."""
    descendant = child(element, *path)
    return "" if descendant is None else attribute(descendant, "val")
