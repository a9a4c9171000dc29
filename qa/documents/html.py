"""Reads the text of a web page: the article that trafilatura finds, without menus and banners.

If trafilatura finds less than a third of what the page shows, or loses its tables, headings and
lists, all visible text is taken instead: a menu too many is better than an answer too few.
"""

import codecs
import re
from itertools import dropwhile
from typing import Any

import trafilatura
from lxml import etree, html

from qa.documents.html_blocks import article_text, expand_spans, mark_code, visible_text
from qa.documents.parsing import Limits, ParsedFile, Unreadable, one_line

MIN_ARTICLE = 1 / 3
"""Share of the visible text."""
_BANNERS = frozenset({"div", "section", "aside", "footer"})
MAX_BANNER = 5_000
"""Characters. A longer element is not a cookie banner, whatever its class says."""
_CHARSET_BYTES = 4096
"""How much of a page is searched for the charset that it declares."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(
    rb"<(?:meta\b[^>]*\bcharset|\?xml\b[^>]*\bencoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE
)
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*>", re.IGNORECASE)
_LATIN = frozenset({"iso8859-1", "ascii"})
"""Pages that declare these are in windows-1252, and browsers show them so."""

_UNSEEN = frozenset(
    """head script style noscript template nav button select input textarea dialog svg math canvas
    iframe object embed audio video""".split()
)
_HEAD_TAGS = frozenset("base link meta noscript script style template title".split())
"""The elements that HTML allows in a page's head."""
_UNSEEN_ROLES = frozenset("navigation banner dialog alertdialog search menu".split())
_MARGINS = frozenset({"footer", "aside"})
_MARGIN_ROLES = frozenset({"contentinfo", "complementary"})
_CONTENT = frozenset({"main", "article"})
_INLINE = frozenset("a abbr b bdi cite code em i mark small span strong sub sup u".split())
_OUTSIDE_HEADINGS = (
    ".//text()[not(ancestor::h1 or ancestor::h2 or ancestor::h3 or ancestor::h4"
    " or ancestor::h5 or ancestor::h6)]"
)
_CONTACT = ("mailto:", "tel:")
"""How the addresses of links begin that lead to no other page."""
_BANNER = re.compile(r"cookie|consent|gdpr", re.IGNORECASE)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)

_STRUCTURE = re.compile(r"^(?:#|\||- |\d+\. |```)", re.MULTILINE)
"""A heading, a row, an item or code of Markdown."""

_NOT_HTML = "is not HTML: it holds binary data. Rename it to its real type."
_EMPTY = "is empty. Add a file with text in it."
_TOO_DEEP = "is nested too deeply to be read whole. Save it again in another program."
_NO_TEXT = (
    "holds no readable text. Pages built by JavaScript contain no text in the file: "
    "open it in a browser and save or print it as a PDF."
)


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Returns the text of a web page and its title.

    Raises Unreadable for a file that is not HTML, has an unknown encoding, is too long, or holds no
    readable text.
    """
    tree = _tree(data)
    title = _title(tree)
    _drop_unseen(tree)
    expand_spans(tree, limits)
    mark_code(tree)
    margins = _take_margins(tree, limits)
    visible = visible_text(tree, limits)
    article = trafilatura.bare_extraction(
        tree,
        favor_recall=True,
        include_comments=False,
        include_formatting=False,
        with_metadata=False,
    )
    body = getattr(article, "body", None)
    text = "" if body is None else article_text(body, limits)
    lost_structure = _STRUCTURE.search(visible) and not _STRUCTURE.search(text)
    if len(text) < MIN_ARTICLE * len(visible) or lost_structure:
        text = visible
    text = "\n\n".join(filter(None, [text, *margins]))
    if not text:
        raise Unreadable(_NO_TEXT)
    return ParsedFile(text, title)


def parse_part(page: str, limits: Limits) -> str:
    """Returns all visible text of a page that is a part of another file; it may be empty."""
    if not page.strip():
        return ""
    tree = _tree(page.encode("utf-8", "replace"), charset="utf-8")
    _drop_unseen(tree)
    expand_spans(tree, limits)
    return visible_text(tree, limits)


def _tree(data: bytes, charset: str | None = None) -> Any:
    content = _decoded(data) if charset is None else data.decode(charset, "replace")
    text = _DECLARATION.sub("", content)
    if "\0" in text:
        raise Unreadable(_NOT_HTML)
    parser = html.HTMLParser(
        encoding="utf-8", no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:
        raise Unreadable(_EMPTY) from error
    except etree.XMLSyntaxError as error:
        # libxml2 reads any HTML; it gives up, without a reason, only if it gets no memory.
        raise MemoryError from error
    for entry in parser.error_log:
        if entry.type_name == "ERR_RESOURCE_LIMIT" or "depth" in entry.message:
            raise Unreadable(_TOO_DEEP)
    _move_content_to_body(tree)
    return tree


def _move_content_to_body(tree: Any) -> None:
    """Moves what stands in the head by mistake to the beginning of the body.

    A page may leave out the tags of head and body. libxml2 knows the elements of HTML 4, and takes
    `<main>` or `<article>` after the title for a part of the head.
    """
    head = tree.find("head")
    if head is None:
        return
    misplaced = list(dropwhile(_belongs_to_head, head))
    if not misplaced:
        return

    body = tree.find("body")
    if body is None:
        body = html.Element("body")
        tree.append(body)
    for index, element in enumerate(misplaced):
        body.insert(index, element)


def _belongs_to_head(element: Any) -> bool:
    return element.tag in _HEAD_TAGS


def _decoded(data: bytes) -> str:
    """Decodes by the byte order mark, else by the declared charset, else as UTF-8."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")

    declared = _CHARSET.search(data[:_CHARSET_BYTES])
    if declared:
        return _decoded_as(declared[1].decode("ascii", "replace"), data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"declares no charset and is not valid UTF-8 (byte {error.start}). Save it as UTF-8."
        ) from error


