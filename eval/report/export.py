"""Runs for other programs: a table for spreadsheets (CSV), results for continuous integration (JUnit XML).

Texts of questions and answers are untrusted. In the table none of them is a formula; in the XML none has a character
that XML cannot hold.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree  # only written, never parsed

from eval.report.cases import Case, Seen
from eval.results import Result
from qa.errors import FootnoteError, NotWritableError

COLUMNS = (
    *(
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
    ),
    *("confidence", "error"),
)
"""Then every score. Empty: not known, or nothing to measure."""
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r\n]")
"""How a text begins that some spreadsheet computes (OWASP, CSV injection; the wide ones too)."""
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
"""A signed number is computed to itself."""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 can hold, not even as a reference."""
_HEAD = 2_000
"""Characters of a file in which its kind is looked for."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is written over only by its like: none of them holds anything that is not made again."""

    words: str
    mark: str
    """What each begins with, or holds near its begin."""


CSV = Kind("such a table", ",".join(COLUMNS))
JUNIT = Kind("such results", '<testsuites name="footnote evaluation"')


def write(files: Sequence[tuple[Path, str, Kind]]) -> None:
    """Writes all of the texts, or none where one of the files is there and of another kind, or is named twice.

    Raises FootnoteError for such a file, and NotWritableError.
    """
    paths = [path.absolute() for path, _, _ in files]
    for path, _, kind in files:
        if paths.count(path.absolute()) > 1:
            raise FootnoteError(f"{path} cannot be two files. Give each another name.")
        if not path.absolute().parent.is_dir():
            raise FootnoteError(
                f"{path} cannot be written: there is no folder {path.parent}. Make it first."
            )
        if path.is_file() and path.stat().st_size and kind.mark not in _head(path):
            raise FootnoteError(
                f"{path} is there already and is not {kind.words}. Remove it, or give another name."
            )
    for path, text, _ in files:
        try:
            # Half a surrogate pair, which JSON can spell, no file can hold.
            path.write_bytes(text.encode("utf-8", "replace"))
        except OSError as error:
            raise NotWritableError(
                f"{path} cannot be written: {error.strerror}. Give another name."
            ) from error


def as_csv(runs: Sequence[Seen], names: Sequence[str]) -> str:
    """A row for each question and run, and for each repeat of it (RFC 4180). Scores of repeats are their question's.

    A text that a spreadsheet would compute has an apostrophe before it; numbers are numbers.
    """
    every = dict.fromkeys(name for seen in runs for case in seen.cases for name in case.scores)
    measures = [name for name in every if name not in COLUMNS]
    written = StringIO(newline="")
    table = csv.writer(written)
    table.writerow([*COLUMNS, *map(_safe, measures)])
    for seen, name in zip(runs, names, strict=True):
        for case in seen.cases:
            scores = [_number(case.scores.get(measure)) for measure in measures]
            table.writerows(
                [*_cells(name, case, reply), *scores] for reply in case.replies or (None,)
            )
    return written.getvalue()


def as_junit(runs: Sequence[Seen], names: Sequence[str]) -> str:
    """A suite for each run and a case for each question: passed, failed, broken (error) or not scored (skipped)."""
    root = ElementTree.Element(
        "testsuites", _counts("footnote evaluation", [c for seen in runs for c in seen.cases])
    )
    for seen, name in zip(runs, names, strict=True):
        finished = {"timestamp": seen.run.finished.isoformat()} if seen.run.finished else {}
        suite = ElementTree.SubElement(root, "testsuite", _counts(name, seen.cases) | finished)
        suite.extend(_testcase(case) for case in seen.cases)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _head(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise NotWritableError(
            f"{path} cannot be read: {error.strerror}. Give another name."
        ) from error


def _cells(run: str, case: Case, reply: Result | None) -> Iterator[str]:
    question = case.question
    answered = reply if reply is not None and reply.error is None else None
    error = reply.error if reply is not None else case.error
    yield _safe(run)
    yield _safe(case.id)
    yield str(reply.repeat) if reply is not None else ""
    yield _safe(case.text)
    yield _safe(question.kind if question else "")
    yield question.split if question else ""
    yield _truth(case.answerable)
    yield case.ending
    yield _truth(answered.abstained if answered else None)
    yield _safe(answered.answer if answered else "")
    yield _number(answered.confidence if answered else case.scores.get("confidence"))
    yield _safe(error or "")


def _safe(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


def _truth(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _counts(name: str, cases: Sequence[Case]) -> dict[str, str]:
    endings = [case.ending for case in cases]
    errors, skipped = endings.count("error"), endings.count("not scored")
    failures = len(endings) - errors - skipped - endings.count("right")
    return {
        "name": _xml(name),
        "tests": str(len(cases)),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(skipped),
        "time": f"{sum(map(_seconds, cases)):.3f}",
    }


def _testcase(case: Case) -> ElementTree.Element:
    kind = case.question.kind if case.question else "question"
    found = ElementTree.Element(
        "testcase",
        {"classname": _xml(kind), "name": _xml(case.id), "time": f"{_seconds(case):.3f}"},
    )
    if case.ending == "not scored":
        ElementTree.SubElement(found, "skipped", {"message": "nothing to measure"})
    elif case.failed:
        tag = "error" if case.ending == "error" else "failure"
        message = _xml(_reason(case))
        told = ElementTree.SubElement(found, tag, {"message": message, "type": case.ending})
        told.text = _xml(_account(case))
    return found


def _seconds(case: Case) -> float:
    """What the question took, all repeats together."""
    if not case.replies:
        return case.scores.get("seconds") or 0.0
    return sum(reply.timings.get("total", 0.0) for reply in case.replies)


def _reason(case: Case) -> str:
    if case.ending != "error":
        return case.ending
    broken = next((reply.error for reply in case.replies if reply.error is not None), case.error)
    return broken or "error"


def _account(case: Case) -> str:
    """What was asked, answered and accepted, a line each; of repeats a few."""
    lines = [f"Question: {case.text}"]
    for reply in islice(case.replies, 5):
        said = "Refused" if reply.abstained else "Answered"
        lines.append(
            f"Error: {reply.error}"
            if reply.error is not None
            else f"{said} (confidence {reply.confidence:.2f}): {reply.answer}"
        )
    if case.question and case.question.answerable:
        lines += [f"Accepted: {answer}" for answer in case.question.answers]
        lines += [f"Gold: {quote}" for quote in case.question.evidence]
    if case.answerable is False:
        lines.append("Right: a refusal, since the documents do not answer it")
    return "\n".join(lines)


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
