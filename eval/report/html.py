"""Evaluation runs as HTML: the report's page, and its pieces for the page of the app.

The report is complete in itself: it opens from disk, requests nothing, and can be read without its
script. Templates escape every text. The page's policy allows its own style and script alone, should
a text of a document, a question or an answer ever get through unescaped.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from eval.evidence import evidence_rank
from eval.metrics import ARROW, DECIDING, metric_named
from eval.report.charts import confidence_chart
from eval.report.details import QuestionDetails, RunDetails, read_details
from eval.report.estimates import EstimateTable, view_estimates
from eval.report.export import FileKind, write_files
from eval.report.failures import SUPPORT, equal_results, view_failures
from eval.report.folders import run_names
from eval.report.provenance import remarks, view_provenance
from eval.report.values import NO_VALUE, interval_text, value_text, with_valid_unicode
from eval.results import REPORT, differences
from eval.run_schema import Run

if TYPE_CHECKING:
    from eval.comparison import PairedComparison

TEMPLATES = Path(__file__).parent / "templates"
_Pairs = list[tuple[QuestionDetails, QuestionDetails]]
"""Questions, each as the first run has it and as the second has it."""
HTML = FileKind("a report of Footnote", "<title>Footnote: an evaluation")


def write_report(folder: Path) -> Path:
    """Writes the page of a run into its folder.

    Raises RunError, QuestionFileError, and NotWritableError.
    """
    path = folder / REPORT
    details = read_details(folder)
    write_files([(path, page([details]), HTML)])
    return path


def page(runs: Sequence[RunDetails]) -> str:
    """Returns the page of one run, or of several side by side. The same runs give the same page."""
    names = _page_names(runs)
    by_name = dict(zip(names, runs, strict=True))
    title = f"An evaluation run: {names[0]}"
    if len(runs) > 1:
        title = f"An evaluation of {len(runs)} runs"
    css = stylesheet()
    script = _text_of("report.js")
    return _render(
        "page.html",
        title=title,
        style=css,
        script=script,
        style_hash=_hash(css),
        script_hash=_hash(script),
        remarks=remarks(by_name),
        comparison=_comparison_of(by_name),
        failures=view_failures(_questions(by_name)),
        with_filter=True,
        damaged={},
        **_run_context(by_name),
        provenance=view_provenance(_summaries(by_name)),
    )


def runs_html(runs: Mapping[str, Run], damaged: Mapping[str, str]) -> str:
    """Returns the runs as a table, and the reason why each damaged folder has no estimates."""
    # All of the folders may be damaged.
    provenance = view_provenance(runs) if runs else None
    return _render("runs.html", provenance=provenance, damaged=damaged)


def estimates_html(name: str, details: RunDetails) -> str:
    """Returns all estimates of a run, and the chart of its confidences."""
    context = _run_context({name: details})
    return _render("estimates.html", **context)


def message_html(message: str) -> str:
    """Returns a message about a run, for example what is wrong with it."""
    return _render("message.html", message=message)


def table_html(table: EstimateTable) -> str:
    """Returns a single table of estimates."""
    return _render("table.html", table=table)


def failures_html(name: str, questions: Sequence[QuestionDetails]) -> str:
    """Returns the failed questions among these, each to be unfolded."""
    failures = view_failures({name: questions})
    return _render("failures.html", failures=failures, with_filter=False)


def comparison_html(
    first: str, second: str, tables: "Mapping[str, Sequence[PairedComparison]]"
) -> str:
    """Returns two runs compared, by title of the table; the runs are given by name."""
    return _render("comparison.html", first=first, second=second, tables=tables)


def changes_html(comparison: "PairedComparison", first: RunDetails, second: RunDetails) -> str:
    """Returns the questions that the second run won and lost, with both answers."""
    changes = _changes(comparison, first, second)
    return _render("changes.html", changes=changes)


def stylesheet() -> str:
    """Returns the style of all of these pieces."""
    return _text_of("report.css")


def _run_context(runs: Mapping[str, RunDetails]) -> dict[str, Any]:
    charts = []
    for name, details in runs.items():
        chart = confidence_chart(name, details)
        if chart:
            charts.append(chart)
    return {
        "estimates": view_estimates(_summaries(runs)),
        "charts": charts,
        "is_single": len(runs) == 1,
    }


def _comparison_of(runs: Mapping[str, RunDetails]) -> dict[str, Any] | None:
    """Returns the comparison of exactly two runs, where they can be compared."""
    if len(runs) != 2:
        return None
    names = list(runs)
    first, second = runs.values()
    if differences(first.run, second.run):
        return None
    from eval.comparison import comparison_tables  # imports scipy

    tables = comparison_tables(first.run, second.run, [DECIDING])
    context: dict[str, Any] = {"first": names[0], "second": names[1], "tables": tables}
    # Missing where no question has a value of the deciding metric in both runs.
    deciding = tables.get("Deciding")
    if deciding:
        context["changes"] = _changes(deciding[0], first, second)
    return context


def _changes(
    comparison: "PairedComparison", first: RunDetails, second: RunDetails
) -> list[tuple[str, _Pairs]]:
    """Returns titles, and the questions below each, as both runs have them."""
    won = _pairs(comparison.won, first, second)
    lost = _pairs(comparison.lost, first, second)
    return [("Won", won), ("Lost", lost)]


def _pairs(ids: Sequence[str], first: RunDetails, second: RunDetails) -> _Pairs:
    in_first = {question.id: question for question in first.questions}
    in_second = {question.id: question for question in second.questions}
    return [(in_first[key], in_second[key]) for key in ids]


def _page_names(runs: Sequence[RunDetails]) -> list[str]:
    """Returns the names of the runs; of several, each after a letter."""
    names = run_names([details.run.folder for details in runs])
    if len(names) == 1:
        return names
    # A letter for each run is short enough to find it again; after 26 runs, a number.
    labels = []
    for index, name in enumerate(names):
        letter = str(index + 1)
        if index < len(ascii_uppercase):
            letter = ascii_uppercase[index]
        labels.append(f"{letter} · {name}")
    return labels


def _questions(runs: Mapping[str, RunDetails]) -> dict[str, Sequence[QuestionDetails]]:
    return {name: details.questions for name, details in runs.items()}


def _summaries(runs: Mapping[str, RunDetails]) -> dict[str, Run]:
    return {name: details.run for name, details in runs.items()}


def _hash(content: str) -> str:
    # As a content security policy writes it.
    digest = sha256(content.encode()).digest()
    encoded = b64encode(digest).decode()
    return f"sha256-{encoded}"


def _render(template: str, **context: Any) -> str:
    html = _environment().get_template(template).render(context)
    return with_valid_unicode(html)


@cache
def _text_of(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("eval.report"),
        # Texts of documents, questions and answers are untrusted.
        autoescape=True,
        # A misspelt variable is an error, and not an empty text on the page.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "position": _position,
        "value": value_text,
        "label": lambda metric: metric_named(metric).marked(ARROW),
        "date": _date,
    }
    environment.globals |= {
        "interval": interval_text,
        "effect": _effect,
        "equal_results": equal_results,
        "evidence_rank": evidence_rank,
        "support": SUPPORT,
        "no_value": NO_VALUE,
    }
    return environment


def _date(time: datetime | None) -> str:
    return f"{time:%-d %b %Y, %H:%M} UTC" if time else ""


def _position(value: float, top: float) -> str:
    """Returns where a value stands on a scale from 0 to `top`, clipped to the scale."""
    share = value / top if top > 0 else 0.0
    # No mark stands outside its scale, whatever the file of a run says.
    clipped = min(1.0, max(0.0, share))
    return f"{100 * clipped:.4g}%"


def _effect(comparison: "PairedComparison", value: float) -> str:
    """Returns a difference with its sign and a true minus, or a ratio after ×."""
    if comparison.is_ratio:
        return f"×{value:.2f}"
    text = value_text(value, comparison.metric, sign=True)
    return text.replace("-", "−")
