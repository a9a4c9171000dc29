"""The comparison for a terminal, or for a file when the output goes to one."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from eval.bench.comparison import Figure, Row
from eval.bench.metrics import BUDGET

WIDTH = 120
"""Columns when the output is no terminal."""
PASSAGES = {
    "hit_at_1": "hit@1",
    "recall_at_5": "recall@5",
    "reciprocal_rank": "MRR",
    "ndcg_at_5": "nDCG@5",
    "hit_within": f"hit in {BUDGET:,} chars",
    "characters_read": "chars read (v)",
}
ANSWERS = {
    "contains_answer": "accepted answer",
    "citation_precision": "citation precision",
    "citation_recall": "citation recall",
    "citation_f1": "citation F1",
    "wrongly_refused": "wrongly refused (v)",
    "rightly_refused": "rightly refused",
}
SECONDS = {
    "seconds_median": "median",
    "seconds_p95": "95th percentile",
    "retrieving_median": "retrieving, median",
}
RATIOS = {"seconds": "Footnote : peer", "seconds_retrieving": "retrieving"}
_LEGEND = (
    "value (n questions that have one), [95% interval]; -: nothing to measure; (v): less is better"
)
_DECIMALS = {"characters_read": 0, **dict.fromkeys(SECONDS, 4), **dict.fromkeys(RATIOS, 1)}


def print_tables(
    rows: Sequence[Row], indexing: Mapping[str, Sequence[float]], file: TextIO
) -> None:
    """Prints the figures, a row an engine, and Footnote less each peer; `indexing`: the seconds of each time."""
    console = Console(file=file, width=None if file.isatty() else WIDTH, highlight=False)
    for of, title, labels in (
        ("passages", "Passages", PASSAGES),
        ("answers", "Answers and citations", ANSWERS),
    ):
        own = [row for row in rows if of in row.engine.measured]
        beside = {
            f"{row.engine.beside} - {row.engine.name}": row.differences
            for row in own
            if row.engine.beside
        }
        console.print(_figures(title, labels, {row.engine.name: row.figures for row in own}))
        console.print(_figures(f"{title}: Footnote less the peer", labels, beside))
    console.print(_seconds(rows))
    console.print(_indexing(indexing))
    console.print(_LEGEND, markup=False)
    for row in rows:
        if row.errors:
            console.print(
                f"{row.engine.name}: these broke and have no value: {', '.join(row.errors)}",
                markup=False,
            )


def _figures(
    title: str, labels: Mapping[str, str], rows: Mapping[str, Mapping[str, Figure]]
) -> Table:
    table = _empty(title, list(labels.values()))
    for name, figures in rows.items():
        table.add_row(name, *(_cell(figures[label], _DECIMALS.get(label, 2)) for label in labels))
    return table


def _seconds(rows: Sequence[Row]) -> Table:
    table = _empty("Seconds a question", [*SECONDS.values(), *RATIOS.values()])
    for row in rows:
        figures = [row.figures[name] for name in SECONDS] + [
            row.ratios.get(name) for name in RATIOS
        ]
        names = (*SECONDS, *RATIOS)
        cells = [
            _cell(one, _DECIMALS[name]) if one else ""
            for one, name in zip(figures, names, strict=True)
        ]
        table.add_row(row.engine.name, *cells)
    return table


def _indexing(seconds: Mapping[str, Sequence[float]]) -> Table:
    table = _empty("Seconds until the documents can be asked", ["median", "all"])
    for name, values in seconds.items():
        table.add_row(name, f"{median(values):.3f}", " ".join(f"{value:.3f}" for value in values))
    return table


def _empty(title: str, columns: Sequence[str]) -> Table:
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("", overflow="fold", max_width=40)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _cell(figure: Figure, decimals: int) -> str:
    """`0.91 (32)` and below it `[0.84, 0.95]`, with the bracket escaped from rich's markup."""
    if figure.value is None:
        return "-"
    low, high = figure.interval or (float("nan"), float("nan"))
    return (
        f"{figure.value:,.{decimals}f} ({figure.n})\n\\[{low:,.{decimals}f}, {high:,.{decimals}f}]"
    )
