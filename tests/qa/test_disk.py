"""A full disk is recognised by what it made Python, SQLite and Chroma say; no file is half written."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from chromadb.errors import InternalError

from qa import disk
from qa.disk import Reserve, has_room, is_full, write_atomically


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        sqlite3.OperationalError("database or disk is full"),
        InternalError("error returned from database: (code: 13) database or disk is full"),
        InternalError("Query error: Database error: error returned from database: (code: 13) "
                      "database or disk is full"),
        InternalError("No space left on device (os error 28)"),
    ],
)  # fmt: skip
def test_is_full_knows_what_a_full_disk_raised(error: Exception) -> None:
    wrapped = RuntimeError("writing failed")
    wrapped.__cause__ = error
    assert is_full(error)
    assert is_full(wrapped)


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied"),
        sqlite3.OperationalError("database is locked"),
        InternalError("error returned from database: (code: 8) attempt to write a readonly database"),
    ],
)  # fmt: skip
def test_is_full_is_false_of_other_errors(error: Exception) -> None:
    assert not is_full(error)


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_write_atomically_on_a_full_disk_keeps_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.json"
    write_atomically(file, b"old")
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["users.json"]
    assert file.stat().st_mode & 0o077 == 0


def test_reserve_is_released_and_filled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where less is left, less is reserved."""
    file = tmp_path / ".reserve"
    reserve = Reserve(file)
    assert reserve.release() == 0
    reserve.grow(100_000)
    reserve.grow(50_000)
    assert file.stat().st_size == 100_000
    assert file.stat().st_blocks * 512 >= 100_000
    assert reserve.release() == 100_000
    assert not file.exists()

    def half(path: Path, size: int) -> None:
        if size > 50_000:
            _full()
        path.write_bytes(bytes(size))

    monkeypatch.setattr(disk, "_allocate", half)
    reserve.refill(100_000)
    assert file.stat().st_size == 50_000
    assert not has_room(tmp_path, 100_000)


def test_has_room_on_a_read_only_disk_is_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Space is not what such a disk lacks. Linux refuses even to remove a file that is missing."""

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "open", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    assert has_room(tmp_path, 100_000)


def test_write_atomically_link_is_never_written_through(tmp_path: Path) -> None:
    """Neither by the name of the file nor by that of its unfinished content."""
    outside = tmp_path / "outside"
    outside.write_text("precious")
    for name in ("file", "file.new"):
        (tmp_path / name).symlink_to(outside)
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert not (tmp_path / "file").is_symlink()
    assert outside.read_text() == "precious"
