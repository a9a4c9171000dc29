"""A document's text becomes sentences with exact offsets, each marked as one to answer from or not.

Blocks first (paragraphs, headings, list items, rows, code), then sentences inside each block. Two kinds of
sentence are in every news text and never answer: boilerplate (appeals, adverts, navigation) and echoes (pull
quotes and repeats, which say again, without saying who spoke, what another sentence says in full).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Literal

import sentencex
from markdown_it import MarkdownIt

from qa.types import Document, Span

Kind = Literal["prose", "item", "row", "heading", "code"]
WRAP_LIMIT = 120
"""Lines no longer than this may have been wrapped by hand; longer ones are paragraphs."""
NARROWEST = 30
LONG_SENTENCE = 600
"""Characters. A longer quotation is split into its sentences, any other longer sentence between words."""
LANGUAGE = "en"
_WITHOUT_QUOTES = str.maketrans('“”"«»„', "      ")
_ITEM = re.compile(r"[ \t]*(?:[-*+•–]|\d{1,3}[.)])[ \t]+")
_PROSE_END = re.compile(r"[.!?…。！？।॥۔؟።፧‼⁇⁈⁉][\"'”’»)\]]*$")
_QUESTION_END = re.compile(r"[?？؟፧][\"'”’»)\]]*$")
_VALUE = re.compile(r"[^:]{1,60}:\s+\S|[^=]{1,60}=\s*\S|[^,;\t]+[,;\t][^,;\t]*[,;\t]")
"""A name with its value, or the cells of a table."""
_MARKUP = re.compile(r"^[ \t]*(?:>[ \t]?|#{1,6}[ \t]+|(?:[-*+]|\d{1,9}[.)])[ \t]+)+")

_APPEAL = re.compile(
    r"""^\W*(?:
      subscribe(?:[ ](?:now|today|here|for)|[ ]to[ ](?:our|us|(?-i:[A-Z]))|\W*$) | support[ ](?:us|our|independent) |
      sign[ ]up[ ](?:for[ ](?:our|the|free)|here|now|today|to[ ](?:our|receive|get)) | chip[ ]in | join[ ]us |
      donate(?:[ ](?:now|today|here|to[ ](?:us|our))|\W*$) | follow[ ]us | share[ ]this | help[ ]us |
      become[ ]an?[ ](?:\w+[ ])?(?:member|subscriber|supporter|patron|friend)
    )\b | \b(?:
      our[ ](?:newsletters?|journalism|journalists?|correspondents?|reporters?|subscribers) | give[ ]to: |
      your[ ](?:gift|donation|generous) | keep[ ](?:[\w’']+[ ]){0,3}(?:news|journalism)[ ](?:alive|free|independent)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""A line that calls on the reader to do something for the publisher."""
_FURNITURE = re.compile(
    r"""^\W*(?:
      read[ ](?:more|also|next) | click[ ]here | download[ ](?:our|the)[ ]app | skip[ ](?:to|advert) | sponsored\W*$ |
      log[ ]in(?:[ ]or[ ]\w+(?:[ ]up)?)?\W*$ | advertisement\W*$ | recommended[ ]for[ ]you |
      related[ ](?:articles?|stories|topics|content)\b | most[ ](?:read|popular)\W*$ | copyright\W+(?:\(c\)|©|\d{4}) |
      (?:photo|image|picture|credit)s?\s*:
    ) | \b(?:
      all[ ]rights[ ]reserved | cookie[ ](?:policy|settings|notice) | (?:uses?|accept)[ ](?:all[ ])?cookies |
      (?:story|article)[ ]continues[ ]below
    ) | ©""",
    re.IGNORECASE | re.VERBOSE,
)
"""A line that only a web page has."""
SHORT_BLOCK = 140
"""A paragraph of a news text is longer; a line of an appeal, a menu or an advert is not."""
SLIGHT_BLOCK = 60
"""A line beside an appeal that is no longer than this belongs to it."""
SPREAD_BEFORE, SPREAD_AFTER = 2, 6
"""How many lines before and after an appeal may."""
_WORD = re.compile(r"\w+")
SHINGLE = 4
COMMON = 50
"""A run of words in more sentences than this says nothing about any two of them."""
ECHO_SHARE = 0.8
"""The share of a sentence's four-word runs that stand in another one, from which on it is an echo of it."""
ECHO_OTHER = 0.1
"""The share of an echo's words that the other one may lack; never one that tells: a name or a number."""
_DENIAL = re.compile(
    r"\b(?:not|no|never|false|untrue|wrong|den(?:y|ies|ied|ying)|reject\w*|dismiss\w*)\b|n[’']t\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document. `span` has no white space at its ends."""

    span: Span
    kind: Kind
    paragraph: int
    """Counts the blocks of the document."""
    boilerplate: bool = False
    duplicate_of: int | None = None
    """The place, in the document's sentences, of the one that says the same in full."""
    is_question: bool = False
    """Whether it is a question."""

    @property
    def may_answer(self) -> bool:
        """Whether an answer may be made of it."""
        silent = self.boilerplate or self.is_question or self.duplicate_of is not None
        return self.kind not in ("heading", "code") and not silent


@dataclass(frozen=True, slots=True)
class _Block:
    span: Span
    kind: Kind


@lru_cache(maxsize=2)  # a document that is added is cut into passages first, and then read
def segment(document: Document) -> tuple[Sentence, ...]:
    """The sentences of a document, in order, without overlap; between them there is white space and markup only."""
    text = document.text
    blocks = list(_markdown_blocks(text) if document.markdown else _text_blocks(text))
    boilerplate = _boilerplate(text, blocks)
    sentences = [
        Sentence(span, block.kind, number, boilerplate[number], is_question=_asks(text, span))
        for number, block in enumerate(blocks)
        for span in _sentence_spans(text, block)
    ]
    echoes = _echoes(text, sentences)
    return tuple(
        replace(sentence, duplicate_of=echoes.get(place))
        for place, sentence in enumerate(sentences)
    )


def _asks(text: str, span: Span) -> bool:
    return bool(_QUESTION_END.search(text, max(span.start, span.end - 9), span.end))


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
    for first, last in _found(flat):
        if last - first <= LONG_SENTENCE:
            yield first, last
            continue
        for start, end in _found(flat[first:last].translate(_WITHOUT_QUOTES)):
            yield from _cut(flat, first + start, first + end)


def _found(flat: str) -> list[tuple[int, int]]:
    return [
        (one["start_index"], one["end_index"])
        for one in sentencex.get_sentence_boundaries(LANGUAGE, flat)
    ]


def _cut(flat: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What is no longer than a sentence may be, cut at a semicolon, else a comma, else a space."""
    while end - start > LONG_SENTENCE:
        limit = start + LONG_SENTENCE
        marks = (flat.rfind(mark, start + LONG_SENTENCE // 2, limit) for mark in ("; ", ", ", " "))
        place = next((mark + 1 for mark in marks if mark > 0), limit)
        yield start, place
        start = place
    yield start, end


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
    spans = list(_paragraphs(text))
    bare = [_is_bare(text[span.start : span.end]) for span in spans]
    for place, span in enumerate(spans):
        content = text[span.start : span.end]
        if item := _ITEM.match(content):
            yield _Block(Span(span.start + item.end(), span.end), "item")
        elif bare[place]:
            yield _Block(span, "heading" if _heads(content, bare, place) else "row")
        else:
            yield _Block(span, "prose")


def _paragraphs(text: str) -> Iterator[Span]:
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
        yield Span(start, stripped.end)
        open_span = None


def _is_bare(content: str) -> bool:
    """Whether a paragraph is a short line without the mark that ends a sentence."""
    return (
        len(content) <= WRAP_LIMIT and not _PROSE_END.search(content) and not _ITEM.match(content)
    )


def _heads(content: str, bare: Sequence[bool], place: int) -> bool:
    """Whether a bare line is a heading: prose follows it or its subtitle, it is none of a run, and gives no value."""
    following = list(bare[place + 1 : place + 3])
    before = list(bare[max(0, place - 2) : place])[::-1]
    run = 1 + _leading(following) + _leading(before)
    return run <= 2 and not all(following) and not _VALUE.match(content)


def _leading(marks: Sequence[bool]) -> int:
    return next((place for place, mark in enumerate(marks) if not mark), len(marks))


def _wrap_width(text: str, lines: Sequence[Span]) -> int | None:
    """The width at which a text was wrapped by hand, nearly its longest line; None when it was not.

    It was when at least every second break between two lines of words is where the width would have put it.
    """
    sizes = sorted(len(line) for line in lines if _trimmed(text, line.start, line.end))
    width = sizes[int(0.95 * (len(sizes) - 1))] if sizes else 0
    if not NARROWEST <= width <= WRAP_LIMIT:
        return None
    breaks = [
        (line, after) for line, after in pairwise(lines) if text[line.start : line.end].strip()
    ]
    breaks = [(line, after) for line, after in breaks if text[after.start : after.end].strip()]
    wraps = [after for line, after in breaks if _continues(text, line, after, width)]
    # Lines of one length that all open alike, as those of a log, were not wrapped.
    inside = sum(_opens_inside(text[after.start : after.end]) for after in wraps)
    return (
        width
        if len(wraps) >= 2 and 2 * len(wraps) >= len(breaks) and 3 * inside >= len(wraps)
        else None
    )


def _opens_inside(line: str) -> bool:
    """Whether a line begins as the inside of a sentence may: with a small letter, or one that knows no capitals."""
    first = line.lstrip()[:1]
    return first.isalpha() and not first.isupper()


def _continues(text: str, line: Span, after: Span, width: int) -> bool:
    """Whether a line break is a wrap: the next line's first word would not have fitted, and it opens no item."""
    following = text[after.start : after.end]
    if not following.strip() or _ITEM.match(following):
        return False
    return len(line) + 1 + len(following.split(maxsplit=1)[0]) > width


def _markdown_blocks(text: str) -> Iterator[_Block]:
    """The leaf blocks of a Markdown text, by a CommonMark parser's own line numbers; markers are left out."""
    lines = list(_lines(text))
    inside: list[str] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.nesting == -1:
            inside.pop()
            continue
        kind = _markdown_kind(token.type, inside)
        if (
            kind
            and token.map
            and (span := _trimmed(text, lines[token.map[0]].start, lines[token.map[1] - 1].end))
        ):
            marker = (
                _MARKUP.match(text[span.start : span.end])
                if kind in ("prose", "item", "heading")
                else None
            )
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
    """Short lines that only a web page has, and those that call on the reader with the slight lines around them."""
    lines = [text[block.span.start : block.span.end] for block in blocks]
    short = [b.kind in ("prose", "heading", "row") and len(b.span) < SHORT_BLOCK for b in blocks]
    appeals = [
        is_short and bool(_APPEAL.search(line)) for is_short, line in zip(short, lines, strict=True)
    ]
    marks = [
        appeal or (is_short and bool(_FURNITURE.search(line)))
        for appeal, is_short, line in zip(appeals, short, lines, strict=True)
    ]
    slight = [
        is_short and len(line) <= SLIGHT_BLOCK and not any(letter.isdigit() for letter in line)
        for is_short, line in zip(short, lines, strict=True)
    ]
    for place in [place for place, appeal in enumerate(appeals) if appeal]:
        for before in range(place - 1, max(-1, place - 1 - SPREAD_BEFORE), -1):
            if not slight[before]:
                break
            marks[before] = True
        for after in range(place + 1, min(len(blocks), place + 1 + SPREAD_AFTER)):
            between = short[after] and after + 1 < len(blocks) and slight[after + 1]
            if not (slight[after] or between):
                break
            marks[after] = True
    return marks


def _echoes(text: str, sentences: Sequence[Sentence]) -> dict[int, int]:
    """For each sentence that another one repeats in full, that one's place; of two equals the quoted one stays."""
    contents = [text[s.span.start : s.span.end] for s in sentences]
    words = [_WORD.findall(content.casefold()) for content in contents]
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
            other
            for other, count in shared.items()
            if count
            and count >= ECHO_SHARE * len(own)
            and _fuller(contents, sentences, place, other)
            and _says_all(contents[other], contents[place])
        ]
        if fuller:
            echoes[place] = max(fuller, key=lambda other: (len(words[other]), -other))
    return {place: _root(echoes, place) for place in echoes}


def _says_all(fuller: str, echo: str) -> bool:
    """Whether the fuller sentence has every name and number of its echo, nearly all other words, and denies none."""
    own = set(_WORD.findall(fuller.casefold()))
    lacking = [word for word in _WORD.findall(echo) if word.casefold() not in own]
    telling = [
        word for word in lacking if word[0].isupper() or any(letter.isdigit() for letter in word)
    ]
    few = len(lacking) <= ECHO_OTHER * len(_WORD.findall(echo))
    return few and not telling and len(_DENIAL.findall(fuller)) == len(_DENIAL.findall(echo))


def _fuller(contents: Sequence[str], sentences: Sequence[Sentence], place: int, other: int) -> bool:
    """Whether `other` is the one to cite of the two: it says more, or it is quoted, or it comes first."""

    def rank(at: int) -> tuple[bool, int, bool, int]:
        quoted = contents[at].startswith(("“", '"', "«", "„"))
        return (sentences[at].may_answer, len(_WORD.findall(contents[at])), quoted, -at)

    return rank(other) > rank(place)


def _root(echoes: dict[int, int], place: int) -> int:
    while place in echoes:
        place = echoes[place]
    return place
