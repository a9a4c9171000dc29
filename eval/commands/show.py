"""`footnote eval show RUN ID`: prints one question of a run in full."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from eval.commands.shared import Commands
from qa.errors import RunError
from qa.terminal import escaped_line, visible_line

_MAX_IDS = 5
"""Ids that an error names."""
_MAX_CHARACTERS = 80
"""Characters of an unknown id that an error repeats."""


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "show",
        parents=[common],
        help="print one question of a run in full: gold, what was read, answer, scores",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path)
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--json", action="store_true", help="print it as a JSON object")
    parser.set_defaults(command=_show)


def _show(options: argparse.Namespace) -> int:
    from eval.report.details import read_details
    from eval.report.question_text import as_json, print_question
    from eval.results import read_raw_results

    folder: Path = options.run_folder
    run = read_details(folder)
    by_id = {question.id: question for question in run.questions}
    question = by_id.get(options.id)
    if question is None:
        raise RunError(_unknown_id(folder, options.id, list(by_id)))
    if options.json:
        own_rows = []
        # The file may be missing, and the estimates of the question are known without it.
        if question.results:
            rows = read_raw_results(folder)
            own_rows = [row for row in rows if row["id"] == question.id]
        # ASCII: half a surrogate pair, and what would steer a terminal, is written as an escape.
        print(json.dumps(as_json(question, own_rows), indent=1))
        return 0
    print_question(question, sys.stdout)
    for sentence in run.missing:
        print(f"footnote: {sentence}", file=sys.stderr)
    return 0


def _unknown_id(folder: Path, unknown: str, ids: Sequence[str]) -> str:
    """Returns an error that names similar ids, and ids that contain the unknown one."""
    from difflib import get_close_matches

    similar = get_close_matches(unknown, ids, _MAX_IDS)
    # A number or an end of an id is too short to be similar to it.
    containing = [key for key in ids if unknown in key]
    near = list(dict.fromkeys([*similar, *containing]))[:_MAX_IDS]
    if near:
        hint = f"Similar: {_listed(near)}"
    elif ids:
        hint = f"It has: {_listed(ids)}; {len(ids)} in all"
    else:
        hint = "It has none"
    shown = unknown
    if len(unknown) > _MAX_CHARACTERS:
        shown = f"{unknown[:_MAX_CHARACTERS]}…"
    return f"{folder} has no question {visible_line(shown)}. {hint}."


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(map(escaped_line, ids[:_MAX_IDS]))
