"""The stored form of a library: one record a document, one row a passage."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any

import numpy as np

from qa.documents.sentences import Sentence
from qa.errors import BrokenError
from qa.library.failures import damaged
from qa.library.store import Store
from qa.library.stored_document import StoredDocument
from qa.library.stored_sentences import checksum, pack, unpack
from qa.models.embedding import Vectors
from qa.text.language import detect_language
from qa.types import Document, Passage, Span

Record = dict[str, Any]
Fields = Mapping[str, type | UnionType]
"""The fields of what is stored, each with its type."""
_VECTOR = [1.0]
"""Chroma requires a vector with every row; records are found by id only."""
_REQUIRED: Fields = {
    "id": str,
    "name": str,
    "source": str,
    "title": str,
    "publisher": str | None,
    "markdown": bool,
    "examples": list,
    "version": str,
}
_LATER: Record = {"pages": [], "date": None, "furniture": [], "language": None}
"""Fields that the records of an earlier release do not have."""
_LATER_TYPES: Fields = {"pages": list, "furniture": list, "language": str | None}
_PASSAGE: Fields = {"document": str, "version": str, "start": int, "end": int}
"""What each passage has. Passages of schema 2, which a rebuild still reads, have no sentences."""


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage as it is stored."""

    id: str
    document: str
    """The id of its document."""
    version: str
    span: Span
    text: str
    """Empty where texts were not read."""
    sentences: Any
    """The sentences that begin in it, as `stored_sentences` packs them; None in schema 2."""
    checksum: Any
    """Of span and sentences. None where an earlier release wrote the passage."""

    def packed_sentences(self) -> str:
        """Returns the sentences as they were written. Raises ValueError for changed ones."""
        if not isinstance(self.sentences, str):
            raise ValueError("a passage has no sentences")
        if self.checksum not in (None, checksum(self.span, self.sentences)):
            raise ValueError("the sentences of a passage are not those that were written")
        return self.sentences


@dataclass(frozen=True, slots=True)
class EmbeddedPassage:
    """A passage, its vector and its sentences, as they are stored."""

    passage: Passage
    vector: Vectors
    sentences: str
    """As in PassageRow."""

    @classmethod
    def of(
        cls,
        passage: Passage,
        vector: Vectors,
        sentences: Sequence[Sentence],
    ) -> "EmbeddedPassage":
        """Takes over those of the document's sentences that begin in the passage."""
        return cls(passage, vector, pack(sentences, passage.span))


def read_records(store: Store, ids: Sequence[str] | None = None) -> dict[str, Record]:
    """Returns the records by document id, of all documents or of those with these ids.

    Raises IndexDamagedError for an incomplete record.
    """
    chosen = None if ids is None else list(ids)
    stored: Any = store.records.get(ids=chosen, include=["metadatas"])
    records = {}
    for key, metadata in zip(stored["ids"], stored["metadatas"], strict=True):
        record = _parsed((metadata or {}).get("record"))
        _require_fields(store, record, _REQUIRED, "a record")
        records[key] = _LATER | record
        _require_fields(store, records[key], _LATER_TYPES, "a record")
    return records


def write_records(collection: Any, documents: Sequence[Document]) -> None:
    """Writes the records of documents: from now on they are part of the library."""
    metadatas = []
    for document in documents:
        record = json.dumps(record_of(document), ensure_ascii=False)
        metadatas.append({"record": record})
    collection.upsert(
        ids=[document.id for document in documents],
        embeddings=[_VECTOR] * len(documents),
        metadatas=metadatas,
    )


def record_of(document: Document) -> Record:
    """Returns all of a document except its text, which is in its passages."""
    return {
        "id": document.id,
        "name": document.name,
        "source": document.source,
        "title": document.title,
        "publisher": document.publisher,
        "markdown": document.markdown,
        "examples": list(document.examples),
        "pages": list(document.pages),
        "date": document.date,
        "furniture": [[span.start, span.end] for span in document.furniture],
        "language": document.language,
        "version": document.version,
    }


def furniture_of(record: Record) -> tuple[Span, ...]:
    """Returns the lines that a record marks as page furniture."""
    return tuple(Span(start, end) for start, end in record["furniture"])


def document_of(record: Record, text: str) -> Document:
    """Returns the document of a record with this text."""
    language = record["language"]
    if language is None:
        language = detect_language(text)
    return Document(
        name=record["name"],
        source=record["source"],
        title=record["title"],
        text=text,
        publisher=record["publisher"],
        markdown=record["markdown"],
        examples=tuple(record["examples"]),
        pages=tuple(record["pages"]),
        date=record["date"],
        furniture=furniture_of(record),
        language=language,
    )


def read_stored(store: Store, ids: Sequence[str]) -> dict[str, tuple[StoredDocument, Record]]:
    """Returns the documents with these ids and their records, without those that are gone.

    Raises IndexDamagedError for a text or sentences that were changed.
    """
    records = read_records(store, ids)
    if not records:
        return {}
    rows = read_passages(store, texts=True, documents=list(records))
    rows.sort(key=lambda row: row.span.start)
    by_document: dict[str, list[PassageRow]] = {}
    for row in rows:
        record = records[row.document]
        # An interrupted change can have left passages of another version.
        if row.version == record["version"]:
            document_rows = by_document.setdefault(row.document, [])
            document_rows.append(row)

    documents = {}
    for key, record in records.items():
        document_rows = by_document.get(key, [])
        stored = _stored(store, record, document_rows)
        documents[key] = (stored, record)
    return documents


