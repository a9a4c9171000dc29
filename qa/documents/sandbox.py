"""Runs a parser in a process of its own, so that a hostile file harms nothing else."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from qa.documents.parsing import Limits, ParsedFile, Unreadable

_CHILD = (sys.executable, "-I", "-B", "-m", "qa.documents.sandbox_child")
_ENVIRONMENT = frozenset({"PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"})
"""The variables that the child process gets: no key of a language model is among them."""

_log = logging.getLogger(__name__)


def parse_in_sandbox(
    parser: str, data: bytes, limits: Limits | None = None, child: Sequence[str] = _CHILD
) -> ParsedFile:
    """Returns what `qa.documents.PARSER.parse` makes of a file's content.

    Raises Unreadable with why and what to do, also if the process was killed or crashed.
    """
    result = run_in_sandbox(parser, data, limits or Limits.for_size(len(data)), child)
    return ParsedFile(result["text"], result["title"], tuple(result["pages"]))


def run_in_sandbox(
    parser: str, data: bytes, limits: Limits, child: Sequence[str] = _CHILD
) -> dict[str, Any]:
    """Returns the fields of what `qa.documents.PARSER.parse` returns. Raises Unreadable."""
    environment = {key: text for key, text in os.environ.items() if key.upper() in _ENVIRONMENT}
    try:
        process = subprocess.run(  # noqa: S603  # the file is standard input, never an argument
            [*child, parser, json.dumps(asdict(limits))],
            input=data,
            capture_output=True,
            timeout=limits.seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable(_too_slow(limits)) from error

    if process.returncode:
        stderr = process.stderr.decode("utf-8", "replace")
        _log.warning("the %s parser crashed: %s", parser, stderr[-2000:])
        raise Unreadable(_crashed(process.returncode, limits))

    result: dict[str, Any] = json.loads(process.stdout)
    if "error" in result:
        raise Unreadable(result["error"])
    return result


def _too_slow(limits: Limits) -> str:
    return f"takes more than {limits.seconds} seconds to read. Split it into smaller files."


def _crashed(code: int, limits: Limits) -> str:
    """Returns why a process failed; a negative exit code is the signal that ended it."""
    if code == -getattr(signal, "SIGXCPU", 0):
        return _too_slow(limits)
    end = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
    memory = f"{limits.memory / 2**30:.1f} GB of memory"
    return (
        f"cannot be read: the process that reads it {end}. The file is damaged, hostile, "
        f"or takes more than {memory}. Save it again in another program, or split it."
    )
