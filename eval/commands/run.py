"""`footnote eval run`: ask a set of questions, write and print the estimates."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from eval.commands.questions import (
    add_selection,
    add_source,
    check_name,
    choose_questions,
    read_question_set,
    selection,
)
from eval.commands.shared import Commands, positive_integer, progress
from eval.results import RUN, SUMMARY, read_run
from qa.errors import BrokenError, FootnoteError
from qa.terminal import json_for_terminal, visible_json

if TYPE_CHECKING:
    from eval.batch import FinishedRun

MODELS = ("llm", "embedding", "reader")
"""The settings that name a model."""


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "run", parents=[common], help="ask a set of questions, write and print the estimates"
    )
    add_source(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write to a new folder DIR; default: runs/ and the time (UTC)",
    )
    parser.add_argument(
        "--resume",
        metavar="DIR",
        type=Path,
        help="resume the interrupted run of DIR; name the models that are not of your settings",
    )
    add_selection(parser)
    parser.add_argument(
        "--repeat", metavar="N", type=positive_integer, default=1, help="ask each question N times"
    )
    add_settings(parser)
    parser.add_argument(
        "--json", action="store_true", help="print summary.json instead of the tables"
    )
    parser.set_defaults(command=_run, parse_defaults=parser.parse_args)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds the settings that may have several values: each combination is a run."""
    several: dict[str, Any] = {"nargs": "+", "action": "extend"}
    parser.add_argument(
        "--engine",
        dest="llm",
        help="answer with built-in, provider/model (QA_LLM), or plain: the plain stack",
        **several,
    )
    parser.add_argument("--top-k", metavar="K", help="read K passages (QA_TOP_K)", **several)
    parser.add_argument(
        "--threshold",
        metavar="T",
        help="refuse below a confidence of T (QA_THRESHOLD)",
        **several,
    )
    parser.add_argument(
        "--embedding",
        metavar="MODEL",
        help="embed with a sentence-transformers model (QA_EMBEDDING)",
        **several,
    )
    parser.add_argument(
        "--reader",
        metavar="MODEL",
        help="read with an extractive question-answering model (QA_READER)",
        **several,
    )


def _run(options: argparse.Namespace) -> int:
    """Asks the questions. Everything is checked before the models are loaded."""
    from eval.batch import resume, run_configurations
    from eval.configurations import VARIED, configurations

    # Runs are generators: nothing is asked before `_print_runs` takes the first.
    if options.resume:
        _check_only_resume(options)
        out = options.resume
        runs = resume(out, os.environ, progress(), _models(options))
    else:
        varied = {name: getattr(options, name) or () for name in VARIED}
        configured = configurations(varied)
        question_set = read_question_set(options)
        chosen = choose_questions(question_set.questions, options)
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        out = check_name(options.out or Path("runs") / now)
        runs = run_configurations(
            configured,
            question_set,
            chosen,
            out,
            selection(options),
            options.repeat,
            progress(),
        )
    try:
        _print_runs(runs, options.json)
    except KeyboardInterrupt:
        if any(out.glob(f"**/{RUN}")):
            command = f"footnote eval run --resume {quote(str(out))}"
            for name, models in _models(options).items():
                command += f" --{_flag(name)} {' '.join(map(quote, models))}"
            print(f"Interrupted. Resume: {command}", file=sys.stderr)
        raise

    # With --resume, runs that had ended before count too.
    summaries = [*out.glob(SUMMARY), *sorted(out.glob(f"*/{SUMMARY}"))]
    if options.json:
        _print_json(out, summaries)
    broken = any(read_run(path.parent).errors for path in summaries)
    return BrokenError.exit_code if broken else 0


def _check_only_resume(options: argparse.Namespace) -> None:
    """Raises FootnoteError for an argument that would change a run that is resumed.

    The models may be named: that confirms them, and changes nothing.
    """
    allowed = ("resume", "json", "verbose", *MODELS)
    changed = []
    for name, default in vars(options.parse_defaults([])).items():
        if name not in allowed and getattr(options, name) != default:
            changed.append(f"--{_flag(name)}")
    if changed:
        raise FootnoteError(
            f"--resume uses the arguments that the run was started with. "
            f"Leave out {', '.join(changed)}."
        )


def _models(options: argparse.Namespace) -> dict[str, list[str]]:
    """Returns the models that the arguments name, by setting."""
    named = {}
    for name in MODELS:
        models = getattr(options, name)
        if models:
            named[name] = models
    return named


def _flag(name: str) -> str:
    # The only argument whose setting has another name.
    return "engine" if name == "llm" else name.replace("_", "-")


def _print_runs(runs: "Iterable[FinishedRun]", quiet: bool) -> None:
    """Prints each run when it ends, and several side by side. `quiet`: only where they are."""
    from eval.report.terminal import print_model, print_runs, print_tables

    rows = []
    for run in runs:
        overall = run.groups[0]
        rows.append((run.name, overall))
        if not quiet:
            if run.name:
                print(f"\n{run.name}\n")
            if run.server:
                print_model(run.engine, run.server, overall, sys.stdout)
            print_tables(run.groups, sys.stdout)
        print(f"Written to {run.folder}", file=sys.stderr)
        # An error is not a wrong answer: the estimates above are without these questions.
        if overall.errors:
            print(
                f"footnote: {overall.errors} of {overall.questions} questions broke: "
                "see results.jsonl.",
                file=sys.stderr,
            )
    if len(rows) > 1 and not quiet:
        print_runs(rows, sys.stdout)


def _print_json(out: Path, summaries: Iterable[Path]) -> None:
    """Prints the only summary as it is on disk, or an object of summaries by configuration."""
    by_name = {}
    for path in summaries:
        if path.parent == out:
            sys.stdout.write(visible_json(path.read_text(encoding="utf-8")))
            return
        by_name[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
    print(json_for_terminal(by_name, indent=1))
