"""The stored form of a library: one record a document, one row a passage."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from qa.library.store import Store, damaged
from qa.models.embedding import Vectors
from qa.types import Document, Passage

Record = dict[str, Any]
_VECTOR = [1.0]
"""Chroma requires a vector with every row; records are found by id only."""
_REQUIRED = ("id", "name", "source", "title", "publisher", "markdown", "examples", "version")
_LATER: Record = {"pages": []}
"""Fields that the records of an earlier release do not have."""


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage as it is stored."""

    id: str
    document: str
    """The id of its document."""
    version: str
    start: int
    end: int
    text: str
    """Empty where texts were not read."""


def read_records(store: Store) -> dict[str, Record]:
    """Returns the records by document id. Raises IndexDamagedError for an incomplete record."""
    stored: Any = store.records.get(include=["metadatas"])
    records = {}
    for key, metadata in zip(stored["ids"], stored["metadatas"], strict=True):
        record: Record = json.loads(metadata["record"])
        for field in _REQUIRED:
            if field not in record:
                raise damaged(store.where, f"a record has no {field!r}")
        records[key] = _LATER | record
    return records


def write_record(collection: Any, document: Document) -> None:
    """Writes the record of a document: from now on it is part of the library."""
    record = json.dumps(record_of(document), ensure_ascii=False)
    collection.upsert(
        ids=[document.id],
        embeddings=[_VECTOR],
        metadatas=[{"record": record}],
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
        "version": document.version,
    }


def document_of(record: Record, text: str) -> Document:
    """Returns the document of a record with this text."""
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


def read_passages(store: Store, texts: bool = False) -> list[PassageRow]:
    """Returns the rows of all passages, in no particular order."""
    include: Any = ["metadatas", "documents"] if texts else ["metadatas"]
    stored: Any = store.passages.get(include=include)
    keys = stored["ids"]
    documents = stored["documents"] if texts else [""] * len(keys)

    rows = []
    for key, metadata, text in zip(keys, stored["metadatas"], documents, strict=True):
        row = PassageRow(
            id=key,
            document=metadata["document"],
            version=metadata["version"],
            start=metadata["start"],
            end=metadata["end"],
            text=text,
        )
        rows.append(row)
    return rows


def write_passages(
    collection: Any,
    passages: Sequence[Passage],
    vectors: Sequence[Vectors],
    batch_size: int,
) -> None:
    """Writes passages with their vectors, `batch_size` rows at a time."""
    for batch in batches(len(passages), batch_size):
        rows = passages[batch]
        collection.upsert(
            ids=[passage.id for passage in rows],
            embeddings=np.stack(vectors[batch]),
            documents=[passage.text for passage in rows],
            metadatas=[_metadata(passage) for passage in rows],
        )


def batches(count: int, size: int) -> Iterator[slice]:
    """Returns slices that divide a sequence of `count` items into parts of at most `size`."""
    for first in range(0, count, size):
        yield slice(first, first + size)


def with_unique_name(document: Document, records: Mapping[str, Record]) -> Document:
    """Returns the document under a name that no document from another source has.

    A taken name is extended by the folders of its source until it is unique. A document that got
    such a name before keeps it.
    """
    previous = records.get(document.id)
    if previous and PurePosixPath(f"/{previous['name']}").match(document.name):
        return replace(document, name=previous["name"])

    taken = {record["name"] for key, record in records.items() if key != document.id}
    name = document.name
    parts = Path(document.source).parts
    depth = len(Path(name).parts)
    while name in taken and depth < len(parts):
        depth += 1
        name = Path(*parts[-depth:]).as_posix()
    return replace(document, name=name)


def _metadata(passage: Passage) -> dict[str, Any]:
    return {
        "document": passage.document.id,
        "version": passage.document.version,
        "start": passage.span.start,
        "end": passage.span.end,
    }
