"""What changes the library: adding, removing, embedding again and rebuilding.

The record makes a document part of the library. It is written after the document's passages and
removed before them, so a crash leaves the library as it was before or as it is after.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from qa.documents.passages import passage_size, split, splitter_name
from qa.errors import IndexMismatchError
from qa.library.records import read_records, record_of, with_unique_name, write_record
from qa.library.store import Store
from qa.models.embedding import Embedder, Vectors
from qa.types import Document, Passage

SCHEMA = "2"
EMBEDDED_AT_ONCE = 64
WRITTEN_AT_ONCE = 256
"""Passages that are written in one turn. Embedding holds no turn: questions are answered meanwhile."""
OnProgress = Callable[[int, int], None]
"""Called with the number of embedded passages and the number of all passages of a document."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What adding a document did, and the name of the document in the library."""

    outcome: Literal["added", "unchanged", "replaced"]
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
        with self._store.current():
            records = read_records(self._store)
            named = with_unique_name(document, records)
            if records.get(document.id) == record_of(named):
                return AddResult("unchanged", named.name)

        passages, vectors = self._embedded(document, on_progress)
        with self._store.readable(), self._store.lock:
            try:
                self._write(passages, vectors, on_progress)
            except BaseException:
                self._undo(document)
                raise

            with self._store.current(), self._store.writable():
                # Read again: another process may have added a document of this name meanwhile.
                records = read_records(self._store)
                named = with_unique_name(document, records)
                write_record(self._store.records, named)
                sweep(self._store, named.id, keep=named.version)
                self._store.changed()

        return AddResult("replaced" if document.id in records else "added", named.name)

    def embed_again(self, document: Document, on_progress: OnProgress) -> None:
        """Embeds and writes the passages of a document of the library again."""
        passages, vectors = self._embedded(document, on_progress)
        with self._store.readable(), self._store.lock:
            try:
                self._write(passages, vectors, on_progress)
            finally:
                # Another process may have removed or replaced the document meanwhile.
                self._undo(document)
            with self._store.current(), self._store.writable():
                self._store.changed()

    def rebuild(self, documents: Sequence[Document]) -> None:
        """Builds a new pair of collections from the documents, then makes it the library."""
        store = self._store
        with store.writable():
            pair = store.make_pair(built_with(self._embedder))
        passage_rows, records = store.pair(pair)

        for document in documents:
            passages, vectors = self._embedded(document, _ignore)
            with store.writable():
                _put(passage_rows, passages, vectors, store.batch_size())
                write_record(records, document)

        with store.writable():
            store.switch(pair)

    def _embedded(
        self, document: Document, on_progress: OnProgress
    ) -> tuple[Sequence[Passage], Sequence[Vectors]]:
        """Splits a document and embeds its passages."""
        embedder = self._embedder
        passages = split(document, embedder.count_tokens, passage_size(embedder.limit))
        vectors: list[Vectors] = []
        for batch in _batches(len(passages), EMBEDDED_AT_ONCE):
            texts = [passage.embedded_text for passage in passages[batch]]
            vectors += [encoding.vector for encoding in embedder.encode(texts)]
            on_progress(len(vectors), len(passages))
        return passages, vectors

    def _write(
        self, passages: Sequence[Passage], vectors: Sequence[Vectors], on_progress: OnProgress
    ) -> None:
        for batch in _batches(len(passages), WRITTEN_AT_ONCE):
            with self._store.current(), self._store.writable():
                rows = self._store.passages
                _put(rows, passages[batch], vectors[batch], self._store.batch_size())
            # Chroma computes without releasing other threads: here a question may go first.
            on_progress(len(passages), len(passages))

    def _undo(self, document: Document) -> None:
        """Deletes the passages of a document that do not belong to its current record."""
        with self._store.current(), self._store.writable():
            record = read_records(self._store).get(document.id)
            sweep(self._store, document.id, keep=record["version"] if record else "")


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
    versions = {key: record["version"] for key, record in read_records(store).items()}
    rows = store.passages.get(include=["metadatas"])
    stale = []
    for key, metadata in zip(rows["ids"], rows["metadatas"] or [], strict=True):
        if versions.get(str(metadata["document"])) != metadata["version"]:
            stale.append(key)
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
        f"Rebuild it: python -m qa rebuild (or set the earlier value again)."
    )


def _put(
    collection: Any, passages: Sequence[Passage], vectors: Sequence[Vectors], size: int
) -> None:
    for batch in _batches(len(passages), size):
        rows = passages[batch]
        collection.upsert(
            ids=[passage.id for passage in rows],
            embeddings=np.stack(vectors[batch]),
            documents=[passage.text for passage in rows],
            metadatas=[_metadata(passage) for passage in rows],
        )


def _metadata(passage: Passage) -> dict[str, Any]:
    return {
        "document": passage.document.id,
        "version": passage.document.version,
        "start": passage.span.start,
        "end": passage.span.end,
    }


def _batches(count: int, size: int) -> Iterator[slice]:
    for first in range(0, count, size):
        yield slice(first, first + size)


def _ignore(_done: int, _total: int) -> None:
    """Reports nothing."""
