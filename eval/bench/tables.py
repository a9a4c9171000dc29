"""Prints the comparison for a terminal, or for a file if the output is redirected."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.bench.comparison import (
    QUALITY,
    SECONDS,
    SECONDS_SUMMARY,
    EngineEstimates,
    Output,
)
from eval.metrics.metric import Metric
from eval.run_schema import Estimate

WIDTH = 120
"""Columns if the output is not a terminal."""
TITLES: Mapping[Output, str] = {"passages": "Passages", "answers": "Answers and citations"}
LEGEND = (
    "value (n questions that have one), [95% interval]; -: nothing to measure; (v): lower is better"
)


def print_tables(
    engines: Sequence[EngineEstimates], indexing: Mapping[str, Sequence[float]], file: TextIO
) -> None:
    """Prints the estimates of each engine and its difference to Footnote, and the seconds.

    `indexing` has the seconds of each round, by name.
    """
    console = Console(file=file, width=None if file.isatty() else WIDTH, highlight=False)
    tables: list[Table] = []
    for output in TITLES:
        tables += _quality_tables(output, engines)
    for table in (*tables, _seconds_table(engines), _indexing_table(indexing)):
        console.print(table)
    console.print(LEGEND, markup=False)
    for row in engines:
        if row.errors:
            console.print(f"{row.engine.name}: errors at {', '.join(row.errors)}", markup=False)


def _quality_tables(output: Output, engines: Sequence[EngineEstimates]) -> list[Table]:
    metrics = QUALITY[output]
    headings = [metric.marked() for metric in metrics]
    values = _empty_table(TITLES[output], headings)
    differences = _empty_table(f"{TITLES[output]}: Footnote minus the peer", headings)
    for row in engines:
        if output not in row.engine.outputs:
            continue
        values.add_row(row.engine.name, *_cells(row.estimates, metrics))
        if row.differences:
            title = f"{row.engine.reference} - {row.engine.name}"
            differences.add_row(title, *_cells(row.differences, metrics))
    return [values, differences]


def _cells(estimates: Mapping[str, Estimate], metrics: Sequence[Metric]) -> list[Text]:
    return [_cell(estimates[metric.name], metric.decimals) for metric in metrics]


def _seconds_table(engines: Sequence[EngineEstimates]) -> Table:
    headings = [metric.label for metric in SECONDS_SUMMARY]
    table = _empty_table("Seconds a question", [*headings, "Footnote : peer", "retrieving"])
    for row in engines:
        # Some peers take less than a thousandth of a second.
        cells = [_cell(row.estimates[metric.name], 4) for metric in SECONDS_SUMMARY]
        if row.ratios:
            cells += [_cell(row.ratios[metric.name], 1) for metric in SECONDS]
        table.add_row(row.engine.name, *cells)
    return table


def _indexing_table(seconds: Mapping[str, Sequence[float]]) -> Table:
    table = _empty_table("Seconds until the documents can be asked", ["median", "all"])
    for name, values in seconds.items():
        rounds = [f"{value:.3f}" for value in values]
        table.add_row(name, f"{median(values):.3f}", " ".join(rounds))
    return table


def _empty_table(title: str, headings: Sequence[str]) -> Table:
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("", overflow="fold", max_width=40)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _cell(estimate: Estimate, decimals: int) -> Text:
    # Text, not str: rich would read the brackets of the interval as its markup.
    if estimate.value is None:
        return Text("-")
    value = f"{estimate.value:,.{decimals}f} ({estimate.n})"
    return Text(f"{value}\n[{estimate.low:,.{decimals}f}, {estimate.high:,.{decimals}f}]")
