"""A document's text becomes sentences with exact offsets, each marked as one to answer from or not.

Blocks first (paragraphs, headings, list items, rows, code), then sentences inside each block. Two kinds of
sentence are in every news text and never answer: boilerplate (appeals, adverts, navigation) and echoes (pull
quotes and repeats, which say again, without saying who spoke, what another sentence says in full).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Literal

import sentencex
from markdown_it import MarkdownIt

from qa.types import Document, Span

Kind = Literal["prose", "item", "row", "heading", "code"]
WRAP_LIMIT = 120
"""Lines no longer than this may have been wrapped by hand; longer ones are paragraphs."""
NARROWEST = 30
LONG_QUOTATION = 600
LANGUAGE = "en"
_WITHOUT_QUOTES = str.maketrans('“”"«»„', "      ")
_ITEM = re.compile(r"[ \t]*(?:[-*+•–]|\d{1,3}[.)])[ \t]+")
_PROSE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_MARKUP = re.compile(r"^[ \t]*(?:>[ \t]?|#{1,6}[ \t]+|(?:[-*+]|\d{1,9}[.)])[ \t]+)+")

_CALL = re.compile(
    r"""^\W*(?:
      subscribe | sign[ ]up | donate | support[ ](?:us|our|independent) | follow[ ]us | join[ ]us | share[ ]this |
      read[ ](?:more|also|next) | click[ ]here | download[ ](?:our|the)[ ]app | log[ ]in | skip[ ](?:to|advert) |
      advertisement | sponsored | related[ ](?:articles?|stories|topics|content) | most[ ](?:read|popular) |
      recommended[ ]for | copyright | (?:photo|image|picture|credit)s?\s*: | give[ ]to
    )\b | \b(?:
      our[ ](?:newsletters?|journalism|journalists?|correspondents?|reporters?|subscribers) | free[ ]trial |
      your[ ](?:gift|donation|contribution|generous) | all[ ]rights[ ]reserved | cookie[ ](?:policy|settings|notice) |
      (?:uses?|accept)[ ](?:all[ ])?cookies | (?:story|article)[ ]continues[ ]below | give[ ]to:
    ) | ©""",
    re.IGNORECASE | re.VERBOSE,
)
"""A line that calls on the reader to do something for the publisher, or that only a web page has."""
SHORT_BLOCK = 140
"""A paragraph of a news text is longer; a line of an appeal, a menu or an advert is not."""
SLIGHT_BLOCK = 60
"""A line beside a call that is no longer than this belongs to it."""
_WORD = re.compile(r"\w+")
SHINGLE = 4
COMMON = 50
"""A run of words in more sentences than this says nothing about any two of them."""
ECHO_SHARE = 0.8
"""The share of a sentence's four-word runs that stand in another one, from which on it is an echo of it."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document. `span` has no white space at its ends."""

    span: Span
    kind: Kind
    paragraph: int
    """Counts the blocks of the document."""
    boilerplate: bool = False
    echo_of: int | None = None
    """The place, in the document's sentences, of the one that says the same in full."""

    @property
    def answers(self) -> bool:
        """Whether an answer may be made of it."""
        return self.kind not in ("heading", "code") and not self.boilerplate and self.echo_of is None


@dataclass(frozen=True, slots=True)
class _Block:
    span: Span
    kind: Kind


def segment(document: Document) -> tuple[Sentence, ...]:
    """The sentences of a document, in order, without overlap; between them there is white space and markup only."""
    text = document.text
    blocks = list(_markdown_blocks(text) if document.markdown else _text_blocks(text))
    boilerplate = _boilerplate(text, blocks)
    sentences = [
        Sentence(span, block.kind, number, boilerplate[number])
        for number, block in enumerate(blocks)
        for span in _sentence_spans(text, block)
    ]
    echoes = _echoes(text, sentences)
    return tuple(
        Sentence(s.span, s.kind, s.paragraph, s.boilerplate, echoes.get(place)) for place, s in enumerate(sentences)
    )


def _sentence_spans(text: str, block: _Block) -> Iterator[Span]:
    if block.kind in ("heading", "code", "row"):
        yield block.span
        return
    start, end = block.span.start, block.span.end
    # A hand-wrapped line break is white space to the reader, but sentencex sees a boundary in some of them.
    for first, last in _boundaries(text[start:end].replace("\n", " ")):
        span = _trimmed(text, start + first, start + last)
        if span:
            yield span


def _boundaries(flat: str) -> Iterator[tuple[int, int]]:
    """Offsets of sentences. A quotation of several stays one, with the words that say who spoke, unless it is long."""
    for found in sentencex.get_sentence_boundaries(LANGUAGE, flat):
        first, last = found["start_index"], found["end_index"]
        if last - first <= LONG_QUOTATION:
            yield first, last
            continue
        for inner in sentencex.get_sentence_boundaries(LANGUAGE, flat[first:last].translate(_WITHOUT_QUOTES)):
            yield first + inner["start_index"], first + inner["end_index"]


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The span without white space at its ends; None when nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if start < end else None


def _lines(text: str) -> Iterator[Span]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield Span(start, end)
        start = end + 1


def _text_blocks(text: str) -> Iterator[_Block]:
    """Paragraphs of a plain text: lines, joined where a hand-made wrap broke them."""
    lines = list(_lines(text))
    width = _wrap_width(text, lines)
    open_span: Span | None = None
    for line, after in zip_longest(lines, lines[1:]):
        stripped = _trimmed(text, line.start, line.end)
        if not stripped:
            continue
        start = open_span.start if open_span else stripped.start
        if width and after and _continues(text, line, after, width):
            open_span = Span(start, stripped.end)
            continue
        yield _typed(text, Span(start, stripped.end))
        open_span = None


