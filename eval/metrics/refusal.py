"""Refusals: whether the bot answers what the documents answer, and only that.

As a decision, refusing is the positive class and a question that is not answerable is what it is to find:
`rightly_refused` is its recall, and precision and F1 are figures of a set (`eval.summary`).
"""

from math import isfinite

from eval.metrics.answers import first_sentence_right
from eval.metrics.example import Example


def answered(example: Example) -> float:
    """Whether the question was answered rather than refused, rightly or not (coverage)."""
    return float(not example.answer.abstained)


def wrongly_refused(example: Example) -> float | None:
    """Whether an answerable question was refused. Less is better."""
    return float(example.answer.abstained) if example.question.answerable else None


def rightly_refused(example: Example) -> float | None:
    """Whether a question that is not answerable was refused (the NoAns accuracy of Rajpurkar et al. 2018)."""
    return None if example.question.answerable else float(example.answer.abstained)


def refusal_accuracy(example: Example) -> float:
    """Whether it was right to refuse, or right to answer, whatever the answer says."""
    return float(example.answer.abstained != example.question.answerable)


def answered_right(example: Example) -> float | None:
    """The total: the first sentence right where there is an answer, a refusal where there is none."""
    return (
        first_sentence_right(example)
        if example.question.answerable
        else float(example.answer.abstained)
    )


def confidence(example: Example) -> float | None:
    """The answer's confidence, of refusals too; `eval.metrics.aggregate` measures it over a set."""
    return example.answer.confidence if isfinite(example.answer.confidence) else None
