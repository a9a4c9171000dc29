"""Text from files and people on its way to a terminal, which obeys some characters instead of showing them."""

import re

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with what would steer a terminal, or turn the direction of writing, shown as an escape."""
    return _STEERING.sub(
        lambda match: match.group(0).encode("unicode_escape").decode("ascii"), text
    )


def visible_line(text: str) -> str:
    """The same, with each stretch of spaces and ends of lines as one space."""
    return " ".join(visible(text).split())
