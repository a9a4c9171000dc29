"""One run: every question is asked, and what came of it is written as it goes, so that a run that was cut off goes on.

OUT/run.json        what is asked, of what and with what: written before the first question
OUT/questions.jsonl the questions, as they were
OUT/results.jsonl   one answer a line (`Answer.as_json` after the question's id), or the error in place of it; asked
                    again, the same with `repeat`, from 2
OUT/summary.json    run.json, all figures, and the scores by question for paired comparison: a run that ended has it
OUT/report.html     the same to look at, with each failed question
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, Protocol

from filelock import FileLock, Timeout

from eval.dataset import Gold, Question, check_evidence
from eval.metrics import scores
from eval.metrics.example import Example
from eval.report.html import write_report
from eval.results import QUESTIONS, RESULTS, RUN, SUMMARY, Group, Repeats, Result, read_results
from eval.summary import Outcome, cluster, groups
from qa.errors import FootnoteError, NotWritableError, RunError
from qa.types import Answer, Document, Turn

_log = logging.getLogger(__name__)


class Asked(Protocol):
    """What is evaluated: `qa.bot.Bot`, or a fake."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer: ...


def create_run_folder(out: Path) -> Path:
    """The folder, made where there is none. Raises FootnoteError if it holds anything: no run is overwritten."""
    if below := [str(one) for one in out.absolute().parents if one.is_file()]:
        raise FootnoteError(
            f"{out} cannot be made: {below[0]} is a file. Give another folder: --out DIR"
        )
    with writing(out):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FootnoteError(
                f"{out} is there already. Remove it, or give another folder: --out DIR"
            )
        out.mkdir(parents=True, exist_ok=True)
    return out


def begin(out: Path, told: Mapping[str, Any], questions: bytes) -> None:
    """Writes OUT/questions.jsonl and OUT/run.json, with `told`: a folder with that one can be gone on with."""
    with writing(out):
        (out / QUESTIONS).write_bytes(questions)
        _write(out / RUN, told)


def run(
    questions: Sequence[Question],
    bot: Asked,
    documents: Sequence[Document],
    out: Path,
    repeat: int = 1,
    tell: Callable[[int], None] = lambda _: None,
) -> list[list[Outcome]]:
    """Asks each question, in order, `repeat` times over, and writes OUT/results.jsonl, a line as soon as it is known.

    Goes on after the last whole line of one that is there. `documents`: the bot's library. `tell` is given the number
    of answers there are. An exception from one question is its outcome and does not end the run. Gives the outcomes
    of each question, in order. Raises QuestionFileError for evidence that is not in the documents, RunError for
    results of something else, both before anything is asked, and NotWritableError.
    """
    gold = check_evidence(questions, documents)
    library = {document.name: document for document in documents}
    wanted = [(question, number) for number in range(1, repeat + 1) for question in questions]
    outcomes: dict[str, list[Outcome]] = {question.id: [] for question in questions}
    with writing(out), _alone(out):
        done = _replayed(_done(out, wanted, library), wanted, gold, library)
        for outcome in done:
            outcomes[outcome.question.id].append(outcome)
        tell(len(done))
        with (out / RESULTS).open("ab") as results:
            for count, (question, number) in enumerate(wanted[len(done) :], start=len(done) + 1):
                outcome, line = _asked(question, gold[question.id], bot, library, number)
                results.write(line + b"\n")
                results.flush()
                outcomes[question.id].append(outcome)
                tell(count)
    return list(outcomes.values())


