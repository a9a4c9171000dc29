"""What became of the questions, as figures: over all of them, by split and by kind."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from eval.dataset import Gold, Question
from eval.labels import LABELS
from eval.metrics import MEASURES
from eval.metrics.aggregate import auroc, calibration_error, mean, refusal_f1, risk_coverage
from eval.results import Estimate, Group, GroupKind
from eval.stats.intervals import (
    Floats,
    Interval,
    auroc_interval,
    bootstrap,
    mean_interval,
    percentile_interval,
)
from qa.types import Answer


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
        """Whether the person would not have been served: an error, or not `answered_right`, were it once in a while."""
        right = self.scores.get("answered_right")
        return self.answer is None or (right is not None and right < 1)


TOKENS = ("prompt_tokens", "answer_tokens")
"""The means that are not from 0 to 1."""
TIMES = ("seconds", "seconds_to_first_words")
"""Of these there are the median and the 95th percentile."""


def groups(outcomes: Sequence[Outcome], clusters: Mapping[str, str] | None = None) -> list[Group]:
    """All questions as one group, then those of each split, then those of each kind, in the order first met.

    `clusters`: by question id (see `cluster`); none: the questions are independent. Of a question asked several times
    the scores are means; in the figures of refusals it counts as what it was most often, of two equals as answered.
    """
    known = _several(clusters or {})
    found = [_group("overall", "overall", outcomes, known)]
    for by, key in _KEYS:
        members: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            members.setdefault(key(outcome.question), []).append(outcome)
        found += [_group(by, name, some, known) for name, some in members.items()]
    return found


def cluster(question: Question, gold: Sequence[Gold]) -> str:
    """What the question's chance of success may hang on and others share: its article, else the document it is of.

    Without either it is a cluster by itself.
    """
    return question.group or (gold[0][0] if gold else question.id)


_KEYS: tuple[tuple[GroupKind, Callable[[Question], str]], ...] = (
    ("split", lambda question: question.split),
    ("kind", lambda question: question.kind),
)


def _several(clusters: Mapping[str, str]) -> Mapping[str, str]:
    """The clusters, if questions share two or more. Of questions of one article, that article is all there is."""
    shared = [name for name, questions in Counter(clusters.values()).items() if questions > 1]
    return clusters if len(shared) > 1 else {}


def _group(
    by: GroupKind, name: str, outcomes: Sequence[Outcome], clusters: Mapping[str, str]
) -> Group:
    over = _Over(outcomes, clusters)
    figures = {name: over.mean(name) for name in MEASURES if name in LABELS and name not in TOKENS}
    figures |= {
        "refusal_precision": over.refusal_precision(),
        "refusal_f1": over.refusal_f1(),
        "confidence_auroc": over.auroc(),
        "risk_coverage": over.risk_coverage(),
        "calibration_error": over.calibration_error(),
    }
    for time in TIMES:
        figures |= {
            f"{time}_median": over.percentile(time, 50),
            f"{time}_p95": over.percentile(time, 95),
        }
    figures |= {tokens: over.size(tokens) for tokens in TOKENS}
    errors = sum(outcome.error is not None for outcome in outcomes)
    return Group(by, name, len(outcomes), errors, {label: figures[label] for label in LABELS})


@dataclass(frozen=True, slots=True)
class _Over:
    """The figures over some questions."""

    outcomes: Sequence[Outcome]
    clusters: Mapping[str, str]

    def mean(self, measure: str) -> Estimate:
        """Of values from 0 to 1."""
        kept = self._with(measure)
        return self._share(kept, _values(kept, measure))

    def size(self, measure: str) -> Estimate:
        """The mean of values of any size."""
        kept = self._with(measure)
        return self._statistic(kept, partial(mean, values=_values(kept, measure)))

    def percentile(self, measure: str, percent: float) -> Estimate:
        kept = self._with(measure)
        values = _values(kept, measure).tolist()
        value = float(np.percentile(values, percent)) if values else None
        return self._figure(
            value, percentile_interval(values, percent, self._labels(kept)), len(kept)
        )

    def refusal_precision(self) -> Estimate:
        """Of the questions that were refused, the share that are not answerable."""
        kept = [outcome for outcome in self._with("answered") if _refused(outcome)]
        return self._share(kept, 1 - _answerable(kept))

    def refusal_f1(self) -> Estimate:
        kept = self._with("answered")
        refused = np.asarray([float(_refused(outcome)) for outcome in kept])
        return self._statistic(
            kept, partial(refusal_f1, refused=refused, unanswerable=1 - _answerable(kept))
        )

    def auroc(self) -> Estimate:
        kept = sorted(self._with("confidence"), key=lambda outcome: not outcome.question.answerable)
        values = _values(kept, "confidence").tolist()
        answerable = int(_answerable(kept).sum())
        positive, negative = values[:answerable], values[answerable:]
        interval = auroc_interval(positive, negative, self._labels(kept))
        # With one class only there is no figure, so no question has part in one.
        return self._figure(auroc(positive, negative), interval, len(kept) if interval else 0)

    def risk_coverage(self) -> Estimate:
        """Over the questions that were answered: what a refused one would have said is not known."""
        kept = [
            outcome
            for outcome in self._with("confidence", "answered", "answered_right")
            if not _refused(outcome)
        ]
        risks = 1 - _values(kept, "answered_right")
        return self._statistic(
            kept, partial(risk_coverage, confidences=_values(kept, "confidence"), risks=risks)
        )

    def calibration_error(self) -> Estimate:
        kept = self._with("confidence")
        statistic = partial(
            calibration_error, confidences=_values(kept, "confidence"), answerable=_answerable(kept)
        )
        return self._statistic(kept, statistic)

    def _with(self, *measures: str) -> list[Outcome]:
        """The questions that have a value of each of these."""
        return [
            one
            for one in self.outcomes
            if all(one.scores.get(measure) is not None for measure in measures)
        ]

    def _share(self, kept: Sequence[Outcome], values: Floats) -> Estimate:
        value = float(values.mean()) if kept else None
        return self._figure(value, mean_interval(values.tolist(), self._labels(kept)), len(kept))

    def _statistic(
        self, kept: Sequence[Outcome], statistic: Callable[[Floats], Floats]
    ) -> Estimate:
        value = float(statistic(np.ones((1, len(kept))))[0]) if kept else np.nan
        if np.isnan(value):
            return self._figure(None, None, 0)
        return self._figure(value, bootstrap(statistic, len(kept), self._labels(kept)), len(kept))

    def _labels(self, kept: Sequence[Outcome]) -> Sequence[str] | None:
        return [self.clusters[outcome.question.id] for outcome in kept] if self.clusters else None

    def _figure(self, value: float | None, interval: Interval | None, n: int) -> Estimate:
        low, high = interval or (None, None)
        return Estimate(n, len(self.outcomes) - n, value, low, high)


def _values(kept: Sequence[Outcome], measure: str) -> Floats:
    return np.asarray([outcome.scores[measure] for outcome in kept], dtype=np.float64)


def _answerable(kept: Sequence[Outcome]) -> Floats:
    return np.asarray([float(outcome.question.answerable) for outcome in kept])


def _refused(outcome: Outcome) -> bool:
    """Whether it was refused more often than not."""
    return (outcome.scores["answered"] or 0) < 0.5
