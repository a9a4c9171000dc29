"""The library on disk: passages, their vectors and the documents they tile, in Chroma.

A document's record is what makes it part of the library: it is written after the document's passages and removed
before them. So a crash at any moment leaves the library as it was before or as it is after, never half; passages
without a record are not seen, and go at the next change.
"""

import json
import logging
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError
from filelock import FileLock

from qa.chunking import SCHEME, split
from qa.embedding import Embedder, Vectors
from qa.errors import BrokenError, IndexDamagedError, IndexMismatchError, NotWritableError
from qa.types import Document, Passage, Span

SCHEMA = "1"
Outcome = Literal["added", "unchanged", "replaced"]
EMBEDDED_AT_ONCE = 256
_RECORD_VECTOR = [1.0]
"""Chroma wants a vector with every record; documents are found by id only."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Added:
    """What adding a document came to, and the name it has in the library."""

    outcome: Outcome
    name: str


class Index:
    """Documents and passages in Chroma collections, made by one embedder with one way of cutting.

    `where` is a folder or the address of a Chroma server. Without an embedder the library can be listed and
    documents be removed, no more. Raises, when opened: IndexMismatchError,
    IndexDamagedError, NotWritableError, BrokenError.
    """

    def __init__(self, where: Path | str, embedder: Embedder | None = None, suffix: str = "") -> None:
        self._embedder = embedder
        self._lock = _lock(where)
        built_by = _built_by(embedder)
        with _opening(where), self._lock:
            self._client = _client(where)
            self._passages = _collection(self._client, f"passages{suffix}", built_by)
            self._records = _collection(self._client, f"documents{suffix}", {"generation": "empty"})
            _check_built_by(self._passages.metadata or {}, built_by, where)
            _check_whole(self._passages)
            self._sweep_orphans()

    @classmethod
    def rebuild(cls, where: Path | str, embedder: Embedder) -> int:
        """Makes the index anew from the texts it holds; the old one goes when the new one is complete.

        Gives the number of documents.
        """
        with _opening(where):
            client = _client(where)
            for name in ("passages-new", "documents-new"):
                if name in {collection.name for collection in client.list_collections()}:
                    client.delete_collection(name)
            documents = _stored(
                _collection(client, "passages", {}), _collection(client, "documents", {"generation": "empty"})
            )
        new = cls(where, embedder, suffix="-new")
        for document in documents:
            new.add(document)
        with _writing(), new._lock:
            for name, collection in (("passages", new._passages), ("documents", new._records)):
                client.delete_collection(name)
                collection.modify(name=name)
        return len(documents)

    @property
    def generation(self) -> str:
        """Changes whenever the library does, also when another process changed it."""
        records = self._client.get_collection(self._records.name, embedding_function=None)
        return str((records.metadata or {})["generation"])

    def documents(self) -> list[Document]:
        """The library's documents, by name."""
        return _stored(self._passages, self._records)

    def passages(self, documents: Sequence[Document]) -> list[Passage]:
        """The passages of these documents, which are the library's, by name and place."""
        by_id = {document.id: document for document in documents}
        found = []
        for meta in self._passages.get(include=["metadatas"])["metadatas"] or []:
            document = by_id.get(str(meta["document"]))
            if document and document.version == meta["version"]:
                found.append(Passage(document, Span(cast(int, meta["start"]), cast(int, meta["end"]))))
        return sorted(found, key=lambda passage: (passage.document.name, passage.span.start))

    def nearest(
        self, vector: Vectors, count: int, documents: Collection[Document] | None = None
    ) -> list[tuple[str, float]]:
        """Passage ids with their cosine similarity (-1 to 1) to a vector, nearest first; `documents` restricts."""
        size = self._passages.count()
        if not size or (documents is not None and not documents):
            return []
        where: Any = {"document": {"$in": [d.id for d in documents]}} if documents is not None else None
        found = self._passages.query(
            query_embeddings=cast(Any, vector[None, :]), n_results=min(count, size), where=where, include=["distances"]
        )
        distances = (found["distances"] or [[]])[0]
        return [(key, 1.0 - float(distance)) for key, distance in zip(found["ids"][0], distances, strict=True)]

    def add(self, document: Document) -> Added:
        """Adds a document, or replaces the one from the same source, whole or not at all.

        A document that is there already, unchanged, is neither split nor embedded. One from another source under
        a name that is taken is called by as much of its path as tells them apart.
        """
        document, old = self._named(document)
        if old == _record(document):
            return Added("unchanged", document.name)
        if not self._embedder:
            raise ValueError("an index opened without an embedder takes no documents")
        passages = split(document, self._embedder.count_tokens)
        vectors = _vectors(passages, self._embedder)
        with _writing(), self._lock:
            self._put(passages, vectors)
            self._records.upsert(
                ids=[document.id],
                embeddings=cast(Any, [_RECORD_VECTOR]),
                metadatas=[{"record": json.dumps(_record(document), ensure_ascii=False)}],
            )
            self._sweep(document.id, keep=document.version)
            self._changed()
        return Added("replaced" if old else "added", document.name)

    def remove(self, name: str) -> bool:
        """Removes the document of that name; False when there is none."""
        with _writing(), self._lock:
            key = next((key for key, record in _records(self._records).items() if record["name"] == name), None)
            if key is None:
                return False
            self._records.delete(ids=[key])
            self._sweep(key, keep="")
            self._changed()
            return True

    def _named(self, document: Document) -> tuple[Document, dict[str, Any] | None]:
        """The document under a name that no other source has, and the record of what it replaces."""
        records = _records(self._records)
        old = records.pop(document.id, None)
        taken = {record["name"] for record in records.values()}
        name, parts = document.name, Path(document.source).parts
        depth = len(Path(name).parts)
        while name in taken and depth < len(parts):
            depth += 1
            name = Path(*parts[-depth:]).as_posix()
        return replace(document, name=name), old

    def _put(self, passages: Sequence[Passage], vectors: Sequence[Vectors]) -> None:
        size = self._client.get_max_batch_size()
        for first in range(0, len(passages), size):
            batch = passages[first : first + size]
            self._passages.upsert(
                ids=[passage.id for passage in batch],
                embeddings=cast(Any, np.stack(vectors[first : first + size])),
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

    def _sweep(self, document_id: str, keep: str) -> None:
        """Deletes a document's passages of other versions than `keep`."""
        where: Any = {"$and": [{"document": document_id}, {"version": {"$ne": keep}}]}
        stale = self._passages.get(where=where, include=[])["ids"]
        if stale:
            self._passages.delete(ids=stale)

    def _sweep_orphans(self) -> None:
        """Deletes what an interrupted change left behind."""
        current = {(key, record["version"]) for key, record in _records(self._records).items()}
        stored = self._passages.get(include=["metadatas"])
        pairs = zip(stored["ids"], stored["metadatas"] or [], strict=True)
        stale = [key for key, meta in pairs if (meta["document"], meta["version"]) not in current]
        if stale:
            _log.warning("removing %d passages that an interrupted change left behind", len(stale))
            self._passages.delete(ids=stale)

    def _changed(self) -> None:
        self._records.modify(metadata={"generation": uuid.uuid4().hex})


def _vectors(passages: Sequence[Passage], embedder: Embedder) -> list[Vectors]:
    vectors: list[Vectors] = []
    for first in range(0, len(passages), EMBEDDED_AT_ONCE):
        encodings = embedder.encode([embedded_text(passage) for passage in passages[first : first + EMBEDDED_AT_ONCE]])
        vectors += [encoding.vector for encoding in encodings]
    return vectors


def _built_by(embedder: Embedder | None) -> dict[str, Any]:
    """What an index is made with, as its metadata has it."""
    made_by = {"embedding": embedder.name, "dimension": embedder.dimension} if embedder else {}
    return {"schema": SCHEMA, "chunking": SCHEME, **made_by}


def _records(collection: chromadb.Collection) -> dict[str, dict[str, Any]]:
    stored = collection.get(include=["metadatas"])
    return {
        key: json.loads(str(meta["record"])) for key, meta in zip(stored["ids"], stored["metadatas"] or [], strict=True)
    }


def _stored(passages: chromadb.Collection, records: chromadb.Collection) -> list[Document]:
    """The documents of these collections; a text is its passages, joined."""
    texts: dict[tuple[str, str], list[tuple[int, str]]] = {}
    stored = passages.get(include=["documents", "metadatas"])
    for text, meta in zip(stored["documents"] or [], stored["metadatas"] or [], strict=True):
        key = (str(meta["document"]), str(meta["version"]))
        texts.setdefault(key, []).append((cast(int, meta["start"]), text))
    documents = []
    for record in _records(records).values():
        pieces = sorted(texts.get((record["id"], record["version"]), []))
        documents.append(_document(record, "".join(text for _, text in pieces)))
    return sorted(documents, key=lambda document: document.name)


def embedded_text(passage: Passage) -> str:
    """What the embedder sees of a passage: the title gives the context that the passage's own words leave out."""
    return f"{passage.document.title}\n{passage.text}"


def _record(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "name": document.name,
        "source": document.source,
        "title": document.title,
        "publisher": document.publisher,
        "markdown": document.markdown,
        "examples": list(document.examples),
        "version": document.version,
    }


def _document(record: dict[str, Any], text: str) -> Document:
    return Document(
        name=record["name"],
        source=record["source"],
        title=record["title"],
        text=text,
        publisher=record["publisher"],
        markdown=record["markdown"],
        examples=tuple(record["examples"]),
    )


def _client(where: Path | str) -> ClientAPI:
    settings = ChromaSettings(anonymized_telemetry=False)
    if isinstance(where, Path):
        return chromadb.PersistentClient(path=str(where), settings=settings)
    address = urlsplit(where)
    https = address.scheme == "https"
    port = address.port or (443 if https else 8000)
    return chromadb.HttpClient(host=address.hostname or where, port=port, ssl=https, settings=settings)


def _collection(client: ClientAPI, name: str, metadata: dict[str, Any]) -> chromadb.Collection:
    """The collection of that name; made, with this metadata, when there is none."""
    if name in {collection.name for collection in client.list_collections()}:
        return client.get_collection(name, embedding_function=None)
    return client.create_collection(
        name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}, metadata=metadata
    )


