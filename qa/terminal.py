"""Text from files and people, made safe for a terminal.

A terminal obeys some characters instead of showing them: they can move the cursor or hide text.
"""

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, characters that turn the writing direction, and surrogates."""


def visible(text: str) -> str:
    """Returns the text with every character that a terminal would obey as an escape: `\\x1b`."""
    return _CONTROL.sub(_escaped, text)


def visible_line(text: str) -> str:
    """Returns the visible text on one line: each run of white space is one space."""
    return " ".join(visible(text).split())


def _escaped(match: re.Match[str]) -> str:
    return match.group(0).encode("unicode_escape").decode("ascii")
