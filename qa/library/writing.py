"""What changes the library: adding, removing, embedding again and rebuilding.

The record makes a document part of the library. It is written after the document's passages and
removed before them, so a crash leaves the library as it was before or as it is after.
"""

import json
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from qa.documents.passages import passage_size, split
from qa.documents.segmentation import segment_untrusted
from qa.errors import DocumentError, IndexMismatchError
from qa.library.catalog import Catalog
from qa.library.follower import Follower
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
    write_records,
)
from qa.library.store import Store
from qa.library.stored_document import StoredDocument
from qa.models.embedding import Embedder, Vectors
from qa.types import Document, Passage

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
"""Called with the number of embedded passages and the number of all passages to add."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What adding a document did, and the name of the document in the library."""

    outcome: WriteOutcome
    name: str


@dataclass(frozen=True, slots=True)
class Addition:
    """A document to add, or to replace the document from the same source with."""

    document: Document
    replaces: Collection[str] = ()
    """The names of other documents whose place it takes. They are removed with its commit."""


@dataclass(slots=True)
class _Plan:
    """A document on its way into the library."""

    addition: Addition
    document: Document
    """Under the name that it has in the library."""
    replaced: list[str]
    """The ids of the documents whose place it takes."""
    is_new: bool
    """Whether no document from the same source is in the library."""
    is_unchanged: bool
    cut: StoredDocument | None = None
    rows: list[EmbeddedPassage] = field(default_factory=list)
    """Its passages with their vectors, in order."""
    failure: DocumentError | None = None
    """Why it could not be cut."""

    def result(self) -> "AddResult | DocumentError":
        if self.failure:
            return self.failure
        return AddResult(self._outcome(), self.document.name)

    def as_stored(self) -> StoredDocument:
        """Returns the document as the library has it, under its name."""
        if self.cut is None:
            raise ValueError("a document that was not cut cannot be stored")
        passages = [Passage(self.document, passage.span) for passage in self.cut.passages]
        return StoredDocument(self.document, self.cut.sentences, tuple(passages))

    def _outcome(self) -> WriteOutcome:
        if self.is_unchanged:
            return "unchanged"
        if self.replaced:
            return "moved"
        return "added" if self.is_new else "replaced"


