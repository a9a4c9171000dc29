"""Compares two runs metric by metric, paired by question.

Verdict, interval and p-value cannot contradict each other: an interval whose p-value is not below
5% is widened until it includes no difference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Any, Literal

import numpy as np

from eval.metrics import metric_named
from eval.run_schema import Run, Scores
from eval.stats.intervals import Floats
from eval.stats.significance import LEVEL, TIE_TOLERANCE, holm, paired_test
from qa.terminal import escaped_line

Verdict = Literal["better", "worse", "no detectable difference"]
ScoresById = Mapping[str, Scores]
"""The scores of each question, by question id."""
Pairs = dict[str, tuple[float, float]]
"""The scores of the first and of the second run, by question id."""


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """A metric over the questions that have a value in both runs."""

    metric: str
    n: int
    left_out: int
    """Questions without a value in one of the runs: they had an error, or it does not apply."""
    first: float
    second: float
    """The means of the two runs; geometric means of a ratio."""
    effect: float
    """`second` minus `first`; of a ratio, `second` divided by `first`."""
    low: float
    high: float
    """The 95% interval of `effect`."""
    p: float
    """The two-sided p-value, corrected for `tests` metrics (Holm 1979)."""
    p_worse: float
    """The one-sided p-value that the second run is worse, of this metric alone."""
    won: tuple[str, ...]
    """Ids of the questions on which the second run is better."""
    lost: tuple[str, ...]
    minimum_detectable: float | None
    """The smallest effect that such questions would show 4 times of 5; None if none would."""
    tests: int = 1

    @property
    def is_ratio(self) -> bool:
        return is_ratio(self.metric)

    @property
    def ties(self) -> int:
        return self.n - len(self.won) - len(self.lost)

    @property
    def verdict(self) -> Verdict:
        """What can be said about the second run."""
        if self.p >= LEVEL:
            return "no detectable difference"
        is_lower = self.effect < self.no_effect
        return "better" if is_lower == metric_named(self.metric).lower_is_better else "worse"

    @property
    def p_text(self) -> str:
        return format_p(self.p)

    @property
    def no_effect(self) -> float:
        """The effect of two runs that are alike."""
        return 1.0 if self.is_ratio else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "measure": self.metric,
            "n": self.n,
            "left_out": self.left_out,
            "first": self.first,
            "second": self.second,
            "ratio" if self.is_ratio else "difference": self.effect,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "tests": self.tests,
            "smallest": self.minimum_detectable,
            "won": list(self.won),
            "lost": list(self.lost),
            "ties": self.ties,
            "verdict": self.verdict,
        }


Tables = dict[str, list[PairedComparison]]
"""Comparisons by the title of their table."""


def is_ratio(name: str) -> bool:
    """Returns whether two runs are compared by a ratio, because the values have no upper bound."""
    return not metric_named(name).is_share


def has_direction(name: str) -> bool:
    """Returns whether higher or lower values of the metric are better."""
    return metric_named(name).better != "neither"


def comparable_metrics(first: Run, second: Run) -> list[str]:
    """Returns the metrics that can be compared; no question may have a value in both runs."""
    names: dict[str, None] = {}
    for run in (first, second):
        for scores in run.scores.values():
            names |= dict.fromkeys(scores)
    return [name for name in names if has_direction(name)]


def no_pairs_message(name: str, first: Run, second: Run) -> str:
    """Returns an error text: no question has this metric in both runs. Lists usable metrics."""
    available = []
    for known in comparable_metrics(first, second):
        if compare(known, first, second) is not None:
            available.append(escaped_line(known))
    shown = escaped_line(name)
    if not available:
        return f"No question has a value of {shown}, or of any other metric, in both runs."
    return f"No question has a value of {shown} in both runs. Use: {', '.join(available)}."


def compare(name: str, first: Run, second: Run) -> PairedComparison | None:
    """Returns the comparison of two runs on a metric; None if no question has it in both.

    Questions of one cluster (`Run.clusters`) are drawn, and their signs flipped, together.
    """
    pairs = _paired_scores(name, first.scores, second.scores)
    if not pairs:
        return None
    labels = {**first.clusters, **second.clusters}
    # A question without a cluster is its own; its id may be the name of another's cluster.
    clusters = [labels.get(question, ("alone", question)) for question in pairs]

    scale = _LOGARITHMIC if is_ratio(name) else _LINEAR
    values = np.asarray(list(pairs.values()), dtype=np.float64)
    first_values, second_values = values.T
    differences = _differences(first_values, second_values, scale)
    effect = float(differences.mean())
    test = paired_test(differences, clusters)
    p = 2 * min(test.p_lower, test.p_higher)
    smallest = test.minimum_detectable

    lower_is_better = metric_named(name).lower_is_better
    gains = -differences if lower_is_better else differences
    ids = np.asarray(list(pairs), dtype=object)
    all_ids = {*first.ids, *second.ids}
    comparison = PairedComparison(
        metric=name,
        n=len(pairs),
        left_out=len(all_ids) - len(pairs),
        first=scale.mean(first_values),
        second=scale.mean(second_values),
        effect=scale.undo(effect),
        # Student's t may reach beyond what is possible.
        low=scale.undo(max(test.low, -scale.largest)),
        high=scale.undo(min(test.high, scale.largest)),
        p=min(1.0, p),
        p_worse=test.p_higher if lower_is_better else test.p_lower,
        won=tuple(ids[gains > 0].tolist()),
        lost=tuple(ids[gains < 0].tolist()),
        minimum_detectable=None if smallest is None else scale.undo(smallest),
    )
    return _consistent(comparison)


def comparison_tables(first: Run, second: Run, deciding: Sequence[str]) -> Tables:
    """Returns the comparisons by title: first what decides, then every other metric.

    Each table is corrected by itself, so that showing more metrics does not weaken the verdict.
    """
    rows = {}
    for name in comparable_metrics(first, second):
        row = compare(name, first, second)
        if row is not None:
            rows[name] = row

    tables: Tables = {
        "Deciding": [rows.pop(name) for name in deciding if name in rows],
        "Also measured": [],
        "Times and tokens": [],
    }
    for row in rows.values():
        title = "Times and tokens" if row.is_ratio else "Also measured"
        tables[title].append(row)

    corrected: Tables = {}
    for title, members in tables.items():
        if members:
            corrected[title] = corrected_together(members)
    return corrected


def corrected_together(rows: Sequence[PairedComparison]) -> list[PairedComparison]:
    """Returns the rows with p-values corrected for their number, and intervals that agree."""
    corrected = holm([row.p for row in rows])
    result = []
    for row, p in zip(rows, corrected, strict=True):
        result.append(_consistent(replace(row, p=p, tests=len(rows))))
    return result


def format_p(p: float) -> str:
    """Returns a p-value as it is printed."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _consistent(row: PairedComparison) -> PairedComparison:
    """Returns the row; its interval includes no difference if p is not below 5%."""
    if row.p < LEVEL:
        return row
    return replace(
        row,
        low=min(row.low, row.no_effect),
        high=max(row.high, row.no_effect),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """The scale on which differences are taken."""

    apply: Callable[[Floats], Floats]
    undo: Callable[[float], float]
    largest: float
    """The largest difference that is possible."""

    def mean(self, values: Floats) -> float:
        """Returns the mean on this scale: of logarithms, the geometric mean."""
        return self.undo(float(self.apply(values).mean()))


_LINEAR = _Scale(apply=lambda values: values, undo=lambda value: value, largest=1.0)
_LOGARITHMIC = _Scale(
    apply=lambda values: np.asarray(np.log(values)),
    # Of few questions, the smallest detectable effect can be beyond every float.
    undo=lambda value: exp(min(value, 100.0)),
    largest=50.0,
)


def _differences(first: Floats, second: Floats, scale: _Scale) -> Floats:
    differences = scale.apply(second) - scale.apply(first)
    larger_values = np.maximum(np.abs(first), np.abs(second))
    is_tie = np.abs(differences) <= TIE_TOLERANCE * larger_values
    differences[is_tie] = 0.0
    return differences


def _paired_scores(name: str, first: ScoresById, second: ScoresById) -> Pairs:
    """Returns the two scores of each question that has both, in the order of the first run."""
    needs_positive = is_ratio(name)
    pairs: Pairs = {}
    for question, scores in first.items():
        first_score = scores.get(name)
        second_scores = second.get(question, {})
        second_score = second_scores.get(name)
        if first_score is None or second_score is None:
            continue
        # A time of 0 has no ratio.
        if needs_positive and min(first_score, second_score) <= 0:
            continue
        pairs[question] = (first_score, second_score)
    return pairs
