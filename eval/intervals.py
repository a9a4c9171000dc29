"""95% intervals of figures over questions. Nothing to measure gives None; one question is enough for one.

Wilson (1927) for shares; for all else the percentile bootstrap over questions (Efron 1979), seeded, so that the same
run gives the same figures.
"""

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

SEED = 20
RESAMPLES = 2_000
Interval = tuple[float, float]
Floats = NDArray[np.float64]
_Z = 1.959963984540054
"""The standard normal quantile of 0.975."""
_TAILS = (2.5, 97.5)


def wilson(successes: int, n: int) -> Interval | None:
    """The interval of a share, by its score test (Wilson 1927, without continuity correction)."""
    if n == 0:
        return None
    share, square = successes / n, _Z**2
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = _Z / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n**2))
    # At the ends the formula gives 0 and 1 but for rounding.
    return (0.0 if successes == 0 else centre - half, 1.0 if successes == n else centre + half)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """The interval of the mean of values from 0 to 1.

    Where every value is 0 or 1 it is Wilson's, whatever the measure: the bootstrap of equal values has no width,
    and no values from 0 to 1 of that mean spread more than these.
    """
    if all(value in (0.0, 1.0) for value in values):
        return wilson(round(sum(values)), len(values))
    return bootstrap(values, lambda samples: samples.mean(axis=1))


def bootstrap(values: Sequence[float], statistic: Callable[[Floats], Floats]) -> Interval | None:
    """The interval of a statistic, which maps samples (resamples x n) to one number each."""
    if not values:
        return None
    return _middle(statistic(np.asarray(values, dtype=np.float64)[_resampled(len(values))]))


def auroc_interval(positive: Sequence[float], negative: Sequence[float]) -> Interval | None:
    """The interval of the share of (positive, negative) pairs in the right order, ties counting half.

    Positive and negative questions are drawn together; the few resamples with one kind only have no such share. Where
    every pair is in the right order there is no width, however few the questions: look at n.
    """
    if not positive or not negative:
        return None
    above, below = np.asarray(positive), np.asarray(negative)
    ordered = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    times = _times(len(above) + len(below))
    up, down = times[:, : len(above)], times[:, len(above) :]
    pairs = up.sum(axis=1) * down.sum(axis=1)
    both = pairs > 0
    return _middle(((up @ ordered) * down).sum(axis=1)[both] / pairs[both])


def calibration_interval(gaps: Sequence[float], bins: Sequence[int]) -> Interval | None:
    """The interval of the expected calibration error; given outcome less confidence, and the bin, of each."""
    if not gaps:
        return None
    by_bin = np.zeros((len(gaps), max(bins) + 1))
    by_bin[np.arange(len(gaps)), bins] = gaps
    return _middle(np.abs(_times(len(gaps)) @ by_bin).sum(axis=1) / len(gaps))


def _times(n: int) -> Floats:
    """How often each of n is drawn, (resamples x n)."""
    drawn = _resampled(n) + n * np.arange(RESAMPLES)[:, None]
    return np.bincount(drawn.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n).astype(np.float64)


def _resampled(n: int) -> NDArray[np.int64]:
    """Places drawn with replacement, (resamples x n)."""
    return np.random.default_rng(SEED).integers(0, n, size=(RESAMPLES, n))


def _middle(figures: Floats) -> Interval:
    low, high = np.percentile(figures, _TAILS)
    return float(low), float(high)
