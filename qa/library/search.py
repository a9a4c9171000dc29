"""Retrieval: the nearest passages by meaning and the best by words, fused by reciprocal rank."""

from collections.abc import Callable, Collection, Sequence

from qa.library.snapshot import Snapshot
from qa.models.embedding import Vectors
from qa.types import Document, RankedPassage, Why

Nearest = Callable[[Vectors, int, Collection[Document]], list[tuple[str, float]]]
"""`Index.nearest`, or another function that finds passage ids for a vector in the same way."""
Ranks = dict[str, int]
"""Ranks by passage id, counted from 1."""
DEPTH = 50
"""How far down each of the two rankings counts."""
RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009)."""


def retrieve(
    question: str,
    vector: Vectors,
    snapshot: Snapshot,
    nearest: Nearest,
    top_k: int,
) -> list[RankedPassage]:
    """Returns the `top_k` best passages for a question and its vector, best first.

    After them come the passages with the originals of their duplicate sentences, so the result may
    be longer than `top_k`. A score is a sum of reciprocal ranks, at most 1/30; an original that
    was not retrieved has 0.
    """
    dense = _dense_ranks(vector, snapshot, nearest)
    lexical = _lexical_ranks(question, snapshot)

    fused = {}
    # In the order of the snapshot, so that equal scores have a fixed order.
    for key in snapshot.passages:
        dense_score = _reciprocal(dense.get(key))
        lexical_score = _reciprocal(lexical.get(key))
        score = dense_score + lexical_score
        if score:
            fused[key] = score

    best = _best_first(fused)[:top_k]
    # A dict keeps the order and has each passage once.
    keys = dict.fromkeys(best)
    keys.update(_originals(best, snapshot))

    ranked = []
    for key in keys:
        # Retrieval may not have found the passage of an original.
        score = fused.get(key, 0.0)
        why = Why(dense.get(key), lexical.get(key), score)
        passage = snapshot.passages[key]
        ranked.append(RankedPassage(passage, score, why))
    return ranked


def _dense_ranks(vector: Vectors, snapshot: Snapshot, nearest: Nearest) -> Ranks:
    """Returns the ranks of the nearest passages."""
    keys = []
    for key, _ in nearest(vector, DEPTH, snapshot.documents):
        # The index may have changed since the snapshot was made.
        if key in snapshot.passages:
            keys.append(key)
    return _ranks(keys)


def _lexical_ranks(question: str, snapshot: Snapshot) -> Ranks:
    """Returns the ranks of the passages with the highest BM25 score."""
    scores = snapshot.lexical.scores(question)
    matches = {}
    for key, score in zip(snapshot.passages, scores, strict=True):
        if score > 0:
            matches[key] = score

    best = _best_first(matches)[:DEPTH]
    return _ranks(best)


def _best_first(scores: dict[str, float]) -> list[str]:
    """Returns the keys by their scores; equal scores stay in their order."""
    return sorted(scores, key=lambda key: -scores[key])


def _reciprocal(rank: int | None) -> float:
    if rank is None:
        return 0.0
    return 1 / (RRF_K + rank)


def _ranks(keys: Sequence[str]) -> Ranks:
    return {key: rank for rank, key in enumerate(keys, start=1)}


def _originals(keys: Sequence[str], snapshot: Snapshot) -> dict[str, None]:
    """Returns the passages with the sentences that these passages only repeat, once each."""
    originals: dict[str, None] = {}
    for key in keys:
        passage = snapshot.passages[key]
        document = passage.document
        sentences = snapshot.sentences[document.id]
        for sentence in snapshot.sentences_in(passage):
            if sentence.duplicate_of is None:
                continue
            original = sentences[sentence.duplicate_of]
            original_passage = snapshot.passage_at(document, original.span.start)
            originals[original_passage.id] = None
    return originals
