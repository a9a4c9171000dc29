"""Measures fitted weights by source, with 95% bootstrap intervals over questions."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from qa.reader.features import CROSS_ENCODER_FEATURES, FEATURE_NAMES
from qa.reader.reader import Weights
from qa.training.cases import FitCase, Labels
from qa.training.fit import fit_weights

SEED = 20
RESAMPLES = 1000
CONFIDENCE_BINS = 10
_log = logging.getLogger(__name__)

Cases = Sequence[FitCase]
JsonObject = dict[str, Any]
Values = NDArray[np.float64]
Indexes = NDArray[np.intp]
"""Which questions a metric is computed over; resampling draws some of them twice."""


def metrics_by_source(cases: Cases, weights: Weights) -> JsonObject:
    """Returns, by source, how often the right sentence comes first, and the AUROC of confidence.

    A right sentence that was not read counts as wrong. The AUROC is that of answerable questions
    against the others.
    """
    metrics: JsonObject = {}
    for source, rows in _by_source(cases).items():
        is_first = []
        is_read = []
        for case in rows:
            if not case.answered:
                continue
            scores = weights.scores(case.rows)
            best = np.argmax(scores)
            is_first.append(case.right[best])
            is_read.append(case.right.any())
        first_share = partial(_mean, np.array(is_first))

        # Without an unanswerable question there is nothing to tell apart.
        answered = _answered(rows)
        auroc = None
        if not answered.all():
            confidences = _confidences(rows, weights)
            auroc_metric = partial(_auroc, answered, confidences)
            auroc = _interval(auroc_metric, len(rows))

        answerable = int(answered.sum())
        metrics[source] = {
            "answerable": answerable,
            "unanswerable": len(rows) - answerable,
            "read": float(np.mean(is_read)),
            "right sentence first": _interval(first_share, len(is_first)),
            "AUROC": auroc,
        }
        _log.info("%s: %s", source, metrics[source])
    return metrics


def feature_ablations(fitted: Cases, reported: Cases, weights: Weights) -> JsonObject:
    """Returns the metrics with all features, without the cross-encoder's, and with those alone.

    A feature that is left out is 0 in every row. Without the cross-encoder the confidence is the
    same for every question.
    """
    of_cross_encoder = np.isin(FEATURE_NAMES, sorted(CROSS_ENCODER_FEATURES))
    columns_of = {
        "without the cross-encoder": ~of_cross_encoder,
        "cross-encoder alone": of_cross_encoder,
    }

    metrics = {"all features": metrics_by_source(reported, weights)}
    for name, columns in columns_of.items():
        # Other features need weights of their own.
        fewer_fitted = _with_columns(fitted, columns)
        refitted = Weights.from_json(fit_weights(fewer_fitted))
        fewer_reported = _with_columns(reported, columns)
        metrics[name] = metrics_by_source(fewer_reported, refitted)
    return metrics


def calibration(cases: Cases, weights: Weights) -> JsonObject:
    """Returns, by source, the expected calibration error (Guo et al. 2017), from 0 to 1.

    Of the fitted confidence, and of the cross-encoder's best margin alone. Sources without
    unanswerable questions are left out.
    """
    errors: JsonObject = {}
    for source, rows in _by_source(cases).items():
        answered = _answered(rows)
        if answered.all():
            continue

        confidences = _confidences(rows, weights)
        fitted_error = partial(_calibration_error, answered, confidences)
        # A margin is in log-odds; expit makes a probability of it.
        margins = expit(_best_margins(rows))
        margin_error = partial(_calibration_error, answered, margins)
        errors[source] = {
            "fitted": _interval(fitted_error, len(rows)),
            "margin alone": _interval(margin_error, len(rows)),
        }
    return errors


def _by_source(cases: Cases) -> Mapping[str, Cases]:
    cases_of = defaultdict(list)
    for case in cases:
        cases_of[case.source].append(case)
    return cases_of


def _with_columns(cases: Cases, columns: Labels) -> list[FitCase]:
    """Returns the cases with 0 for all but some of their features."""
    reduced = []
    for case in cases:
        rows = np.where(columns, case.rows, 0.0)
        reduced.append(replace(case, rows=rows))
    return reduced


def _answered(cases: Cases) -> Labels:
    answered = [case.answered for case in cases]
    return np.array(answered)


def _confidences(cases: Cases, weights: Weights) -> Values:
    confidences = []
    for case in cases:
        scores = weights.scores(case.rows)
        confidences.append(weights.confidence(case.rows, scores))
    return np.array(confidences)


def _best_margins(cases: Cases) -> Values:
    """Returns the cross-encoder's highest margin over "not here" in each case."""
    column = FEATURE_NAMES.index("sentence_margin")
    margins = []
    for case in cases:
        case_margins = case.rows[:, column]
        margins.append(case_margins.max())
    return np.array(margins)


def _calibration_error(answered: Labels, confidences: Values, indexes: Indexes) -> float:
    chosen = confidences[indexes]
    bins = (chosen * CONFIDENCE_BINS).astype(int)
    # A confidence of exactly 1 belongs to the last bin.
    bins = np.minimum(bins, CONFIDENCE_BINS - 1)
    gaps = answered[indexes] - chosen
    gap_of_bin = np.bincount(bins, weights=gaps, minlength=CONFIDENCE_BINS)
    total_gap = np.abs(gap_of_bin).sum()
    return float(total_gap / len(indexes))


def _mean(values: Labels, indexes: Indexes) -> float:
    return float(values[indexes].mean())


def _auroc(answered: Labels, confidences: Values, indexes: Indexes) -> float:
    return float(roc_auc_score(answered[indexes], confidences[indexes]))


def _interval(metric: Callable[[Indexes], float], size: int) -> list[float]:
    """Returns the metric's value, and the lower and upper end of its interval."""
    rng = np.random.default_rng(SEED)
    resampled = []
    for _ in range(RESAMPLES):
        indexes = rng.integers(0, size, size)
        resampled.append(metric(indexes))

    # A resample of few unanswerable questions may have none, and then no AUROC.
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    every_index = np.arange(size)
    value = metric(every_index)
    return [round(float(number), 4) for number in (value, low, high)]
