"""`footnote eval decision RUN …`: fits how the two engines' answers are weighed."""

import argparse
from pathlib import Path

from eval.commands.shared import Commands


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "decision",
        parents=[common],
        help="fit the weights of reader, language model and check on runs made with --threshold 0",
    )
    parser.add_argument("run_folders", metavar="RUN", type=Path, nargs="+")
    parser.set_defaults(command=_decision)


def _decision(options: argparse.Namespace) -> int:
    """Prints the weights for qa/answer/decision.py."""
    from eval.decision import fit, judged_answers
    from eval.results import read_results, read_run

    answers = []
    for folder in options.run_folders:
        answers += judged_answers(read_run(folder), read_results(folder))
    of_model = [answer for answer in answers if answer.signals.answered]
    of_reader = [answer for answer in answers if not answer.signals.answered]
    for name, group in (("MODEL_ANSWER", of_model), ("QUOTED_ANSWER", of_reader)):
        fitted = fit(group)
        weights = fitted.weights
        print(
            f"{name}: bias={weights.bias:.2f}, reader={weights.reader:.2f}, "
            f"support={weights.support:.2f}, agrees={weights.agrees:.2f}  "
            f"({fitted.answers} answers, {fitted.right} right)"
        )
    return 0
