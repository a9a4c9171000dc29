"""Fits the weights by which `qa.answer.decision` chooses between the two engines.

The runs had a language model and refused nothing (`--threshold 0`), so that each answer is known to
be right or wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eval.run_schema import Result, Run
from qa.answer.decision import DecisionWeights, inputs
from qa.errors import FootnoteError
from qa.types import Signals

PENALTY = 1.0
"""The inverse of the strength of the L2 penalty: weights of few answers stay small."""
MIN_ANSWERS = 20
"""Answers, right and wrong, below which weights would mean nothing."""


@dataclass(frozen=True, slots=True)
class AnswerWithSignals:
    """The signals of an answer, and whether it was right."""

    signals: Signals
    right: bool


@dataclass(frozen=True, slots=True)
class FittedWeights:
    """Weights with the answers that they were fitted on."""

    weights: DecisionWeights
    answers: int
    right: int


def judged_answers(run: Run, results: Iterable[Result]) -> list[AnswerWithSignals]:
    """Returns the answers of a run that have signals, each right or wrong.

    An answer is right if it contains an accepted answer; to a question that the documents do not
    answer, none is. Raises FootnoteError for a run that may have refused questions.
    """
    if run.provenance.settings.get("threshold") != 0:
        raise FootnoteError(
            f"{run.folder} may have refused questions. Make a run with --threshold 0."
        )
    answers = []
    for result in results:
        scores = run.scores.get(result.id)
        if scores is None or result.signals is None:
            continue
        contains = scores.get("contains_answer")
        answerable = scores.get("rightly_refused") is None
        if answerable and contains is None:
            continue
        answers.append(AnswerWithSignals(result.signals, contains == 1))
    return answers


def fit(answers: Sequence[AnswerWithSignals]) -> FittedWeights:
    """Returns the weights for answers of one kind: of the model, or of the reader.

    Raises FootnoteError for too few answers, or if all or none of them are right.
    """
    from sklearn.linear_model import LogisticRegression  # takes a second to import

    right = [answer.right for answer in answers]
    if len(right) < MIN_ANSWERS or len(set(right)) < 2:
        raise FootnoteError(
            f"{len(right)} answers, {sum(right)} of them right, are too few for weights. "
            f"At least {MIN_ANSWERS} answers are needed, right ones and wrong ones."
        )
    rows = np.array([inputs(answer.signals) for answer in answers])
    model = LogisticRegression(C=PENALTY).fit(rows, right)
    reader, support, agrees = model.coef_[0]
    weights = DecisionWeights(
        bias=float(model.intercept_[0]),
        reader=float(reader),
        support=float(support),
        agrees=float(agrees),
    )
    return FittedWeights(weights, len(right), sum(right))
