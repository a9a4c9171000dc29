"""What became of the questions, as figures: over all of them, by split and by kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from eval.dataset import Question
from eval.intervals import Interval, auroc_interval, bootstrap, calibration_interval, mean_interval
from eval.metrics import MEASURES, auroc, bin_of, calibration_error
from qa.types import Answer

By = Literal["overall", "split", "kind"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question with its answer and scores, or with the error that kept it from one."""

    question: Question
    answer: Answer | None = None
    error: str | None = None
    """The exception's type and message."""
    scores: Mapping[str, float | None] = field(default_factory=dict)
    """By measure (`metrics.MEASURES`); empty for an error."""

    @property
    def failed(self) -> bool:
        """Whether the person would not have been served: an error, or not `answered_right`."""
        return self.answer is None or self.scores["answered_right"] == 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure over the questions of a group. `n` of them have a value, `unscored` have none."""

    n: int
    unscored: int
    value: float | None
    low: float | None
    high: float | None

    def as_json(self) -> dict[str, Any]:
        return {"n": self.n, "unscored": self.unscored, "value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that belong together and their figures, by name, in the order of `LABELS`."""

    by: By
    name: str
    questions: int
    errors: int
    figures: Mapping[str, Figure]

    def as_json(self) -> dict[str, Any]:
        figures = {name: figure.as_json() for name, figure in self.figures.items()}
        return {"questions": self.questions, "errors": self.errors, "figures": figures}


LABELS = {
    "hit_at_1": "passage hit@1",
    "hit_at_3": "passage hit@3",
    "hit_at_5": "passage hit@5",
    "reciprocal_rank": "passage MRR",
    "contains_answer": "accepted answer",
    "first_sentence_right": "first sentence right",
    "answered_right": "answered right",
    "answered": "answered",
    "wrongly_refused": "wrongly refused",
    "rightly_refused": "rightly refused",
    "confidence_auroc": "confidence AUROC",
    "calibration_error": "calibration error",
    "citation_precision": "citation precision",
    "citation_recall": "citation recall",
    "quotes_exact": "quotes exact",
    "unsupported_sentences": "sentences not supported",
    "seconds_median": "seconds, median",
    "seconds_p95": "seconds, 95th percentile",
}
"""What people call each figure."""
LESS_IS_BETTER = frozenset(
    {"wrongly_refused", "calibration_error", "unsupported_sentences", "seconds_median", "seconds_p95"}
)


def groups(outcomes: Sequence[Outcome]) -> list[Group]:
    """All questions as one group, then those of each split, then those of each kind, in the order first met."""
    found = [_group("overall", "overall", outcomes)]
    for by, key in _KEYS:
        for name in dict.fromkeys(key(outcome.question) for outcome in outcomes):
            found.append(_group(by, name, [outcome for outcome in outcomes if key(outcome.question) == name]))
    return found


_KEYS: tuple[tuple[By, Callable[[Question], str]], ...] = (
    ("split", lambda question: question.split),
    ("kind", lambda question: question.kind),
)


def _group(by: By, name: str, outcomes: Sequence[Outcome]) -> Group:
    figures = {measure: _mean(_values(outcomes, measure), len(outcomes)) for measure in MEASURES if measure in LABELS}
    figures["confidence_auroc"] = _auroc(outcomes)
    figures["calibration_error"] = _calibration(outcomes)
    seconds = _values(outcomes, "seconds")
    for suffix, percentile in (("median", 50), ("p95", 95)):
        figures[f"seconds_{suffix}"] = _percentile(seconds, percentile, len(outcomes))
    errors = sum(outcome.error is not None for outcome in outcomes)
    return Group(by, name, len(outcomes), errors, {label: figures[label] for label in LABELS})


def _values(outcomes: Sequence[Outcome], measure: str) -> list[float]:
    """The values there are; the questions without one are missing."""
    return [value for outcome in outcomes if (value := outcome.scores.get(measure)) is not None]


def _mean(values: Sequence[float], questions: int) -> Figure:
    value = sum(values) / len(values) if values else None
    return _figure(value, mean_interval(values), len(values), questions)


def _percentile(values: Sequence[float], percentile: float, questions: int) -> Figure:
    value = float(np.percentile(values, percentile)) if values else None
    interval = bootstrap(values, lambda samples: np.percentile(samples, percentile, axis=1))
    return _figure(value, interval, len(values), questions)


def _auroc(outcomes: Sequence[Outcome]) -> Figure:
    positive = _values([outcome for outcome in outcomes if outcome.question.answerable], "confidence")
    negative = _values([outcome for outcome in outcomes if not outcome.question.answerable], "confidence")
    value = auroc(positive, negative)
    # With one class only there is no figure, so no question has part in one.
    n = 0 if value is None else len(positive) + len(negative)
    return _figure(value, auroc_interval(positive, negative), n, len(outcomes))


def _calibration(outcomes: Sequence[Outcome]) -> Figure:
    pairs = [(o.scores.get("confidence"), o.question.answerable) for o in outcomes]
    scored = [(value, label) for value, label in pairs if value is not None]
    value = calibration_error([value for value, _ in scored], [label for _, label in scored])
    interval = calibration_interval([label - value for value, label in scored], [bin_of(value) for value, _ in scored])
    return _figure(value, interval, len(scored), len(outcomes))


def _figure(value: float | None, interval: Interval | None, n: int, questions: int) -> Figure:
    low, high = interval or (None, None)
    return Figure(n, questions - n, value, low, high)
