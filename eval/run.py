"""One run: ask every question and write each answer at once, so that a run can be resumed.

OUT/run.json        what is asked, of which documents and with which settings, written first
OUT/questions.jsonl the questions, as they were
OUT/results.jsonl   one answer a line: the question's id, then `Answer.as_json`, or an error
OUT/summary.json    run.json, all estimates, and the scores of each question; written last
OUT/report.html     the same to look at, with each failed question

A question that is asked again has another line with `repeat`, from 2. `eval.results` reads the
files back.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from eval.dataset import Gold, Question, check_evidence
from eval.files import open_to_append, replace_file
from eval.metrics import scores
from eval.metrics.example import Example
from eval.repeats import mean_outcome, summarize_repeats
from eval.report.html import write_report
from eval.results import QUESTIONS, RESULTS, RUN, SUMMARY, read_results
from eval.run_schema import Group, Result
from eval.summary import Outcome, cluster, groups
from qa.errors import FootnoteError, NotWritableError, RunError
from qa.terminal import escaped_line
from qa.types import Answer, Document, Turn

Task = tuple[Question, int]
"""A question, and which repeat of it, from 1."""
Documents = Mapping[str, Document]
"""Documents by name."""
_log = logging.getLogger(__name__)


class EvaluatedBot(Protocol):
    """What is evaluated: `qa.bot.Bot`, or a fake."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer: ...


def create_run_folder(out: Path) -> Path:
    """Returns the folder, made if it is missing. Raises FootnoteError if it is not empty."""
    for parent in out.absolute().parents:
        if parent.is_file():
            raise FootnoteError(
                f"{out} cannot be made: {parent} is a file. Give another folder: --out DIR"
            )

    with writing(out):
        is_empty = out.is_dir() and not any(out.iterdir())
        if out.exists() and not is_empty:
            raise FootnoteError(
                f"{out} is there already. Remove it, or give another folder: --out DIR"
            )
        out.mkdir(parents=True, exist_ok=True)
    return out


def start(out: Path, plan: Mapping[str, Any], questions: bytes) -> None:
    """Writes OUT/questions.jsonl and OUT/run.json: from then on the run can be resumed."""
    with writing(out):
        replace_file(out / QUESTIONS, questions)
        _write(out / RUN, plan)


