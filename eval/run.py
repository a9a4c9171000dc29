"""One run: every question is asked, and what came of it is written as it goes.

OUT/results.jsonl   one answer a line (`Answer.as_json` after the question's id), or the error in place of it
OUT/summary.json    all figures, and what they were measured on and with; scores by question, for paired comparison
OUT/questions.jsonl the questions, as they were
OUT/report.html     the same to look at, with each failed question
"""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from eval.dataset import Gold, Question, check_evidence
from eval.intervals import RESAMPLES, SEED
from eval.metrics import Example, scores
from eval.report import page
from eval.summary import Group, Outcome, groups
from qa.config import Settings
from qa.errors import FootnoteError, NotWritableError
from qa.prompts import PROMPT_VERSION
from qa.types import Answer, Document, Turn

RESULTS, SUMMARY, REPORT, QUESTIONS = "results.jsonl", "summary.json", "report.html", "questions.jsonl"
PACKAGES = (
    "footnote-qa",
    *("bm25s", "chromadb", "llama-index-core", "numpy", "scikit-learn", "sentence-transformers", "torch"),
    "transformers",
)
"""Their versions go with the figures."""
_log = logging.getLogger(__name__)


class Asked(Protocol):
    """What is evaluated: `qa.bot.Bot`, or a fake."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer: ...


def new_folder(out: Path) -> Path:
    """The folder, made where there is none. Raises FootnoteError if it holds anything: no run is overwritten."""
    with _writing(out):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FootnoteError(f"{out} is there already. Remove it, or give another folder: --out DIR")
        out.mkdir(parents=True, exist_ok=True)
    return out


def run(
    questions: Sequence[Question],
    bot: Asked,
    documents: Sequence[Document],
    out: Path,
    tell: Callable[[int], None] = lambda _: None,
) -> list[Outcome]:
    """Asks each question, in order, and writes OUT/results.jsonl, a line as soon as it is known.

    `documents`: the bot's library. `tell` is given the number of questions asked so far. An exception from one
    question is its outcome and does not end the run. Raises QuestionFileError for evidence that is not in the
    documents, before anything is asked, and NotWritableError.
    """
    gold = check_evidence(questions, documents)
    library = {document.name: document for document in documents}
    outcomes = []
    with _writing(out), (out / RESULTS).open("xb") as results:
        for number, question in enumerate(questions, start=1):
            outcome, line = _asked(question, gold[question.id], bot, library)
            results.write(line + b"\n")
            results.flush()
            outcomes.append(outcome)
            tell(number)
    return outcomes


def write_summary(outcomes: Sequence[Outcome], about: Mapping[str, Any], out: Path) -> tuple[list[Group], str]:
    """Writes OUT/summary.json and OUT/report.html; gives the figures, and the summary's text.

    `about` says what was measured on what (see `about`). Raises NotWritableError.
    """
    found = groups(outcomes)
    summary = {
        **about,
        "overall": found[0].as_json(),
        "by_split": {group.name: group.as_json() for group in found if group.by == "split"},
        "by_kind": {group.name: group.as_json() for group in found if group.by == "kind"},
        "errors": {outcome.question.id: outcome.error for outcome in outcomes if outcome.error is not None},
        "scores": {outcome.question.id: dict(outcome.scores) for outcome in outcomes if outcome.error is None},
    }
    text = json.dumps(summary, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    with _writing(out):
        (out / REPORT).write_text(page(found, outcomes, about), encoding="utf-8")
        (out / SUMMARY).write_text(text, encoding="utf-8")  # last: a folder with a summary is a run that ended
    return found, text


def about(settings: Settings, documents: Sequence[Document], questions: Mapping[str, Any]) -> dict[str, Any]:
    """What a figure means nothing without. `questions` tells of the file and of what was taken from it."""
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "questions": dict(questions),
        "documents": {document.name: document.version for document in documents},
        "settings": _shown(settings),
        "versions": {
            "python": sys.version.split()[0],
            "prompt": PROMPT_VERSION,
            **{name: _version(name) for name in PACKAGES},
        },
        "intervals": {"level": 0.95, "seed": SEED, "resamples": RESAMPLES},
    }


def _asked(
    question: Question, gold: Sequence[Gold], bot: Asked, library: Mapping[str, Document]
) -> tuple[Outcome, bytes]:
    """What came of a question, and its line in the results."""
    try:
        answer = bot.ask(question.question, question.history)
        line = _line({"id": question.id, **answer.as_json()})
    except Exception as error:  # noqa: BLE001  # an outcome: recorded, counted, and the other questions go on
        told = f"{type(error).__name__}: {error}"
        _log.error("%s broke: %s", question.id, told)
        _log.info("%s", question.id, exc_info=True)
        return Outcome(question, error=told), _line({"id": question.id, "question": question.question, "error": told})
    # Outside of the try: a measure that breaks is our own defect and no outcome of the question.
    return Outcome(question, answer, scores=scores(Example(question, gold, answer, library))), line


def _line(row: Mapping[str, Any]) -> bytes:
    """Raises ValueError for what JSON or UTF-8 cannot say, a confidence that is not a number for one."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8")


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritableError(f"{out} takes no writes: {error.strerror}. Give another folder: --out DIR") from error


def _shown(settings: Settings) -> dict[str, Any]:
    """The settings without what their repr hides."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings) if field.repr}
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of this code, with "-dirty" after it where files differ from it; None outside a repository."""
    command = ["git", "--no-optional-locks", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        told = subprocess.run(  # noqa: S603  # our own words
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None