class Writer:
    """Changes the library of a store, with the embedder that its passages are embedded with."""

    def __init__(self, store: Store, embedder: Embedder, follower: Follower) -> None:
        self._store = store
        self._embedder = embedder
        self._follower = follower

    def add(
        self, additions: Sequence[Addition], on_progress: OnProgress
    ) -> list[AddResult | DocumentError]:
        """Adds documents together. Returns for each its result, or why it could not be cut.

        They become part of the library in one commit, which takes as long for many as for one.
        """
        with self._store.translated_errors():
            plans = self._plans(additions)
        for plan in plans:
            if not plan.is_unchanged:
                self._cut(plan)
        changed = [plan for plan in plans if plan.cut]
        if changed:
            self._embed(changed, on_progress)
            self._store_all(changed, on_progress)
        return [plan.result() for plan in plans]

    def embed_again(self, document: Document, on_progress: OnProgress) -> None:
        """Embeds and writes the passages of a document of the library again."""
        store = self._store
        rows = self._embedded(document, on_progress)
        with store.translated_errors(), store.lock:
            self._prepare(len(rows))
            self._follower.local().catalog.begin([document.id])
            try:
                self._write(rows, on_progress)
            finally:
                # Another process may have removed or replaced the document meanwhile.
                store.retry_with_reserve(lambda: self._undo([document]))
            with store.refreshed(), store.exclusive_write():
                previous = store.generation
                store.write_generation()
                # The texts and their words are as they were.
                self._follower.apply(previous, {}, ())

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

    def _plans(self, additions: Sequence[Addition]) -> list[_Plan]:
        """Returns what is to be done with each document, and its name in the library."""
        catalog = self._follower.local().catalog
        plans: list[_Plan] = []
        for addition in additions:
            document = addition.document
            stored = _record_in(catalog, document)
            document = _with_stored_furniture(document, stored)
            replaced = _ids_of(addition.replaces, catalog, document)
            named = _with_unique_name(document, catalog, replaced, plans)
            is_unchanged = stored == record_of(named) and not replaced
            plans.append(_Plan(addition, named, replaced, stored is None, is_unchanged))
        return plans

    def _cut(self, plan: _Plan) -> None:
        """Cuts a document into sentences and passages, or notes why it cannot be cut."""
        try:
            plan.cut = self._cut_document(plan.document)
        except DocumentError as error:
            # The other documents are added all the same.
            plan.failure = error

    def _cut_document(self, document: Document) -> StoredDocument:
        embedder = self._embedder
        sentences = segment_untrusted(document)
        size = passage_size(embedder.limit)
        passages = split(document, sentences, embedder.count_tokens, size)
        return StoredDocument(document, tuple(sentences), tuple(passages))

    def _embed(self, plans: Sequence[_Plan], on_progress: OnProgress) -> None:
        """Embeds the passages of all documents, those of equal length together."""
        texts: list[str] = []
        for plan in plans:
            if plan.cut:
                # The name in the library is part of what is embedded.
                texts += map(plan.cut.embedded_text, plan.cut.passages)
        vectors = iter(self._vectors(texts, on_progress))
        for plan in plans:
            cut = plan.cut
            if cut is None:
                continue
            for passage in cut.passages:
                vector = next(vectors)
                row = EmbeddedPassage.of(passage, vector, cut.sentences)
                plan.rows.append(row)

    def _vectors(self, texts: Sequence[str], on_progress: OnProgress) -> list[Vectors]:
        """Returns the vector of each text. Similar lengths go together: padding takes time too."""
        total = len(texts)
        by_length = sorted(range(total), key=lambda index: len(texts[index]), reverse=True)
        vectors: dict[int, Vectors] = {}
        for batch in batches(total, EMBEDDED_AT_ONCE):
            indexes = by_length[batch]
            batch_texts = [texts[index] for index in indexes]
            encodings = self._embedder.encode(batch_texts)
            for index, encoding in zip(indexes, encodings, strict=True):
                vectors[index] = encoding.vector
            done = len(vectors)
            on_progress(done, total)
        return [vectors[index] for index in range(total)]

    def _embedded(self, document: Document, on_progress: OnProgress) -> list[EmbeddedPassage]:
        """Returns the passages of a document with their vectors."""
        plan = _Plan(Addition(document), document, [], False, False)
        plan.cut = self._cut_document(document)
        self._embed([plan], on_progress)
        return plan.rows

    def _store_all(self, plans: Sequence[_Plan], on_progress: OnProgress) -> None:
        """Writes embedded documents: all of them become part of the library, or none."""
        store = self._store
        rows = [row for plan in plans for row in plan.rows]
        documents = [plan.document for plan in plans]
        with store.translated_errors(), store.lock:
            self._prepare(len(rows))
            catalog = self._follower.local().catalog
            catalog.begin(document.id for document in documents)
            try:
                self._write(rows, on_progress)
                store.retry_with_reserve(lambda: self._commit(plans))
            except BaseException:
                store.retry_with_reserve(lambda: self._undo(documents))
                raise
            catalog.finish(document.id for document in documents)

    def _prepare(self, passages: int) -> None:
        """Begins a change: deletes leftovers, adopts the embedder's format and reserves space."""
        store = self._store
        with store.refreshed(), store.exclusive_write():
            delete_leftovers(store, self._follower.local().catalog)
            adopt_format(store, self._embedder)
        store.grow_reserve(room_for(passages))

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

    def _commit(self, plans: Sequence[_Plan]) -> None:
        """Makes the written passages documents of the library."""
        store = self._store
        with store.refreshed(), store.exclusive_write():
            catalog = self._follower.local().catalog
            self._name_again(plans, catalog)
            for plan in plans:
                require_complete(store.passages, plan.document, plan.rows)
            previous = store.generation
            store.begin_change()
            write_records(store.records, [plan.document for plan in plans])

            removed: list[str] = []
            for plan in plans:
                if not plan.is_new:
                    delete_old_passages(store, plan.document.id, keep=plan.document.version)
                removed += plan.replaced
            # After the records: a crash in between leaves a text twice, and not nowhere.
            _delete_replaced(store, removed)
            self._publish(plans, removed, previous)

    def _publish(self, plans: Sequence[_Plan], removed: Sequence[str], previous: str) -> None:
        """Gives the library a new generation, and the local index what was added and removed.

        `previous`: the generation before the change.
        """
        self._store.write_generation()
        added = {}
        for plan in plans:
            document = plan.document
            record = record_of(document)
            added[document.id] = (plan.as_stored(), record)
        self._follower.apply(previous, added, removed)

    def _name_again(self, plans: Sequence[_Plan], catalog: Catalog) -> None:
        """Looks up names once more: another process may have added such documents meanwhile."""
        named: list[_Plan] = []
        for plan in plans:
            document = plan.addition.document
            # The furniture that was found for the plan stays.
            document = replace(document, furniture=plan.document.furniture)
            plan.is_new = _record_in(catalog, document) is None
            plan.replaced = _ids_of(plan.addition.replaces, catalog, document)
            plan.document = _with_unique_name(document, catalog, plan.replaced, named)
            named.append(plan)

    def _copy(self, document: Document, pair: str) -> None:
        """Embeds a document of the library and writes it into another pair of collections."""
        store = self._store
        passage_rows, records = store.pair(pair)
        rows = self._embedded(document, ignore_progress)
        store.grow_reserve(room_for(len(rows)))
        write_passages(passage_rows, rows, min(WRITTEN_AT_ONCE, store.batch_size()))
        require_complete(passage_rows, document, rows)
        write_records(records, [document])

    def _delete_pair(self, pair: str) -> None:
        with self._store.refreshed():
            self._store.delete_pair(pair)

    def _undo(self, documents: Sequence[Document]) -> None:
        """Deletes the passages of documents that do not belong to their current records."""
        store = self._store
        with store.refreshed(), store.exclusive_write():
            for document in documents:
                delete_stale_passages(store, document.id)
            if store.is_changing:
                # Records may have been written: every local index has to compare them.
                store.write_generation()
            self._follower.local().catalog.finish(document.id for document in documents)


