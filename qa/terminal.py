"""Text and log lines for a terminal, with text from files and people made safe.

A terminal obeys some characters instead of showing them: they can move the cursor or hide text.
"""

import io
import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any, TextIO

from qa.errors import BrokenError

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, characters that turn the writing direction, and surrogates."""


def visible(text: str) -> str:
    """Returns the text with every character that a terminal would obey as an escape: `\\x1b`."""
    return _CONTROL.sub(_escaped, text)


def visible_line(text: str) -> str:
    """Returns the visible text on one line: each run of white space is one space."""
    return " ".join(visible(text).split())


def escaped_line(text: str) -> str:
    """Returns the visible text with tabs and line ends escaped too: a name cannot forge a line."""
    return visible(text).replace("\t", "\\t").replace("\n", "\\n")


def json_for_terminal(content: Any, indent: int | None = None) -> str:
    """Returns the content as JSON in which nothing steers a terminal.

    JSON itself escapes only the characters below U+0020.
    """
    return visible_json(json.dumps(content, ensure_ascii=False, indent=indent))


def visible_json(text: str) -> str:
    """Returns JSON text with the same content, in which nothing steers a terminal."""
    # Outside its strings, JSON has none of these characters, and inside each has an escape.
    return _CONTROL.sub(_escaped_in_json, text)


def prepare_streams() -> None:
    """Lets every text be printed, whatever the encoding, and opens what a shell has closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # A file of the library would otherwise get the number of the closed stream.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif isinstance(stream, io.TextIOWrapper) and mode == "w":
            stream.reconfigure(errors="backslashreplace")


def print_line(text: str, stream: TextIO | None = None) -> None:
    """Prints to standard output or to another stream, at once.

    Raises BrokenError when the text cannot be written, for example to a full disk.
    """
    stream = stream or sys.stdout
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_rest(stream)
        raise BrokenError(
            f"The output cannot be written: {error.strerror}. Send it to another place."
        ) from error


def discard_rest(stream: TextIO) -> None:
    """Ends the output. Python would otherwise print an error about it at its own end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def log_to_stderr(level: int, line: str = logging.BASIC_FORMAT) -> None:
    """Logs to standard error from this level on. `line`: the format of a line, as in logging."""
    # The level is set on the handler: bm25s sets its own logger to DEBUG when it is imported.
    handler = logging.StreamHandler()
    handler.setLevel(level)
    handler.setFormatter(_VisibleFormatter(line))
    logging.basicConfig(handlers=[handler], level=level)


class _VisibleFormatter(logging.Formatter):
    """Log lines name files, questions and what servers answered."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def _escaped_in_json(match: re.Match[str]) -> str:
    return json.dumps(match.group(0))[1:-1]


def _escaped(match: re.Match[str]) -> str:
    return match.group(0).encode("unicode_escape").decode("ascii")
