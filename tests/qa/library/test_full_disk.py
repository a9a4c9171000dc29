"""A full disk: it is named, reading goes on, and a failed change leaves the library as it was.

The errors are those that Chroma raised on a full disk; `python -m tests.attack.full_disk` fills one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromadb import Collection
from chromadb.api.rust import RustBindingsAPI
from chromadb.errors import InternalError

from qa.errors import DiskFullError
from qa.library.connection import connect
from qa.library.index import Index
from qa.library.store import Store
from qa.library.writing import delete_old_passages
from tests.qa.fakes import WordEmbedder, text_document

FULL = "error returned from database: (code: 13) database or disk is full"
UNNAMED = "Error in compaction: Failed to apply logs to the metadata segment"
"""What Chroma says when the space ends between two of its steps."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library of one document, whose reserve is there."""
    folder = tmp_path / "index"
    Index(folder, WordEmbedder()).add(text_document("The bridge opened."))
    assert (folder / ".reserve").stat().st_size > 100_000
    return folder


def _fails_while_reserved(folder: Path, work: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the work on a disk that only the reserve's space is left of."""

    def on_full_disk(*arguments: Any, **options: Any) -> Any:
        if (folder / ".reserve").exists():
            raise InternalError(FULL)
        return work(*arguments, **options)

    return on_full_disk


def test_open_on_a_full_disk_uses_the_reserve(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = _fails_while_reserved(folder, connect)
    monkeypatch.setattr("qa.library.store.connect", client)
    index = Index(folder, WordEmbedder())
    assert [document.text for document in index.documents()] == ["The bridge opened."]
    assert (folder / ".reserve").stat().st_size > 100_000


def test_check_on_a_full_disk_uses_the_reserve(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chroma finishes an interrupted write when it first reads, after it was opened."""
    count = _fails_while_reserved(folder, Collection.count)
    monkeypatch.setattr(Collection, "count", count)
    index = Index(folder, WordEmbedder())
    assert [document.name for document in index.documents()] == ["a.txt"]


def test_open_on_a_full_disk_without_reserve_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".reserve").unlink()

    def full(_: object) -> None:
        raise InternalError(FULL)

    monkeypatch.setattr("qa.library.store.connect", full)
    with pytest.raises(DiskFullError, match=r"^The disk is full: the index .* Free some space"):
        Index(folder, WordEmbedder())


@pytest.mark.parametrize("message", [FULL, UNNAMED])
def test_add_on_a_full_disk_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    index = Index(folder, WordEmbedder())

    def full(*_: object) -> None:
        raise InternalError(message)

    monkeypatch.setattr("qa.library.failures.has_room", lambda *_: False)
    with monkeypatch.context() as patched:
        patched.setattr("qa.library.writing.write_passages", full)
        with pytest.raises(DiskFullError, match="The library is as it was before"):
            index.add(text_document("A ferry.", "b.txt"))
    assert [document.name for document in index.documents()] == ["a.txt"]
    assert index.add(text_document("A ferry.", "b.txt")).outcome == "added"


@pytest.mark.parametrize("step", ["delete_passages", "write_generation"])
def test_remove_on_a_full_disk_uses_the_reserve(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whichever of its writes does not fit, the removal goes through once and says so."""
    index = Index(folder, WordEmbedder())
    if step == "write_generation":
        full = _fails_while_reserved(folder, Store.write_generation)
        monkeypatch.setattr(Store, "write_generation", full)
    else:
        full = _fails_while_reserved(folder, delete_old_passages)
        monkeypatch.setattr("qa.library.writing.delete_old_passages", full)
    assert index.remove("a.txt")
    assert index.documents() == []
    assert not index.remove("a.txt")


def test_failed_opening_can_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chroma itself keeps a system that it could not start, and then fails for ever."""

    def full(_: object) -> None:
        raise InternalError(FULL)

    with monkeypatch.context() as patched:
        patched.setattr(RustBindingsAPI, "start", full)
        with pytest.raises(DiskFullError):
            Index(tmp_path / "index", WordEmbedder())
    assert Index(tmp_path / "index", WordEmbedder()).documents() == []
