"""The index of a library: documents, their passages, and the nearest passages of a vector."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from qa.documents.sentences import Sentence
from qa.errors import DocumentError
from qa.library.failures import damaged
from qa.library.index_format import IndexFormat
from qa.library.missing_files import MissingFile, missing_files
from qa.library.records import PassageRow, read_documents, read_passages, read_records
from qa.library.snapshot import Snapshot
from qa.library.store import Store
from qa.library.stored_sentences import unpack
from qa.library.writing import (
    AddResult,
    OnProgress,
    Writer,
    delete_document,
    ignore_progress,
    require_format,
    require_known_schema,
)
from qa.models.embedding import Embedder, Vectors
from qa.types import Document, Passage

Rows = list[tuple[Document, PassageRow]]
Contents = tuple[list[Passage], list[Document], dict[str, tuple[Sentence, ...]], str]
"""Passages, documents, sentences by document id, and the generation."""
MAX_SNAPSHOTS = 8
"""Choices of documents whose snapshot is kept; each holds the words of all of its documents."""


class Index:
    """A library on disk or on a server; sees the changes of other processes.

    `where` is a folder or the address of a Chroma server. Without an embedder, documents can be
    listed and removed only.

    Raises, when opened, IndexMismatchError, IndexDamagedError, NotWritableError or BrokenError.
    """

    def __init__(self, where: Path | str, embedder: Embedder | None = None) -> None:
        self._embedder = embedder
        self._snapshots: dict[frozenset[str] | None, Snapshot] = {}
        self._store = Store(where, IndexFormat.of_embedder(embedder))
        # Opening deletes nothing: what has no record may be what another process is adding.
        self._store.retry_with_reserve(lambda: self._store.read_with_retry(self._check))

    @classmethod
    def rebuild(cls, where: Path | str, embedder: Embedder) -> int:
        """Builds the library again from its texts and returns the number of its documents.

        Reads what an earlier release or other settings built. The old library stays until the new
        library is complete.
        """
        store = Store(where, IndexFormat.of_embedder(embedder))
        with store.translated_errors(), store.lock:
            require_known_schema(store)
            documents = read_documents(store)
            Writer(store, embedder).rebuild(documents)
        return len(documents)

    @property
    def generation(self) -> str:
        """Changes whenever the library changes, also when another process changed it."""
        with self._store.refreshed():
            return self._store.generation

    def snapshot(self, names: Collection[str] | None = None) -> Snapshot:
        """Returns the library as it is now, or the documents of these names.

        A snapshot is made when the library has changed; a later call returns the same object.
        """
        choice = None if names is None else frozenset(names)
        generation = self.generation
        known = self._snapshots.get(choice)
        if known and known.generation == generation:
            return known

        contents = self._store.read_with_retry(lambda: self._read(choice))
        # Made outside the turn of this thread: counting the words takes long.
        snapshot = Snapshot.of(*contents)
        self._keep(choice, snapshot)
        return snapshot

    def documents(self) -> list[Document]:
        """Returns the documents by name. Raises IndexDamagedError for a text that was changed."""
        return self._store.read_with_retry(lambda: read_documents(self._store))

    def passages(self, documents: Sequence[Document]) -> list[Passage]:
        """Returns the passages of these documents, sorted by document name and offset."""
        return _passages(self._store.read_with_retry(lambda: self._rows(documents)))

    def nearest(
        self,
        vector: Vectors,
        count: int,
        documents: Collection[Document] | None = None,
    ) -> list[tuple[str, float]]:
        """Returns passage ids with their cosine to a vector (-1 to 1), the nearest first.

        `documents` restricts the search to their passages; None searches all, also what an
        interrupted change has left behind.
        """
        where: Any = None
        if documents is not None:
            if not documents:
                # Chroma refuses an empty list of ids.
                return []
            ids = [document.id for document in documents]
            # An interrupted change can have left passages of another version.
            versions = [document.version for document in documents]
            where = {"$and": [{"document": {"$in": ids}}, {"version": {"$in": versions}}]}

        rows = self._store.read_with_retry(lambda: self._query(vector, count, where))
        if not rows:
            return []
        keys = rows["ids"][0]
        distances = rows["distances"][0]
        nearest = []
        for key, distance in zip(keys, distances, strict=True):
            # Chroma returns distances, lower is nearer; our scores are higher for better.
            cosine = 1.0 - float(distance)
            nearest.append((key, cosine))
        return nearest

    def add(
        self,
        document: Document,
        on_progress: OnProgress = ignore_progress,
        replaces: Collection[str] = (),
    ) -> AddResult:
        """Adds a document, or replaces the document from the same source, whole or not at all.

        An unchanged document is not embedded again. A name that a document from another source
        has is extended by folders of the path, and stays that way. `on_progress` may raise: this
        ends the adding, and the library is as it was before.
        replaces: the names of documents whose place it takes, such as the file before it was moved.
        """
        return self._writer().add(document, on_progress, replaces)

    def embed_again(self, name: str, on_progress: OnProgress = ignore_progress) -> None:
        """Embeds the passages of a document again. Raises DocumentError for an unknown name."""
        for document in self.documents():
            if document.name == name:
                self._writer().embed_again(document, on_progress)
                return
        raise DocumentError(f"{name} is no longer in the library. Add the file.")

    def remove(self, name: str) -> bool:
        """Removes the document of that name; False where there is none."""
        return delete_document(self._store, name)

    def missing_files(self) -> list[MissingFile]:
        """Returns the documents whose file no longer exists, by name."""
        return missing_files(self._store.read_with_retry(lambda: read_records(self._store)))

    def same_text(self, document: Document, besides: Collection[str] = ()) -> str | None:
        """Returns the name of a document from another source that has the same text.

        besides: names of documents that do not count.
        """
        records = self._store.read_with_retry(lambda: read_records(self._store))
        for key, record in records.items():
            # The version is a hash of the text.
            is_same_text = record["version"] == document.version
            if key != document.id and is_same_text and record["name"] not in besides:
                return str(record["name"])
        return None

    def _query(self, vector: Vectors, count: int, where: Any) -> Any:
        """Returns what Chroma answers, or None where there are no passages."""
        passages = self._store.passages
        size = passages.count()
        if not size:
            return None
        # One row for one vector: Chroma answers several queries at once.
        query: Any = vector[None, :]
        return passages.query(
            query_embeddings=query,
            n_results=min(count, size),
            where=where,
            include=["distances"],
        )

    def _writer(self) -> Writer:
        if not self._embedder:
            raise ValueError("an index without an embedder cannot add documents")
        return Writer(self._store, self._embedder)

    def _read(self, choice: frozenset[str] | None) -> Contents:
        """Returns what a snapshot is made of. Raises IndexDamagedError for damaged passages."""
        generation = self._store.generation
        documents = []
        for document in read_documents(self._store):
            if choice is None or document.name in choice:
                documents.append(document)

        rows = self._rows(documents)
        by_id: dict[str, list[PassageRow]] = {document.id: [] for document in documents}
        for document, row in rows:
            by_id[document.id].append(row)
        sentences = {}
        for document in documents:
            sentences[document.id] = self._sentences(document, by_id[document.id])
        return _passages(rows), documents, sentences, generation

    def _sentences(self, document: Document, rows: Sequence[PassageRow]) -> tuple[Sentence, ...]:
        try:
            parts = [(row.span, row.packed_sentences()) for row in rows]
            return unpack(parts, len(document.text))
        except ValueError as error:
            where = self._store.where
            raise damaged(where, f"{document.name} is damaged: {error}") from error

    def _rows(self, documents: Sequence[Document]) -> Rows:
        """Returns the rows of these documents' passages, sorted by document name and offset."""
        by_id = {document.id: document for document in documents}
        rows = []
        for row in read_passages(self._store):
            document = by_id.get(row.document)
            if document and document.version == row.version:
                rows.append((document, row))
        rows.sort(key=lambda pair: (pair[0].name, pair[1].span.start))
        return rows

    def _keep(self, choice: frozenset[str] | None, snapshot: Snapshot) -> None:
        """Keeps a snapshot, and of the earlier snapshots the newest that are still current."""
        current = {}
        for earlier_choice, earlier in self._snapshots.items():
            if earlier.generation == snapshot.generation:
                current[earlier_choice] = earlier
        while len(current) >= MAX_SNAPSHOTS:
            oldest = next(iter(current))
            del current[oldest]
        current[choice] = snapshot
        # One assignment, because other threads read meanwhile.
        self._snapshots = current

    def _check(self) -> None:
        require_format(self._store, self._embedder)
        self._require_vectors()

    def _require_vectors(self) -> None:
        """Raises ValueError where a small search finds too few passages.

        When files of its folder are missing, Chroma answers from what is left.
        """
        passages = self._store.passages
        size = min(passages.count(), 10)
        if not size:
            return
        first: Any = passages.get(limit=1, include=["embeddings"])
        rows = passages.query(
            query_embeddings=first["embeddings"],
            n_results=size,
            include=[],
        )
        nearest = rows["ids"][0]
        if len(nearest) < size:
            raise ValueError("its vectors are incomplete")


def _passages(rows: Rows) -> list[Passage]:
    passages = []
    for document, row in rows:
        passages.append(Passage(document, row.span))
    return passages
