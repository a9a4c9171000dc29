"""The readable text of a web page: trafilatura finds the article, what is left out are menus, scripts and banners.

Where it finds nothing, or less than a third of what the page shows, all visible text is taken instead: better a
menu too many than an answer too few.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Any

import trafilatura
from lxml import etree, html

from qa.documents.parsing import Limits, ParsedFile, Unreadable, clean, one_line

ENOUGH = 1 / 3
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(
    rb"<(?:meta\b[^>]*\bcharset|\?xml\b[^>]*\bencoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE
)
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*>", re.IGNORECASE)
_LATIN = frozenset({"iso8859-1", "ascii"})
"""Pages that claim these are written, and shown by browsers, as windows-1252."""
_UNSEEN = frozenset(
    "head script style noscript template nav aside footer button select input textarea dialog svg math canvas "
    "iframe object embed audio video".split()
)
_UNSEEN_ROLES = frozenset(
    {"navigation", "banner", "contentinfo", "dialog", "alertdialog", "search", "menu"}
)
_BANNER = re.compile(r"cookie|consent|gdpr", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_ITEMS = frozenset({"item", "li"})
_CELLS = frozenset({"cell", "td", "th"})
_ROWS = frozenset({"row", "tr"})
_VERBATIM = frozenset({"pre", "code"})
_BLOCKS = (
    _ITEMS
    | _ROWS
    | frozenset(
        "address article blockquote body caption center dd details div dl dt fieldset figcaption figure footer form "
        "h1 h2 h3 h4 h5 h6 head header hgroup hr html legend list main ol p pre quote section summary table ul".split()
    )
)
"""Elements that begin and end a line, of HTML and of trafilatura's own XML."""


def parse(data: bytes, limits: Limits) -> ParsedFile:
    """Raises Unreadable for what is no HTML, of an unknown encoding, too long, or without readable text."""
    tree = _parsed(data)
    title = _title(tree)
    _drop_unseen(tree)
    visible = _text(tree)
    found = trafilatura.bare_extraction(
        tree,
        favor_recall=True,
        include_comments=False,
        include_formatting=False,
        with_metadata=False,
    )
    body = getattr(found, "body", None)
    text = _text(body, own_lines=True) if body is not None else ""
    if len(text) < ENOUGH * len(visible):
        text = visible
    if not text:
        raise Unreadable(
            "holds no readable text. A page that scripts make holds none in its file: "
            "open it in a browser and save or print it as a PDF."
        )
    if len(text) > limits.characters:
        raise Unreadable(
            f"holds more than {limits.characters:,} characters. Split it into smaller files."
        )
    return ParsedFile(text, title)


def _parsed(data: bytes) -> Any:
    text = _DECLARATION.sub("", _decoded(data))
    if "\0" in text:
        raise Unreadable("is no HTML: it holds binary data. Give it the suffix of its kind.")
    parser = html.HTMLParser(
        encoding="utf-8", no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:
        raise Unreadable("is empty: there is nothing to ask it.") from error
    except etree.XMLSyntaxError as error:
        # libxml2 reads any HTML; it gives up, without a reason, only where it gets no memory.
        raise MemoryError from error
    if any(
        entry.type_name == "ERR_RESOURCE_LIMIT" or "depth" in entry.message
        for entry in parser.error_log
    ):
        raise Unreadable("is nested too deeply to be read whole. Save it anew in another program.")
    return tree


def _decoded(data: bytes) -> str:
    """By the byte order mark, else the charset that the page declares, else UTF-8."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    declared = _CHARSET.search(data[:4096])
    if declared:
        name = declared[1].decode("ascii", "replace")
        try:
            known = codecs.lookup(name).name
            # A page that can be searched for its charset as ASCII is not in UTF-16, whatever it says.
            known = (
                "utf-8" if known.startswith("utf-16") else "cp1252" if known in _LATIN else known
            )
            return data.decode(known, "replace")
        except LookupError as error:
            raise Unreadable(
                f"declares a charset that is not known ({name}). Save it as UTF-8."
            ) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"declares no charset and is not valid UTF-8 (byte {error.start}). Save it as UTF-8."
        ) from error


def _title(tree: Any) -> str | None:
    """What the page calls itself when it is shared, else its title, else its first heading."""
    found = [
        *tree.xpath("//meta[@property='og:title']/@content"),
        *(element.text_content() for element in tree.xpath("//head/title | //h1")),
    ]
    return next((title for text in found if (title := one_line(text))), None)


def _drop_unseen(tree: Any) -> None:
    for element in [element for element in tree.iter() if _is_unseen(element)]:
        if element.getparent() is not None and element.tag != "body":
            element.drop_tree()


def _is_unseen(element: Any) -> bool:
    if (
        element.tag in _UNSEEN
        or element.get("role", "") in _UNSEEN_ROLES
        or element.get("hidden") is not None
    ):
        return True
    names = f"{element.get('id', '')} {element.get('class', '')}"
    banner = (
        element.tag in ("div", "section")
        and _BANNER.search(names)
        and len(element.text_content()) < 5_000
    )
    return bool(banner or _HIDDEN.search(element.get("style", "")))


def _text(root: Any, own_lines: bool = False) -> str:
    """Blocks apart by blank lines; items and rows line by line, items with a dash or number, cells with a bar.

    `own_lines`: a line end in the text is one, as in trafilatura's XML; in HTML it is a space.
    """
    lines: list[tuple[str, str]] = []
    for kind, text in _lines(root, own_lines):
        tidy = (
            clean(text).strip("\n")
            if kind == "verbatim"
            else "\n".join(filter(None, map(one_line, text.split("\n"))))
        )
        if tidy.strip(" \n-|"):
            close = lines and kind in ("item", "row") and lines[-1][0] == kind
            lines.append((kind, ("\n" if close else "\n\n" if lines else "") + tidy))
    return "".join(line for _, line in lines)


def _lines(root: Any, own_lines: bool) -> Iterator[tuple[str, str]]:
    """Kind and text of each line. The walk keeps no stack, so that no depth of nesting breaks it."""
    buffer, kind, row, verbatim = "", "prose", 0, 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag, start = element.tag, event == "start"
        step = 1 if start else -1
        if tag in _BLOCKS and (not row or (tag in _ROWS and not start)):
            yield kind, buffer
            buffer, kind = "", "prose"
        elif tag in _BLOCKS or tag in ("br", "lb"):
            buffer += " " if row else "\n" * start
        row = max(0, row + step) if tag in _ROWS else row
        verbatim += step if tag in _VERBATIM else 0
        if start and tag in _ROWS:
            kind = "row"
        elif (
            start
            and tag in _ITEMS
            and not row
            and not str(element.get("rend", "")).startswith(("dt", "dd"))
        ):
            kind, buffer = "item", _marker(element)
        elif start and tag in _CELLS and buffer.strip():
            buffer += " | "
        text = element.text if start else element.tail if element is not root else None
        if text and verbatim and "\n" in text:
            kind = "verbatim"
        buffer += (
            (text or "") if verbatim or (own_lines and not row) else re.sub(r"\s+", " ", text or "")
        )
    yield kind, buffer


def _marker(item: Any) -> str:
    parent = item.getparent()
    if parent is None or (parent.tag != "ol" and parent.get("rend") != "ol"):
        return "- "
    return f"{1 + sum(1 for _ in item.itersiblings(item.tag, preceding=True))}. "
