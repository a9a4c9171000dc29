"""The index of a library: documents, their passages, and the nearest passages of a vector."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from qa.errors import DocumentError
from qa.library.catalog import Entry
from qa.library.follower import Follower
from qa.library.index_format import IndexFormat
from qa.library.known_files import KnownFiles
from qa.library.local_index import LocalIndex
from qa.library.missing_files import MissingFile, missing_files
from qa.library.records import read_documents
from qa.library.snapshot import Snapshot
from qa.library.store import Store
from qa.library.word_index import Hit
from qa.library.writing import (
    Addition,
    AddResult,
    OnProgress,
    Writer,
    delete_document,
    ignore_progress,
    require_format,
    require_known_schema,
)
from qa.models.embedding import Embedder, Vectors
from qa.types import Document, digest

QUOTED_PASSAGES = 50
"""Passages in whose documents the words of a quote are counted."""


class Index:
    """A library on disk or on a server; sees the changes of other processes.

    `where` is a folder or the address of a Chroma server. Without an embedder, documents can be
    listed and removed only. `local`: the folder of the local index of a server's library; without
    it, each process makes the local index again, in memory.

    Raises, when opened, IndexMismatchError, IndexDamagedError, NotWritableError or BrokenError.
    """

    def __init__(
        self, where: Path | str, embedder: Embedder | None = None, local: Path | None = None
    ) -> None:
        self._embedder = embedder
        self._store = Store(where, IndexFormat.of_embedder(embedder))
        # Opening deletes nothing: what has no record may be what another process is adding.
        self._store.retry_with_reserve(lambda: self._store.read_with_retry(self._check))
        self._follower = Follower(self._store, _local_folder(where, local))

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
            # The local index finds out at its next use what has changed.
            Writer(store, embedder, Follower(store, None)).rebuild(documents)
        return len(documents)

    @property
    def generation(self) -> str:
        """Changes whenever the library changes, also when another process changed it."""
        with self._store.refreshed():
            return self._store.generation

    def snapshot(self, names: Collection[str] | None = None) -> Snapshot:
        """Returns the library as it is now, or the documents of these names."""
        local = self._local()
        chosen = None if names is None else frozenset(local.catalog.ids_named(names))
        return Snapshot(local, local.catalog.generation, chosen)

    def entries(self) -> list[Entry]:
        """Returns the documents by name, without their texts."""
        return self._local().catalog.entries()

    def entries_of(self, sources: Iterable[str]) -> list[Entry]:
        """Returns the documents with these sources, by name, without their texts."""
        ids = [digest(source) for source in sources]
        return self._local().catalog.entries(ids)

    def known_files(self) -> KnownFiles:
        """Returns what is known of the files that the documents were read from."""
        return KnownFiles(self._local().catalog, self.missing_files())

    def document(self, name: str) -> Document | None:
        """Returns the document of that name; None where there is none."""
        local = self._local()
        for stored in local.stored(local.catalog.ids_named([name])).values():
            return stored.document
        return None

    def occurrences(self, quote: str) -> int:
        """Returns how often the documents contain these words, line ends included.

        Counted in the documents of the passages that share most terms with the quote.
        """
        snapshot = self.snapshot()
        hits = snapshot.find_by_words(quote, QUOTED_PASSAGES)
        documents = {hit.document for hit in hits}
        times = 0
        for key in documents:
            stored = snapshot.stored(key)
            times += stored.document.text.count(quote)
        return times

    def documents(self) -> list[Document]:
        """Returns all documents by name. Raises IndexDamagedError for a text that was changed."""
        return self._store.read_with_retry(lambda: read_documents(self._store))

    def passage_count(self) -> int:
        """Returns the number of stored passages."""
        return self._store.read_with_retry(lambda: self._store.passages.count())

    def nearest(
        self, vector: Vectors, count: int, documents: Collection[str] | None = None
    ) -> list[Hit]:
        """Returns passages with their cosine to a vector (-1 to 1), the nearest first.

        `documents`: the ids of the documents to search; None: search all. The passages may be
        those that an interrupted change has left behind: `Snapshot.in_order` leaves them out.
        """
        where: Any = None
        if documents is not None:
            if not documents:
                # Chroma refuses an empty list of ids.
                return []
            where = {"document": {"$in": sorted(documents)}}

        rows = self._store.read_with_retry(lambda: self._query(vector, count, where))
        if not rows:
            return []
        hits = []
        columns = (rows["ids"][0], rows["metadatas"][0], rows["distances"][0])
        for key, metadata, distance in zip(*columns, strict=True):
            # Chroma returns distances, lower is nearer; our scores are higher for better.
            cosine = 1.0 - float(distance)
            place = (metadata["document"], metadata["version"], metadata["start"])
            hits.append(Hit(key, *place, score=cosine))
        return hits

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
        (result,) = self.add_all([Addition(document, replaces)], on_progress)
        if isinstance(result, DocumentError):
            raise result
        return result

    def add_all(
        self, additions: Sequence[Addition], on_progress: OnProgress = ignore_progress
    ) -> list[AddResult | DocumentError]:
        """Adds documents together, as `add` does each, which takes less time.

        All become part of the library, or none. A document whose text cannot be cut is left out:
        its error is its result.
        """
        return self._writer().add(additions, on_progress)

    def embed_again(self, name: str, on_progress: OnProgress = ignore_progress) -> None:
        """Embeds the passages of a document again. Raises DocumentError for an unknown name."""
        document = self.document(name)
        if document is None:
            raise DocumentError(f"{name} is no longer in the library. Add the file.")
        self._writer().embed_again(document, on_progress)

    def remove(self, name: str) -> bool:
        """Removes the document of that name; False where there is none."""
        return delete_document(self._store, self._follower, name)

    def missing_files(self) -> list[MissingFile]:
        """Returns the documents whose file no longer exists, by name."""
        return missing_files(self.entries())

    def same_text(self, document: Document, besides: Collection[str] = ()) -> str | None:
        """Returns the name of a document from another source that has the same text.

        besides: names of documents that do not count.
        """
        catalog = self._local().catalog
        # The version is a hash of the text.
        for entry in catalog.entries(catalog.ids_of_version(document.version)):
            if entry.id != document.id and entry.name not in besides:
                return entry.name
        return None

    def _local(self) -> LocalIndex:
        with self._store.translated_errors():
            return self._follower.local()

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
            include=["distances", "metadatas"],
        )

    def _writer(self) -> Writer:
        if not self._embedder:
            raise ValueError("an index without an embedder cannot add documents")
        return Writer(self._store, self._embedder, self._follower)

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


def _local_folder(where: Path | str, local: Path | None) -> Path | None:
    """Returns the folder of the local index: in the library's folder, or as given for a server."""
    return where / "local" if isinstance(where, Path) else local
