"""Asks several engines the same questions, and compares Footnote with each peer."""

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
from qa.answer.empty_words import says_nothing
from qa.types import Answer, Document, Span

_log = logging.getLogger(__name__)
WARM_UP = "Who wrote this?"
"""Asked of each engine first, and not measured: some objects are made on first use.

Not a question like "What is this about?": Footnote reads no passage for it, and sends the whole
library to a language model."""
BUDGET = 2000
"""Characters of `hit_within`."""
Output = Literal["passages", "answers"]
"""What an engine gives, and is measured in."""
Character = tuple[str, int]
"""The name of a document, and an offset in its text."""
Scores = dict[str, float | None]
"""By metric; empty for an error."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Footnote or a peer, by the name that the tables have for it."""

    name: str
    ask: Callable[[str], Answer]
    outputs: tuple[Output, ...]
    reference: str | None = None
    """The Footnote engine that a peer is compared with; None for Footnote itself."""
    asks_model: bool = False
    """Whether a language model, or the scripted model, writes the answers."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one engine, a question each in the order asked, and its errors."""

    engine: Engine
    questions: list[ScoredQuestion]
    errors: dict[str, str]
    """By question id."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """By question id; those of an engine that asks a model."""


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
    read: set[Character] = set()
    left = budget
    for ranked in example.answer.passages:
        passage = ranked.passage
        characters = _characters(passage.document.name, passage.span)
        read.update(characters[:left])
        left = max(0, left - len(characters))

    for quote in example.gold:
        for document, span in quote:
            characters = _characters(document, span)
            shared = read.intersection(characters)
            if 2 * len(shared) >= len(characters):
                return 1.0
    return 0.0


def characters_read(example: Example) -> float:
    """Returns how many characters the passages have together."""
    count = 0
    for ranked in example.answer.passages:
        count += len(ranked.passage.span)
    return float(count)


def unmarked_sentences(example: Example) -> float | None:
    """Returns the share of the answer's sentences that have neither a citation nor a mark of doubt.

    "The sources do not say when." states nothing that a source could support, and does not count.
    None if no sentence counts.
    """
    sentences = [each for each in example.sentences if not says_nothing(each.text)]
    if not sentences:
        return None
    unmarked = 0
    for sentence in sentences:
        is_marked = sentence.support in ("weak", "unsupported")
        unmarked += not (is_marked or sentence.citations)
    return unmarked / len(sentences)


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
MODEL_QUALITY = (
    Metric(
        "unmarked_sentences",
        "sentences without footnote or mark",
        "Citations",
        unmarked_sentences,
        better="lower",
    ),
)
"""What the engines are measured in besides whose answers a model writes."""
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
    results = [Scored(engine, [], {}) for engine in engines]
    for engine in engines:
        engine.ask(WARM_UP)

    for number, question in enumerate(questions, start=1):
        group = cluster(question, gold[question.id])
        # Whoever comes second finds the processor's caches filled by the first.
        for result in results if number % 2 else reversed(results):
            engine = result.engine
            scores: Scores = {}
            try:
                answer = engine.ask(question.question)
            except Exception as error:  # noqa: BLE001  # recorded and counted; the others continue
                result.errors[question.id] = f"{type(error).__name__}: {error}"
                _log.error("%s failed at %s: %s", engine.name, question.id, error)
            else:
                example = Example(question, gold[question.id], answer, library)
                scores = _scores(engine, example)
                if engine.asks_model:
                    result.answers[question.id] = answer
            # A question with an error is there without scores, so that engines stay in step.
            result.questions.append(ScoredQuestion(scores, question.answerable, group))
        on_question(number)
    return results


def compare_engines(scored: Sequence[Scored]) -> list[EngineEstimates]:
    """Returns the estimates of each engine, and those of its difference to Footnote."""
    by_name = {entry.engine.name: entry for entry in scored}
    return [_estimates(entry, by_name.get(entry.engine.reference or "")) for entry in scored]


def _scores(engine: Engine, example: Example) -> Scores:
    scores = {}
    for metric in (*_quality(engine), *SECONDS):
        if metric.score is not None:
            scores[metric.name] = metric.score(example)
    return scores


def _quality(engine: Engine) -> list[Metric]:
    metrics: list[Metric] = []
    for output in engine.outputs:
        metrics += QUALITY[output]
    if engine.asks_model:
        metrics += MODEL_QUALITY
    return metrics


def _estimates(scored: Scored, reference: Scored | None) -> EngineEstimates:
    quality = _quality(scored.engine)
    sample = Sample(scored.questions, len(scored.questions))
    estimates = {}
    for metric in (*quality, *SECONDS_SUMMARY):
        estimates[metric.name] = metric.estimate(sample)

    # Footnote itself has nothing to be compared with.
    differences = {}
    ratios = {}
    if reference is not None:
        for metric in quality:
            differences[metric.name] = _difference(metric.name, reference, scored)
        for metric in SECONDS:
            ratios[metric.name] = _ratio(metric.name, reference, scored)
    return EngineEstimates(
        engine=scored.engine,
        errors=scored.errors,
        estimates=estimates,
        differences=differences,
        ratios=ratios,
    )


def _difference(name: str, footnote: Scored, peer: Scored) -> Estimate:
    """Returns the mean of Footnote minus the peer, with its bootstrap interval."""
    # A difference may be negative, so it is not a share.
    return _pairs(name, footnote, peer).mean_of_sizes("difference")


def _ratio(name: str, footnote: Scored, peer: Scored) -> Estimate:
    """Returns the median of Footnote divided by that of the peer, with its bootstrap interval."""
    pairs = _pairs(name, footnote, peer)
    footnote_values = pairs.values("footnote")
    peer_values = pairs.values("peer")

    def ratio(weights: Floats) -> Floats:
        footnote_medians = weighted_medians(weights, footnote_values)
        peer_medians = weighted_medians(weights, peer_values)
        return footnote_medians / peer_medians

    return pairs.bootstrapped(ratio)


def _pairs(name: str, footnote: Scored, peer: Scored) -> Sample:
    """Returns the questions that both have a score of, with both scores and their difference."""
    pairs = []
    for ours, theirs in zip(footnote.questions, peer.questions, strict=True):
        our_score = ours.scores.get(name)
        their_score = theirs.scores.get(name)
        # One of the engines had an error there, or the metric does not apply.
        if our_score is None or their_score is None:
            continue
        scores = {
            "footnote": our_score,
            "peer": their_score,
            "difference": our_score - their_score,
        }
        pairs.append(ScoredQuestion(scores, ours.answerable, ours.cluster))
    return Sample(pairs, len(peer.questions))


def weighted_medians(weights: Floats, values: Floats) -> Floats:
    """Returns the lower median of the values for each row of weights, shape (resamples,)."""
    order = np.argsort(values)
    cumulative = weights[:, order].cumsum(axis=1)
    reached = 2 * cumulative >= weights.sum(axis=1, keepdims=True)
    medians: Floats = values[order][reached.argmax(axis=1)]
    return medians


def _characters(document: str, span: Span) -> list[Character]:
    return [(document, offset) for offset in range(span.start, span.end)]


def _estimates_json(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: estimate.as_json() for name, estimate in estimates.items()}
