"""`python -m eval run`: asks a set of questions, writes and prints the figures."""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from eval.commands.convert import add_options, options_of
from eval.commands.shared import QUESTIONS, Commands, positive_integer, read_documents, seeds_folder
from eval.formats import FORMATS
from qa.config import Settings
from qa.errors import BrokenError, DocumentError, FootnoteError, QuestionFileError
from qa.terminal import visible, visible_line

if TYPE_CHECKING:
    from rich.progress import TaskID

    from eval.batch import Measured, Source, Tell
    from eval.dataset import Question
    from qa.types import Document


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    run = commands.add_parser(
        "run", parents=[common], help="ask a set of questions, write and print the figures"
    )
    add_source(run)
    run.add_argument(
        "--out", metavar="DIR", type=Path, help="a new folder; default: runs/ and the time (UTC)"
    )
    run.add_argument(
        "--resume",
        metavar="DIR",
        type=Path,
        help="go on with the run of that folder, which was cut off",
    )
    run.add_argument("--split", choices=("dev", "test", "all"), default="all", help="default: all")
    run.add_argument(
        "--kind", metavar="KIND", nargs="+", action="extend", help="questions of these kinds only"
    )
    run.add_argument("--filter", metavar="REGEX", help="questions only whose id or words match")
    run.add_argument(
        "--failing", metavar="RUN", type=Path, help="questions only that failed in that run"
    )
    run.add_argument(
        "--limit", metavar="N", type=positive_integer, help="the first N of those chosen"
    )
    run.add_argument(
        "--repeat", metavar="N", type=positive_integer, default=1, help="ask each question N times"
    )
    add_settings(run)
    run.add_argument("--json", action="store_true", help="print summary.json instead of the tables")
    run.set_defaults(command=_run, usual=run.parse_args)


