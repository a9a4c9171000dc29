"""A question finds passages: the nearest by meaning and the best by words, fused by reciprocal rank."""

from collections.abc import Callable, Collection, Sequence

from qa.library.snapshot import Snapshot
from qa.models.embedding import Vectors
from qa.types import Document, RankedPassage, Why

Nearest = Callable[[Vectors, int, Collection[Document]], list[tuple[str, float]]]
"""`Index.nearest`, or anything that finds passage ids for a vector the same way."""
DEPTH = 50
"""How far down each of the two rankings counts."""
RRF_K = 60
"""Reciprocal rank fusion's constant, from Cormack, Clarke and Büttcher (2009)."""


def retrieve(
    question: str, vector: Vectors, snapshot: Snapshot, nearest: Nearest, top_k: int
) -> list[RankedPassage]:
    """The best passages for a question and its vector, best first; the score is the fused one, above 0 to 1/30.

    There are `top_k`, and those beside that say in full what a sentence of these only echoes.
    """
    near = nearest(vector, DEPTH, snapshot.documents)
    dense = _ranks([key for key, _ in near if key in snapshot.passages])
    scored = zip(snapshot.passages, snapshot.lexical.scores(question), strict=True)
    by_words = sorted((row for row in scored if row[1] > 0), key=lambda row: -row[1])[:DEPTH]
    lexical = _ranks([key for key, _ in by_words])
    fused = {
        key: sum(1 / (RRF_K + ranks[key]) for ranks in (dense, lexical) if key in ranks)
        for key in snapshot.passages
        if key in dense or key in lexical
    }
    best = sorted(fused, key=lambda key: -fused[key])[:top_k]
    originals = [key for key in _originals(best, snapshot) if key not in best]
    return [
        RankedPassage(
            snapshot.passages[key],
            fused.get(key, 0.0),
            Why(dense.get(key), lexical.get(key), fused.get(key, 0.0)),
        )
        for key in [*best, *originals]
    ]


def _ranks(keys: Sequence[str]) -> dict[str, int]:
    return {key: rank for rank, key in enumerate(keys, start=1)}


def _originals(keys: Sequence[str], snapshot: Snapshot) -> list[str]:
    """The passages that hold what sentences of these passages echo, once each."""
    found: dict[str, None] = {}
    for key in keys:
        passage = snapshot.passages[key]
        for sentence in snapshot.sentences_in(passage):
            if sentence.duplicate_of is not None:
                original = snapshot.sentences[passage.document.id][sentence.duplicate_of]
                found[snapshot.passage_at(passage.document, original.span.start).id] = None
    return list(found)
