"""How often intervals hold the truth on drawn data whose truth is known, and how often the gate is wrong.

`python -m tests.eval.stats.test_coverage` prints the figures of docs/noise.md, from many more draws than the tests take.
A share of `DRAWS` draws is known to within 3.3 standard errors but once in a thousand times: so much is allowed.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import exp, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.special import stdtrit
from scipy.stats import norm

from eval.comparison import compare
from eval.gate import checks
from eval.metrics.confidence import weighted_calibration_error
from eval.metrics.refusal import weighted_refusal_f1
from eval.run_schema import Run
from eval.stats.intervals import (
    Floats,
    Interval,
    auroc_interval,
    bootstrap,
    mean_interval,
    percentile_interval,
    wilson,
)
from eval.stats.significance import adjusted_mean
from tests.eval.fakes import ALL_QUESTIONS, PROVENANCE

DRAWS = 500
SIZES = (30, 100, 500)
LEAST, MOST = 0.93, 0.97
Drawn = np.random.Generator


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of data: `interval` draws n questions and gives the interval of the figure whose truth is `truth`."""

    kind: str
    name: str
    truth: float
    interval: Callable[[Drawn, int], Interval | None]
    outside: Mapping[int, float] = field(default_factory=dict)
    """By n, what is reached where it is not 93 to 97%."""
    draws: int = DRAWS


def mixed(
    zeros: float, ones: float, a: float, b: float
) -> tuple[Callable[[Drawn, int], Floats], float]:
    """Values that are often 0, often 1 and else beta; and their mean."""

    def draw(drawn: Drawn, n: int) -> Floats:
        at = drawn.random(n)
        return np.where(at < zeros, 0.0, np.where(at < zeros + ones, 1.0, drawn.beta(a, b, n)))

    return draw, ones + (1 - zeros - ones) * a / (a + b)


def share(p: float, **outside: float) -> Case:
    def interval(drawn: Drawn, n: int) -> Interval | None:
        return wilson(int(drawn.binomial(n, p)), n)

    return Case("share", f"{p}", p, interval, numbered(outside))


def mean(name: str, *mixture: float, **outside: float) -> Case:
    draw, truth = mixed(*mixture)
    return Case(
        "mean", name, truth, lambda drawn, n: mean_interval(list(draw(drawn, n))), numbered(outside)
    )


def clustered(clusters: int, p: float, alike: float, **outside: float) -> Case:
    """Shares in clusters of one size whose own shares vary: `alike` is their intraclass correlation."""

    def interval(drawn: Drawn, n: int) -> Interval | None:
        labels = np.arange(n) % clusters
        own = drawn.beta(p * (1 / alike - 1), (1 - p) * (1 / alike - 1), clusters)
        return mean_interval(list((drawn.random(n) < own[labels]).astype(float)), list(labels))

    return Case(
        "share in clusters",
        f"{p}, {clusters} clusters, correlation {alike}",
        p,
        interval,
        numbered(outside),
    )


