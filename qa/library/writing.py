"""What changes the library: adding, removing, embedding again and rebuilding.

The record makes a document part of the library. It is written after the document's passages and
removed before them, so a crash leaves the library as it was before or as it is after.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from qa.documents.passages import passage_size, split
from qa.documents.segmentation import segment_untrusted
from qa.documents.views import embedded_text, view_of
from qa.errors import IndexMismatchError
from qa.library.index_format import SCHEMA, IndexFormat
from qa.library.names import with_unique_name
from qa.library.records import (
    EmbeddedPassage,
    Record,
    batches,
    furniture_of,
    read_passages,
    read_records,
    record_of,
    require_complete,
    write_passages,
    write_record,
)
from qa.library.snapshot import sentences_in
from qa.library.store import Store
from qa.models.embedding import Embedder
from qa.types import Document

EMBEDDED_AT_ONCE = 64
WRITTEN_AT_ONCE = 256
"""Passages written in one turn. Embedding holds no turn: questions are answered meanwhile."""
ROOM = 1 << 18
"""Bytes kept free for one turn of writing, however few passages it has."""
ROOM_PER_PASSAGE = 24 << 10
"""Bytes kept free as well for each passage of one turn."""
WriteOutcome = Literal["added", "unchanged", "replaced", "moved"]
"""What adding a document did. "moved": it took the place of a document with the same text."""
OnProgress = Callable[[int, int], None]
"""Called with the number of embedded passages and the number of all passages of a document."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What adding a document did, and the name of the document in the library."""

    outcome: WriteOutcome
    name: str


class Writer:
    """Changes the library of a store, with the embedder that its passages are embedded with."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder

    def add(
        self, document: Document, on_progress: OnProgress, replaces: Collection[str] = ()
    ) -> AddResult:
        """Adds a document, or replaces the document from the same source.

        `replaces`: the names of documents whose place it takes. They are removed with its commit.
        """
        store = self._store
        records = store.read_with_retry(lambda: read_records(store))
        replaced = _keys_of(replaces, records, document)
        stored = records.get(document.id)
        document = _with_stored_furniture(document, stored)
        named = with_unique_name(document, _without(records, replaced))
        if stored == record_of(named) and not replaced:
            return AddResult("unchanged", named.name)

        # The name in the library is part of what is embedded.
        passages = self._embedded(named, on_progress)
        with store.translated_errors(), store.lock:
            self._prepare(passages)
            try:
                self._write(passages, on_progress)
                name = store.retry_with_reserve(lambda: self._commit(document, passages, replaces))
            except BaseException:
                store.retry_with_reserve(lambda: self._undo(document))
                raise
        if replaced:
            return AddResult("moved", name)
        return AddResult("replaced" if stored else "added", name)

    def embed_again(self, document: Document, on_progress: OnProgress) -> None:
        """Embeds and writes the passages of a document of the library again."""
        store = self._store
        passages = self._embedded(document, on_progress)
        with store.translated_errors(), store.lock:
            self._prepare(passages)
            try:
                self._write(passages, on_progress)
            finally:
                # Another process may have removed or replaced the document meanwhile.
                store.retry_with_reserve(lambda: self._undo(document))
            with store.refreshed(), store.exclusive_write():
                store.write_generation()

    def rebuild(self, documents: Sequence[Document]) -> None:
        """Builds a new pair of collections from the documents, then makes it the library."""
        store = self._store
        with store.exclusive_write():
            pair = store.make_pair(IndexFormat.of_embedder(self._embedder))
            try:
                for document in documents:
                    self._copy(document, pair)
            except BaseException:
                store.retry_with_reserve(lambda: self._delete_pair(pair))
                raise
            store.switch(pair)

    def _embedded(
        self,
        document: Document,
        on_progress: OnProgress,
    ) -> list[EmbeddedPassage]:
        """Splits a document and embeds its passages."""
        embedder = self._embedder
        size = passage_size(embedder.limit)
        sentences = segment_untrusted(document)
        passages = split(document, sentences, embedder.count_tokens, size)
        embedded: list[EmbeddedPassage] = []
        for batch in batches(len(passages), EMBEDDED_AT_ONCE):
            texts = []
            for passage in passages[batch]:
                view = view_of(passage, sentences_in(passage, sentences))
                texts.append(embedded_text(passage, view))
            encodings = embedder.encode(texts)
            for passage, encoding in zip(passages[batch], encodings, strict=True):
                row = EmbeddedPassage.of(passage, encoding.vector, sentences)
                embedded.append(row)
            on_progress(len(embedded), len(passages))
        return embedded

    def _prepare(self, passages: Sequence[EmbeddedPassage]) -> None:
        """Begins a change: deletes leftovers, adopts the embedder's format and reserves space."""
        store = self._store
        with store.refreshed(), store.exclusive_write():
            delete_leftovers(store)
            adopt_format(store, self._embedder)
        store.grow_reserve(room_for(len(passages)))

    def _write(
        self,
        passages: Sequence[EmbeddedPassage],
        on_progress: OnProgress,
    ) -> None:
        store = self._store
        for batch in batches(len(passages), WRITTEN_AT_ONCE):
            with store.refreshed(), store.exclusive_write():
                write_passages(store.passages, passages[batch], store.batch_size())
            # Chroma computes without releasing other threads: here a question may go first.
            on_progress(len(passages), len(passages))

    def _commit(
        self,
        document: Document,
        passages: Sequence[EmbeddedPassage],
        replaces: Collection[str],
    ) -> str:
        """Makes the written passages a document of the library and returns the document's name."""
        store = self._store
        with store.refreshed(), store.exclusive_write():
            # Read again: another process may have added a document of this name meanwhile.
            records = read_records(store)
            replaced = _keys_of(replaces, records, document)
            named = with_unique_name(document, _without(records, replaced))
            require_complete(store.passages, named, passages)
            write_record(store.records, named)
            delete_old_passages(store, named.id, keep=named.version)
            # After its record: a crash in between leaves the text twice, and not nowhere.
            _delete_replaced(store, replaced)
            store.write_generation()
        return named.name

    def _copy(self, document: Document, pair: str) -> None:
        """Embeds a document of the library and writes it into another pair of collections."""
        store = self._store
        passage_rows, records = store.pair(pair)
        passages = self._embedded(document, ignore_progress)
        store.grow_reserve(room_for(len(passages)))
        write_passages(passage_rows, passages, min(WRITTEN_AT_ONCE, store.batch_size()))
        require_complete(passage_rows, document, passages)
        write_record(records, document)

    def _delete_pair(self, pair: str) -> None:
        with self._store.refreshed():
            self._store.delete_pair(pair)

    def _undo(self, document: Document) -> None:
        """Deletes the passages of a document that do not belong to its current record."""
        store = self._store
        with store.refreshed(), store.exclusive_write():
            record = read_records(store).get(document.id)
            version = record["version"] if record else ""
            delete_old_passages(store, document.id, keep=version)


