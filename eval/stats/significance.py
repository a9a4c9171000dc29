"""Significance of paired differences: an exact test, an interval, and the detectable effect.

The test flips signs: if two runs are alike, each question (or cluster) is as likely to favour one
as the other. The interval is Student's t around a slightly shrunken mean. Each guards the other:
the p-value that counts is the larger of the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, betaincinv, ndtri, stdtr, stdtrit

from eval.stats.intervals import SEED, Clusters, Floats, cluster_sums, variation

Bits = NDArray[np.integer[Any]]
LEVEL = 0.05
"""The significance level, two-sided."""
POWER = 0.8
"""The probability with which the minimum detectable effect is detected."""
TIE_TOLERANCE = 1e-9
"""Values that differ by less than this part of themselves are equal: means of floats round."""
SIGN_FLIPS = 10_000
"""Random sign flips, if there are too many to try all."""
MAX_ENUMERATED = 12
"""Differing clusters up to which all 2**n sign flips are tried."""
MIN_DIFFERING = 6
"""Questions that must differ to detect anything: five all favour one run 1 time in 16 by chance."""
_PRIOR_WEIGHT = 0.5
"""Questions won, and questions lost, that the interval adds to those that were seen."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """What paired differences show about their mean."""

    low: float
    high: float
    """The 95% interval of the mean difference."""
    p_lower: float
    p_higher: float
    """How often, by chance alone, the mean would be as low or as high as it is; one-sided."""
    minimum_detectable: float | None
    """The smallest mean that would be detected with probability `POWER`; None if no mean would."""


@dataclass(frozen=True, slots=True)
class AdjustedMean:
    """A mean with its standard error and the degrees of freedom of its Student's t."""

    mean: float
    standard_error: float
    degrees_of_freedom: float


def paired_test(differences: Floats, clusters: Clusters) -> PairedTest:
    """Returns interval, p-values and minimum detectable effect of paired differences, shape (n,).

    `clusters` has a label for each difference; signs are flipped by cluster.
    """
    estimate = adjusted_mean(differences, clusters)
    error = estimate.standard_error
    freedom = estimate.degrees_of_freedom
    quantile = float(stdtrit(freedom, 1 - LEVEL / 2))
    half = quantile * error

    t = estimate.mean / error
    student_lower = float(stdtr(freedom, t))
    student_higher = float(stdtr(freedom, -t))
    sums = cluster_sums(differences, clusters)
    # A cluster whose sum is 0 favours neither run: its sign has no meaning.
    flips_lower, flips_higher = sign_flip_test(sums[sums != 0])

    power_quantile = float(ndtri(POWER))
    detectable_by_spread = (quantile + power_quantile) * error
    detectable = _minimum_detectable(sums, len(differences), detectable_by_spread)
    return PairedTest(
        low=estimate.mean - half,
        high=estimate.mean + half,
        p_lower=max(flips_lower, student_lower),
        p_higher=max(flips_higher, student_higher),
        minimum_detectable=detectable,
    )


def adjusted_mean(differences: Floats, clusters: Clusters | None) -> AdjustedMean:
    """Returns the mean of the differences, shrunken towards 0.

    A few differences may be alike by chance. So half a question won and half a question lost are
    added (Bonett and Price 2012 add a whole one of each), as large as the root mean square of those
    that differ, or 1 if none differs.
    """
    differing = differences[differences != 0]
    size = 1.0
    if len(differing):
        mean_square = np.square(differing).mean()
        size = sqrt(float(mean_square))
    n = len(differences) + 2 * _PRIOR_WEIGHT
    mean = float(differences.sum()) / n

    squares, units = variation(differences - mean, clusters)
    won = size - mean
    lost = size + mean
    squares += _PRIOR_WEIGHT * (won**2 + lost**2)
    return AdjustedMean(
        mean=mean,
        standard_error=sqrt(squares) / n,
        degrees_of_freedom=max(1.0, units - 1),
    )


def sign_flip_test(sums: Floats) -> tuple[float, float]:
    """Returns the one-sided p-values of a low and of a high total of `sums`, none of which is 0.

    Exact if all are of one size (a binomial; McNemar's test if the scores are 0 or 1) or if they
    are few; otherwise from random sign flips, counting the observed total as one of them (Phipson
    and Smyth 2010).
    """
    n = len(sums)
    if n == 0:
        return 1.0, 1.0
    sizes = np.abs(sums)
    if np.ptp(sizes) <= TIE_TOLERANCE * sizes[0]:
        won = np.count_nonzero(sums > 0)
        p_low = float(bdtr(won, n, 0.5))
        p_high = float(bdtr(n - won, n, 0.5))
        return p_low, p_high

    totals = _flipped_totals(sizes)
    observed = sums.sum()
    # Totals that are equal but for rounding count on both sides.
    slack = TIE_TOLERANCE * sizes.sum()
    as_low = np.count_nonzero(totals <= observed + slack)
    as_high = np.count_nonzero(totals >= observed - slack)
    # All sign flips include the observed one; random ones do not.
    added = 0 if n <= MAX_ENUMERATED else 1
    trials = len(totals) + added
    return (as_low + added) / trials, (as_high + added) / trials


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p-values corrected for their number (Holm 1979).

    If no difference is real, the smallest of them is below 5% at most 5% of the time; the same
    holds for those that are not real among some that are.
    """
    n = len(p_values)
    corrected = [1.0] * n
    smallest_first = sorted(range(n), key=p_values.__getitem__)
    highest = 0.0
    for rank, index in enumerate(smallest_first):
        bonferroni = (n - rank) * p_values[index]
        highest = max(highest, min(1.0, bonferroni))
        corrected[index] = highest
    return corrected


def _flipped_totals(sizes: Floats) -> Floats:
    """Returns totals with other signs: all of them, or `SIGN_FLIPS` random ones."""
    n = len(sizes)
    if n <= MAX_ENUMERATED:
        # The binary digits of 0 to 2**n - 1 are all combinations of n signs.
        numbers = np.arange(2**n)[:, None]
        bits = numbers >> np.arange(n) & 1
        return _totals(bits, sizes)

    generator = np.random.default_rng(SEED)
    # In five parts, so that the signs of many questions fit into memory.
    shape = (SIGN_FLIPS // 10, n)
    parts = []
    for _ in range(5):
        bits = generator.integers(0, 2, shape, dtype=np.int8)
        parts.append(_totals(bits, sizes))
    half = np.concatenate(parts)
    # Each with its opposite, so that swapping the two runs mirrors the p-values.
    return np.concatenate([half, -half])


def _totals(bits: Bits, sizes: Floats) -> Floats:
    """Returns the total of each row, shape (rows, n): a bit of 1 makes its size negative."""
    signs = 1 - 2 * bits
    return np.asarray(signs @ sizes, dtype=np.float64)


def _minimum_detectable(sums: Floats, n: int, by_spread: float) -> float | None:
    """Returns the larger of two limits: that of the spread, and that of the number that differ.

    The second is the mean at which, with probability `POWER`, at least `MIN_DIFFERING` clusters
    differ.
    """
    clusters = len(sums)
    if clusters < MIN_DIFFERING:
        return None
    sizes = np.abs(sums[sums != 0])
    size = float(sizes.mean()) if len(sizes) else 1.0

    # The inverse of a binomial: the share that differs for so many to differ.
    alike = clusters - MIN_DIFFERING
    share = float(betaincinv(MIN_DIFFERING, alike + 1, POWER))
    by_count = share * size * clusters / n
    return max(by_spread, by_count)