def _record_in(catalog: Catalog, document: Document) -> Record | None:
    """Returns the record of the document from the same source; None where there is none."""
    stored = catalog.records([document.id]).get(document.id)
    return json.loads(stored) if stored else None


def _ids_of(names: Collection[str], catalog: Catalog, document: Document) -> list[str]:
    """Returns the ids of the documents of these names, without that of `document`."""
    return [key for key in catalog.ids_named(names) if key != document.id]


def _with_unique_name(
    document: Document, catalog: Catalog, replaced: Collection[str], named: Sequence[_Plan]
) -> Document:
    """Returns the document under its name in the library. The `replaced` documents lose theirs.

    `named`: the documents that are added together with it, as far as they have their names.
    """
    free = {document.id, *replaced}
    names = {plan.document.name for plan in named}

    def is_taken(name: str) -> bool:
        if name in names:
            return True
        owners = set(catalog.ids_named([name]))
        return not owners <= free

    previous = None
    stored = _record_in(catalog, document)
    if stored:
        previous = stored["name"]

    return with_unique_name(document, previous, is_taken)


def delete_document(store: Store, follower: Follower, name: str) -> bool:
    """Deletes the document of that name; False where there is none."""
    with store.translated_errors(), store.lock:
        for key in follower.local().catalog.ids_named([name]):
            store.retry_with_reserve(partial(_delete, store, follower, key))
            return True
    return False


def _delete_replaced(store: Store, keys: Collection[str]) -> None:
    for key in keys:
        store.records.delete(ids=[key])
        delete_old_passages(store, key, keep="")


def _delete(store: Store, follower: Follower, key: str) -> None:
    with store.refreshed(), store.exclusive_write():
        previous = store.generation
        store.begin_change()
        store.records.delete(ids=[key])
        delete_old_passages(store, key, keep="")
        store.write_generation()
        follower.apply(previous, {}, [key])


def delete_stale_passages(store: Store, document_id: str) -> None:
    """Deletes the passages of a document that are not of the version that its record names."""
    record = read_records(store, [document_id]).get(document_id)
    delete_old_passages(store, document_id, keep=record["version"] if record else "")


def delete_old_passages(store: Store, document_id: str, keep: str) -> None:
    """Deletes the passages of a document that are not of the version `keep`."""
    where: Any = {"$and": [{"document": document_id}, {"version": {"$ne": keep}}]}
    stale = store.passages.get(where=where, include=[])["ids"]
    if stale:
        store.passages.delete(ids=stale)


def delete_leftovers(store: Store, catalog: Catalog) -> None:
    """Deletes, once in a process, what interrupted changes left behind. Needs the lock.

    Nothing is deleted on a server, where another machine may be adding it. Searches ignore it, and
    a rebuild leaves it out.
    """
    if store.has_deleted_leftovers:
        return
    store.delete_leftover_pairs()
    if catalog.is_swept:
        for document_id in catalog.unfinished():
            _log.warning("deleting what an interrupted change of a document left behind")
            delete_stale_passages(store, document_id)
            catalog.finish([document_id])
    else:
        # A new catalog does not know what was begun before it was made.
        _delete_leftover_passages(store)
        catalog.set_swept()
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
    if differing and store.records.count():
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
