"""Files that are no plain text are read in a process of their own, so that a hostile one harms nothing else."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict

from qa.documents.extracted import Extracted, Limits, Unreadable

_EXTRACTOR = (sys.executable, "-I", "-B", "-m", "qa.documents.extractor")
_KEPT = frozenset({"PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"})
"""What the process sees of the environment: no key of a language model."""
_log = logging.getLogger(__name__)


def extract(
    kind: str, data: bytes, limits: Limits | None = None, extractor: Sequence[str] = _EXTRACTOR
) -> Extracted:
    """Raises Unreadable, also where the process was killed or broke down, with why and what to do."""
    limits = limits or Limits()
    command = [*extractor, kind, json.dumps(asdict(limits))]
    environ = {key: value for key, value in os.environ.items() if key.upper() in _KEPT}
    try:
        done = subprocess.run(  # noqa: S603  # our own words; the file goes in as standard input
            command,
            input=data,
            capture_output=True,
            timeout=limits.seconds,
            env=environ,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable(_too_slow(limits)) from error
    if done.returncode:
        _log.warning(
            "the reader of a %s broke: %s", kind, done.stderr.decode("utf-8", "replace")[-2000:]
        )
        raise Unreadable(_broken(done.returncode, limits))
    said = json.loads(done.stdout)
    if "error" in said:
        raise Unreadable(said["error"])
    return Extracted(said["text"], said["title"], tuple(said["pages"]))


def _too_slow(limits: Limits) -> str:
    return f"takes more than {limits.seconds} seconds to read. Split it into smaller files."


def _broken(code: int, limits: Limits) -> str:
    """Why a process ended badly; a negative code is the signal that ended it."""
    if code == -getattr(signal, "SIGXCPU", 0):
        return _too_slow(limits)
    how = f"was ended by signal {-code}" if code < 0 else f"broke with code {code}"
    return (
        f"cannot be read: the process that reads it {how}. It is damaged, made to do harm, "
        f"or takes more than {limits.memory / 2**30:.1f} GB of memory. Save it anew or split it."
    )
