"""The lock of a library: one process changes a folder at a time, and nobody waits in silence."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from qa.errors import NotWritableError

_LOCK = ".lock"
BRIEFLY = 3.0
"""Seconds. After this wait a writer logs a message, and a reader goes on without the lock."""
LONGEST = 120.0
"""Seconds. After them a change is given up. Building a library again holds the lock for longer."""
_log = logging.getLogger(__name__)


class FolderLock(FileLock):
    """A lock over processes. The file is in the folder: it is the same by any path.

    Raises NotWritableError where another process holds it for too long.
    """

    def __enter__(self) -> "FolderLock":
        try:
            self.acquire(timeout=BRIEFLY)
        except Timeout:
            self._wait()
        return self

    def _wait(self) -> None:
        folder = Path(self.lock_file).parent
        _log.warning("waiting for another program, which is changing the library %s", folder)
        try:
            self.acquire(timeout=LONGEST)
        except Timeout as error:
            raise busy(folder) from error


def lock_of(where: Path | str) -> AbstractContextManager[Any]:
    """Returns the lock of a folder; a server keeps its own order."""
    if isinstance(where, Path):
        return FolderLock(where / _LOCK)
    return nullcontext()


@contextmanager
def held_briefly(lock: AbstractContextManager[Any]) -> Iterator[bool]:
    """Holds the lock, or yields False where another process does not release it soon."""
    if not isinstance(lock, FolderLock):
        with lock:
            yield True
        return
    try:
        lock.acquire(timeout=BRIEFLY)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def busy(where: Path | str) -> NotWritableError:
    """Returns the error for a library that another process changes for too long."""
    return NotWritableError(
        f"Another program is changing the library {where}. Wait until it has finished, or end it, "
        f"then try again."
    )
