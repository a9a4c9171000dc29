"""Folders are added again: files were moved, renamed or deleted in between."""

import os
import shutil
from pathlib import Path

import pytest

from qa.documents import load as load_module
from qa.documents.parsing import ParsedFile
from qa.library.adding import AddedFiles, add_files
from qa.library.index import Index
from tests.qa.fakes import WordEmbedder, text_document

HARBOUR = "The harbour has nine piers.\n"
MILL = "The mill grinds rye.\n"


class Library:
    """An index, the folder that is added to it, and the lines that were reported."""

    def __init__(self, home: Path) -> None:
        self.index = Index(home / "index", WordEmbedder())
        self.folder = home / "docs"
        self.lines: list[str] = []

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def add(self, *paths: Path, prune: bool = False) -> AddedFiles:
        self.lines = []
        return add_files(self.index, paths or [self.folder], self.lines.append, prune)

    def names(self) -> list[str]:
        return [document.name for document in self.index.documents()]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library with a folder of two files that is already added."""
    library = Library(tmp_path)
    library.write("harbour.txt", HARBOUR)
    library.write("mill.txt", MILL)
    library.add()
    return library


def test_add_folder_with_deleted_file_reports_it(library: Library) -> None:
    (library.folder / "mill.txt").unlink()
    assert library.add().not_pruned == ("mill.txt",)
    assert library.lines == ["unchanged harbour.txt", "gone mill.txt"]
    assert library.names() == ["harbour.txt", "mill.txt"]


def test_add_prune_removes_deleted_file(library: Library) -> None:
    (library.folder / "mill.txt").unlink()
    assert library.add(prune=True).not_pruned == ()
    assert library.lines == ["unchanged harbour.txt", "removed mill.txt"]
    assert library.names() == ["harbour.txt"]


def test_add_prune_leaves_files_outside_the_folder(library: Library) -> None:
    """Uploads have no file, and another folder is not the folder that was added."""
    other = library.write("../other/far.txt", "Far away.\n")
    library.add(other)
    other.unlink()
    library.index.add(text_document("Uploaded.", "up.txt"))
    library.add(prune=True)
    assert library.names() == ["far.txt", "harbour.txt", "mill.txt", "up.txt"]


def test_add_prune_emptied_folder_removes_nothing(library: Library) -> None:
    """A drive that is not mounted looks like an empty folder."""
    for file in library.folder.iterdir():
        file.unlink()
    added = library.add(prune=True)
    assert added.not_pruned == ("harbour.txt", "mill.txt")
    assert "holds no file" in str(added.failures[0])
    assert library.names() == ["harbour.txt", "mill.txt"]


def test_add_same_folder_twice_reports_a_file_once(library: Library) -> None:
    (library.folder / "mill.txt").unlink()
    assert library.add(library.folder, library.folder).not_pruned == ("mill.txt",)


def test_add_renamed_file_replaces_its_entry(library: Library) -> None:
    (library.folder / "mill.txt").rename(library.folder / "windmill.txt")
    assert library.add().not_pruned == ()
    assert library.lines == ["unchanged harbour.txt", "moved mill.txt to windmill.txt"]
    assert library.names() == ["harbour.txt", "windmill.txt"]
    texts = [passage.text for passage in library.index.snapshot().all_passages()]
    assert texts == [HARBOUR, MILL]


def test_add_moved_folder_keeps_the_names(library: Library) -> None:
    """The names are free for the moved files: they get no folder in front."""
    moved = library.folder.rename(library.folder.with_name("papers"))
    library.add(moved)
    assert library.lines == ["moved harbour.txt", "moved mill.txt"]
    assert library.names() == ["harbour.txt", "mill.txt"]
    sources = {Path(document.source).parent for document in library.index.documents()}
    assert sources == {moved}


def test_add_copied_file_stands_beside_the_original(library: Library) -> None:
    shutil.copy(library.folder / "mill.txt", library.folder / "copy.txt")
    library.add()
    assert library.names() == ["copy.txt", "harbour.txt", "mill.txt"]

    (library.folder / "mill.txt").unlink()
    library.add()
    assert library.lines == ["unchanged harbour.txt", "moved mill.txt to copy.txt"]
    assert library.names() == ["copy.txt", "harbour.txt"]


def test_add_changed_and_renamed_file_is_another_file(library: Library) -> None:
    (library.folder / "mill.txt").rename(library.folder / "windmill.txt").write_text("New.\n")
    assert library.add().not_pruned == ("mill.txt",)
    assert library.names() == ["harbour.txt", "mill.txt", "windmill.txt"]


def test_add_killed_before_removal_is_completed_later(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash in the middle of the commit leaves the text twice, and the next adding repairs it."""
    (library.folder / "mill.txt").rename(library.folder / "windmill.txt")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("qa.library.writing._delete_replaced", killed)
        with pytest.raises(KeyboardInterrupt):
            library.add()
    assert MILL in {document.text for document in library.index.documents()}
    library.add()
    assert library.names() == ["harbour.txt", "windmill.txt"]


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    names: list[str] = []
    real = load_module.read_file

    def reading(file: Path, data: bytes | None = None) -> ParsedFile:
        names.append(file.name)
        return real(file, data)

    monkeypatch.setattr(load_module, "read_file", reading)
    return names


