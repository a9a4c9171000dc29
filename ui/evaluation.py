"""The Evaluation page: a person selects runs and metrics, and `eval.report` renders them.

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
FILTERS: Final = ("outcome", "kind", "split")
"""Fields of a failed question that have a selector."""
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
    folders_of_runs = list(by_path.values())
    names = run_names(folders_of_runs)
    for name, folder in zip(names, folders_of_runs, strict=True):
        key = _key(folder)
        run = _read_run(key)
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
        overall = run.groups[0]
        metrics |= dict.fromkeys(overall.estimates)
        groups |= dict.fromkeys(map(title_of, run.groups))
    left, right = st.columns(2)
    with left:
        metric = _select("Metric", list(metrics), _metric_label, DECIDING)
    with right:
        group = _select("Questions", list(groups))

    lines = _configurations(runs)
    table = table_over_runs(metric, group, runs, lines)
    _show_html("metric", html.table_html(table))


def _configurations(runs: Runs) -> dict[str, str]:
    """Returns, by run, the facts in which it differs from the other runs."""
    facts = [facts_of(run) for run in runs.values()]
    differing = differing_facts(facts)
    lines = {}
    for name, of_run in zip(runs, facts, strict=True):
        lines[name] = configuration(of_run, differing)
    return lines


def _show_run(runs: Runs) -> None:
    """Shows all estimates of one run, and its failed questions."""
    st.header("One run", anchor=False)
    name = _select("Run", list(runs), on_change=_show_first)
    run = runs[name]
    key = _key(run.folder)
    try:
        details = _read_details(key)
    except FootnoteError as error:
        # The estimates are in the summary, and can be shown without the answers.
        _show_message("damage", str(error))
        details = details_of_summary(run)
    texts = remarks({name: details})
    for number, text in enumerate(texts):
        _show_message(f"remark-{number}", text)
    _show_html("estimates", html.estimates_html(name, details))
    _show_failures(name, details)


def _show_failures(name: str, details: RunDetails) -> None:
    st.header("Failed questions", anchor=False)
    failed = details.failed
    matching = _filtered(failed)
    limit: int = st.session_state.setdefault(LIMIT, AT_ONCE)
    shown = matching[:limit]
    left_out = len(matching) - len(shown)
    status = [
        f"{len(matching)} of the {len(failed)} failed questions;",
        f"{len(details.questions)} were asked.",
    ]
    if left_out:
        status.append(f"The first {limit} are shown.")
    text = " ".join(status)
    # A status is read out by a screen reader when a selector changes it.
    st.html(f'<p role="status">{text}</p>')

    _show_html("failures", html.failures_html(name, shown))
    if left_out:
        more = min(AT_ONCE, left_out)
        st.button(f"Show {more} more", on_click=_show_more)


def _filtered(failed: Sequence[QuestionDetails]) -> list[QuestionDetails]:
    """Returns the questions with the selected outcome, kind and split.

    A selector is left out where the questions do not have what it selects.
    """
    matching = list(failed)
    columns = st.columns(len(FILTERS))
    for column, field in zip(columns, FILTERS, strict=True):
        value_of = attrgetter(field)
        values = set(map(value_of, failed))
        # An empty text: the run does not know the kind or the split of a question.
        values.discard("")
        if not values:
            continue
        options = [ALL, *sorted(values)]
        with column:
            selected = _select(field.title(), options, on_change=_show_first)
        if selected != ALL:
            matching = [details for details in matching if value_of(details) == selected]
    return matching


def _show_comparison(runs: Runs) -> None:
    """Shows two runs compared: at first the newest, and the last before it that is comparable."""
    st.header("Two runs side by side", anchor=False)
    names = list(runs)
    newest = names[0]
    left, right = st.columns(2)
    with left:
        first = _select("First run", names, default=_run_before(newest, runs))
    with right:
        second = _select("Second run", names, default=newest)

    first_run = runs[first]
    second_run = runs[second]
    reasons = differences(first_run, second_run)
    if first == second:
        _show_message("reason", "This is the same run twice. Choose another.")
    elif reasons:
        text = " ".join(reasons)
        _show_message("reason", f"These two runs cannot be compared. {text}")
    else:
        first_key = _key(first_run.folder)
        second_key = _key(second_run.folder)
        tables = _compare(first_key, second_key)
        piece = html.comparison_html(first, second, tables)
        _show_html("comparison", piece)
        _show_changes(tables, first_key, second_key)


def _run_before(newest: str, runs: Runs) -> str:
    """Returns the last run before the newest that it can be compared with, or any before it."""
    earlier = list(runs)[1:]
    for name in earlier:
        if not differences(runs[name], runs[newest]):
            return name
    return earlier[0]


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
        first_details = _read_details(first)
        second_details = _read_details(second)
    except FootnoteError as error:
        # The tables above need only the summaries.
        _show_message("changes-damage", str(error))
        return
    piece = html.changes_html(by_metric[metric], first_details, second_details)
    _show_html("changes", piece)


def _show_message(key: str, message: str) -> None:
    piece = html.message_html(message)
    _show_html(key, piece)


def _show_html(key: str, piece: str) -> None:
    # A component, since st.html would leave out the charts: it drops SVG.
    show_component = _component()
    show_component(key=f"evaluation-{key}", data={"html": piece})


@cache
def _component() -> ComponentRenderer:
    own_css = (STATIC / "evaluation.css").read_text(encoding="utf-8")
    script = (STATIC / "evaluation.js").read_text(encoding="utf-8")
    return st.components.v2.component(
        "footnote_report",
        css=html.stylesheet() + own_css,
        js=script,
        # The report has styles for plain elements, which must not reach the page around it.
        isolate_styles=True,
    )


def _select(
    label: str,
    options: Sequence[Option],
    format_option: Callable[[Option], str] = str,
    default: Option | None = None,
    on_change: Callable[[], None] | None = None,
) -> Option:
    index = 0
    if default in options:
        index = options.index(default)
    return st.selectbox(
        label,
        options,
        index,
        format_option,
        key=f"evaluation-select-{label}",
        on_change=on_change,
    )


def _metric_label(name: str) -> str:
    return metric_named(name).label


def _show_more() -> None:
    st.session_state[LIMIT] += AT_ONCE


def _show_first() -> None:
    st.session_state[LIMIT] = AT_ONCE


def _finished(named_run: tuple[str, Run]) -> datetime:
    _, run = named_run
    if run.finished is None:
        # Older than every other run: its summary does not say when it ended.
        return datetime.min.replace(tzinfo=UTC)
    return run.finished


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
    first_run = read_run(first_folder)
    second_run = read_run(second_folder)
    return comparison_tables(first_run, second_run, [DECIDING])
