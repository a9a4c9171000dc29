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
        start, end = match.span()
        pieces = _pieces(text, start, end, highlights)
        is_blank = not match.group().strip()
        line = Line(pieces, is_blank)
        lines.append(line)
    return lines


def excerpt(text: str, highlight: Highlight, context: int) -> list[Piece]:
    """Returns the highlighted words with up to `context` characters on either side.

    The context is cut between words.
    """
    start = highlight.start
    end = highlight.end
    # Shortened backwards, so that the words nearest to the highlight stay.
    backwards = text[:start][::-1]
    before = shorten(backwards, context)[::-1]
    after = shorten(text[end:], context)

    # The card must not begin or end with an empty line.
    pieces = [Piece(before.lstrip("\n"))]
    pieces += _pieces(text, start, end, [highlight])
    pieces.append(Piece(after.rstrip("\n")))
    return pieces


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
        numbers: list[int] = []
        starting: list[int] = []
        for highlight in near:
            # No highlight begins or ends inside a piece, so it covers all of the piece or nothing.
            if not highlight.start <= first < highlight.end:
                continue
            numbers.append(highlight.number)
            if highlight.start == first:
                starting.append(highlight.number)
        piece = Piece(
            text=text[first:last],
            numbers=tuple(numbers),
            starting=tuple(starting),
        )
        pieces.append(piece)
    return pieces
