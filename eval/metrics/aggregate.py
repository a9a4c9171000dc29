"""Figures that a set of questions has and no question by itself.

Those of weights are given `weights`, (sets x questions): how often each set has each question, whole numbers from 0.
All other arrays are (questions,). They give a figure a set, (sets,), NaN where there is none. The figure of the
questions at hand is that of weights 1, and its interval that of resamples (`intervals.bootstrap`): so both are the
same computation.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eval.stats.intervals import Floats

BINS = 10


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """How often an answerable question has more confidence than one that is not, ties counting half.

    The area under the ROC curve (Hanley and McNeil 1982); None when one of the two is missing.
    """
    if not positive or not negative:
        return None
    from sklearn.metrics import roc_auc_score  # a second to import

    labels = [1] * len(positive) + [0] * len(negative)
    return float(roc_auc_score(labels, [*positive, *negative]))


def refusal_f1(weights: Floats, refused: Floats, unanswerable: Floats) -> Floats:
    """The F1 of refusing what is not answerable; both are 0 or 1. NaN where nothing is refused or to be refused."""
    right = weights @ (refused * unanswerable)
    return _divided(2 * right, weights @ refused + weights @ unanswerable)


def risk_coverage(weights: Floats, confidences: Floats, risks: Floats) -> Floats:
    """The area under the risk-coverage curve, AURC (El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017).

    The mean risk of the i most confident, averaged over i = 1 to all. `risks`: 0 (right) to 1 (wrong). Among questions
    of one confidence the order is random, and the area the expected one. Less is better.
    """
    order = np.argsort(-confidences, kind="stable")
    levels = np.flatnonzero(np.diff(-confidences[order], prepend=-np.inf) > 0)
    counts = np.add.reduceat(weights[:, order], levels, axis=1)
    lost = np.add.reduceat((weights * risks)[:, order], levels, axis=1)
    before, lost_before = np.cumsum(counts, axis=1) - counts, np.cumsum(lost, axis=1) - lost
    # Of the j-th of m of one confidence, the mean risk is (lost_before + lost * j / m) / (before + j): summed over j.
    total = counts.sum(axis=1)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, total.max() + 1))])
    reciprocals = harmonic[_whole(before + counts)] - harmonic[_whole(before)]
    areas = lost_before * reciprocals + lost / np.maximum(counts, 1) * (
        counts - before * reciprocals
    )
    return _divided(areas.sum(axis=1), total)


def calibration_error(weights: Floats, confidences: Floats, answerable: Floats) -> Floats:
    """How far confidence is from the share of questions that are answerable; 0 to 1, less is better.

    Expected calibration error over ten bins of equal width (Guo et al. 2017); `answerable` is 0 or 1.
    """
    gaps = np.zeros((len(confidences), BINS))
    gaps[np.arange(len(confidences)), [bin_of(value) for value in confidences]] = (
        answerable - confidences
    )
    return _divided(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def bin_of(value: float) -> int:
    """The bin of a confidence, 0 to 9; 1 is in the last one."""
    return min(int(value * BINS), BINS - 1)


def mean(weights: Floats, values: Floats) -> Floats:
    """The mean of values of any size."""
    return _divided(weights @ values, weights.sum(axis=1))


def _whole(counts: Floats) -> NDArray[np.int64]:
    return np.rint(counts).astype(np.int64)


def _divided(figures: Floats, by: Floats) -> Floats:
    """NaN where it is by 0."""
    return np.divide(figures, by, out=np.full_like(figures, np.nan), where=by > 0)
