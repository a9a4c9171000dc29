"""Reads an EPUB book as Markdown: its chapters in reading order, each a web page."""

from typing import Any

from qa.documents.archive import Archive, attribute, child_line, children, joined_name
from qa.documents.html import parse_part
from qa.documents.parsing import Limits, ParsedFile, Unreadable, check_length

CONTAINER = "META-INF/container.xml"
MAX_CHAPTERS = 5_000

_DAMAGED = "is damaged or not an EPUB book. Download it again."
_PROTECTED = "is protected against copying (DRM). Add a copy without protection."
_EMPTY = "holds no text: its pages are pictures or empty. Add a book with text in it."
_TOO_MANY = f"has more than {MAX_CHAPTERS:,} chapters. Split it into smaller files."

_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_FONTS_ONLY = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Methods that hide only the fonts of a book."""


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the text of an EPUB and its title.

    Raises Unreadable for a file that is not an EPUB, is protected, damaged, unsafe, too large, or
    holds no text.
    """
    package = Archive(data, limits, _DAMAGED)
    _check_protection(package.part("META-INF/encryption.xml"))
    name = _book_name(package.part(CONTAINER))
    book = package.part(name) if name else None
    if book is None:
        raise Unreadable(_DAMAGED)

    chapters: list[str] = []
    characters = 0
    for part in _chapter_names(book, name):
        content = package.content(part) or b""
        text = parse_part(content.decode("utf-8", "replace"), limits)
        characters += len(text)
        check_length(characters, limits)
        if text:
            chapters.append(text)
    if not chapters:
        raise Unreadable(_EMPTY)
    title = child_line(book, "metadata", "title")
    return ParsedFile("\n\n".join(chapters), title or None)


def _check_protection(encryption: Any) -> None:
    methods = [] if encryption is None else encryption.iter("{*}EncryptionMethod")
    for method in methods:
        if attribute(method, "Algorithm") not in _FONTS_ONLY:
            raise Unreadable(_PROTECTED)


def _book_name(container: Any) -> str:
    """Returns the name of the part that lists the chapters; "" if there is none."""
    if container is None:
        return ""
    root = next(container.iter("{*}rootfile"), None)
    return "" if root is None else joined_name("", attribute(root, "full-path"))


def _chapter_names(book: Any, book_name: str) -> list[str]:
    folder = book_name.rpartition("/")[0]
    pages = {}
    for item in children(book, "manifest"):
        is_page = attribute(item, "media-type") in _PAGES
        is_contents = "nav" in attribute(item, "properties").split()
        # The table of contents repeats the headings.
        if is_page and not is_contents:
            pages[attribute(item, "id")] = joined_name(folder, attribute(item, "href"))

    names = []
    for item in children(book, "spine"):
        key = attribute(item, "idref")
        if key in pages:
            names.append(pages[key])
    if len(names) > MAX_CHAPTERS:
        raise Unreadable(_TOO_MANY)
    # A chapter that is listed many times would be read many times.
    return list(dict.fromkeys(names))
