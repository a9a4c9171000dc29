"""The local index follows the library, and can be lost without loss."""

import shutil
import sqlite3
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from qa.errors import BrokenError, DocumentError
from qa.library import follower, local_index, records, writing
from qa.library.index import Index
from qa.library.search import retrieve
from qa.library.store import Store
from tests.qa.fakes import WordEmbedder, text_document


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    index = Index(tmp_path / "index", WordEmbedder())
    for name in ("gold", "salt", "coal"):
        index.add(text_document(f"The {name} mine opened.", f"{name}.txt"))
    assert _found(index, "gold") == ["gold.txt"]
    return tmp_path / "index"


def _found(index: Index, question: str) -> list[str]:
    """Returns the names of the documents that share a word with the question, best first."""
    vector = WordEmbedder().encode([question])[0].vector
    ranked = retrieve(question, vector, index.snapshot(), index.nearest, top_k=9)
    return [row.passage.document.name for row in ranked if row.why.lexical_rank]


def _delete_all(folder: Path) -> None:
    shutil.rmtree(folder / "local")


def _delete_words(folder: Path) -> None:
    shutil.rmtree(folder / "local" / "words")


def _damage_words(folder: Path) -> None:
    for file in (folder / "local" / "words").iterdir():
        file.write_bytes(b"garbage")


def _write_garbage(folder: Path) -> None:
    for file in (folder / "local").glob("catalog.sqlite3*"):
        file.unlink()
    (folder / "local" / "catalog.sqlite3").write_bytes(b"no database" * 999)


def _change_format(folder: Path) -> None:
    with sqlite3.connect(folder / "local" / "catalog.sqlite3") as database:
        database.execute("UPDATE about SET value = '0' WHERE key = 'format'")
    database.close()


@pytest.mark.parametrize(
    "lose", [_delete_all, _delete_words, _damage_words, _write_garbage, _change_format]
)
def test_lost_local_index_is_made_again(folder: Path, lose: Callable[[Path], None]) -> None:
    lose(folder)
    index = Index(folder, WordEmbedder())
    assert _found(index, "salt") == ["salt.txt"]
    assert [entry.name for entry in index.entries()] == ["coal.txt", "gold.txt", "salt.txt"]
    index.remove("salt.txt")
    assert _found(index, "salt") == []


def test_two_indexes_see_the_changes_of_each_other(folder: Path) -> None:
    first, second = Index(folder, WordEmbedder()), Index(folder, WordEmbedder())
    first.add(text_document("The iron mine opened.", "iron.txt"))
    assert _found(second, "iron") == ["iron.txt"]
    second.add(text_document("The copper mine opened.", "iron.txt"))
    assert _found(first, "iron") == ["iron.txt"]
    assert _found(first, "copper") == ["iron.txt"]
    second.remove("iron.txt")
    assert _found(first, "copper") == []


def test_change_that_the_catalog_missed_is_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process was killed after the library had the document."""
    index = Index(folder, WordEmbedder())
    with monkeypatch.context() as patched:
        patched.setattr(follower.Follower, "apply", lambda *_: None)
        index.add(text_document("The iron mine opened.", "iron.txt"))
        index.remove("gold.txt")
    assert _found(index, "iron") == ["iron.txt"]
    assert _found(index, "gold") == []


def test_catalog_that_cannot_take_over_a_change_leaves_the_document_added(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    index = Index(folder, WordEmbedder())
    with monkeypatch.context() as patched:
        patched.setattr("qa.library.catalog.Catalog.put", fail)
        assert index.add(text_document("The iron mine opened.", "iron.txt")).outcome == "added"
    assert "does not have the last change yet" in caplog.text
    assert _found(index, "iron") == ["iron.txt"]


@pytest.mark.parametrize("change", ["add", "replace", "remove"])
def test_process_killed_between_record_and_generation_leaves_nothing_stale(
    folder: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is in the library, and nobody has said so."""
    index = Index(folder, WordEmbedder())
    iron = "The iron mine opened."
    changes: dict[str, Callable[[], object]] = {
        "add": lambda: index.add(text_document(iron, "iron.txt")),
        "replace": lambda: index.add(text_document(iron, "gold.txt")),
        "remove": lambda: index.remove("gold.txt"),
    }

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write_generation", killed)
        with pytest.raises(KeyboardInterrupt):
            changes[change]()

    for reader in (Index(folder, WordEmbedder()), index):
        texts = {document.name: document.text for document in reader.documents()}
        for entry in reader.entries():
            document = reader.document(entry.name)
            assert document
            assert document.text == texts.pop(entry.name)
        assert texts == {}
        expected = {"add": ["iron.txt"], "replace": ["gold.txt"], "remove": []}
        assert _found(reader, "iron") == expected[change]
    # The next question does not compare the records again.
    assert not reader._store.is_changing


