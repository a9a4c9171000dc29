"""Finds page furniture: the lines that the pages of a site repeat, such as menus and appeals.

No single page shows which of its lines are furniture: "join us" is an appeal on a news page, and
the point of an invitation. Only lines that other pages of the site repeat are left out.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from qa.documents.blocks import lines_of, text_of
from qa.documents.spans import trimmed
from qa.types import Document, Span

MIN_PAGES = 3
"""A line on fewer pages of a site is not furniture."""
MIN_SHARE = 0.5
"""The share of the site's pages that a line of its furniture is on, at least."""
MAX_LINE = 140
"""Characters. A longer line is a paragraph: what a paragraph says is searched on each page."""
PAGE_SUFFIXES = (".html", ".htm")


def with_furniture(documents: Sequence[Document]) -> tuple[Document, ...]:
    """Returns the documents in their order, each with the spans of its lines that are furniture.

    The documents are those of one addition: lines are compared within each site. Takes time that
    is linear in the texts.
    """
    sites: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        site = _site_of(document)
        if site:
            sites[site].append(document)

    repeated = {site: _repeated_lines(pages) for site, pages in sites.items()}
    marked = []
    for document in documents:
        lines = repeated.get(_site_of(document), frozenset())
        spans = tuple(_spans_of(document, lines)) if lines else ()
        marked.append(replace(document, furniture=spans) if spans else document)
    return tuple(marked)


def is_furniture(document: Document, span: Span) -> bool:
    """Returns whether a span of a document consists of lines that are furniture."""
    furniture = document.furniture
    if not furniture:
        return False
    # A block that was wrapped by hand has several lines, and all must be furniture.
    rest: Span | None = span
    while rest:
        # The last line of furniture that begins at the start of the rest or before it.
        index = bisect_right(furniture, rest.start, key=_start) - 1
        if index < 0 or furniture[index].end <= rest.start:
            return False
        line_end = furniture[index].end
        rest = trimmed(document.text, line_end, max(line_end, span.end))
    return True


def _site_of(document: Document) -> str:
    """Returns what the pages of a site share; empty: the document is not known to be a page.

    That is the publisher, else the folder of a web page.
    """
    if document.publisher:
        return f"publisher {document.publisher}"
    source = PurePosixPath(document.source)
    if source.suffix.lower() in PAGE_SUFFIXES:
        return f"folder {source.parent}"
    return ""


def _repeated_lines(pages: Sequence[Document]) -> frozenset[str]:
    """Returns the lines that enough pages of a site have, as `_key` writes them."""
    counts: Counter[str] = Counter()
    # The same page under two names is not a second page.
    for text in {page.version: page.text for page in pages}.values():
        counts.update({key for key, _ in _lines(text)})
    least = max(MIN_PAGES, MIN_SHARE * len(pages))
    return frozenset(key for key, count in counts.items() if count >= least)


def _spans_of(document: Document, keys: frozenset[str]) -> Iterator[Span]:
    for key, span in _lines(document.text):
        if key in keys:
            yield span


def _lines(text: str) -> Iterable[tuple[str, Span]]:
    """Yields the short lines of a text that are not rows of a table, each with its span."""
    for line in lines_of(text):
        span = trimmed(text, line.start, line.end)
        if span is None or len(span) > MAX_LINE:
            continue
        content = text_of(text, span)
        # A table has its header on each page, and the header gives its rows their meaning.
        if content.startswith("|"):
            continue
        yield _key(content), span


def _key(line: str) -> str:
    return " ".join(line.casefold().split())


def _start(span: Span) -> int:
    return span.start
