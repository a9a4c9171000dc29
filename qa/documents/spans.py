"""What the parsers of texts do with spans."""

import re

from qa.types import Span

_DRAWN_LINE = re.compile(r"[-:=|+_\s]+")


def trimmed(text: str, start: int, end: int) -> Span | None:
    """Returns the span without white space at its ends; None if nothing is left."""
    content = text[start:end]
    words = content.strip()
    if not words:
        return None
    start += len(content) - len(content.lstrip())
    return Span(start, start + len(words))


def is_directly_below(text: str, line: Span, following: Span) -> bool:
    """Returns whether a span begins in the line after another one ends."""
    return text.count("\n", line.end, following.start) == 1


def is_drawn_line(text: str, line: Span) -> bool:
    """Returns whether a line is drawn of signs, as below the header of a table."""
    return _DRAWN_LINE.fullmatch(text, line.start, line.end) is not None
