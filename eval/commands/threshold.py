"""`python -m eval threshold RUN`: chooses the refusal threshold on a run that refused nothing."""

import argparse
from pathlib import Path

from eval.commands.shared import Commands

STEPS = 20
"""Thresholds shown, evenly over those there are."""


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "threshold",
        parents=[common],
        help="choose the refusal threshold on a run made with --threshold 0",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path)
    parser.set_defaults(command=_threshold)


def _threshold(options: argparse.Namespace) -> int:
    """Prints what thresholds come to, and the best one."""
    from eval.results import read_run
    from eval.threshold import asked, best, choices

    found = choices(asked(read_run(options.run_folder)))
    chosen = best(found)
    steps = found[:: max(1, len(found) // STEPS)]
    print("threshold  answered right  wrongly refused  rightly refused  balance")
    for choice in sorted({*steps, chosen}, key=lambda choice: choice.threshold):
        print(
            f"{choice.threshold:9.3f}  {choice.answered_right:14.2f}  {choice.wrongly_refused:15.2f}  "
            f"{choice.rightly_refused:15.2f}  {choice.balance:7.3f}{'  best' if choice is chosen else ''}"
        )
    return 0
