"""Reads the parts of a file that is a zip archive of XML, within limits.

Office documents, OpenDocument texts and EPUB books are such archives. The XML is read without
entities and without external definitions.
"""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from lxml import etree

from qa.documents.parsing import Limits, Unreadable, one_line

_CHUNK = 1 << 20
MIN_UNPACKED = 10_000_000
"""Bytes of the parts of an archive that are read from any file, however small."""
MAX_RATIO = 100
"""How many bytes may come out of each byte of a file."""
_OLE_HEADER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How the files of old Office and encrypted files of new Office begin."""
_ENCRYPTED_FLAG = 1

_ENCRYPTED = "is encrypted. Save it without a password."
_UNSAFE = "is not safe to read: it declares XML entities, which office programs do not write."

_DOCTYPES = tuple("<!DOCTYPE".encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be"))


class Archive:
    """The parts of an archive, unpacked within one limit for all parts together.

    `damaged` and `old`: what the error says of a damaged file and of one of the old Office.
    """

    def __init__(self, data: bytes, limits: Limits, damaged: str, old: str | None = None) -> None:
        # Office packs its XML to a twentieth at most; a file that unpacks far more wastes time.
        self._limit = min(limits.unpacked, max(MIN_UNPACKED, MAX_RATIO * len(data)))
        self._remaining = self._limit
        self._damaged = damaged
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            is_old = old is not None and data.startswith(_OLE_HEADER)
            raise Unreadable(old if old and is_old else damaged) from error

    def __contains__(self, name: str) -> bool:
        return name in self._zip.NameToInfo

    def names(self) -> list[str]:
        """Returns the names of all parts, in the order of the archive."""
        return self._zip.namelist()

    def part(self, name: str) -> Any:
        """Returns the root of a part's XML; None if the part is missing."""
        content = self.content(name)
        if content is None:
            return None
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        try:
            root = etree.fromstring(content, parser)
        except etree.XMLSyntaxError as error:
            raise self._invalid(content) from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise Unreadable(_UNSAFE)
        return root

    def elements(self, name: str, tag: str) -> Iterator[Any]:
        """Yields the elements of a part with a tag; each is empty when the next is read.

        A large sheet would take gigabytes as a tree.
        """
        content = self.content(name)
        if content is None:
            return
        if any(mark in content for mark in _DOCTYPES):
            raise Unreadable(_UNSAFE)
        events = etree.iterparse(
            io.BytesIO(content),
            tag=tag,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        try:
            for _, element in events:
                yield element
                element.clear()
                # The emptied elements would still take memory.
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
        except etree.XMLSyntaxError as error:
            raise self._invalid(content) from error

    def content(self, name: str) -> bytes | None:
        """Returns the bytes of a part; None if the part is missing."""
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            return None
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise Unreadable(_ENCRYPTED)
        # Python unpacks the other methods without a bound; office programs write none of them.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable(self._damaged)
        if info.file_size > self._remaining:
            raise self._too_large()
        return self._unpack(info)

    def related(self, name: str) -> dict[str, str]:
        """Returns the names of the parts that a part of an Office file refers to, by their ids."""
        folder, file = posixpath.split(name)
        relations = self.part(f"{folder}/_rels/{file}.rels")
        targets: dict[str, str] = {}
        if relations is None:
            return targets
        for relation in relations:
            if relation.get("TargetMode") == "External":
                continue
            key = relation.get("Id") or ""
            target = relation.get("Target") or ""
            targets[key] = joined_name(folder, target)
        return targets

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
            raise Unreadable(self._damaged) from error
        return bytes(content)

    def _invalid(self, content: bytes) -> Unreadable:
        has_doctype = any(mark in content for mark in _DOCTYPES)
        return Unreadable(_UNSAFE if has_doctype else self._damaged)

    def _too_large(self) -> Unreadable:
        limit = f"{self._limit // 1_000_000} MB"
        return Unreadable(f"unpacks to more than {limit}. Split it into smaller files.")


def joined_name(folder: str, target: str) -> str:
    """Returns the name of a part from the folder that refers to it; "/" is the archive's root."""
    path = unquote(target.split("#", 1)[0])
    return posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")


def local_name(element: Any) -> str:
    """Returns an element's name without its namespace; "" for a comment."""
    if not isinstance(element.tag, str):
        return ""
    return str(etree.QName(element).localname)


def child(element: Any, *path: str) -> Any:
    """Returns the first descendant at a path of names; None without one, or without an element."""
    for name in path:
        if element is None:
            return None
        element = _first_child(element, name)
    return element


def _first_child(element: Any, name: str) -> Any:
    for inner in element:
        if local_name(inner) == name:
            return inner
    return None


def child_line(element: Any, *path: str) -> str:
    """Returns the text of the descendant at a path as one line; "" if there is none."""
    inner = child(element, *path)
    if inner is None:
        return ""
    return one_line(inner.text or "")


def child_attribute(element: Any, *path: str, name: str) -> str:
    """Returns an attribute of the descendant at a path; "" if there is none."""
    inner = child(element, *path)
    return "" if inner is None else attribute(inner, name)


def children(element: Any, *path: str) -> Iterator[Any]:
    """Yields the elements in the first descendant at a path of names; comments are left out."""
    parent = child(element, *path)
    if parent is None:
        return
    for inner in parent:
        # The tag of a comment is a function.
        if isinstance(inner.tag, str):
            yield inner


def attribute(element: Any, name: str) -> str:
    """Returns an attribute's value, in whichever namespace; "" if it is missing."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return ""
