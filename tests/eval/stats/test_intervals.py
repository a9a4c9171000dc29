"""Intervals against other implementations. How often they contain the truth: test_coverage.py."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats import bootstrap as scipy_bootstrap
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportion_confint

from eval.stats.intervals import (
    Floats,
    Interval,
    auroc_interval,
    bootstrap,
    cluster_sums,
    mean_interval,
    percentile_interval,
    variation,
    wilson,
)
from tests.properties import examples

SHARES = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=60)
PARTS = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0]), min_size=1, max_size=60)


def mean_of(values: list[float]) -> Callable[[Floats], Floats]:
    return lambda weights: weights @ np.array(values) / weights.sum(axis=1)


def held(interval: Interval | None) -> Interval:
    assert interval is not None
    return interval


def test_wilson_same_as_scipy_and_statsmodels() -> None:
    drawn = np.random.default_rng(1)
    for _ in range(1_000):
        n = int(drawn.integers(1, 2_000))
        successes = (0, n, int(drawn.integers(0, n + 1)))[int(drawn.integers(3))]
        theirs = binomtest(successes, n).proportion_ci(confidence_level=0.95, method="wilson")
        assert wilson(successes, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
        assert wilson(successes, n) == pytest.approx(
            proportion_confint(successes, n, method="wilson"), abs=1e-12
        )


def test_intervals_no_values_is_none() -> None:
    assert wilson(0, 0) is None
    assert mean_interval([]) is None
    assert mean_interval([], []) is None
    assert percentile_interval([], 50) is None
    assert bootstrap(mean_of([]), 0) is None
    assert bootstrap(lambda weights: np.full(len(weights), np.nan), 3) is None
    assert auroc_interval([], [0.5]) is None
    assert auroc_interval([0.5], []) is None


def test_intervals_one_question_is_wide() -> None:
    assert mean_interval([1.0]) == pytest.approx((0.2065, 1.0), abs=1e-4)
    low, high = held(mean_interval([0.4]))
    assert low < 0.1
    assert high > 0.8
    low, high = held(auroc_interval([0.9], [0.1]))
    assert low < 0.2
    assert high == 1
    assert percentile_interval([3.0], 95) == (3, 3)
    assert bootstrap(mean_of([0.4]), 1) == pytest.approx((0.4, 0.4))


@given(SHARES)
def test_mean_interval_zeros_and_ones_is_wilson(values: list[float]) -> None:
    assert mean_interval(values) == pytest.approx(wilson(int(sum(values)), len(values)), abs=1e-9)


@given(PARTS)
def test_mean_interval_contains_mean_within_0_and_1(values: list[float]) -> None:
    low, high = held(mean_interval(values))
    assert -1e-9 <= low <= sum(values) / len(values) + 1e-9
    assert sum(values) / len(values) - 1e-9 <= high <= 1 + 1e-9


@given(PARTS)
def test_mean_interval_complement_is_mirrored(values: list[float]) -> None:
    low, high = held(mean_interval(values))
    assert mean_interval([1 - value for value in values]) == pytest.approx(
        (1 - high, 1 - low), abs=1e-9
    )


@given(PARTS, st.data())
def test_mean_interval_clusters_widen(values: list[float], data: st.DataObject) -> None:
    """The order of the values does not matter."""
    labels = data.draw(st.lists(st.integers(0, 4), min_size=len(values), max_size=len(values)))
    mixed = data.draw(st.permutations(list(zip(values, labels, strict=True))))
    in_clusters = held(mean_interval(values, labels))
    assert mean_interval(
        [value for value, _ in mixed], [label for _, label in mixed]
    ) == pytest.approx(in_clusters)
    plain = held(mean_interval(values))
    assert in_clusters[1] - in_clusters[0] >= plain[1] - plain[0] - 1e-9


@given(PARTS)
def test_mean_interval_trivial_clusters_have_no_effect(values: list[float]) -> None:
    """Clusters of one question, or one cluster of all."""
    plain = mean_interval(values)
    assert mean_interval(values, list(range(len(values)))) == plain
    assert mean_interval(values, ["same"] * len(values)) == plain


def test_mean_interval_repeated_questions_count_once() -> None:
    """Each question twice, as a cluster: as wide as each once, but for Student's t and that of 40 clusters is 40/39."""
    values = list(np.random.default_rng(2).choice([0.0, 0.5, 1.0], 40))
    twice, labels = (
        [value for value in values for _ in range(2)],
        [at for at in range(40) for _ in range(2)],
    )
    once = held(mean_interval(values))
    low, high = held(mean_interval(twice, labels))
    assert (low, high) == pytest.approx(once, abs=0.01)
    plain = held(mean_interval(twice))
    assert plain[1] - plain[0] < 0.75 * (high - low)


def test_variation_same_as_cluster_robust_regression() -> None:
    drawn = np.random.default_rng(3)
    labels = np.repeat(np.arange(8), [2, 3, 5, 4, 6, 2, 9, 4])
    values = drawn.normal(size=len(labels)) + drawn.normal(size=8)[labels]
    fitted = OLS(values, np.ones(len(values))).fit(
        cov_type="cluster",
        cov_kwds={"groups": labels, "use_correction": False, "df_correction": True},
    )
    squares, units = variation(values - values.mean(), list(labels))
    assert units == pytest.approx(35**2 / (4 + 9 + 25 + 16 + 36 + 4 + 81 + 16))
    assert squares * (units - 1) / units / 35**2 == pytest.approx(float(fitted.cov_params()[0, 0]))


