"""The files of a run, read back. This is the one schema of run.json, summary.json and results.jsonl.

    plan = read_plan(folder)               # run.json: what the run was started with
    run = read_run(folder)                 # summary.json: estimates, and the scores of each question
    results = read_results(folder)         # results.jsonl: what the bot answered, a line each
    questions = read_run_questions(folder) # questions.jsonl: the questions, by id

`eval.run` writes these files. A baseline may be a summary.json alone. Nothing in a file is trusted:
each function raises RunError that names the file and what is wrong in it. `eval.evidence` says at
which rank a result has its evidence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, FiniteFloat, TypeAdapter, ValidationError
from pydantic_core import from_json

from eval.dataset import Question, read_questions
from qa.errors import RunError
from qa.terminal import visible_line
from qa.types import (
    Answer,
    AnswerSentence,
    Document,
    Passage,
    RankedPassage,
    Reason,
    Span,
    Usage,
    Why,
)

RUN = "run.json"
RESULTS = "results.jsonl"
SUMMARY = "summary.json"
REPORT = "report.html"
QUESTIONS = "questions.jsonl"
MOST_BYTES: Mapping[str, int] = {
    RUN: 64 * 2**20,
    SUMMARY: 64 * 2**20,
    QUESTIONS: 64 * 2**20,
    RESULTS: 2**30,
}
"""Larger files are not read: a run may come from anywhere."""
LARGEST = 1e15
"""No score is larger: neither seconds nor tokens are so many."""
_MOST_PROBLEMS = 20
"""Problems of one file that an error names."""

# Comparisons compute with scores: a number near the largest float would overflow there.
Number = Annotated[FiniteFloat, Field(ge=-LARGEST, le=LARGEST)]
Count = Annotated[int, Field(ge=0)]
Scalar = str | bool | int | FiniteFloat | None
Setting = Scalar | tuple[Scalar, ...]
Scores = Mapping[str, Number | None]
"""The scores of one question by metric; None: the metric does not apply."""
GroupKind = Literal["overall", "split", "kind"]


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
    documents: Mapping[str, str]
    """Versions of the documents, by name."""
    settings: Mapping[str, Setting]
    """Settings by name; `llm` is the engine."""
    versions: Mapping[str, str | None] = field(default_factory=dict)
    """Versions of Python, of the prompts and of the main packages."""
    intervals: Mapping[str, Scalar] = field(default_factory=dict)
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
    spread: Mapping[str, Number] = field(default_factory=dict)
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
    sentences: tuple[AnswerSentence, ...]
    passages: tuple[ResultPassage, ...]
    """Best first."""
    engine: str
    timings: Mapping[str, FiniteFloat]
    notices: tuple[str, ...] = ()
    usage: Usage | None = None
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
        )


def read_run(folder: Path) -> Run:
    """Returns the run of a folder. Raises RunError if it did not end or its summary is damaged."""
    path = folder / SUMMARY
    if not path.is_file():
        raise RunError(_why_no_summary(folder))
    raw = _read(path)
    try:
        # Each of the two ignores the keys of the other. Strict: "0.5" and True are not numbers.
        provenance = _PROVENANCE.validate_json(raw, strict=True)
        summary = _SUMMARY.validate_json(raw, strict=True)
    except ValidationError as error:
        raise damaged(path, problems_of(error)) from error
    return Run(
        folder=folder,
        provenance=provenance,
        scores=summary.scores,
        errors=summary.errors,
        clusters=summary.clusters,
        groups=summary.groups,
        repeats=summary.repeats,
        finished=summary.finished,
    )


def read_plan(folder: Path) -> Plan:
    """Returns what run.json says. Raises RunError that names everything wrong with it."""
    path = folder / RUN
    raw = _read(path)
    try:
        provenance = _PROVENANCE.validate_json(raw, strict=True)
        plan = _PLAN.validate_json(raw, strict=True)
    except ValidationError as error:
        raise damaged(path, problems_of(error)) from error
    return Plan(provenance, plan.home, plan.repeat, plan.ids)


def read_results(
    folder: Path, documents: Mapping[str, Document] | None = None, resumable: bool = False
) -> list[Result]:
    """Returns the lines of results.jsonl, in the order asked.

    `documents`: also check that the passages are in these documents, by name. `resumable`: leave
    out an incomplete last line, which an interrupted run may have. Raises RunError that names
    every bad line.
    """
    path = folder / RESULTS
    # A whole line ends with a newline, so the last part is empty or incomplete.
    *lines, rest = _read(path).split(b"\n")
    results: list[Result] = []
    # All problems are collected: who repairs a file by hand wants to know them at once.
    problems: list[str] = []
    seen: dict[tuple[str, int], int] = {}
    for number, line in enumerate(lines, start=1):
        try:
            result = _result(line)
            if documents is not None and result.error is None:
                result.to_answer(documents)
        except ValidationError as error:
            problems.append(f"line {number}: {'; '.join(problems_of(error))}")
            continue
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        first = seen.setdefault((result.id, result.repeat), number)
        if first != number:
            problems.append(f"line {number}: line {first} is a result of {result.id!r} too")
        results.append(result)
    if rest and not resumable:
        problems.append(f"line {len(lines) + 1}: the line is incomplete")
    if problems:
        raise damaged(path, problems)
    return results


def read_raw_results(folder: Path) -> list[dict[str, Any]]:
    """Returns the lines of results.jsonl as they are. Raises RunError as `read_results` does."""
    read_results(folder)
    return [from_json(line) for line in _read(folder / RESULTS).splitlines()]


def read_run_questions(folder: Path) -> dict[str, Question]:
    """Returns the questions of a run by id. Raises RunError for a file that is too large.

    Raises QuestionFileError for a file that is missing or damaged.
    """
    path = folder / QUESTIONS
    _check_size(path)
    return {question.id: question for question in read_questions(path)}


def differences(first: Run, second: Run) -> Sequence[str]:
    """Returns why two runs cannot be compared question by question, as sentences."""
    reasons = []
    before = first.provenance.documents
    after = second.provenance.documents
    changed = []
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            changed.append(name)
    if changed:
        reasons.append(f"Their documents differ: {_some(changed)}.")
    if first.provenance.questions.sha256 != second.provenance.questions.sha256:
        reasons.append("Their question files differ: the hashes are not the same.")
    for run, compared in ((first, second), (second, first)):
        missing = sorted(set(compared.ids) - set(run.ids))
        if missing:
            count = len(missing)
            reasons.append(
                f"{run.folder} did not ask {count} of the other's questions: {_some(missing)}."
            )
    return reasons


def damaged(path: Path, problems: Iterable[str]) -> RunError:
    """Returns the error that names a damaged file of a run, and each problem in a line."""
    lines = [f"{path} is damaged. Make a new run:"]
    # What a file says is shown so that it cannot steer the terminal.
    lines += [f"  {visible_line(problem)}" for problem in problems]
    hidden = len(lines) - 1 - _MOST_PROBLEMS
    if hidden > 0:
        lines[1 + _MOST_PROBLEMS :] = [f"  and {hidden} more"]
    return RunError("\n".join(lines))


def problems_of(error: ValidationError) -> list[str]:
    """Returns each problem of a file with the place where it is."""
    problems = []
    for details in error.errors(include_url=False, include_input=False):
        place = ".".join(map(str, details["loc"]))
        problems.append(f"{place}: {details['msg']}" if place else details["msg"])
    return problems


def _read(path: Path) -> bytes:
    """Raises RunError for a file that cannot be read or is too large."""
    _check_size(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}. Make a new run.") from error


def _check_size(path: Path) -> None:
    # Checked before reading, so that a huge file cannot fill the memory.
    most = MOST_BYTES[path.name]
    if path.is_file() and path.stat().st_size > most:
        raise RunError(f"{path} is too large: a run has at most {most:,} bytes there.")


def _why_no_summary(folder: Path) -> str:
    if folder.is_file():
        return f"{folder} is a file. Give the folder that it is in: {folder.parent}"
    if not folder.is_dir():
        return f"{folder} is not a run: there is no such folder."
    if not (folder / RUN).is_file() and not (folder / RESULTS).is_file():
        return f"{folder} is not a run: there is no {SUMMARY}."
    # Some of its answers are there: they are worth more than a new run.
    command = f"python -m eval run --resume {quote(str(folder))}"
    return f"{folder} is a run that did not end. Resume it: {command}"


def _result(line: bytes) -> Result:
    """Raises ValueError for a line that is not a result."""
    # An error has another shape than an answer; its other fields say nothing.
    row = from_json(line)
    if not isinstance(row, dict) or "error" not in row:
        return _RESULT.validate_json(line, strict=True)
    failed = _FAILED.validate_json(line, strict=True)
    return Result(
        id=failed.id,
        question=failed.question,
        standalone_question="",
        answer="",
        abstained=False,
        reason=None,
        confidence=0.0,
        sentences=(),
        passages=(),
        engine="",
        timings={},
        repeat=failed.repeat,
        error=failed.error,
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")


def _has_interval(estimate: Estimate) -> Estimate:
    numbers = (estimate.value, estimate.low, estimate.high)
    if None in numbers and numbers != (None, None, None):
        raise ValueError("a value without an interval, or an interval without a value")
    return estimate


def _in_utc(time: datetime) -> datetime:
    # Runs of several machines are sorted by time, which needs one time zone.
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _FileGroup:
    questions: Count
    errors: Count
    # The file says figures; the code says estimates.
    figures: dict[str, Annotated[Estimate, AfterValidator(_has_interval)]]

    def group(self, by: GroupKind, name: str) -> Group:
        return Group(by, name, self.questions, self.errors, self.figures)


@dataclass(frozen=True, slots=True)
class _FileSummary:
    """What summary.json has beside the provenance."""

    overall: _FileGroup
    scores: dict[str, Scores]
    errors: dict[str, str]
    by_split: dict[str, _FileGroup] = field(default_factory=dict)
    by_kind: dict[str, _FileGroup] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=dict)
    repeats: Repeats = Repeats()
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
class _FilePlan:
    """What run.json has beside the provenance."""

    home: str
    repeat: Annotated[int, Field(ge=1)]
    ids: Annotated[tuple[str, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class _Failed:
    """A line of results.jsonl with an error."""

    id: str
    error: str
    question: str = ""
    repeat: Annotated[int, Field(ge=1)] = 1


_PROVENANCE = TypeAdapter(Provenance)
_SUMMARY = TypeAdapter(_FileSummary)
_PLAN = TypeAdapter(_FilePlan)
_RESULT = TypeAdapter(Result)
_FAILED = TypeAdapter(_Failed)
