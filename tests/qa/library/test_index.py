"""The index: whole or not at all, and honest about what built it."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock, Timeout
from hypothesis import given

from qa.documents.sentences import segment
from qa.errors import BrokenError, IndexDamagedError, IndexMismatchError, NotWritableError
from qa.library.index import Index
from qa.library.records import EmbeddedPassage
from qa.library.store import Store
from qa.library.word_index import Hit
from qa.library.writing import WRITTEN_AT_ONCE, AddResult
from qa.models.embedding import Encoding, Vectors
from qa.types import Document
from tests.properties import examples
from tests.qa.fakes import WordEmbedder, text_document
from tests.qa.texts import NEWS, texts


class BrokenEmbedder(WordEmbedder):
    """Fails at the n-th text."""

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        raise RuntimeError("out of order")


def _found(index: Index, vector: Vectors) -> list[Hit]:
    """The passages of the library that a search by meaning finds."""
    return index.snapshot().in_order(index.nearest(vector, 9))


def _texts(index: Index) -> dict[str, str]:
    return {document.name: document.text for document in index.documents()}


@pytest.mark.slow
@examples(40)
@given(texts.filter(str.strip))
def test_add_same_document_twice_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """The second adding embeds nothing, and the text is read back exactly."""
    embedder = WordEmbedder()
    index = Index(tmp_path_factory.mktemp("twice") / "index", embedder)
    document = text_document(text)
    assert index.add(document).outcome == "added"
    before, generation = list(embedder.encoded), index.generation
    assert index.add(document).outcome == "unchanged"
    assert (embedder.encoded, index.generation) == (before, generation)
    assert index.documents() == [document]
    assert "".join(passage.text for passage in index.snapshot().all_passages()) == text


def test_add_changed_document_replaces_old_version(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document(NEWS * 3))
    generation = index.generation
    assert index.add(text_document("Short now.")).outcome == "replaced"
    assert _texts(index) == {"a.txt": "Short now."}
    assert len(index.nearest(WordEmbedder().encode(["bridge"])[0].vector, 50)) == 1
    assert index.generation != generation


def test_add_new_title_replaces_document(tmp_path: Path) -> None:
    """The title is part of the embedded text."""
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document("Same text.", title="Old"))
    assert index.add(text_document("Same text.", title="New")).outcome == "replaced"
    assert [document.title for document in index.documents()] == ["New"]


def test_documents_returns_every_field(tmp_path: Path) -> None:
    document = Document("a.md", "/s/a.md", "T", "# T\n\nText.", "P", True, ("Q?",), date="2024-03")
    Index(tmp_path / "index", WordEmbedder()).add(document)
    assert Index(tmp_path / "index").documents() == [document]


def test_add_failing_embedder_leaves_library_unchanged(tmp_path: Path) -> None:
    Index(tmp_path / "index", WordEmbedder()).add(text_document("The first version."))
    with pytest.raises(RuntimeError, match="out of order"):
        Index(tmp_path / "index", BrokenEmbedder()).add(text_document("The second version."))
    assert _texts(Index(tmp_path / "index")) == {"a.txt": "The first version."}


@pytest.mark.parametrize("stopped", [1, 2])
def test_add_interrupted_write_leaves_library_unchanged(tmp_path: Path, stopped: int) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document(NEWS))
    question = WordEmbedder().encode(["bridge"])[0].vector
    generation, before = index.generation, index.nearest(question, 99)
    told: list[int] = []

    def stop(done: int, total: int) -> None:
        told.append(done)
        if told.count(total) > stopped:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.add(text_document("The bridge is long and it is old. " * 12_000), stop)
    assert told[-1] > 2 * WRITTEN_AT_ONCE
    assert (index.generation, index.nearest(question, 99), _texts(index)) == (
        generation,
        before,
        {"a.txt": NEWS},
    )


def test_next_change_deletes_passages_without_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passages that a killed process wrote are not part of the library. Opening leaves them."""
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document("The first version."))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("qa.library.writing.write_records", killed)
        patched.setattr("qa.library.writing.Writer._undo", killed)
        with pytest.raises(KeyboardInterrupt):
            index.add(text_document("The second version."))

    vector = WordEmbedder().encode(["version"])[0].vector
    reopened = Index(tmp_path / "index", WordEmbedder())
    assert len(reopened.nearest(vector, 9)) == 2
    assert _texts(reopened) == {"a.txt": "The first version."}
    assert len(reopened.snapshot().all_passages()) == 1
    reopened.add(text_document("Salt.", "b.txt"))
    assert len(reopened.nearest(vector, 9)) == 2
    assert _texts(reopened) == {"a.txt": "The first version.", "b.txt": "Salt."}


