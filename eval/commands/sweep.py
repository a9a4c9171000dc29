"""`footnote eval sweep`: choose settings on the development split, and test the best once."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.questions import (
    add_source,
    check_name,
    choose_questions,
    read_question_set,
    selection,
)
from eval.commands.run import add_settings
from eval.commands.shared import Commands, progress
from qa.errors import BrokenError, FootnoteError
from qa.terminal import visible_json

if TYPE_CHECKING:
    from eval.batch import FinishedRun, QuestionSet
    from eval.configurations import Configuration
    from eval.run_schema import Estimate

CHOSEN = "sweep.json"


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "sweep",
        parents=[common],
        help="choose settings on the development split, measure them on the test split",
    )
    add_source(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write to a new folder DIR; default: runs/sweep- and the time (UTC)",
    )
    parser.add_argument(
        "--measure",
        metavar="NAME",
        default="answered_right",
        help="choose by the metric NAME; default: answered_right",
    )
    add_settings(parser)
    parser.add_argument(
        "--json", action="store_true", help="print sweep.json instead of the tables"
    )
    # What `run` can choose by and a sweep cannot: it asks all questions of each split.
    parser.set_defaults(command=_sweep, kind=None, filter=None, failing=None, limit=None)


def _sweep(options: argparse.Namespace) -> int:
    """Asks the development split with each configuration, and the test split with the best."""
    from eval.configurations import VARIED, configurations
    from eval.run import create_run_folder

    metric = options.measure
    _check_metric(metric)
    varied = {name: getattr(options, name) or () for name in VARIED}
    configured = configurations(varied)
    question_set = read_question_set(options)
    splits = {question.split for question in question_set.questions}
    for split in ("dev", "test"):
        if split not in splits:
            raise FootnoteError(
                f"{options.questions} has no question in the split {split}. "
                "A sweep needs questions in both splits, dev and test."
            )
    if len(configured) < 2:
        raise FootnoteError("A sweep needs several values of a setting, such as --top-k 3 5 8")
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    out = create_run_folder(check_name(options.out or Path("runs") / f"sweep-{now}"))

    tried = _run_split("dev", configured, question_set, out, options)
    # Of equal values the first of the grid wins.
    best = max(tried, key=lambda run: _goodness(run, metric))
    chosen = [configuration for configuration in configured if configuration.name == best.name]
    # The test split is asked once, and only with the best: what chooses must not be what measures.
    (tested,) = _run_split("test", chosen, question_set, out, options)
    alike = _not_detectably_worse(best, tried, metric)
    on_dev = {}
    for run in tried:
        on_dev[run.name] = _estimate(run, metric).as_json()
    content = {
        "measure": metric,
        "dev": on_dev,
        "chosen": best.name,
        "settings": tested.summary["settings"],
        "test": _estimate(tested, metric).as_json(),
        "not_detectably_better_than": alike,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (out / CHOSEN).write_text(text + "\n", encoding="utf-8")
    if options.json:
        print(visible_json(text))
    else:
        _print(metric, tried, best, tested, alike)
    print(f"Written to {out}", file=sys.stderr)
    # An error is not a wrong answer: the choice may rest on fewer questions than it seems.
    broken = any(run.groups[0].errors for run in (*tried, tested))
    return BrokenError.exit_code if broken else 0


def _check_metric(name: str) -> None:
    from eval.metrics import summary_metrics

    names = [metric.name for metric in summary_metrics()]
    if name not in names:
        raise FootnoteError(f"There is no metric {name}. Use: {', '.join(names)}.")


def _run_split(
    split: str,
    configurations: "Sequence[Configuration]",
    question_set: "QuestionSet",
    out: Path,
    options: argparse.Namespace,
) -> "list[FinishedRun]":
    from eval.batch import run_configurations

    options.split = split
    runs = run_configurations(
        configurations,
        question_set,
        choose_questions(question_set.questions, options),
        out / split,
        selection(options),
        on_progress=progress(),
    )
    return list(runs)


def _estimate(run: "FinishedRun", metric: str) -> "Estimate":
    return run.groups[0].estimates[metric]


def _goodness(run: "FinishedRun", metric: str) -> float:
    """Returns the value, higher is better. Raises FootnoteError if there is none."""
    from eval.metrics import metric_named

    value = _estimate(run, metric).value
    if value is None:
        raise FootnoteError(
            f"{metric} has no value for these questions. Choose by another: --measure NAME"
        )
    return -value if metric_named(metric).lower_is_better else value


def _not_detectably_worse(
    best: "FinishedRun", tried: "Sequence[FinishedRun]", metric: str
) -> list[str]:
    """Returns the configurations that the development split cannot tell from the best.

    They are none for a metric that single questions do not have.
    """
    from eval.comparison import compare, corrected_together
    from eval.results import read_run

    chosen = read_run(best.folder)
    names = []
    rows = []
    for run in tried:
        row = None if run is best else compare(metric, read_run(run.folder), chosen)
        if row is not None:
            names.append(run.name)
            rows.append(row)

    # Corrected together, since the best is compared with all the rest at once.
    alike = []
    for name, row in zip(names, corrected_together(rows), strict=True):
        if row.verdict != "better":
            alike.append(name)
    return alike


def _print(
    metric: str,
    tried: "Sequence[FinishedRun]",
    best: "FinishedRun",
    tested: "FinishedRun",
    alike: Sequence[str],
) -> None:
    from eval.report.terminal import print_runs

    print("Development split\n")
    print_runs([(run.name, run.groups[0]) for run in tried], sys.stdout)
    note = f", not detectably better than {', '.join(alike)}" if alike else ""
    print(f"\nBest by {metric}: {best.name}{note}. On the test split, asked once:\n")
    print_runs([(best.name, tested.groups[0])], sys.stdout)