def _keys_of(
    names: Collection[str], records: Mapping[str, Record], document: Document
) -> list[str]:
    """Returns the ids of the documents of these names, without that of `document`."""
    keys = []
    for key, record in records.items():
        if record["name"] in names and key != document.id:
            keys.append(key)
    return keys


def _without(records: Mapping[str, Record], keys: Collection[str]) -> dict[str, Record]:
    return {key: record for key, record in records.items() if key not in keys}


def delete_document(store: Store, name: str) -> bool:
    """Deletes the document of that name; False where there is none."""
    with store.translated_errors(), store.lock:
        with store.refreshed():
            records = read_records(store)
        for key, record in records.items():
            if record["name"] == name:
                store.retry_with_reserve(partial(_delete, store, key))
                return True
    return False


def _delete_replaced(store: Store, keys: Collection[str]) -> None:
    for key in keys:
        store.records.delete(ids=[key])
        delete_old_passages(store, key, keep="")


def _delete(store: Store, key: str) -> None:
    with store.refreshed(), store.exclusive_write():
        store.records.delete(ids=[key])
        delete_old_passages(store, key, keep="")
        store.write_generation()


def delete_old_passages(store: Store, document_id: str, keep: str) -> None:
    """Deletes the passages of a document that are not of the version `keep`."""
    where: Any = {"$and": [{"document": document_id}, {"version": {"$ne": keep}}]}
    stale = store.passages.get(where=where, include=[])["ids"]
    if stale:
        store.passages.delete(ids=stale)


def delete_leftovers(store: Store) -> None:
    """Deletes, once in a process, what interrupted changes left behind. Needs the lock.

    Nothing is deleted on a server, where another machine may be adding it. Searches ignore it, and
    a rebuild leaves it out.
    """
    if store.has_deleted_leftovers:
        return
    store.delete_leftover_pairs()
    _delete_leftover_passages(store)
    store.has_deleted_leftovers = True


def _delete_leftover_passages(store: Store) -> None:
    versions = {}
    for key, record in read_records(store).items():
        versions[key] = record["version"]

    stale = []
    for row in read_passages(store):
        if versions.get(row.document) != row.version:
            stale.append(row.id)
    if stale:
        _log.warning("deleting %d passages that an interrupted change left behind", len(stale))
        store.passages.delete(ids=stale)


def require_format(store: Store, embedder: Embedder | None) -> None:
    """Raises IndexMismatchError for a library that was built in another format.

    An empty library accepts any format.
    """
    require_known_schema(store)
    stored = store.index_format
    needed = IndexFormat.of_embedder(embedder)
    differing = needed.differences(stored)
    if differing and read_records(store):
        raise IndexMismatchError(
            f"The index {store.shown} was built with {stored.described(differing)}; this "
            f"installation needs {needed.described(differing)}. "
            f"Rebuild it: footnote rebuild (or set the earlier value again)."
        )


def require_known_schema(store: Store) -> None:
    """Raises IndexMismatchError for a library that a later release has written."""
    stored = store.index_format
    if stored.is_of_later_version:
        raise IndexMismatchError(
            f"The index {store.shown} was written by a later version of Footnote: its schema is "
            f"{stored.schema}, and this version reads up to {SCHEMA}. Install the later version "
            f"again, or set QA_HOME to another folder."
        )


def adopt_format(store: Store, embedder: Embedder) -> None:
    """Gives an empty library the format of this embedder. Raises as `require_format`."""
    require_format(store, embedder)
    needed = IndexFormat.of_embedder(embedder)
    if needed.differences(store.index_format):
        store.switch(store.make_pair(needed))


def room_for(passages: int) -> int:
    """Returns how many bytes to keep free while so many passages are written."""
    return ROOM + ROOM_PER_PASSAGE * min(passages, WRITTEN_AT_ONCE)


def _with_stored_furniture(document: Document, stored: Record | None) -> Document:
    """Returns the document with the page furniture that is known of its text.

    A page that is added by itself has no other page that would show its furniture.
    """
    is_known = stored is not None and stored["version"] == document.version
    if stored is None or not is_known or document.furniture:
        return document
    return replace(document, furniture=furniture_of(stored))


def ignore_progress(_done: int, _total: int) -> None:
    """Reports nothing."""
