"""Significance of paired differences, against statsmodels and by hand."""

from math import sqrt

import numpy as np
import pytest
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from eval.stats.significance import holm, paired_test, sign_flip_test


@pytest.mark.slow
def test_holm_same_as_statsmodels() -> None:
    drawn = np.random.default_rng(3)
    for n in (1, 2, 7, 20):
        values = list(drawn.random(n) ** 3)
        assert holm(values) == pytest.approx(list(multipletests(values, method="holm")[1]))
    assert holm([]) == []


def test_sign_flip_test_small_sample_tries_all_flips() -> None:
    """Of the 8 totals of 1, 2 and 4 with any signs, one is as high as 7 and all are as low."""
    assert sign_flip_test(np.array([1.0, 2.0, 4.0])) == (1.0, 1 / 8)
    assert sign_flip_test(np.array([-1.0, -2.0, -4.0])) == (1 / 8, 1.0)
    assert sign_flip_test(np.array([])) == (1.0, 1.0)


def test_paired_interval_is_students_around_adjusted_mean() -> None:
    """Half a question won and half a question lost are added to the eight questions."""
    differences = np.array([1.0, 1.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    test = paired_test(differences, range(8))
    mean = 2 / 9
    error = sqrt(5 - 9 * mean**2) / 9
    assert (test.low, test.high) == pytest.approx(student.interval(0.95, 7, mean, error))
