"""The Evaluation page: a person selects runs, metrics and questions, and `eval.report` renders them.

Nothing in a run is trusted. The pieces of HTML are escaped by their templates; every other text is
shown by selectors, which show it as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from eval.metrics import DECIDING, metric_named
from eval.report import html
from eval.report.details import QuestionDetails, RunDetails, details_of_summary, read_details
from eval.report.estimates import table_over_runs, title_of
from eval.report.folders import run_folders, run_names
from eval.report.provenance import configuration, differing_facts, facts_of, remarks
from eval.results import QUESTIONS, RESULTS, SUMMARY, differences, read_run
from eval.run_schema import Run
from qa.errors import FootnoteError
from ui.components import STATIC

if TYPE_CHECKING:
    from eval.comparison import PairedComparison

Option = TypeVar("Option")
Runs = Mapping[str, Run]
"""Runs by name."""
RunKey = tuple[Path, tuple[tuple[int, int], ...]]
"""The folder of a run, and modification times and sizes of its files."""
ALL: Final = "all"
AT_ONCE: Final = 25
"""Failed questions that are shown, and how many more with each click."""
LIMIT: Final = "evaluation-limit"


def show(folders: Sequence[Path]) -> None:
    """Shows the runs in these folders. Headings begin at the second level."""
    runs, damaged = _read_runs(folders)
    st.header("Runs", anchor=False)
    _show_html("runs", html.runs_html(runs, damaged))
    if runs:
        _show_metric(runs)
        _show_run(runs)
    if len(runs) > 1:
        _show_comparison(runs)


def _read_runs(folders: Sequence[Path]) -> tuple[Runs, Mapping[str, str]]:
    """Returns the runs, newest first, and by name why other folders have no estimates."""
    by_path: dict[Path, Path] = {}
    for folder in folders:
        for run_folder in run_folders(folder):
            # Two of the folders may be the same one.
            by_path.setdefault(run_folder.resolve(), run_folder)

    runs: list[tuple[str, Run]] = []
    damaged: dict[str, str] = {}
    names = run_names(list(by_path.values()))
    for name, folder in zip(names, by_path.values(), strict=True):
        run = _read_run(_key(folder))
        if isinstance(run, Run):
            runs.append((name, run))
        else:
            damaged[name] = run
    runs.sort(key=_finished, reverse=True)
    return dict(runs), damaged


def _show_metric(runs: Runs) -> None:
    """Shows one metric, of one group of questions, over the runs."""
    st.header("A metric over the runs", anchor=False)
    metrics: dict[str, None] = {}
    groups: dict[str, None] = {}
    for run in runs.values():
        metrics |= dict.fromkeys(run.groups[0].estimates)
        groups |= dict.fromkeys(map(title_of, run.groups))
    left, right = st.columns(2)
    with left:
        metric = _select("Metric", list(metrics), _metric_label, DECIDING)
    with right:
        group = _select("Questions", list(groups))

    facts = {name: facts_of(run) for name, run in runs.items()}
    differing = differing_facts(list(facts.values()))
    lines = {name: configuration(facts[name], differing) for name in runs}
    _show_html("metric", html.table_html(table_over_runs(metric, group, runs, lines)))


def _show_run(runs: Runs) -> None:
    """Shows all estimates of one run, and its failed questions."""
    st.header("One run", anchor=False)
    name = _select("Run", list(runs), on_change=_show_first)
    try:
        details = _read_details(_key(runs[name].folder))
    except FootnoteError as error:
        _show_message("damage", str(error))
        details = details_of_summary(runs[name])
    for number, remark in enumerate(remarks({name: details})):
        _show_message(f"remark-{number}", remark)
    _show_html("estimates", html.estimates_html(name, details))
    _show_failures(name, details)


def _show_failures(name: str, details: RunDetails) -> None:
    st.header("Failed questions", anchor=False)
    failed = details.failed
    matching = _filtered(failed)
    limit: int = st.session_state.setdefault(LIMIT, AT_ONCE)
    status = [
        f"{len(matching)} of the {len(failed)} failed questions;",
        f"{len(details.questions)} were asked.",
    ]
    if len(matching) > limit:
        status.append(f"The first {limit} are shown.")
    st.html(f'<p role="status">{" ".join(status)}</p>')
    _show_html("failures", html.failures_html(name, matching[:limit]))
    if len(matching) > limit:
        more = min(AT_ONCE, len(matching) - limit)
        st.button(f"Show {more} more", on_click=_show_more)


def _filtered(failed: Sequence[QuestionDetails]) -> list[QuestionDetails]:
    """Returns the questions with the selected outcome, kind and split.

    A selector is left out where the questions do not have what it selects.
    """
    matching = list(failed)
    for column, field in zip(st.columns(3), ("outcome", "kind", "split"), strict=True):
        value_of = attrgetter(field)
        options = sorted(filter(None, set(map(value_of, failed))))
        if not options:
            continue
        with column:
            selected = _select(field.title(), [ALL, *options], on_change=_show_first)
        if selected != ALL:
            matching = [details for details in matching if value_of(details) == selected]
    return matching


def _show_comparison(runs: Runs) -> None:
    """Shows two runs compared: at first the newest, and the last before it that is comparable."""
    st.header("Two runs side by side", anchor=False)
    newest, *earlier = runs
    comparable = [name for name in earlier if not differences(runs[name], runs[newest])]
    before = comparable[0] if comparable else earlier[0]
    left, right = st.columns(2)
    with left:
        first = _select("First run", list(runs), default=before)
    with right:
        second = _select("Second run", list(runs), default=newest)

    reasons = differences(runs[first], runs[second])
    if first == second:
        _show_message("reason", "This is the same run twice. Choose another.")
    elif reasons:
        text = " ".join(reasons)
        _show_message("reason", f"These two runs cannot be compared. {text}")
    else:
        first_key = _key(runs[first].folder)
        second_key = _key(runs[second].folder)
        tables = _compare(first_key, second_key)
        _show_html("comparison", html.comparison_html(first, second, tables))
        _show_changes(tables, first_key, second_key)


def _show_changes(
    tables: "Mapping[str, Sequence[PairedComparison]]",
    first: RunKey,
    second: RunKey,
) -> None:
    """Shows the questions that the second run won and lost, by the selected metric."""
    by_metric: dict[str, PairedComparison] = {}
    for rows in tables.values():
        for row in rows:
            by_metric[row.metric] = row
    if not by_metric:
        return
    metric = _select("Questions by", list(by_metric), _metric_label, DECIDING)
    try:
        piece = html.changes_html(
            by_metric[metric],
            _read_details(first),
            _read_details(second),
        )
    except FootnoteError as error:
        _show_message("changes-damage", str(error))
    else:
        _show_html("changes", piece)


def _show_message(key: str, message: str) -> None:
    _show_html(key, html.message_html(message))


def _show_html(key: str, piece: str) -> None:
    # A component, since st.html would leave out the charts: it drops SVG.
    _component()(key=f"evaluation-{key}", data={"html": piece})


@cache
def _component() -> ComponentRenderer:
    css = html.stylesheet() + (STATIC / "evaluation.css").read_text(encoding="utf-8")
    script = (STATIC / "evaluation.js").read_text(encoding="utf-8")
    return st.components.v2.component("footnote_report", css=css, js=script, isolate_styles=True)


def _select(
    label: str,
    options: Sequence[Option],
    format_option: Callable[[Option], str] = str,
    default: Option | None = None,
    on_change: Callable[[], None] | None = None,
) -> Option:
    index = options.index(default) if default in options else 0
    key = f"evaluation-select-{label}"
    return st.selectbox(label, options, index, format_option, key=key, on_change=on_change)


def _metric_label(name: str) -> str:
    return metric_named(name).label


def _show_more() -> None:
    st.session_state[LIMIT] += AT_ONCE


def _show_first() -> None:
    st.session_state[LIMIT] = AT_ONCE


def _finished(named_run: tuple[str, Run]) -> datetime:
    _, run = named_run
    return run.finished or datetime.min.replace(tzinfo=UTC)


def _key(folder: Path) -> RunKey:
    """Returns a key that changes with the files of a run."""
    stamps = []
    for name in (SUMMARY, RESULTS, QUESTIONS):
        try:
            status = (folder / name).stat()
        except OSError:
            stamps.append((0, 0))
        else:
            stamps.append((status.st_mtime_ns, status.st_size))
    return folder, tuple(stamps)


# Runs are immutable, so that all sessions can share them: a cache of resources copies nothing.
@st.cache_resource(show_spinner=False, max_entries=500)
def _read_run(key: RunKey) -> Run | str:
    """Returns the run, or why the folder has none to show."""
    folder, _ = key
    try:
        return read_run(folder)
    except FootnoteError as error:
        return str(error)


@st.cache_resource(show_spinner=False, max_entries=20)
def _read_details(key: RunKey) -> RunDetails:
    folder, _ = key
    return read_details(folder)


@st.cache_resource(show_spinner=False, max_entries=100)
def _compare(first: RunKey, second: RunKey) -> "Mapping[str, Sequence[PairedComparison]]":
    from eval.comparison import comparison_tables  # imports scipy

    first_folder, _ = first
    second_folder, _ = second
    return comparison_tables(read_run(first_folder), read_run(second_folder), [DECIDING])
