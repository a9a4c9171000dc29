"""The files of a run, read back and checked.

    plan = read_plan(folder)               # run.json: what the run was started with
    run = read_run(folder)                 # summary.json: estimates, and the scores by question
    results = read_results(folder)         # results.jsonl: what the bot answered, a line each
    questions = read_run_questions(folder) # questions.jsonl: the questions, by id

`eval.run` writes these files; `eval.run_schema` has their types. A baseline may be a summary.json
alone. Nothing in a file is trusted: each function raises RunError that names the file and what is
wrong in it. `eval.evidence` says at which rank a result has its evidence.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from eval.dataset import MAX_QUESTION_FILE, Question, read_questions
from eval.files import (
    MAX_FILE_VALUES,
    MAX_LINE_VALUES,
    MAX_LISTED,
    MAX_PROBLEMS,
    check_values,
    numbered_lines,
    read_file,
)
from eval.run_schema import FailedResult, FilePlan, FileSummary, Plan, Provenance, Result, Run
from qa.errors import RunError
from qa.terminal import escaped_line, visible_line
from qa.types import Document

RUN = "run.json"
RESULTS = "results.jsonl"
SUMMARY = "summary.json"
REPORT = "report.html"
QUESTIONS = "questions.jsonl"
MAX_BYTES: Mapping[str, int] = {
    RUN: 64 * 2**20,
    SUMMARY: 64 * 2**20,
    QUESTIONS: MAX_QUESTION_FILE,
    RESULTS: 256 * 2**20,
}
"""Larger files are not read: a run may come from anywhere."""

_MAX_SHOWN = 20
"""Problems of one file that an error names."""
_MAX_PROBLEM = 1_000
"""Characters of a problem that an error shows."""

_PROVENANCE = TypeAdapter(Provenance)
_SUMMARY = TypeAdapter(FileSummary)
_PLAN = TypeAdapter(FilePlan)
_RESULT = TypeAdapter(Result)
_FAILED = TypeAdapter(FailedResult)


def read_run(folder: Path) -> Run:
    """Returns the run of a folder. Raises RunError if it did not end or its summary is damaged."""
    path = folder / SUMMARY
    if not path.is_file():
        raise RunError(_why_no_summary(folder))
    raw = _read(path)
    try:
        check_values(raw, MAX_FILE_VALUES)
        # Each of the two ignores the keys of the other. Strict: "0.5" and True are not numbers.
        provenance = _PROVENANCE.validate_json(raw, strict=True)
        summary = _SUMMARY.validate_json(raw, strict=True)
    except ValueError as error:
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
        check_values(raw, MAX_FILE_VALUES)
        provenance = _PROVENANCE.validate_json(raw, strict=True)
        plan = _PLAN.validate_json(raw, strict=True)
    except ValueError as error:
        raise damaged(path, problems_of(error)) from error
    return Plan(provenance, plan.home, plan.repeat, plan.ids)


def read_results(
    folder: Path, documents: Mapping[str, Document] | None = None, resumable: bool = False
) -> list[Result]:
    """Returns the lines of results.jsonl, in the order asked.

    `documents`: also check that the passages are in these documents, by name. `resumable`: leave
    out an incomplete last line, which an interrupted run may have. Raises RunError that names
    the bad lines; after 100 problems, no more lines are read.
    """
    path = folder / RESULTS
    results: list[Result] = []
    # Several problems are collected: who repairs a file by hand wants to know them at once.
    problems: list[str] = []
    seen: dict[tuple[str, int], int] = {}
    for number, line in numbered_lines(_read(path)):
        if len(problems) > MAX_PROBLEMS:
            break
        # Only the last line can be without its end.
        if not line.endswith(b"\n"):
            if not resumable:
                problems.append(f"line {number}: the line is incomplete")
            break
        try:
            result = _result(line)
            if documents is not None and result.error is None:
                result.to_answer(documents)
        except ValueError as error:
            problems.append(f"line {number}: {'; '.join(problems_of(error))}")
            continue
        first = seen.setdefault((result.id, result.repeat), number)
        if first != number:
            problems.append(f"line {number}: line {first} is a result of {result.id!r} too")
        results.append(result)
    if problems:
        raise damaged(path, problems)
    return results


def read_raw_results(folder: Path) -> list[dict[str, Any]]:
    """Returns the lines of results.jsonl as they are. Raises RunError as `read_results` does."""
    read_results(folder)
    return [from_json(line) for _, line in numbered_lines(_read(folder / RESULTS))]


def read_run_questions(folder: Path) -> dict[str, Question]:
    """Returns the questions of a run by id.

    Raises QuestionFileError for a file that is missing, damaged or too large.
    """
    return {question.id: question for question in read_questions(folder / QUESTIONS)}


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


def damaged(path: Path, problems: Sequence[str]) -> RunError:
    """Returns the error that names a damaged file of a run, and each problem in a line."""
    lines = [f"{path} is damaged. Make a new run:"]
    for problem in problems[:_MAX_SHOWN]:
        # What a file says is shown so that it cannot steer the terminal.
        lines.append(f"  {visible_line(problem)[:_MAX_PROBLEM]}")
    hidden = len(problems) - _MAX_SHOWN
    if hidden > 0:
        lines.append(f"  and {hidden} more")
    return RunError("\n".join(lines))


def problems_of(error: ValueError) -> list[str]:
    """Returns the problems of a file, each with the path of its field."""
    if not isinstance(error, ValidationError):
        return [str(error)]
    if error.error_count() > MAX_LISTED:
        return [f"{error.error_count()} values are not what they must be"]
    problems = []
    for details in error.errors(include_url=False, include_input=False):
        field_path = ".".join(map(str, details["loc"]))
        message = details["msg"]
        problems.append(f"{field_path}: {message}" if field_path else message)
    return problems


def _read(path: Path) -> bytes:
    """Raises RunError for a file that cannot be read or is too large."""
    try:
        return read_file(path, MAX_BYTES[path.name])
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}. Make a new run.") from error


def _why_no_summary(folder: Path) -> str:
    if folder.is_file():
        return f"{folder} is a file. Give the folder that it is in: {folder.parent}"
    if not folder.is_dir():
        return f"{folder} is not a run: there is no such folder."
    if not (folder / RUN).is_file() and not (folder / RESULTS).is_file():
        return f"{folder} is not a run: there is no {SUMMARY}."
    # Some of its answers are there: they are worth more than a new run.
    command = f"footnote eval run --resume {quote(str(folder))}"
    return f"{folder} is a run that did not end. Resume it: {command}"


def _result(line: bytes) -> Result:
    """Raises ValueError for a line that is not a result."""
    check_values(line, MAX_LINE_VALUES)
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
    shown = ", ".join(map(escaped_line, names[:5]))
    return f"{shown} and others" if len(names) > 5 else shown
