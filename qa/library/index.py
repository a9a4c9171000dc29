"""The index of a library: documents, their passages, and the nearest passages of a vector."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast

from qa.errors import DocumentError
from qa.library.records import document_of, read_records
from qa.library.snapshot import Snapshot
from qa.library.store import Store, damaged
from qa.library.writing import (
    AddResult,
    OnProgress,
    Writer,
    adopt_settings,
    built_with,
    remove,
    sweep_orphans,
)
from qa.models.embedding import Embedder, Vectors
from qa.types import Document, Passage, Span

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
        self._store = Store(where, built_with(embedder))
        with self._store.readable(), self._store.lock:
            self._store.sweep_pairs()
            sweep_orphans(self._store)
            adopt_settings(self._store, embedder)
            self._require_vectors()

    @classmethod
    def rebuild(cls, where: Path | str, embedder: Embedder) -> int:
        """Builds the library again from its texts and returns the number of its documents.

        The old library stays until the new library is complete.
        """
        index = cls(where)
        with index._store.lock:
            documents = index.documents()
            Writer(index._store, embedder).rebuild(documents)
        return len(documents)

    @property
    def generation(self) -> str:
        """Changes whenever the library changes, also when another process changed it."""
        with self._store.current():
            return self._store.generation

    def snapshot(self, names: Collection[str] | None = None) -> Snapshot:
        """Returns the library as it is now, or the documents of these names.

        A snapshot is made when the library has changed; a later call returns the same object.
        """
        key = None if names is None else frozenset(names)
        generation = self.generation
        known = self._snapshots.get(key)
        if known and known.generation == generation:
            return known

        segmented = {}
        for earlier in self._snapshots.values():
            for document in earlier.documents:
                segmented[document] = earlier.sentences[document.id]

        documents = [doc for doc in self.documents() if key is None or doc.name in key]
        snapshot = Snapshot.of(self.passages(documents), documents, generation, segmented)

        current = {k: s for k, s in self._snapshots.items() if s.generation == generation}
        for oldest in list(current)[: max(0, len(current) - MAX_SNAPSHOTS + 1)]:
            del current[oldest]
        self._snapshots = {**current, key: snapshot}
        return snapshot

    def documents(self) -> list[Document]:
        """Returns the documents by name. Raises IndexDamagedError for a text that was changed."""
        with self._store.current():
            records = read_records(self._store).values()
            texts = self._texts()

        documents = []
        for record in records:
            document = document_of(record, texts.get((record["id"], record["version"]), ""))
            # The version is a hash of the text: a changed text would shift every citation.
            if document.version != record["version"]:
                raise damaged(
                    self._store.where, f"the text of {document.name} is not the text that was added"
                )
            documents.append(document)
        return sorted(documents, key=lambda document: document.name)

    def passages(self, documents: Sequence[Document]) -> list[Passage]:
        """Returns the passages of these documents of the library, by name and offset."""
        by_id = {document.id: document for document in documents}
        with self._store.current():
            rows = self._store.passages.get(include=["metadatas"])

        passages = []
        for metadata in rows["metadatas"] or []:
            document = by_id.get(str(metadata["document"]))
            if document and document.version == metadata["version"]:
                span = Span(cast(int, metadata["start"]), cast(int, metadata["end"]))
                passages.append(Passage(document, span))
        return sorted(passages, key=lambda passage: (passage.document.name, passage.span.start))

    def nearest(
        self, vector: Vectors, count: int, documents: Collection[Document] | None = None
    ) -> list[tuple[str, float]]:
        """Returns passage ids with their cosine to a vector (-1 to 1), the nearest first.

        `documents` restricts the search to their passages; None searches all.
        """
        where: Any = None
        if documents is not None:
            where = {"document": {"$in": [document.id for document in documents]}}

        with self._store.current():
            size = self._store.passages.count()
            if not size or (documents is not None and not documents):
                return []
            rows = self._store.passages.query(
                query_embeddings=cast(Any, vector[None, :]),
                n_results=min(count, size),
                where=where,
                include=["distances"],
            )

        distances = (rows["distances"] or [[]])[0]
        # Chroma returns distances, lower is better; every score here is higher for better.
        cosines = [1.0 - float(distance) for distance in distances]
        return list(zip(rows["ids"][0], cosines, strict=True))

    def add(self, document: Document, on_progress: OnProgress | None = None) -> AddResult:
        """Adds a document, or replaces the document from the same source, whole or not at all.

        An unchanged document is not embedded again. A name that a document from another source
        has is extended by folders of the path, and stays that way. `on_progress` may raise: this
        ends the adding, and the library is as it was before.
        """
        return self._writer().add(document, on_progress or _ignore)

    def embed_again(self, name: str, on_progress: OnProgress | None = None) -> None:
        """Embeds the passages of a document again. Raises DocumentError for an unknown name."""
        for document in self.documents():
            if document.name == name:
                self._writer().embed_again(document, on_progress or _ignore)
                return
        raise DocumentError(f"{name} is no longer in the library. Add the file.")

    def remove(self, name: str) -> bool:
        """Removes the document of that name; False where there is none."""
        return remove(self._store, name)

    def same_text(self, document: Document) -> str | None:
        """Returns the name of a document from another source that has the same text."""
        with self._store.current():
            records = read_records(self._store)
        for key, record in records.items():
            if key != document.id and record["version"] == document.version:
                return str(record["name"])
        return None

    def _writer(self) -> Writer:
        if not self._embedder:
            raise ValueError("an index without an embedder cannot add documents")
        return Writer(self._store, self._embedder)

    def _texts(self) -> dict[tuple[str, str], str]:
        """Returns the texts by document id and version. Passages tile a text: joined they are it."""
        rows = self._store.passages.get(include=["documents", "metadatas"])
        pieces: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for text, metadata in zip(rows["documents"] or [], rows["metadatas"] or [], strict=True):
            key = (str(metadata["document"]), str(metadata["version"]))
            pieces.setdefault(key, []).append((cast(int, metadata["start"]), text))

        texts = {}
        for key, parts in pieces.items():
            texts[key] = "".join(text for _, text in sorted(parts))
        return texts

    def _require_vectors(self) -> None:
        """Raises ValueError where a small search finds too few passages.

        When files of its folder are missing, Chroma answers from what is left.
        """
        passages = self._store.passages
        size = min(passages.count(), 10)
        if not size:
            return
        first = passages.get(limit=1, include=["embeddings"])
        vectors = cast(Any, first["embeddings"])
        rows = passages.query(query_embeddings=vectors, n_results=size, include=[])
        if len(rows["ids"][0]) < size:
            raise ValueError("its vectors are incomplete")


def _ignore(_done: int, _total: int) -> None:
    """Reports nothing."""
