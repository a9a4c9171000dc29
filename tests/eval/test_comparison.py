"""Two runs compared on one metric: by hand, and against scipy and statsmodels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test, t
from statsmodels.stats.contingency_tables import mcnemar

from eval.comparison import (
    PairedComparison,
    comparable_metrics,
    compare,
    corrected_together,
)
from eval.run_schema import Run
from eval.stats.significance import adjusted_mean
from tests.eval.fakes import PROVENANCE

PARTS = st.sampled_from([0.0, 0.25, 0.5, 0.8, 1.0])
PAIRS = st.lists(st.tuples(PARTS, PARTS), min_size=1, max_size=25)


def run(
    values: Sequence[float | None],
    measure: str = "answer_f1",
    clusters: Mapping[str, str] | None = None,
    broken: Sequence[str] = (),
) -> Run:
    scores = {f"q{at}": {measure: value} for at, value in enumerate(values)}
    return Run(Path("run"), PROVENANCE, scores, dict.fromkeys(broken, "broke"), clusters or {})


def paired(
    first: Sequence[float | None], second: Sequence[float | None], measure: str = "answer_f1"
) -> PairedComparison:
    row = compare(measure, run(first, measure), run(second, measure))
    assert row is not None
    return row


def zeros_and_ones(won: int, lost: int, ties: int) -> tuple[list[float], list[float]]:
    return [0.0] * won + [1.0] * (lost + ties), [1.0] * won + [0.0] * lost + [1.0] * ties


def test_compare_by_hand() -> None:
    row = paired([0.5, 1.0, 0.0, None, 0.5], [1.0, 0.5, 0.0, 1.0, 1.0])
    assert (row.n, row.left_out) == (4, 1)
    assert (row.first, row.second, row.effect) == pytest.approx((0.5, 0.625, 0.125))
    assert (row.won, row.lost, row.ties) == (("q0", "q4"), ("q1",), 1)
    # Of the 8 ways of signs of three halves, 4 come to one half or more: one-sided 1/2.
    assert row.p == 1
    assert row.verdict == "no detectable difference"
    assert row.low < 0 < row.high
    assert row.minimum_detectable is None


def test_compare_leaves_out_errors() -> None:
    first, second = run([1.0, 0.0, 1.0], broken=["q7"]), run([1.0, 1.0], broken=["q2", "q7"])
    row = compare("answer_f1", first, second)
    assert row is not None
    assert (row.n, row.left_out) == (2, 2)


def test_compare_nothing_in_common_is_none() -> None:
    assert compare("answer_f1", run([None, 1.0]), run([1.0, None])) is None
    assert compare("other", run([1.0]), run([1.0])) is None


@pytest.mark.parametrize(
    ("won", "lost"), [(6, 0), (5, 0), (9, 1), (8, 2), (30, 14), (0, 6), (3, 3), (1, 0)]
)
def test_compare_zeros_and_ones_is_mcnemar(won: int, lost: int) -> None:
    first, second = zeros_and_ones(won, lost, 60)
    row = paired(first, second)
    exact = min(1.0, binomtest(won, won + lost).pvalue)
    assert row.p == pytest.approx(exact)
    assert row.p == pytest.approx(mcnemar([[60, lost], [won, 0]], exact=True).pvalue)
    assert row.verdict == (
        "no detectable difference" if exact >= 0.05 else "better" if won > lost else "worse"
    )


@pytest.mark.parametrize("n", [4, 8, 11, 40])
@pytest.mark.parametrize("gain", [0.0, 0.1, 0.3])
def test_compare_p_is_larger_of_two(n: int, gain: float) -> None:
    """The p-value of scipy's permutation test, and that of the interval."""
    drawn = np.random.default_rng(n)
    first = drawn.random(n)
    second = drawn.random(n) * 0.7 + gain
    theirs = permutation_test(
        (second - first,),
        np.mean,
        permutation_type="samples",
        n_resamples=20_000,
        vectorized=False,
        rng=1,
    )
    found = adjusted_mean(second - first, None)
    freedom = found.degrees_of_freedom
    expected = max(theirs.pvalue, 2 * t.sf(abs(found.mean) / found.standard_error, freedom))
    assert freedom == n - 1
    assert paired(list(first), list(second)).p == pytest.approx(
        expected, abs=1e-9 if n <= 11 else 0.015
    )


def test_compare_flips_signs_by_cluster() -> None:
    """Six clusters of ten, each wholly won: as much as six questions show, and not as sixty."""
    values = [0.0] * 60, [1.0] * 60
    clusters = {f"q{at}": str(at % 6) for at in range(60)}
    row = compare("answer_f1", run(values[0], clusters=clusters), run(values[1]))
    assert row is not None
    assert row.p == pytest.approx(2 / 64)
    assert row.verdict == "better"
    five = {f"q{at}": str(at % 5) for at in range(60)}
    row = compare("answer_f1", run(values[0], clusters=five), run(values[1]))
    assert row is not None
    assert row.p == pytest.approx(2 / 32)
    assert row.verdict == "no detectable difference"
    assert row.low == 0