def test_copying_beside_another_process_ends_with_the_latest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process adds a document after this process has read the records."""
    other, index = Index(folder, WordEmbedder()), Index(folder, WordEmbedder())
    _delete_all(folder)
    real = records.read_stored
    calls: list[int] = []

    def reading(store: Store, ids: list[str]) -> Any:
        calls.append(len(ids))
        if len(calls) == 1:
            other.add(text_document("The iron mine opened.", "iron.txt"))
        return real(store, ids)

    monkeypatch.setattr(follower, "read_stored", reading)
    reopened = Index(folder, WordEmbedder())
    assert _found(reopened, "gold") == ["gold.txt"]
    assert _found(reopened, "iron") == ["iron.txt"]
    assert _found(Index(folder, WordEmbedder()), "iron") == ["iron.txt"]
    del index


def test_copying_that_is_interrupted_is_repeated(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _delete_all(folder)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(follower, "read_stored", killed)
        with pytest.raises(KeyboardInterrupt):
            Index(folder, WordEmbedder()).entries()
    assert _found(Index(folder, WordEmbedder()), "salt") == ["salt.txt"]


def test_document_that_is_removed_while_a_question_is_answered_is_named(folder: Path) -> None:
    index = Index(folder, WordEmbedder())
    snapshot = index.snapshot()
    entries = list(snapshot.entries)
    Index(folder, WordEmbedder()).remove("gold.txt")
    index.entries()
    gone = next(entry for entry in entries if entry.name == "gold.txt")
    with pytest.raises(DocumentError, match="Ask again"):
        snapshot.stored(gone.id)


def test_rebuilt_library_is_read_again(folder: Path) -> None:
    """The records are equal, and the passages may be cut in another way."""
    index = Index(folder, WordEmbedder())
    assert _found(index, "gold") == ["gold.txt"]
    pair = index._follower.local().catalog.pair
    Index.rebuild(folder, WordEmbedder())
    assert _found(index, "gold") == ["gold.txt"]
    assert index._follower.local().catalog.pair != pair


def test_snapshot_keeps_a_document_that_it_has_read(folder: Path) -> None:
    """Another process replaces it while a question is answered."""
    index = Index(folder, WordEmbedder())
    snapshot = index.snapshot()
    document = snapshot.document_named("gold.txt")
    Index(folder, WordEmbedder()).add(text_document("The gold mine closed.", "gold.txt"))
    assert snapshot.document_named("gold.txt") == document
    assert snapshot.sentences_of(document)
    assert index.snapshot().document_named("gold.txt").text == "The gold mine closed."


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was read of the library as a whole."""
    walked: list[str] = []

    def watch(module: ModuleType, name: str, choice: str) -> None:
        """Notes the calls of a function without `choice`, the ids that it is restricted to."""
        real = getattr(module, name)

        def watching(*arguments: Any, **options: Any) -> Any:
            chosen = signature(real).bind(*arguments, **options).arguments.get(choice)
            if chosen is None:
                walked.append(name)
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, watching)

    for module in (follower, writing, records):
        watch(module, "read_records", choice="ids")
    for module in (writing, records):
        watch(module, "read_passages", choice="documents")
    return walked


def test_nothing_walks_the_library(folder: Path, walks: list[str]) -> None:
    """Neither opening, nor a question, nor a change, nor the question after it."""
    index = Index(folder, WordEmbedder())
    assert _found(index, "gold") == ["gold.txt"]
    index.add(text_document("The iron mine opened.", "iron.txt"))
    index.add(text_document("The iron mine closed.", "iron.txt"))
    assert _found(index, "iron") == ["iron.txt"]
    index.remove("iron.txt")
    assert index.add(text_document("The gold mine opened.", "gold.txt")).outcome == "unchanged"
    assert _found(index, "mine") == ["coal.txt", "gold.txt", "salt.txt"]
    assert walks == []
    index.documents()
    assert walks == ["read_records", "read_passages"]


def test_few_documents_stay_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_index, "MAX_CACHED", 50)
    index = Index(folder, WordEmbedder())
    for name in ("gold", "salt", "coal"):
        assert _found(index, name) == [f"{name}.txt"]
    # Two of these texts have less than 50 characters, and three have more.
    assert len(index._follower.local()._cached) == 2


def test_quote_is_counted_in_all_documents(folder: Path) -> None:
    index = Index(folder, WordEmbedder())
    index.add(text_document("Gold.\nThe gold mine opened.", "again.txt"))
    assert index.occurrences("The gold mine opened.") == 2
    assert index.occurrences("The salt mine opened.") == 1
    assert index.occurrences("the Salt mine") == 0


def test_document_is_read_by_its_name(folder: Path) -> None:
    index = Index(folder)
    document = index.document("gold.txt")
    assert document
    assert document.text == "The gold mine opened."
    assert index.document("iron.txt") is None


def test_failing_word_index_says_what_helps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a segment is damaged")

    index = Index(folder, WordEmbedder())
    monkeypatch.setattr("qa.library.word_index.WordIndex.search", fail)
    with pytest.raises(BrokenError, match="delete this folder and start Footnote again"):
        _found(index, "gold")
