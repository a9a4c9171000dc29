"""Questions that are asked several times: their mean scores, and how far their answers differ."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, pstdev

from eval.results import Repeats
from eval.summary import Outcome


def mean_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Returns the outcome of a question: the mean of each score, or the first error."""
    for outcome in outcomes:
        if outcome.error is not None:
            return outcome
    first = outcomes[0]
    return replace(first, scores={name: _mean(_values(outcomes, name)) for name in first.scores})


def summarize_repeats(outcomes: Sequence[Sequence[Outcome]]) -> Repeats:
    """Returns how far the outcomes of each question differ."""
    count = max(map(len, outcomes), default=0)
    if count < 2:
        return Repeats(count)
    changed = 0
    deviations: dict[str, list[float]] = {}
    for repeated in outcomes:
        texts = {outcome.answer and outcome.answer.text for outcome in repeated}
        changed += len(texts) > 1
        for name in dict.fromkeys(name for outcome in repeated for name in outcome.scores):
            values = _values(repeated, name)
            if values:
                deviations.setdefault(name, []).append(pstdev(values))
    return Repeats(count, changed, {name: fmean(values) for name, values in deviations.items()})


def _mean(values: Sequence[float]) -> float | None:
    if not values:
        return None
    # The mean of equal values is that value; a sum of floats, divided, need not be.
    return values[0] if len(set(values)) == 1 else fmean(values)


def _values(outcomes: Sequence[Outcome], metric: str) -> list[float]:
    scores = [outcome.scores.get(metric) for outcome in outcomes]
    return [score for score in scores if score is not None]
