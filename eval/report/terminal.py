"""The figures for a terminal, or for a file when the output goes to one."""

from collections.abc import Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.labels import digits, marked
from eval.summary import Figure, Group
from qa.terminal import visible_line

WIDTH = 100
"""Columns when the output is no terminal."""
_LEGEND = (
    "value (n questions that have one)  [95% interval]  -: nothing to measure  (v): less is better"
)
TABLES = (
    (
        "Retrieval",
        ("hit_at_1", "hit_at_3", "hit_at_5", "recall_at_5", "reciprocal_rank", "ndcg_at_5"),
    ),
    (
        "Answers",
        (
            "exact_match",
            "answer_f1",
            "contains_answer",
            "rouge_l",
            "first_sentence_right",
            "list_completeness",
        ),
    ),
    (
        "Refusals",
        (
            *("answered_right", "wrongly_refused", "rightly_refused"),
            *("refusal_accuracy", "refusal_precision", "refusal_f1"),
        ),
    ),
    ("Confidence", ("answered", "confidence_auroc", "risk_coverage", "calibration_error")),
    (
        "Citations",
        (
            *("citation_precision", "citation_recall", "citation_f1"),
            *("cited_quote_f1", "quotes_exact", "unsupported_sentences"),
        ),
    ),
    (
        "Speed and cost",
        (
            *(
                "seconds_median",
                "seconds_p95",
                "seconds_to_first_words_median",
                "seconds_to_first_words_p95",
            ),
            *("prompt_tokens", "answer_tokens"),
        ),
    ),
)
"""What fits in the width; summary.json has all figures."""


def print_tables(groups: Sequence[Group], file: TextIO) -> None:
    """Prints the figures by theme, a row a group; the splits have rows where there are two.

    Tables, columns and rows in which nothing has a value are left out.
    """
    console = Console(file=file, width=None if file.isatty() else WIDTH)
    rows = shown(groups)
    for title, names in TABLES:
        if told := [name for name in names if any(_is_told(group, name) for group in rows)]:
            console.print(
                _table(
                    title,
                    told,
                    [group for group in rows if any(_is_told(group, one) for one in told)],
                )
            )
            console.print()
    console.print(_LEGEND, markup=False, highlight=False)
    if errors := groups[0].errors:
        console.print(
            f"{errors} of {groups[0].questions} questions broke and have no value.", highlight=False
        )


def shown(groups: Sequence[Group]) -> list[Group]:
    """The groups worth a row: one split alone says what "overall" does."""
    splits = sum(group.by == "split" for group in groups)
    return [group for group in groups if group.by != "split" or splits > 1]


def numbers(figure: Figure, digits: int) -> tuple[str, str]:
    """The value with its n, and the interval: `0.91 (32)` and `[0.84, 0.95]`; a dash for no value."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "-", ""
    return (
        f"{figure.value:.{digits}f} ({figure.n})",
        f"[{figure.low:.{digits}f}, {figure.high:.{digits}f}]",
    )


def _is_told(group: Group, name: str) -> bool:
    return group.figures[name].value is not None


def _table(title: str, names: Sequence[str], groups: Sequence[Group]) -> Table:
    # Text, not str: a kind may hold square brackets, which rich would read as its markup.
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("questions", overflow="fold")
    for name in names:
        table.add_column(Text(marked(name)), justify="right")
    for group in groups:
        cells = [Text("\n".join(numbers(group.figures[name], digits(name)))) for name in names]
        table.add_row(Text(f"{visible_line(group.name)}\n({group.questions})"), *cells)
    return table
