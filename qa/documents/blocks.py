"""Splits a plain text into its blocks: paragraphs, list items, headings and rows.

`qa.documents.markdown_blocks` does it for Markdown.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Literal

from qa.types import Span

BlockKind = Literal["prose", "item", "row", "heading", "code"]

MAX_WRAP = 120
"""Lines of at most this length may have been wrapped by hand; longer ones are paragraphs."""
MIN_WRAP = 30

_ITEM = re.compile(r"[ \t]*(?:[-*+•–]|\d{1,3}[.)])[ \t]+")
_SENTENCE_END = re.compile(r"[.!?…。！？।॥۔؟።፧‼⁇⁈⁉][\"'”’»)\]]*$")
_VALUE = re.compile(r"[^:]{1,60}:\s+\S|[^=]{1,60}=\s*\S|[^,;\t]+[,;\t][^,;\t]*[,;\t]")
"""A name with its value, or the cells of a table."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, an item, a row, a heading or a piece of code, where it stands in the text."""

    span: Span
    kind: BlockKind


def text_blocks(text: str) -> Iterator[Block]:
    """Yields the paragraphs of a plain text: its lines, joined where it was wrapped by hand."""
    spans = list(_paragraphs(text))
    contents = [text_of(text, span) for span in spans]
    bare = list(map(_is_bare, contents))
    for place, span in enumerate(spans):
        content = contents[place]
        marker = _ITEM.match(content)
        if marker:
            start = span.start + marker.end()
            yield Block(Span(start, span.end), "item")
        elif not bare[place]:
            yield Block(span, "prose")
        elif _is_heading(content, bare, place):
            yield Block(span, "heading")
        else:
            yield Block(span, "row")


def _paragraphs(text: str) -> Iterator[Span]:
    """Yields the lines of a plain text, joined where it was wrapped by hand."""
    lines = list(lines_of(text))
    width = _wrap_width(text, lines)
    start: int | None = None
    for line, following in zip_longest(lines, lines[1:]):
        stripped = trimmed(text, line.start, line.end)
        if not stripped:
            continue
        if start is None:
            start = stripped.start

        if width and following and _is_wrapped(text, line, following, width):
            # The paragraph goes on in the following line.
            continue
        yield Span(start, stripped.end)
        start = None


def _is_bare(content: str) -> bool:
    """Returns whether a paragraph is a short line without the mark that ends a sentence."""
    if len(content) > MAX_WRAP or _ITEM.match(content):
        return False
    return not _SENTENCE_END.search(content)


def _is_heading(content: str, bare: Sequence[bool], place: int) -> bool:
    """Returns whether a bare line is a heading.

    A heading is followed by prose, perhaps after a subtitle; it is not one of a run of bare lines
    and does not give a value.
    """
    first = max(0, place - 2)
    # Most short lines are part of a list of short lines.
    if all(bare[first : place + 2]) and 0 < place < len(bare) - 1:
        return False
    preceding = bare[first:place][::-1]
    following = bare[place + 1 : place + 3]

    run = 1 + _leading(following) + _leading(preceding)
    is_in_run = run > 2
    # Nothing but bare lines follows, or the text ends.
    has_prose = not all(following)
    if is_in_run or not has_prose:
        return False
    return _VALUE.match(content) is None


def _leading(marks: Sequence[bool]) -> int:
    """Returns how many marks at the beginning are true."""
    for place, mark in enumerate(marks):
        if not mark:
            return place
    return len(marks)


def _wrap_width(text: str, lines: Sequence[Span]) -> int | None:
    """Returns the width at which a text was wrapped by hand, or None if it was not.

    The width is that of nearly its longest line. The text was wrapped if at least every second
    break between two lines of words is where this width would have put it.
    """
    lengths = [len(line) for line in lines if _has_words(text, line)]
    if not lengths:
        return None
    lengths.sort()
    # A few longer lines, such as addresses of pages, do not count.
    last = len(lengths) - 1
    place = int(0.95 * last)
    width = lengths[place]
    if not MIN_WRAP <= width <= MAX_WRAP:
        return None

    breaks = 0
    wraps = 0
    inside = 0
    for line, following in pairwise(lines):
        if not _has_words(text, line) or not _has_words(text, following):
            continue
        breaks += 1
        if _is_wrapped(text, line, following, width):
            wraps += 1
            next_text = text_of(text, following)
            inside += _opens_inside_sentence(next_text)

    if wraps < 2 or 2 * wraps < breaks:
        return None
    # Lines of one length that all open alike, as in a log, were not wrapped.
    if 3 * inside < wraps:
        return None
    return width


def _has_words(text: str, line: Span) -> bool:
    content = text_of(text, line)
    return bool(content.strip())


def _opens_inside_sentence(line: str) -> bool:
    """Returns whether a line begins with a small letter, or a letter of a script without case."""
    first = line.lstrip()[:1]
    return first.isalpha() and not first.isupper()


def _is_wrapped(text: str, line: Span, following: Span, width: int) -> bool:
    """Returns whether the first word of the following line would not have fitted in this line."""
    content = text_of(text, following)
    if not content.strip() or _ITEM.match(content):
        return False

    first_word = content.split(maxsplit=1)[0]
    joined = len(line) + 1 + len(first_word)
    return joined > width


def lines_of(text: str) -> Iterator[Span]:
    """Yields the lines of a text without their line ends."""
    size = len(text)
    start = 0
    while start < size:
        end = text.find("\n", start)
        if end < 0:
            # The last line of a text may lack its line end.
            end = size
        yield Span(start, end)
        start = end + 1


def trimmed(text: str, start: int, end: int) -> Span | None:
    """Returns the span without white space at its ends; None if nothing is left."""
    content = text[start:end]
    words = content.strip()
    if not words:
        return None
    start += len(content) - len(content.lstrip())
    return Span(start, start + len(words))


def text_of(text: str, span: Span) -> str:
    """Returns the part of a text in a span."""
    return text[span.start : span.end]