def test_open_by_link_leaves_what_another_adds(tmp_path: Path) -> None:
    """Whichever path leads to the folder, there is one lock, and opening deletes nothing."""
    index = Index(tmp_path / "index", WordEmbedder())
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "index")
    document = text_document("The bridge is long and it is old. " * 2_000)
    opened: list[Index] = []

    def open_by_link(done: int, total: int) -> None:
        if index._store.passages.count():
            opened.append(Index(link))

    index._store.lock = nullcontext()  # as where a file system has no locks
    assert index.add(document, open_by_link).outcome == "added"
    assert _texts(opened[0]) == {"a.txt": document.text}


def test_lock_is_one_file_for_every_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    first = Index(tmp_path / "real" / "index")
    (tmp_path / "index").symlink_to(tmp_path / "real" / "index")
    paths = [
        tmp_path / "index",
        tmp_path / "link" / "index",
        tmp_path / "real" / ".." / "link" / "index",
    ]
    stores = [Index(path)._store for path in paths]
    with first._store.lock:
        for store in stores:
            lock = store.lock
            assert isinstance(lock, FileLock)
            with pytest.raises(Timeout):
                lock.acquire(timeout=0)


def test_add_with_lost_passages_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is never written for passages that are not all there."""
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document("The first version."))

    def lose(done: int, total: int) -> None:
        stored = index._store.passages.get(where={"version": document.version})["ids"]
        if stored:
            index._store.passages.delete(ids=stored[:1])

    document = text_document("The bridge is long and it is old. " * 100)
    with pytest.raises(BrokenError, match=r"a\.txt was not added: \d+ of its \d+ passages"):
        index.add(document, lose)
    assert _texts(index) == {"a.txt": "The first version."}
    assert index._store.passages.count() == 1


def test_index_sees_change_of_another_index(tmp_path: Path) -> None:
    one, other = (
        Index(tmp_path / "index", WordEmbedder()),
        Index(tmp_path / "index", WordEmbedder()),
    )
    generation = other.generation
    one.add(text_document("Some text."))
    assert other.generation != generation
    assert _texts(other) == {"a.txt": "Some text."}


def test_add_taken_name_is_extended_by_folders(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    first = Document("a.txt", "/one/a.txt", "A", "One.")
    second = Document("a.txt", "/two/a.txt", "A", "Two.")
    assert [index.add(document).name for document in (first, second, second)] == [
        "a.txt",
        "two/a.txt",
        "two/a.txt",
    ]
    assert _texts(index) == {"a.txt": "One.", "two/a.txt": "Two."}


def test_remove_deletes_document_and_passages(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document("Some text."))
    assert [index.remove("a.txt"), index.remove("a.txt")] == [True, False]
    assert index.documents() == []
    assert index.nearest(WordEmbedder().encode(["text"])[0].vector, 9) == []


def test_nearest_returns_cosines_best_first(tmp_path: Path) -> None:
    """`documents` restricts the search to their passages."""
    index = Index(tmp_path / "index", WordEmbedder())
    gold, salt = text_document("gold", "g.txt", title=""), text_document("salt", "s.txt", title="")
    for document in (gold, salt):
        index.add(document)
    found = index.nearest(WordEmbedder().encode(["gold"])[0].vector, 9)
    assert [round(hit.score, 4) for hit in found] == [1.0, 0.0]
    assert len(index.nearest(WordEmbedder().encode(["gold"])[0].vector, 9, [salt.id])) == 1
    assert index.nearest(WordEmbedder().encode(["gold"])[0].vector, 9, []) == []


def test_open_with_another_model_names_rebuild(tmp_path: Path) -> None:
    Index(tmp_path / "index", WordEmbedder("one")).add(text_document(NEWS))
    with pytest.raises(IndexMismatchError, match=r"embedding one.*footnote rebuild"):
        Index(tmp_path / "index", WordEmbedder("two"))
    assert Index.rebuild(tmp_path / "index", WordEmbedder("two")) == 1
    assert Index(tmp_path / "index", WordEmbedder("two")).documents() == [text_document(NEWS)]
    with pytest.raises(IndexMismatchError, match="embedding two"):
        Index(tmp_path / "index", WordEmbedder("one"))


def test_open_without_names_in_the_vectors_names_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vectors of an earlier release do not have the names of files and folders."""
    with monkeypatch.context() as patch:
        patch.setattr("qa.library.index_format.splitter_name", lambda size: f"views-{size}")
        Index(tmp_path / "index", WordEmbedder()).add(text_document(NEWS))
    with pytest.raises(IndexMismatchError, match="footnote rebuild"):
        Index(tmp_path / "index", WordEmbedder())
    assert Index.rebuild(tmp_path / "index", WordEmbedder()) == 1


