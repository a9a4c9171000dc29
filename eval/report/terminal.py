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
_MODEL_COST = (
    ("prompt", "prompt_tokens", "tokens, mean"),
    ("answer", "answer_tokens", "tokens, mean"),
    ("first words after", "seconds_to_first_words_median", "seconds, median"),
)
"""The cost of a language model: a label, a metric and the metric's unit."""


def print_tables(groups: Sequence[Group], file: TextIO) -> None:
    """Prints the estimates of a run: a table for each theme, a row for each group of questions.

    Tables, columns and rows without any value are left out.
    """
    # Redirected output has no width of its own, and must not change with the terminal.
    width = None if file.isatty() else WIDTH
    console = Console(file=file, width=width)
    rows = groups_to_show(groups)

    for title, metrics in tables().items():
        measured = [metric for metric in metrics if _measured_in(rows, metric)]
        if measured:
            console.print(_group_table(title, measured, rows))
            console.print()

    console.print(_LEGEND, markup=False, highlight=False)
    overall = groups[0]
    if overall.errors:
        console.print(
            f"{overall.errors} of {overall.questions} questions ended with an error "
            "and have no scores.",
            highlight=False,
        )


def print_model(name: str, server: str, overall: Group, file: TextIO) -> None:
    """Prints a language model, its server, and the cost of a question: tokens and first words.

    `server`: host and port.
    """
    width = None if file.isatty() else WIDTH
    console = Console(file=file, width=width)
    console.print(f"Language model: {name} at {server}", markup=False, highlight=False)
    for label, metric, unit in _MODEL_COST:
        estimate = overall.estimates[metric]
        if estimate.value is not None:
            value = value_text(estimate.value, metric)
            console.print(f"  {label}: {value} {unit}", markup=False, highlight=False)
    console.print()


def print_runs(runs: Sequence[tuple[str, Group]], file: TextIO) -> None:
    """Prints runs side by side: a row for each name and group, a column for each main metric."""
    name_width = 0
    for name, _ in runs:
        name_width = max(name_width, len(name))
    name_width = min(name_width, _NAME_WIDTH)

    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("run", overflow="fold", min_width=name_width)
    metrics = list(map(metric_named, MAIN_METRICS))
    for metric in metrics:
        heading = fill(metric.marked(), _METRIC_WIDTH)
        table.add_column(Text(heading), justify="right")
    for name, group in runs:
        cells = _estimate_cells(group, metrics)
        table.add_row(Text(name), *cells)

    width = None if file.isatty() else RUNS_WIDTH
    console = Console(file=file, width=width)
    console.print(table)


def _measured_in(groups: Sequence[Group], metric: Metric) -> bool:
    """Returns whether a metric has a value in any of the groups."""
    return any(group.estimates[metric.name].value is not None for group in groups)


def _group_table(title: str, metrics: Sequence[Metric], groups: Sequence[Group]) -> Table:
    # Text, not str: a kind may hold square brackets, which rich would read as its markup.
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("questions", overflow="fold")
    for metric in metrics:
        heading = Text(metric.marked())
        table.add_column(heading, justify="right")

    for group in groups:
        has_value = any(_measured_in([group], metric) for metric in metrics)
        # A row of dashes would say nothing.
        if has_value:
            name = visible_line(group.name)
            heading = Text(f"{name}\n({group.questions})")
            cells = _estimate_cells(group, metrics)
            table.add_row(heading, *cells)
    return table


def _estimate_cells(group: Group, metrics: Sequence[Metric]) -> list[Text]:
    cells = []
    for metric in metrics:
        estimate = group.estimates[metric.name]
        cells.append(_estimate_cell(estimate, metric))
    return cells


def _estimate_cell(estimate: Estimate, metric: Metric) -> Text:
    """Returns `0.91 (32)` above `[0.84, 0.95]`; a dash where there is nothing to measure."""
    interval = interval_text(estimate.low, estimate.high, metric.name)
    if estimate.value is None or not interval:
        # Two lines as well, so that the cells of a row are aligned.
        return Text("-\n")
    value = value_text(estimate.value, metric.name)
    return Text(f"{value} ({estimate.n})\n{interval}")
