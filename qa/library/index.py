"""The library: passages, their vectors and the documents they tile.

A document's record is what makes it part of the library: it is written after the document's passages and removed
before them. So a crash at any moment leaves the library as it was before or as it is after, never half; passages
without a record are not seen, and go at the next opening.
"""

import json
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

import numpy as np

from qa.documents.passages import passage_size, split, splitter_name
from qa.errors import IndexMismatchError
from qa.library.snapshot import Snapshot
from qa.library.store import Store, damaged
from qa.models.embedding import Embedder, Vectors
from qa.types import Document, Passage, Span

SCHEMA = "2"
Outcome = Literal["added", "unchanged", "replaced"]
EMBEDDED_AT_ONCE = 64
WRITTEN_AT_ONCE = 256
"""Passages for which the library is held at a time; embedding takes no hold of it."""
OnProgress = Callable[[int, int], None]
"""Is told how many passages of a document are embedded, and of how many."""
SNAPSHOTS_KEPT = 8
"""Choices of documents whose snapshot is kept; each holds the words and places of all of its documents."""
_RECORD_VECTOR = [1.0]
"""Chroma wants a vector with every record; documents are found by id only."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What adding a document came to, and the name it has in the library."""

    outcome: Outcome
    name: str


class Index:
    """Documents and passages, made by one embedder with one way of cutting; sees what other processes change.

    `where` is a folder or the address of a Chroma server. Without an embedder the library can be listed and
    documents be removed, no more. Raises, when opened: IndexMismatchError, IndexDamagedError, NotWritableError,
    BrokenError.
    """

    def __init__(self, where: Path | str, embedder: Embedder | None = None) -> None:
        self._embedder = embedder
        self._turn = threading.RLock()
        self._snapshots: dict[frozenset[str] | None, Snapshot] = {}
        built_by = _built_by(embedder)
        self._store = Store(where, built_by)
        with self._store.reading(), self._store.lock:
            self._store.sweep_pairs()
            self._sweep_orphans()
            self._fit(built_by)
            self._check_whole()

    @classmethod
    def rebuild(cls, where: Path | str, embedder: Embedder) -> int:
        """Makes the library anew from the texts it holds; the old one goes when the new one is complete.

        Gives the number of documents.
        """
        index = cls(where)
        index._embedder = embedder
        store = index._store
        with store.lock:
            documents = index.documents()
            with store.writing():
                pair = store.make_pair(_built_by(embedder))
            passages, records = store.pair(pair)
            for document in documents:
                cut = _split(document, embedder)
                with store.writing():
                    _put(passages, cut, _vectors(cut, embedder), store.batch_size())
                    _put_record(records, document)
            with store.writing():
                store.switch(pair)
        return len(documents)

    @property
    def generation(self) -> str:
        """Changes whenever the library does, also when another process changed it."""
        with self._current():
            return self._store.generation

    def documents(self) -> list[Document]:
        """The library's documents, by name."""
        with self._current():
            return self._stored()

    def snapshot(self, names: Collection[str] | None = None) -> Snapshot:
        """The library as it is now, or the documents of these names; made anew only when the index has changed."""
        key = None if names is None else frozenset(names)
        generation = self.generation
        known = self._snapshots.get(key)
        if known is None or known.generation != generation:
            documents = tuple(d for d in self.documents() if key is None or d.name in key)
            segmented = {
                document: snapshot.sentences[document.id]
                for snapshot in self._snapshots.values()
                for document in snapshot.documents
            }
            made = Snapshot.of(self.passages(documents), documents, generation, segmented)
            current = [row for row in self._snapshots.items() if row[1].generation == generation]
            self._snapshots = {**dict(current[-SNAPSHOTS_KEPT + 1 :]), key: made}
            return made
        return known

    def passages(self, documents: Sequence[Document]) -> list[Passage]:
        """The passages of these documents, which are the library's, by name and place."""
        by_id = {document.id: document for document in documents}
        found = []
        with self._current():
            metadatas = self._store.passages.get(include=["metadatas"])["metadatas"] or []
        for meta in metadatas:
            document = by_id.get(str(meta["document"]))
            if document and document.version == meta["version"]:
                found.append(
                    Passage(document, Span(cast(int, meta["start"]), cast(int, meta["end"])))
                )
        return sorted(found, key=lambda passage: (passage.document.name, passage.span.start))

    def nearest(
        self, vector: Vectors, count: int, documents: Collection[Document] | None = None
    ) -> list[tuple[str, float]]:
        """Passage ids with their cosine similarity (-1 to 1) to a vector, nearest first; `documents` restricts."""
        with self._current():
            size = self._store.passages.count()
            if not size or (documents is not None and not documents):
                return []
            where: Any = (
                {"document": {"$in": [d.id for d in documents]}} if documents is not None else None
            )
            found = self._store.passages.query(
                query_embeddings=cast(Any, vector[None, :]),
                n_results=min(count, size),
                where=where,
                include=["distances"],
            )
        distances = (found["distances"] or [[]])[0]
        return [
            (key, 1.0 - float(distance))
            for key, distance in zip(found["ids"][0], distances, strict=True)
        ]

    def add(self, document: Document, on_progress: OnProgress | None = None) -> AddResult:
        """Adds a document, or replaces the one from the same source, whole or not at all.

        A document that is there already, unchanged, is neither split nor embedded. One from another source under
        a name that is taken is called by as much of its path as tells them apart, and keeps that name. `on_progress`
        is told how many of its passages are embedded, and of how many; what it raises ends the adding, and the
        library is as before.
        """
        with self._current():
            named, old = self._named(document)
            if old == _record(named):
                return AddResult("unchanged", named.name)
        if not self._embedder:
            raise ValueError("an index opened without an embedder takes no documents")
        passages = _split(document, self._embedder)
        told = on_progress or _ignore
        vectors = _vectors(passages, self._embedder, told)
        with self._store.reading(), self._store.lock:
            try:
                for part in _parts(passages, vectors):
                    with self._current(), self._store.writing():
                        _put(self._store.passages, *part, self._store.batch_size())
                    # Chroma computes without letting other threads go on: here a question may go first.
                    told(len(passages), len(passages))
            except BaseException:
                with self._current(), self._store.writing():
                    # As it is now: another process may have replaced it while this one embedded.
                    named, old = self._named(document)
                    self._sweep(named.id, keep=old["version"] if old else "")
                raise
            with self._current(), self._store.writing():
                named, old = self._named(document)
                _put_record(self._store.records, named)
                self._sweep(named.id, keep=named.version)
                self._store.changed()
        return AddResult("replaced" if old else "added", named.name)

    def same_text(self, document: Document) -> str | None:
        """The name of a document from another source with the very same text."""
        with self._current():
            others = (record for key, record in self._records().items() if key != document.id)
            return next(
                (str(record["name"]) for record in others if record["version"] == document.version),
                None,
            )

    def remove(self, name: str) -> bool:
        """Removes the document of that name; False when there is none."""
        with self._store.reading(), self._store.lock, self._current(), self._store.writing():
            key = next(
                (key for key, record in self._records().items() if record["name"] == name), None
            )
            if key is None:
                return False
            self._store.records.delete(ids=[key])
            self._sweep(key, keep="")
            self._store.changed()
            return True

    @contextmanager
    def _current(self) -> Iterator[None]:
        """One thread at a time, over the library as it is now."""
        with self._turn, self._store.reading():
            self._store.refresh()
            yield

    def _fit(self, built_by: dict[str, Any]) -> None:
        """An empty library takes on any settings; another one that was made otherwise is an error."""
        found = self._store.made_with
        differing = [key for key in built_by if found.get(key) != built_by[key]]
        if differing and not self._records():
            self._store.switch(self._store.make_pair(built_by))
        elif differing:
            was = ", ".join(f"{key} {found.get(key)}" for key in differing)
            now = ", ".join(f"{key} {built_by[key]}" for key in differing)
            raise IndexMismatchError(
                f"The index {self._store.where} was built with {was}; now it is {now}. Rebuild it: "
                f"python -m qa rebuild (or set the earlier value again)."
            )

    def _check_whole(self) -> None:
        """Chroma answers from what is left when files of its folder are gone; a small search shows that."""
        passages = self._store.passages
        size = min(passages.count(), 10)
        if not size:
            return
        vectors = cast(Any, passages.get(limit=1, include=["embeddings"])["embeddings"])
        if (
            len(passages.query(query_embeddings=vectors, n_results=size, include=[])["ids"][0])
            < size
        ):
            raise ValueError("its vectors are incomplete")

    def _records(self) -> dict[str, dict[str, Any]]:
        """By document id."""
        stored = self._store.records.get(include=["metadatas"])
        pairs = zip(stored["ids"], stored["metadatas"] or [], strict=True)
        try:
            return {key: _checked(json.loads(str(meta["record"]))) for key, meta in pairs}
        except KeyError as error:
            raise damaged(self._store.where, f"a record has no {error}") from error

    def _stored(self) -> list[Document]:
        """The documents; a text is its passages, joined. Raises IndexDamagedError for one that is not its version."""
        texts: dict[tuple[str, str], list[tuple[int, str]]] = {}
        stored = self._store.passages.get(include=["documents", "metadatas"])
        for text, meta in zip(stored["documents"] or [], stored["metadatas"] or [], strict=True):
            key = (str(meta["document"]), str(meta["version"]))
            texts.setdefault(key, []).append((cast(int, meta["start"]), text))
        documents = []
        for record in self._records().values():
            pieces = sorted(texts.get((record["id"], record["version"]), []))
            document = _document(record, "".join(text for _, text in pieces))
            if document.version != record["version"]:
                raise damaged(
                    self._store.where, f"the text of {document.name} is not the one that was added"
                )
            documents.append(document)
        return sorted(documents, key=lambda document: document.name)

    def _named(self, document: Document) -> tuple[Document, dict[str, Any] | None]:
        """The document under a name that no other source has, and the record of what it replaces."""
        records = self._records()
        old = records.pop(document.id, None)
        if old and PurePosixPath(f"/{old['name']}").match(document.name):
            return replace(document, name=old["name"]), old
        taken = {record["name"] for record in records.values()}
        name, parts = document.name, Path(document.source).parts
        depth = len(Path(name).parts)
        while name in taken and depth < len(parts):
            depth += 1
            name = Path(*parts[-depth:]).as_posix()
        return replace(document, name=name), old

    def _sweep(self, document_id: str, keep: str) -> None:
        """Deletes a document's passages of other versions than `keep`."""
        where: Any = {"$and": [{"document": document_id}, {"version": {"$ne": keep}}]}
        stale = self._store.passages.get(where=where, include=[])["ids"]
        if stale:
            self._store.passages.delete(ids=stale)

    def _sweep_orphans(self) -> None:
        """Deletes what an interrupted change left behind."""
        current = {(key, record["version"]) for key, record in self._records().items()}
        stored = self._store.passages.get(include=["metadatas"])
        pairs = zip(stored["ids"], stored["metadatas"] or [], strict=True)
        stale = [key for key, meta in pairs if (meta["document"], meta["version"]) not in current]
        if stale:
            _log.warning("removing %d passages that an interrupted change left behind", len(stale))
            self._store.passages.delete(ids=stale)


