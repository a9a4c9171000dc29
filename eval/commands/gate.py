"""`footnote eval gate RUN --baseline RUN`: decides whether a run passes in CI."""

import argparse
from collections import Counter
from collections.abc import Sequence
from math import isfinite, nan
from pathlib import Path

from eval.commands.shared import Commands
from qa.errors import FootnoteError, RunError
from qa.terminal import json_for_terminal, visible_line


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "gate",
        parents=[common],
        help="exit 1 if a run is worse than a baseline, has new errors or misses a limit",
        description="Exit with 1 if RUN is detectably worse than the baseline on a gated metric, "
        "if a question has an error that it does not have in the baseline, or if a limit is "
        "missed. A run that is not worse fails by chance at most 1 time in 20, however many "
        "metrics are gated. Every quote must be exact (quotes_exact at least 1) unless --min "
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
        help="the metrics to gate "
        "(default: answered_right, rightly_refused, hit_at_5, citation_f1)",
    )
    for flag, end in (("--min", "least"), ("--max", "most")):
        parser.add_argument(
            flag,
            metavar="NAME=VALUE",
            type=_limit,
            nargs="+",
            action="extend",
            default=[],
            help=f"require a metric of summary.json to be at {end} VALUE",
        )
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    parser.set_defaults(command=_gate)


def _gate(options: argparse.Namespace) -> int:
    """Prints a line for each check, and the verdict. Returns 1 if a check failed."""
    from eval.gate import checks, not_gated
    from eval.results import differences, read_run

    _check_limits(options.min)
    _check_limits(options.max)
    run = read_run(options.run_folder)
    baseline = read_run(options.baseline)
    reasons = differences(baseline, run)
    if reasons:
        heading = f"{run.folder} cannot be compared with {baseline.folder}:"
        raise RunError("\n".join([heading, *reasons]))

    # Each metric once: a second test of the same metric would weaken the first.
    gated = list(dict.fromkeys(options.measure or ()))
    results = checks(run, baseline, gated, dict(options.min), dict(options.max))
    failed = sum(not check.passed for check in results)
    if options.json:
        verdict = {
            "run": str(run.folder),
            "baseline": str(baseline.folder),
            "checks": [check.as_json() for check in results],
            "passed": not failed,
        }
        print(json_for_terminal(verdict, indent=1))
        return 1 if failed else 0

    width = max(len(check.name) for check in results)
    for check in results:
        status = "pass" if check.passed else "FAIL"
        name = visible_line(check.name)
        print(f"{status}  {name:{width}}  {check.words}")
    # A default metric may be missing, for example in a file without unanswerable questions.
    if not gated:
        for name in not_gated(run, baseline):
            print(f"      {name:{width}}  not gated: no question has it in both runs")
    if failed:
        print(f"failed: {failed} of {len(results)} checks")
        return 1
    print(f"passed: {len(results)} checks")
    return 0


def _check_limits(limits: Sequence[tuple[str, float]]) -> None:
    """Raises FootnoteError for a metric with two limits."""
    counts = Counter(name for name, _ in limits)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        names = ", ".join(repeated)
        raise FootnoteError(f"{names} has two limits of one kind. Give one.")


def _limit(text: str) -> tuple[str, float]:
    """Returns the metric and the value of an argument."""
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        # Rejected below, as is every number that is not finite.
        number = nan
    if not name or not isfinite(number):
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, a metric and a number, not {text}")
    return name, number
