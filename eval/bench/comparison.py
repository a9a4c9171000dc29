"""The figures of each engine, and what lies between Footnote and each peer."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eval.bench.asking import Engine, Outcomes
from eval.bench.metrics import QUALITY, SPEED
from eval.dataset import Question, check_evidence
from eval.stats.intervals import Floats, Interval, bootstrap, mean_interval, percentile_interval
from eval.summary import cluster
from qa.types import Document

Statistic = Callable[[Floats], Floats]
Labels = Sequence[str]
"""The cluster of each value."""
PERCENTILES = {
    "seconds_median": ("seconds", 50),
    "seconds_p95": ("seconds", 95),
    "retrieving_median": ("seconds_retrieving", 50),
}
"""What is told of the seconds: the percentile of a measure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number over the `n` questions that have a value, with its 95% interval; None where there is none."""

    n: int
    value: float | None
    interval: Interval | None

    def as_json(self) -> dict[str, Any]:
        low, high = self.interval or (None, None)
        return {"n": self.n, "value": self.value, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Row:
    """An engine's figures, and for a peer what lies between it and the engine of ours beside it."""

    engine: Engine
    errors: Mapping[str, str]
    """By question id."""
    figures: Mapping[str, Figure]
    """By measure, and the percentiles of the seconds."""
    differences: Mapping[str, Figure] = field(default_factory=dict)
    """By measure: ours less the peer's, the mean over the questions for which both have a value."""
    ratios: Mapping[str, Figure] = field(default_factory=dict)
    """By measure of speed: the medians over those questions, ours by the peer's."""

    def as_json(self) -> dict[str, Any]:
        return {
            "beside": self.engine.beside,
            "errors": dict(self.errors),
            "figures": {name: figure.as_json() for name, figure in self.figures.items()},
            "differences": {name: figure.as_json() for name, figure in self.differences.items()},
            "ratios": {name: figure.as_json() for name, figure in self.ratios.items()},
        }


def clusters(questions: Sequence[Question], documents: Sequence[Document]) -> Labels:
    """The cluster of each question (`eval.summary.cluster`); each is its own where fewer than two are shared."""
    gold = check_evidence(questions, documents)
    found = [cluster(question, gold[question.id]) for question in questions]
    shared = [name for name, count in Counter(found).items() if count > 1]
    return found if len(shared) > 1 else [question.id for question in questions]


def compare(outcomes: Sequence[Outcomes], labels: Labels) -> list[Row]:
    """A row an engine, in their order. `labels`: the clusters of the questions that were asked."""
    by_name = {each.engine.name: each for each in outcomes}
    return [_row(each, by_name.get(each.engine.beside or ""), labels) for each in outcomes]


def _row(own: Outcomes, ours: Outcomes | None, labels: Labels) -> Row:
    figures = {name: _mean(*_values(name, labels, own)) for name in QUALITY}
    for name, (measure, percentile) in PERCENTILES.items():
        figures[name] = _percentile(*_values(measure, labels, own), percentile)
    if ours is None:
        return Row(own.engine, own.errors, figures)
    differences = {name: _difference(*_values(name, labels, ours, own)) for name in QUALITY}
    ratios = {name: _ratio(*_values(name, labels, ours, own)) for name in SPEED}
    return Row(own.engine, own.errors, figures, differences, ratios)


def _values(name: str, labels: Labels, *engines: Outcomes) -> tuple[Floats, list[str]]:
    """The values of a measure for the questions that have one of each engine, (engines, n), with their labels."""
    columns = zip(*(each.scores for each in engines), strict=True)
    rows = [[scores.get(name) for scores in column] for column in columns]
    kept = [number for number, row in enumerate(rows) if None not in row]
    values = np.array([rows[number] for number in kept], dtype=np.float64).reshape(
        len(kept), len(engines)
    )
    return values.T, [labels[number] for number in kept]


def _mean(values: Floats, labels: Labels) -> Figure:
    (own,) = values
    if len(own) and own.min() >= 0 and own.max() <= 1:
        return Figure(len(own), float(own.mean()), mean_interval(own.tolist(), labels))
    return _figure(lambda weights: _means(own, weights), len(own), labels)


def _percentile(values: Floats, labels: Labels, percentile: float) -> Figure:
    (own,) = values
    value = float(np.percentile(own, percentile)) if len(own) else None
    return Figure(len(own), value, percentile_interval(own.tolist(), percentile, labels))


def _difference(values: Floats, labels: Labels) -> Figure:
    ours, theirs = values
    return _figure(lambda weights: _means(ours - theirs, weights), len(ours), labels)


def _ratio(values: Floats, labels: Labels) -> Figure:
    ours, theirs = values
    return _figure(
        lambda weights: medians(ours, weights) / medians(theirs, weights), len(ours), labels
    )


def _figure(statistic: Statistic, n: int, labels: Labels) -> Figure:
    """A statistic of every question once, and its interval."""
    if not n:
        return Figure(0, None, None)
    return Figure(n, float(statistic(np.ones((1, n)))[0]), bootstrap(statistic, n, labels))


def _means(values: Floats, weights: Floats) -> Floats:
    found: Floats = (weights @ values) / weights.sum(axis=1)
    return found


def medians(values: Floats, weights: Floats) -> Floats:
    """The least value that at least half of the weight does not exceed: (resamples, n) to (resamples,)."""
    order = np.argsort(values)
    reached = 2 * weights[:, order].cumsum(axis=1) >= weights.sum(axis=1, keepdims=True)
    found: Floats = values[order][reached.argmax(axis=1)]
    return found