def _lock(where: Path | str) -> AbstractContextManager[Any]:
    """One process at a time changes an index folder; a server sees to that itself."""
    return FileLock(where.with_name(where.name + ".lock")) if isinstance(where, Path) else nullcontext()


@contextmanager
def _opening(where: Path | str) -> Iterator[None]:
    """Says in our errors why an index does not open."""
    if isinstance(where, Path):
        _require_writable(where)
    try:
        yield
    except ChromaError as error:
        if "readonly" in str(error) or "read-only" in str(error):
            raise NotWritableError(f"{where} is read-only. Set QA_HOME to a folder that takes writes.") from error
        raise _damaged(where, str(error)) from error
    except (ValueError, ConnectionError) as error:
        if isinstance(where, Path):
            raise _damaged(where, str(error)) from error
        raise BrokenError(f"The Chroma server at {where} does not answer: {error} Check QA_CHROMA_URL.") from error


def _damaged(where: Path | str, why: str) -> IndexDamagedError:
    return IndexDamagedError(
        f"The index {where} cannot be opened: {why.splitlines()[0]}. "
        f"Move it away and add your documents again: mv '{where}' '{where}.damaged' && python -m qa add PATH"
    )


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{uuid.uuid4().hex}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise NotWritableError(
            f"{folder} does not take writes: {error.strerror}. Set QA_HOME to a folder that does."
        ) from error


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except (ChromaError, OSError) as error:
        raise NotWritableError(
            f"The index could not be written: {error}. The library is as it was; free some space or "
            f"set QA_HOME to a folder that takes writes, then add again."
        ) from error


def _check_built_by(found: dict[str, Any], wanted: dict[str, Any], where: Path | str) -> None:
    differing = [key for key in wanted if found.get(key) != wanted[key]]
    if differing:
        was = ", ".join(f"{key} {found.get(key)}" for key in differing)
        now = ", ".join(f"{key} {wanted[key]}" for key in differing)
        raise IndexMismatchError(
            f"The index {where} was built with {was}; now it is {now}. Rebuild it: python -m qa rebuild "
            f"(or set the earlier value again)."
        )


def _check_whole(passages: chromadb.Collection) -> None:
    """Chroma answers from what is left when files of its folder are gone; a small search shows that."""
    size = min(passages.count(), 10)
    if not size:
        return
    vectors = cast(Any, passages.get(limit=1, include=["embeddings"])["embeddings"])
    if len(passages.query(query_embeddings=vectors, n_results=size, include=[])["ids"][0]) < size:
        raise ValueError("its vectors are incomplete")
