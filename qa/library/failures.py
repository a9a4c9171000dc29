"""Turns the errors of Chroma into ours."""

import errno
import os
import re
import sqlite3
from pathlib import Path

import httpx
from chromadb.errors import ChromaError

from qa.disk import disk_full, has_room, is_full
from qa.errors import (
    BrokenError,
    DiskFullError,
    FootnoteError,
    IndexDamagedError,
    NotWritableError,
)

_WORKING_ROOM = 1 << 22
"""Bytes. Chroma does not say why a write failed; with less free space it was the space."""
_LOGIN = re.compile(r"(?:[a-z+.-]*://)?(.+@)", re.IGNORECASE | re.DOTALL)
"""The name and the password in the address of a server."""


def reading_error(where: Path | str, error: BaseException) -> FootnoteError | None:
    """Returns our error for an error while reading; None where it is not about the library."""
    cause = str(error)
    # Chroma's core is written in Rust, and a panic there is not an Exception.
    is_panic = type(error).__name__ == "PanicException"
    is_about_library = isinstance(error, ChromaError | OSError | ValueError) or is_panic
    if is_about_library and is_disk_full(where, error):
        return index_full(where)

    if isinstance(error, sqlite3.Error):
        return local_index_error(where if isinstance(where, Path) else None, error)
    if isinstance(error, ChromaError):
        return _read_only(where) if _is_read_only(where, cause) else damaged(where, cause)

    if isinstance(error, httpx.HTTPError):
        # Chroma's client passes on what httpx raises.
        return _no_answer(where, cause)
    if isinstance(error, ValueError | ConnectionError):
        return damaged(where, cause) if isinstance(where, Path) else _no_answer(where, cause)
    if isinstance(error, OSError):
        if error.errno in (errno.EROFS, errno.EACCES):
            return _read_only(where)
        message = f"{where} cannot be opened: {error.strerror}. Check the path."
        return NotWritableError(without_login(where, message))

    if is_panic:
        return damaged(where, "Chroma failed on its contents")
    return None


def _no_answer(where: Path | str, cause: str) -> BrokenError:
    message = (
        f"The Chroma server at {where} does not answer: {cause.rstrip('.')}. Start it, or check "
        f"QA_CHROMA_URL."
    )
    return BrokenError(without_login(where, message))


def local_index_error(folder: Path | None, error: Exception) -> FootnoteError:
    """Returns the error for a local index that cannot be read or written."""
    where = folder or "in memory"
    # The lower byte of a code says what failed, the others how. Not every error has a code.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    is_full_disk = code == sqlite3.SQLITE_FULL or is_full(error)
    if is_full_disk:
        return disk_full(f"the local index {where}", "The library is as it was before.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BrokenError(
            f"Another program is writing the local index {where}. Wait until it has finished, "
            f"then try again."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return NotWritableError(f"The local index {where} is not writable: {error}.")
    return BrokenError(
        f"The local index {where} cannot be used: {error}. End Footnote, delete this folder and "
        f"start Footnote again: the folder is made again, and no document is lost."
    )


def damaged(where: Path | str, reason: str) -> IndexDamagedError:
    """Returns the error for an index that cannot be read, with the command that starts again."""
    lines = reason.splitlines() or ["it is damaged"]
    message = (
        f"The index {where} cannot be opened: {lines[0].rstrip('.')}. Move it away and add your "
        f"documents again: mv '{where}' '{where}.damaged' && footnote add PATH"
    )
    return IndexDamagedError(without_login(where, message))


def without_login(where: Path | str, message: str) -> str:
    """Returns a message without the login that the address of a server may hold."""
    login = None if isinstance(where, Path) else _LOGIN.match(where)
    return message.replace(login.group(1), "") if login else message


def index_full(where: Path | str) -> DiskFullError:
    """Returns the error for an index on a full disk."""
    return disk_full(
        f"the index {without_login(where, str(where))}", "The library is as it was before."
    )


def is_disk_full(where: Path | str, error: BaseException) -> bool:
    """Returns whether a full disk is the cause of an error."""
    if is_full(error):
        return True
    # Of some failed writes Chroma reports only which step failed.
    if isinstance(error, OSError | ValueError) or not isinstance(where, Path):
        return False
    return not has_room(where, _WORKING_ROOM)


def _is_read_only(where: Path | str, cause: str) -> bool:
    if "readonly" in cause or "read-only" in cause:
        return True
    return isinstance(where, Path) and not os.access(where, os.W_OK)


def _read_only(where: Path | str) -> NotWritableError:
    message = (
        f"{where} is read-only, and Chroma writes even when it only opens a library. Copy the "
        f"folder to a writable place and set QA_HOME or QA_INDEX to it."
    )
    return NotWritableError(without_login(where, message))
