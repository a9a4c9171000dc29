"""Reads the text of a Word document: its paragraphs, lists and tables, in order.

The XML is read without entities and without external definitions.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from lxml import etree

from qa.documents.parsing import Limits, ParsedFile, Unreadable, check_length, one_line

_CHUNK = 1 << 20
MIN_UNPACKED = 10_000_000
"""Bytes of the parts of a DOCX that are read from any file, however small."""
MAX_RATIO = 100
"""How many bytes may come out of each byte of a file."""
_OLE_HEADER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How .doc files and encrypted .docx files begin."""
_ENCRYPTED_FLAG = 1

_DAMAGED = "is damaged or not a Word document. Open it in a word processor and save it again."
_ENCRYPTED = "is encrypted. Save it without a password."
_OLD = "is encrypted, or a .doc file of old Word. Save it as .docx without a password."
_UNSAFE = "is not safe to read: it declares XML entities, which word processors do not write."
_EMPTY = "holds no text. Add a document with text in it."

_DOCTYPES = tuple("<!DOCTYPE".encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be"))
_NAMESPACES = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_HIDDEN_ELEMENTS = frozenset({"Fallback", "del", "moveFrom", "instrText"})
"""Second versions for old programs, deleted text, text moved away, and the code of fields."""
_SIGNS = {
    "tab": "\t",
    "br": "\n",
    "cr": "\n",
    "noBreakHyphen": "-",
}
_READ_ELEMENTS = tuple(
    f"{{*}}{name}" for name in ("p", "r", "t", "tr", "tc", *_SIGNS, *_HIDDEN_ELEMENTS)
)
_HEADING_STYLE = re.compile(r"heading\s*\d|title|subtitle", re.IGNORECASE)


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the text of a DOCX and its title.

    Raises Unreadable for a file that is not a DOCX, is encrypted, damaged, unsafe, too large, or
    holds no text.
    """
    # Word's own XML is seldom packed to a twentieth; a file that unpacks far more wastes time.
    package = _Package(data, min(limits.unpacked, max(MIN_UNPACKED, MAX_RATIO * len(data))))
    body = package.part("word/document.xml")
    if body is None:
        raise Unreadable(_DAMAGED)
    styles = _styles(package.part("word/styles.xml"))
    properties = package.part("docProps/core.xml")

    blocks = list(_blocks(body, styles))
    characters = 0
    headings = []
    for kind, content in blocks:
        characters += len(content)
        if kind == "heading":
            headings.append(content)
    check_length(characters, limits)
    if not blocks:
        raise Unreadable(_EMPTY)

    text = _joined(blocks)
    title = _title(properties)
    if not title and headings:
        title = one_line(headings[0])
    return ParsedFile(text, title)


def _joined(blocks: list[tuple[str, str]]) -> str:
    """Items of a list and rows of a table follow line by line, other blocks after a blank line."""
    parts: list[str] = []
    previous = None
    for kind, text in blocks:
        if parts:
            is_close = kind == previous and kind in ("item", "row")
            parts.append("\n" if is_close else "\n\n")
        parts.append(text)
        previous = kind
    return "".join(parts)


class _Package:
    """The parts of a DOCX, unpacked within one limit for all parts together."""

    def __init__(self, data: bytes, limit: int) -> None:
        self._limit = limit
        self._remaining = limit
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise Unreadable(_OLD if data.startswith(_OLE_HEADER) else _DAMAGED) from error

    def part(self, name: str) -> Any:
        """Returns the root of a part's XML; None if the part is missing."""
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            return None
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise Unreadable(_ENCRYPTED)
        # Python unpacks the other methods without a bound; Word writes none of them.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable(_DAMAGED)
        if info.file_size > self._remaining:
            raise self._too_large()
        return _parse_xml(self._unpack(info))

    def _unpack(self, info: zipfile.ZipInfo) -> bytes:
        content = bytearray()
        try:
            with self._zip.open(info) as packed:
                # The directory can give a wrong size, so what comes out is counted.
                while chunk := packed.read(_CHUNK):
                    self._remaining -= len(chunk)
                    if self._remaining < 0:
                        raise self._too_large()
                    content += chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise Unreadable(_DAMAGED) from error
        return bytes(content)

    def _too_large(self) -> Unreadable:
        limit = f"{self._limit // 1_000_000} MB"
        return Unreadable(f"unpacks to more than {limit}. Split it into smaller files.")


def _parse_xml(content: bytes) -> Any:
    # Without huge_tree libxml2 keeps its own bounds on depth and on entities in attributes.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        has_doctype = any(mark in content for mark in _DOCTYPES)
        raise Unreadable(_UNSAFE if has_doctype else _DAMAGED) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(_UNSAFE)
    return root


def _blocks(body: Any, styles: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yields (kind, text) of each paragraph outside tables and of each row, in document order.

    The kinds are "prose", "heading", "item" and "row".
    """
    kind = "prose"
    text = ""
    open_rows = 0
    # The walk skips all other elements without coming back to Python, which is the slow part.
    walk = etree.iterwalk(body, events=("start", "end"), tag=_READ_ELEMENTS)
    names: dict[str, str] = {}
    for event, element in walk:
        tag = element.tag
        name = names.get(tag) or names.setdefault(tag, _name(element))
        is_start = event == "start"

        if is_start and _is_hidden(name, element):
            walk.skip_subtree()
        elif name == "tr":
            open_rows += 1 if is_start else -1
        elif is_start and name == "tc" and text.strip():
            text += " | "
        elif is_start and name in _SIGNS:
            text += _SIGNS[name]
        elif is_start and name == "t":
            text += element.text or ""

        if name not in ("p", "tr"):
            continue
        # A table in a cell of another table becomes words of the outer row.
        if open_rows:
            text += " "
        else:
            block_kind = "row" if name == "tr" else kind
            yield from _block(text, block_kind)
            text = ""

        opens_paragraph = name == "p" and is_start
        kind = _kind(element, styles) if opens_paragraph else "prose"


def _block(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yields the block with tidy lines, or nothing if it holds no words."""
    lines = list(filter(None, map(one_line, text.split("\n"))))
    # The bars between empty cells are not words.
    if not any(line.strip("| ") for line in lines):
        return
    if kind == "row":
        yield kind, " ".join(lines)
    elif kind == "item":
        yield kind, "- " + "\n".join(lines)
    else:
        yield kind, "\n".join(lines)


def _is_hidden(name: str, element: Any) -> bool:
    if name in _HIDDEN_ELEMENTS:
        return True
    if name != "r" or _child(element, "rPr", "vanish") is None:
        return False
    return _value(element, "rPr", "vanish") not in ("0", "false", "off")


def _kind(paragraph: Any, styles: dict[str, str]) -> str:
    kind = styles.get(_value(paragraph, "pPr", "pStyle"), "prose")
    has_numbering = _child(paragraph, "pPr", "numPr") is not None
    # Word writes the number 0 to take a paragraph out of the list of its style.
    is_numbered = has_numbering and _value(paragraph, "pPr", "numPr", "numId") != "0"
    return "item" if is_numbered and kind != "heading" else kind


def _styles(root: Any) -> dict[str, str]:
    """Returns which ids of styles make a paragraph a "heading" or an "item"."""
    kinds: dict[str, str] = {}
    if root is None:
        return kinds
    for style in root:
        key = _attribute(style, "styleId")
        name = _value(style, "name")
        has_level = _child(style, "pPr", "outlineLvl") is not None
        has_numbering = _child(style, "pPr", "numPr") is not None
        if has_level or _HEADING_STYLE.match(name):
            kinds[key] = "heading"
        elif has_numbering or name.lower().startswith("list "):
            kinds[key] = "item"
    return kinds


def _title(properties: Any) -> str | None:
    if properties is None:
        return None
    title = _child(properties, "title")
    if title is None:
        return None
    return one_line(title.text or "") or None


def _name(element: Any) -> str:
    """Returns an element's name without its namespace; "" for a comment."""
    if not isinstance(element.tag, str):
        return ""
    return str(etree.QName(element).localname)


def _child(element: Any, *path: str) -> Any:
    """Returns the first descendant at a path of names; None if there is none."""
    for name in path:
        children = (child for child in element if _name(child) == name)
        element = next(children, None)
        if element is None:
            return None
    return element


def _value(element: Any, *path: str) -> str:
    """Returns the "val" attribute of the descendant at a path; "" if there is none."""
    child = _child(element, *path)
    return "" if child is None else _attribute(child, "val")


def _attribute(element: Any, name: str) -> str:
    for namespace in _NAMESPACES:
        key = etree.QName(namespace, name)
        value = element.get(key)
        if value:
            return str(value)
    return ""
