"""Refusal metrics: whether the bot answers what the documents answer, and only that.

Refusing is the positive class: the questions to be found are those that are not answerable. So
`rightly_refused` is recall; precision and F1 are metrics of a set.
"""

from functools import partial

from eval.metrics.answers import first_sentence_has_answer, first_sentence_right
from eval.metrics.example import Example
from eval.metrics.metric import Metric
from eval.metrics.sample import Sample, divided
from eval.run_schema import Estimate
from eval.stats.intervals import Floats


def answered_right(example: Example) -> float | None:
    """Returns whether the first sentence is right, or an unanswerable question was refused."""
    if not example.question.answerable:
        return float(example.answer.abstained)
    # The first sentence is what a person reads and believes.
    if example.gold:
        return first_sentence_right(example)
    return first_sentence_has_answer(example)


def wrongly_refused(example: Example) -> float | None:
    """Returns whether an answerable question was refused."""
    return float(example.answer.abstained) if example.question.answerable else None


def rightly_refused(example: Example) -> float | None:
    """Returns whether a question that is not answerable was refused (recall)."""
    return None if example.question.answerable else float(example.answer.abstained)


def refusal_accuracy(example: Example) -> float:
    """Returns whether the decision to refuse or to answer was right, whatever the answer says."""
    return float(example.answer.abstained != example.question.answerable)


def refusal_precision(sample: Sample) -> Estimate:
    """Returns the share of the refused questions that are not answerable."""
    refused = sample.with_scores("answered").where(lambda question: question.refused)
    return refused.mean(1 - refused.answerable)


def refusal_f1(sample: Sample) -> Estimate:
    """Returns the F1 of refusing; no value if nothing is refused or should be refused."""
    scored = sample.with_scores("answered")
    statistic = partial(
        weighted_refusal_f1, refused=scored.refused, unanswerable=1 - scored.answerable
    )
    return scored.bootstrapped(statistic)


def weighted_refusal_f1(weights: Floats, refused: Floats, unanswerable: Floats) -> Floats:
    """Returns the F1 for each row of weights, NaN where nothing is refused or to be refused.

    `weights` has shape (resamples, questions), the others (questions,), each 0 or 1.
    """
    rightly_refused = weights @ (refused * unanswerable)
    return divided(2 * rightly_refused, weights @ refused + weights @ unanswerable)


METRICS = (
    Metric(
        name="answered_right",
        label="answered right",
        section="Refusals",
        score=answered_right,
    ),
    Metric(
        name="wrongly_refused",
        label="wrongly refused",
        section="Refusals",
        score=wrongly_refused,
        better="lower",
    ),
    Metric(
        name="rightly_refused",
        label="rightly refused",
        section="Refusals",
        score=rightly_refused,
        paper="Rajpurkar et al. 2018 (NoAns)",
    ),
    Metric(
        name="refusal_accuracy",
        label="refusal accuracy",
        section="Refusals",
        score=refusal_accuracy,
    ),
    Metric(
        name="refusal_precision",
        label="refusal precision",
        section="Refusals",
        set_score=refusal_precision,
    ),
    Metric(
        name="refusal_f1",
        label="refusal F1",
        section="Refusals",
        set_score=refusal_f1,
    ),
)
