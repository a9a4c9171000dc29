"""Reads an OpenDocument text as Markdown: headings, paragraphs, lists and tables, in order."""

from typing import Any

from lxml import etree

from qa.documents.archive import Archive, attribute, child, local_name
from qa.documents.markdown_text import MAX_SPAN, MarkdownWriter, SpanCell
from qa.documents.parsing import Limits, ParsedFile, Unreadable, one_line

_DAMAGED = "is damaged or not an OpenDocument text. Open it in a word processor and save it again."
_ENCRYPTED = "is encrypted. Save it without a password."
_EMPTY = "holds no text. Add a document with text in it."

_SIGNS = {"s": " ", "tab": "\t", "line-break": "\n"}
_BLOCKS = frozenset({"p", "h"})
_HIDDEN = frozenset(
    {"tracked-changes", "annotation", "forms", "note", "sequence-decls", "ruby-text"}
)
"""Deleted text, comments, and what is not part of the text."""


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the text of an ODT and its title.

    Raises Unreadable for a file that is not an ODT, is encrypted, damaged, unsafe, too large, or
    holds no text.
    """
    package = Archive(data, limits, _DAMAGED)
    manifest = package.part("META-INF/manifest.xml")
    if manifest is not None and next(manifest.iter("{*}encryption-data"), None) is not None:
        raise Unreadable(_ENCRYPTED)
    content = package.part("content.xml")
    body = None if content is None else child(content, "body", "text")
    if body is None:
        raise Unreadable(_DAMAGED)

    text = _OpenDocumentWalk(_numbered_lists(content), limits).text(body)
    if not text:
        raise Unreadable(_EMPTY)
    return ParsedFile(text, _title(package.part("meta.xml")))


def _title(properties: Any) -> str | None:
    title = None if properties is None else child(properties, "meta", "title")
    return None if title is None else one_line(title.text or "") or None


def _numbered_lists(content: Any) -> frozenset[str]:
    """Returns the styles of the lists whose items have numbers."""
    numbered = set()
    for style in content.iter("{*}list-style"):
        if child(style, "list-level-style-number") is not None:
            numbered.add(attribute(style, "name"))
    return frozenset(numbered)


class _OpenDocumentWalk:
    """Goes through the body once, and gives each block to the writer when it ends."""

    def __init__(self, numbered: frozenset[str], limits: Limits) -> None:
        self._numbered = numbered
        self._writer = MarkdownWriter(limits)
        self._text: list[str] = []
        # For each open list: whether it has numbers, and the number of its last item.
        self._lists: list[tuple[bool, int]] = []
        self._is_first_in_item = False
        self._notes: list[str] = []
        self._open_tables = 0
        self._open_blocks = 0
        self._rows: list[list[SpanCell]] = []

    def text(self, body: Any) -> str:
        walk = etree.iterwalk(body, events=("start", "end"))
        for event, element in walk:
            name = local_name(element)
            if event == "start":
                if name == "note":
                    # A footnote stands inside a sentence, and follows its paragraph here.
                    body_text = "".join(element.xpath("*[local-name()='note-body']//text()"))
                    self._notes.append(body_text)
                if name in _HIDDEN or not name:
                    walk.skip_subtree()
                else:
                    self._start(name, element)
            elif name:
                self._end(name, element)
            # What follows an element inside a paragraph belongs to the paragraph.
            if event == "end" and self._open_blocks:
                self._text.append(_flat(element.tail))
        return self._writer.text()

    def _start(self, name: str, element: Any) -> None:
        if name in _BLOCKS:
            if self._open_blocks and not self._open_tables:
                # A paragraph can stand in another, in a text box.
                self._close_block("p", element)
            self._open_blocks += 1
            self._text.append(" " if self._open_tables else "")
        elif name == "list":
            self._open_list(element)
        elif name in ("list-item", "list-header") and self._lists:
            is_numbered, count = self._lists[-1]
            self._lists[-1] = (is_numbered, count + 1)
            self._is_first_in_item = True
        elif name == "table":
            self._open_tables += 1
        elif self._open_tables == 1 and name == "table-row":
            self._rows.append([])
        elif self._open_tables == 1 and name == "table-cell":
            self._text = []

        if self._open_blocks:
            self._add_words(name, element)

    def _add_words(self, name: str, element: Any) -> None:
        sign = _SIGNS.get(name)
        if sign is not None:
            self._text.append(sign)
        self._text.append(_flat(element.text))

    def _open_list(self, element: Any) -> None:
        style = attribute(element, "style-name")
        # A list inside a list has the style of the outer one.
        inherited = self._lists[-1][0] if self._lists else False
        is_numbered = style in self._numbered if style else inherited
        self._lists.append((is_numbered, 0))

    def _end(self, name: str, element: Any) -> None:
        if name in _BLOCKS:
            self._open_blocks -= 1
            if not self._open_tables:
                self._close_block(name, element)
        elif name == "list" and self._lists:
            self._lists.pop()
        elif name == "table-cell" and self._open_tables == 1 and self._rows:
            self._close_cell(element)
        elif name == "table":
            self._open_tables -= 1
            if not self._open_tables:
                self._text = []
                self._writer.grid(self._rows)
                self._rows = []

    def _close_block(self, name: str, element: Any) -> None:
        text = "".join(self._text)
        self._text = []
        if name == "h":
            level = attribute(element, "outline-level")
            self._writer.heading(text, int(level) if level.isdecimal() and len(level) < 3 else 1)
        elif self._lists and self._is_first_in_item:
            is_numbered, count = self._lists[-1]
            self._writer.item(text, len(self._lists) - 1, f"{count}." if is_numbered else "-")
            self._is_first_in_item = not text.strip()
        else:
            self._writer.paragraph(text)
        for note in self._notes:
            self._writer.paragraph(one_line(note))
        self._notes = []

    def _close_cell(self, cell: Any) -> None:
        columns = _count(attribute(cell, "number-columns-spanned"))
        rows = _count(attribute(cell, "number-rows-spanned"))
        span = SpanCell("".join(self._text), columns, rows)
        repeats = _count(attribute(cell, "number-columns-repeated"))
        self._rows[-1] += [span] * repeats
        self._text = []


def _count(text: str) -> int:
    digits = text if text.isdecimal() and len(text) < 5 else "1"
    return max(1, min(int(digits), MAX_SPAN))


def _flat(text: str | None) -> str:
    """Returns text as OpenDocument means it: white space in the XML is one space."""
    return (text or "").replace("\n", " ").replace("\t", " ")
