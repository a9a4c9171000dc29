"""The text of a Word document: its paragraphs, lists and tables in order. XML is read without entities or DTDs."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from lxml import etree

from qa.documents.parsing import Limits, ParsedFile, Unreadable, one_line

_CHUNK = 1 << 20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DAMAGED = "is damaged, or no Word document at all. Open and save it anew in a word processor."
_UNSAFE = "declares XML entities, which no word processor does: it is not safe to read."
_DOCTYPES = tuple("<!DOCTYPE".encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be"))
_WORD = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_UNSEEN = frozenset({"Fallback", "del", "moveFrom", "instrText"})
"""What is deleted, moved away, the code of a field, or there a second time for old programs."""
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_HEADING = re.compile(r"heading\s*\d|title|subtitle", re.IGNORECASE)


class _Package:
    """The parts of a DOCX, unpacked within a limit that counts for all of them together."""

    def __init__(self, data: bytes, limit: int) -> None:
        self._limit, self._left = limit, limit
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            if data.startswith(_OLE):
                raise Unreadable(
                    "is encrypted, or of the old .doc kind. Save it as .docx without a password."
                ) from error
            raise Unreadable(_DAMAGED) from error

    def part(self, name: str) -> Any:
        """The root of a part's XML; None when there is no such part."""
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            return None
        if info.flag_bits & 1:
            raise Unreadable("is encrypted. Save it without a password.")
        # Python unpacks the other methods without a bound; Word writes none of them.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable(_DAMAGED)
        if info.file_size > self._left:
            raise self._too_large()
        return _parsed(self._unpacked(info))

    def _unpacked(self, info: zipfile.ZipInfo) -> bytes:
        content = bytearray()
        try:
            with self._zip.open(info) as packed:
                while chunk := packed.read(_CHUNK):
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise self._too_large()
                    content += chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise Unreadable(_DAMAGED) from error
        return bytes(content)

    def _too_large(self) -> Unreadable:
        return Unreadable(
            f"unpacks to more than {self._limit // 1_000_000} MB. Split it into smaller files."
        )


def _parsed(content: bytes) -> Any:
    # Without huge_tree libxml2 keeps its own bounds on depth and on what entities in attributes come to.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(
            _UNSAFE if any(mark in content for mark in _DOCTYPES) else _DAMAGED
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(_UNSAFE)
    return root


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Raises Unreadable for what is no DOCX, is encrypted, damaged, unsafe, too large, or holds no text."""
    package = _Package(data, limits.unpacked)
    root = package.part("word/document.xml")
    if root is None:
        raise Unreadable(_DAMAGED)
    styles = _styles(package.part("word/styles.xml"))
    core = package.part("docProps/core.xml")
    blocks = list(_blocks(root, styles))
    if sum(len(text) for _, text in blocks) > limits.characters:
        raise Unreadable(
            f"holds more than {limits.characters:,} characters. Split it into smaller files."
        )
    if not blocks:
        raise Unreadable("holds no text: there is nothing to ask it.")
    lines = []
    for place, (kind, text) in enumerate(blocks):
        close = place and kind in ("item", "row") and blocks[place - 1][0] == kind
        lines.append(("\n" if close else "\n\n" if place else "") + text)
    heading = next((one_line(text) for kind, text in blocks if kind == "heading"), None)
    return ParsedFile("".join(lines), _core_title(core) or heading)


def _name(element: Any) -> str:
    """An element's name without its name space; nothing for comments."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _child(element: Any, *path: str) -> Any:
    for name in path:
        element = next((child for child in element if _name(child) == name), None)
        if element is None:
            return None
    return element


def _value(element: Any, *path: str) -> str:
    found = _child(element, *path)
    values = () if found is None else (found.get(f"{{{space}}}val") for space in _WORD)
    return next((value for value in values if value), "")


def _styles(root: Any) -> dict[str, str]:
    """What kind of paragraph a style's id makes: "heading" or "item"; others are not in it."""
    kinds = {}
    for style in [] if root is None else root:
        key = next((key for space in _WORD if (key := style.get(f"{{{space}}}styleId"))), "")
        if _HEADING.match(_value(style, "name")) or _child(style, "pPr", "outlineLvl") is not None:
            kinds[key] = "heading"
        elif _child(style, "pPr", "numPr") is not None or _value(style, "name").lower().startswith(
            "list "
        ):
            kinds[key] = "item"
    return kinds


def _blocks(root: Any, styles: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Kind and text of each paragraph and each row, in document order."""
    kind, text, rows = "prose", "", 0
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        name, start = _name(element), event == "start"
        if start and (name in _UNSEEN or (name == "r" and _is_hidden(element))):
            walk.skip_subtree()
        elif name == "tr":
            rows += 1 if start else -1
        elif start and name == "tc" and text.strip():
            text += " | "
        elif start and name in _SIGNS:
            text += _SIGNS[name]
        elif start and name == "t":
            text += element.text or ""
        if name in ("p", "tr"):
            if rows or (name == "tr" and not start):
                text += " "
            if not rows:
                if tidy := _tidy(text, "row" if name == "tr" else kind):
                    yield tidy
                text = ""
            kind = _kind(element, styles) if name == "p" and start else "prose"


def _tidy(text: str, kind: str) -> tuple[str, str] | None:
    lines = [line for part in text.split("\n") if (line := one_line(part))]
    if not any(line.strip("| ") for line in lines):
        return None
    return kind, ("- " if kind == "item" else "") + (" " if kind == "row" else "\n").join(lines)


def _is_hidden(run: Any) -> bool:
    vanish = _child(run, "rPr", "vanish")
    return vanish is not None and _value(run, "rPr", "vanish") not in ("0", "false", "off")


def _kind(paragraph: Any, styles: dict[str, str]) -> str:
    if (
        _child(paragraph, "pPr", "numPr") is not None
        and _value(paragraph, "pPr", "numPr", "numId") != "0"
    ):
        own = styles.get(_value(paragraph, "pPr", "pStyle"))
        return own if own == "heading" else "item"
    return styles.get(_value(paragraph, "pPr", "pStyle"), "prose")


def _core_title(root: Any) -> str | None:
    title = None if root is None else _child(root, "title")
    return None if title is None else one_line(title.text or "") or None
