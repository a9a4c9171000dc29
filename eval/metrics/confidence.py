"""Confidence metrics: whether the bot is surer of what it should answer, and of what it gets right.

Confidence is that of the answer, of refusals too. The metrics of a set are computed for many
resamples at once: `weights`, shape (resamples, questions), says how often each resample has each
question (whole numbers from 0); the other arrays have shape (questions,).
"""

from collections.abc import Sequence
from functools import partial
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from eval.metrics.example import Example
from eval.metrics.metric import Metric
from eval.metrics.sample import Sample, divided
from eval.run_schema import Estimate
from eval.stats.intervals import Floats, auroc_interval

BINS = 10
"""Bins of equal width between confidence 0 and 1."""


def answered(example: Example) -> float:
    """Returns whether the question was answered rather than refused, rightly or not (coverage)."""
    return float(not example.answer.abstained)


def confidence(example: Example) -> float | None:
    """Returns the confidence of the answer, from 0 to 1."""
    value = example.answer.confidence
    return value if isfinite(value) else None


def confidence_auroc(sample: Sample) -> Estimate:
    """Returns how often an answerable question has more confidence than one that is not.

    Ties count half. The value is missing if all or none of the questions are answerable.
    """
    scored = sample.with_scores("confidence")
    answerable = scored.where(lambda question: question.answerable)
    unanswerable = scored.where(lambda question: not question.answerable)
    # The interval takes the clusters of the positive values first.
    ordered = Sample(
        [*answerable.questions, *unanswerable.questions],
        scored.group_size,
    )

    positive = answerable.values("confidence").tolist()
    negative = unanswerable.values("confidence").tolist()
    value = auroc(positive, negative)
    if value is None:
        return ordered.estimate(None, None, n=0)
    interval = auroc_interval(positive, negative, ordered.clusters)
    return ordered.estimate(value, interval)


def risk_coverage(sample: Sample) -> Estimate:
    """Returns the area under the risk-coverage curve (AURC) of the answered questions.

    The risk is the share of wrong answers (not `answered_right`) among the i most confident ones;
    the area is its mean over i. What a refused question would have said is not known.
    """
    scored = sample.with_scores("confidence", "answered", "answered_right")
    answers = scored.where(lambda question: not question.refused)
    statistic = partial(
        weighted_risk_coverage,
        confidences=answers.values("confidence"),
        risks=1 - answers.values("answered_right"),
    )
    return answers.bootstrapped(statistic)


def calibration_error(sample: Sample) -> Estimate:
    """Returns how far confidence is from the share of answerable questions (ECE, ten bins)."""
    scored = sample.with_scores("confidence")
    statistic = partial(
        weighted_calibration_error,
        confidences=scored.values("confidence"),
        answerable=scored.answerable,
    )
    return scored.bootstrapped(statistic)


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Returns the area under the ROC curve; None if one of the classes is empty."""
    if not positive or not negative:
        return None
    from sklearn.metrics import roc_auc_score  # takes a second to import

    classes = [1] * len(positive) + [0] * len(negative)
    return float(roc_auc_score(classes, [*positive, *negative]))


def weighted_risk_coverage(weights: Floats, confidences: Floats, risks: Floats) -> Floats:
    """Returns the area under the risk-coverage curve for each row of weights.

    `risks` is from 0 (right) to 1 (wrong). Questions of equal confidence are in random order, and
    the area is the expected one.
    """
    # The most confident questions first; a level is all questions of one confidence.
    order = np.argsort(-confidences, kind="stable")
    descending = -confidences[order]
    steps = np.diff(descending, prepend=-np.inf)
    level_starts = np.flatnonzero(steps > 0)

    weighted_risks = weights * risks
    counts = np.add.reduceat(weights[:, order], level_starts, axis=1)
    losses = np.add.reduceat(weighted_risks[:, order], level_starts, axis=1)
    counts_so_far = np.cumsum(counts, axis=1)
    counts_before = counts_so_far - counts
    losses_before = np.cumsum(losses, axis=1) - losses

    # The j-th of m questions of one confidence adds the expected mean risk
    # (losses_before + losses * j / m) / (counts_before + j). Summed over j, that is a difference
    # of harmonic numbers.
    total = counts.sum(axis=1)
    harmonic = _harmonic_numbers(total.max())
    reciprocals = harmonic[_whole(counts_so_far)] - harmonic[_whole(counts_before)]

    loss_per_question = losses / np.maximum(counts, 1)
    growing_losses = counts - counts_before * reciprocals
    areas = losses_before * reciprocals + loss_per_question * growing_losses
    return divided(areas.sum(axis=1), total)


def _harmonic_numbers(largest: float) -> Floats:
    """Returns the sums of 1/1 to 1/n for n from 0 to `largest`."""
    reciprocals = 1 / np.arange(1, largest + 1)
    sums = np.cumsum(reciprocals)
    return np.concatenate([[0.0], sums])


def weighted_calibration_error(weights: Floats, confidences: Floats, answerable: Floats) -> Floats:
    """Returns the expected calibration error, 0 to 1, for each row of weights.

    `answerable` is 0 or 1.
    """
    n = len(confidences)
    bins = [bin_of(value) for value in confidences]
    # A row for each question: its gap is in the column of its bin.
    gaps = np.zeros((n, BINS))
    gaps[np.arange(n), bins] = answerable - confidences

    gaps_of_bins = np.abs(weights @ gaps)
    total = weights.sum(axis=1)
    return divided(gaps_of_bins.sum(axis=1), total)


def bin_of(value: float) -> int:
    """Returns the bin of a confidence, 0 to 9; confidence 1 is in the last bin."""
    return min(int(value * BINS), BINS - 1)


def _whole(counts: Floats) -> NDArray[np.int64]:
    return np.rint(counts).astype(np.int64)


METRICS = (
    Metric(
        name="answered",
        label="answered",
        section="Confidence",
        score=answered,
        better="neither",
    ),
    Metric(
        name="confidence",
        label="confidence",
        section="Confidence",
        score=confidence,
        better="neither",
        in_summary=False,
    ),
    Metric(
        name="confidence_auroc",
        label="confidence AUROC",
        section="Confidence",
        set_score=confidence_auroc,
        paper="Hanley and McNeil 1982",
    ),
    Metric(
        name="risk_coverage",
        label="risk-coverage area",
        section="Confidence",
        set_score=risk_coverage,
        better="lower",
        paper="El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017",
    ),
    Metric(
        name="calibration_error",
        label="calibration error",
        section="Confidence",
        set_score=calibration_error,
        better="lower",
        paper="Guo et al. 2017",
    ),
)