def test_file_with_the_size_and_time_of_before_is_not_read(
    library: Library, read_files: list[str]
) -> None:
    added = library.add()
    assert read_files == []
    assert library.lines == ["unchanged harbour.txt", "unchanged mill.txt"]
    assert added.names == ("harbour.txt", "mill.txt")


def test_verify_reads_every_file(library: Library, read_files: list[str]) -> None:
    """A program may change a file and set its time back."""
    file = library.folder / "mill.txt"
    state = file.stat()
    file.write_text(MILL.replace("rye", "oat"))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    library.add()
    assert read_files == []
    add_files(library.index, [library.folder], library.lines.append, verify=True)
    assert read_files == ["harbour.txt", "mill.txt"]
    document = library.index.document("mill.txt")
    assert document
    assert document.text == "The mill grinds oat.\n"


@pytest.mark.parametrize("change", ["text", "sidecar", "removed", "name"])
def test_changed_file_is_read(library: Library, read_files: list[str], change: str) -> None:
    path = library.folder
    if change == "text":
        library.write("mill.txt", "The mill is closed.\n")
    elif change == "sidecar":
        library.write("mill.txt.meta.json", '{"title": "The mill"}')
    elif change == "removed":
        library.index.remove("mill.txt")
    else:
        # Added by itself it is mill.txt, and below another folder it has another name.
        path = library.folder.parent
    library.add(path)
    assert "mill.txt" in read_files
    read_files.clear()
    library.add(path)
    assert read_files == []


def test_pages_of_a_site_are_read_together(library: Library, read_files: list[str]) -> None:
    """The furniture of a new page shows only beside the other pages."""
    for number in range(2):
        library.write(f"{number}.html", f"<p>Page {number} is about ferries.</p>")
    library.add()
    library.write("2.html", "<p>Page 2 is about bridges.</p>")
    read_files.clear()
    library.add()
    assert read_files == ["0.html", "1.html", "2.html"]


def test_file_that_changes_while_it_is_read_is_read_again(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = load_module.read_file

    def changing(file: Path, data: bytes | None = None) -> ParsedFile:
        parsed = real(file, data)
        if file.name == "new.txt":
            file.write_text("The second text, which is longer.\n")
        return parsed

    file = library.write("new.txt", "The first text.\n")
    with monkeypatch.context() as patched:
        patched.setattr(load_module, "read_file", changing)
        library.add()
    library.add()
    document = library.index.document("new.txt")
    assert document
    assert document.text == file.read_text()