def test_rebuild_failing_embedder_leaves_old_index(tmp_path: Path) -> None:
    Index(tmp_path / "index", WordEmbedder("one")).add(text_document(NEWS))
    with pytest.raises(RuntimeError, match="out of order"):
        Index.rebuild(tmp_path / "index", BrokenEmbedder("two"))
    assert _texts(Index(tmp_path / "index", WordEmbedder("one"))) == {"a.txt": NEWS}
    assert Index.rebuild(tmp_path / "index", WordEmbedder("two")) == 1


@pytest.mark.parametrize("damage", [b"garbage" * 999, b"SQLite format 3\0" + b"\0" * 200])
def test_open_damaged_folder_raises_index_damaged(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "chroma.sqlite3").write_bytes(damage)
    with pytest.raises(IndexDamagedError, match="footnote add"):
        Index(tmp_path / "index", WordEmbedder())


@pytest.mark.slow
def test_open_without_vector_files_raises_index_damaged(tmp_path: Path) -> None:
    """Chroma itself answers from the few that it has not yet put into files."""
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(
        text_document("\n\n".join(f"Paragraph {n} " + "of many words " * 50 for n in range(1500)))
    )
    assert len(index.snapshot().all_passages()) > 1000
    folders = [path for path in (tmp_path / "index").iterdir() if path.is_dir()]
    vectors = [path for path in folders if path.name != "local"]
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    for path in vectors:
        shutil.rmtree(tmp_path / "copy" / path.name)
    with pytest.raises(IndexDamagedError, match=r"footnote add"):
        Index(tmp_path / "copy", WordEmbedder())


def test_open_unwritable_folder_raises_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritableError, match="QA_HOME") as caught:
        Index(tmp_path / "file" / "index", WordEmbedder())
    assert caught.value.exit_code == 3


def _in_another_process(code: str, *arguments: str) -> None:
    """Runs code that finds `Index`, `WordEmbedder`, `text_document` and `arguments`."""
    head = (
        "import sys\nfrom pathlib import Path\nfrom qa.library.index import Index\n"
        "from tests.qa.fakes import WordEmbedder, text_document\narguments = sys.argv[1:]\n"
    )
    subprocess.run(
        [sys.executable, "-c", head + code, *arguments], check=True, cwd=Path(__file__).parents[3]
    )


@pytest.mark.slow
def test_index_sees_every_change_of_another_process(tmp_path: Path) -> None:
    where = str(tmp_path / "index")
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document("The first text.", "a.txt"))
    vector = WordEmbedder().encode(["second words"])[0].vector
    assert len(_found(index, vector)) == 1

    open_index = "index = Index(Path(arguments[0]), WordEmbedder())\n"
    _in_another_process(open_index + "index.add(text_document('Second words.', 'b.txt'))", where)
    assert len(_found(index, vector)) == 2
    _in_another_process(
        open_index + "index.add(text_document('Second words, again.', 'b.txt'))", where
    )
    (best, *_) = _found(index, vector)
    (passage,) = index.snapshot().passages_of([best]).values()
    assert passage.text == "Second words, again."
    _in_another_process("Index.rebuild(Path(arguments[0]), WordEmbedder())", where)
    assert len(_found(index, vector)) == 2
    _in_another_process(open_index + "index.remove('b.txt')", where)
    assert len(_found(index, vector)) == 1
    assert index.add(text_document("The third text.", "c.txt")).outcome == "added"
    assert set(_texts(index)) == {"a.txt", "c.txt"}


def test_empty_library_accepts_any_embedder(
    tmp_path: Path,
) -> None:
    """Listing or rebuilding an empty library does not bind it to a model."""
    assert Index(tmp_path / "index").documents() == []
    assert Index.rebuild(tmp_path / "index", WordEmbedder("one")) == 0
    index = Index(tmp_path / "index", WordEmbedder("two"))
    assert index.add(text_document("Some text.")).outcome == "added"
    assert index.remove("a.txt")
    assert (
        Index(tmp_path / "index", WordEmbedder("three")).add(text_document("Other text.")).outcome
        == "added"
    )


