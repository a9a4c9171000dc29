"""Evaluation runs become HTML. Pure, and every text is escaped: questions, answers and folders are untrusted."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eval.metrics import ARROW, metric_named
from ui.figures import Damaged, Figure, Group, Run, sound
from ui.outcomes import Failed, Reply
from ui.runs import configuration

if TYPE_CHECKING:
    from eval.comparison import PairedComparison

VERDICTS: Final = {
    "better": "▲ better",
    "worse": "▼ worse",
    "no detectable difference": "no detectable difference",
}
PAIRED_HINT: Final = (
    '<p class="hint">Differences, second less first, with their 95% intervals; × ratios, second by first. Won: the '
    "second run does better on that question. p and verdicts are corrected (Holm) for the measures of their table. "
    "Shows: the least difference that these questions would show 4 times of 5 if this measure alone were looked at. "
    "↓: less is better. The same as <code>python -m eval compare</code>.</p>"
)
NOTHING: Final = "–"
"""Where there is nothing to measure."""


def runs_html(runs: Sequence[Run], names: Mapping[Path, str], differing: Sequence[str]) -> str:
    """The runs as a table, with their engines and the settings in which they differ; below it, the others."""
    told = ["engine", *(name for name in differing if name != "engine")]
    rows = [
        (
            f"{_text(names[run.folder])}{_small(configuration(run, told))}",
            f'<time datetime="{run.finished.isoformat()}">{run.finished:%-d %b %Y, %H:%M}</time>',
            str(run.groups[0].questions),
            str(run.groups[0].errors),
        )
        for run in runs
    ]
    heads = ("Run", "Finished (UTC)", "Questions", "Errors")
    same = [name for name in runs[0].settings if name not in told]
    shared = configuration(runs[0], same)
    return _table(
        "Newest first, with the engine and the settings in which they differ", heads, rows, "runs"
    ) + (
        f"<details><summary>The same in all runs</summary><p>{_text(shared)}</p></details>"
        if len(runs) > 1
        else ""
    )


def damaged_html(damaged: Sequence[Damaged], names: Mapping[Path, str]) -> str:
    """The folders that have no figures, each with the reason."""
    items = "".join(
        f"<li><b>{_text(names[one.folder])}</b> {_text(one.reason)}</li>" for one in damaged
    )
    return f'<div class="damaged"><h3>Without figures</h3><ul>{items}</ul></div>' if damaged else ""


def figures_html(run: Run) -> str:
    """All figures of a run, a table a group, that of all questions open."""
    splits = sum(group.by == "split" for group in run.groups)
    shown = [group for group in run.groups if group.by != "split" or splits > 1]
    return "".join(map(_group_html, shown)) + (
        '<p class="hint">n: questions that have a value; unscored: those that the figure says nothing of. '
        "In brackets the 95% interval. ↓: less is better.</p>"
    )


def across_html(measure: str, rows: Iterable[tuple[str, str, Figure | None]]) -> str:
    """One figure over the runs: their names, configurations and figures, as the chart shows them."""
    cells = [
        (f"{_text(name)}{_small(settings)}", *_figure_cells(figure, measure, "not in this run"))
        for name, settings, figure in rows
    ]
    table = _table(f"{named(measure)}, by run", ("Run", "Value", "n", "Unscored"), cells, "figures")
    return f"<details><summary>The chart as a table</summary>{table}</details>"


def failed_html(failed: Sequence[Failed]) -> str:
    """The failed questions: what was asked, expected, answered and cited."""
    return "".join(map(_failed_html, failed))


def paired_html(tables: "Mapping[str, Sequence[PairedComparison]]", first: str, second: str) -> str:
    """Two runs by measure: the means, what they differ by, what that shows, and how many questions went which way.

    The first table is open, the others are folded.
    """
    if not tables:
        return "<p>No question has a value in both runs.</p>"
    heads = ("Measure", "First", "Second", "Second against first", "Won · same · lost")
    made = [
        (
            f"{title} ({len(rows)})",
            _table(
                f"{title}. First: {first}. Second: {second}.",
                heads,
                map(_paired_cells, rows),
                "paired",
            ),
        )
        for title, rows in tables.items()
    ]
    folded = "".join(
        f"<details><summary>{_text(title)}</summary>{table}</details>" for title, table in made[1:]
    )
    return made[0][1] + folded + PAIRED_HINT


def changed_html(
    title: str, ids: Sequence[str], first: Mapping[str, Reply], second: Mapping[str, Reply]
) -> str:
    """The questions that went one way, with both answers."""
    items = "".join(
        f"<details><summary>{_text(second[key].question)}</summary><dl>"
        f"{_part('First', [_said(first[key])])}{_part('Second', [_said(second[key])])}</dl></details>"
        for key in ids
    )
    return f"<h3>{escape(title)} ({len(ids)})</h3>" + (items or "<p>None.</p>")


def named(measure: str) -> str:
    """The measure's name, and whether less of it is better; not escaped."""
    return sound(metric_named(measure).marked(ARROW))


