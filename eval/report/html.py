"""Runs as one page of HTML: what was measured on what, every figure with its interval, and each question that failed.

It is complete in itself: it opens from disk, asks for nothing, and reads without its few lines of script. Its policy
forbids anything else, should a text that is not ours ever get through unescaped.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from eval.metrics import ARROW, metric_named, tables
from eval.report.cases import Seen, read_seen
from eval.report.charts import histogram
from eval.report.export import Kind, write
from eval.report.failures import failed_questions
from eval.report.markup import NOTHING, Row, Rows, plotted, table, text
from eval.report.provenance_html import measured
from eval.report.stylesheet import SCRIPT, STYLE
from eval.report.terminal import groups_to_show
from eval.results import REPORT, Estimate, Group, GroupKind

HTML = Kind("a report of ours", "<title>Footnote: an evaluation")
_HEADLINE = "answered_right"
"""The figure by which splits and kinds are drawn, where the runs have it."""
_BINS = 10
"""Of confidence."""


def write_report(folder: Path) -> Path:
    """Writes the page of a run into its folder. Raises RunError, QuestionFileError and NotWritableError."""
    path = folder / REPORT
    write([(path, page([read_seen(folder)]), HTML)])
    return path


def page(runs: Sequence[Seen]) -> str:
    """The whole page, of one run or of several side by side. The same runs give the same page."""
    names = _lettered(runs)
    title = (
        f"An evaluation run: {names[0]}" if len(runs) == 1 else f"An evaluation of {len(runs)} runs"
    )
    policy = (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; base-uri 'none'"
    )
    body = "".join(
        [
            f"<h1>{text(title)}</h1>",
            measured(runs, names),
            _figures(runs, names),
            _by_group(runs, names),
            _confidence(runs, names),
            _failed(runs, names),
        ]
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Footnote: an{text(title[2:])}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def run_names(runs: Sequence[Seen]) -> list[str]:
    """What to call each run: its folder's name, or its path where another has that name too."""
    names = [seen.run.folder.resolve().name for seen in runs]
    return [
        name if names.count(name) == 1 else str(seen.run.folder)
        for seen, name in zip(runs, names, strict=True)
    ]


def _lettered(runs: Sequence[Seen]) -> list[str]:
    """The runs' names, of several after a letter."""
    names = run_names(runs)
    return names if len(names) == 1 else [f"{_short(at)} · {name}" for at, name in enumerate(names)]


def _short(at: int) -> str:
    """A to Z, then numbers."""
    return chr(ord("A") + at) if at < 26 else str(at + 1)


def _figures(runs: Sequence[Seen], names: Sequence[str]) -> str:
    told = "".join(
        f"<h3>{text(title)}</h3>{_plotted('All questions', measures, [seen.groups[0] for seen in runs], names)}"
        for title, measures in _tables(runs)
    )
    several = (
        '<p class="hint">Intervals that overlap do not show that two runs are alike: python -m eval compare pairs '
        "their questions.</p>"
        if len(runs) > 1
        else ""
    )
    return (
        '<h2>Figures</h2><p class="hint">A point and its 95% interval; n: questions that have a value. ↓: less is '
        f"better.</p>{several}{told}{_unmeasured(runs)}"
    )


def _unmeasured(runs: Sequence[Seen]) -> str:
    names = ", ".join(metric_named(name).marked(ARROW) for name in _measures(runs, False))
    return f'<p class="hint">Nothing to measure: {text(names)}.</p>' if names else ""


def _tables(runs: Sequence[Seen]) -> Iterator[tuple[str, list[str]]]:
    """The figures that have a value, as the terminal groups them; at the end those that it does not show."""
    measured = _measures(runs, True)
    known = set()
    for title, metrics in tables().items():
        names = [metric.name for metric in metrics]
        known.update(names)
        if found := [name for name in names if name in measured]:
            yield title, found
    if others := [name for name in measured if name not in known]:
        yield "Other figures", others


def _measures(runs: Sequence[Seen], having: bool) -> list[str]:
    """The figures that have a value somewhere, or those that have none anywhere."""
    every: dict[str, bool] = {}
    for group in (group for seen in runs for group in seen.groups):
        for name, figure in group.estimates.items():
            every[name] = every.get(name, False) or figure.value is not None
    return [name for name, is_there in every.items() if is_there == having]


def _plotted(
    caption: str, measures: Sequence[str], groups: Sequence[Group | None], names: Sequence[str]
) -> str:
    rows = [
        Rows(
            metric_named(name).marked(ARROW),
            name,
            [Row(run, _figure(group, name)) for run, group in zip(names, groups, strict=True)],
        )
        for name in measures
    ]
    return plotted(caption, "Figure", rows)


