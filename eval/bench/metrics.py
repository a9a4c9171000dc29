"""What both sides are measured in: the evaluation's measures, and two that tell ways of cutting documents apart."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import Literal

from eval.metrics.answers import contains_answer
from eval.metrics.citations import citation_f1, citation_precision, citation_recall
from eval.metrics.example import Example
from eval.metrics.refusal import rightly_refused, wrongly_refused
from eval.metrics.retrieval import hit, ndcg, recall, reciprocal_rank
from qa.types import Span

BUDGET = 2000
"""Characters: as much as all have read alike, however long their passages are."""
Of = Literal["passages", "answers", "seconds"]


def hit_within(example: Example, budget: int = BUDGET) -> float | None:
    """Whether at least half of a gold quote is among the first `budget` characters read; None without gold.

    What is read twice counts twice. Passages of any length compare: of longer ones fewer are read.
    """
    if not example.gold:
        return None
    places = (
        (one.passage.document.name, at)
        for one in example.answer.passages
        for at in _characters(one.passage.span)
    )
    read = set(islice(places, budget))
    quotes = ([(name, at) for at in _characters(span)] for name, span in example.gold)
    return float(any(2 * len(read.intersection(quote)) >= len(quote) for quote in quotes))


def characters_read(example: Example) -> float:
    """How many characters the passages have together."""
    return float(sum(len(ranked.passage.span) for ranked in example.answer.passages))


def seconds(example: Example, stage: str) -> float:
    """Seconds that a stage of the answer took, or all of it (`total`), by the engine's own clock."""
    return example.answer.timings[stage]


def _characters(span: Span) -> range:
    return range(span.start, span.end)


MEASURES: Mapping[str, tuple[Of, Callable[[Example], float | None]]] = {
    "hit_at_1": ("passages", partial(hit, depth=1)),
    "recall_at_5": ("passages", partial(recall, depth=5)),
    "reciprocal_rank": ("passages", reciprocal_rank),
    "ndcg_at_5": ("passages", partial(ndcg, depth=5)),
    "hit_within": ("passages", hit_within),
    "characters_read": ("passages", characters_read),
    "contains_answer": ("answers", contains_answer),
    "citation_precision": ("answers", citation_precision),
    "citation_recall": ("answers", citation_recall),
    "citation_f1": ("answers", citation_f1),
    "wrongly_refused": ("answers", wrongly_refused),
    "rightly_refused": ("answers", rightly_refused),
    "seconds": ("seconds", partial(seconds, stage="total")),
    "seconds_retrieving": ("seconds", partial(seconds, stage="retrieve")),
}
QUALITY = tuple(name for name, (of, _) in MEASURES.items() if of != "seconds")
SPEED = tuple(name for name, (of, _) in MEASURES.items() if of == "seconds")