def number(value: float | None, measure: str, sign: bool = False) -> str:
    """Two decimals, of seconds three: they are often a few thousandths; tokens whole.

    `sign`: also a plus; a true minus anyway.
    """
    if value is None:
        return NOTHING
    places = metric_named(measure).decimals
    rounded = round(value, places) or 0.0
    return f"{rounded:{'+' if sign and rounded else ''}.{places}f}".replace("-", "−")


def interval(figure: Figure, measure: str) -> str:
    """As text; nothing for no interval."""
    if figure.low is None or figure.high is None:
        return ""
    return f"[{number(figure.low, measure)}, {number(figure.high, measure)}]"


def _group_html(group: Group) -> str:
    cells = [
        (_text(named(name)), *_figure_cells(figure, name, "nothing to measure"))
        for name, figure in group.figures.items()
    ]
    broke = f", of which {group.errors} broke" if group.errors else ""
    title = f"{group.title} ({group.questions}{broke})"
    table = _table(title, ("Figure", "Value", "n", "Unscored"), cells, "figures")
    is_open = " open" if group.by == "overall" else ""
    return f"<details{is_open}><summary>{_text(title)}</summary>{table}</details>"


def _figure_cells(figure: Figure | None, measure: str, otherwise: str) -> tuple[str, str, str]:
    if figure is None:
        return otherwise, NOTHING, NOTHING
    told = (
        f'{number(figure.value, measure)} <span class="interval">{interval(figure, measure)}</span>'
    )
    return (otherwise if figure.value is None else told), str(figure.n), str(figure.unscored)


def _failed_html(one: Failed) -> str:
    reply, gold = one.reply, one.gold
    facts = [one.outcome, *([gold.kind, gold.split] if gold else []), reply.id]
    parts = [
        _part("Error", [reply.error]) if reply.error is not None else "",
        _part(_answered(reply), [reply.answer]) if reply.error is None else "",
        _part("Cited", [f"{quote} ({document})" for document, quote in reply.cited], quoted=True),
        _part("Expected", _expected(one)) if gold else "",
        _part("Evidence", gold.evidence, quoted=True) if gold else "",
        _part("Rank of the evidence", [_ranked(one)]),
        _part("Note", ["An accepted answer is in it, but its first sentence rests on other words."])
        if one.accepted
        else "",
    ]
    return (
        f'<details class="failed"><summary>{_text(reply.question)}{_small(" · ".join(facts))}</summary>'
        f"<dl>{''.join(parts)}</dl></details>"
    )


def _answered(reply: Reply) -> str:
    sure = "" if reply.confidence is None else f" (confidence {reply.confidence:.2f})"
    return ("Refused" if reply.abstained else "Answered") + sure


def _expected(one: Failed) -> Sequence[str]:
    return (
        one.gold.answers
        if one.gold and one.gold.answers
        else ["A refusal: the documents do not answer it."]
    )


def _ranked(one: Failed) -> str:
    if one.outcome == "error":
        return "Not known: the question broke."
    if one.rank is None:
        return "There is no evidence: the documents do not answer it."
    if one.rank == 0:
        return f"Not among the {one.reply.read} passages read."
    return f"{one.rank} of the {one.reply.read} passages read."


def _said(reply: Reply) -> str:
    return f"Error: {reply.error}" if reply.error is not None else reply.answer


def _paired_cells(row: "PairedComparison") -> tuple[str, ...]:
    of = f"n {row.n}" + (f", {row.left_out} unscored" if row.left_out else "")
    shows = (
        "shows none"
        if row.minimum_detectable is None
        else f"shows {_effect(row, row.minimum_detectable).lstrip('+')}"
    )
    return (
        f"{_text(named(row.metric))}{_small(of)}",
        number(row.first, row.metric),
        number(row.second, row.metric),
        f"{_effect(row, row.effect)} "
        f'<span class="interval">[{_effect(row, row.low)}, {_effect(row, row.high)}]</span>'
        f'<span class="verdict">{VERDICTS[row.verdict]}</span>{_small(f"p {row.p_text}, {shows}")}',
        f"{len(row.won)} · {row.ties} · {len(row.lost)}",
    )


def _effect(row: "PairedComparison", value: float) -> str:
    return f"×{value:.2f}" if row.is_ratio else number(value, row.metric, sign=True)


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str) -> str:
    """A table whose first cell heads its row; the cells are HTML, caption and heads are not."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<table class="{kind}"><caption>{_text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _part(name: str, texts: Sequence[str], quoted: bool = False) -> str:
    """A heading with its texts; nothing for no text."""
    tag = "blockquote" if quoted else "p"
    told = "".join(f"<{tag}>{_text(text)}</{tag}>" for text in texts)
    return f"<dt>{escape(name)}</dt><dd>{told}</dd>" if texts else ""


def _small(text: str) -> str:
    return f'<span class="small">{_text(text)}</span>' if text else ""


def _text(text: str) -> str:
    return escape(sound(text))