def test_mean_interval_outside_0_to_1_raises() -> None:
    for values in ([120.0, 80.0], [-0.1, 0.5], [float("nan")]):
        with pytest.raises(ValueError, match="outside 0 to 1"):
            mean_interval(values)


def test_mean_interval_large_cluster_widens() -> None:
    """A single shared cluster has no effect."""
    values = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0]
    plain = held(mean_interval(values))
    assert mean_interval(values, ["a"] * 5 + ["b", "c", "d"]) == plain
    small, large = (
        held(mean_interval(values * 10, labels))
        for labels in ([at // 2 for at in range(80)], [0] * 40 + [at // 2 for at in range(40, 80)])
    )
    assert large[1] - large[0] > 1.4 * (small[1] - small[0])


def test_mean_interval_many_values_near_normal() -> None:
    values = np.random.default_rng(4).random(2_000)
    half = 1.96 * values.std() / np.sqrt(2_000)
    assert mean_interval(list(values)) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=5e-4
    )


def test_bootstrap_near_scipy_and_repeatable() -> None:
    values = list(np.random.default_rng(5).beta(2, 5, size=300))
    theirs = scipy_bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=6
    ).confidence_interval
    found = bootstrap(mean_of(values), 300)
    assert found == pytest.approx((theirs.low, theirs.high), abs=0.002)
    assert found == bootstrap(mean_of(values), 300)


def test_bootstrap_few_questions_widen_tails() -> None:
    values = list(np.random.default_rng(7).normal(size=8))
    theirs = scipy_bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=8
    ).confidence_interval
    low, high = held(bootstrap(mean_of(values), 8))
    assert 1.1 < (high - low) / (theirs.high - theirs.low) < 1.4


def test_bootstrap_draws_whole_clusters() -> None:
    labels = ["a", "b", "a", "c", "b"]
    seen: list[Floats] = []

    def watched(weights: Floats) -> Floats:
        seen.append(weights)
        return np.asarray(weights.sum(axis=1))

    bootstrap(watched, 5, labels)
    (weights,) = seen
    assert weights.shape == (2_000, 5)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_bootstrap_leaves_out_undefined_resamples() -> None:
    values = np.array([1.0, 3.0, 5.0])

    def of_those_with_the_first(weights: Floats) -> Floats:
        return np.where(weights[:, 0] > 0, weights @ values / 3, np.nan)

    low, high = held(bootstrap(of_those_with_the_first, 3))
    assert low == pytest.approx(1)
    assert high < 5


def test_auroc_interval_has_variance_of_delong() -> None:
    """Worked out as in their paper, by the covariance of the placements; with many values the additions vanish."""
    drawn = np.random.default_rng(9)
    positive, negative = drawn.normal(1, 1, 700), drawn.normal(0, 1, 900)
    is_higher = (positive[:, None] > negative).astype(float)
    area = is_higher.mean()
    variance = is_higher.mean(axis=1).var(ddof=1) / 700 + is_higher.mean(axis=0).var(ddof=1) / 900
    half = 1.96 * np.sqrt(variance)
    assert auroc_interval(list(positive), list(negative)) == pytest.approx(
        (area - half, area + half), abs=0.002
    )


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=20),
    st.lists(st.integers(0, 5), min_size=1, max_size=20),
)
def test_auroc_interval_contains_area_and_mirrors(ups: list[int], downs: list[int]) -> None:
    positive, negative = [float(one) for one in ups], [float(one) for one in downs]
    area = np.mean([(up > down) + 0.5 * (up == down) for up in positive for down in negative])
    low, high = held(auroc_interval(positive, negative))
    assert 0 <= low <= area + 1e-9
    assert area - 1e-9 <= high <= 1
    assert low < high
    assert auroc_interval(negative, positive) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_auroc_interval_clusters_widen() -> None:
    drawn = np.random.default_rng(10)
    moved = np.repeat(drawn.normal(0, 1, 20), 10)
    positive, negative = (
        1 + moved[:100] + drawn.normal(0, 0.3, 100),
        moved[100:] + drawn.normal(0, 0.3, 100),
    )
    plain = held(auroc_interval(list(positive), list(negative)))
    low, high = held(
        auroc_interval(list(positive), list(negative), list(np.repeat(np.arange(20), 10)))
    )
    assert high - low > 1.5 * (plain[1] - plain[0])


@examples(50)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=80), st.sampled_from([50.0, 90.0, 95.0]))
def test_percentile_interval_within_values_and_scales(values: list[float], percent: float) -> None:
    low, high = held(percentile_interval(values, percent))
    assert min(values) <= low <= high <= max(values)
    assert percentile_interval([2 * value for value in values], percent) == pytest.approx(
        (2 * low, 2 * high)
    )


def test_percentile_interval_median_near_sign_test() -> None:
    """Of 100 values these are the 40th and the 61st (Conover 1999); Wilson's share and its interpolation give less."""
    low, high = held(percentile_interval([float(value) for value in range(1, 101)], 50))
    assert 40 <= low <= 41.5
    assert 59.5 <= high <= 61


def test_cluster_sums_in_order_first_met() -> None:
    assert list(cluster_sums(np.array([1.0, 2.0, 4.0, 8.0, 16.0]), ["b", "a", "b", "c", "a"])) == [
        5,
        18,
        8,
    ]
    assert list(cluster_sums(np.array([1.0, 2.0, 4.0]), ["b", "a", "b"])) == [1, 2, 4]
    assert list(cluster_sums(np.array([1.0, 2.0, 4.0]), None)) == [1, 2, 4]
