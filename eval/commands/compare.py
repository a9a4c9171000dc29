"""`footnote eval compare A B`: compares two runs over the same questions."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from eval.commands.shared import Commands
from qa.errors import FootnoteError, RunError
from qa.terminal import escaped_line, json_for_terminal, visible_line

if TYPE_CHECKING:
    from rich.table import Table

    from eval.comparison import PairedComparison, Verdict
    from eval.run_schema import Provenance, Run

WIDTH = 120
"""Columns if the output is not a terminal."""
HASH_LENGTH = 12
"""Characters of the code's hash that are shown."""
ALWAYS_DIFFERENT = frozenset({"home", "index"})
"""Settings that differ between any two runs."""
HEADINGS = (
    "n",
    "first",
    "second",
    "effect",
    "95% interval",
    "p",
    "won",
    "lost",
    "tied",
    "detectable",
)
LEGEND = (
    "Means over the questions that have a value in both runs. Effect: second minus first, with its "
    "95% interval; for times and tokens second by first. p and verdict are corrected (Holm) "
    "for the metrics of their table. Detectable: the smallest effect that these questions would "
    "show 4 times of 5 if only this metric were tested. (v): lower is better."
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
        help="the metrics that decide verdict and exit code (default: answered_right)",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> int:
    """Prints the comparison. Returns 1 if the second run is detectably worse on what decides."""
    from eval.metrics import DECIDING
    from eval.results import differences, read_run

    first, second = read_run(options.first), read_run(options.second)
    if reasons := differences(first, second):
        heading = f"{first.folder} and {second.folder} cannot be compared:"
        raise RunError("\n".join([heading, *reasons]))
    # A metric that is given twice must not be corrected for twice.
    deciding = list(dict.fromkeys(options.measure or [DECIDING]))
    tables = _tables(first, second, deciding)
    verdict, sentence = _verdict(tables["Deciding"])
    changes = _changes(first.provenance, second.provenance)
    if options.json:
        measures = []
        for rows in tables.values():
            measures += [row.as_json() for row in rows]
        comparison = {
            "first": str(first.folder),
            "second": str(second.folder),
            "changed": changes,
            "errors": [len(first.errors), len(second.errors)],
            "deciding": deciding,
            "measures": measures,
            "verdict": verdict,
        }
        print(json_for_terminal(comparison, indent=1))
    else:
        _print_head(first, second, changes)
        _print_tables(tables, sys.stdout)
        print(visible_line(sentence))
    return 1 if verdict == "worse" else 0


def _tables(
    first: "Run", second: "Run", deciding: Sequence[str]
) -> "Mapping[str, Sequence[PairedComparison]]":
    """Raises FootnoteError for a metric that cannot decide."""
    from eval.comparison import compare, comparison_tables, has_direction, no_pairs_message

    for name in deciding:
        if not has_direction(name):
            raise FootnoteError(
                f"{escaped_line(name)} has no better or worse values. "
                "Choose another metric: --measure NAME"
            )
        if compare(name, first, second) is None:
            raise FootnoteError(no_pairs_message(name, first, second))
    return comparison_tables(first, second, deciding)


def _verdict(rows: "Sequence[PairedComparison]") -> "tuple[Verdict, str]":
    """Returns the verdict over the deciding metrics, worse before better, and a sentence on it."""
    worse = [row.metric for row in rows if row.verdict == "worse"]
    better = [row.metric for row in rows if row.verdict == "better"]
    # Both may be the case: a gain on a metric does not make up for a loss on another.
    parts = []
    if worse:
        parts.append(f"worse on {', '.join(worse)}")
    if better:
        parts.append(f"better on {', '.join(better)}")
    if not parts:
        names = ", ".join(row.metric for row in rows)
        return "no detectable difference", f"No detectable difference on {names}."
    return "worse" if worse else "better", f"The second run is {'; '.join(parts)}."


def _changes(first: "Provenance", second: "Provenance") -> dict[str, tuple[Any, Any]]:
    """Returns the settings and versions that differ between two runs, by name."""
    old, new = _by_name(first), _by_name(second)
    changes = {}
    for name in {**old, **new}:
        values = old.get(name), new.get(name)
        if name not in ALWAYS_DIFFERENT and values[0] != values[1]:
            changes[name] = values
    return changes


def _by_name(provenance: "Provenance") -> dict[str, Any]:
    """Returns commit, hash of the code, settings and library versions, by name."""
    versions = {f"version of {name}": value for name, value in provenance.versions.items()}
    return {
        "commit": provenance.commit,
        # Only the hash distinguishes two states of the code that are not committed.
        "code": provenance.code and provenance.code[:HASH_LENGTH],
        **provenance.settings,
        **versions,
    }


def _print_head(first: "Run", second: "Run", changes: Mapping[str, tuple[Any, Any]]) -> None:
    print(f"first   {escaped_line(str(first.folder))}")
    print(f"second  {escaped_line(str(second.folder))}")
    for name, values in changes.items():
        old, new = map(json_for_terminal, values)
        print(f"{visible_line(name)}: {old} -> {new}")
    if not changes:
        print("the same code and settings")
    if first.errors or second.errors:
        print(f"questions with an error: {len(first.errors)} and {len(second.errors)}")
    print()


def _print_tables(tables: "Mapping[str, Sequence[PairedComparison]]", file: TextIO) -> None:
    from rich.console import Console

    console = Console(file=file, width=None if file.isatty() else WIDTH)
    for title, rows in tables.items():
        console.print(_table(title, rows))
        console.print()
    console.print(LEGEND, markup=False, highlight=False)
    console.print()


def _table(title: str, rows: "Sequence[PairedComparison]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("metric", overflow="fold")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for row in rows:
        # Text, not str: rich would read square brackets as its markup.
        table.add_row(*map(Text, _cells(row)))
    return table


def _cells(row: "PairedComparison") -> list[str]:
    from eval.metrics import metric_named

    sign = "" if row.is_ratio else "+"
    detectable = row.minimum_detectable
    return [
        visible_line(metric_named(row.metric).marked()),
        str(row.n),
        f"{row.first:.3f}",
        f"{row.second:.3f}",
        f"{row.effect:{sign}.3f}",
        f"[{row.low:{sign}.3f}, {row.high:{sign}.3f}]",
        row.p_text,
        str(len(row.won)),
        str(len(row.lost)),
        str(row.ties),
        "-" if detectable is None else f"{detectable:.3f}",
        row.verdict,
    ]
