"""Runs as they lie on disk, read back: `python -m eval run` writes them, and nothing in them is trusted.

`read_run` takes summary.json alone, which is what comparing needs, and what a baseline in a repository holds;
`read_rows` and `read_asked` bring the answers and the questions of the run, for who looks at them one by one.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from eval.dataset import Question, read_questions
from qa.errors import RunError

RUN, RESULTS, SUMMARY, REPORT, QUESTIONS = (
    "run.json",
    "results.jsonl",
    "summary.json",
    "report.html",
    "questions.jsonl",
)
LARGEST = 1e15
"""No score is larger: neither seconds nor tokens are so many."""
Row = Mapping[str, Any]
"""A line of results.jsonl: `Answer.as_json` or an `error`, with `id`, and with `repeat` where that is not 1."""
Scores = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ended."""

    folder: Path
    about: Mapping[str, Any]
    """What was measured, on what and with what (`eval.provenance.about`), and the figures as summary.json has them."""
    scores: Mapping[str, Scores]
    """By question id and measure, in the order asked: of the questions that did not break."""
    errors: Mapping[str, str]
    """By question id."""
    clusters: Mapping[str, str]
    """By question id: questions of one cluster are not independent."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The ids of all questions."""
        return (*self.scores, *self.errors)

    @property
    def documents(self) -> Mapping[str, str]:
        """Versions by name."""
        found: Mapping[str, str] = self.about["documents"]
        return found


def read_run(folder: Path) -> Run:
    """Raises RunError for a folder without a run that ended, with everything that is wrong with it."""
    path = folder / SUMMARY
    if not path.is_file():
        raise RunError(_cut_off(folder))
    try:
        summary = json.loads(path.read_bytes().decode("utf-8"), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: {error}. Make the run again.") from error
    problems = list(_summary_problems(summary))
    if problems:
        raise RunError(
            "\n".join(
                [f"{path} is damaged. Make the run again:", *(f"  {one}" for one in problems)]
            )
        )
    return Run(folder, summary, summary["scores"], summary["errors"], summary.get("clusters", {}))


def read_rows(folder: Path) -> dict[str, list[Row]]:
    """The lines of results.jsonl by question id, in the order asked; the repeats of a question in theirs.

    Raises RunError that names every bad line.
    """
    found: dict[str, list[Row]] = {}
    for row in read_lines(folder):
        found.setdefault(row["id"], []).append(row)
    return found


def read_lines(folder: Path, whole: bool = True) -> list[Row]:
    """The lines of results.jsonl; a last one that was cut off is left out unless the run is to be `whole`.

    Raises RunError that names every bad line.
    """
    path = folder / RESULTS
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}. Make the run again.") from error
    last = lines.pop()
    found, problems = [], []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_row(line))
        except (ValueError, RecursionError) as error:
            problems.append(f"  line {number}: {error}")
    if last and whole:
        problems.append(f"  line {len(lines) + 1}: it was cut off")
    if problems:
        raise RunError("\n".join([f"{path} is damaged. Make the run again:", *problems]))
    return found


def read_asked(folder: Path) -> dict[str, Question]:
    """The questions of a run by id, as its folder has them. Raises QuestionFileError."""
    return {question.id: question for question in read_questions(folder / QUESTIONS)}


def _cut_off(folder: Path) -> str:
    if folder.is_file():
        return f"{folder} is a file. Give the folder that it is in: {folder.parent}"
    if not folder.is_dir():
        return f"{folder} is no run: there is no such folder."
    if not (folder / RUN).is_file() and not (folder / RESULTS).is_file():
        return f"{folder} holds no run: there is no {SUMMARY}."
    return f"{folder} holds a run that did not end. Go on with it: python -m eval run --resume {quote(str(folder))}"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _row(line: bytes) -> Row:
    """Raises ValueError for what is no result."""
    row = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise ValueError("no result with an id")
    lacking = (
        []
        if "error" in row
        else [key for key in _ANSWER if not isinstance(row.get(key), _ANSWER[key])]
    )
    if lacking:
        raise ValueError(f"{row['id']} has no good {', '.join(lacking)}")
    return row


_ANSWER: Mapping[str, type] = {
    "question": str,
    "standalone_question": str,
    "answer": str,
    "abstained": bool,
    "sentences": list,
    "passages": list,
    "engine": str,
    "timings": dict,
}


def _summary_problems(summary: Any) -> Iterable[str]:
    if not isinstance(summary, dict):
        yield "it is no object"
        return
    if not _texts(summary.get("clusters", {})):
        yield '"clusters" is not an object of texts by question'
    for key, (fits, words) in _SUMMARY.items():
        if not fits(summary.get(key)):
            yield f'"{key}" is not {words}'


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        one is None
        or (isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= LARGEST)
        for one in value.values()
    )


def _scored(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_numbers, value.values()))


def _source(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("sha256"), str)


_SUMMARY: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "questions": (_source, "an object with the sha256 of the question file"),
    "documents": (_texts, "an object of versions by document"),
    "settings": (lambda value: isinstance(value, dict), "an object"),
    "scores": (_scored, "an object of numbers by question and measure"),
    "errors": (_texts, "an object of texts by question"),
    "overall": (
        lambda value: isinstance(value, dict) and isinstance(value.get("figures"), dict),
        "a group of figures",
    ),
}


def differences(first: Run, second: Run) -> Sequence[str]:
    """What keeps two runs from being compared question by question, in sentences; none: nothing does."""
    found = []
    names = first.documents.keys() | second.documents.keys()
    if changed := sorted(
        name for name in names if first.documents.get(name) != second.documents.get(name)
    ):
        found.append(
            f"Their documents differ: {', '.join(changed[:5])}{' and others' if len(changed) > 5 else ''}."
        )
    if first.about["questions"]["sha256"] != second.about["questions"]["sha256"]:
        found.append("Their questions were not the same: the files' hashes differ.")
    one, other = set(first.asked), set(second.asked)
    for lacking, run in ((other - one, first), (one - other, second)):
        if lacking:
            shown = ", ".join(sorted(lacking)[:5]) + (" and others" if len(lacking) > 5 else "")
            found.append(
                f"{run.folder} did not ask {len(lacking)} of the other's questions: {shown}."
            )
    return found