def _built_by(embedder: Embedder | None) -> dict[str, Any]:
    """What an index is made with, as its metadata has it."""
    if embedder is None:
        return {"schema": SCHEMA}
    chunking = splitter_name(passage_size(embedder.limit))
    return {
        "schema": SCHEMA,
        "chunking": chunking,
        "embedding": embedder.name,
        "dimension": embedder.dimension,
    }


def _split(document: Document, embedder: Embedder) -> tuple[Passage, ...]:
    return split(document, embedder.count_tokens, passage_size(embedder.limit))


def _put(
    collection: Any, passages: Sequence[Passage], vectors: Sequence[Vectors], size: int
) -> None:
    for first in range(0, len(passages), size):
        batch = passages[first : first + size]
        collection.upsert(
            ids=[passage.id for passage in batch],
            embeddings=np.stack(vectors[first : first + size]),
            documents=[passage.text for passage in batch],
            metadatas=[
                {
                    "document": passage.document.id,
                    "version": passage.document.version,
                    "start": passage.span.start,
                    "end": passage.span.end,
                }
                for passage in batch
            ],
        )


def _put_record(collection: Any, document: Document) -> None:
    record = json.dumps(_record(document), ensure_ascii=False)
    collection.upsert(
        ids=[document.id], embeddings=[_RECORD_VECTOR], metadatas=[{"record": record}]
    )