def test_compare_id_like_a_cluster_name_is_separate() -> None:
    clusters = {"q0": "q5", "q1": "q5", "q2": "q6", "q3": "q6"}
    row = compare("answer_f1", run([0.0] * 8, clusters=clusters), run([1.0] * 8))
    assert row is not None
    # Two pairs and four alone: all signs alike are 2 ways of 2**6.
    assert row.p == pytest.approx(2 / 2**6)


def test_compare_single_article_has_no_clusters() -> None:
    first, second = zeros_and_ones(9, 1, 20)
    clusters = {f"q{at}": "article" for at in range(15)}
    row = compare("answer_f1", run(first, clusters=clusters), run(second, clusters=clusters))
    assert row == paired(first, second)


def test_compare_all_ties_have_minimum_detectable() -> None:
    row = paired([1.0] * 100, [1.0] * 100)
    assert (row.p, row.effect, row.ties) == (1, 0, 100)
    assert row.low == pytest.approx(-row.high)
    assert 0 < row.high < 0.05
    # 6 of 100 must differ, 4 times of 5: 7.7 are then expected to.
    assert row.minimum_detectable == pytest.approx(0.0776, abs=5e-4)
    assert paired([1.0] * 5, [1.0] * 5).minimum_detectable is None


def test_compare_rounding_of_means_is_a_tie() -> None:
    first = [0.1 + at / 30 for at in range(20)]
    row = paired(first, [sum([value] * 3) / 3 for value in first])
    assert any(value != sum([value] * 3) / 3 for value in first)
    assert (row.won, row.lost, row.ties, row.p) == ((), (), 20, 1)
    assert row.minimum_detectable is not None
    assert row.minimum_detectable > 0.1


def test_compare_one_question_shows_nothing() -> None:
    row = paired([0.0], [1.0])
    assert (row.low, row.high, row.p) == (-1, 1, 1)
    assert row.verdict == "no detectable difference"


@pytest.mark.parametrize("measure", ["wrongly_refused", "unsupported_sentences"])
def test_compare_lower_is_better_reverses_verdict(measure: str) -> None:
    first, second = zeros_and_ones(12, 1, 20)
    row = paired(first, second, measure)
    assert row.verdict == "worse"
    assert len(row.lost) == 12
    assert row.p_worse < 0.01
    assert paired(second, first, measure).verdict == "better"


def test_compare_seconds_as_ratio() -> None:
    first = [0.1 * at for at in range(1, 21)]
    row = paired(first, [2 * one for one in first], "seconds")
    assert (row.effect, row.low, row.high) == pytest.approx((2, 2, 2), rel=0.2)
    assert row.second / row.first == pytest.approx(2)
    assert row.verdict == "worse"
    assert row.as_json()["ratio"] == pytest.approx(2)
    alike = paired(first, first, "seconds")
    assert (alike.effect, alike.p) == (1, 1)
    assert alike.low < 1 < alike.high
    assert paired([0.0, 1.0], [1.0, 1.0], "seconds").n == 1


@given(PAIRS, st.integers(1, 5))
def test_compare_verdict_interval_and_p_agree(
    values: list[tuple[float, float]], tests: int
) -> None:
    """Also when several metrics are corrected together."""
    first, second = zip(*values, strict=True)
    for row in corrected_together([paired(first, second)] * tests):
        assert row.low <= row.effect + 1e-9
        assert row.effect - 1e-9 <= row.high
        assert (
            (row.verdict == "no detectable difference")
            == (row.p >= 0.05)
            == (row.low <= 0 <= row.high)
        )
        if row.verdict != "no detectable difference":
            assert (row.verdict == "better") == (row.low > 0) == (row.effect > 0)


@given(PAIRS)
def test_compare_swapped_runs_are_mirrored(values: list[tuple[float, float]]) -> None:
    first, second = zip(*values, strict=True)
    there, back = paired(first, second), paired(second, first)
    assert back.effect == pytest.approx(-there.effect)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-9)
    assert (back.won, back.lost) == (there.lost, there.won)
    assert back.p == pytest.approx(there.p)
    assert {there.verdict, back.verdict} in ({"better", "worse"}, {"no detectable difference"})


def test_corrected_together_may_lose_significance() -> None:
    alone = paired(*zeros_and_ones(6, 0, 20))
    assert alone.verdict == "better"
    assert alone.low > 0
    among = corrected_together([alone, alone])[0]
    assert among.p == pytest.approx(2 * alone.p)
    assert among.tests == 2
    assert among.verdict == "no detectable difference"
    assert among.low == 0


def test_comparable_metrics_need_a_direction() -> None:
    scores = {"q": {"answered": 1.0, "confidence": 0.5, "answered_right": 1.0}}
    both = Run(Path("run"), PROVENANCE, scores)
    assert comparable_metrics(both, both) == ["answered_right"]


def test_compare_is_repeatable() -> None:
    drawn = np.random.default_rng(5)
    first, second = list(drawn.random(40)), list(drawn.random(40))
    assert paired(first, second) == paired(first, second)
