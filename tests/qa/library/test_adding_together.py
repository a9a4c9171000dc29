"""Documents that are added together: all in one commit, each with its own result."""

from pathlib import Path

import pytest

from qa.documents.segmentation import segment_untrusted
from qa.documents.sentences import Sentence
from qa.errors import DocumentError
from qa.library.index import Index
from qa.library.writing import Addition, AddResult
from qa.types import Document
from tests.qa.fakes import WordEmbedder, text_document


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index", WordEmbedder())


def _texts(index: Index) -> dict[str, str]:
    return {document.name: document.text for document in index.documents()}


def test_each_document_has_its_own_vectors(index: Index) -> None:
    """They are embedded in the order of their lengths."""
    texts = ["gold", "A long text about salt and the sea. " * 40, "coal and iron", "copper " * 9]
    documents = [text_document(text, f"{n}.txt", title="") for n, text in enumerate(texts)]
    results = index.add_all([Addition(document) for document in documents])
    assert results == [AddResult("added", f"{n}.txt") for n in range(len(texts))]
    snapshot = index.snapshot()
    for passage in snapshot.all_passages():
        vector = WordEmbedder().encode([snapshot.embedded_text(passage)])[0].vector
        best = snapshot.in_order(index.nearest(vector, 9))[0]
        assert best.score == pytest.approx(1, abs=1e-4)
        assert best.document == passage.document.id


def test_each_document_has_its_own_result(index: Index) -> None:
    index.add(text_document("Same.", "same.txt"))
    index.add(text_document("Old.", "old.txt"))
    index.add(text_document("Moved.", "before.txt"))
    generation = index.generation
    results = index.add_all(
        [
            Addition(text_document("Same.", "same.txt")),
            Addition(text_document("New.", "old.txt")),
            Addition(text_document("First.", "first.txt")),
            Addition(text_document("Moved.", "after.txt"), replaces=["before.txt"]),
        ]
    )
    assert results == [
        AddResult("unchanged", "same.txt"),
        AddResult("replaced", "old.txt"),
        AddResult("added", "first.txt"),
        AddResult("moved", "after.txt"),
    ]
    assert index.generation != generation
    assert _texts(index) == {
        "same.txt": "Same.",
        "old.txt": "New.",
        "first.txt": "First.",
        "after.txt": "Moved.",
    }


def test_documents_with_the_same_name_get_different_names(index: Index) -> None:
    documents = [Document("a.txt", f"/{folder}/a.txt", "A", f"In {folder}.") for folder in "xyz"]
    results = index.add_all([Addition(document) for document in documents])
    assert results == [AddResult("added", name) for name in ("a.txt", "y/a.txt", "z/a.txt")]


def test_document_that_cannot_be_cut_leaves_the_others(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def segment(document: Document) -> tuple[Sentence, ...]:
        if document.name == "b.txt":
            raise DocumentError("b.txt cannot be cut.")
        return segment_untrusted(document)

    monkeypatch.setattr("qa.library.writing.segment_untrusted", segment)
    documents = [text_document(f"Text {name}.", f"{name}.txt") for name in "abc"]
    first, second, third = index.add_all([Addition(document) for document in documents])
    assert (first, third) == (AddResult("added", "a.txt"), AddResult("added", "c.txt"))
    assert isinstance(second, DocumentError)
    assert set(_texts(index)) == {"a.txt", "c.txt"}


@pytest.mark.parametrize("step", ["write_records", "require_complete"])
def test_interrupted_addition_adds_none(
    index: Index, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    index.add(text_document("Old.", "a.txt"))
    documents = [text_document(f"New {name}.", f"{name}.txt") for name in "abc"]
    with monkeypatch.context() as patched:
        patched.setattr(f"qa.library.writing.{step}", interrupted)
        with pytest.raises(KeyboardInterrupt):
            index.add_all([Addition(document) for document in documents])
    assert _texts(index) == {"a.txt": "Old."}
    assert index.passage_count() == 1


def test_nothing_to_add_changes_nothing(index: Index) -> None:
    generation = index.generation
    assert index.add_all([]) == []
    assert index.generation == generation
