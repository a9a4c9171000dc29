"""Asks several engines the same questions, and computes by how much Footnote differs from each peer."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from eval.dataset import Question, check_evidence
from eval.metrics import metric_named
from eval.metrics.example import Example
from eval.metrics.metric import Metric
from eval.metrics.sample import Sample, ScoredQuestion
from eval.run_schema import Estimate
from eval.stats.intervals import Floats
from eval.summary import cluster
from qa.types import Answer, Document, Span

_log = logging.getLogger(__name__)
WARM_UP = "What is this about?"
"""Asked of each engine first, and not measured: some objects are made on first use."""
BUDGET = 2000
"""Characters of `hit_within`."""
Output = Literal["passages", "answers"]
"""What an engine gives, and is measured in."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Footnote or a peer, by the name that the tables have for it."""

    name: str
    ask: Callable[[str], Answer]
    outputs: tuple[Output, ...]
    reference: str | None = None
    """The Footnote engine that a peer is compared with; None for Footnote itself."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one engine, a question each in the order asked, and its errors."""

    engine: Engine
    questions: Sequence[ScoredQuestion]
    errors: Mapping[str, str]
    """By question id."""


@dataclass(frozen=True, slots=True)
class EngineEstimates:
    """The estimates of an engine; those of a peer also compare it with Footnote."""

    engine: Engine
    errors: Mapping[str, str]
    estimates: Mapping[str, Estimate]
    differences: Mapping[str, Estimate] = field(default_factory=dict)
    """By metric: Footnote minus the peer, the mean over the questions that both have a score of."""
    ratios: Mapping[str, Estimate] = field(default_factory=dict)
    """By metric of time: the median of Footnote divided by that of the peer."""

    def as_json(self) -> dict[str, Any]:
        return {
            "reference": self.engine.reference,
            "errors": dict(self.errors),
            "figures": _estimates_json(self.estimates),
            "differences": _estimates_json(self.differences),
            "ratios": _estimates_json(self.ratios),
        }


def hit_within(example: Example, budget: int = BUDGET) -> float | None:
    """Returns whether half of a gold quote is in the first `budget` characters that were read.

    Passages of any length compare: fewer long ones fit. What is read twice counts twice.
    """
    if not example.gold:
        return None
    read: set[tuple[str, int]] = set()
    left = budget
    for ranked in example.answer.passages:
        characters = _characters(ranked.passage.document.name, ranked.passage.span)
        read.update(characters[:left])
        left = max(0, left - len(characters))
    for document, span in example.gold:
        quote = _characters(document, span)
        if 2 * len(read.intersection(quote)) >= len(quote):
            return 1.0
    return 0.0


def characters_read(example: Example) -> float:
    """Returns how many characters the passages have together."""
    spans = [ranked.passage.span for ranked in example.answer.passages]
    return float(sum(map(len, spans)))


def seconds_retrieving(example: Example) -> float:
    """Returns the seconds of retrieval alone, by the engine's own clock."""
    return example.answer.timings["retrieve"]


def retrieving_median(sample: Sample) -> Estimate:
    """Returns the median of the seconds of retrieval alone."""
    return sample.percentile("seconds_retrieving", 50)


QUALITY: Mapping[Output, tuple[Metric, ...]] = {
    "passages": (
        metric_named("hit_at_1"),
        metric_named("recall_at_5"),
        metric_named("reciprocal_rank"),
        Metric("hit_within", f"hit in {BUDGET:,} characters", "Retrieval", hit_within),
        Metric(
            "characters_read",
            "characters read",
            "Retrieval",
            characters_read,
            better="lower",
            unit="characters",
        ),
    ),
    "answers": (
        metric_named("contains_answer"),
        metric_named("citation_precision"),
        metric_named("citation_recall"),
        metric_named("citation_f1"),
        metric_named("wrongly_refused"),
        metric_named("rightly_refused"),
    ),
}
SECONDS = (
    metric_named("seconds"),
    Metric(
        "seconds_retrieving",
        "seconds retrieving",
        "Speed and cost",
        seconds_retrieving,
        better="lower",
        unit="seconds",
    ),
)
SECONDS_SUMMARY = (
    metric_named("seconds_median"),
    metric_named("seconds_p95"),
    Metric(
        "retrieving_median",
        "retrieving, median",
        "Speed and cost",
        set_score=retrieving_median,
        better="lower",
        unit="seconds",
    ),
)


