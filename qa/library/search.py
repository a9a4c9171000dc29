"""Retrieval: the nearest passages by meaning and the best by words, fused by reciprocal rank."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from qa.library.snapshot import Snapshot
from qa.library.word_index import Hit
from qa.models.embedding import Vectors
from qa.types import Passage, RankedPassage, Why

Nearest = Callable[[Vectors, int, Collection[str] | None], list[Hit]]
"""`Index.nearest`, or another function that finds passages for a vector in the same way."""
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
    dense_hits = snapshot.in_order(nearest(vector, DEPTH, snapshot.chosen))
    lexical_hits = snapshot.in_order(snapshot.find_by_words(question, DEPTH))
    dense = _ranks(dense_hits)
    lexical = _ranks(lexical_hits)

    fused = {}
    for hit in (*dense_hits, *lexical_hits):
        key = hit.passage
        dense_score = _reciprocal(dense.get(key))
        lexical_score = _reciprocal(lexical.get(key))
        fused[key] = replace(hit, score=dense_score + lexical_score)

    hits = list(fused.values())
    best = snapshot.in_order(hits)[:top_k]
    passages = snapshot.passages_of(best)
    passages |= _originals(list(passages.values()), snapshot)

    ranked = []
    for key, passage in passages.items():
        # Retrieval may not have found the passage of an original.
        score = fused[key].score if key in fused else 0.0
        why = Why(dense.get(key), lexical.get(key), score)
        ranked.append(RankedPassage(passage, score, why))
    return ranked


def _reciprocal(rank: int | None) -> float:
    if rank is None:
        return 0.0
    return 1 / (RRF_K + rank)


def _ranks(hits: Sequence[Hit]) -> Ranks:
    return {hit.passage: rank for rank, hit in enumerate(hits, start=1)}


def _originals(passages: Sequence[Passage], snapshot: Snapshot) -> dict[str, Passage]:
    """Returns the passages with the sentences that these passages only repeat, by id."""
    retrieved = {passage.id for passage in passages}
    originals = {}
    for passage in passages:
        document = passage.document
        sentences = snapshot.sentences_of(document)
        for sentence in snapshot.sentences_in(passage):
            if sentence.duplicate_of is None:
                continue
            original = sentences[sentence.duplicate_of]
            original_passage = snapshot.passage_at(document, original.span.start)
            if original_passage.id not in retrieved:
                originals[original_passage.id] = original_passage
    return originals
