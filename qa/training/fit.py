"""Fits the weights that combine the features, on questions the cross-encoder was not trained on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from qa.reader.features import FEATURE_NAMES, Row, reading_features
from qa.training.cases import FitCase, Labels, Rows

RANKING_PENALTY = 1e-3
"""L2 penalty of the ranking weights."""
CONFIDENCE_INVERSE_PENALTY = 0.1
PRIOR = 0.6
"""The share of a person's questions that the documents answer, as the confidence assumes.

Not measured: chosen so that the default threshold answers about as many questions as before.
"""
MIN_SPREAD = 1e-4
"""A feature that varies less is not scaled."""


def fit_weights(prose: Sequence[FitCase], ordinary: Sequence[FitCase] = ()) -> dict[str, Any]:
    """Returns the weights as JSON, which `Weights.from_json` reads.

    Two linear models on standardised features: which sentence answers, and whether any does. Which
    is fitted on questions over prose alone, whether also on those over tables, lists and notes.
    """
    rows = []
    right = []
    sizes = []
    for case in prose:
        # A case without a right sentence says nothing about their order.
        if case.right.any():
            rows.append(case.rows)
            right.append(case.right)
            sizes.append(len(case.rows))
    every_row = np.concatenate(rows)
    mean = every_row.mean(axis=0)
    scale = _scale(every_row)
    standardised = (every_row - mean) / scale
    rank = _conditional_logit(standardised, np.concatenate(right), sizes)

    readings = []
    answered = []
    for case in [*prose, *ordinary]:
        scores = ((case.rows - mean) / scale) @ rank
        readings.append(reading_features(case.rows, scores))
        answered.append(case.answered)
    sure = _logistic(np.stack(readings), answered)
    return {
        "features": list(FEATURE_NAMES),
        "rank_mean": _rounded(mean),
        "rank_scale": _rounded(scale),
        "rank": _rounded(rank),
        "sure_mean": _rounded(sure.mean),
        "sure_scale": _rounded(sure.scale),
        "sure": _rounded(sure.weights),
        "sure_bias": round(sure.bias, 6),
    }


@dataclass(frozen=True, slots=True)
class _Logistic:
    """A logistic regression over standardised features."""

    mean: Row
    scale: Row
    weights: Row
    bias: float


def _logistic(features: Rows, answered: Sequence[bool]) -> _Logistic:
    """Returns the model of whether the documents answer, fitted on the features of readings."""
    mean = features.mean(axis=0)
    scale = _scale(features)
    model = LogisticRegression(
        C=CONFIDENCE_INVERSE_PENALTY,
        max_iter=2000,
        # The share of unanswerable questions in the sets is not that of a person's questions.
        class_weight="balanced",
    )
    model.fit((features - mean) / scale, answered)
    bias = float(model.intercept_[0]) + math.log(PRIOR / (1 - PRIOR))
    return _Logistic(mean, scale, model.coef_[0], bias)


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
        highest = np.maximum.reduceat(scores, begins)
        odds = np.exp(scores - np.repeat(highest, sizes))
        right_odds = odds * right
        total = np.add.reduceat(odds, begins)
        total_right = np.add.reduceat(right_odds, begins)

        # Never zero, also where the odds of all right sentences underflow.
        total_right = total_right + 1e-12
        log_likelihood = np.log(total_right) - np.log(total)
        penalty = RANKING_PENALTY * weights @ weights
        loss = -log_likelihood.mean() + penalty

        slope = odds / np.repeat(total, sizes)
        slope -= right_odds / np.repeat(total_right, sizes)
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
