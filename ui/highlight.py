"""Cuts a text at the words that an answer cites, so that a template can mark them.

The pieces, joined, are the text again: no character is lost or added.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ui.jinja import shorten

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Highlight:
    """The characters from `start` up to `end` of a text, cited by the footnote of this number."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that the same footnotes cite; plain text has no numbers."""

    text: str
    numbers: tuple[int, ...] = ()
    starting: tuple[int, ...] = ()
    """The footnotes whose quote begins with this piece."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text with its line end."""

    pieces: list[Piece]
    blank: bool


def split_lines(text: str, highlights: Sequence[Highlight]) -> list[Line]:
    """Returns the lines of a text, cut into pieces."""
    lines = []
    for match in _LINE.finditer(text):
        pieces = _pieces(text, match.start(), match.end(), highlights)
        lines.append(Line(pieces, blank=not match.group().strip()))
    return lines


def excerpt(text: str, highlight: Highlight, context: int) -> list[Piece]:
    """Returns the highlighted words with up to `context` characters on either side.

    The context is cut between words.
    """
    before = text[: highlight.start]
    # Reversed, so that the words nearest to the highlight stay.
    before = shorten(before[::-1], context)[::-1]
    after = shorten(text[highlight.end :], context)
    cited = _pieces(text, highlight.start, highlight.end, [highlight])
    return [Piece(before.lstrip("\n")), *cited, Piece(after.rstrip("\n"))]


def _pieces(text: str, start: int, end: int, highlights: Sequence[Highlight]) -> list[Piece]:
    """Returns `text[start:end]`, cut wherever a highlight begins or ends."""
    near = [
        highlight for highlight in highlights if highlight.start < end and highlight.end > start
    ]
    edges = {start, end}
    for highlight in near:
        edges.add(min(max(highlight.start, start), end))
        edges.add(min(max(highlight.end, start), end))
    return [_piece(text, first, last, near) for first, last in pairwise(sorted(edges))]


def _piece(text: str, start: int, end: int, highlights: Sequence[Highlight]) -> Piece:
    over = [
        highlight for highlight in highlights if highlight.start <= start and end <= highlight.end
    ]
    numbers = tuple(highlight.number for highlight in over)
    starting = tuple(highlight.number for highlight in over if highlight.start == start)
    return Piece(text[start:end], numbers, starting)