def _figure(group: Group | None, measure: str) -> Estimate | None:
    return group.estimates.get(measure) if group else None


def _by_group(runs: Sequence[Seen], names: Sequence[str]) -> str:
    """One figure over the splits and kinds to look at, and all figures of each to unfold."""
    found = [
        {(group.by, group.name): group for group in groups_to_show(seen.groups)} for seen in runs
    ]
    keys = [
        key for key in dict.fromkeys(key for one in found for key in one) if key[0] != "overall"
    ]
    if not keys:
        return ""
    measure = _headline(runs)
    rows = [
        Rows(
            _title(key, found),
            measure,
            [
                Row(run, _figure(one.get(key), measure))
                for run, one in zip(names, found, strict=True)
            ],
        )
        for key in keys
    ]
    measures = [name for _, group in _tables(runs) for name in group]
    folds = "".join(
        f"<details><summary>{text(_title(key, found))}</summary>"
        f"{_plotted(_title(key, found), measures, [one.get(key) for one in found], names)}</details>"
        for key in keys
    )
    return f"<h2>By split and kind</h2>{plotted(metric_named(measure).marked(ARROW), 'Questions', rows)}{folds}"


def _title(
    key: tuple[GroupKind, str], found: Sequence[Mapping[tuple[GroupKind, str], Group]]
) -> str:
    counts = dict.fromkeys(str(one[key].questions) for one in found if key in one)
    return f"{key[0]}: {key[1]} ({' and '.join(counts)})"


def _headline(runs: Sequence[Seen]) -> str:
    """The figure that tells most, or the first there is where it is not measured."""
    measured = [name for _, measures in _tables(runs) for name in measures]
    return _HEADLINE if _HEADLINE in measured or not measured else measured[0]


def _confidence(runs: Sequence[Seen], names: Sequence[str]) -> str:
    told = "".join(
        _spread(seen, name if len(runs) > 1 else "") for seen, name in zip(runs, names, strict=True)
    )
    return f"<h2>Confidence</h2>{told}" if told else ""


def _spread(seen: Seen, name: str) -> str:
    """How confidence is spread over questions that the documents answer, and over those that they do not."""
    counts: dict[bool, list[int]] = {True: [0] * _BINS, False: [0] * _BINS}
    for case in seen.cases:
        sure, answerable = case.scores.get("confidence"), case.answerable
        if sure is not None and answerable is not None:
            counts[answerable][min(_BINS - 1, max(0, int(sure * _BINS)))] += 1
    answered, others = counts[True], counts[False]
    if not any((*answered, *others)):
        return ""
    threshold = seen.run.provenance.settings.get("threshold")
    mark = threshold if isinstance(threshold, int | float) else None
    under = "" if mark is None else f" Dashed: the threshold, {mark:g}."
    rows = [
        (f"{at / _BINS:.1f} to {(at + 1) / _BINS:.1f}", str(up or NOTHING), str(down or NOTHING))
        for at, (up, down) in enumerate(zip(answered, others, strict=True))
    ]
    heads = ("Confidence", "Answered by the documents", "Not answered by them")
    return (
        f"{f'<h3>{text(name)}</h3>' if name else ''}<figure>{histogram(answered, others, mark)}"
        '<p class="scale hint" aria-hidden="true"><span>0</span><span>confidence</span><span>1</span></p>'
        f"<figcaption>Questions by confidence. Upwards: {sum(answered)} that the documents answer; downwards: "
        f"{sum(others)} that they do not.{text(under)}</figcaption></figure>"
        f"<details><summary>The chart as a table{f': {text(name)}' if name else ''}</summary>"
        f"{table('Questions by confidence', heads, rows, 'counts')}</details>"
    )


def _failed(runs: Sequence[Seen], names: Sequence[str]) -> str:
    failed = {case.id for seen in runs for case in seen.cases if case.failed}
    asked = {case.id for seen in runs for case in seen.cases}
    unscored = sum(case.ending == "not scored" for seen in runs for case in seen.cases)
    told = f"<p>{unscored} more have no such score.</p>" if unscored else ""
    cases = {name: seen.cases for seen, name in zip(runs, names, strict=True)}
    return (
        f"<h2>Failed questions ({len(failed)} of {len(asked)})</h2>"
        '<p class="hint">One with what was read for it, and every score: python -m eval show RUN ID</p>'
        f"{told}{failed_questions(cases)}"
    )
