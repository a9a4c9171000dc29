"""`python -m eval sweep`: a grid of settings on the development split, and the best of them on the test split, once."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.commands.run import (
    add_settings,
    add_source,
    fit_for_a_run,
    progress,
    read_source,
    relative,
)
from eval.commands.shared import Commands
from qa.errors import BrokenError, FootnoteError

if TYPE_CHECKING:
    from eval.batch import Measured
    from eval.results import Estimate

CHOSEN = "sweep.json"


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    sweep = commands.add_parser(
        "sweep",
        parents=[common],
        help="choose settings on the development split, measure them on the test split",
    )
    add_source(sweep)
    sweep.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="a new folder; default: runs/sweep- and the time (UTC)",
    )
    sweep.add_argument(
        "--measure", metavar="NAME", default="answered_right", help="default: answered_right"
    )
    add_settings(sweep)
    sweep.add_argument("--json", action="store_true", help="print sweep.json instead of the tables")
    sweep.set_defaults(command=_sweep)


def _sweep(options: argparse.Namespace) -> int:
    """Asks the development questions with each configuration, then those of the test split with the best."""
    from eval.batch import measure
    from eval.configurations import VARIED, configurations
    from eval.metrics import summary_metrics
    from eval.report.terminal import print_runs
    from eval.run import create_run_folder

    names = [metric.name for metric in summary_metrics()]
    if options.measure not in names:
        raise FootnoteError(f"There is no metric {options.measure}. Use: {', '.join(names)}.")
    found = configurations({name: getattr(options, name) or () for name in VARIED})
    source = read_source(options)
    of_split = {
        split: [one for one in source.questions if one.split == split] for split in ("dev", "test")
    }
    if lacking := [split for split, asked in of_split.items() if not asked]:
        raise FootnoteError(
            f"{options.questions} has no question in the split {lacking[0]}: a sweep needs both."
        )
    if len(found) < 2:
        raise FootnoteError("A sweep needs several values of a setting, for one: --top-k 3 5 8")
    out = create_run_folder(
        fit_for_a_run(options.out or Path("runs") / f"sweep-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    )

    def asked(split: str, which: Any) -> "list[Measured]":
        told = {"file": relative(options.questions), "format": options.format, "split": split}
        return list(measure(which, source, of_split[split], out / split, told, tell=progress()))

    tried = asked("dev", found)
    best = max(tried, key=lambda one: _value(one, options.measure))
    (confirmed,) = asked("test", [one for one in found if one.name == best.name])
    alike = _alike(best, tried, options.measure)
    chosen = _as_json(options.measure, tried, best, confirmed) | {
        "not_detectably_better_than": alike
    }
    (out / CHOSEN).write_text(
        json.dumps(chosen, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    if options.json:
        print(json.dumps(chosen, indent=1, ensure_ascii=False))
    else:
        print("Development split\n")
        print_runs([(one.name, one.groups[0]) for one in tried], sys.stdout)
        told = f", not detectably better than {', '.join(alike)}" if alike else ""
        print(f"\nBest by {options.measure}: {best.name}{told}. On the test split, asked once:\n")
        print_runs([(best.name, confirmed.groups[0])], sys.stdout)
    print(f"Written to {out}", file=sys.stderr)
    return BrokenError.exit_code if any(one.groups[0].errors for one in (*tried, confirmed)) else 0


def _value(one: "Measured", measure: str) -> float:
    """More is better; of equals the first of the grid wins. Raises FootnoteError where there is no value."""
    from eval.metrics import metric_named

    value = one.groups[0].estimates[measure].value
    if value is None:
        raise FootnoteError(
            f"{measure} has no value for these questions. Choose by another: --measure NAME"
        )
    return -value if metric_named(measure).lower_is_better else value


def _alike(best: "Measured", tried: "list[Measured]", measure: str) -> list[str]:
    """The configurations that the development split cannot tell from the best, which may be no better then.

    None of a figure that single questions do not have.
    """
    from eval.comparison import compare, corrected_together
    from eval.results import read_run

    chosen = read_run(best.folder)
    pairs = {
        one.name: compare(measure, read_run(one.folder), chosen) for one in tried if one is not best
    }
    rows = {name: row for name, row in pairs.items() if row is not None}
    return [
        name
        for name, row in zip(rows, corrected_together(list(rows.values())), strict=True)
        if row.verdict != "better"
    ]


def _as_json(
    measure: str, tried: "list[Measured]", best: "Measured", confirmed: "Measured"
) -> dict[str, Any]:
    def figure(one: "Measured") -> dict[str, Any]:
        found: Estimate = one.groups[0].estimates[measure]
        return found.as_json()

    return {
        "measure": measure,
        "dev": {one.name: figure(one) for one in tried},
        "chosen": best.name,
        "settings": confirmed.summary["settings"],
        "test": figure(confirmed),
    }
