"""What the parsers of texts do with spans."""

from qa.types import Span


def trimmed(text: str, start: int, end: int) -> Span | None:
    """Returns the span without white space at its ends; None if nothing is left."""
    content = text[start:end]
    words = content.strip()
    if not words:
        return None
    start += len(content) - len(content.lstrip())
    return Span(start, start + len(words))
