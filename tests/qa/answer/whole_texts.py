"""Parses a text with markers in one piece."""

from collections.abc import Collection

from qa.answer.marker_grammar import Marker
from qa.answer.markers import MarkerParser


def parse_markers(text: str, ids: Collection[str]) -> tuple[str, tuple[Marker, ...]]:
    """Returns the text without its markers, and these, in order."""
    parser = MarkerParser(ids)
    parser.finish(text)
    return parser.text, parser.markers