def read_passages(
    store: Store, texts: bool = False, documents: Sequence[str] | None = None
) -> list[PassageRow]:
    """Returns the rows of all passages, or of those documents, in no particular order."""
    include: Any = ["metadatas", "documents"] if texts else ["metadatas"]
    where: Any = None if documents is None else {"document": {"$in": list(documents)}}
    stored: Any = store.passages.get(where=where, include=include)
    keys = stored["ids"]
    row_texts = stored["documents"] if texts else [""] * len(keys)

    rows = []
    for key, metadata, text in zip(keys, stored["metadatas"], row_texts, strict=True):
        _require_fields(store, metadata, _PASSAGE, "a passage")
        row = PassageRow(
            id=key,
            document=metadata["document"],
            version=metadata["version"],
            span=Span(metadata["start"], metadata["end"]),
            text=text or "",
            sentences=metadata.get("sentences"),
            checksum=metadata.get("checksum"),
        )
        rows.append(row)
    return rows


def read_documents(store: Store) -> list[Document]:
    """Returns the documents by name. Raises IndexDamagedError for a text that was changed."""
    with store.refreshed():
        records = read_records(store)
        texts = _read_texts(store)

    documents = []
    for key, record in records.items():
        version = record["version"]
        text = texts.get((key, version), "")
        documents.append(_document(store, record, text))
    documents.sort(key=lambda document: document.name)
    return documents


def write_passages(
    collection: Any,
    passages: Sequence[EmbeddedPassage],
    batch_size: int,
) -> None:
    """Writes passages with their vectors, `batch_size` rows at a time."""
    for batch in batches(len(passages), batch_size):
        rows = passages[batch]
        collection.upsert(
            ids=[row.passage.id for row in rows],
            embeddings=np.stack([row.vector for row in rows]),
            documents=[row.passage.text for row in rows],
            metadatas=[_metadata(row) for row in rows],
        )


def require_complete(
    collection: Any,
    document: Document,
    passages: Sequence[EmbeddedPassage],
) -> None:
    """Raises BrokenError unless the collection has exactly these passages of the document.

    Another machine that uses the same server may have deleted some of them.
    """
    version: Any = {"$and": [{"document": document.id}, {"version": document.version}]}
    stored = collection.get(where=version, include=["documents"])
    expected = {row.passage.id for row in passages}
    length = sum(len(text) for text in stored["documents"])
    if set(stored["ids"]) != expected or length != len(document.text):
        raise BrokenError(
            f"{document.name} was not added: {len(stored['ids'])} of its {len(expected)} passages "
            f"are in the index. Another program may have changed the index. Add the file again."
        )


def batches(count: int, size: int) -> Iterator[slice]:
    """Returns slices that divide a sequence of `count` items into parts of at most `size`."""
    for first in range(0, count, size):
        yield slice(first, first + size)


def _stored(store: Store, record: Record, rows: Sequence[PassageRow]) -> StoredDocument:
    """Returns the document of a record and of the rows of its passages, in their order."""
    texts = [row.text for row in rows]
    text = "".join(texts)
    document = _document(store, record, text)
    try:
        parts = [(row.span, row.packed_sentences()) for row in rows]
        sentences = unpack(parts, len(text))
    except ValueError as error:
        raise damaged(store.where, f"{document.name} is damaged: {error}") from error
    passages = [Passage(document, row.span) for row in rows]
    return StoredDocument(document, sentences, tuple(passages))


def _document(store: Store, record: Record, text: str) -> Document:
    document = document_of(record, text)
    # The version is a hash of the text: a changed text would shift every citation.
    if document.version != record["version"]:
        cause = f"the text of {document.name} is not the text that was added"
        raise damaged(store.where, cause)
    return document


def _parsed(record: Any) -> Any:
    """Returns what a record holds; None where it is not JSON."""
    try:
        return json.loads(record)
    except (ValueError, TypeError, RecursionError):
        return None


def _require_fields(store: Store, stored: Any, fields: Fields, what: str) -> None:
    """Raises IndexDamagedError unless the fields are there, each of its type."""
    if not isinstance(stored, dict):
        raise damaged(store.where, f"{what} cannot be read")
    for field, kind in fields.items():
        if field not in stored or not isinstance(stored[field], kind):
            raise damaged(store.where, f"{what} has no {field!r}")


def _read_texts(store: Store) -> dict[tuple[str, str], str]:
    """Returns the texts by document id and version: the passages of each, joined."""
    rows = read_passages(store, texts=True)
    rows.sort(key=lambda row: row.span.start)

    pieces: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        key = (row.document, row.version)
        parts = pieces.setdefault(key, [])
        parts.append(row.text)
    return {key: "".join(parts) for key, parts in pieces.items()}


def _metadata(row: EmbeddedPassage) -> dict[str, Any]:
    passage = row.passage
    return {
        "document": passage.document.id,
        "version": passage.document.version,
        "start": passage.span.start,
        "end": passage.span.end,
        "sentences": row.sentences,
        "checksum": checksum(passage.span, row.sentences),
    }
