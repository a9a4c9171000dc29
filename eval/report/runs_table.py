"""Several runs side by side, for a terminal: a row a run, a column for each of the figures that matter most."""

from collections.abc import Sequence
from textwrap import fill
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.labels import digits, marked
from eval.report.terminal import numbers
from eval.summary import Group

MAIN = (
    "answered_right",
    "first_sentence_right",
    "rightly_refused",
    "citation_precision",
    "hit_at_5",
    "seconds_median",
)

WIDTH = 120
"""Columns when the output is no terminal."""
NAME = 24
"""Columns that a run's name may take before it is broken."""
FIGURE = 12
"""Columns that a figure and its interval take: its heading is broken to fit."""


def print_across(runs: Sequence[tuple[str, Group]], file: TextIO) -> None:
    """Prints these figures of all questions of each run, by its name."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column(
        "run", overflow="fold", min_width=min(NAME, max(len(name) for name, _ in runs))
    )
    for name in MAIN:
        table.add_column(Text(fill(marked(name), FIGURE)), justify="right")
    for name, group in runs:
        table.add_row(
            Text(name), *(Text("\n".join(numbers(group.figures[one], digits(one)))) for one in MAIN)
        )
    console = Console(file=file, width=None if file.isatty() else WIDTH)
    console.print(table)
