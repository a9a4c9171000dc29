"""Retrieval: at which ranks the evidence stands among the passages that were read.

What is relevant is text, whatever passages it was cut into: each gold quote, at the first passage that shares at least
half of the shorter of the two with it. In sets without quotes it is the documents that have a grade, each at its best
passage (MaxP, Dai and Callan 2019); then ranks count documents. A rank is a place in the order of the passages, so
that equal scores are no ties. Where fewer than k were read, a figure at k is that of those read. What was retrieved
counts under a refusal too. None: the question has nothing relevant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from eval.dataset import Gold
from eval.metrics.example import Example, agree
from qa.types import RankedPassage


@dataclass(frozen=True, slots=True)
class Ranking:
    """What each rank adds, best first."""

    gains: tuple[int, ...]
    """The gold quotes that no earlier passage held; or the grade of the document."""
    found: tuple[int, ...]
    """How many relevant things that is."""
    relevant: int
    """How many there are."""
    ideal: tuple[int, ...]
    """The gains of the best ranking there could be."""


def hit(example: Example, depth: int) -> float | None:
    """Whether there is anything relevant in the first `depth` ranks (Success@k)."""
    ranking = _ranking(example)
    return None if ranking is None else float(any(ranking.found[:depth]))


def recall(example: Example, depth: int) -> float | None:
    """The share of what is relevant in the first `depth` ranks; of quotes, subtopic recall (Zhai et al. 2003)."""
    ranking = _ranking(example)
    return None if ranking is None else sum(ranking.found[:depth]) / ranking.relevant


def reciprocal_rank(example: Example) -> float | None:
    """1 by the first rank with anything relevant, 0 without one (Voorhees 1999, TREC-8 QA track)."""
    ranking = _ranking(example)
    if ranking is None:
        return None
    return next((1 / rank for rank, found in enumerate(ranking.found, start=1) if found), 0.0)


def ndcg(example: Example, depth: int) -> float | None:
    """The discounted gain of the first `depth` ranks, by that of the best ranking (Järvelin and Kekäläinen 2002).

    Of documents, the gain is the grade. Of quotes, it is how many are new, and the best ranking has all of them in its
    first passage: alpha-DCG for alpha 1, normalised by collection-independent ideal gain (Clarke et al. 2008, 2011),
    which is the mean over the quotes of their own nDCG (nDCG-IA, Agrawal et al. 2009). Thus it compares ways of cutting
    documents, which alpha-nDCG does not, its ideal being one of the passages; and quotes that stand far apart do not
    reach 1.
    """
    ranking = _ranking(example)
    return (
        None
        if ranking is None
        else _discounted(ranking.gains[:depth]) / _discounted(ranking.ideal[:depth])
    )


def _ranking(example: Example) -> Ranking | None:
    """By the quotes, if there are any; else by the documents."""
    if example.gold:
        return _of_quotes(example.answer.passages, example.gold)
    if example.question.relevant:
        return _of_documents(example.answer.passages, example.question.relevant)
    return None


def _of_quotes(passages: Iterable[RankedPassage], gold: Sequence[Gold]) -> Ranking:
    missing = list(gold)
    gains = []
    for place in ((ranked.passage.document.name, ranked.passage.span) for ranked in passages):
        left = [quote for quote in missing if not agree(place, quote)]
        gains.append(len(missing) - len(left))
        missing = left
    return Ranking(tuple(gains), tuple(gains), len(gold), (len(gold),))


def _of_documents(passages: Iterable[RankedPassage], grades: Mapping[str, int]) -> Ranking:
    names = dict.fromkeys(ranked.passage.document.name for ranked in passages)
    gains = tuple(grades.get(name, 0) for name in names)
    ideal = tuple(sorted(grades.values(), reverse=True))
    return Ranking(gains, tuple(int(gain > 0) for gain in gains), len(grades), ideal)


def _discounted(gains: Iterable[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))