def ask(
    engines: Sequence[Engine],
    questions: Sequence[Question],
    documents: Sequence[Document],
    on_question: Callable[[int], None] = lambda _: None,
) -> list[Scored]:
    """Asks every engine a question before the next question, in alternating order.

    So other work of the machine affects all engines alike. An exception is recorded as the error of
    its question. `on_question` is called with the number of questions asked so far. Raises
    QuestionFileError for evidence that is not in the documents.
    """
    gold = check_evidence(questions, documents)
    library = {document.name: document for document in documents}
    scored: dict[str, list[ScoredQuestion]] = {engine.name: [] for engine in engines}
    errors: dict[str, dict[str, str]] = {engine.name: {} for engine in engines}
    for engine in engines:
        engine.ask(WARM_UP)
    for number, question in enumerate(questions, start=1):
        # Whoever comes second finds the processor's caches filled by the first.
        for engine in engines if number % 2 else reversed(engines):
            scores: dict[str, float | None] = {}
            try:
                answer = engine.ask(question.question)
            except Exception as error:  # noqa: BLE001  # recorded and counted; the others go on
                errors[engine.name][question.id] = f"{type(error).__name__}: {error}"
                _log.error("%s failed at %s: %s", engine.name, question.id, error)
            else:
                example = Example(question, gold[question.id], answer, library)
                scores = _scores(engine, example)
            group = cluster(question, gold[question.id])
            scored[engine.name].append(ScoredQuestion(scores, question.answerable, group))
        on_question(number)
    return [Scored(engine, scored[engine.name], errors[engine.name]) for engine in engines]


def compare_engines(scored: Sequence[Scored]) -> list[EngineEstimates]:
    """Returns the estimates of each engine, and those of its difference to Footnote."""
    by_name = {entry.engine.name: entry for entry in scored}
    return [_estimates(entry, by_name.get(entry.engine.reference or "")) for entry in scored]


def _scores(engine: Engine, example: Example) -> dict[str, float | None]:
    scores = {}
    for metric in (*_quality(engine), *SECONDS):
        if metric.score is not None:
            scores[metric.name] = metric.score(example)
    return scores


def _quality(engine: Engine) -> list[Metric]:
    metrics: list[Metric] = []
    for output in engine.outputs:
        metrics += QUALITY[output]
    return metrics


def _estimates(scored: Scored, reference: Scored | None) -> EngineEstimates:
    sample = Sample(scored.questions, len(scored.questions))
    metrics = (*_quality(scored.engine), *SECONDS_SUMMARY)
    estimates = {metric.name: metric.estimate(sample) for metric in metrics}
    if reference is None:
        return EngineEstimates(scored.engine, scored.errors, estimates)
    differences = {}
    for metric in _quality(scored.engine):
        differences[metric.name] = _difference(metric.name, reference, scored)
    ratios = {}
    for metric in SECONDS:
        ratios[metric.name] = _ratio(metric.name, reference, scored)
    return EngineEstimates(scored.engine, scored.errors, estimates, differences, ratios)


def _difference(name: str, footnote: Scored, peer: Scored) -> Estimate:
    """Returns the mean of Footnote minus the peer, with its bootstrap interval."""
    # A difference may be negative, so it is not a share.
    return _pairs(name, footnote, peer).mean_of_sizes("difference")


def _ratio(name: str, footnote: Scored, peer: Scored) -> Estimate:
    """Returns the median of Footnote divided by that of the peer, with its bootstrap interval."""
    pairs = _pairs(name, footnote, peer)
    ours, theirs = pairs.values("footnote"), pairs.values("peer")
    return pairs.bootstrapped(
        lambda weights: weighted_medians(weights, ours) / weighted_medians(weights, theirs)
    )


def _pairs(name: str, footnote: Scored, peer: Scored) -> Sample:
    """Returns the questions that both have a score of, with both scores and their difference."""
    pairs = []
    for ours, theirs in zip(footnote.questions, peer.questions, strict=True):
        first, second = ours.scores.get(name), theirs.scores.get(name)
        if first is not None and second is not None:
            scores = {"footnote": first, "peer": second, "difference": first - second}
            pairs.append(ScoredQuestion(scores, ours.answerable, ours.cluster))
    return Sample(pairs, len(peer.questions))


def weighted_medians(weights: Floats, values: Floats) -> Floats:
    """Returns the lower median of the values for each row of weights, shape (resamples,)."""
    order = np.argsort(values)
    cumulative = weights[:, order].cumsum(axis=1)
    reached = 2 * cumulative >= weights.sum(axis=1, keepdims=True)
    medians: Floats = values[order][reached.argmax(axis=1)]
    return medians


def _characters(document: str, span: Span) -> list[tuple[str, int]]:
    return [(document, offset) for offset in range(span.start, span.end)]


def _estimates_json(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: estimate.as_json() for name, estimate in estimates.items()}
