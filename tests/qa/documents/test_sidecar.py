"""What the file next to a document may say, and how much of it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from qa.documents.load import load
from qa.documents.sidecar import MAX_EXAMPLES, MAX_TEXT
from qa.types import Document


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Returns a document in a folder of its own."""
    folder = tmp_path / "added"
    folder.mkdir()
    file = folder / "a.txt"
    file.write_text("Text.")
    return file


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.meta.json")


def _document(file: Path) -> Document:
    (document,) = load([file.parent]).documents
    return document


def test_load_sidecar_sets_title_publisher_examples(file: Path) -> None:
    _beside(file).write_text('{"title": "T", "publisher": "P", "examples": ["Q?"]}')
    document = _document(file)
    assert (document.title, document.publisher, document.examples) == ("T", "P", ("Q?",))


def test_load_sidecar_sets_date(file: Path) -> None:
    """It counts before the date in the text and in the name."""
    file.write_text("Last updated: 3 May 2020\n\nText.")
    assert _document(file).date == "2020-05-03"
    _beside(file).write_text('{"date": "11 March 2024"}')
    assert _document(file).date == "2024-03-11"


@pytest.mark.parametrize(
    "values",
    [
        [],
        {"date": "soon"},
        {"date": 2024},
        {"title": 3},
        {"examples": "Q?"},
        {"examples": [1]},
        {"title": "x" * (MAX_TEXT + 1)},
        {"publisher": "x" * (MAX_TEXT + 1)},
        {"examples": ["x" * (MAX_TEXT + 1)]},
        {"examples": ["x"] * (MAX_EXAMPLES + 1)},
    ],
)
def test_load_bad_sidecar_is_named(file: Path, values: Any) -> None:
    _beside(file).write_text(json.dumps(values))
    (failure,) = load([file.parent]).failures
    assert "a.txt.meta.json must contain" in str(failure)
    assert "at most 300 characters" in str(failure)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 200_000])
def test_load_sidecar_that_is_not_json_is_named(file: Path, content: bytes) -> None:
    _beside(file).write_bytes(content)
    (failure,) = load([file.parent]).failures
    assert "a.txt.meta.json is not valid JSON" in str(failure)


@pytest.mark.parametrize("added", ["file", "folder"])
def test_load_sidecar_link_out_of_folder_not_read(file: Path, added: str) -> None:
    """The rule of documents: a link does not bring in what was not added."""
    secret = file.parent.parent / "secret.json"
    secret.write_text('{"title": "Secret"}')
    _beside(file).symlink_to(secret)
    (document,) = load([file if added == "file" else file.parent]).documents
    assert document.title != "Secret"

    _beside(file).unlink()
    secret.rename(file.parent / "inside.data")
    _beside(file).symlink_to(file.parent / "inside.data")
    assert _document(file).title == "Secret"


def test_load_sidecar_that_is_a_pipe_is_ignored(file: Path) -> None:
    os.mkfifo(_beside(file))
    assert _document(file).title == "a"


def test_load_longest_name_has_no_sidecar(file: Path) -> None:
    """The name of its sidecar would be longer than a name can be."""
    longest = file.rename(file.with_name("a" * 251 + ".txt"))
    assert _document(longest).text == "Text."
