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
    start, end = highlight.start, highlight.end
    # Shortened backwards, so that the words nearest to the highlight stay.
    backwards = text[:start][::-1]
    before = shorten(backwards, context)[::-1]
    after = shorten(text[end:], context)
    cited = _pieces(text, start, end, [highlight])
    return [
        Piece(before.lstrip("\n")),
        *cited,
        Piece(after.rstrip("\n")),
    ]


def _pieces(text: str, start: int, end: int, highlights: Sequence[Highlight]) -> list[Piece]:
    """Returns `text[start:end]`, cut wherever a highlight begins or ends."""
    near = []
    edges = {start, end}
    for highlight in highlights:
        if highlight.start < end and highlight.end > start:
            near.append(highlight)
            edges.add(max(highlight.start, start))
            edges.add(min(highlight.end, end))

    pieces = []
    for first, last in pairwise(sorted(edges)):
        # No highlight begins or ends inside a piece, so it covers all of the piece or nothing.
        over = [highlight for highlight in near if highlight.start <= first < highlight.end]
        numbers = tuple(highlight.number for highlight in over)
        starting = tuple(highlight.number for highlight in over if highlight.start == first)
        pieces.append(Piece(text[first:last], numbers, starting))
    return pieces