def finish(
    outcomes: Sequence[Sequence[Outcome]],
    documents: Sequence[Document],
    told: Mapping[str, Any],
    out: Path,
) -> tuple[list[Group], dict[str, Any]]:
    """Writes OUT/summary.json and OUT/report.html; gives the figures, and the summary. Raises NotWritableError.

    `outcomes`: what `run` gave; `told`: what OUT/run.json holds.
    """
    of_each = [_together(own) for own in outcomes]
    gold = check_evidence([outcome.question for outcome in of_each], documents)
    clusters = {
        outcome.question.id: cluster(outcome.question, gold[outcome.question.id])
        for outcome in of_each
    }
    found = groups(of_each, clusters)
    repeats = _repeats(outcomes)
    summary = {
        **told,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "overall": found[0].as_json(),
        "by_split": {group.name: group.as_json() for group in found if group.by == "split"},
        "by_kind": {group.name: group.as_json() for group in found if group.by == "kind"},
        "repeats": {
            "count": repeats.count,
            "changed": repeats.changed,
            "spread": dict(repeats.spread),
        },
        "errors": {
            outcome.question.id: outcome.error for outcome in of_each if outcome.error is not None
        },
        "scores": {
            outcome.question.id: dict(outcome.scores)
            for outcome in of_each
            if outcome.error is None
        },
        "clusters": clusters,
    }
    with writing(out):
        _write(out / SUMMARY, summary)
    write_report(out)
    return found, summary


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keeps a second process from going on with the same run. Raises RunError in that one."""
    path = out / f"{RESULTS}.lock"
    try:
        with FileLock(path, timeout=0):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
    except Timeout as error:
        raise RunError(f"Another program is at work on {out}. Wait for it, or stop it.") from error


def _done(
    out: Path, wanted: Sequence[tuple[Question, int]], library: Mapping[str, Document]
) -> list[Result]:
    """The results there are, which are of the first questions wanted; what was cut off of a last line goes."""
    path = out / RESULTS
    if not path.is_file():
        return []
    rows = read_results(out, library, resumable=True)
    for line, (row, (question, number)) in enumerate(zip(rows, wanted, strict=False), start=1):
        if (row.id, row.repeat) != (question.id, number):
            raise RunError(
                f"{path}, line {line}, is no answer to {question.id}, which comes there. Make a new run."
            )
    if len(rows) > len(wanted):
        raise RunError(
            f"{path} has {len(rows)} results for {len(wanted)} questions. Make a new run."
        )
    with path.open("r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)
    return rows


def _replayed(
    results: Sequence[Result],
    wanted: Sequence[tuple[Question, int]],
    gold: Mapping[str, Sequence[Gold]],
    library: Mapping[str, Document],
) -> list[Outcome]:
    """What came of the first questions wanted, from the results."""
    outcomes = []
    for result, (question, _) in zip(results, wanted, strict=False):
        if result.error is not None:
            outcomes.append(Outcome(question, error=result.error))
        else:
            answer = result.to_answer(library)
            outcomes.append(_scored(question, gold[question.id], answer, library))
    return outcomes


def _asked(
    question: Question,
    gold: Sequence[Gold],
    bot: Asked,
    library: Mapping[str, Document],
    number: int,
) -> tuple[Outcome, bytes]:
    """What came of a question, and its line in the results."""
    head = {"id": question.id} | ({"repeat": number} if number > 1 else {})
    try:
        answer = bot.ask(question.question, question.history)
        line = _line({**head, **answer.as_json()})
    except Exception as error:  # noqa: BLE001  # an outcome: recorded, counted, and the other questions go on
        told = f"{type(error).__name__}: {error}"
        _log.error("%s broke: %s", question.id, told)
        _log.info("%s", question.id, exc_info=True)
        return Outcome(question, error=told), _line(
            {**head, "question": question.question, "error": told}
        )
    # Outside of the try: a measure that breaks is our own defect and no outcome of the question.
    return _scored(question, gold, answer, library), line


def _scored(
    question: Question, gold: Sequence[Gold], answer: Answer, library: Mapping[str, Document]
) -> Outcome:
    values = scores(Example(question, gold, answer, library))
    return Outcome(question, answer, scores=values)


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of a question that was asked several times: the mean of each score; broken if it broke once."""
    broken = next((outcome for outcome in outcomes if outcome.error is not None), None)
    first = broken or outcomes[0]
    return (
        first
        if broken
        else replace(first, scores={name: _mean(outcomes, name) for name in first.scores})
    )


def _mean(outcomes: Sequence[Outcome], measure: str) -> float | None:
    """Of equal values exactly theirs: a sum of floats, divided, need not be."""
    values = _values(outcomes, measure)
    if len(set(values)) == 1:
        return values[0]
    return fmean(values) if values else None


def _values(outcomes: Sequence[Outcome], measure: str) -> list[float]:
    return [value for outcome in outcomes if (value := outcome.scores.get(measure)) is not None]


def _repeats(outcomes: Sequence[Sequence[Outcome]]) -> Repeats:
    count = max(map(len, outcomes), default=0)
    if count < 2:
        return Repeats(count, 0, {})
    changed = sum(
        len({outcome.answer and outcome.answer.text for outcome in own}) > 1 for own in outcomes
    )
    measures = dict.fromkeys(name for own in outcomes for outcome in own for name in outcome.scores)
    within = {
        name: [pstdev(values) for own in outcomes if (values := _values(own, name))]
        for name in measures
    }
    return Repeats(
        count, changed, {name: fmean(values) for name, values in within.items() if values}
    )


def _line(row: Mapping[str, Any]) -> bytes:
    """Raises ValueError for what JSON or UTF-8 cannot say, a confidence that is not a number for one."""
    return _dumped(row).encode("utf-8")


def _write(path: Path, value: Mapping[str, Any]) -> None:
    """In one step: a folder with a plan is a run that was begun, and one with a summary a run that ended."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(_json(value), encoding="utf-8")
    new.replace(path)


def _json(value: Mapping[str, Any]) -> str:
    """An object in lines; the scores have a line a question, so that a baseline is small and can be read."""
    parts = [
        f"{_dumped(key)}: {_by_question(of) if key == 'scores' else _dumped(of, 1)}"
        for key, of in value.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _by_question(rows: Mapping[str, Any]) -> str:
    return (
        "{\n" + ",\n".join(f" {_dumped(key)}: {_dumped(row)}" for key, row in rows.items()) + "\n}"
    )


def _dumped(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)


@contextmanager
def writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritableError(
            f"{out} takes no writes: {error.strerror}. Give another folder: --out DIR"
        ) from error
