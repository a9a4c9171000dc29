"""Document records: what the library keeps of a document beside its passages."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from qa.library.store import Store, damaged
from qa.types import Document

Record = dict[str, Any]
_VECTOR = [1.0]
"""Chroma requires a vector with every row; records are found by id only."""
_REQUIRED = ("id", "name", "source", "title", "publisher", "markdown", "examples", "version")
_LATER: Record = {"pages": []}
"""Fields that the records of an earlier release do not have."""


def read_records(store: Store) -> dict[str, Record]:
    """Returns the records by document id. Raises IndexDamagedError for an incomplete record."""
    rows = store.records.get(include=["metadatas"])
    records = {}
    for key, metadata in zip(rows["ids"], rows["metadatas"] or [], strict=True):
        record: Record = json.loads(str(metadata["record"]))
        for field in _REQUIRED:
            if field not in record:
                raise damaged(store.where, f"a record has no {field!r}")
        records[key] = _LATER | record
    return records


def write_record(collection: Any, document: Document) -> None:
    """Writes the record of a document: from now on it is part of the library."""
    record = json.dumps(record_of(document), ensure_ascii=False)
    collection.upsert(ids=[document.id], embeddings=[_VECTOR], metadatas=[{"record": record}])


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
