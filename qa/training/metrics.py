"""Measures fitted weights by source, with 95% bootstrap intervals over questions."""

import logging
from collections.abc import Callable, Iterator, Sequence
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

Values = NDArray[np.float64]
Places = NDArray[np.intp]
"""Which questions a metric is computed over; resampling draws some of them twice."""


def metrics_by_source(cases: Sequence[FitCase], weights: Weights) -> dict[str, Any]:
    """Returns, by source, how often the right sentence comes first, and the AUROC of confidence.

    A right sentence that was not read counts as wrong. The AUROC is that of answerable questions
    against the others.
    """
    metrics: dict[str, Any] = {}
    for source, rows in _by_source(cases):
        answered = _answered(rows)
        confidences = _confidences(rows, weights)
        is_first, is_read = [], []
        for case in rows:
            if case.answered:
                best = np.argmax(weights.scores(case.rows))
                is_first.append(case.right[best])
                is_read.append(case.right.any())
        first = partial(_mean, np.array(is_first))

        auroc = None
        if not answered.all():
            auroc = _interval(partial(_auroc, answered, confidences), len(rows))
        metrics[source] = {
            "answerable": int(answered.sum()),
            "unanswerable": int((~answered).sum()),
            "read": float(np.mean(is_read)),
            "right sentence first": _interval(first, len(is_first)),
            "AUROC": auroc,
        }
        _log.info("%s: %s", source, metrics[source])
    return metrics


def feature_ablations(
    fitted: Sequence[FitCase], reported: Sequence[FitCase], weights: Weights
) -> dict[str, Any]:
    """Returns the metrics with all features, without the cross-encoder's, and with those alone."""
    alone = np.isin(FEATURE_NAMES, sorted(CROSS_ENCODER_FEATURES))
    metrics = {"all signals": metrics_by_source(reported, weights)}
    for name, columns in (("without the cross-encoder", ~alone), ("cross-encoder alone", alone)):
        refitted = fit_weights(_with_columns(fitted, columns))
        metrics[name] = metrics_by_source(
            _with_columns(reported, columns),
            Weights.from_json(refitted),
        )
    return metrics


def calibration(cases: Sequence[FitCase], weights: Weights) -> dict[str, Any]:
    """Returns, by source, the expected calibration error (Guo et al. 2017), from 0 to 1.

    Of the fitted confidence, and of the cross-encoder's best margin alone. Sources without
    unanswerable questions are left out.
    """
    errors: dict[str, Any] = {}
    for source, rows in _by_source(cases):
        answered = _answered(rows)
        if answered.all():
            continue
        confidences = {
            "fitted": _confidences(rows, weights),
            "margin alone": expit(_best_margins(rows)),
        }
        errors[source] = {}
        for name, values in confidences.items():
            error = partial(_calibration_error, answered, values)
            errors[source][name] = _interval(error, len(rows))
    return errors


def _by_source(cases: Sequence[FitCase]) -> Iterator[tuple[str, list[FitCase]]]:
    for source in dict.fromkeys(case.source for case in cases):
        yield source, [case for case in cases if case.source == source]


def _with_columns(cases: Sequence[FitCase], columns: Labels) -> list[FitCase]:
    """Returns the cases with some of their features only."""
    return [replace(case, rows=case.rows[:, columns]) for case in cases]


def _answered(cases: Sequence[FitCase]) -> Labels:
    return np.array([case.answered for case in cases])


def _confidences(cases: Sequence[FitCase], weights: Weights) -> Values:
    confidences = []
    for case in cases:
        scores = weights.scores(case.rows)
        confidences.append(weights.confidence(case.rows, scores))
    return np.array(confidences)


def _best_margins(cases: Sequence[FitCase]) -> Values:
    """Returns the cross-encoder's highest margin over "not here" in each case."""
    column = FEATURE_NAMES.index("pointed")
    return np.array([case.rows[:, column].max() for case in cases])


def _calibration_error(answered: Labels, confidences: Values, places: Places) -> float:
    chosen = confidences[places]
    bins = np.minimum((chosen * CONFIDENCE_BINS).astype(int), CONFIDENCE_BINS - 1)
    gaps = np.bincount(bins, weights=answered[places] - chosen, minlength=CONFIDENCE_BINS)
    return float(np.abs(gaps).sum() / len(places))


def _mean(values: Labels, places: Places) -> float:
    return float(values[places].mean())


def _auroc(answered: Labels, confidences: Values, places: Places) -> float:
    return float(roc_auc_score(answered[places], confidences[places]))


def _interval(metric: Callable[[Places], float], size: int) -> list[float]:
    """Returns the metric's value, and the lower and upper end of its interval."""
    rng = np.random.default_rng(SEED)
    resampled = [metric(rng.integers(0, size, size)) for _ in range(RESAMPLES)]
    low, high = np.percentile(resampled, [2.5, 97.5])
    value = metric(np.arange(size))
    return [round(float(number), 4) for number in (value, low, high)]
