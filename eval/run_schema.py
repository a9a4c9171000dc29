"""The one schema of run.json, summary.json and results.jsonl.

    Plan     run.json: what a run was started with
    Run      summary.json: estimates, and the scores of each question
    Result   a line of results.jsonl: what the bot answered to a question

The types at the end have the shape of the files. `eval.results` reads the files; pydantic then
checks every annotation.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, FailFast, Field, FiniteFloat, PlainValidator

from qa.types import (
    Answer,
    AnswerSentence,
    Document,
    Passage,
    RankedPassage,
    Reason,
    Signals,
    Span,
    Usage,
    Why,
)

MAX_NUMBER = 1e15
"""No score is larger: neither seconds nor tokens are so many."""

MIN_NUMBER = 1 / MAX_NUMBER
"""A smaller number is the rounding of 0."""


def _without_rounding(number: float) -> float:
    return number if abs(number) >= MIN_NUMBER else 0.0


# Comparisons compute with scores: numbers near the limits of a float would overflow there.
Number = Annotated[
    FiniteFloat,
    Field(ge=-MAX_NUMBER, le=MAX_NUMBER),
    AfterValidator(_without_rounding),
]
Count = Annotated[int, Field(ge=0)]
Scalar = str | bool | int | float | None
Scores = Annotated[Mapping[str, Number | None], FailFast()]
"""The scores of one question by metric; None: the metric does not apply."""
Texts = Annotated[Mapping[str, str], FailFast()]
GroupKind = Literal["overall", "split", "kind"]


def _scalar(value: Any) -> Scalar:
    is_number = not isinstance(value, float) or isfinite(value)
    if not isinstance(value, str | bool | int | float | None) or not is_number:
        raise ValueError("it must be a text, a finite number, true, false or null")
    return value


def _setting(value: Any) -> Scalar | tuple[Scalar, ...]:
    if isinstance(value, list):
        return tuple(map(_scalar, value))
    return _scalar(value)


# As functions: a union would report several problems for each invalid value.
FileScalar = Annotated[Scalar, PlainValidator(_scalar)]
Setting = Annotated[Scalar | tuple[Scalar, ...], PlainValidator(_setting)]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric over the questions of a group, with its 95% interval from `low` to `high`.

    `n` questions have a value and `unscored` have none. Without any value there is no interval.
    """

    n: Count
    unscored: Count
    value: Number | None
    low: Number | None
    high: Number | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that belong together, with their estimates by metric."""

    by: GroupKind
    name: str
    questions: int
    errors: int
    estimates: Mapping[str, Estimate]

    def as_json(self) -> dict[str, Any]:
        figures = {name: estimate.as_json() for name, estimate in self.estimates.items()}
        return {"questions": self.questions, "errors": self.errors, "figures": figures}


@dataclass(frozen=True, slots=True)
class QuestionSource:
    """The question file of a run, and which of its questions were chosen."""

    sha256: str
    file: str | None = None
    format: str | None = None
    split: str | None = None
    kinds: tuple[str, ...] | None = None
    filter: str | None = None
    failing: str | None = None
    limit: Count | None = None
    count: Annotated[Count | None, Field(validation_alias="asked")] = None
    """How many questions were chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What the estimates of a run depend on; without it they mean nothing."""

    commit: str | None = None
    code: str | None = None
    """A hash of the code: it tells two uncommitted states apart."""
    questions: QuestionSource
    documents: Texts
    """Versions of the documents, by name."""
    settings: Annotated[Mapping[str, Setting], FailFast()]
    """Settings by name; `llm` is the engine."""
    versions: Annotated[Mapping[str, str | None], FailFast()] = field(default_factory=dict)
    """Versions of Python, of the prompts and of the main packages."""
    intervals: Annotated[Mapping[str, FileScalar], FailFast()] = field(default_factory=dict)
    """How the intervals are computed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """run.json: what a run was started with, so that it can be resumed."""

    provenance: Provenance
    home: str
    """The folder of the index, relative to the folder of the run."""
    repeat: int
    """How often each question is asked."""
    ids: tuple[str, ...]
    """The chosen questions, in order."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """How far the answers differ when each question is asked `count` times."""

    count: Count = 1
    changed: Count = 0
    """Questions that were not answered in the same words each time."""
    spread: Annotated[Mapping[str, Number], FailFast()] = field(default_factory=dict)
    """By metric, the standard deviation within a question, averaged over the questions."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Run:
    """summary.json: a run that ended."""

    folder: Path
    provenance: Provenance
    scores: Mapping[str, Scores]
    """By question id, in the order asked: the questions that did not fail with an error."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Error messages by question id."""
    clusters: Mapping[str, str] = field(default_factory=dict)
    """Clusters by question id: questions of one cluster are not independent."""
    groups: tuple[Group, ...] = ()
    """First the group of all questions, then one for each split, then one for each kind."""
    repeats: Repeats = Repeats()
    finished: datetime | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all questions, those with an error last."""
        return (*self.scores, *self.errors)


@dataclass(frozen=True, slots=True)
class ResultPassage:
    """A passage that the bot read."""

    document: str
    start: Count
    end: Count
    text: str
    score: FiniteFloat
    why: Why


@dataclass(frozen=True, slots=True)
class Result:
    """A line of results.jsonl: what the bot answered to a question, or the error instead."""

    id: str
    question: str
    standalone_question: str
    answer: str
    abstained: bool
    reason: Reason | None
    confidence: FiniteFloat
    sentences: Annotated[tuple[AnswerSentence, ...], FailFast()]
    passages: Annotated[tuple[ResultPassage, ...], FailFast()]
    """Best first."""
    engine: str
    timings: Annotated[Mapping[str, FiniteFloat], FailFast()]
    notices: Annotated[tuple[str, ...], FailFast()] = ()
    usage: Usage | None = None
    signals: Signals | None = None
    nearest: AnswerSentence | None = None
    repeat: Annotated[int, Field(ge=1)] = 1
    error: str | None = None
    """Where there is an error, only the id, the question and the repeat say anything."""

    def to_answer(self, documents: Mapping[str, Document]) -> Answer:
        """Returns the answer over these documents, by name, so that it can be scored again.

        Which words of a sentence are bold is not in the file, and so not in the answer. Raises
        ValueError for a passage that is not in the documents.
        """
        passages = []
        for read in self.passages:
            document = documents.get(read.document)
            if document is None:
                raise ValueError(f"there is no document {read.document!r}")
            if not read.start < read.end <= len(document.text):
                raise ValueError(
                    f"there is no passage {read.start} to {read.end} of {read.document!r}"
                )
            passage = Passage(document, Span(read.start, read.end))
            passages.append(RankedPassage(passage, read.score, read.why))
        return Answer(
            question=self.question,
            standalone_question=self.standalone_question,
            text=self.answer,
            reason=self.reason,
            confidence=self.confidence,
            sentences=self.sentences,
            passages=tuple(passages),
            engine=self.engine,
            timings=dict(self.timings),
            notices=self.notices,
            usage=self.usage,
            signals=self.signals,
            nearest=self.nearest,
        )


def _has_interval(estimate: Estimate) -> Estimate:
    numbers = (estimate.value, estimate.low, estimate.high)
    if None in numbers and numbers != (None, None, None):
        raise ValueError("a value without an interval, or an interval without a value")
    return estimate


def _in_utc(time: datetime) -> datetime:
    # Runs of several machines are sorted by time, which needs one time zone.
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is not in the years 1 to 9999 (UTC)") from error


@dataclass(frozen=True, slots=True)
class FileGroup:
    """A group of questions as summary.json has it."""

    questions: Count
    errors: Count
    # The file says figures; the code says estimates.
    figures: Annotated[dict[str, Annotated[Estimate, AfterValidator(_has_interval)]], FailFast()]

    def group(self, by: GroupKind, name: str) -> Group:
        return Group(by, name, self.questions, self.errors, self.figures)


_FileGroups = Annotated[dict[str, FileGroup], FailFast()]


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What summary.json has next to the provenance."""

    overall: FileGroup
    scores: Annotated[dict[str, Scores], FailFast()]
    errors: Texts
    by_split: _FileGroups = field(default_factory=dict)
    by_kind: _FileGroups = field(default_factory=dict)
    clusters: Texts = field(default_factory=dict)
    repeats: Repeats = field(default_factory=Repeats)
    finished: Annotated[datetime, AfterValidator(_in_utc)] | None = None

    @property
    def groups(self) -> tuple[Group, ...]:
        groups = [self.overall.group("overall", "overall")]
        for name, group in self.by_split.items():
            groups.append(group.group("split", name))
        for name, group in self.by_kind.items():
            groups.append(group.group("kind", name))
        return tuple(groups)


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What run.json has next to the provenance."""

    home: str
    repeat: Annotated[int, Field(ge=1)]
    ids: Annotated[tuple[str, ...], Field(min_length=1), FailFast()]


@dataclass(frozen=True, slots=True)
class FailedResult:
    """A line of results.jsonl with an error."""

    id: str
    error: str
    question: str = ""
    repeat: Annotated[int, Field(ge=1)] = 1
