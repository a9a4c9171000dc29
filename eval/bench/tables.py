"""Prints the comparison for a terminal, or for a file if the output is redirected."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.bench.comparison import (
    MODEL_QUALITY,
    QUALITY,
    SECONDS,
    SECONDS_SUMMARY,
    EngineEstimates,
    Output,
)
from eval.metrics.metric import Metric
from eval.run_schema import Estimate

Rounds = Mapping[str, Sequence[float]]
"""The seconds of each round of indexing, by the name of the engine."""
WIDTH = 120
"""Columns if the output is not a terminal."""
TITLES: Mapping[Output, str] = {"passages": "Passages", "answers": "Answers and citations"}
LEGEND = (
    "value (n questions that have one), [95% interval]; -: nothing to measure; (v): lower is better"
)


def print_tables(engines: Sequence[EngineEstimates], indexing: Rounds, file: TextIO) -> None:
    """Prints the estimates of each engine and its difference to Footnote, and the seconds."""
    # A terminal has a width of its own; a file gets the same table everywhere.
    width = None if file.isatty() else WIDTH
    console = Console(file=file, width=width, highlight=False)
    for output in TITLES:
        for table in _quality_tables(output, engines):
            # With a language model no peer gives passages.
            if table.row_count:
                console.print(table)
    console.print(_model_table(engines))
    console.print(_seconds_table(engines))
    console.print(_indexing_table(indexing))
    console.print(LEGEND, markup=False)

    for row in engines:
        if row.errors:
            ids = ", ".join(row.errors)
            console.print(f"{row.engine.name}: errors at {ids}", markup=False)


def _quality_tables(output: Output, engines: Sequence[EngineEstimates]) -> list[Table]:
    metrics = QUALITY[output]
    headings = [metric.marked() for metric in metrics]
    values = _empty_table(TITLES[output], headings)
    differences = _empty_table(f"{TITLES[output]}: Footnote minus the peer", headings)
    for row in engines:
        engine = row.engine
        if output not in engine.outputs:
            continue
        cells = _cells(row.estimates, metrics)
        values.add_row(engine.name, *cells)
        if row.differences:
            title = f"{engine.reference} - {engine.name}"
            cells = _cells(row.differences, metrics)
            differences.add_row(title, *cells)
    return [values, differences]


def _model_table(engines: Sequence[EngineEstimates]) -> Table:
    headings = [metric.marked() for metric in MODEL_QUALITY]
    table = _empty_table("Sentences written by a model", headings)
    for row in engines:
        if row.engine.asks_model:
            table.add_row(row.engine.name, *_cells(row.estimates, MODEL_QUALITY))
    return table


def _cells(estimates: Mapping[str, Estimate], metrics: Sequence[Metric]) -> list[Text]:
    return [_cell(estimates[metric.name], metric.decimals) for metric in metrics]


def _seconds_table(engines: Sequence[EngineEstimates]) -> Table:
    headings = [metric.label for metric in SECONDS_SUMMARY]
    headings += ["Footnote : peer", "retrieving"]
    table = _empty_table("Seconds a question", headings)
    for row in engines:
        cells = []
        for metric in SECONDS_SUMMARY:
            # Some peers take less than a thousandth of a second.
            cells.append(_cell(row.estimates[metric.name], 4))
        if row.ratios:
            for metric in SECONDS:
                cells.append(_cell(row.ratios[metric.name], 1))
        table.add_row(row.engine.name, *cells)
    return table


def _indexing_table(seconds: Rounds) -> Table:
    table = _empty_table("Seconds until the documents can be asked", ["median", "all"])
    for name, values in seconds.items():
        rounds = [f"{value:.3f}" for value in values]
        middle = f"{median(values):.3f}"
        table.add_row(name, middle, " ".join(rounds))
    return table


def _empty_table(title: str, headings: Sequence[str]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("", overflow="fold", max_width=40)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _cell(estimate: Estimate, decimals: int) -> Text:
    # Text, not str: rich would read the brackets of the interval as its markup.
    if estimate.value is None:
        return Text("-")
    style = f",.{decimals}f"
    low = format(estimate.low, style)
    high = format(estimate.high, style)
    value = format(estimate.value, style)
    return Text(f"{value} ({estimate.n})\n[{low}, {high}]")
