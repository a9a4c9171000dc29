"""A full disk: how it is recognised and reported, and the space that is kept free for it."""

import errno
import os
from pathlib import Path

from qa.errors import DiskFullError

_CODES = frozenset({errno.ENOSPC, errno.EDQUOT})
_WORDS = ("disk is full", "no space left", "(os error 28)", "quota exceeded", "(os error 122)")
"""What SQLite and Chroma, which is written in Rust, say of a full disk."""
_PIECE = 1 << 16
_LEAST = 1 << 14
"""Bytes. Less space is of no use to SQLite."""


def is_full(error: BaseException) -> bool:
    """Returns whether an error, or an error that caused it, says that the disk is full."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _CODES:
            return True
        message = str(cause).casefold()
        if any(words in message for words in _WORDS):
            return True
        cause = cause.__cause__
    return False


def disk_full(what: str, unchanged: str) -> DiskFullError:
    """Returns the error for a file that a full disk does not take.

    what: the file, in words. unchanged: a sentence that says what is as it was before.
    """
    return DiskFullError(
        f"The disk is full: {what} could not be written. Free some space, then try again. "
        f"{unchanged}"
    )


def has_room(folder: Path, size: int) -> bool:
    """Returns whether `size` bytes more fit into a folder."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        _allocate(probe, size)
    except OSError as error:
        return error.errno not in _CODES
    probe.unlink(missing_ok=True)
    return True


def write_atomically(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Replaces a file whole or not at all; by default only its owner may read it. Raises OSError.

    A link is replaced, and what it leads to stays as it is.

    The new content is on the disk before it has the file's name, so that a power cut leaves the
    old or the new file. Callers that read, change and write hold a lock.
    """
    new_file = file.with_name(f"{file.name}.new")
    try:
        # An earlier process may have left one, and somebody else a link.
        new_file.unlink(missing_ok=True)
        # Created with its mode, not given it afterwards; fails for a name that is taken.
        descriptor = os.open(new_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        new_file.replace(file)
    except OSError:
        new_file.unlink(missing_ok=True)
        raise
    _sync_folder(file.parent)


class Reserve:
    """A file that keeps space free: released when the disk is full, and filled again."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def grow(self, size: int) -> None:
        """Makes the reserve at least `size` bytes large. Raises OSError when they do not fit."""
        if self._size() < size:
            _allocate(self._file, size)

    def release(self) -> int:
        """Frees the space and returns how many bytes it was."""
        size = self._size()
        self._file.unlink(missing_ok=True)
        return size

    def refill(self, size: int) -> None:
        """Reserves `size` bytes again, or what the disk has left of them."""
        while size >= _LEAST:
            try:
                _allocate(self._file, size)
            except OSError as error:
                if error.errno not in _CODES:
                    raise
                size //= 2
            else:
                return

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except FileNotFoundError:
            return 0


def _allocate(file: Path, size: int) -> None:
    """Makes a file of `size` bytes that takes its space on the disk, or no file."""
    try:
        with file.open("wb") as stream:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(stream.fileno(), 0, size)
                return
            for _ in range(0, size, _PIECE):
                stream.write(bytes(_PIECE))
    except OSError:
        file.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Puts the names of a folder on the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
