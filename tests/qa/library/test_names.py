"""The names of documents in a library: unique, and stable."""

from pathlib import Path

import pytest

from qa.library.index import Index
from qa.library.names import with_unique_name
from qa.types import Document
from tests.qa.fakes import WordEmbedder


def _named(documents: list[Document]) -> list[str]:
    """Returns the names that the documents get, added in this order."""
    given: dict[str, str] = {}
    names = []
    for document in documents:
        others = {name for key, name in given.items() if key != document.id}
        named = with_unique_name(document, given.get(document.id), others.__contains__)
        given[document.id] = named.name
        names.append(named.name)
    return names


def test_uploaded_names_taken_by_files_get_numbers(tmp_path: Path) -> None:
    """An upload has no more folders that could extend its name."""
    index = Index(tmp_path / "index", WordEmbedder())
    upload = Document("a.txt", "uploads/a.txt", "A", "Three.")
    documents = [
        Document("a.txt", "/docs/a.txt", "A", "One."),
        Document("uploads/a.txt", "/docs/uploads/a.txt", "A", "Two."),
        upload,
        upload,
    ]
    names = [index.add(document).name for document in documents]
    assert names == ["a.txt", "uploads/a.txt", "uploads/a (2).txt", "uploads/a (2).txt"]
    assert index.remove("uploads/a.txt")
    assert {document.source for document in index.documents()} == {"/docs/a.txt", "uploads/a.txt"}


@pytest.mark.parametrize("name", ["[1].txt", "*.txt", "a (2).txt", "README"])
def test_extended_name_is_kept(name: str) -> None:
    """A name is no pattern: signs that a pattern would use are compared as they are."""
    second = Document(name, f"/two/{name}", "A", "Two.")
    documents = [Document(name, f"/one/{name}", "A", "One."), second, second]
    assert _named(documents) == [name, f"two/{name}", f"two/{name}"]


def test_name_of_another_file_is_not_kept() -> None:
    """`?.txt` names one file, and `two/b.txt` is another name."""
    previous = Document("two/b.txt", "/two/?.txt", "A", "One.")
    assert _named([previous, Document("?.txt", "/two/?.txt", "A", "One.")])[1] == "?.txt"


def test_numbers_are_counted_until_the_name_is_free() -> None:
    documents = [
        Document("uploads/a", "/1/uploads/a", "A", "One."),
        Document("uploads/a (2)", "/2/uploads/a (2)", "A", "Two."),
        Document("uploads/a", "uploads/a", "A", "Three."),
    ]
    assert _named(documents)[2] == "uploads/a (3)"
