"""Summarises the outcomes of a run: all metrics over all questions, by split and by kind."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eval.dataset import Gold, Question
from eval.metrics import summary_metrics
from eval.metrics.sample import Sample, ScoredQuestion
from eval.run_schema import Group, GroupKind
from qa.types import Answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question with its answer and scores, or with the error that ended it."""

    question: Question
    answer: Answer | None = None
    error: str | None = None
    """The exception's type and message."""
    scores: Mapping[str, float | None] = field(default_factory=dict)
    """By metric; empty for an error."""

    @property
    def failed(self) -> bool:
        """Whether the question had an error or, in any repeat, was not answered right."""
        right = self.scores.get("answered_right")
        return self.answer is None or (right is not None and right < 1)


Outcomes = Sequence[Outcome]
ClusterById = Mapping[str, str]
"""The cluster of each question, by question id."""


def groups(outcomes: Outcomes, clusters: ClusterById | None = None) -> list[Group]:
    """Returns all questions as one group, then the groups by split, then those by kind.

    `clusters` has the cluster of each question by its id (see `cluster`); without it the questions
    are independent. The groups of a split or kind are in the order in which they first occur.
    """
    informative = _informative(clusters or {})
    by_split: dict[str, list[Outcome]] = defaultdict(list)
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        question = outcome.question
        by_split[question.split].append(outcome)
        by_kind[question.kind].append(outcome)

    result = [_group("overall", "overall", outcomes, informative)]
    for split, members in by_split.items():
        result.append(_group("split", split, members, informative))
    for kind, members in by_kind.items():
        result.append(_group("kind", kind, members, informative))
    return result


def cluster(question: Question, gold: Sequence[Gold]) -> str:
    """Returns what a question shares with the questions that succeed or fail together with it.

    That is its group (an article), else the document that it names, else that of its first gold
    quote, else itself.
    """
    if question.group:
        return question.group
    if question.document:
        return question.document
    if gold:
        # Question files without groups usually ask several questions of each document.
        first_quote = gold[0]
        document, _ = first_quote[0]
        return document
    return question.id


def _informative(clusters: ClusterById) -> ClusterById:
    """Returns the clusters, or none if fewer than two of them have several questions.

    Questions about a single article say nothing about how articles differ.
    """
    sizes = Counter(clusters.values())
    shared = [size for size in sizes.values() if size > 1]
    return clusters if len(shared) > 1 else {}


def _group(by: GroupKind, name: str, outcomes: Outcomes, clusters: ClusterById) -> Group:
    questions = []
    errors = 0
    for outcome in outcomes:
        question = outcome.question
        scored = ScoredQuestion(
            scores=outcome.scores,
            answerable=question.answerable,
            cluster=clusters.get(question.id),
        )
        questions.append(scored)
        # An error has no scores, so its question is unscored in every metric.
        if outcome.error is not None:
            errors += 1

    sample = Sample(questions, len(questions))
    estimates = {}
    for metric in summary_metrics():
        estimates[metric.name] = metric.estimate(sample)
    return Group(
        by=by,
        name=name,
        questions=len(outcomes),
        errors=errors,
        estimates=estimates,
    )
