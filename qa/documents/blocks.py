"""The blocks of a text, and how a plain text is split into them.

`qa.documents.markdown_blocks` splits Markdown.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Literal

from qa.documents.spans import trimmed
from qa.documents.tables import find_tables
from qa.types import Span

BlockKind = Literal["prose", "item", "row", "heading", "code"]

MAX_WRAP = 120
"""Lines of at most this length may have been wrapped by hand; longer ones are paragraphs."""
MIN_WRAP = 30

_ITEM = re.compile(r"[ \t]*(?:[-*+•–]|\d{1,3}[.)])[ \t]+")
_NUMBERED = re.compile(r"[ \t]*(\d{1,3}\.)[ \t]+")
_WIDE_GAP = re.compile(r"(?<=\S) {3,}(?=\S)")
"""Between the cells of a row. Justified lines and old sentence ends have two spaces."""
_WORD = re.compile(r"\w")
_SENTENCE_END = re.compile(r"[.!?…。！？।॥۔؟።፧‼⁇⁈⁉][\"'”’»)\]]*$")
_VALUE = re.compile(r"[^:]{1,60}:\s+\S|[^=]{1,60}=\s*\S|[^,;\t]+[,;\t][^,;\t]*[,;\t]")
"""A name with its value, or the cells of a table."""


MAX_LABEL_WORDS = 4
"""A longer line is not a label, such as "Opening hours"."""
LONG_PARAGRAPH = 100
"""Characters. The headline of a text is followed by a paragraph of at least this length."""
HEADLINES = 2
"""A headline and a subtitle may stand before the first paragraph."""
_SAYS_SOMETHING = re.compile(
    r"\d|\b(?:is|are|was|were|be|been|has|have|had|must|can|cannot|may|will|shall|should|do|does"
    r"|did|not|no|never|costs?|opens?|closes?|starts?|begins?|ends?)\b|n[’']t\b",
    re.IGNORECASE,
)
"""A line with a number, a verb or a denial is a statement, and a label has none."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, an item, a row, a heading or a piece of code, where it stands in the text."""

    span: Span
    kind: BlockKind
    level: int = 0
    """Of a heading, from 1; 0: the block is not the heading of what follows."""
    header: Span | None = None
    """Of a row of a table, the line that names its columns."""


def text_blocks(text: str) -> Iterator[Block]:
    """Yields the paragraphs of a plain text: its lines, joined where it was wrapped by hand."""
    spans = list(_paragraphs(text))
    contents = [text_of(text, span) for span in spans]
    bare = list(map(_is_bare, contents))
    header_indexes = find_tables(text, spans)
    for index, span in enumerate(spans):
        content = contents[index]
        marker = _ITEM.match(content)
        header_index = header_indexes.get(index)
        if header_index == index:
            yield Block(span, "heading")
        elif header_index is not None:
            yield Block(span, "row", header=spans[header_index])
        elif marker:
            start = span.start + marker.end()
            level = _numbered_heading(contents, index)
            yield Block(Span(start, span.end), "heading" if level else "item", level)
        elif not bare[index]:
            yield Block(span, "prose")
        elif _is_introduced(text, spans, index):
            # What a line with a colon introduces is its value, not the heading of what follows.
            yield Block(span, "row")
        elif _is_heading(contents, bare, index, _stands_alone(text, spans, index)):
            yield Block(span, "heading", level=1)
        else:
            # A line with a colon introduces the lines below it.
            yield Block(span, "prose" if content.endswith(":") else "row")


def may_answer_alone(content: str) -> bool:
    """Returns whether a heading with nothing below it says something: it is more than a label."""
    is_label = len(content.split()) <= MAX_LABEL_WORDS and not _SAYS_SOMETHING.search(content)
    return not is_label


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


def _numbered_heading(contents: Sequence[str], index: int) -> int:
    """Returns the level of a numbered heading; 0 for an item.

    A heading "2. Rent" is followed by a paragraph "2.1 The rent is …".
    """
    number = _NUMBERED.match(contents[index])
    if number is None or index + 1 == len(contents):
        return 0
    prefix, _, rest = contents[index + 1].partition(".")
    is_part = f"{prefix}." == number[1] and rest[:1].isdigit()
    return 1 if is_part else 0


def _is_introduced(text: str, spans: Sequence[Span], index: int) -> bool:
    """Returns whether a paragraph stands directly below a line with a colon, and has none."""
    if index == 0 or text_of(text, spans[index]).endswith(":"):
        return False
    is_below = not _stands_alone(text, spans, index)
    return is_below and text_of(text, spans[index - 1]).endswith(":")


def _stands_alone(text: str, spans: Sequence[Span], index: int) -> bool:
    """Returns whether a paragraph is the first, stands after an empty line, or has a colon."""
    if index == 0 or text_of(text, spans[index]).endswith(":"):
        return True
    between = text[spans[index - 1].end : spans[index].start]
    return between.count("\n") > 1


def _is_heading(
    contents: Sequence[str], bare: Sequence[bool], index: int, stands_alone: bool
) -> bool:
    """Returns whether a bare line is a heading.

    It is a label above prose, or a label that stands alone above items or lines with values; or
    one of the first lines of a text with long paragraphs.
    """
    content = contents[index]
    is_drawn_line = not _WORD.search(content)
    if is_drawn_line or _VALUE.match(content):
        return False
    if not may_answer_alone(content):
        following = contents[index + 1 : index + 2]
        return any(_is_body(line, stands_alone) for line in following)
    return index < HEADLINES and _opens_article(contents, bare, index)


def _is_body(line: str, stands_alone: bool) -> bool:
    """Returns whether a line can be the body of the label before it, and is not a label too."""
    if len(line) > MAX_WRAP or _SENTENCE_END.search(line):
        return True
    is_value = _ITEM.match(line) or _VALUE.match(line) or may_answer_alone(line)
    return stands_alone and bool(is_value)


def _opens_article(contents: Sequence[str], bare: Sequence[bool], index: int) -> bool:
    """Returns whether a long paragraph follows the first lines of a text."""
    for content, is_bare in zip(contents[index:HEADLINES], bare[index:HEADLINES], strict=True):
        if not is_bare:
            return len(content) >= LONG_PARAGRAPH
    first_paragraph = contents[HEADLINES : HEADLINES + 1]
    return any(len(content) >= LONG_PARAGRAPH for content in first_paragraph)


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
    last_index = len(lengths) - 1
    width = lengths[int(0.95 * last_index)]
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
    if _WIDE_GAP.search(text, line.start, line.end) or _WIDE_GAP.search(content):
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


def text_of(text: str, span: Span) -> str:
    """Returns the part of a text in a span."""
    return text[span.start : span.end]
