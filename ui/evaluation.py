"""The page of the evaluation runs: which there are, their figures, the questions that failed, two of them compared."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import streamlit as st

from eval.metrics import DECIDING
from eval.results import differences
from qa.errors import FootnoteError
from ui import outcomes, runs
from ui.components import STATIC
from ui.figures import Damaged, Figure, Run, label, sound
from ui.outcomes import OUTCOMES, Failed, Gold, Reply
from ui.render_runs import (
    across_html,
    changed_html,
    damaged_html,
    failed_html,
    figures_html,
    paired_html,
    runs_html,
)

if TYPE_CHECKING:
    from eval.comparison import PairedComparison

T = TypeVar("T")
Stamp = tuple[tuple[int, int], ...]
Names = Mapping[Path, str]
ALL: Final = "all"
AT_ONCE: Final = 25
"""Failed questions shown, and how many more with each click."""
LIMIT: Final = "evaluation-limit"
NONE_YET: Final = "<p>None yet. Make one: <code>python -m eval run</code></p>"


def show(folders: Sequence[Path]) -> None:
    """Shows the runs below these folders, or among them. Its headings begin at the second level."""
    st.html(STATIC / "evaluation.css")
    with st.container(key="evaluation"):
        ended, damaged = runs.newest_first(
            _read(folder, runs.stamp(folder)) for folder in runs.find(folders)
        )
        names = runs.names([*(run.folder for run in ended), *(one.folder for one in damaged)])
        _show_list(ended, damaged, names)
        if ended:
            _show_across(ended, names)
            _show_one(ended, names)
        if len(ended) > 1:
            _show_two(ended, names)


def _show_list(ended: Sequence[Run], damaged: Sequence[Damaged], names: Names) -> None:
    listed = runs_html(ended, names, runs.differing(ended)) if ended else NONE_YET
    st.html(f"<h2>Runs</h2>{listed}{damaged_html(damaged, names)}")


def _show_across(ended: Sequence[Run], names: Names) -> None:
    """One figure, of one group of questions, over the runs."""
    from ui.charts import across  # here: it brings altair

    st.html("<h2>A figure over the runs</h2>")
    measures = list(dict.fromkeys(name for run in ended for name in run.groups[0].figures))
    groups = list(dict.fromkeys(group.title for run in ended for group in run.groups))
    left, right = st.columns(2)
    with left:
        measure = _select(
            "figure",
            "Figure",
            measures,
            label,
            measures.index(DECIDING) if DECIDING in measures else 0,
        )
    with right:
        group = _select("group", "Questions", groups, str)
    apart = runs.differing(ended)
    rows = [
        (names[run.folder], runs.configuration(run, apart), _figure(run, group, measure))
        for run in ended
    ]
    described = f"{label(measure)}, {group}: a point and its interval for each run. The table below says the same."
    st.altair_chart(across(measure, rows, described))
    st.html(across_html(measure, rows))


def _figure(run: Run, title: str, measure: str) -> Figure | None:
    """None: the run has no such group, or no such figure of it."""
    group = next((group for group in run.groups if group.title == title), None)
    return group.figures.get(measure) if group else None


def _show_one(ended: Sequence[Run], names: Names) -> None:
    """All figures of one run, and its failed questions."""
    st.html("<h2>One run</h2>")
    run = _select_run("run", "Run", ended, names, 0, _show_first)
    st.html(f"<h3>Figures</h3>{figures_html(run)}<h3>Questions that failed</h3>")
    try:
        known = _gold(run.sha256, run)
    except FootnoteError as error:
        _tell(str(error))
        known = {}
    try:
        failed = outcomes.failed(run, _replies(run.folder, runs.stamp(run.folder)), known)
    except FootnoteError as error:
        _tell(str(error))
        return
    shown = _filtered(failed, known)
    limit = st.session_state.setdefault(LIMIT, AT_ONCE)
    told = f"{len(shown)} of the {len(failed)} questions that failed; {run.groups[0].questions} were asked."
    told += f" The first {limit} are shown." if len(shown) > limit else ""
    st.html(f'<p role="status">{told}</p>{failed_html(shown[:limit])}')
    if len(shown) > limit:
        st.button(f"Show {min(AT_ONCE, len(shown) - limit)} more", on_click=_show_more)


def _filtered(failed: Sequence[Failed], known: Mapping[str, Gold]) -> list[Failed]:
    """Those of the outcome, kind and split chosen; kind and split can be chosen where they are known."""
    kinds, splits = (
        sorted({one.kind for one in known.values()}),
        sorted({one.split for one in known.values()}),
    )
    columns = st.columns(3)
    chosen = []
    for column, name, options in zip(
        columns, ("Outcome", "Kind", "Split"), (OUTCOMES, kinds, splits), strict=True
    ):
        with column:
            chosen.append(
                _select(name.lower(), name, [ALL, *options], str, on_change=_show_first)
                if options
                else ALL
            )
    return [
        one
        for one in failed
        if all(want in (ALL, has) for want, has in zip(chosen, _facts(one), strict=True))
    ]


def _facts(one: Failed) -> tuple[str, str | None, str | None]:
    return one.outcome, one.gold.kind if one.gold else None, one.gold.split if one.gold else None


def _show_more() -> None:
    st.session_state[LIMIT] += AT_ONCE


def _show_first() -> None:
    st.session_state[LIMIT] = AT_ONCE


def _show_two(ended: Sequence[Run], names: Names) -> None:
    """Two runs, paired by question; at first the newest, and the newest before it that asked the same."""
    st.html("<h2>Two runs side by side</h2>")
    fitting = (
        at
        for at, run in enumerate(ended)
        if at and not differences(run.measured, ended[0].measured)
    )
    left, right = st.columns(2)
    with left:
        first = _select_run("first", "First run", ended, names, next(fitting, 1))
    with right:
        second = _select_run("second", "Second run", ended, names, 0)
    if first.folder == second.folder:
        st.html("<p>This is the same run twice. Choose another.</p>")
    elif reasons := differences(first.measured, second.measured):
        _tell("These two cannot be paired.", *reasons)
    else:
        found = _compared(
            tuple((run.folder, runs.stamp(run.folder)) for run in (first, second)), first, second
        )
        st.html(paired_html(found, names[first.folder], names[second.folder]))
        _show_changes([row for rows in found.values() for row in rows], first, second)


def _show_changes(rows: "Sequence[PairedComparison]", first: Run, second: Run) -> None:
    """The questions won and lost, by the measure that is chosen."""
    by_name = {row.metric: row for row in rows}
    measures = list(by_name)
    if not measures:
        return
    usual = measures.index(DECIDING) if DECIDING in measures else 0
    measure = _select("changes", "Questions by", measures, label, usual)
    try:
        before, after = (_replies(run.folder, runs.stamp(run.folder)) for run in (first, second))
    except FootnoteError as error:
        _tell(str(error))
        return
    row = by_name[measure]
    st.html(
        changed_html("Won", row.won, before, after) + changed_html("Lost", row.lost, before, after)
    )


def _tell(*paragraphs: str) -> None:
    st.html(
        f'<div class="told">{"".join(f"<p>{escape(sound(one))}</p>" for one in paragraphs)}</div>'
    )


def _select(
    key: str,
    words: str,
    options: Sequence[T],
    shown: Callable[[T], str],
    index: int = 0,
    on_change: Callable[[], None] | None = None,
) -> T:
    return st.selectbox(words, options, index, shown, key=f"evaluation-{key}", on_change=on_change)


def _select_run(
    key: str,
    words: str,
    ended: Sequence[Run],
    names: Names,
    index: int,
    on_change: Callable[[], None] | None = None,
) -> Run:
    by_folder = {run.folder: run for run in ended}
    return by_folder[_select(key, words, list(by_folder), names.__getitem__, index, on_change)]


@st.cache_data(show_spinner=False, max_entries=500)
def _read(folder: Path, stamp: Stamp) -> Run | Damaged:  # noqa: ARG001  # of the cache's key
    return runs.read(folder)


@st.cache_data(show_spinner=False, max_entries=100)
def _replies(folder: Path, stamp: Stamp) -> dict[str, Reply]:  # noqa: ARG001  # of the cache's key
    return outcomes.replies(folder)


@st.cache_data(show_spinner=False, max_entries=100)
def _gold(sha256: str, _run: Run) -> dict[str, Gold]:  # noqa: ARG001  # of the cache's key
    return outcomes.gold(_run)


@st.cache_data(show_spinner=False, max_entries=500)
def _compared(
    key: tuple[tuple[Path, Stamp], ...],  # noqa: ARG001  # the cache's key
    _first: Run,
    _second: Run,
) -> "dict[str, list[PairedComparison]]":
    from eval.comparison import comparison_tables  # here: it brings scipy

    return comparison_tables(_first.measured, _second.measured, [DECIDING])
