"""`python -m eval show RUN ID`: one question of a run in full."""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from eval.commands.shared import Commands
from qa.errors import RunError
from qa.terminal import visible_line

_NEAR = 5
_SHOWN = 80
"""Ids that are named where one is not known."""


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "show",
        parents=[common],
        help="one question of a run in full: what was read and said, and what is so",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path)
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--json", action="store_true", help="print it as an object")
    parser.set_defaults(command=_show)


def _show(options: argparse.Namespace) -> int:
    from eval.report.cases import read_seen
    from eval.report.question_text import as_json, show
    from eval.results import RESULTS, read_raw_results

    seen = read_seen(options.run_folder)
    case = next((case for case in seen.cases if case.id == options.id), None)
    if case is None:
        raise RunError(_unknown(options.run_folder, options.id, [case.id for case in seen.cases]))
    if options.json:
        has_rows = (options.run_folder / RESULTS).is_file()
        every = read_raw_results(options.run_folder) if has_rows else []
        rows = [row for row in every if row["id"] == case.id]
        # ASCII, so that half a surrogate pair, and what would steer a terminal, is written as JSON has it.
        print(json.dumps(as_json(case, rows), indent=1))
    else:
        show(case, sys.stdout)
        for told in seen.lacking:
            print(f"footnote: {told}", file=sys.stderr)
    return 0


def _unknown(folder: Path, key: str, ids: Iterable[str]) -> str:
    """Names those that are spelled alike, and those that hold what was asked for."""
    from difflib import get_close_matches

    known = list(ids)
    near = dict.fromkeys(
        [*get_close_matches(key, known, _NEAR), *(one for one in known if key in one)]
    )
    if near:
        told = f"Near it: {', '.join(list(near)[:_NEAR])}"
    else:
        told = (
            f"It has: {', '.join(known[:_NEAR])}, and {len(known)} in all"
            if known
            else "It has none"
        )
    shown = key if len(key) <= _SHOWN else f"{key[:_SHOWN]}…"
    return f"{folder} has no question {visible_line(shown)}. {told}."