def _wrap_width(text: str, lines: Sequence[Span]) -> int | None:
    """The width at which a text was wrapped by hand, nearly its longest line; None when it was not.

    It was when at least every second break between two lines of words is where the width would have put it.
    """
    sizes = sorted(len(line) for line in lines if _trimmed(text, line.start, line.end))
    width = sizes[int(0.95 * (len(sizes) - 1))] if sizes else 0
    if not NARROWEST <= width <= WRAP_LIMIT:
        return None
    breaks = [(line, after) for line, after in pairwise(lines) if text[line.start : line.end].strip()]
    breaks = [(line, after) for line, after in breaks if text[after.start : after.end].strip()]
    wraps = sum(_continues(text, line, after, width) for line, after in breaks)
    return width if wraps >= 2 and 2 * wraps >= len(breaks) else None


def _continues(text: str, line: Span, after: Span, width: int) -> bool:
    """Whether a line break is a wrap: the next line's first word would not have fitted, and it opens no item."""
    following = text[after.start : after.end]
    if not following.strip() or _ITEM.match(following):
        return False
    return len(line) + 1 + len(following.split(maxsplit=1)[0]) > width


def _typed(text: str, span: Span) -> _Block:
    content = text[span.start : span.end]
    if item := _ITEM.match(content):
        return _Block(Span(span.start + item.end(), span.end), "item")
    heading = len(content) <= WRAP_LIMIT and not _PROSE_END.search(content)
    return _Block(span, "heading" if heading else "prose")


def _markdown_blocks(text: str) -> Iterator[_Block]:
    """The leaf blocks of a Markdown text, by a CommonMark parser's own line numbers; markers are left out."""
    lines = list(_lines(text))
    inside: list[str] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.nesting == -1:
            inside.pop()
            continue
        kind = _markdown_kind(token.type, inside)
        if kind and token.map and (span := _trimmed(text, lines[token.map[0]].start, lines[token.map[1] - 1].end)):
            marker = _MARKUP.match(text[span.start : span.end]) if kind in ("prose", "item", "heading") else None
            yield _Block(Span(span.start + (marker.end() if marker else 0), span.end), kind)
        if token.nesting == 1:
            inside.append(token.type)


def _markdown_kind(token_type: str, inside: Sequence[str]) -> Kind | None:
    """What a token is; None: it holds others, or is a cell of a row that has been given whole."""
    if token_type in ("fence", "code_block"):
        return "code"
    if token_type == "tr_open":
        return "row" if "tbody_open" in inside else None
    if token_type != "inline" or "table_open" in inside:
        return None
    if "heading_open" in inside:
        return "heading"
    return "item" if "list_item_open" in inside else "prose"


def _boilerplate(text: str, blocks: Sequence[_Block]) -> list[bool]:
    """Short lines that call on the reader, with the slight lines around them and what stands between those."""
    sizes = [len(block.span) if block.kind in ("prose", "heading", "item") else SHORT_BLOCK for block in blocks]
    marks = [
        size < SHORT_BLOCK and bool(_CALL.search(text[block.span.start : block.span.end]))
        for size, block in zip(sizes, blocks, strict=True)
    ]
    for call in [place for place, mark in enumerate(marks) if mark]:
        for step in (-1, 1):
            place = call + step
            while 0 <= place < len(blocks) and _belongs(sizes, place, step):
                marks[place] = True
                place += step
    return marks


def _belongs(sizes: Sequence[int], place: int, step: int) -> bool:
    """Whether a line next to a call is slight or, after the call, a short one before another slight one."""
    if sizes[place] <= SLIGHT_BLOCK:
        return True
    return step > 0 and sizes[place] < SHORT_BLOCK and place + 1 < len(sizes) and sizes[place + 1] <= SLIGHT_BLOCK


def _echoes(text: str, sentences: Sequence[Sentence]) -> dict[int, int]:
    """For each sentence that another one repeats in full, that one's place; of two equals the quoted one stays."""
    words = [[word.casefold() for word in _WORD.findall(text[s.span.start : s.span.end])] for s in sentences]
    shingles = [{tuple(w[i : i + SHINGLE]) for i in range(len(w) - SHINGLE + 1)} for w in words]
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, own in enumerate(shingles):
        for shingle in own:
            places[shingle].append(place)
    echoes: dict[int, int] = {}
    for place, own in enumerate(shingles):
        shared: dict[int, int] = defaultdict(int)
        for shingle in own:
            if len(places[shingle]) <= COMMON:
                for other in places[shingle]:
                    shared[other] += other != place
        fuller = [
            o for o, n in shared.items() if n and n >= ECHO_SHARE * len(own) and _fuller(text, sentences, place, o)
        ]
        if fuller:
            echoes[place] = max(fuller, key=lambda other: (len(words[other]), -other))
    return {place: _root(echoes, place) for place in echoes}


def _fuller(text: str, sentences: Sequence[Sentence], place: int, other: int) -> bool:
    """Whether `other` is the one to cite of the two: it says more, or it is quoted, or it comes first."""

    def rank(at: int) -> tuple[bool, int, bool, int]:
        sentence = sentences[at]
        content = text[sentence.span.start : sentence.span.end]
        size = len(_WORD.findall(content))
        return (sentence.answers, size, content.startswith(("“", '"', "«", "„")), -at)

    return rank(other) > rank(place)


def _root(echoes: dict[int, int], place: int) -> int:
    while place in echoes:
        place = echoes[place]
    return place
