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
from qa.library.catalog import Entry
from qa.library.search import retrieve
from qa.library.snapshot import Snapshot
from qa.models.embedding import BATCH, Vectors
from qa.progress import Progress
from qa.resources import Resources
from qa.types import RankedPassage

OVERVIEW_PASSAGES = 20
"""Passages in which the sentences about a topic are looked for."""
MIN_QUOTED_WORDS = 4
"""Words; a shorter answer stands in many documents."""
QUOTED_PASSAGES = 10
"""Passages in whose documents the words of an answer are looked for."""


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

    def search(topic: str, documents: Sequence[Entry]) -> list[RankedPassage]:
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
    resources: Resources, topic: str, documents: Sequence[Entry], snapshot: Snapshot
) -> list[RankedPassage]:
    """Returns the best passages of these documents about a topic."""
    searched = snapshot
    if len(documents) < len(snapshot.entries):
        searched = snapshot.only([document.id for document in documents])
    nearest = resources.index.nearest
    with resources.lock:
        vector = resources.embedder.encode([topic])[0].vector
        return retrieve(topic, vector, searched, nearest, OVERVIEW_PASSAGES)


def quoted_document(answer: str, snapshot: Snapshot) -> str | None:
    """Returns the name of a document that has the words of an answer, line ends apart.

    Looked for in the passages that share most with the answer. None: there is none.
    """
    words = " ".join(answer.split())
    if len(words.split()) < MIN_QUOTED_WORDS:
        return None
    hits = snapshot.find_by_words(words, QUOTED_PASSAGES)
    passages = snapshot.passages_of(hits)
    for passage in passages.values():
        document = passage.document
        document_words = document.text.split()
        if words in " ".join(document_words):
            return document.name
    return None


def _passages_of(documents: Sequence[Entry], snapshot: Snapshot) -> list[RankedPassage]:
    """Returns all passages of these documents, in their order."""
    passages: list[RankedPassage] = []
    for document in documents:
        passages += map(RankedPassage.unranked, snapshot.stored(document.id).passages)
    return passages
