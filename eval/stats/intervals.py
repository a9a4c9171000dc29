"""95% intervals of figures over questions. Nothing to measure gives None; one question is enough for one.

One idea serves nearly all: the interval of a share is Wilson's (1927), and any other figure from 0 to 1 is a share of
an *effective number* of questions, as many as would make a share spread as the figure does (the design effect of Kish
1965; for shares in clusters, Korn and Graubard 1998). What is no mean of this kind is bootstrapped, seeded.
docs/noise.md has how often they hold the truth, and what they were chosen over.

Questions of one cluster, an article for one, are not independent: given `clusters`, a label for each value, clusters
count as what was drawn, with Student's t for their effective number (fewer than there are where some are large), and no
interval is narrower than without them. From 20 clusters on they hold the truth about as often as they say; with fewer
they are wide, as they should be, and yet hold it less often where the articles differ much among themselves (Cameron,
Gelbach and Miller 2008). Where fewer than two labels are shared there is nothing to know about clusters: the questions
count, and the figure is about further questions to that one article.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

SEED = 20
RESAMPLES = 2_000
Interval = tuple[float, float]
Floats = NDArray[np.float64]
Clusters = Sequence[Hashable]
_Z = 1.959963984540054
"""The standard normal quantile of 0.975."""
_UNSEEN = 0.4
"""How much of a question at 0, and of one at 1, is added where a spread is measured: what a few values that are nearly
all alike do not show is not taken for absent. Shares are left as Wilson has them. Found by simulation, as the next."""
_UNSEEN_PAIRED = 0.05
"""The same for AUROC, whose questions each stand in many pairs."""


def wilson(successes: int, n: int) -> Interval | None:
    """The interval of a share, by its score test (Wilson 1927, without continuity correction)."""
    return _wilson(successes / n, n, _Z) if n else None


def mean_interval(values: Sequence[float], clusters: Clusters | None = None) -> Interval | None:
    """The interval of the mean of values from 0 to 1: Wilson's for their effective number.

    Where every value is 0 or 1, without clusters, it is Wilson's. Raises ValueError for a value outside 0 to 1.
    """
    if not values:
        return None
    array, n = np.asarray(values, dtype=np.float64), len(values)
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError("values outside 0 to 1 are no shares: bootstrap their mean")
    mean = _shrunk(array, _UNSEEN)
    squares, units = spread(array - mean, clusters)
    squares += _unseen(mean, _UNSEEN)
    return _wilson(
        float(array.mean()),
        n * mean * (1 - mean) * (n + 2 * _UNSEEN) / squares,
        _quantile(units, n),
    )


def percentile_interval(
    values: Sequence[float], percentile: float, clusters: Clusters | None = None
) -> Interval | None:
    """The interval of a percentile of values of any size: the values at the ends of that of its share (Woodruff 1952).

    No end lies beyond the values: of fewer than 72 of them the 95th percentile may be above the highest.
    """
    if not values:
        return None
    array, share, n = np.asarray(values, dtype=np.float64), percentile / 100, len(values)
    below = np.asarray(array <= np.percentile(array, percentile), dtype=np.float64) - share
    squares, units = spread(below, clusters)
    ends = _wilson(share, n * float(below @ below) / squares if squares else n, _quantile(units, n))
    low, high = np.quantile(array, ends, method="weibull")
    return float(low), float(high)


def auroc_interval(
    positive: Sequence[float], negative: Sequence[float], clusters: Clusters | None = None
) -> Interval | None:
    """The interval of the share of (positive, negative) pairs in the right order, ties counting half.

    Wilson's for the effective number by the variance of DeLong, DeLong and Clarke-Pearson (1988). `clusters` has the
    labels of the positive ones, then of the negative ones.
    """
    if not positive or not negative:
        return None
    above, below = np.asarray(positive, dtype=np.float64), np.asarray(negative, dtype=np.float64)
    ordered = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    sides = (ordered.mean(axis=1), ordered.mean(axis=0))
    unseen, moves = 0.0, []
    for side in sides:
        mean, size = (
            _shrunk(side, _UNSEEN_PAIRED),
            sqrt(len(side) * (len(side) + 2 * _UNSEEN_PAIRED)),
        )
        moves.append((side - mean) / size)
        unseen += _unseen(mean, _UNSEEN_PAIRED) / size**2
    variance, units = spread(np.concatenate(moves), clusters)
    mean = _shrunk(min(sides, key=len), _UNSEEN_PAIRED)
    return _wilson(
        float(ordered.mean()),
        mean * (1 - mean) / (variance + unseen),
        _quantile(units, ordered.shape[0] + ordered.shape[1]),
    )


def bootstrap(
    statistic: Callable[[Floats], Floats], n: int, clusters: Clusters | None = None
) -> Interval | None:
    """The interval of a figure of any kind: the percentile bootstrap over questions (Efron 1979), seeded.

    `statistic` maps weights, (resamples x n), how often each question is drawn, to a figure each; where it gives NaN
    there is none, and without any the interval is None. The tails are as much smaller as Student's t is wider than the
    normal (Hesterberg 2015). A figure at its end, where every resample is the same, has no width: look at n.
    """
    if n == 0:
        return None
    labels, units = _labels(n, clusters)
    figures = statistic(_times(int(labels.max()) + 1)[:, labels])
    figures = figures[~np.isnan(figures)]
    if not len(figures):
        return None
    tail = float(ndtr(-sqrt(units / (units - 1)) * _student(units))) if units > 1 else 0.0
    low, high = np.quantile(figures, (tail, 1 - tail))
    return float(low), float(high)


def spread(deviations: Floats, clusters: Clusters | None) -> tuple[float, float]:
    """The sum of the squares of what was drawn independently, and how many that were, effectively.

    Without clusters these are the deviations; with them their sums by cluster, n**2 by the sum of the squared sizes
    (Kish 1965), and the first is as much larger as the variance of so few is.
    """
    plain, sums = float(deviations @ deviations), by_cluster(deviations, clusters)
    units = _labels(len(deviations), clusters)[1]
    if len(sums) == len(deviations):
        return plain, units
    return max(plain, float(sums @ sums) * units / (units - 1)), units


def by_cluster(values: Floats, clusters: Clusters | None) -> Floats:
    """The sum of each cluster, in the order first met; the values themselves where there is nothing to know of any."""
    return np.bincount(_labels(len(values), clusters)[0], weights=values).astype(np.float64)


def _labels(n: int, clusters: Clusters | None) -> tuple[NDArray[np.int64], float]:
    """The number of each one's cluster, counted from 0, and the effective number of them."""
    sizes = Counter(clusters or ())
    if sum(size > 1 for size in sizes.values()) < 2:
        return np.arange(n), float(n)
    numbers = {label: number for number, label in enumerate(sizes)}
    labels = np.asarray([numbers[label] for label in clusters or ()])
    return labels, n**2 / sum(size**2 for size in sizes.values())


def _quantile(units: float, n: int) -> float:
    """The normal one for questions by themselves, as in Wilson's share."""
    return _Z if units == n else _student(units)


def _student(units: float) -> float:
    return float(stdtrit(max(1.0, units - 1), 0.975))


def _shrunk(values: Floats, unseen: float) -> float:
    """The mean with what is added at 0 and at 1."""
    return float((values.sum() + unseen) / (len(values) + 2 * unseen))


def _unseen(mean: float, unseen: float) -> float:
    """The squares of what is added at 0 and at 1."""
    return unseen * (mean**2 + (1 - mean) ** 2)


def _wilson(share: float, n: float, quantile: float) -> Interval:
    square = quantile**2
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = quantile / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n**2))
    # At the ends the formula gives 0 and 1 but for rounding.
    return (0.0 if share == 0 else centre - half, 1.0 if share == 1 else centre + half)


def _times(n: int) -> Floats:
    """How often each of n is drawn, (resamples x n)."""
    drawn = (
        np.random.default_rng(SEED).integers(0, n, size=(RESAMPLES, n))
        + n * np.arange(RESAMPLES)[:, None]
    )
    return (
        np.bincount(drawn.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n).astype(np.float64)
    )