def add_source(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is asked of what."""
    parser.add_argument(
        "--questions",
        metavar="FILE",
        type=Path,
        default=QUESTIONS,
        help="default: the project's own",
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="how FILE is written, if not our way: see convert --help"
    )
    add_options(parser, documents=False)
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument(
        "--documents", metavar="PATH", type=Path, nargs="+", action="extend", help="default: seeds/"
    )
    asked.add_argument(
        "--library",
        action="store_true",
        help="ask what your own library holds, in an index of its own",
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The settings of which each may have several values: every combination is measured."""
    several: dict[str, Any] = {"nargs": "+", "action": "extend"}
    parser.add_argument(
        "--engine",
        dest="llm",
        help="built-in, provider/model (QA_LLM), or plain: the plain stack",
        **several,
    )
    parser.add_argument("--top-k", metavar="K", help="passages to read (QA_TOP_K)", **several)
    parser.add_argument(
        "--threshold",
        metavar="T",
        help="confidence under which to refuse (QA_THRESHOLD)",
        **several,
    )
    parser.add_argument(
        "--embedding",
        metavar="MODEL",
        help="a sentence-transformers model (QA_EMBEDDING)",
        **several,
    )
    parser.add_argument(
        "--reader",
        metavar="MODEL",
        help="an extractive question-answering model (QA_READER)",
        **several,
    )


def _run(options: argparse.Namespace) -> int:
    """Checks all that can be checked before the models are loaded, then asks."""
    from eval.batch import go_on, measure
    from eval.configurations import VARIED, configurations

    if options.resume:
        _refuse_others(options)
        code = _told(go_on(options.resume, os.environ, progress()), options.json)
        return BrokenError.exit_code if _broke_before(options.resume) else code
    found = configurations({name: getattr(options, name) or () for name in VARIED})
    source = read_source(options)
    asked = chosen(source, options)
    out = fit_for_a_run(options.out or Path("runs") / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    try:
        return _told(
            measure(found, source, asked, out, _how(options), options.repeat, progress()),
            options.json,
        )
    except KeyboardInterrupt:
        if any(out.glob("**/run.json")):
            print(
                f"Interrupted. Go on: python -m eval run --resume {quote(str(out))}",
                file=sys.stderr,
            )
        raise


def _refuse_others(options: argparse.Namespace) -> None:
    """A run goes on with what it was begun with. Raises FootnoteError for an argument that would change that."""
    usual = vars(options.usual([])) | {
        "resume": options.resume,
        "json": options.json,
        "verbose": options.verbose,
    }
    others = [name for name, value in usual.items() if getattr(options, name) != value]
    if others:
        told = ", ".join(f"--{name.replace('llm', 'engine').replace('_', '-')}" for name in others)
        raise FootnoteError(f"--resume goes on with what the run was begun with. Leave out {told}.")


def _told(runs: "Iterable[Measured]", as_json: bool) -> int:
    """Prints each run as it ends. Exit code 3 where a question broke."""
    from eval.report.terminal import print_runs, print_tables

    ended = []
    for one in runs:
        ended.append(one)
        if not as_json:
            print(*([f"\n{one.name}\n"] if one.name else []), end="")
            print_tables(one.groups, sys.stdout)
        print(f"Written to {one.folder}", file=sys.stderr)
        if broken := one.groups[0].errors:
            asked = one.groups[0].questions
            print(
                f"footnote: {broken} of {asked} questions broke: see results.jsonl.",
                file=sys.stderr,
            )
    if as_json:
        _print_json(ended)
    elif len(ended) > 1:
        print_runs([(one.name, one.groups[0]) for one in ended], sys.stdout)
    return BrokenError.exit_code if any(one.groups[0].errors for one in ended) else 0


def _print_json(ended: "Sequence[Measured]") -> None:
    """The summary of the only run as it is on disk, or an object of summaries by configuration.

    Of a go that was gone on with, also those that had ended before.
    """
    from eval.results import SUMMARY

    if len(ended) == 1 and not ended[0].name:
        sys.stdout.write((ended[0].folder / SUMMARY).read_text(encoding="utf-8"))
        return
    before = {
        file.parent.name: file for file in sorted(ended[0].folder.parent.glob(f"*/{SUMMARY}"))
    }
    whole = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in before.items()}
    print(
        json.dumps(
            {**whole, **{one.name: one.summary for one in ended}}, ensure_ascii=False, indent=1
        )
    )


def _broke_before(out: Path) -> bool:
    """Whether a question broke in a run of this go that had ended before."""
    from eval.results import SUMMARY, read_run

    return any(read_run(file.parent).errors for file in out.glob(f"*/{SUMMARY}"))


def read_source(options: argparse.Namespace) -> "Source":
    """What is asked of what. Raises FootnoteError with everything that is wrong with it."""
    from eval.batch import Source
    from eval.dataset import find_evidence, format_problems, scan_questions

    fit_for_a_run(options.questions)
    if options.format and options.library:
        raise FootnoteError(
            "--library takes questions of ours. Make them first: python -m eval convert"
        )
    if options.format:
        return _foreign(options)
    if foreign := [name for name in ("columns", "separator", "qrels") if getattr(options, name)]:
        raise FootnoteError(f"--{foreign[0]} is for another format: say which with --format.")
    questions, problems = scan_questions(options.questions)
    documents, failures = (
        (_library(), ())
        if options.library
        else read_documents(options.documents or [seeds_folder()])
    )
    if documents:
        problems += find_evidence(questions, documents)[1]
    if problems or failures:
        told = [
            format_problems(
                f"{options.questions} and its documents do not fit. Mend these:", sorted(problems)
            )
        ]
        raise QuestionFileError("\n".join([*told, *(f"  {failure}" for failure in failures)]))
    return Source(questions, documents, options.questions.read_bytes())


def _foreign(options: argparse.Namespace) -> "Source":
    """Another format's questions, with the documents that come with them or that were named."""
    from eval.batch import Source
    from eval.formats import read

    found = read(options.format, options.questions, options_of(options))
    for note in found.notes:
        print(note, file=sys.stderr)
    lines = (json.dumps(one.as_json(), ensure_ascii=False) + "\n" for one in found.questions)
    return Source(found.questions, found.documents, "".join(lines).encode("utf-8"))


def chosen(source: "Source", options: argparse.Namespace) -> "list[Question]":
    """The questions of the split, the kinds and the rest asked for. Raises FootnoteError if there is none."""
    kinds = {question.kind for question in source.questions}
    if unknown := set(options.kind or ()) - kinds:
        told = ", ".join(sorted(unknown))
        raise FootnoteError(
            f"{options.questions} has no kind {told}. It has: {', '.join(sorted(kinds))}."
        )
    words = _pattern(options.filter)
    failing = _failing(options.failing, source) if options.failing else None
    found = [
        question
        for question in source.questions
        if options.split in ("all", question.split)
        and (not options.kind or question.kind in options.kind)
        and (words.search(question.id) or words.search(question.question))
        and (failing is None or question.id in failing)
    ]
    if not found:
        raise FootnoteError(f"{options.questions} has no question left by {_chosen_by(options)}.")
    return found[: options.limit]


def _chosen_by(options: argparse.Namespace) -> str:
    """The arguments that chose, as they were given."""
    given = {name: getattr(options, name) for name in ("kind", "filter", "failing")}
    told = [
        f"--{name} {' '.join(value) if name == 'kind' else value}"
        for name, value in given.items()
        if value
    ]
    return " and ".join([*([] if options.split == "all" else [f"--split {options.split}"]), *told])


def _pattern(regex: str | None) -> re.Pattern[str]:
    try:
        return re.compile(regex or "", re.IGNORECASE)
    except re.error as error:
        raise FootnoteError(
            f"--filter takes a regular expression, not {regex!r}: {error}."
        ) from error


def _failing(folder: Path, source: "Source") -> set[str]:
    """The questions of a run that broke or were not answered right. Raises FootnoteError for a run of others."""
    from eval.results import QUESTIONS as ASKED
    from eval.results import read_run, read_run_questions

    run = read_run(fit_for_a_run(folder))
    rights = {key: scores.get("answered_right") for key, scores in run.scores.items()}
    failing = {
        *run.errors,
        *(key for key, right in rights.items() if right is not None and right < 1),
    }
    if not failing:
        raise FootnoteError(f"No question of {folder} failed.")
    now = {question.id: question.question for question in source.questions}
    # A baseline is a summary alone, and has no words.
    asked = read_run_questions(folder) if (folder / ASKED).is_file() else {}
    other = sorted(
        key for key in failing if key in now and key in asked and asked[key].question != now[key]
    )
    if other or not failing & now.keys():
        of = ", ".join(map(visible_line, (other or sorted(failing))[:3]))
        raise FootnoteError(
            f"{folder} asked other questions: what failed there ({of}) is not in this file."
        )
    return failing


def _library() -> "Sequence[Document]":
    """What the person's own library holds."""
    from qa.library.index import Index

    documents = Index(Settings.from_environment(os.environ).store).documents()
    if not documents:
        raise DocumentError("The library is empty. Add documents first: python -m qa add PATH")
    return documents


def _how(options: argparse.Namespace) -> dict[str, Any]:
    """How the questions were chosen."""
    return {
        "file": relative(options.questions),
        "format": options.format,
        "split": options.split,
        "kinds": options.kind,
        "filter": options.filter,
        "failing": relative(options.failing) if options.failing else None,
        "limit": options.limit,
    }


def relative(path: Path) -> str:
    """A path as seen from here, or its last part: a run is no place for the names of a machine's folders."""
    whole = path.absolute()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else whole.name


def fit_for_a_run(path: Path) -> Path:
    """The path. Raises FootnoteError for one that a run could not be told of, or not be written below."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        raise FootnoteError(
            f"{visible(str(path))} is a name that is not UTF-8. Rename it."
        ) from error
    return path


def progress() -> "Tell":
    """A bar where somebody may be looking; else a line a tenth."""
    if not sys.stderr.isatty():
        return _lines
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True))
    tasks: dict[str, TaskID] = {}

    def tell(name: str, count: int, total: int) -> None:
        if name not in tasks:
            bar.start()
            tasks[name] = bar.add_task(name or "asked", total=total)
        bar.update(tasks[name], completed=count)
        if count == total:
            bar.stop()

    return tell


def _lines(name: str, count: int, total: int) -> None:
    if count == total or count % max(1, total // 10) == 0:
        print(f"{name or 'asked'}: {count} of {total}", file=sys.stderr)
