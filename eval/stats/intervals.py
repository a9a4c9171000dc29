"""95% intervals of metrics over questions. Without any value the interval is None.

Nearly all are Wilson's interval of a share (1927) for an *effective number* of questions: as many
as would make a share vary as much as the values do (the design effect of Kish 1965; for shares in
clusters, Korn and Graubard 1998). Statistics that are not a mean of shares have a seeded percentile
bootstrap. docs/noise.md shows how often the intervals contain the truth, and what was rejected.

Questions of one cluster, for example of one article, are not independent. If `clusters` has a label
for each value, the clusters count as what was drawn, with Student's t for their effective number
(fewer than their number if some are large), and no interval is narrower than without clusters. From
20 clusters on, the intervals contain the truth about 95% of the time; with fewer they are wide, and
still too narrow if the clusters differ much (Cameron, Gelbach and Miller 2008). If fewer than two
clusters have several questions, nothing is known about clusters: the questions count as
independent, and the metric is about further questions on that one article.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

SEED = 20
RESAMPLES = 2_000
Interval = tuple[float, float]
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Clusters = Sequence[Hashable]
Statistic = Callable[[Floats], Floats]
"""Maps weights, shape (resamples, n), to a value for each resample."""
Variation = tuple[float, float]
"""A sum of squares, and the effective number of independent units that it comes from."""
_NORMAL_QUANTILE = 1.959963984540054
"""The standard normal quantile of 0.975."""
_PRIOR_WEIGHT = 0.4
"""Questions with value 0, and questions with value 1, added where a spread is measured: a few
values that are nearly all alike may be so by chance. Found by simulation, as the next."""
_PRIOR_WEIGHT_AUROC = 0.05
"""The same for AUROC, where each question is in many pairs."""


def wilson(successes: int, n: int) -> Interval | None:
    """Returns Wilson's score interval of a share (1927, without continuity correction)."""
    if n == 0:
        return None
    return _wilson(successes / n, n, _NORMAL_QUANTILE)


def mean_interval(values: Sequence[float], clusters: Clusters | None = None) -> Interval | None:
    """Returns the interval of the mean of values from 0 to 1: Wilson's for their effective number.

    If every value is 0 or 1 and there are no clusters, it is Wilson's interval of a share. Raises
    ValueError for a value outside 0 to 1.
    """
    if not values:
        return None
    array = _array(values)
    are_shares = (array >= 0) & (array <= 1)
    # Not by the extremes: NaN is not a share either.
    if not are_shares.all():
        raise ValueError("Values outside 0 to 1 are not shares. Use the bootstrap for their mean.")

    n = len(values)
    mean = _smoothed_mean(array, _PRIOR_WEIGHT)
    squares, units = variation(array - mean, clusters)
    squares += _prior_squares(mean, _PRIOR_WEIGHT)

    # As many shares as would vary by these squares.
    smoothed_n = n + 2 * _PRIOR_WEIGHT
    effective_n = n * mean * (1 - mean) * smoothed_n / squares
    share = float(array.mean())
    quantile = _quantile(units, n)
    return _wilson(share, effective_n, quantile)


def percentile_interval(
    values: Sequence[float], percentile: float, clusters: Clusters | None = None
) -> Interval | None:
    """Returns the interval of a percentile of values of any size (Woodruff 1952).

    Its ends are the values at the ends of the interval of the percentile's share, so no end is
    beyond the values: with fewer than 72 of them the true 95th percentile may be above the highest.
    """
    if not values:
        return None
    array = _array(values)
    n = len(values)
    share = percentile / 100
    is_below = array <= np.percentile(array, percentile)
    deviations = _array(is_below) - share
    squares, units = variation(deviations, clusters)

    effective_n = float(n)
    # Without any spread there is nothing to divide by: the questions count as independent.
    if squares:
        independent_squares = float(deviations @ deviations)
        effective_n = n * independent_squares / squares
    quantile = _quantile(units, n)
    shares = _wilson(share, effective_n, quantile)
    low, high = np.quantile(array, shares, method="weibull")
    return float(low), float(high)


def auroc_interval(
    positive: Sequence[float], negative: Sequence[float], clusters: Clusters | None = None
) -> Interval | None:
    """Returns the interval of AUROC, the share of (positive, negative) pairs in the right order.

    It is Wilson's for the effective number by the variance of DeLong, DeLong and Clarke-Pearson
    (1988). `clusters` has the labels of the positive values, then of the negative ones.
    """
    if not positive or not negative:
        return None
    # A row for each positive value, a column for each negative one; a tie is half in order.
    column = _array(positive)[:, None]
    row = _array(negative)
    is_above = column > row
    is_tie = column == row
    ordered = is_above + 0.5 * is_tie
    # The share of its pairs in the right order, for each positive and for each negative question.
    of_positive = ordered.mean(axis=1)
    of_negative = ordered.mean(axis=0)

    variance, units = _auroc_variance(of_positive, of_negative, clusters)
    smaller_side = min(of_positive, of_negative, key=len)
    mean = _smoothed_mean(smaller_side, _PRIOR_WEIGHT_AUROC)
    effective_n = mean * (1 - mean) / variance

    area = float(ordered.mean())
    quantile = _quantile(units, len(positive) + len(negative))
    return _wilson(area, effective_n, quantile)


