"""Reads an OpenDocument text as Markdown: headings, paragraphs, lists and tables, in order."""

from typing import Any

from lxml import etree

from qa.documents.archive import Archive, attribute, child, child_line, local_name
from qa.documents.markdown_text import CELL_SIGNS, MAX_SPAN, MarkdownWriter, SpanCell
from qa.documents.parsing import (
    Limits,
    ParsedFile,
    Unreadable,
    check_length,
    one_line,
    small_number,
)

_DAMAGED = "is damaged or not an OpenDocument text. Open it in a word processor and save it again."
_ENCRYPTED = "is encrypted. Save it without a password."
_EMPTY = "holds no text. Add a document with text in it."

_SIGNS = {"s": " ", "tab": "\t", "line-break": "\n"}
_BLOCKS = frozenset({"p", "h"})
_ITEMS = frozenset({"list-item", "list-header"})
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
    if _is_encrypted(package.part("META-INF/manifest.xml")):
        raise Unreadable(_ENCRYPTED)
    content = package.part("content.xml")
    body = child(content, "body", "text")
    if body is None:
        raise Unreadable(_DAMAGED)

    walk = _OpenDocumentWalk(_numbered_lists(content), limits)
    text = walk.text(body)
    if not text:
        raise Unreadable(_EMPTY)
    title = child_line(package.part("meta.xml"), "meta", "title")
    return ParsedFile(text, title or None)


def _is_encrypted(manifest: Any) -> bool:
    if manifest is None:
        return False
    encrypted_parts = manifest.iter("{*}encryption-data")
    return next(encrypted_parts, None) is not None


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
        self._limits = limits
        self._writer = MarkdownWriter(limits)
        self._text: list[str] = []
        # For each open list: whether it has numbers, and the number of its last item.
        self._lists: list[tuple[bool, int]] = []
        self._is_first_in_item = False
        self._notes: list[str] = []
        self._open_tables = 0
        self._open_blocks = 0
        self._rows: list[list[SpanCell]] = []
        self._characters = 0

    def text(self, body: Any) -> str:
        walk = etree.iterwalk(body, events=("start", "end"))
        for event, element in walk:
            name = local_name(element)
            is_hidden = name in _HIDDEN or not name
            if event == "start":
                if is_hidden:
                    walk.skip_subtree()
                    self._add_note(name, element)
                else:
                    self._start(name, element)
                continue

            if not is_hidden:
                self._end(name, element)
            # What follows an element inside a paragraph belongs to the paragraph.
            if self._open_blocks:
                self._text.append(_flat(element.tail))
        return self._writer.text()

    def _add_note(self, name: str, element: Any) -> None:
        """Keeps the text of a footnote: it stands inside a sentence, and follows its paragraph."""
        if name != "note":
            return
        body = child(element, "note-body")
        if body is not None:
            self._notes.append("".join(body.itertext()))

    def _start(self, name: str, element: Any) -> None:
        if name in _BLOCKS:
            if self._open_blocks and not self._open_tables:
                # A paragraph can stand in another, in a text box.
                self._close_block("p", element)
            self._open_blocks += 1
            self._text.append(" " if self._open_tables else "")
        elif name == "list":
            self._open_list(element)
        elif name in _ITEMS and self._lists:
            is_numbered, count = self._lists[-1]
            self._lists[-1] = (is_numbered, count + 1)
            self._is_first_in_item = True
        elif name == "table":
            self._open_tables += 1
        elif self._open_tables == 1:
            self._start_in_table(name)

        if self._open_blocks:
            self._add_words(name, element)

    def _start_in_table(self, name: str) -> None:
        if name == "table-row":
            self._rows.append([])
        elif name == "table-cell":
            self._text = []

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
        elif name == "table-cell":
            self._close_cell(element)
        elif name == "table":
            self._open_tables -= 1
            if not self._open_tables:
                self._close_table()

    def _close_table(self) -> None:
        self._writer.grid(self._rows)
        self._text = []
        self._rows = []
        self._characters = 0

    def _close_block(self, name: str, element: Any) -> None:
        text = "".join(self._text)
        self._text = []
        if name == "h":
            level = attribute(element, "outline-level")
            self._writer.heading(text, small_number(level, default=1, most_digits=2))
        elif self._lists and self._is_first_in_item:
            self._write_item(text)
        else:
            self._writer.paragraph(text)

        for note in self._notes:
            self._writer.paragraph(one_line(note))
        self._notes = []

    def _write_item(self, text: str) -> None:
        is_numbered, count = self._lists[-1]
        marker = f"{count}." if is_numbered else "-"
        level = len(self._lists) - 1
        self._writer.item(text, level, marker)
        # The paragraph after an empty paragraph is the first of the item.
        self._is_first_in_item = not text.strip()

    def _close_cell(self, cell: Any) -> None:
        if self._open_tables != 1 or not self._rows:
            return
        text = "".join(self._text)
        self._text = []
        columns = _count(cell, "number-columns-spanned")
        rows = _count(cell, "number-rows-spanned")
        repeats = _count(cell, "number-columns-repeated")
        # A short file can repeat many cells.
        self._characters += repeats * (len(text) + CELL_SIGNS)
        check_length(self._characters, self._limits)
        repeated = [SpanCell(text, columns, rows)] * repeats
        self._rows[-1].extend(repeated)


def _count(cell: Any, name: str) -> int:
    """Returns the number in an attribute of a cell, from 1 to MAX_SPAN."""
    number = small_number(attribute(cell, name), default=1, most_digits=4)
    return max(1, min(number, MAX_SPAN))


def _flat(text: str | None) -> str:
    """Returns text as OpenDocument means it: white space in the XML is one space."""
    return (text or "").replace("\n", " ").replace("\t", " ")
