"""Runs for other programs: a table (CSV), and results for continuous integration (JUnit XML).

Texts of questions and answers are untrusted: in the table no text is a formula, and in the XML no
text has a character that XML does not allow.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree  # only written, never parsed

from eval.files import open_regular, replace_file
from eval.report.details import QuestionDetails, RunDetails
from eval.run_schema import Result
from qa.errors import FootnoteError, NotWritableError

COLUMNS = (
    "run",
    "id",
    "repeat",
    "question",
    "kind",
    "split",
    "answerable",
    "outcome",
    "abstained",
    "answer",
    "confidence",
    "error",
)
"""The columns before the scores. A cell is empty where the value is not known or not measured."""
_UNSEEN = r"\s\"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
"""Characters that a spreadsheet may leave out at the start of a cell."""
_FORMULA = re.compile(rf"(\A|[;|\t\r\n])([{_UNSEEN}]*[=+\-@＝＋－＠]|[\t\r\n])")
"""The start of a text that a spreadsheet computes (OWASP, CSV injection; with the wide forms).
Where a comma is part of a number, spreadsheets begin a cell at a semicolon, also within quotes."""
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
"""A signed number computes to itself."""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even as a reference."""
_HEAD = 2_000
"""Bytes of a file in which its kind is looked for."""
_MAX_REPEATS = 5
"""Repeats of a question that its test case lists."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that is overwritten only by its own kind: a run can make it again."""

    name: str
    mark: str
    """What a file of this kind has near its start."""
    encoding: str = "utf-8"


# Without a byte order mark, spreadsheets read the letters of UTF-8 as those of another encoding.
CSV = FileKind("a table of questions", ",".join(COLUMNS), encoding="utf-8-sig")
JUNIT = FileKind("a list of test results", '<testsuites name="footnote evaluation"')


def write_files(files: Sequence[tuple[Path, str, FileKind]]) -> None:
    """Writes all texts, or none if a file exists and is of another kind, or is named twice.

    Raises FootnoteError for such a file, and NotWritableError.
    """
    paths: set[Path] = set()
    for path, _, kind in files:
        _check_file(path, kind)
        if path.absolute() in paths:
            raise FootnoteError(f"{path} is given for two files. Give each another name.")
        paths.add(path.absolute())
    for path, text, kind in files:
        try:
            # JSON can spell half a surrogate pair; a file in UTF-8 cannot hold it.
            replace_file(path, text.encode(kind.encoding, "replace"))
        except OSError as error:
            raise NotWritableError(
                f"{path} cannot be written: {error.strerror}. Give another name."
            ) from error


def as_csv(runs: Sequence[RunDetails], names: Sequence[str]) -> str:
    """Returns a row for each run, question and repeat (RFC 4180).

    The scores of a repeat are the means of its question. A text that a spreadsheet would compute
    has an apostrophe before it; numbers are numbers.
    """
    metrics = _metrics_of(runs)
    text = StringIO(newline="")
    table = csv.writer(text)
    table.writerow([*COLUMNS, *map(_safe_cell, metrics)])
    for details, name in zip(runs, names, strict=True):
        for question in details.questions:
            scores = []
            for metric in metrics:
                score = question.scores.get(metric)
                scores.append(_number_cell(score))
            # A question has a row also where the run has no results.
            for result in question.results or (None,):
                cells = _cells(name, question, result)
                table.writerow(cells + scores)
    return text.getvalue()


def as_junit(runs: Sequence[RunDetails], names: Sequence[str]) -> str:
    """Returns a suite for each run and a test case for each question.

    A case passed, failed, had an error, or is skipped because it is not scored.
    """
    every: list[QuestionDetails] = []
    for details in runs:
        every += details.questions
    root = ElementTree.Element("testsuites", _counts("footnote evaluation", every))
    for details, name in zip(runs, names, strict=True):
        attributes = _counts(name, details.questions)
        if details.run.finished:
            attributes["timestamp"] = details.run.finished.isoformat()
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for question in details.questions:
            suite.append(_test_case(question))
    # Each element on a line of its own: such files are read by people, too.
    ElementTree.indent(root)
    xml = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{xml}\n'


