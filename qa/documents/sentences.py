"""Splits a document's text into sentences with exact offsets.

Blocks first (paragraphs, headings, list items, rows, code), then the sentences inside each block.
`qa.documents.noise` marks the sentences that must not answer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Literal

import sentencex
from markdown_it import MarkdownIt

from qa.documents.noise import find_boilerplate, find_duplicates
from qa.types import Document, Span

BlockKind = Literal["prose", "item", "row", "heading", "code"]
Offsets = tuple[int, int]
"""Where a part of a text begins and ends."""

LANGUAGE = "en"
MAX_SENTENCE = 600
"""Characters. A longer quotation is split into its sentences, other long text between words."""
MAX_WRAP = 120
"""Lines of at most this length may have been wrapped by hand; longer ones are paragraphs."""
MIN_WRAP = 30

_WITHOUT_QUOTES = str.maketrans('“”"«»„', "      ")
_ITEM = re.compile(r"[ \t]*(?:[-*+•–]|\d{1,3}[.)])[ \t]+")
_MARKUP = re.compile(r"^[ \t]*(?:>[ \t]?|#{1,6}[ \t]+|(?:[-*+]|\d{1,9}[.)])[ \t]+)+")
_SENTENCE_END = re.compile(r"[.!?…。！？।॥۔؟።፧‼⁇⁈⁉][\"'”’»)\]]*$")
_QUESTION_END = re.compile(r"[?？؟፧][\"'”’»)\]]*$")
_MAX_QUESTION_END = 9
"""Characters at the end of a sentence in which its question mark is looked for."""
_VALUE = re.compile(r"[^:]{1,60}:\s+\S|[^=]{1,60}=\s*\S|[^,;\t]+[,;\t][^,;\t]*[,;\t]")
"""A name with its value, or the cells of a table."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document. `span` has no white space at its ends."""

    span: Span
    kind: BlockKind
    paragraph: int
    """The number of its block in the document."""
    boilerplate: bool = False
    duplicate_of: int | None = None
    """The place, among the document's sentences, of the sentence that says the same in full."""
    is_question: bool = False

    @property
    def may_answer(self) -> bool:
        """Whether an answer may be made of it."""
        if self.kind in ("heading", "code") or self.is_question:
            return False
        return not self.boilerplate and self.duplicate_of is None


@dataclass(frozen=True, slots=True)
class _Block:
    span: Span
    kind: BlockKind


@lru_cache(maxsize=2)  # a document that is added is cut into passages first, and then read
def segment(document: Document) -> tuple[Sentence, ...]:
    """Returns the sentences of a document, in order and without overlap.

    Between two sentences there is only white space and markup.
    """
    text = document.text
    find_blocks = _markdown_blocks if document.markdown else _text_blocks
    blocks = list(find_blocks(text))
    lines = [_slice(text, block.span) for block in blocks]
    kinds = [block.kind for block in blocks]
    boilerplate = find_boilerplate(lines, kinds)

    sentences = []
    contents = []
    for number, block in enumerate(blocks):
        for span in _sentence_spans(text, block):
            sentence = Sentence(
                span,
                block.kind,
                paragraph=number,
                boilerplate=boilerplate[number],
                is_question=_is_question(text, span),
            )
            sentences.append(sentence)
            contents.append(_slice(text, span))

    # Last, because a sentence that must not answer is never the original of a duplicate.
    may_answer = [sentence.may_answer for sentence in sentences]
    duplicates = find_duplicates(contents, may_answer)
    for place, original in duplicates.items():
        sentence = sentences[place]
        sentences[place] = replace(sentence, duplicate_of=original)
    return tuple(sentences)


def _slice(text: str, span: Span) -> str:
    return text[span.start : span.end]


def _is_question(text: str, span: Span) -> bool:
    start = max(span.start, span.end - _MAX_QUESTION_END)
    return _QUESTION_END.search(text, start, span.end) is not None


def _sentence_spans(text: str, block: _Block) -> Iterator[Span]:
    if block.kind in ("heading", "code", "row"):
        yield block.span
        return
    # A line break inside a block is white space, but sentencex ends a sentence at some of them.
    content = _slice(text, block.span)
    flat = content.replace("\n", " ")
    offset = block.span.start
    for start, end in _boundaries(flat):
        span = _trimmed(text, offset + start, offset + end)
        if span:
            yield span


def _boundaries(flat: str) -> Iterator[Offsets]:
    """Yields offsets of sentences.

    A quotation of several sentences stays whole, with the words that name the speaker, unless it
    is too long.
    """
    for first, last in _sentencex(flat):
        if last - first <= MAX_SENTENCE:
            yield first, last
            continue
        # Without its marks sentencex splits a quotation; the offsets stay the same.
        unquoted = flat[first:last].translate(_WITHOUT_QUOTES)
        for start, end in _sentencex(unquoted):
            yield from _cut(flat, first + start, first + end)


