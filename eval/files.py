"""Opens and writes the files of runs and question sets, which may come from anybody.

A file that is read is a regular file within a limit: a device has no end, and a pipe may never get
one. A file that is written is never written through a link, which could lead anywhere.
"""

import errno
import os
import stat
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from qa.disk import write_atomically

MAX_LINE_VALUES = 100_000
"""Values of a line of JSON: the libraries make up to 2 kB of each."""
MAX_FILE_VALUES = 500_000
"""Values of a file that is one JSON object."""
MAX_PROBLEMS = 100
"""Problems of one file that are collected. More would fill the memory, and nobody reads them."""
MAX_LISTED = 1_000
"""Problems of one piece of JSON that are listed."""
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
"""Flags of some systems only."""


def open_regular(path: Path) -> BinaryIO:
    """Opens a file for reading. Raises OSError, also for what is not a regular file."""
    # Opening a pipe would otherwise wait for a program that writes to it.
    file = os.fdopen(os.open(path, os.O_RDONLY | _NO_WAITING | _BINARY), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file")
    return file


def read_file(path: Path, most: int) -> bytes:
    """Returns the content of a regular file.

    Raises OSError; its number is EFBIG for a file of more than `most` bytes.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"it is too large: more than {most:,} bytes")
        # A file that grows meanwhile is read up to the size that was checked.
        return file.read(size)


def numbered_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the lines with their ends, from number 1, without a list of them all.

    Only at newlines: str.splitlines also splits at U+2028, which JSON allows inside a text.
    """
    return enumerate(BytesIO(content), start=1)


def check_values(json_text: bytes, most: int) -> None:
    """Raises ValueError for JSON with too many values to be parsed within the memory."""
    # Each value follows a comma or a bracket. Those inside texts are counted too.
    count = json_text.count(b",") + json_text.count(b"[") + json_text.count(b"{")
    if count > most:
        raise ValueError(f"it has more than {most:,} values")


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all. Raises OSError.

    A link of this name is replaced by the file: what it leads to stays as it is.
    """
    write_atomically(path, content, mode=0o666)


def open_to_append(path: Path) -> BinaryIO:
    """Opens a file to read it and to write after its end. Raises OSError for a symbolic link."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _NO_LINK | _BINARY
    return os.fdopen(os.open(path, flags, 0o666), "a+b")


def first_link(folder: Path) -> Path | None:
    """Returns a symbolic link in a folder, at any depth; None if there is none."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink():
                return path
    return None
