"""The questions and documents of `run` and `sweep`: arguments, reading, and choosing questions."""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.commands.convert import add_options, options_of
from eval.commands.shared import QUESTIONS, positive_integer, read_documents, seeds_folder
from eval.dataset import (
    Question,
    find_evidence,
    format_problems,
    read_question_file,
    repeated_quotes_note,
    scan_questions,
)
from eval.formats import FORMATS, read
from eval.results import QUESTIONS as RUN_QUESTIONS
from eval.results import read_run, read_run_questions
from qa.config import Settings
from qa.errors import DocumentError, FootnoteError, QuestionFileError
from qa.terminal import escaped_line, visible, visible_line

if TYPE_CHECKING:
    from eval.batch import QuestionSet
    from qa.types import Document


def add_source(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that name the questions and the documents."""
    parser.add_argument(
        "--questions",
        metavar="FILE",
        type=Path,
        default=QUESTIONS,
        help="read questions from FILE; default: the project's own",
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="read FILE in another format: see convert --help"
    )
    add_options(parser, documents=False)
    documents = parser.add_mutually_exclusive_group()
    documents.add_argument(
        "--documents",
        metavar="PATH",
        type=Path,
        nargs="+",
        action="extend",
        help="ask these documents; default: seeds/",
    )
    documents.add_argument(
        "--library",
        action="store_true",
        help="ask the documents of your own library, in a separate index",
    )


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that choose among the questions."""
    parser.add_argument(
        "--split", choices=("dev", "test", "all"), default="all", help="ask one split; default: all"
    )
    parser.add_argument(
        "--kind", metavar="KIND", nargs="+", action="extend", help="ask questions of these kinds"
    )
    parser.add_argument(
        "--filter", metavar="REGEX", help="ask questions whose id or words match REGEX"
    )
    parser.add_argument(
        "--failing", metavar="RUN", type=Path, help="ask the questions that failed in RUN"
    )
    parser.add_argument(
        "--limit", metavar="N", type=positive_integer, help="ask only the first N of those"
    )


def read_question_set(options: argparse.Namespace) -> "QuestionSet":
    """Returns questions and documents. Raises FootnoteError with everything wrong with them."""
    from eval.batch import QuestionSet

    check_name(options.questions)
    # Another format comes with its documents, and its reader reports its own problems.
    if options.format:
        return _read_foreign(options)
    for name in ("columns", "separator", "qrels"):
        if getattr(options, name):
            raise FootnoteError(f"--{name} needs another format. Name it: --format FORMAT")

    questions, problems = scan_questions(options.questions)
    documents: Sequence[Document]
    failures: Sequence[DocumentError] = ()
    if options.library:
        documents = _library_documents()
    else:
        documents, failures = read_documents(options.documents or [seeds_folder()])
    note = ""
    # Without any document every quote would be reported as missing.
    if documents:
        gold, evidence_problems = find_evidence(questions, documents)
        problems += evidence_problems
        note = repeated_quotes_note(gold)
    if problems or failures:
        heading = f"{options.questions} and its documents do not fit. Fix these:"
        lines = [format_problems(heading, sorted(problems))]
        for failure in failures:
            lines.append(f"  {failure}")
        raise QuestionFileError("\n".join(lines))
    if note:
        print(visible_line(note), file=sys.stderr)
    return QuestionSet(questions, documents, read_question_file(options.questions))


def choose_questions(
    questions: Sequence[Question], options: argparse.Namespace
) -> Sequence[Question]:
    """Returns the questions that the arguments choose. Raises FootnoteError if there is none."""
    kinds = {question.kind for question in questions}
    unknown = sorted(set(options.kind or ()) - kinds)
    if unknown:
        raise FootnoteError(
            f"{options.questions} has no kind {', '.join(unknown)}. "
            f"It has: {', '.join(map(escaped_line, sorted(kinds)))}."
        )
    pattern = _pattern(options.filter)
    failed = _failed_ids(options.failing, questions) if options.failing else None
    chosen = []
    for question in questions:
        of_split = options.split in ("all", question.split)
        of_kind = not options.kind or question.kind in options.kind
        matches = pattern.search(question.id) or pattern.search(question.question)
        if of_split and of_kind and matches and (failed is None or question.id in failed):
            chosen.append(question)
    if not chosen:
        raise FootnoteError(
            f"{options.questions} has no question left by {_selection_words(options)}."
        )
    # Last, so that a limit counts the questions that all other arguments chose.
    return chosen[: options.limit]


def selection(options: argparse.Namespace) -> dict[str, Any]:
    """Returns how the questions were chosen, as run.json has it."""
    return {
        "file": _relative(options.questions),
        "format": options.format,
        "split": options.split,
        "kinds": options.kind,
        "filter": options.filter,
        "failing": _relative(options.failing) if options.failing else None,
        "limit": options.limit,
    }


def check_name(path: Path) -> Path:
    """Returns the path. Raises FootnoteError for a name that cannot be written into run.json."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        raise FootnoteError(f"{visible(str(path))} is not a UTF-8 name. Rename it.") from error
    return path


def _read_foreign(options: argparse.Namespace) -> "QuestionSet":
    """Reads another format, with the documents in it or the documents that were named."""
    from eval.batch import QuestionSet

    if options.library:
        raise FootnoteError(
            "--library needs questions in our format. Convert them first: footnote eval convert"
        )
    foreign = read(options.format, options.questions, options_of(options))
    for note in foreign.notes:
        print(note, file=sys.stderr)
    # The run keeps the questions in our format, so that it can be resumed without this file.
    lines = []
    for question in foreign.questions:
        lines.append(json.dumps(question.as_json(), ensure_ascii=False) + "\n")
    raw = "".join(lines).encode("utf-8")
    return QuestionSet(foreign.questions, foreign.documents, raw)


def _library_documents() -> "Sequence[Document]":
    from qa.library.index import Index

    documents = Index(Settings.from_environment(os.environ).store).documents()
    if not documents:
        raise DocumentError("The library is empty. Add documents first: footnote add PATH")
    return documents


def _pattern(regex: str | None) -> re.Pattern[str]:
    try:
        return re.compile(regex or "", re.IGNORECASE)
    except re.error as error:
        raise FootnoteError(
            f"--filter takes a regular expression, not {regex!r}: {error}."
        ) from error


def _failed_ids(folder: Path, questions: Sequence[Question]) -> set[str]:
    """Returns the questions of a run with an error or a wrong answer.

    Raises FootnoteError if no question failed, or if the run asked other questions.
    """
    run = read_run(check_name(folder))
    failed = set(run.errors)
    for key, scores in run.scores.items():
        right = scores.get("answered_right")
        if right is not None and right < 1:
            failed.add(key)
    if not failed:
        raise FootnoteError(f"No question of {folder} failed.")

    now = {question.id: question.question for question in questions}
    # A baseline is a summary alone: it has the ids of its questions and not their words.
    before = read_run_questions(folder) if (folder / RUN_QUESTIONS).is_file() else {}
    common = failed & now.keys()
    changed = []
    for key in sorted(common & before.keys()):
        if before[key].question != now[key]:
            changed.append(key)
    # The same ids may belong to other questions, of which nothing is known.
    if changed or not common:
        examples = (changed or sorted(failed))[:3]
        named = ", ".join(map(visible_line, examples))
        raise FootnoteError(
            f"The failed questions of {folder} ({named}) are not in this question file. "
            "Use the file that the run was made with."
        )
    return failed


def _selection_words(options: argparse.Namespace) -> str:
    """Returns the arguments that choose questions, as they were given."""
    words = [] if options.split == "all" else [f"--split {options.split}"]
    if options.kind:
        words.append(f"--kind {' '.join(options.kind)}")
    if options.filter:
        words.append(f"--filter {options.filter}")
    if options.failing:
        words.append(f"--failing {options.failing}")
    return " and ".join(words)


def _relative(path: Path) -> str:
    """Returns a path below the working folder, or its last part: a run names no other folders."""
    absolute = path.absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else absolute.name
