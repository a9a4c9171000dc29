"""One measure of two runs, paired by question: how far they differ, and whether this set of questions can tell.

Verdict, interval and p-value cannot contradict each other: p is the larger of that of an exact test and that of the
interval, and where it does not come under 5% the interval is stretched to hold no difference, which only widens it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import Any, Literal

import numpy as np
from scipy.special import bdtr, betaincinv, ndtri, stdtr, stdtrit

from eval.labels import RATIOS, less_is_better
from eval.results import Run, Scores
from eval.stats.intervals import SEED, Clusters, Floats, by_cluster, spread

LEVEL = 0.05
POWER = 0.8
UNDIRECTED = frozenset({"answered", "confidence"})
"""More of these is neither better nor worse."""
FLIPS = 10_000
"""Ways of flipping signs that are drawn where there are too many to go through all."""
EXACT = 12
"""Differing clusters up to which all 2**n ways are gone through."""
FEWEST = 6
"""Questions that must differ: of five, all are on one side 1 time in 16 by chance."""
_UNSEEN = 0.5
"""How much of a question won, and of one lost, an interval is of besides those seen."""
_SAME = 1e-9
"""What differs by less than this part of itself differs by rounding."""
Verdict = Literal["better", "worse", "no detectable difference"]


@dataclass(frozen=True, slots=True)
class Paired:
    """A measure over the questions that have a value in both runs."""

    measure: str
    n: int
    left_out: int
    """Questions that have no value in at least one of the two, because they broke there or for what was answered."""
    first: float
    second: float
    """The means of the two runs; of `RATIOS` the geometric ones."""
    effect: float
    """`second` less `first`; of `RATIOS`, `second` by `first`."""
    low: float
    high: float
    """The 95% interval of `effect`."""
    p: float
    """How often runs that are alike would differ by as much: two-sided, corrected for `tests` measures (Holm 1979)."""
    worse: float
    """The same, one-sided and for this measure alone: how often the second of two like runs would look as bad."""
    won: tuple[str, ...]
    """Ids of the questions that the second run does better."""
    lost: tuple[str, ...]
    smallest: float | None
    """The least `effect` away from none that questions like these show 4 times of 5, at 5% two-sided; None: none."""
    tests: int = 1

    @property
    def is_ratio(self) -> bool:
        return self.measure in RATIOS

    @property
    def ties(self) -> int:
        return self.n - len(self.won) - len(self.lost)

    @property
    def verdict(self) -> Verdict:
        """What can be said of the second run."""
        if self.p >= LEVEL:
            return "no detectable difference"
        return "better" if (self.effect < self.none) == less_is_better(self.measure) else "worse"

    @property
    def none(self) -> float:
        """The effect that is no difference."""
        return 1.0 if self.is_ratio else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "measure": self.measure,
            "n": self.n,
            "left_out": self.left_out,
            "first": self.first,
            "second": self.second,
            "ratio" if self.is_ratio else "difference": self.effect,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "tests": self.tests,
            "smallest": self.smallest,
            "won": list(self.won),
            "lost": list(self.lost),
            "ties": self.ties,
            "verdict": self.verdict,
        }


def measures(first: Run, second: Run) -> list[str]:
    """The measures that have a better and a worse, in the order first met; some may have no pair of values."""
    found = dict.fromkeys(
        name for run in (first, second) for scores in run.scores.values() for name in scores
    )
    return [name for name in found if name not in UNDIRECTED]


def unpaired(measure: str, first: Run, second: Run) -> str:
    """That no question has a value of it in both runs, and what there is instead."""
    there = [name for name in measures(first, second) if pair(name, first, second) is not None]
    instead = f"There is: {', '.join(there)}" if there else "There is no measure that has"
    return f"No question has {measure} in both runs. {instead}."


def pair(measure: str, first: Run, second: Run) -> Paired | None:
    """The two runs on a measure; None where no question has a value in both.

    Questions of one cluster (`Run.clusters`) are drawn, and their signs flipped, together.
    """
    pairs = _values(measure, first.scores, second.scores)
    if not pairs:
        return None
    labels = {**first.clusters, **second.clusters}
    clusters = [labels.get(key, ("alone", key)) for key in pairs]
    one, other = np.asarray(list(pairs.values()), dtype=np.float64).T
    scale = _SCALES[measure in RATIOS]
    differences = scale.to(other) - scale.to(one)
    # What two sums of the same floats differ by is no difference.
    differences[np.abs(differences) <= _SAME * np.maximum(np.abs(one), np.abs(other))] = 0.0
    shown = _shown(differences, clusters)
    gains = -differences if less_is_better(measure) else differences
    return _agreeing(
        Paired(
            measure=measure,
            n=len(pairs),
            left_out=len({*first.ids, *second.ids}) - len(pairs),
            first=scale.back(float(scale.to(one).mean())),
            second=scale.back(float(scale.to(other).mean())),
            effect=scale.back(float(differences.mean())),
            low=scale.back(max(shown.low, -scale.most)),
            high=scale.back(min(shown.high, scale.most)),
            p=min(1.0, 2 * min(shown.below, shown.above)),
            worse=shown.above if less_is_better(measure) else shown.below,
            won=tuple(key for key, gain in zip(pairs, gains, strict=True) if gain > 0),
            lost=tuple(key for key, gain in zip(pairs, gains, strict=True) if gain < 0),
            smallest=None if shown.smallest is None else scale.back(shown.smallest),
        )
    )


def tables(first: Run, second: Run, deciding: Sequence[str]) -> dict[str, list[Paired]]:
    """By title, what decides and what else is known, as far as a question has it in both runs.

    Each is corrected by itself, so that looking on costs what decides no power.
    """
    rows = {
        name: row
        for name in measures(first, second)
        if (row := pair(name, first, second)) is not None
    }
    others = [name for name in rows if name not in deciding]
    chosen = {
        "Deciding": [name for name in deciding if name in rows],
        "Also measured": [name for name in others if name not in RATIOS],
        "Times and tokens": [name for name in others if name in RATIOS],
    }
    return {
        title: together([rows[name] for name in names]) for title, names in chosen.items() if names
    }


def together(rows: Sequence[Paired]) -> list[Paired]:
    """The same rows, their p-values corrected for there being several, and their intervals in agreement with these."""
    corrected = holm([row.p for row in rows])
    return [
        _agreeing(replace(row, p=p, tests=len(rows)))
        for row, p in zip(rows, corrected, strict=True)
    ]


def holm(values: Sequence[float]) -> list[float]:
    """P-values of which, however many of the differences are none, one is under 5% at most 5% of the time (1979)."""
    found, highest = [1.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        found[place] = highest
    return found


def _agreeing(row: Paired) -> Paired:
    """The row with an interval that holds no difference where p is not under 5%."""
    if row.p < LEVEL:
        return row
    return replace(row, low=min(row.low, row.none), high=max(row.high, row.none))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where differences are taken, and `most`, the largest that there can be."""

    to: Callable[[Floats], Floats]
    back: Callable[[float], float]
    most: float


