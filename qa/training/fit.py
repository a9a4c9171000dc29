"""Fits the weights that combine the features, on questions the cross-encoder was not trained on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from qa.reader.features import FEATURE_NAMES, Row
from qa.reader.reader import reading_features
from qa.training.cases import FitCase, Labels, Rows

RANKING_PENALTY = 1e-3
"""L2 penalty of the ranking weights."""
CONFIDENCE_INVERSE_PENALTY = 0.1
MIN_SPREAD = 1e-4
"""A feature that varies less is not scaled."""


def fit_weights(cases: Sequence[FitCase]) -> dict[str, Any]:
    """Returns the weights as JSON, which `Weights.from_json` reads.

    Two linear models on standardised features: which sentence answers, and whether any does.
    """
    rows, right = [], []
    for case in cases:
        if case.right.any():
            rows.append(case.rows)
            right.append(case.right)
    every_row = np.concatenate(rows)
    mean = every_row.mean(axis=0)
    scale = _scale(every_row)
    rank = _conditional_logit(
        (every_row - mean) / scale,
        np.concatenate(right),
        list(map(len, rows)),
    )

    readings, answered = [], []
    for case in cases:
        scores = ((case.rows - mean) / scale) @ rank
        readings.append(reading_features(case.rows, scores))
        answered.append(case.answered)
    features = np.stack(readings)
    sure_mean = features.mean(axis=0)
    sure_scale = _scale(features)
    model = LogisticRegression(
        C=CONFIDENCE_INVERSE_PENALTY,
        max_iter=2000,
        class_weight="balanced",
    )
    model.fit((features - sure_mean) / sure_scale, answered)

    return {
        "signals": list(FEATURE_NAMES),
        "rank_mean": _rounded(mean),
        "rank_scale": _rounded(scale),
        "rank": _rounded(rank),
        "sure_mean": _rounded(sure_mean),
        "sure_scale": _rounded(sure_scale),
        "sure": _rounded(model.coef_[0]),
        "sure_bias": round(float(model.intercept_[0]), 6),
    }


def _scale(rows: Rows) -> Row:
    """Returns the standard deviation of each column; 1 for a column that is constant."""
    spread = np.asarray(rows.std(axis=0))
    return np.where(spread < MIN_SPREAD, 1.0, spread)


def _rounded(values: Row) -> list[float]:
    return [round(float(value), 6) for value in values]


def _conditional_logit(rows: Rows, labels: Labels, sizes: Sequence[int]) -> Row:
    """Returns weights that give the right sentences of each case most probability.

    The rows of all cases follow each other; `sizes` has how many each case has. The probability is
    a softmax over the sentences of a case (McFadden 1974).
    """
    right = labels.astype(float)
    begins = np.cumsum([0, *sizes[:-1]])

    def loss_and_gradient(weights: Row) -> tuple[float, Row]:
        scores = rows @ weights
        # The highest score of a case is taken off, so that no exponential overflows.
        highest = np.repeat(np.maximum.reduceat(scores, begins), sizes)
        odds = np.exp(scores - highest)
        total = np.add.reduceat(odds, begins)
        total_right = np.add.reduceat(odds * right, begins)

        log_likelihood = np.log(total_right + 1e-12) - np.log(total)
        penalty = RANKING_PENALTY * weights @ weights
        loss = -log_likelihood.mean() + penalty
        slope = odds / np.repeat(total, sizes)
        slope -= odds * right / np.repeat(total_right + 1e-12, sizes)
        gradient = rows.T @ slope / len(sizes)
        gradient += 2 * RANKING_PENALTY * weights
        return float(loss), gradient

    start = np.zeros(rows.shape[1])
    result = minimize(
        loss_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
    )
    return np.asarray(result.x)
