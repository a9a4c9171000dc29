"""Pieces of a report's HTML. Every text passes through `text`: questions, names and answers are untrusted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from eval.metrics import metric_named
from eval.report.charts import strip
from eval.results import Estimate

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with what heads it: a run, a kind, or the measure itself."""

    heading: str
    figure: Estimate | None
    """None: the run has no such figure."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Figures on one scale, of one measure."""

    title: str
    measure: str
    rows: Sequence[Row]


def text(words: str) -> str:
    return escape(words)


def small(words: str) -> str:
    return f'<span class="small">{text(words)}</span>' if words else ""


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str) -> str:
    """A table whose first cell heads its row; the cells are HTML, caption and heads are not."""
    head = "".join(f'<th scope="col">{text(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return _table(caption, kind, head, f"<tbody>{body}</tbody>")


def plotted(caption: str, heading: str, rows: Sequence[Rows]) -> str:
    """Figures, each a point with its interval on a scale, and beside it the same in numbers.

    Where all have one row, its heading is left out, and the title stands in its place.
    """
    several = any(len(one.rows) != 1 for one in rows)
    scale = '<span class="scale"><span>0</span><span>1</span></span>'
    head = (
        f'<th scope="col">{text(heading)}</th><th scope="col" class="plot">{scale}</th>'
        '<th scope="col">Value</th><th scope="col">n</th>'
    )
    body = "".join(map(_several if several else _single, rows))
    return _table(caption, "figures several" if several else "figures", head, body)


def part(name: str, texts: Sequence[str], quoted: bool = False) -> str:
    """A term with its texts; nothing for no text. In a language that is written from the right they are set so."""
    tag = "blockquote" if quoted else "p"
    told = "".join(f'<{tag} dir="auto">{text(one)}</{tag}>' for one in texts)
    return raw_part(name, told) if texts else ""


def raw_part(name: str, told: str) -> str:
    """A term with what is HTML already."""
    return f"<dt>{text(name)}</dt><dd>{told}</dd>"


def _table(caption: str, kind: str, head: str, body: str) -> str:
    return f'<table class="{kind}"><caption>{text(caption)}</caption><thead><tr>{head}</tr></thead>{body}</table>'


def _single(rows: Rows) -> str:
    top = _top(rows)
    title = text(rows.title) + _scale_note(rows, top)
    return f'<tbody><tr><th scope="row">{title}</th>{_cells(rows.rows[0].figure, rows.measure, top)}</tr></tbody>'


def _several(rows: Rows) -> str:
    top = _top(rows)
    title = (
        f'<tr><th scope="rowgroup" colspan="4">{text(rows.title)}{_scale_note(rows, top)}</th></tr>'
    )
    body = "".join(
        f'<tr><th scope="row">{text(row.heading)}</th>{_cells(row.figure, rows.measure, top)}</tr>'
        for row in rows.rows
    )
    return f"<tbody>{title}{body}</tbody>"


def _cells(figure: Estimate | None, measure: str, top: float) -> str:
    if figure is None:
        return '<td class="plot"></td><td>not in this run</td><td></td>'
    if figure.value is None:
        return f'<td class="plot"></td><td>nothing to measure</td><td>{figure.n}</td>'
    low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
    places = metric_named(measure).decimals
    interval = (
        ""
        if figure.low is None or figure.high is None
        else f"[{low:.{places}f}, {high:.{places}f}]"
    )
    return (
        f'<td class="plot">{strip(figure.value, low, high, top)}</td>'
        f'<td>{figure.value:.{places}f} <span class="interval">{interval}</span></td><td>{figure.n}</td>'
    )


def _top(rows: Rows) -> float:
    """Where the scale ends. Shares are shown from 0 to 1 whatever they are, so that a small difference looks small."""
    if _is_share(rows.measure):
        return 1.0
    figures = [row.figure for row in rows.rows if row.figure is not None]
    return max(
        (end for one in figures for end in (one.value, one.high) if end is not None), default=1.0
    )


def _scale_note(rows: Rows, top: float) -> str:
    return (
        ""
        if _is_share(rows.measure)
        else small(f"drawn from 0 to {top:.{metric_named(rows.measure).decimals}f}")
    )


def _is_share(measure: str) -> bool:
    """Returns whether the values are from 0 to 1; seconds and tokens have a scale of their own."""
    return metric_named(measure).is_share
