"""Tables of estimates for a template: each a point with its interval on a scale, and the numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from eval.metrics import ARROW, DECIDING, metric_named, tables
from eval.report.values import value_text
from eval.results import Estimate, Group, GroupKind, Run

GroupKey = tuple[GroupKind, str]


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """An estimate with its heading: a run, a group of questions, or the metric itself."""

    heading: str
    estimate: Estimate | None
    """None: the run does not have this metric or group."""
    detail: str = ""
    """A line in small print below the heading."""


@dataclass(frozen=True, slots=True)
class EstimateRows:
    """Estimates of one metric, drawn on one scale."""

    title: str
    metric: str
    rows: Sequence[EstimateRow]

    @property
    def top(self) -> float:
        """Where the scale ends.

        A share is drawn from 0 to 1 whatever its values, so that a small difference looks small.
        """
        if metric_named(self.metric).is_share:
            return 1.0
        estimates = [row.estimate for row in self.rows if row.estimate is not None]
        ends = [end for estimate in estimates for end in (estimate.value, estimate.high)]
        return max((end for end in ends if end is not None), default=1.0)

    @property
    def scale_note(self) -> str:
        if metric_named(self.metric).is_share:
            return ""
        return f"drawn from 0 to {value_text(self.top, self.metric)}"


@dataclass(frozen=True, slots=True)
class EstimateTable:
    """A table of estimates, with a caption and the heading of its first column."""

    caption: str
    heading: str
    blocks: Sequence[EstimateRows]

    @property
    def has_groups(self) -> bool:
        """Whether a metric has several rows; otherwise its title stands in place of a heading."""
        return any(len(block.rows) != 1 for block in self.blocks)


@dataclass(frozen=True, slots=True)
class EstimatesView:
    """All estimates of one run or of several side by side, for a template."""

    sections: Sequence[tuple[str, EstimateTable]]
    """Titles and tables over all questions."""
    unmeasured: Sequence[str]
    """Labels of the metrics without any value."""
    by_group: EstimateTable | None
    """The main metric over splits and kinds; None where there are none."""
    groups: Sequence[tuple[str, EstimateTable]]
    """Titles and tables of all metrics, for each split and kind."""


def view_estimates(runs: Mapping[str, Run]) -> EstimatesView:
    """Returns the estimates of the runs, which are given by name."""
    is_measured = _is_measured(runs.values())
    sections = dict(_sections([name for name, has_value in is_measured.items() if has_value]))
    unmeasured = [name for name, has_value in is_measured.items() if not has_value]
    metrics = [name for names in sections.values() for name in names]

    groups = {name: _groups_by_key(run) for name, run in runs.items()}
    overall = {name: run.groups[0] for name, run in runs.items()}
    titles = _group_titles(groups)
    return EstimatesView(
        sections=[
            (title, _all_metrics("All questions", names, overall))
            for title, names in sections.items()
        ],
        unmeasured=[metric_named(name).marked(ARROW) for name in unmeasured],
        by_group=_one_metric(_main_metric(metrics), titles, groups) if titles else None,
        groups=[
            (
                title,
                _all_metrics(
                    title, metrics, {name: of_run.get(key) for name, of_run in groups.items()}
                ),
            )
            for key, title in titles.items()
        ],
    )


def table_over_runs(
    metric: str, group_title: str, runs: Mapping[str, Run], details: Mapping[str, str]
) -> EstimateTable:
    """Returns one metric of one group of questions, a row for each run.

    `details`: by run, the line below its name.
    """
    rows = []
    for name, run in runs.items():
        groups = {title_of(group): group for group in run.groups}
        rows.append(EstimateRow(name, _estimate(groups.get(group_title), metric), details[name]))
    label = metric_named(metric).marked(ARROW)
    return EstimateTable(f"{label}, {group_title}", "Run", [EstimateRows(label, metric, rows)])


def groups_to_show(groups: Sequence[Group]) -> list[Group]:
    """Returns the groups that are worth a row: a single split only repeats the overall values."""
    splits = sum(group.by == "split" for group in groups)
    return [group for group in groups if group.by != "split" or splits > 1]


def title_of(group: Group) -> str:
    """Returns a title that no other group of the run has."""
    return "all questions" if group.by == "overall" else f"{group.by}: {group.name}"


def _is_measured(runs: Iterable[Run]) -> dict[str, bool]:
    """Returns for each metric whether any group of any run has a value of it."""
    is_measured: dict[str, bool] = {}
    for run in runs:
        for group in run.groups:
            for name, estimate in group.estimates.items():
                has_value = estimate.value is not None
                is_measured[name] = is_measured.get(name, False) or has_value
    return is_measured


def _sections(measured: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yields titles and metrics: as the terminal groups them, then the ones it does not show."""
    in_tables: set[str] = set()
    for title, metrics in tables().items():
        names = [metric.name for metric in metrics if metric.name in measured]
        in_tables |= set(names)
        if names:
            yield title, names
    rest = [name for name in measured if name not in in_tables]
    if rest:
        yield "Other metrics", rest


def _main_metric(metrics: Sequence[str]) -> str:
    """Returns the deciding metric, or the first one where that is not measured."""
    return metrics[0] if metrics and DECIDING not in metrics else DECIDING


def _all_metrics(
    caption: str, metrics: Sequence[str], groups: Mapping[str, Group | None]
) -> EstimateTable:
    """Returns a block for each metric, with a row for each run."""
    blocks = []
    for metric in metrics:
        rows = [EstimateRow(run, _estimate(group, metric)) for run, group in groups.items()]
        blocks.append(EstimateRows(metric_named(metric).marked(ARROW), metric, rows))
    return EstimateTable(caption, "Metric", blocks)


def _one_metric(
    metric: str,
    titles: Mapping[GroupKey, str],
    groups: Mapping[str, Mapping[GroupKey, Group]],
) -> EstimateTable:
    """Returns a block for each group of questions, with a row for each run."""
    blocks = []
    for key, title in titles.items():
        rows = [
            EstimateRow(run, _estimate(of_run.get(key), metric)) for run, of_run in groups.items()
        ]
        blocks.append(EstimateRows(title, metric, rows))
    return EstimateTable(metric_named(metric).marked(ARROW), "Questions", blocks)


def _groups_by_key(run: Run) -> dict[GroupKey, Group]:
    shown = groups_to_show(run.groups)
    return {(group.by, group.name): group for group in shown if group.by != "overall"}


def _group_titles(groups: Mapping[str, Mapping[GroupKey, Group]]) -> dict[GroupKey, str]:
    """Returns for each group of any run its title with its number of questions."""
    counts: dict[GroupKey, list[str]] = {}
    for of_run in groups.values():
        for key, group in of_run.items():
            numbers = counts.setdefault(key, [])
            if str(group.questions) not in numbers:
                numbers.append(str(group.questions))
    return {
        (by, name): f"{by}: {name} ({' and '.join(numbers)})"
        for (by, name), numbers in counts.items()
    }


def _estimate(group: Group | None, metric: str) -> Estimate | None:
    return group.estimates.get(metric) if group else None