@pytest.mark.parametrize("step", ["_point", "delete_pair"])
def test_rebuild_killed_leaves_old_or_new_library(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Index(tmp_path / "index", WordEmbedder("one")).add(text_document(NEWS))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Store, step, killed)
        with pytest.raises(KeyboardInterrupt):
            Index.rebuild(tmp_path / "index", WordEmbedder("two"))
    assert _texts(Index(tmp_path / "index")) == {"a.txt": NEWS}
    index = Index(tmp_path / "index", WordEmbedder("one" if step == "_point" else "two"))
    index.add(text_document("Salt.", "b.txt"))
    assert len(index._store._names()) == 3


def test_rebuild_reads_an_earlier_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Schema 2 stored no sentences."""
    with monkeypatch.context() as patched:
        patched.setattr("qa.library.index_format.SCHEMA", "2")
        patched.setattr("qa.library.records._metadata", _metadata_of_schema_2)
        Index(tmp_path / "index", WordEmbedder("one")).add(text_document(NEWS))

    with pytest.raises(IndexMismatchError, match=r"schema 2; .* schema 3.*footnote rebuild"):
        Index(tmp_path / "index")
    assert Index.rebuild(tmp_path / "index", WordEmbedder("two")) == 1
    index = Index(tmp_path / "index", WordEmbedder("two"))
    assert index.documents() == [text_document(NEWS)]
    document = text_document(NEWS)
    assert index.snapshot().sentences_of(document) == segment(document)


def test_open_later_schema_never_advises_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("qa.library.index_format.SCHEMA", "4")
        Index(tmp_path / "index", WordEmbedder()).add(text_document(NEWS))
    for attempt in (Index, Index.rebuild):
        with pytest.raises(IndexMismatchError, match="a later version of Footnote") as caught:
            attempt(tmp_path / "index", WordEmbedder())
        assert "rebuild" not in str(caught.value)


def test_snapshot_reads_the_stored_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text is segmented once, when it is added."""
    table = "| Day | Rain |\n|---|---|\n| Monday | 3 mm |\n"
    text = f"# Bridge\n\nBring:\n\n- One item.\n\n{table}\n{NEWS}\n\nWho opened it?\n\n{NEWS}\n\n`code`"
    documents = [
        text_document(text, "a.md", markdown=True),
        text_document(NEWS * 9, "b.txt"),
        text_document(NEWS, "c.txt"),
    ]
    index = Index(tmp_path / "index", WordEmbedder())
    for document in documents:
        index.add(document)

    expected = {document.id: segment(document) for document in documents}
    monkeypatch.setattr("qa.documents.sentences.is_furniture", _never)
    reopened = Index(tmp_path / "index", WordEmbedder())
    for stored in reopened.snapshot().stored_documents():
        assert stored.sentences == expected[stored.document.id]
    kinds = {sentence.kind for sentences in expected.values() for sentence in sentences}
    assert {"heading", "item", "prose", "row"} <= kinds


def _never(*_: object) -> None:
    raise AssertionError("a stored document was segmented again")


def _metadata_of_schema_2(row: EmbeddedPassage) -> dict[str, object]:
    document, span = row.passage.document, row.passage.span
    return {
        "document": document.id,
        "version": document.version,
        "start": span.start,
        "end": span.end,
    }


def test_open_without_database_raises_index_damaged(tmp_path: Path) -> None:
    """A library without its database is not an empty library."""
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document(NEWS))
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    (tmp_path / "copy" / "chroma.sqlite3").write_bytes(b"")
    with pytest.raises(IndexDamagedError, match="missing or empty"):
        Index(tmp_path / "copy", WordEmbedder())


def test_documents_with_changed_text_raises_index_damaged(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document("Some text."))
    stored = index._store.passages.get()
    vectors = np.ones((1, 64), np.float32)
    index._store.passages.update(ids=stored["ids"], documents=["Other."], embeddings=vectors)
    with pytest.raises(IndexDamagedError, match=r"a\.txt"):
        index.documents()


def test_add_keeps_an_extended_name(tmp_path: Path) -> None:
    """The name stays although the document with the short name was removed."""
    index = Index(tmp_path / "index", WordEmbedder())
    first, second = (
        Document("a.txt", "/one/a.txt", "A", "One."),
        Document("a.txt", "/two/a.txt", "A", "Two."),
    )
    index.add(first)
    index.add(second)
    index.remove("a.txt")
    assert index.add(second) == AddResult("unchanged", "two/a.txt")
