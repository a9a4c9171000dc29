"""Stored passages, sentences and records that were changed: damage is named, never answered from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qa.errors import IndexDamagedError
from qa.library.index import Index
from qa.library.stored_sentences import unpack
from qa.types import Span
from tests.qa.fakes import WordEmbedder, text_document

SENTENCE = [0, 5, 0, 0, 0, -1, 0, -1, -1]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    index = Index(tmp_path / "index", WordEmbedder())
    index.add(text_document("The bridge opened in May. It is long. " * 100))
    assert len(index.snapshot().all_passages()) > 1
    return index


def _change(collection: Any, **changes: Any) -> None:
    """Changes a stored row; the generation stays."""
    key = collection.get()["ids"][0]
    collection.update(ids=[key], metadatas=[changes])


@pytest.mark.parametrize(
    "changes",
    [
        {"sentences": "[]"},
        {"sentences": "[[0,5,3,0,0,-1,0,-1,-1]]"},
        {"sentences": "[[1,"},
        {"sentences": "[" * 100_000},
        {"sentences": 5},
        {"sentences": None},
        {"start": 3},
        {"start": "x"},
        {"start": None},
        {"end": 9},
        {"checksum": 1},
    ],
)
def test_changed_passage_raises_index_damaged(index: Index, changes: dict[str, Any]) -> None:
    _change(index._store.passages, **changes)
    with pytest.raises(IndexDamagedError, match="Move it away and add your documents again"):
        Index(index._store.where, WordEmbedder()).snapshot().all_passages()


@pytest.mark.parametrize("record", ["[[", "5", "[" * 100_000, "{}", None, 7])
def test_changed_record_raises_index_damaged(index: Index, record: object) -> None:
    _change(index._store.records, record=record)
    with pytest.raises(IndexDamagedError, match="a record"):
        index.documents()


def test_passage_without_checksum_is_read(index: Index) -> None:
    """A passage of an earlier release has none."""
    (before,) = index.snapshot().stored_documents()
    _change(index._store.passages, checksum=None)
    reopened = Index(index._store.where, WordEmbedder())
    assert list(reopened.snapshot().stored_documents()) == [before]


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row[:2],
        lambda row: "x",
        lambda row: ["0", *row[1:]],
        lambda row: [0.5, *row[1:]],
        lambda row: [-5, -1, *row[2:]],
        lambda row: [0, 99, *row[2:]],
        lambda row: [5, 0, *row[2:]],
        lambda row: [11, 12, *row[2:]],
        lambda row: [*row[:2], 99, *row[3:]],
        lambda row: [*row[:2], -1, *row[3:]],
        lambda row: [*row[:5], 0, *row[6:]],
        lambda row: [*row[:5], 2, *row[6:]],
        lambda row: [*row, 0],
        lambda row: [*row, 0, 3],
        lambda row: [*row[:7], 0, 3],
    ],
)
def test_unpack_impossible_sentence_raises(change: Callable[[Any], Any]) -> None:
    second = [12, 20, 0, 1, 0, -1, 0, -1, -1, 0, 5]
    spans = (Span(0, 10), Span(10, 20))
    good = [(span, json.dumps([row])) for span, row in zip(spans, (SENTENCE, second), strict=True)]
    assert len(unpack(good, 20)) == 2
    with pytest.raises(ValueError, match="sentence"):
        unpack([(spans[0], json.dumps([change(SENTENCE)])), good[1]], 20)


@pytest.mark.parametrize(
    "spans",
    [[Span(0, 9), Span(10, 20)], [Span(0, 11), Span(10, 20)], [Span(0, 10)], []],
)
def test_unpack_passages_with_gaps_raises(spans: list[Span]) -> None:
    with pytest.raises(ValueError, match="its passages do not"):
        unpack([(span, "[]") for span in spans], 20)


def test_unpack_sentences_out_of_order_raises() -> None:
    rows = [[6, 9, 0, 0, 0, -1, 0, -1, -1], SENTENCE]
    with pytest.raises(ValueError, match="not where it belongs"):
        unpack([(Span(0, 20), json.dumps(rows))], 20)