_SCALES = {
    False: _Scale(to=lambda values: values, back=lambda value: value, most=1.0),
    True: _Scale(to=lambda values: np.asarray(np.log(values)), back=exp, most=50.0),
}


def _values(
    measure: str, first: Mapping[str, Scores], second: Mapping[str, Scores]
) -> dict[str, tuple[float, float]]:
    """By question, in the order of the first run. A time of nothing has no ratio."""
    found = {}
    for key, scores in first.items():
        one, other = scores.get(measure), second.get(key, {}).get(measure)
        if one is not None and other is not None and (measure not in RATIOS or min(one, other) > 0):
            found[key] = (one, other)
    return found


@dataclass(frozen=True, slots=True)
class _Shown:
    """What differences show of their mean. `below`, `above`: how often it would by chance be as low, as high."""

    low: float
    high: float
    below: float
    above: float
    smallest: float | None


def _shown(differences: Floats, clusters: Clusters) -> _Shown:
    sums = by_cluster(differences, clusters)
    mean, error, freedom = estimated(differences, clusters)
    reach = float(stdtrit(freedom, 1 - LEVEL / 2))
    below, above = _tails(sums[sums != 0])
    return _Shown(
        low=mean - reach * error,
        high=mean + reach * error,
        below=max(below, float(stdtr(freedom, mean / error))),
        above=max(above, float(stdtr(freedom, -mean / error))),
        smallest=_smallest(sums, len(differences), (reach + float(ndtri(POWER))) * error),
    )


def estimated(differences: Floats, clusters: Clusters | None) -> tuple[float, float, float]:
    """The mean that the interval is around, its standard error, and the degrees of freedom of Student's t.

    What a few differences do not show is not taken for absent: besides those seen, half a question is won and half a
    one lost (Bonett and Price 2012 add a whole one), by as much as those that differ do (root mean square), or by all
    there is where none does.
    """
    n, differing = len(differences), differences[differences != 0]
    unit = sqrt(float(np.square(differing).mean())) if len(differing) else 1.0
    mean = float(differences.sum()) / (n + 2 * _UNSEEN)
    squares, units = spread(differences - mean, clusters)
    squares += _UNSEEN * ((unit - mean) ** 2 + (unit + mean) ** 2)
    return mean, sqrt(squares) / (n + 2 * _UNSEEN), max(1.0, units - 1)


def _tails(sums: Floats) -> tuple[float, float]:
    """How often the total would be as low, and as high, if the sign of each were a coin's: of 0/1 values, McNemar's.

    Exact where all are of one size (a binomial) or few; else of `FLIPS` drawn ways and the one seen (Phipson and Smyth
    2010).
    """
    sizes, n = np.abs(sums), len(sums)
    if n == 0:
        return 1.0, 1.0
    if np.ptp(sizes) <= _SAME * sizes[0]:
        won = int((sums > 0).sum())
        return float(bdtr(won, n, 0.5)), float(bdtr(n - won, n, 0.5))
    totals, seen, slack = _flipped(sizes), sums.sum(), _SAME * sizes.sum()
    more = 0 if n <= EXACT else 1
    below, above = (totals <= seen + slack).sum(), (totals >= seen - slack).sum()
    return float(below + more) / (len(totals) + more), float(above + more) / (len(totals) + more)


def _flipped(sizes: Floats) -> Floats:
    """Totals with other signs: all there are, or `FLIPS` of them, in parts that fit into memory."""
    n = len(sizes)
    if n <= EXACT:
        signs = 1 - 2 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)
        return np.asarray(signs @ sizes, dtype=np.float64)
    drawn = np.random.default_rng(SEED)
    parts = [
        (1 - 2 * drawn.integers(0, 2, (FLIPS // 10, n), dtype=np.int8)) @ sizes for _ in range(5)
    ]
    # Each with its opposite: the other way round, the same runs have the mirrored figures.
    half = np.concatenate(parts)
    return np.concatenate([half, -half])


def _smallest(sums: Floats, n: int, by_spread: float) -> float | None:
    """The larger of what the spread lets through and of what makes `FEWEST` clusters differ 4 times of 5."""
    if len(sums) < FEWEST:
        return None
    differing = np.abs(sums[sums != 0])
    size = float(differing.mean()) if len(differing) else 1.0
    share = float(betaincinv(FEWEST, len(sums) - FEWEST + 1, POWER))
    return max(by_spread, share * size * len(sums) / n)
