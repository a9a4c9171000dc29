"""Fits the weights that combine the features, on questions the cross-encoder was not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
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
ORDINARY_SHARE = 0.75
"""The weight of the fit that has ordinary documents too. Chosen on the development splits: with all
of the weight, near misses over news are answered more often; with none, rows and items refused."""
MIN_SPREAD = 1e-4
"""A feature that varies less is not scaled."""


def fit_weights(cases: Sequence[FitCase], ordinary: Sequence[FitCase] = ()) -> dict[str, Any]:
    """Returns the weights as JSON, which `Weights.from_json` reads.

    Two linear models on standardised features: which sentence answers, and whether any does. Which
    is fitted on `cases` alone. Whether is the weighted mean of two fits: on `cases`, and on these
    with `ordinary`, questions over tables, lists and notes.
    """
    rows = []
    right = []
    sizes = []
    for case in cases:
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

    def readings(of_cases: Sequence[FitCase]) -> Rows:
        features = []
        for case in of_cases:
            scores = ((case.rows - mean) / scale) @ rank
            features.append(reading_features(case.rows, scores))
        return np.stack(features)

    sure = _logistic(readings(cases), cases)
    if ordinary:
        both = [*cases, *ordinary]
        sure = sure.blended(_logistic(readings(both), both), ORDINARY_SHARE)
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

    def blended(self, second: "_Logistic", share: float) -> "_Logistic":
        """Returns the model whose log-odds are the mean of both, `share` of them the second's."""
        own_share = 1 - share
        # This model's weights, in the second's standardised features.
        weights = self.weights * second.scale / self.scale
        shift = (second.mean - self.mean) / self.scale
        bias = self.bias + float(self.weights @ shift)
        return _Logistic(
            mean=second.mean,
            scale=second.scale,
            weights=own_share * weights + share * second.weights,
            bias=own_share * bias + share * second.bias,
        )


def _logistic(features: Rows, cases: Sequence[FitCase]) -> _Logistic:
    """Returns the model of whether the documents answer, fitted on the features of readings."""
    mean = features.mean(axis=0)
    scale = _scale(features)
    model = LogisticRegression(
        C=CONFIDENCE_INVERSE_PENALTY,
        max_iter=2000,
        # The share of unanswerable questions in the sets is not that of a person's questions.
        class_weight="balanced",
    )
    answered = [case.answered for case in cases]
    model.fit((features - mean) / scale, answered)
    return _Logistic(mean, scale, model.coef_[0], float(model.intercept_[0]))


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
