"""Cited words marked in a text: spans become `<mark>` elements, and every character is kept and escaped."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Mark:
    """The characters from `start` up to `end` of a text, cited by the footnote of this number."""

    number: int
    start: int
    end: int


def document_html(text: str, marks: Sequence[Mark]) -> str:
    """The whole text, a `<p>` for each line, with the marks in place.

    Without its tags and unescaped it is `text` again. Where marks overlap or nest, the text is cut at every
    boundary, and a piece names all its footnotes: `<mark data-notes="1 2">`.
    """
    lines = [_pieces(text, line.start(), line.end(), marks) for line in _LINE.finditer(text)]
    return "".join(
        f"<p>{line}</p>" if line.strip() else f'<p class="blank">{line}</p>' for line in lines
    )


def marked_html(text: str, marks: Sequence[Mark], context: int) -> str:
    """The marks in `text` with up to `context` characters on either side, cut between words."""
    start, end = min(mark.start for mark in marks), max(mark.end for mark in marks)
    before, after = cropped(text[:start][::-1], context)[::-1], cropped(text[end:], context)
    within = _pieces(text, start, end, marks)
    return escape(before.lstrip("\n")) + within + escape(after.rstrip("\n"))


def cropped(text: str, size: int) -> str:
    """The beginning of a text, at most `size` characters and an ellipsis, cut between words where it can be."""
    if len(text) <= size:
        return text
    kept = text[:size].rpartition(" ")[0] or text[:size]
    return kept + "…"


def _pieces(text: str, start: int, end: int, marks: Sequence[Mark]) -> str:
    """`text[start:end]`, cut wherever a mark begins or ends."""
    near = [mark for mark in marks if mark.start < end and mark.end > start]
    edges = {edge for mark in near for edge in (mark.start, mark.end) if start < edge < end}
    cuts = sorted({start, end} | edges)
    return "".join(_piece(text, first, last, near) for first, last in pairwise(cuts))


def _piece(text: str, start: int, end: int, marks: Sequence[Mark]) -> str:
    over = [mark for mark in marks if mark.start <= start and end <= mark.end]
    piece = escape(text[start:end])
    if not over:
        return piece
    numbers = " ".join(str(mark.number) for mark in over)
    begun = ",".join(str(mark.number) for mark in over if mark.start == start)
    label = f' data-label="{begun}"' if begun else ""
    return f'<mark data-notes="{numbers}"{label}>{piece}</mark>'
