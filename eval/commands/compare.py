"""`python -m eval compare A B`: two runs over the same questions, side by side."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from eval.commands.shared import Commands
from eval.labels import DECIDING, marked, p_value
from qa.errors import FootnoteError, RunError
from qa.terminal import visible_line

if TYPE_CHECKING:
    from rich.table import Table

    from eval.results import Provenance, Run
    from eval.stats.paired import Paired, Verdict

WIDTH = 120
"""Columns when the output is no terminal."""
CODE = 12
"""Digits that are told of the code's hash."""
OF_ONE_RUN = frozenset({"home", "index"})
"""Settings that differ between any two runs."""
LEGEND = (
    "Means of the questions that have a value in both runs. Differences, second less first, with their 95% intervals; "
    "times and tokens as ratios, second by first. p and verdicts are corrected (Holm) for the measures of their table. "
    "Shows: the least difference that these questions would show 4 times of 5 if this measure alone were looked at. "
    "(v): less is better."
)


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "compare",
        parents=[common],
        help="compare two runs question by question; exit 1 if the second is worse",
    )
    parser.add_argument("first", metavar="A", type=Path)
    parser.add_argument("second", metavar="B", type=Path)
    parser.add_argument(
        "--measure",
        metavar="NAME",
        nargs="+",
        action="extend",
        help=f"what decides the verdict and the exit code; default: {DECIDING}",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> int:
    """Prints how the second run differs from the first; 1 where it is detectably worse on what decides."""
    from eval.results import differences, read_run

    first, second = read_run(options.first), read_run(options.second)
    if differ := differences(first, second):
        raise RunError(
            "\n".join([f"{first.folder} and {second.folder} cannot be compared:", *differ])
        )
    deciding = list(dict.fromkeys(options.measure or [DECIDING]))
    tables = _tables(first, second, deciding)
    verdict, words = _verdict(tables["Deciding"])
    changed = _changed(first.provenance, second.provenance)
    if options.json:
        told = {
            "first": str(first.folder),
            "second": str(second.folder),
            "changed": {name: list(values) for name, values in changed.items()},
            "errors": [len(first.errors), len(second.errors)],
            "deciding": deciding,
            "measures": [row.as_json() for rows in tables.values() for row in rows],
            "verdict": verdict,
        }
        json.dump(told, sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        _print_head(first, second, changed)
        _print_tables(tables, sys.stdout)
        print(words)
    return 1 if verdict == "worse" else 0


def _tables(
    first: "Run", second: "Run", deciding: Sequence[str]
) -> "Mapping[str, Sequence[Paired]]":
    """Raises FootnoteError for a measure that cannot decide."""
    from eval.stats.paired import UNDIRECTED, pair, tables, unpaired

    for name in deciding:
        if name in UNDIRECTED:
            raise FootnoteError(
                f"More {name} is neither better nor worse: let another measure decide."
            )
        if pair(name, first, second) is None:
            raise FootnoteError(unpaired(name, first, second))
    return tables(first, second, deciding)


def _verdict(rows: "Sequence[Paired]") -> "tuple[Verdict, str]":
    """Worse on one is worse; the line says on what."""
    from eval.stats.paired import Verdict

    verdicts: tuple[Verdict, ...] = ("worse", "better")
    told: list[tuple[Verdict, str]] = [
        (verdict, f"{verdict} on {', '.join(names)}")
        for verdict in verdicts
        if (names := [row.measure for row in rows if row.verdict == verdict])
    ]
    if told:
        return told[0][0], "The second run is " + "; ".join(words for _, words in told) + "."
    return (
        "no detectable difference",
        f"No detectable difference on {', '.join(row.measure for row in rows)}.",
    )


def _changed(first: "Provenance", second: "Provenance") -> dict[str, tuple[Any, Any]]:
    """What differs of the code and of the settings, by name."""
    one, other = (
        {**_code(about), **about.settings, **_versions(about)} for about in (first, second)
    )
    names = [name for name in {**one, **other} if name not in OF_ONE_RUN]
    return {
        name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)
    }


def _code(about: "Provenance") -> dict[str, Any]:
    """The commit, and the hash of the code: of two states that are not committed, only that tells them apart."""
    return {"commit": about.commit, "code": about.code and about.code[:CODE]}


def _versions(about: "Provenance") -> dict[str, Any]:
    return {f"version of {name}": value for name, value in about.versions.items()}


def _print_head(first: "Run", second: "Run", changed: Mapping[str, tuple[Any, Any]]) -> None:
    print(f"first   {first.folder}\nsecond  {second.folder}")
    for name, values in changed.items():
        # As JSON: what a file says moves no cursor.
        print(f"{visible_line(name)}: {' -> '.join(json.dumps(value) for value in values)}")
    if not changed:
        print("the same code and settings")
    if first.errors or second.errors:
        print(f"questions that broke: {len(first.errors)} and {len(second.errors)}")
    print()


def _print_tables(tables: "Mapping[str, Sequence[Paired]]", file: TextIO) -> None:
    from rich.console import Console

    console = Console(file=file, width=None if file.isatty() else WIDTH)
    for title, rows in tables.items():
        console.print(_table(title, rows))
        console.print()
    console.print(LEGEND, markup=False, highlight=False)
    console.print()


def _table(title: str, rows: "Sequence[Paired]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("measure", overflow="fold")
    for heading in (
        "n",
        "first",
        "second",
        "effect",
        "95% interval",
        "p",
        "won",
        "lost",
        "tied",
        "shows",
    ):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for row in rows:
        table.add_row(*map(Text, _cells(row)))
    return table


def _cells(row: "Paired") -> list[str]:
    sign = "" if row.is_ratio else "+"
    return [
        visible_line(marked(row.measure)),
        str(row.n),
        *(f"{value:.3f}" for value in (row.first, row.second)),
        f"{row.effect:{sign}.3f}",
        f"[{row.low:{sign}.3f}, {row.high:{sign}.3f}]",
        p_value(row.p),
        *(str(count) for count in (len(row.won), len(row.lost), row.ties)),
        "-" if row.smallest is None else f"{row.smallest:.3f}",
        row.verdict,
    ]