def _check_file(path: Path, kind: FileKind) -> None:
    if not path.absolute().parent.is_dir():
        raise FootnoteError(
            f"{path} cannot be written: there is no folder {path.parent}. Make it first."
        )
    if not path.exists():
        return
    try:
        with open_regular(path) as file:
            head = file.read(_HEAD).decode("utf-8", "replace")
    except OSError as error:
        raise NotWritableError(
            f"{path} cannot be read: {error.strerror}. Give another name."
        ) from error
    # Also an empty file: it may mean something to another program.
    if kind.mark not in head:
        raise FootnoteError(
            f"{path} exists and is not {kind.name}. Remove it, or give another name."
        )


def _metrics_of(runs: Sequence[RunDetails]) -> list[str]:
    metrics: dict[str, None] = {}
    for details in runs:
        for question in details.questions:
            metrics |= dict.fromkeys(question.scores)
    return [metric for metric in metrics if metric not in COLUMNS]


def _cells(run: str, details: QuestionDetails, result: Result | None) -> list[str]:
    """Returns the cells of `COLUMNS`; `result` is None where the run has no results."""
    repeat = ""
    abstained: bool | None = None
    answer = ""
    confidence = details.scores.get("confidence")
    error = details.error
    if result is not None:
        repeat = str(result.repeat)
        error = result.error
    if result is not None and result.error is None:
        abstained = result.abstained
        answer = result.answer
        confidence = result.confidence
    return [
        _safe_cell(run),
        _safe_cell(details.id),
        repeat,
        _safe_cell(details.text),
        _safe_cell(details.kind),
        details.split,
        _truth_cell(details.answerable),
        details.outcome,
        _truth_cell(abstained),
        _safe_cell(answer),
        _number_cell(confidence),
        _safe_cell(error or ""),
    ]


def _safe_cell(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(r"\1'\2", text)


def _number_cell(value: float | None) -> str:
    return "" if value is None else repr(value)


def _truth_cell(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _counts(name: str, questions: Sequence[QuestionDetails]) -> dict[str, str]:
    """Returns the attributes of a suite."""
    outcomes = [question.outcome for question in questions]
    errors = outcomes.count("error")
    skipped = outcomes.count("not scored")
    right = outcomes.count("right")
    seconds = sum(map(_seconds, questions))
    return {
        "name": _valid_xml(name),
        "tests": str(len(questions)),
        "failures": str(len(outcomes) - errors - skipped - right),
        "errors": str(errors),
        "skipped": str(skipped),
        "time": f"{seconds:.3f}",
    }


def _test_case(details: QuestionDetails) -> ElementTree.Element:
    attributes = {
        "classname": _valid_xml(details.kind or "question"),
        "name": _valid_xml(details.id),
        "time": f"{_seconds(details):.3f}",
    }
    case = ElementTree.Element("testcase", attributes)
    if details.outcome == "not scored":
        ElementTree.SubElement(case, "skipped", {"message": "nothing to measure"})
    elif details.failed:
        reason = {
            "message": _valid_xml(_message(details)),
            "type": details.outcome,
        }
        # JUnit tells a broken test (error) from one that failed (failure).
        tag = "error" if details.outcome == "error" else "failure"
        failure = ElementTree.SubElement(case, tag, reason)
        failure.text = _valid_xml(_account(details))
    return case


def _seconds(details: QuestionDetails) -> float:
    """Returns how long the question took, all repeats together."""
    if not details.results:
        return details.scores.get("seconds") or 0.0
    return sum(result.timings.get("total", 0.0) for result in details.results)


def _message(details: QuestionDetails) -> str:
    if details.outcome != "error":
        return details.outcome
    for result in details.results:
        if result.error:
            return result.error
    return details.error or "error"


def _account(details: QuestionDetails) -> str:
    """Returns what was asked, answered and expected, a line each."""
    lines = [f"Question: {details.text}"]
    for result in details.results[:_MAX_REPEATS]:
        if result.error is not None:
            lines.append(f"Error: {result.error}")
        else:
            verb = "Refused" if result.abstained else "Answered"
            lines.append(f"{verb} (confidence {result.confidence:.2f}): {result.answer}")
    question = details.question
    if question and question.answerable:
        lines += [f"Accepted: {answer}" for answer in question.answers]
        lines += [f"Gold: {quote}" for quote in question.evidence]
    if details.answerable is False:
        lines.append("Right: a refusal, since the documents do not answer it")
    return "\n".join(lines)


def _valid_xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
