"""Retrieval metrics: at which ranks the evidence stands among the passages that were read.

Evidence is text, however the documents were cut into passages: each gold quote counts at the first
passage that shares at least half of the shorter of the two with it, in any place of the quote. In
question files without quotes the documents have grades, and each counts at its best passage (MaxP,
Dai and Callan 2019); ranks then count documents. The order of the passages is the ranking, so equal
scores are not ties. If fewer than k passages were read, a metric at k is that of those read.
Passages count under a refusal too. The score is None if the question has no evidence.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import log2

from eval.dataset import Gold
from eval.metrics.example import Example, holds_quote
from eval.metrics.metric import Metric
from qa.types import RankedPassage

DEPTHS = (1, 3, 5, 10)
"""The k of the metrics at k."""
AtDepth = Callable[..., float | None]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What each rank adds, best rank first."""

    gains: tuple[int, ...]
    """The number of gold quotes that no earlier passage held, or the grade of the document."""
    hits: tuple[int, ...]
    """The number of quotes or relevant documents at the rank."""
    relevant: int
    """The number of quotes or relevant documents of the question."""
    ideal: tuple[int, ...]
    """The gains of the best possible ranking."""


def hit(example: Example, depth: int) -> float | None:
    """Returns whether any evidence is in the first k ranks (Success@k)."""
    ranking = _ranking(example)
    if ranking is None:
        return None
    return float(any(ranking.hits[:depth]))


def recall(example: Example, depth: int) -> float | None:
    """Returns the share of the evidence in the first k ranks; for quotes, subtopic recall."""
    ranking = _ranking(example)
    if ranking is None:
        return None
    return sum(ranking.hits[:depth]) / ranking.relevant


def reciprocal_rank(example: Example) -> float | None:
    """Returns 1 divided by the first rank that has evidence, 0 if none has."""
    ranking = _ranking(example)
    if ranking is None:
        return None
    for rank, hits in enumerate(ranking.hits, start=1):
        if hits:
            return 1 / rank
    return 0.0


def ndcg(example: Example, depth: int) -> float | None:
    """Returns the discounted gain of the first k ranks, divided by that of the best ranking.

    Of documents, the gain is the grade. Of quotes, the gain is how many are new, and the best
    ranking has all of them in its first passage: alpha-DCG for alpha 1, normalised by the
    collection-independent ideal gain (Clarke et al. 2008, 2011), which is the mean over the quotes
    of their own nDCG (nDCG-IA, Agrawal et al. 2009). It thus compares ways of cutting documents,
    which alpha-nDCG does not, because its ideal depends on the passages; and quotes that stand far
    apart cannot reach 1.
    """
    ranking = _ranking(example)
    if ranking is None:
        return None
    return _discounted(ranking.gains[:depth]) / _discounted(ranking.ideal[:depth])


def _ranking(example: Example) -> Ranking | None:
    passages = example.answer.passages
    # Quotes say more than grades of whole documents.
    if example.gold:
        return _ranking_of_quotes(passages, example.gold)
    if example.question.relevant:
        return _ranking_of_documents(passages, example.question.relevant)
    return None


def _ranking_of_quotes(passages: Iterable[RankedPassage], gold: Sequence[Gold]) -> Ranking:
    # A quote that an earlier passage held is not a gain again.
    missing = list(gold)
    gains = []
    for ranked in passages:
        passage = ranked.passage
        document_span = (passage.document.name, passage.span)
        still_missing = [quote for quote in missing if not holds_quote(document_span, quote)]
        gains.append(len(missing) - len(still_missing))
        missing = still_missing

    # A quote is found or not, so its gain is also its hit.
    return Ranking(
        gains=tuple(gains),
        hits=tuple(gains),
        relevant=len(gold),
        ideal=(len(gold),),
    )


def _ranking_of_documents(passages: Iterable[RankedPassage], grades: Mapping[str, int]) -> Ranking:
    # Each document once, at its best passage.
    names: dict[str, None] = {}
    for ranked in passages:
        names[ranked.passage.document.name] = None

    gains = []
    hits = []
    for name in names:
        grade = grades.get(name, 0)
        gains.append(grade)
        hits.append(1 if grade > 0 else 0)
    # The best ranking has the highest grades first.
    ideal = sorted(grades.values(), reverse=True)
    return Ranking(
        gains=tuple(gains),
        hits=tuple(hits),
        relevant=len(grades),
        ideal=tuple(ideal),
    )


def _discounted(gains: Iterable[int]) -> float:
    total = 0.0
    for rank, gain in enumerate(gains, start=1):
        total += gain / log2(rank + 1)
    return total


def _at_depths(
    name: str, label: str, score: AtDepth, shown: Sequence[int], paper: str = ""
) -> list[Metric]:
    metrics = []
    for depth in DEPTHS:
        metric = Metric(
            name=f"{name}_at_{depth}",
            label=f"{label}@{depth}",
            section="Retrieval",
            score=partial(score, depth=depth),
            in_tables=depth in shown,
            paper=paper,
        )
        metrics.append(metric)
    return metrics


METRICS = (
    *_at_depths("hit", "passage hit", hit, shown=(1, 3, 5)),
    *_at_depths("recall", "passage recall", recall, shown=(5,), paper="Zhai et al. 2003"),
    Metric(
        name="reciprocal_rank",
        label="passage MRR",
        section="Retrieval",
        score=reciprocal_rank,
        paper="Voorhees 1999, TREC-8 QA track",
    ),
    *_at_depths(
        "ndcg",
        "passage nDCG",
        ndcg,
        shown=(5,),
        paper="Järvelin and Kekäläinen 2002; Clarke et al. 2008; Agrawal et al. 2009",
    ),
)