def run(
    questions: Sequence[Question],
    bot: EvaluatedBot,
    documents: Sequence[Document],
    out: Path,
    repeat: int = 1,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[list[Outcome]]:
    """Asks all questions in order, `repeat` times over, and writes OUT/results.jsonl.

    If OUT/results.jsonl exists, continues after its last whole line. `documents`: the library of
    the bot. `on_progress` gets the number of answers so far. Returns the outcomes of each
    question; an exception is the outcome of its question and does not end the run. Raises
    QuestionFileError for evidence that is not in the documents and RunError for results of another
    run, both before any question is asked, and NotWritableError.
    """
    gold = check_evidence(questions, documents)
    library = {document.name: document for document in documents}
    outcomes: dict[str, list[Outcome]] = {key: [] for key in gold}
    # The whole set before any repeat: a run that is cut short has each question once.
    tasks: list[Task] = []
    for number in range(1, repeat + 1):
        for question in questions:
            tasks.append((question, number))

    with writing(out), _locked(out):
        # A run that is resumed scores what it has, and asks the rest.
        results = _read_earlier(out, tasks, library)
        count = len(results)
        for result, task in zip(results, tasks, strict=False):
            question, _ = task
            outcome = _replay(result, question, gold[question.id], library)
            outcomes[question.id].append(outcome)
        on_progress(count)

        with open_to_append(out / RESULTS) as file:
            for question, number in tasks[count:]:
                outcome, line = _ask(question, gold[question.id], bot, library, number)
                # On disk before the next question: what was answered survives a crash.
                file.write(line + b"\n")
                file.flush()
                outcomes[question.id].append(outcome)
                count += 1
                on_progress(count)
    return list(outcomes.values())


def finish(
    outcomes: Sequence[Sequence[Outcome]],
    documents: Sequence[Document],
    plan: Mapping[str, Any],
    out: Path,
) -> tuple[list[Group], dict[str, Any]]:
    """Writes OUT/summary.json and OUT/report.html. Returns the groups and the summary.

    `outcomes`: what `run` returned; `plan`: the content of OUT/run.json. Raises NotWritableError.
    """
    means = list(map(mean_outcome, outcomes))
    gold = check_evidence([outcome.question for outcome in means], documents)
    clusters = {}
    errors = {}
    scores_by_id = {}
    for outcome in means:
        key = outcome.question.id
        clusters[key] = cluster(outcome.question, gold[key])
        if outcome.error is None:
            scores_by_id[key] = dict(outcome.scores)
        else:
            errors[key] = outcome.error

    overall, *parts = groups(means, clusters)
    by_split = {}
    by_kind = {}
    for group in parts:
        if group.by == "split":
            by_split[group.name] = group.as_json()
        else:
            by_kind[group.name] = group.as_json()
    summary = {
        **plan,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "overall": overall.as_json(),
        "by_split": by_split,
        "by_kind": by_kind,
        "repeats": summarize_repeats(outcomes).as_json(),
        "errors": errors,
        "scores": scores_by_id,
        "clusters": clusters,
    }
    with writing(out):
        _write(out / SUMMARY, summary)
    write_report(out)
    return [overall, *parts], summary


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Raises NotWritableError for what goes wrong in a folder."""
    try:
        yield
    except OSError as error:
        raise NotWritableError(
            f"{out} cannot be written: {error.strerror}. Give another folder: --out DIR"
        ) from error


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Raises RunError in a second process that works on the same run."""
    path = out / f"{RESULTS}.lock"
    try:
        with FileLock(path, timeout=0):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
    except Timeout as error:
        raise RunError(f"Another program is at work on {out}. Wait for it, or stop it.") from error


def _read_earlier(out: Path, tasks: Sequence[Task], library: Documents) -> list[Result]:
    """Returns the results that are there, and cuts an incomplete last line off.

    Raises RunError unless they are the results of the first tasks.
    """
    path = out / RESULTS
    if not path.exists():
        return []
    results = read_results(out, library, resumable=True)
    if len(results) > len(tasks):
        counts = f"{len(results)} results for {len(tasks)} questions"
        raise RunError(f"{path} has {counts}. Make a new run.")

    for line, result in enumerate(results, start=1):
        question, number = tasks[line - 1]
        if result.id != question.id or result.repeat != number:
            raise RunError(
                f"{path}, line {line}, is not a result of {escaped_line(question.id)}. "
                "Make a new run."
            )

    with open_to_append(path) as file:
        file.seek(0)
        content = file.read()
        # Without any newline this is 0: the only line is incomplete.
        end_of_last_line = content.rfind(b"\n") + 1
        file.truncate(end_of_last_line)
    return results


def _replay(
    result: Result, question: Question, gold: Sequence[Gold], library: Documents
) -> Outcome:
    """Returns the outcome of an earlier answer, scored as if it had just been given."""
    if result.error is not None:
        return Outcome(question, error=result.error)
    return _score(question, gold, result.to_answer(library), library)


def _ask(
    question: Question,
    gold: Sequence[Gold],
    bot: EvaluatedBot,
    library: Documents,
    number: int,
) -> tuple[Outcome, bytes]:
    """Returns the outcome of a question, and its line in the results."""
    row: dict[str, Any] = {"id": question.id}
    if number > 1:
        row["repeat"] = number
    try:
        answer = bot.ask(question.question, question.history)
        # Inside the try: a confidence that is not a number, say, cannot be written as JSON.
        line = _dumped({**row, **answer.as_json()}).encode("utf-8")
    except Exception as error:  # noqa: BLE001  # recorded and counted; the run continues
        message = f"{type(error).__name__}: {error}"
        # A message may hold half a surrogate pair, which no file can.
        message = message.encode("utf-8", "backslashreplace").decode()
        _log.error("%s broke: %s", question.id, message)
        _log.info("%s", question.id, exc_info=True)
        row |= {"question": question.question, "error": message}
        return Outcome(question, error=message), _dumped(row).encode("utf-8")
    # Outside the try: a metric that breaks is a defect of ours, not an outcome of the question.
    return _score(question, gold, answer, library), line


def _score(question: Question, gold: Sequence[Gold], answer: Answer, library: Documents) -> Outcome:
    example = Example(question, gold, answer, library)
    return Outcome(question, answer, scores=scores(example))


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file in one step: a folder with a summary is a run that ended."""
    parts = []
    for key, value in content.items():
        # The scores have a line a question: a baseline in a repository is small and readable.
        text = _dumped_by_question(value) if key == "scores" else _dumped(value, indent=1)
        parts.append(f"{_dumped(key)}: {text}")
    joined = ",\n".join(parts)

    replace_file(path, f"{{\n{joined}\n}}\n".encode())


def _dumped_by_question(rows: Mapping[str, Any]) -> str:
    lines = [f" {_dumped(key)}: {_dumped(row)}" for key, row in rows.items()]
    joined = ",\n".join(lines)
    return f"{{\n{joined}\n}}"


def _dumped(value: Any, indent: int | None = None) -> str:
    """Raises ValueError for numbers that JSON does not have."""
    return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