def _sentencex(flat: str) -> Iterator[Offsets]:
    for boundary in sentencex.get_sentence_boundaries(LANGUAGE, flat):
        start = boundary["start_index"]
        end = boundary["end_index"]
        yield start, end


def _cut(flat: str, start: int, end: int) -> Iterator[Offsets]:
    """Yields pieces that are short enough, cut at a semicolon, else a comma, else a space."""
    while end - start > MAX_SENTENCE:
        middle = start + MAX_SENTENCE // 2
        limit = start + MAX_SENTENCE
        cut = limit
        for mark in ("; ", ", ", " "):
            # The last half only, so that no piece is very short.
            place = flat.rfind(mark, middle, limit)
            if place > 0:
                cut = place + 1
                break
        yield start, cut
        start = cut
    yield start, end


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """Returns the span without white space at its ends; None if nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return None
    return Span(start, end)


def _lines(text: str) -> Iterator[Span]:
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


def _text_blocks(text: str) -> Iterator[_Block]:
    """Yields the paragraphs of a plain text: its lines, joined where it was wrapped by hand."""
    spans = list(_paragraphs(text))
    contents = [_slice(text, span) for span in spans]
    bare = list(map(_is_bare, contents))
    for place, span in enumerate(spans):
        content = contents[place]
        marker = _ITEM.match(content)
        if marker:
            start = span.start + marker.end()
            yield _Block(Span(start, span.end), "item")
        elif not bare[place]:
            yield _Block(span, "prose")
        elif _is_heading(content, bare, place):
            yield _Block(span, "heading")
        else:
            yield _Block(span, "row")


def _paragraphs(text: str) -> Iterator[Span]:
    """Yields the lines of a plain text, joined where it was wrapped by hand."""
    lines = list(_lines(text))
    width = _wrap_width(text, lines)
    start: int | None = None
    for line, following in zip_longest(lines, lines[1:]):
        stripped = _trimmed(text, line.start, line.end)
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
            next_text = _slice(text, following)
            inside += _opens_inside_sentence(next_text)

    if wraps < 2 or 2 * wraps < breaks:
        return None
    # Lines of one length that all open alike, as in a log, were not wrapped.
    if 3 * inside < wraps:
        return None
    return width


def _has_words(text: str, line: Span) -> bool:
    content = _slice(text, line)
    return bool(content.strip())


def _opens_inside_sentence(line: str) -> bool:
    """Returns whether a line begins with a small letter, or a letter of a script without case."""
    first = line.lstrip()[:1]
    return first.isalpha() and not first.isupper()


def _is_wrapped(text: str, line: Span, following: Span, width: int) -> bool:
    """Returns whether the first word of the following line would not have fitted in this line."""
    content = _slice(text, following)
    if not content.strip() or _ITEM.match(content):
        return False

    first_word = content.split(maxsplit=1)[0]
    joined = len(line) + 1 + len(first_word)
    return joined > width


def _markdown_blocks(text: str) -> Iterator[_Block]:
    """Yields the leaf blocks of a Markdown text, by the line numbers of a CommonMark parser."""
    lines = list(_lines(text))
    parser = MarkdownIt("commonmark").enable("table")
    # The types of the tokens that are open around a token.
    inside: list[str] = []
    for token in parser.parse(text):
        if token.nesting == -1:
            inside.pop()
            continue

        kind = _markdown_kind(token.type, inside)
        if kind and token.map:
            first, end_line = token.map
            start = lines[first].start
            end = lines[end_line - 1].end
            span = _trimmed(text, start, end)
            if span:
                span = _without_markup(text, span, kind)
                yield _Block(span, kind)

        if token.nesting == 1:
            inside.append(token.type)


def _markdown_kind(token_type: str, inside: Sequence[str]) -> BlockKind | None:
    """Returns what a token is; None for a token that holds others or is a cell of a row."""
    if token_type in ("fence", "code_block"):
        return "code"
    if token_type == "tr_open":
        # The first row, in "thead", names the columns and says nothing by itself.
        return "row" if "tbody_open" in inside else None

    is_cell = "table_open" in inside
    if token_type != "inline" or is_cell:
        return None
    if "heading_open" in inside:
        return "heading"
    if "list_item_open" in inside:
        return "item"
    return "prose"


def _without_markup(text: str, span: Span, kind: BlockKind) -> Span:
    """Returns a span without the marks of quotations, headings and items at its beginning."""
    if kind in ("row", "code"):
        return span
    content = _slice(text, span)
    markup = _MARKUP.match(content)
    if not markup:
        return span
    start = span.start + markup.end()
    return Span(start, span.end)