def _auroc_variance(
    of_positive: Floats, of_negative: Floats, clusters: Clusters | None
) -> Variation:
    """Returns the variance of AUROC from the share of each question, and the number of units."""
    weight = _PRIOR_WEIGHT_AUROC
    deviations = []
    prior_variance = 0.0
    for shares in (of_positive, of_negative):
        n = len(shares)
        mean = _smoothed_mean(shares, weight)
        size = sqrt(n * (n + 2 * weight))
        deviations.append((shares - mean) / size)
        prior_variance += _prior_squares(mean, weight) / size**2

    # One variation over both sides: a cluster may have questions on each of them.
    variance, units = variation(np.concatenate(deviations), clusters)
    return variance + prior_variance, units


def bootstrap(statistic: Statistic, n: int, clusters: Clusters | None = None) -> Interval | None:
    """Returns the percentile bootstrap interval of any statistic (Efron 1979), seeded.

    `statistic` maps weights, shape (resamples, n), how often each question is drawn, to a value for
    each resample, NaN if it has none. If none has a value the interval is None. The tails are
    smaller by as much as Student's t is wider than the normal distribution (Hesterberg 2015). If
    every resample has the same value the interval has no width: look at n.
    """
    from scipy.special import ndtr

    if n == 0:
        return None
    numbers, units = _cluster_numbers(n, clusters)
    count = int(numbers.max()) + 1
    cluster_counts = _resample_counts(count)
    # A question is drawn as often as its cluster.
    weights = cluster_counts[:, numbers]
    values = statistic(weights)
    values = values[~np.isnan(values)]
    if not len(values):
        return None

    # A single unit says nothing about its spread: the interval is all that was drawn.
    tail = 0.0
    if units > 1:
        widened = sqrt(units / (units - 1))
        quantile = widened * _student_quantile(units)
        tail = float(ndtr(-quantile))
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)


def variation(deviations: Floats, clusters: Clusters | None) -> Variation:
    """Returns the sum of squared deviations, and the effective number of independent units.

    Without clusters every question is a unit. With clusters the squares are of the sums by cluster,
    enlarged as the variance of so few clusters is; the effective number of clusters is n**2 divided
    by the sum of their squared sizes (Kish 1965).
    """
    n = len(deviations)
    independent = float(deviations @ deviations)
    _, units = _cluster_numbers(n, clusters)
    sums = cluster_sums(deviations, clusters)
    if len(sums) == n:
        return independent, units

    squares = float(sums @ sums)
    clustered = squares * units / (units - 1)
    # Clusters never make an interval narrower.
    return max(independent, clustered), units


def cluster_sums(values: Floats, clusters: Clusters | None) -> Floats:
    """Returns the sum of each cluster, in the order first met; without clusters the values."""
    numbers, _ = _cluster_numbers(len(values), clusters)
    return _array(np.bincount(numbers, weights=values))


def _cluster_numbers(n: int, clusters: Clusters | None) -> tuple[Numbers, float]:
    """Returns the number of each question's cluster, from 0, and the effective number of them."""
    labels = clusters or ()
    sizes = Counter(labels)
    shared = [size for size in sizes.values() if size > 1]
    if len(shared) < 2:
        return np.arange(n), float(n)

    numbers = {}
    squared_sizes = 0
    for number, (label, size) in enumerate(sizes.items()):
        numbers[label] = number
        squared_sizes += size**2
    of_questions = [numbers[label] for label in labels]
    return np.asarray(of_questions), n**2 / squared_sizes


def _quantile(units: float, n: int) -> float:
    """Returns the normal quantile for independent questions, as Wilson does; else Student's."""
    return _NORMAL_QUANTILE if units == n else _student_quantile(units)


def _student_quantile(units: float) -> float:
    # Imported here: the page lists metrics without computing an interval.
    from scipy.special import stdtrit

    return float(stdtrit(max(1.0, units - 1), 0.975))


def _smoothed_mean(values: Floats, weight: float) -> float:
    """Returns the mean with `weight` values added at 0 and at 1."""
    total = values.sum() + weight
    return float(total / (len(values) + 2 * weight))


def _prior_squares(mean: float, weight: float) -> float:
    """Returns the squared deviations of the values added at 0 and at 1."""
    return weight * (mean**2 + (1 - mean) ** 2)


def _wilson(share: float, n: float, quantile: float) -> Interval:
    square = quantile**2
    scale = 1 + square / n
    centre = (share + square / (2 * n)) / scale
    variance = share * (1 - share) / n
    correction = square / (4 * n**2)
    half = quantile / scale * sqrt(variance + correction)
    # At the ends the formula gives 0 and 1 but for rounding.
    low = 0.0 if share == 0 else centre - half
    high = 1.0 if share == 1 else centre + half
    return low, high


def _resample_counts(n: int) -> Floats:
    """Returns how often each of n units is drawn, shape (resamples, n)."""
    shape = (RESAMPLES, n)
    generator = np.random.default_rng(SEED)
    drawn = generator.integers(0, n, size=shape)

    # Counts all resamples at once: the units of resample i are numbered from i * n.
    first_numbers = n * np.arange(RESAMPLES)
    numbered = drawn + first_numbers[:, None]
    counts = np.bincount(numbered.ravel(), minlength=RESAMPLES * n)
    return _array(counts.reshape(shape))


def _array(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