def _parts(
    passages: Sequence[Passage], vectors: Sequence[Vectors]
) -> Iterator[tuple[Sequence[Passage], Sequence[Vectors]]]:
    for first in range(0, len(passages), WRITTEN_AT_ONCE):
        part = slice(first, first + WRITTEN_AT_ONCE)
        yield passages[part], vectors[part]


def _ignore(_done: int, _total: int) -> None:
    """For who does not listen."""


def _vectors(
    passages: Sequence[Passage], embedder: Embedder, on_progress: OnProgress = _ignore
) -> list[Vectors]:
    vectors: list[Vectors] = []
    for first in range(0, len(passages), EMBEDDED_AT_ONCE):
        encodings = embedder.encode(
            [passage.embedded_text for passage in passages[first : first + EMBEDDED_AT_ONCE]]
        )
        vectors += [encoding.vector for encoding in encodings]
        on_progress(len(vectors), len(passages))
    return vectors


def _record(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "name": document.name,
        "source": document.source,
        "title": document.title,
        "publisher": document.publisher,
        "markdown": document.markdown,
        "examples": list(document.examples),
        "pages": list(document.pages),
        "version": document.version,
    }


_FIELDS = frozenset(
    {"id", "name", "source", "title", "publisher", "markdown", "examples", "version"}
)
_LATER: dict[str, Any] = {"pages": []}
"""Fields that records of an earlier release do not have."""


def _checked(record: dict[str, Any]) -> dict[str, Any]:
    """Raises KeyError for a record that lacks a field."""
    for field in _FIELDS:
        record[field]
    return _LATER | record


def _document(record: dict[str, Any], text: str) -> Document:
    return Document(
        name=record["name"],
        source=record["source"],
        title=record["title"],
        text=text,
        publisher=record["publisher"],
        markdown=record["markdown"],
        examples=tuple(record["examples"]),
        pages=tuple(record["pages"]),
    )
