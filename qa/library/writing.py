"""What changes the library: adding, removing, embedding again and rebuilding.

The record makes a document part of the library. It is written after the document's passages and
removed before them, so a crash leaves the library as it was before or as it is after.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qa.documents.passages import passage_size, split, splitter_name
from qa.documents.segmentation import segment_untrusted
from qa.errors import IndexMismatchError
from qa.library.records import (
    batches,
    read_passages,
    read_records,
    record_of,
    with_unique_name,
    write_passages,
    write_record,
)
from qa.library.store import Store
from qa.models.embedding import Embedder, Vectors
from qa.types import Document, Passage

SCHEMA = "2"
EMBEDDED_AT_ONCE = 64
WRITTEN_AT_ONCE = 256
"""Passages written in one turn. Embedding holds no turn: questions are answered meanwhile."""
WriteOutcome = Literal["added", "unchanged", "replaced"]
OnProgress = Callable[[int, int], None]
"""Called with the number of embedded passages and the number of all passages of a document."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What adding a document did, and the name of the document in the library."""

    outcome: WriteOutcome
    name: str


def built_with(embedder: Embedder | None) -> dict[str, Any]:
    """Returns the metadata of an index: what its passages are built with."""
    if embedder is None:
        return {"schema": SCHEMA}
    return {
        "schema": SCHEMA,
        "chunking": splitter_name(passage_size(embedder.limit)),
        "embedding": embedder.name,
        "dimension": embedder.dimension,
    }


class Writer:
    """Changes the library of a store, with the embedder that its passages are embedded with."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder

    def add(self, document: Document, on_progress: OnProgress) -> AddResult:
        """Adds a document, or replaces the document from the same source."""
        store = self._store
        with store.current():
            records = read_records(store)
            named = with_unique_name(document, records)
            stored = records.get(document.id)
            if stored == record_of(named):
                return AddResult("unchanged", named.name)

        passages, vectors = self._embedded(document, on_progress)
        with store.readable(), store.lock:
            try:
                self._write(passages, vectors, on_progress)
            except BaseException:
                self._undo(document)
                raise

            with store.current(), store.writable():
                # Read again: another process may have added a document of this name meanwhile.
                records = read_records(store)
                named = with_unique_name(document, records)
                write_record(store.records, named)
                sweep(store, named.id, keep=named.version)
                store.changed()

        outcome: WriteOutcome = "replaced" if document.id in records else "added"
        return AddResult(outcome, named.name)

    def embed_again(self, document: Document, on_progress: OnProgress) -> None:
        """Embeds and writes the passages of a document of the library again."""
        store = self._store
        passages, vectors = self._embedded(document, on_progress)
        with store.readable(), store.lock:
            try:
                self._write(passages, vectors, on_progress)
            finally:
                # Another process may have removed or replaced the document meanwhile.
                self._undo(document)
            with store.current(), store.writable():
                store.changed()

    def rebuild(self, documents: Sequence[Document]) -> None:
        """Builds a new pair of collections from the documents, then makes it the library."""
        store = self._store
        with store.writable():
            pair = store.make_pair(built_with(self._embedder))
        passage_rows, records = store.pair(pair)

        for document in documents:
            passages, vectors = self._embedded(document, ignore_progress)
            with store.writable():
                write_passages(passage_rows, passages, vectors, store.batch_size())
                write_record(records, document)

        with store.writable():
            store.switch(pair)

    def _embedded(
        self,
        document: Document,
        on_progress: OnProgress,
    ) -> tuple[Sequence[Passage], Sequence[Vectors]]:
        """Splits a document and embeds its passages."""
        embedder = self._embedder
        size = passage_size(embedder.limit)
        passages = split(document, segment_untrusted(document), embedder.count_tokens, size)
        vectors: list[Vectors] = []
        for batch in batches(len(passages), EMBEDDED_AT_ONCE):
            texts = [passage.embedded_text for passage in passages[batch]]
            for encoding in embedder.encode(texts):
                vectors.append(encoding.vector)
            on_progress(len(vectors), len(passages))
        return passages, vectors

    def _write(
        self,
        passages: Sequence[Passage],
        vectors: Sequence[Vectors],
        on_progress: OnProgress,
    ) -> None:
        store = self._store
        for batch in batches(len(passages), WRITTEN_AT_ONCE):
            with store.current(), store.writable():
                write_passages(
                    store.passages,
                    passages[batch],
                    vectors[batch],
                    store.batch_size(),
                )
            # Chroma computes without releasing other threads: here a question may go first.
            on_progress(len(passages), len(passages))

    def _undo(self, document: Document) -> None:
        """Deletes the passages of a document that do not belong to its current record."""
        store = self._store
        with store.current(), store.writable():
            record = read_records(store).get(document.id)
            version = record["version"] if record else ""
            sweep(store, document.id, keep=version)


def remove(store: Store, name: str) -> bool:
    """Removes the document of that name; False where there is none."""
    with store.readable(), store.lock, store.current(), store.writable():
        for key, record in read_records(store).items():
            if record["name"] == name:
                store.records.delete(ids=[key])
                sweep(store, key, keep="")
                store.changed()
                return True
    return False


def sweep(store: Store, document_id: str, keep: str) -> None:
    """Deletes the passages of a document that are not of the version `keep`."""
    where: Any = {"$and": [{"document": document_id}, {"version": {"$ne": keep}}]}
    stale = store.passages.get(where=where, include=[])["ids"]
    if stale:
        store.passages.delete(ids=stale)


def sweep_orphans(store: Store) -> None:
    """Deletes the passages that an interrupted change left behind."""
    versions = {}
    for key, record in read_records(store).items():
        versions[key] = record["version"]

    stale = []
    for row in read_passages(store):
        if versions.get(row.document) != row.version:
            stale.append(row.id)
    if stale:
        _log.warning("removing %d passages that an interrupted change left behind", len(stale))
        store.passages.delete(ids=stale)


def adopt_settings(store: Store, embedder: Embedder | None) -> None:
    """Gives an empty library the settings of this embedder.

    Raises IndexMismatchError for a library that has documents and was built with other settings.
    """
    wanted = built_with(embedder)
    actual = store.built_with
    differing = [key for key in wanted if actual.get(key) != wanted[key]]
    if not differing:
        return
    if not read_records(store):
        store.switch(store.make_pair(wanted))
        return

    before = ", ".join(f"{key} {actual.get(key)}" for key in differing)
    now = ", ".join(f"{key} {wanted[key]}" for key in differing)
    raise IndexMismatchError(
        f"The index {store.where} was built with {before}; the settings say {now}. "
        f"Rebuild it: footnote rebuild (or set the earlier value again)."
    )


def ignore_progress(_done: int, _total: int) -> None:
    """Reports nothing."""
