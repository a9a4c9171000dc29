"""Chooses the refusal threshold on runs that refused nothing.

A wrong answer counts as two refusals: it is what people mind most. Asked of a question that the
documents do not answer, any answer is wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from eval.run_schema import Run, Scores
from qa.errors import FootnoteError

WRONG_ANSWER = 2.0
"""How many refusals of an answerable question a wrong answer counts."""


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """The confidence of an answer, and whether its first sentence is right.

    `right` is None if the documents do not answer the question.
    """

    confidence: float
    right: bool | None


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """What a threshold would lead to, as shares from 0 to 1."""

    threshold: float
    answered_right: float
    """Of the answerable questions, those answered with the first sentence right."""
    wrongly_refused: float
    """Of the answerable questions, those refused."""
    rightly_refused: float
    """Of the questions that are not answerable, those refused."""

    @property
    def answered_wrong(self) -> float:
        """Of the answerable questions, those answered with another sentence first."""
        return 1 - self.answered_right - self.wrongly_refused

    @property
    def cost(self) -> float:
        """The refusals that the mistakes are worth, a question: each kind of question is half."""
        of_answerable = WRONG_ANSWER * self.answered_wrong + self.wrongly_refused
        of_unanswerable = WRONG_ANSWER * (1 - self.rightly_refused)
        return (of_answerable + of_unanswerable) / 2


def threshold_results(answers: Sequence[ScoredAnswer]) -> list[ThresholdResult]:
    """Returns the result of a threshold between any two neighbouring confidences, lowest first.

    Raises FootnoteError if all or none of the questions are answerable.
    """
    answerable: list[ScoredAnswer] = []
    unanswerable: list[ScoredAnswer] = []
    for answer in answers:
        side = unanswerable if answer.right is None else answerable
        side.append(answer)
    if not answerable or not unanswerable:
        raise FootnoteError(
            "A threshold needs questions that the documents answer and some that they do not."
        )
    confidences = {answer.confidence for answer in answers}
    results = []
    for low, high in pairwise(sorted({0.0, 1.0, *confidences})):
        # A threshold between the two refuses whatever has less confidence than the higher.
        rightly_answered = 0
        for answer in answerable:
            rightly_answered += bool(answer.right) and answer.confidence >= high
        result = ThresholdResult(
            threshold=(low + high) / 2,
            answered_right=rightly_answered / len(answerable),
            wrongly_refused=_share_below(high, answerable),
            rightly_refused=_share_below(high, unanswerable),
        )
        results.append(result)
    return results


def best(results: Sequence[ThresholdResult]) -> ThresholdResult:
    """Returns the result with the lowest cost; of equals the middle one."""
    lowest = min(result.cost for result in results)
    # The middle of the best range is safest for other questions.
    top = [result for result in results if math.isclose(result.cost, lowest)]
    middle = len(top) // 2
    return top[middle]


def scored_answers(run: Run) -> list[ScoredAnswer]:
    """Returns the answers of a run over the development split.

    Raises FootnoteError for a run that may have refused questions, or that asked questions of the
    test split: a threshold must not be chosen on the questions that it is reported on.
    """
    if run.provenance.settings.get("threshold") != 0:
        raise FootnoteError(
            f"{run.folder} may have refused questions. Make a run with --threshold 0."
        )
    if run.provenance.questions.split != "dev":
        raise FootnoteError(
            f"{run.folder} includes the test split. Make a run with --split dev --threshold 0."
        )
    answers = []
    for scores in run.scores.values():
        answer = _scored_answer(scores)
        if answer is not None:
            answers.append(answer)
    return answers


def _scored_answer(scores: Scores) -> ScoredAnswer | None:
    """Returns None if it is not known what would be right, as without gold quotes and answers."""
    confidence = scores.get("confidence")
    right = scores.get("first_sentence_right")
    is_answerable = scores.get("rightly_refused") is None
    if right is None and is_answerable:
        # Without gold quotes, the accepted answers decide.
        right = scores.get("answered_right")
    is_known = right is not None or not is_answerable
    if confidence is None or not is_known:
        return None
    return ScoredAnswer(confidence, None if right is None else right == 1)


def _share_below(confidence: float, answers: Sequence[ScoredAnswer]) -> float:
    below = sum(answer.confidence < confidence for answer in answers)
    return below / len(answers)
