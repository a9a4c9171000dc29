"""Tables of estimates for a terminal, or for a file when the output is redirected."""

from collections.abc import Sequence
from textwrap import fill
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.metrics import metric_named, tables
from eval.metrics.metric import Metric
from eval.report.estimates import groups_to_show
from eval.report.values import interval_text, value_text
from eval.run_schema import Estimate, Group
from qa.terminal import visible_line

WIDTH = 100
"""Columns when the output is not a terminal."""
RUNS_WIDTH = 120
"""The same for runs side by side."""
_NAME_WIDTH = 24
"""Columns that the name of a run may take before it is broken."""
_METRIC_WIDTH = 12
"""Columns of an estimate in the table of runs; its heading is broken to fit."""
_LEGEND = (
    "value (n questions that have one)  [95% interval]  -: nothing to measure  (v): less is better"
)
MAIN_METRICS = (
    "answered_right",
    "first_sentence_right",
    "rightly_refused",
    "citation_precision",
    "hit_at_5",
    "seconds_median",
)
"""The columns of the table of runs."""


def print_tables(groups: Sequence[Group], file: TextIO) -> None:
    """Prints the estimates of a run: a table for each theme, a row for each group of questions.

    Tables, columns and rows without any value are left out.
    """
    console = Console(file=file, width=None if file.isatty() else WIDTH)
    rows = groups_to_show(groups)

    for title, metrics in tables().items():
        measured = [
            metric for metric in metrics if any(_has_value(group, metric) for group in rows)
        ]
        if measured:
            console.print(_group_table(title, measured, rows))
            console.print()

    console.print(_LEGEND, markup=False, highlight=False)
    overall = groups[0]
    if overall.errors:
        console.print(
            f"{overall.errors} of {overall.questions} questions broke and have no value.",
            highlight=False,
        )


def print_runs(runs: Sequence[tuple[str, Group]], file: TextIO) -> None:
    """Prints runs side by side: a row for each name and group, a column for each main metric."""
    longest_name = max(len(name) for name, _ in runs)
    metrics = [metric_named(name) for name in MAIN_METRICS]
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("run", overflow="fold", min_width=min(_NAME_WIDTH, longest_name))
    for metric in metrics:
        table.add_column(Text(fill(metric.marked(), _METRIC_WIDTH)), justify="right")
    for name, group in runs:
        cells = [_estimate_cell(group.estimates[metric.name], metric) for metric in metrics]
        table.add_row(Text(name), *cells)

    console = Console(file=file, width=None if file.isatty() else RUNS_WIDTH)
    console.print(table)


def _has_value(group: Group, metric: Metric) -> bool:
    return group.estimates[metric.name].value is not None


def _group_table(title: str, metrics: Sequence[Metric], groups: Sequence[Group]) -> Table:
    # Text, not str: a kind may hold square brackets, which rich would read as its markup.
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("questions", overflow="fold")
    for metric in metrics:
        table.add_column(Text(metric.marked()), justify="right")

    for group in groups:
        if any(_has_value(group, metric) for metric in metrics):
            heading = Text(f"{visible_line(group.name)}\n({group.questions})")
            cells = [_estimate_cell(group.estimates[metric.name], metric) for metric in metrics]
            table.add_row(heading, *cells)
    return table


def _estimate_cell(estimate: Estimate, metric: Metric) -> Text:
    """Returns `0.91 (32)` above `[0.84, 0.95]`; a dash where there is nothing to measure."""
    interval = interval_text(estimate.low, estimate.high, metric.name)
    if estimate.value is None or not interval:
        return Text("-\n")
    return Text(f"{value_text(estimate.value, metric.name)} ({estimate.n})\n{interval}")