def two_large(p: float, alike: float, **outside: float) -> Case:
    """The same in two clusters of a third of the questions each, and the others by themselves."""

    def interval(drawn: Drawn, n: int) -> Interval | None:
        labels = np.where(np.arange(n) < 2 * n // 3, np.arange(n) % 2, np.arange(n))
        own = drawn.beta(p * (1 / alike - 1), (1 - p) * (1 / alike - 1), n)
        return mean_interval(list((drawn.random(n) < own[labels]).astype(float)), list(labels))

    name = f"{p}, two clusters of a third each, correlation {alike}"
    return Case("share in clusters", name, p, interval, numbered(outside))


def separated(area: float, positive: float, spread: float = 1.0, **outside: float) -> Case:
    """Normal confidences, so far apart that the area under the curve is `area`."""
    apart = float(norm.ppf(area)) * sqrt(1 + spread**2)

    def interval(drawn: Drawn, n: int) -> Interval | None:
        ups = round(n * positive)
        return auroc_interval(
            list(drawn.normal(apart, spread, ups)), list(drawn.normal(size=n - ups))
        )

    name = f"{area}, {positive:.0%} answerable" + ("" if spread == 1 else f", spread {spread}")
    return Case("AUROC", name, area, interval, numbered(outside))


def percentile(percent: float, **outside: float) -> Case:
    def interval(drawn: Drawn, n: int) -> Interval | None:
        return percentile_interval(list(np.exp(drawn.normal(size=n) / 2)), percent)

    truth = exp(float(norm.ppf(percent / 100)) / 2)
    return Case(
        "percentile", f"{percent:g}th of lognormal seconds", truth, interval, numbered(outside)
    )


def changed(up: float, down: float, **outside: float) -> Case:
    """Differences of 0/1 values."""

    def interval(drawn: Drawn, n: int) -> Interval:
        at = drawn.random(n)
        return between(np.where(at < up, 1.0, np.where(at < up + down, -1.0, 0.0)))

    return Case(
        "paired difference", f"{up} won, {down} lost", up - down, interval, numbered(outside)
    )


def moved(name: str, differ: float, a: float, b: float, **outside: float) -> Case:
    """Differences of other values: some are none, the others beta from -1 to 1."""

    def interval(drawn: Drawn, n: int) -> Interval:
        return between(np.where(drawn.random(n) < differ, 2 * drawn.beta(a, b, n) - 1, 0.0))

    return Case(
        "paired difference", name, differ * (2 * a / (a + b) - 1), interval, numbered(outside)
    )


def slower() -> Case:
    def interval(drawn: Drawn, n: int) -> Interval:
        return between(drawn.normal(0.1, 0.3, n) + 0.3 * drawn.exponential(size=n))

    return Case("paired difference", "logarithms of seconds", 0.4, interval)


def refusing(rightly: float, wrongly: float, **outside: float) -> Case:
    """The F1 of refusals where a third is to be refused."""

    def interval(drawn: Drawn, n: int) -> Interval | None:
        absent = drawn.random(n) < 1 / 3
        refused = drawn.random(n) < np.where(absent, rightly, wrongly)
        return bootstrap(
            lambda weights: weighted_refusal_f1(
                weights, refused.astype(float), absent.astype(float)
            ),
            n,
        )

    truth = 2 * rightly / 3 / (rightly / 3 + wrongly * 2 / 3 + 1 / 3)
    name = f"F1 of refusals, {rightly} rightly, {wrongly} wrongly"
    return Case("bootstrap", name, truth, interval, numbered(outside), DRAWS // 10)


def overconfident(**outside: float) -> Case:
    """The expected calibration error where 4 of 5 are right of those that should be."""

    def interval(drawn: Drawn, n: int) -> Interval | None:
        sure = drawn.beta(2, 1, n)
        right = (drawn.random(n) < 0.8 * sure).astype(float)
        return bootstrap(lambda weights: weighted_calibration_error(weights, sure, right), n)

    name = "expected calibration error"
    return Case("bootstrap", name, 0.2 * 2 / 3, interval, numbered(outside), DRAWS // 10)


def between(differences: Floats) -> Interval:
    found = adjusted_mean(differences, None)
    half = float(stdtrit(found.degrees_of_freedom, 0.975)) * found.standard_error
    return found.mean - half, found.mean + half


def numbered(outside: Mapping[str, float]) -> dict[int, float]:
    return {int(key.removeprefix("n")): reached for key, reached in outside.items()}


CASES = (
    share(0.5),
    share(0.8),
    share(0.9, n30=0.975),
    share(0.95),
    share(0.98, n30=0.978),
    mean("answer F1: 15% 0, 50% 1", 0.15, 0.5, 3, 2),
    mean("citation precision: 5% 0, 80% 1", 0.05, 0.8, 2, 1),
    mean("high precision: 2% 0, 93% 1", 0.02, 0.93, 2, 1),
    mean("unsupported: 90% 0, 3% 1", 0.9, 0.03, 1, 2),
    mean("nearly all 1, the rest about half", 0, 0.95, 4, 4),
    mean("none 0 or 1", 0, 0, 2, 5),
    clustered(5, 0.7, 0.1, n30=0.984),
    clustered(10, 0.7, 0.1),
    clustered(20, 0.7, 0.1),
    clustered(5, 0.9, 0.3, n30=0.989, n100=0.884, n500=0.861),
    clustered(10, 0.9, 0.3, n30=0.979, n100=0.904, n500=0.893),
    clustered(20, 0.9, 0.3, n500=0.925),
    clustered(50, 0.9, 0.3, n30=0.974),
    two_large(0.7, 0.1, n30=0.993, n500=0.917),
    separated(0.6, 0.65),
    separated(0.86, 0.65),
    separated(0.95, 0.5),
    separated(0.95, 0.2),
    separated(0.98, 0.65),
    separated(0.86, 0.65, 0.4),
    percentile(50),
    percentile(90),
    percentile(95, n30=0.778),
    changed(0.1, 0.1),
    changed(0.05, 0.02, n30=0.997),
    changed(0.15, 0.05),
    changed(0.3, 0.1),
    changed(0.02, 0.02, n30=0.999, n100=0.984),
    moved("of F1, 30% differ", 0.3, 2, 2),
    moved("of F1, 20% differ, most better", 0.2, 3, 1, n30=0.926),
    moved("all differ", 1, 5, 4),
    slower(),
    refusing(0.86, 0.25),
    refusing(0.95, 0.03, n30=0.67, n100=0.909),
    overconfident(n30=0.434, n100=0.749, n500=0.923),
)


def covered(case: Case, n: int, draws: int) -> tuple[float, float]:
    """The share of draws whose interval holds the truth, and the mean width."""
    drawn, held, width = np.random.default_rng([n, draws]), 0, 0.0
    for _ in range(draws):
        found = case.interval(drawn, n)
        assert found is not None
        held += found[0] - 1e-12 <= case.truth <= found[1] + 1e-12
        width += found[1] - found[0]
    return held / draws, width / draws


def slack(p: float, draws: int) -> float:
    return 3.3 * sqrt(p * (1 - p) / draws)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.name}")
def test_intervals_contain_truth_as_often_as_documented(case: Case) -> None:
    for n in SIZES:
        held, _ = covered(case, n, case.draws)
        least = most = case.outside.get(n)
        least, most = least or LEAST, most or MOST
        assert least - slack(least, case.draws) <= held <= most + slack(most, case.draws), n


SMALL, NAMES = 100, ("answered_right", "rightly_refused", "hit_at_5", "citation_f1")


def two_runs(drawn: Drawn, n: int, clusters: int, gain: float = 0.0) -> tuple[Run, Run]:
    """Two runs that answer each question right with the same chance, its own; and the second more by `gain`."""
    chances = np.clip(
        drawn.beta(2, 1, n) + drawn.normal(0, 0.2, clusters)[np.arange(n) % clusters], 0, 1 - gain
    )
    runs = []
    for more in (0.0, gain):
        right = {name: drawn.random(n) < chances + more for name in NAMES}
        partly = np.where(right["citation_f1"], drawn.choice([1.0, 0.8, 0.5], n), 0.0)
        scores = {
            str(at): {
                **{name: float(right[name][at]) for name in NAMES},
                "citation_f1": float(partly[at]),
            }
            for at in range(n)
        }
        labels = {str(at): str(at % clusters) for at in range(n)}
        runs.append(Run(Path("run"), PROVENANCE, scores, {}, labels, groups=(ALL_QUESTIONS,)))
    return runs[0], runs[1]


def false_alarms(draws: int, n: int, clusters: int) -> float:
    """How often a run fails against one that is like it."""
    drawn = np.random.default_rng([draws, n, clusters])
    failed = 0
    for _ in range(draws):
        baseline, run = two_runs(drawn, n, clusters)
        failed += not all(check.passed for check in checks(run, baseline, (), {}, {}))
    return failed / draws


@pytest.mark.parametrize(("n", "clusters"), [(30, 30), (SMALL, SMALL), (SMALL, 12)])
def test_gate_false_alarms_at_most_1_in_20(n: int, clusters: int) -> None:
    draws = 250
    assert false_alarms(draws, n, clusters) <= 0.05 + slack(0.05, draws)


def shown(draws: int, n: int, up: float, down: float) -> tuple[float, float]:
    """How often a difference is seen, and the mean of what is said to be seen 4 times of 5."""
    drawn, seen, smallest = np.random.default_rng([draws, n]), 0, 0.0
    for _ in range(draws):
        at = drawn.random(n)
        values = [
            (0.0, 1.0) if one < up else (1.0, 0.0) if one < up + down else (1.0, 1.0) for one in at
        ]
        first, second = (
            Run(
                Path("run"),
                PROVENANCE,
                {str(key): {"answered_right": pair[of]} for key, pair in enumerate(values)},
                groups=(ALL_QUESTIONS,),
            )
            for of in (0, 1)
        )
        row = compare("answered_right", first, second)
        assert row is not None
        assert row.minimum_detectable is not None
        seen += row.verdict == "better"
        smallest += row.minimum_detectable
    return seen / draws, smallest / draws


@pytest.mark.parametrize(
    ("n", "up", "down"), [(200, 0.13, 0.04), (400, 0.02, 0.0), (60, 0.3, 0.07)]
)
def test_minimum_detectable_effect_detected_4_of_5(n: int, up: float, down: float) -> None:
    draws = 300
    seen, smallest = shown(draws, n, up, down)
    assert smallest == pytest.approx(up - down, rel=0.12)
    assert seen == pytest.approx(0.8, abs=0.03 + slack(0.8, draws))


def lines(draws: int) -> Iterator[str]:
    """The table of docs/noise.md."""
    yield "| figure | of | " + " | ".join(f"n {n}" for n in SIZES) + " |"
    yield "|---|---" + "|---" * len(SIZES) + "|"
    for case in CASES:
        found = [covered(case, n, max(200, draws * case.draws // DRAWS)) for n in SIZES]
        cells = [f"{100 * held:.1f}" + ("" if LEAST <= held <= MOST else " *") for held, _ in found]
        yield f"| {case.kind} | {case.name} | {' | '.join(cells)} |"
    for n, clusters in ((30, 30), (100, 100), (100, 12), (500, 500)):
        wrong = false_alarms(draws // 5, n, clusters)
        yield f"gate, {n} questions, {clusters} clusters: false alarms {100 * wrong:.1f}%"


if __name__ == "__main__":
    for line in lines(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000):
        print(line, flush=True)  # noqa: T201  # what the module is run for
