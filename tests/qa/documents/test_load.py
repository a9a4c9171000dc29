"""Files become documents, or a failure that says why."""

import errno
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.documents.load import MAX_BYTES, load
from tests.properties import examples
from tests.qa.files import docx, lines, paragraph, pdf
from tests.qa.texts import PIECES


def _why(path: Path) -> str:
    (failure,) = load([path]).failures
    return str(failure)


@examples(100)
@given(st.lists(st.sampled_from([*PIECES, "\r\n", "\r"]), max_size=10).map("".join))
def test_load_text_exact_but_line_ends(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("own") / "a.md"
    file.write_bytes(f"Begin. {text}".encode())
    (document,) = load([file]).documents
    assert document.text == f"Begin. {text}".replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_load_byte_order_mark_sets_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_text("Ça va.", encoding=encoding)
    assert load([tmp_path]).documents[0].text == "Ça va."


def test_load_id_from_source_version_from_text(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("Same words.")
    second.write_text("Same words.")
    one, other = load([tmp_path]).documents
    assert (one.id != other.id, one.version) == (True, other.version)
    first.write_text("Other words.")
    assert (load([first]).documents[0].id, load([first]).documents[0].version != one.version) == (
        one.id,
        True,
    )


def test_load_folder_names_are_paths_below(tmp_path: Path) -> None:
    """Hidden files and files of other types are left out."""
    for name in ("b.txt", "deep/er/a.MD", ".hidden/c.txt", ".d.txt", "e.png", "e.txt.meta.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"title": "x"}')
    assert [document.name for document in load([tmp_path]).documents] == ["b.txt", "deep/er/a.MD"]


def test_load_link_out_of_folder_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("Secret.")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("Open.")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert [document.name for document in load([folder]).documents] == ["a.txt"]


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("a.md", "Text first.\n\n## Later\n\n# The *title* #\n", "The *title*"),
        (
            "b.md",
            "---\nlayout: post\n---\n\n```\n# install\n```\n\nThe title\n=========\n",
            "The title",
        ),
        ("a.txt", "\nA headline without an end\nText.", "A headline without an end"),
        ("notes.txt", "This first line is a sentence.\nAnd more.", "notes"),
    ],
)
def test_load_title_from_text_else_file_name(
    tmp_path: Path, name: str, content: str, title: str
) -> None:
    (tmp_path / name).write_text(content)
    assert load([tmp_path]).documents[0].title == title


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "binary"),
        (b"text\x00text", "binary"),
        (b"caf\xe9 au lait", "not valid UTF-8 (byte 3)"),
    ],
)
def test_load_not_text_failure_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "bad.txt").write_bytes(content)
    assert reason in _why(tmp_path / "bad.txt")
    assert "bad.txt" in _why(tmp_path / "bad.txt")


def test_load_missing_unknown_empty_failure_says_why(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.png").write_text("x")
    assert "does not exist" in _why(tmp_path / "nowhere")
    assert "cannot read files of this type" in _why(tmp_path / "a.png")
    assert "holds no file that can be read" in _why(tmp_path)


def test_load_too_large_file_refused(tmp_path: Path) -> None:
    with (tmp_path / "big.txt").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "larger than 50 MB" in _why(tmp_path)


def test_load_bad_file_others_still_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Good.")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\xfa")
    loaded = load([tmp_path / "missing.txt", tmp_path])
    assert [document.name for document in loaded.documents] == ["a.txt"]
    assert len(loaded.failures) == 2


def test_load_unreadable_in_folder_others_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that cannot be listed, and a file that cannot be looked at, are a failure each."""
    for name in ("a.txt", "closed/b.txt", "names/c.txt", "z.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Text.")
    scandir, is_file = os.scandir, Path.is_file
    denied = PermissionError(errno.EACCES, "Permission denied")

    def closed_scandir(path: Path) -> Any:
        if path.name == "closed":
            raise denied
        return scandir(path)

    def closed_is_file(path: Path) -> bool:
        if path.name == "c.txt":
            raise denied
        return is_file(path)

    monkeypatch.setattr(os, "scandir", closed_scandir)
    monkeypatch.setattr(Path, "is_file", closed_is_file)
    loaded = load([tmp_path])
    assert [document.name for document in loaded.documents] == ["a.txt", "z.txt"]
    assert [str(failure) for failure in loaded.failures] == [
        f"{tmp_path / 'closed'} cannot be read: Permission denied.",
        f"{tmp_path / 'names' / 'c.txt'} cannot be read: Permission denied.",
    ]


def test_load_very_deep_folder_is_read(tmp_path: Path) -> None:
    """A system allows paths that are deeper than Python's stack."""
    here = os.open(tmp_path, os.O_RDONLY)
    levels = (3900 - len(str(tmp_path))) // 2
    try:
        for _ in range(levels):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        with os.fdopen(os.open("a.txt", os.O_CREAT | os.O_WRONLY, dir_fd=here), "w") as file:
            file.write("Text.")
    finally:
        os.close(here)
    try:
        (document,) = load([tmp_path]).documents
    finally:
        # Python 3.11 itself, and so pytest, cannot remove folders that are so deep.
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)
    assert document.name == "d/" * levels + "a.txt"


def test_load_growing_file_is_read_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has grown since its size was looked at."""
    (tmp_path / "a.txt").write_text("x" * 300)
    monkeypatch.setattr("qa.documents.load.MAX_BYTES", 200)
    monkeypatch.setattr(os, "fstat", lambda _: os.stat_result([0o100644] + [0] * 9))
    assert "larger than" in _why(tmp_path / "a.txt")


def test_load_link_next_to_file_same_source(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    assert [document.name for document in load([tmp_path]).documents] == ["a.txt"]


@pytest.mark.slow
def test_load_folder_every_type_despite_bad_file(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf([lines("From a PDF.")]))
    (tmp_path / "b.docx").write_bytes(docx(paragraph("From a DOCX.")))
    (tmp_path / "c.HTML").write_text("<p>From a page.</p>")
    (tmp_path / "d.pdf").write_text("no PDF")
    (tmp_path / "~$b.docx").write_text("Word's own note")
    loaded = load([tmp_path])
    assert [d.text for d in loaded.documents] == ["From a PDF.", "From a DOCX.", "From a page."]
    assert [str(failure).startswith(str(tmp_path / "d.pdf")) for failure in loaded.failures] == [
        True
    ]
