"""Questions that are asked several times: their mean scores, and how far their answers differ."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, pstdev

from eval.run_schema import Repeats
from eval.summary import Outcome


def mean_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Returns the outcome of a question: the mean of each score, or the first error."""
    for outcome in outcomes:
        if outcome.error is not None:
            return outcome
    first = outcomes[0]
    means: dict[str, float | None] = {}
    for metric in first.scores:
        values = _values(outcomes, metric)
        # The mean of equal values is that value; a sum of floats, divided, need not be.
        if len(set(values)) == 1:
            means[metric] = values[0]
        else:
            means[metric] = fmean(values) if values else None
    return replace(first, scores=means)


def summarize_repeats(outcomes: Sequence[Sequence[Outcome]]) -> Repeats:
    """Returns how far the outcomes of each question differ."""
    count = max(map(len, outcomes), default=0)
    if count < 2:
        return Repeats(count)
    changed = 0
    deviations: dict[str, list[float]] = {}
    for repeated in outcomes:
        texts = set()
        # A dict for its order: a set of names would shuffle the metrics of the summary.
        metrics: dict[str, None] = {}
        for outcome in repeated:
            texts.add(outcome.answer and outcome.answer.text)
            metrics |= dict.fromkeys(outcome.scores)
        changed += len(texts) > 1
        for metric in metrics:
            values = _values(repeated, metric)
            if values:
                deviations.setdefault(metric, []).append(pstdev(values))

    spread = {metric: fmean(values) for metric, values in deviations.items()}
    return Repeats(count, changed, spread)


def _values(outcomes: Sequence[Outcome], metric: str) -> list[float]:
    values = []
    for outcome in outcomes:
        score = outcome.scores.get(metric)
        if score is not None:
            values.append(score)
    return values
