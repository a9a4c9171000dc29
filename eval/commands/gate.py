"""`python -m eval gate RUN --baseline RUN`: whether a run may pass, for continuous integration."""

import argparse
import json
import sys
from math import isfinite
from pathlib import Path

from eval.commands.shared import Commands
from qa.errors import FootnoteError, RunError


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "gate",
        parents=[common],
        help="exit 1 if a run is detectably worse than a baseline, broke where it did not, or misses a threshold",
        description="Exits with 1 if RUN is detectably worse than the baseline on a measure gated, if a question broke "
        "that did not in the baseline, or if a threshold is missed. A run that is no worse fails by chance at most 1 "
        "time in 20, however many measures are gated. Every quote must be exact (quotes_exact at least 1) unless --min "
        "says otherwise.",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path)
    parser.add_argument(
        "--baseline", metavar="RUN", type=Path, required=True, help="a folder with a summary.json"
    )
    parser.add_argument(
        "--measure",
        metavar="NAME",
        nargs="+",
        action="extend",
        help="what must not be worse; default: answered_right, rightly_refused, hit_at_5, citation_f1",
    )
    for end, words in (("--min", "at least"), ("--max", "at most")):
        parser.add_argument(
            end,
            metavar="NAME=VALUE",
            type=_bound,
            nargs="+",
            action="extend",
            default=[],
            help=f"a figure of summary.json that must be {words} so",
        )
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    parser.set_defaults(command=_gate)


def _gate(options: argparse.Namespace) -> int:
    """Prints a line a check and the verdict; 1 where one failed."""
    from eval.gate import checks, left_out
    from eval.results import differences, read_run

    for bounds in (options.min, options.max):
        names = [name for name, _ in bounds]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise FootnoteError(f"{', '.join(twice)} has two thresholds of one kind. Give one.")
    run, baseline = read_run(options.run_folder), read_run(options.baseline)
    if differ := differences(baseline, run):
        raise RunError(
            "\n".join([f"{run.folder} cannot be held against {baseline.folder}:", *differ])
        )
    gated = list(dict.fromkeys(options.measure or ()))
    found = checks(run, baseline, gated, dict(options.min), dict(options.max))
    failed = [check for check in found if not check.passed]
    verdict = (
        f"failed: {len(failed)} of {len(found)} checks"
        if failed
        else f"passed: {len(found)} checks"
    )
    if options.json:
        told = {
            "run": str(run.folder),
            "baseline": str(baseline.folder),
            "checks": [check.as_json() for check in found],
            "passed": not failed,
        }
        json.dump(told, sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        width = max(len(check.name) for check in found)
        for check in found:
            print(f"{'pass' if check.passed else 'FAIL'}  {check.name:{width}}  {check.words}")
        for name in () if gated else left_out(run, baseline):
            print(f"      {name:{width}}  not gated: no question has it in both runs")
        print(verdict)
    return 1 if failed else 0


def _bound(text: str) -> tuple[str, float]:
    """An argument that is a name and a number."""
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not name or not isfinite(number):
        raise argparse.ArgumentTypeError(f"takes NAME=VALUE, a figure and a number, not {text}")
    return name, number
