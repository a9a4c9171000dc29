"""A library that several indexes and processes have open: nobody sees an old one or waits forever."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from chromadb.errors import InternalError
from filelock import FileLock

from qa.errors import IndexDamagedError, NotWritableError
from qa.library import locking
from qa.library.index import Index
from tests.qa.fakes import WordEmbedder, text_document

ROOT = Path(__file__).parents[3]
HEAD = """
import sys
from pathlib import Path
from qa.library.index import Index
from tests.qa.fakes import WordEmbedder, text_document
index = Index(Path(sys.argv[1]), WordEmbedder())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    Index(folder, WordEmbedder()).add(text_document("The bridge opened.", "a.txt"))
    return folder


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "BRIEFLY", 0.05)
    monkeypatch.setattr(locking, "LONGEST", 0.05)


def _in_another_process(folder: Path, code: str) -> None:
    command = [sys.executable, "-c", HEAD + code, str(folder)]
    subprocess.run(command, check=True, cwd=ROOT)


@pytest.mark.slow
def test_second_index_sees_change_of_another_process(folder: Path) -> None:
    """Each index has vectors of its own, also where the process has the library open twice."""
    first, second = Index(folder, WordEmbedder()), Index(folder, WordEmbedder())
    vector = WordEmbedder().encode(["bridge opened harbour"])[0].vector
    assert len(first.nearest(vector, 9)) == len(second.nearest(vector, 9)) == 1
    _in_another_process(folder, "index.add(text_document('The harbour opened.', 'b.txt'))")
    assert len(first.nearest(vector, 9)) == len(second.nearest(vector, 9)) == 2
    _in_another_process(folder, "index.remove('a.txt')")
    for index in (first, second):
        assert len(index.snapshot().in_order(index.nearest(vector, 9))) == 1


def test_nearest_failing_once_connects_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a new connection reads is not damaged."""
    index = Index(folder, WordEmbedder())
    vector = WordEmbedder().encode(["bridge"])[0].vector
    connections = [index._store._connection]
    query = Index._query

    def fail_once(*arguments: object) -> object:
        if index._store._connection is connections[0]:
            raise InternalError("Error finding id")
        return query(*arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(Index, "_query", fail_once)
    assert len(index.nearest(vector, 9)) == 1


def test_nearest_failing_always_raises_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(folder, WordEmbedder())
    is_locked = []

    def fail(*_: object) -> None:
        assert isinstance(index._store.lock, locking.FolderLock)
        is_locked.append(index._store.lock.is_locked)
        raise InternalError("Error finding id")

    monkeypatch.setattr(Index, "_query", fail)
    with pytest.raises(IndexDamagedError, match="Error finding id"):
        index.nearest(WordEmbedder().encode(["bridge"])[0].vector, 9)
    assert is_locked == [False, False, True]


@pytest.mark.usefixtures("impatient")
def test_library_that_another_changes_can_be_read(folder: Path) -> None:
    with FileLock(folder / ".lock"):
        index = Index(folder, WordEmbedder())
        assert [document.name for document in index.documents()] == ["a.txt"]
        assert len(index.nearest(WordEmbedder().encode(["bridge"])[0].vector, 9)) == 1


@pytest.mark.usefixtures("impatient")
def test_library_that_another_makes_is_busy(tmp_path: Path) -> None:
    """Only who holds the lock makes a library: two would make two."""
    (tmp_path / "index").mkdir()
    with (
        FileLock(tmp_path / "index" / ".lock"),
        pytest.raises(NotWritableError, match="Another program is changing the library"),
    ):
        Index(tmp_path / "index")
    assert [file.name for file in (tmp_path / "index").iterdir()] == [".lock"]


@pytest.mark.usefixtures("impatient")
def test_change_that_waits_is_logged_and_ends(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = Index(folder, WordEmbedder())
    with (
        FileLock(folder / ".lock"),
        caplog.at_level(logging.WARNING),
        pytest.raises(NotWritableError, match=r"Wait until it has finished, or end it, then"),
    ):
        index.remove("a.txt")
    assert "waiting for another program" in caplog.text
    assert index.remove("a.txt")
