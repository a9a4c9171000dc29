"""Finds what an overview is made of: sentences to quote, or passages for a language model.

Gives the steps in `qa/answer` what they need of index and embedder: `select_overview` for step 2
(`selection.py`), `overview_passages` for step 3 (`gather.py`).
"""

import threading
from collections.abc import Sequence

import numpy as np

from qa.answer.overview_request import OverviewRequest
from qa.answer.selection import Selection, select_sentences
from qa.errors import StoppedError
from qa.library.search import retrieve
from qa.library.snapshot import Snapshot
from qa.models.embedding import BATCH, Vectors
from qa.progress import Progress
from qa.resources import Resources
from qa.types import Document, RankedPassage

OVERVIEW_PASSAGES = 20
"""Passages in which the sentences about a topic are looked for."""


def select_overview(
    resources: Resources,
    request: OverviewRequest,
    snapshot: Snapshot,
    progress: Progress,
    stop: threading.Event,
) -> Selection:
    """Returns the sentences to quote; none if no document is about the topic.

    Raises StoppedError once `stop` is set.
    """
    progress.begin("read")

    def encode(texts: Sequence[str]) -> Vectors:
        rows: list[Vectors] = []
        for first in range(0, len(texts), BATCH):
            if stop.is_set():
                raise StoppedError("The overview was stopped before it was complete.")
            # Each batch is a turn of its own: a long document must not keep others waiting.
            with resources.lock:
                encodings = resources.embedder.encode(texts[first : first + BATCH])
            rows += [encoding.vector for encoding in encodings]
        return np.stack(rows)

    def search(topic: str, documents: Sequence[Document]) -> list[RankedPassage]:
        return _search(resources, topic, documents, snapshot)

    return select_sentences(request, snapshot, encode, search)


def overview_passages(
    resources: Resources, request: OverviewRequest, snapshot: Snapshot
) -> list[RankedPassage]:
    """Returns the passages about the topics, each once; without topics all passages."""
    if not request.topics:
        return _passages_of(request.documents, snapshot)
    about: dict[str, RankedPassage] = {}
    for topic in request.topics:
        for ranked in _search(resources, topic, request.documents, snapshot):
            about.setdefault(ranked.passage.id, ranked)
    return list(about.values())


def _search(
    resources: Resources, topic: str, documents: Sequence[Document], snapshot: Snapshot
) -> list[RankedPassage]:
    """Returns the best passages of these documents about a topic."""
    wanted = {document.id for document in documents}
    nearest = resources.index.nearest
    with resources.lock:
        vector = resources.embedder.encode([topic])[0].vector
        ranked = retrieve(topic, vector, snapshot, nearest, OVERVIEW_PASSAGES)
    return [row for row in ranked if row.passage.document.id in wanted]


def _passages_of(documents: Sequence[Document], snapshot: Snapshot) -> list[RankedPassage]:
    """Returns all passages of these documents, in their order."""
    by_document: dict[str, list[RankedPassage]] = {document.id: [] for document in documents}
    for passage in snapshot.passages.values():
        if passage.document.id in by_document:
            ranked = RankedPassage.unranked(passage)
            by_document[passage.document.id].append(ranked)
    return [ranked for passages in by_document.values() for ranked in passages]
