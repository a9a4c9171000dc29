"""The scored questions that a metric of a set is computed from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from eval.run_schema import Estimate
from eval.stats.intervals import (
    Floats,
    Interval,
    bootstrap,
    mean_interval,
    percentile_interval,
)


@dataclass(frozen=True, slots=True)
class ScoredQuestion:
    """A question with its scores by metric, which are empty if an error ended it."""

    scores: Mapping[str, float | None]
    answerable: bool
    cluster: str | None = None
    """Questions of one cluster are not independent; None in every question: all are independent."""

    @property
    def refused(self) -> bool:
        """Whether the question was refused; with repeats, whether most answers were refusals."""
        # The mean over the repeats.
        answered = self.scores["answered"]
        return answered is not None and answered < 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """Questions, all of a group or those of it that a metric applies to."""

    questions: Sequence[ScoredQuestion]
    group_size: int
    """How many questions the whole group has."""

    def with_scores(self, *names: str) -> "Sample":
        """Returns the questions that have a score of each of these metrics."""

        def has_all(question: ScoredQuestion) -> bool:
            return all(question.scores.get(name) is not None for name in names)

        return self.where(has_all)

    def where(self, condition: Callable[[ScoredQuestion], bool]) -> "Sample":
        """Returns the questions that meet a condition."""
        questions = list(filter(condition, self.questions))
        return Sample(questions, self.group_size)

    def values(self, name: str) -> Floats:
        """Returns the scores of a metric that every question of the sample has, shape (n,)."""
        values = [question.scores[name] for question in self.questions]
        return np.asarray(values, dtype=np.float64)

    @property
    def answerable(self) -> Floats:
        """1 for the questions that the documents answer, else 0; shape (n,)."""
        answerable = [question.answerable for question in self.questions]
        return np.asarray(answerable, dtype=np.float64)

    @property
    def refused(self) -> Floats:
        """1 for the questions that were refused, else 0; shape (n,)."""
        refused = [question.refused for question in self.questions]
        return np.asarray(refused, dtype=np.float64)

    @property
    def clusters(self) -> list[str] | None:
        """The cluster of each question; None if all are independent."""
        clusters = []
        for question in self.questions:
            if question.cluster is None:
                return None
            clusters.append(question.cluster)
        return clusters

    def mean_of_shares(self, name: str) -> Estimate:
        """Returns the mean of scores from 0 to 1."""
        scored = self.with_scores(name)
        return scored.mean(scored.values(name))

    def mean_of_sizes(self, name: str) -> Estimate:
        """Returns the mean of scores that have no upper bound."""
        scored = self.with_scores(name)
        return scored.bootstrapped(partial(weighted_mean, values=scored.values(name)))

    def percentile(self, name: str, percent: float) -> Estimate:
        """Returns a percentile of the scores, interpolated between two of them."""
        scored = self.with_scores(name)
        values = scored.values(name).tolist()
        if not values:
            return scored.estimate(None, None, n=0)
        value = float(np.percentile(values, percent))
        interval = percentile_interval(values, percent, scored.clusters)
        return scored.estimate(value, interval)

    def mean(self, values: Floats) -> Estimate:
        """Returns the mean of one value from 0 to 1 for each question of the sample."""
        if not self.questions:
            return self.estimate(None, None)
        interval = mean_interval(values.tolist(), self.clusters)
        return self.estimate(float(values.mean()), interval)

    def bootstrapped(self, statistic: Callable[[Floats], Floats]) -> Estimate:
        """Returns the value of a statistic, with its bootstrap interval.

        `statistic` maps weights, shape (resamples, n), to a value for each resample, NaN where it
        is not defined. The value of the sample is that of weights 1.
        """
        n = len(self.questions)
        if n == 0:
            return self.estimate(None, None)
        (value,) = statistic(np.ones((1, n)))
        if np.isnan(value):
            # Not defined over the whole sample: no question counts as scored.
            return self.estimate(None, None, n=0)
        interval = bootstrap(statistic, n, self.clusters)
        return self.estimate(float(value), interval)

    def estimate(
        self, value: float | None, interval: Interval | None, n: int | None = None
    ) -> Estimate:
        """Returns a value of this sample as an estimate; `n` defaults to the sample's size."""
        low, high = interval or (None, None)
        scored = len(self.questions) if n is None else n
        return Estimate(scored, self.group_size - scored, value, low, high)


def weighted_mean(weights: Floats, values: Floats) -> Floats:
    """Returns the mean of the values for each row of weights, shape (resamples,)."""
    return divided(weights @ values, weights.sum(axis=1))


def divided(numerators: Floats, denominators: Floats) -> Floats:
    """Returns the quotients, NaN where the denominator is 0."""
    undefined = np.full_like(numerators, np.nan)
    return np.divide(numerators, denominators, out=undefined, where=denominators > 0)
