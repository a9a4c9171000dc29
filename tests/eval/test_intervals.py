"""Intervals against other ways to work them out."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from eval.intervals import (
    RESAMPLES,
    SEED,
    Floats,
    auroc_interval,
    bootstrap,
    calibration_interval,
    mean_interval,
    wilson,
)
from eval.metrics import bin_of, calibration_error


def mean(samples: Floats) -> Floats:
    return np.asarray(samples.mean(axis=1))


def test_wilson_is_that_of_scipy() -> None:
    drawn = np.random.default_rng(1)
    for _ in range(1_000):
        n = int(drawn.integers(1, 2_000))
        successes = (0, n, int(drawn.integers(0, n + 1)))[int(drawn.integers(3))]
        theirs = binomtest(successes, n).proportion_ci(confidence_level=0.95, method="wilson")
        assert wilson(successes, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_nothing_has_no_interval_and_one_value_has_one() -> None:
    assert wilson(0, 0) is None
    assert mean_interval([]) is None
    assert bootstrap([], mean) is None
    assert auroc_interval([], [0.5]) is None
    assert auroc_interval([0.5], []) is None
    assert mean_interval([0.4]) == pytest.approx((0.4, 0.4))
    assert mean_interval([1.0]) == pytest.approx((0.2065, 1.0), abs=1e-4)
    assert auroc_interval([0.9], [0.1]) == (1.0, 1.0)


def test_shares_are_wilsons_and_other_means_are_not() -> None:
    assert mean_interval([1.0, 0.0, 1.0]) == wilson(2, 3)
    assert mean_interval([1.0] * 40) == wilson(40, 40)
    mixed = [1.0, 0.5, 1.0, 0.0]
    assert mean_interval(mixed) == bootstrap(mixed, mean)
    assert mean_interval(mixed) != pytest.approx(wilson(2, 4))


def test_the_bootstrap_is_the_same_each_time() -> None:
    values = list(np.random.default_rng(2).random(30))
    assert bootstrap(values, mean) == bootstrap(values, mean)


def test_the_bootstrap_of_a_mean_is_near_that_of_the_normal() -> None:
    values = np.random.default_rng(3).random(400)
    half = 1.96 * values.std() / 20
    found = bootstrap(list(values), mean)
    assert found == pytest.approx((values.mean() - half, values.mean() + half), abs=0.003)


def test_the_bootstrap_holds_the_true_mean_about_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(4)
    true = 2 / 7
    held = 0
    for _ in range(400):
        found = bootstrap(list(drawn.beta(2, 5, size=40)), mean)
        assert found is not None
        held += found[0] <= true <= found[1]
    assert 0.91 <= held / 400 <= 0.98


def test_the_interval_of_auroc_is_that_of_resamples_measured_one_by_one() -> None:
    drawn = np.random.default_rng(5)
    positive, negative = drawn.choice([0.2, 0.4, 0.5, 0.8], 9), drawn.choice([0.2, 0.4, 0.5, 0.8], 5)
    labels, values = np.array([1] * 9 + [0] * 5), np.concatenate([positive, negative])
    places = np.random.default_rng(SEED).integers(0, 14, size=(RESAMPLES, 14))
    both = [place for place in places if len(set(labels[place])) == 2]
    low, high = np.percentile([roc_auc_score(labels[place], values[place]) for place in both], [2.5, 97.5])
    assert auroc_interval(list(positive), list(negative)) == pytest.approx((low, high))
    assert 0 < low < high < 1


def test_the_interval_of_the_calibration_error_is_that_of_resamples_measured_one_by_one() -> None:
    confidences = np.array([0.05, 0.4, 0.45, 0.7, 0.75, 0.95, 0.99])
    labels = np.array([False, True, False, True, True, True, False])
    draws = np.random.default_rng(SEED).integers(0, 7, size=(RESAMPLES, 7))
    single = [calibration_error(list(confidences[draw]), list(labels[draw])) for draw in draws]
    low, high = np.percentile(np.array(single, dtype=np.float64), (2.5, 97.5))
    found = calibration_interval(list(labels - confidences), [bin_of(value) for value in confidences])
    assert found == pytest.approx((low, high))
    assert calibration_interval([], []) is None
