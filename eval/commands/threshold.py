"""`footnote eval threshold RUN …`: chooses the refusal threshold on runs that refused nothing."""

import argparse
from pathlib import Path

from eval.commands.shared import Commands

ROWS = 20
"""Thresholds shown, spread evenly over all of them."""


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "threshold",
        parents=[common],
        help="choose the refusal threshold on runs made with --threshold 0",
    )
    parser.add_argument("run_folders", metavar="RUN", type=Path, nargs="+")
    parser.set_defaults(command=_threshold)


def _threshold(options: argparse.Namespace) -> int:
    """Prints what some thresholds lead to, and the best of all."""
    from eval.results import read_run
    from eval.threshold import best, scored_answers, threshold_results

    answers = []
    for folder in options.run_folders:
        answers += scored_answers(read_run(folder))
    results = threshold_results(answers)
    chosen = best(results)
    # Every confidence of the run is a threshold that could be chosen: too many to print.
    step = max(1, len(results) // ROWS)
    shown = {*results[::step], chosen}
    print("threshold  answered right  answered wrong  wrongly refused  rightly refused   cost")
    for result in sorted(shown, key=lambda result: result.threshold):
        mark = "  best" if result is chosen else ""
        print(
            f"{result.threshold:9.3f}  {result.answered_right:14.2f}  "
            f"{result.answered_wrong:14.2f}  {result.wrongly_refused:15.2f}  "
            f"{result.rightly_refused:15.2f}  {result.cost:5.2f}{mark}"
        )
    return 0
