"""Text and log lines for a terminal, with text from files and people made safe.

A terminal obeys some characters instead of showing them: they can move the cursor or hide text.
"""

import logging
import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, characters that turn the writing direction, and surrogates."""


def visible(text: str) -> str:
    """Returns the text with every character that a terminal would obey as an escape: `\\x1b`."""
    return _CONTROL.sub(_escaped, text)


def visible_line(text: str) -> str:
    """Returns the visible text on one line: each run of white space is one space."""
    return " ".join(visible(text).split())


def log_to_stderr(level: int, line: str = logging.BASIC_FORMAT) -> None:
    """Logs to standard error from this level on. `line`: the format of a line, as in logging."""
    # The level is set on the handler: bm25s sets its own logger to DEBUG when it is imported.
    handler = logging.StreamHandler()
    handler.setLevel(level)
    logging.basicConfig(handlers=[handler], level=level, format=line)


def _escaped(match: re.Match[str]) -> str:
    return match.group(0).encode("unicode_escape").decode("ascii")