def _decoded_as(charset: str, data: bytes) -> str:
    """Decodes by a declared charset. Raises Unreadable if it is not known."""
    try:
        codec = codecs.lookup(charset).name
        if codec.startswith("utf-16"):
            # The declaration was found as ASCII, so the page is not in UTF-16.
            codec = "utf-8"
        elif codec in _LATIN:
            codec = "cp1252"
        return data.decode(codec, "replace")
    except LookupError as error:
        reason = f"declares a charset that is not known ({charset}). Save it as UTF-8."
        raise Unreadable(reason) from error


def _title(tree: Any) -> str | None:
    """Returns the title for sharing, else the page's title, else its first heading."""
    titles = tree.xpath("//meta[@property='og:title']/@content")
    titles += [element.text_content() for element in tree.xpath("//head/title | //h1")]
    return next(filter(None, map(one_line, titles)), None)


def _drop_unseen(tree: Any) -> None:
    unseen = [element for element in tree.iter() if _is_unseen(element)]
    for element in unseen:
        if element.getparent() is not None and element.tag != "body":
            element.drop_tree()


def _take_margins(tree: Any, limits: Limits) -> list[str]:
    """Takes footers and side notes out of a page. Returns their texts without menus of links.

    They often have an address, opening hours or a fact box, and trafilatura leaves them out. A side
    note inside the article stays where it is.
    """
    margins = {element for element in tree.iter() if _is_margin(element)}
    texts = []
    for element in list(tree.iter()):
        if element not in margins:
            continue
        ancestors = list(element.iterancestors())
        if not ancestors or not margins.isdisjoint(ancestors):
            continue
        is_in_content = any(ancestor.tag in _CONTENT for ancestor in ancestors)
        if element.tag == "aside" and is_in_content:
            margins.remove(element)
            element.tag = "div"
            continue
        _drop_menus(element)
        element.drop_tree()
        outside_headings = element.xpath(_OUTSIDE_HEADINGS)
        if _letters("".join(outside_headings)):
            texts.append(visible_text(element, limits))
    return texts


def _is_margin(element: Any) -> bool:
    return element.tag in _MARGINS or element.get("role", "") in _MARGIN_ROLES


def _drop_menus(margin: Any) -> None:
    """Drops the links of each block that has no other words; a mail address or number stays."""
    links_of: dict[Any, list[Any]] = {}
    for link in margin.iter("a"):
        block = link
        while block is not margin and block.tag in _INLINE:
            block = block.getparent()
        links_of.setdefault(block, []).append(link)

    for block, links in links_of.items():
        to_pages = [link for link in links if not link.get("href", "").startswith(_CONTACT)]
        linked = sum(_letters(link.text_content()) for link in to_pages)
        if linked == _letters(block.text_content()):
            for link in to_pages:
                link.drop_tree()


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _is_unseen(element: Any) -> bool:
    if element.tag in _UNSEEN or element.get("role", "") in _UNSEEN_ROLES:
        return True
    if element.get("hidden") is not None or _HIDDEN_STYLE.search(element.get("style", "")):
        return True
    names = f"{element.get('id', '')} {element.get('class', '')}"
    is_named_banner = element.tag in _BANNERS and _BANNER.search(names)
    return bool(is_named_banner) and len(element.text_content()) < MAX_BANNER
