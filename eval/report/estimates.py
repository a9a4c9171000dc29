"""Tables of estimates for a template: each a point with its interval, and the numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eval.metrics import ARROW, DECIDING, metric_named, tables
from eval.report.values import value_text
from eval.run_schema import Estimate, Group, GroupKind, Run

Runs = Mapping[str, Run]
"""Runs by name, in the order in which they are shown."""
GroupKey = tuple[GroupKind, str]
"""The sort of a group and its name, for example ("kind", "fact")."""
Groups = Mapping[GroupKey, Group]
"""The splits and kinds of one run."""
GroupByRun = Mapping[str, Group | None]
"""A group of questions by run; None: the run does not have it."""


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
        top = 0.0
        for row in self.rows:
            estimate = row.estimate
            if estimate is not None:
                # Both are None where there is nothing to measure.
                value = estimate.value or 0.0
                high = estimate.high or 0.0
                top = max(top, value, high)
        # A scale needs a length also where every value is 0 or missing.
        return top or 1.0

    @property
    def scale_note(self) -> str:
        if metric_named(self.metric).is_share:
            return ""
        top = value_text(self.top, self.metric)
        return f"drawn from 0 to {top}"


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


def view_estimates(runs: Runs) -> EstimatesView:
    """Returns all estimates of the runs."""
    measured, unmeasured = _metrics_of(runs.values())
    sections = _sections(measured)
    metrics: list[str] = []
    for section in sections.values():
        metrics += section

    overall: dict[str, Group | None] = {}
    groups: dict[str, Groups] = {}
    for name, run in runs.items():
        overall[name] = run.groups[0]
        groups[name] = _splits_and_kinds(run)

    tables_of_sections = []
    for title, section in sections.items():
        table = _table_of_metrics("All questions", section, overall)
        tables_of_sections.append((title, table))

    tables_of_groups = []
    titles = _group_titles(groups.values())
    for key, title in titles.items():
        group_by_run = _same_group(key, groups)
        table = _table_of_metrics(title, metrics, group_by_run)
        tables_of_groups.append((title, table))

    by_group = None
    if titles:
        by_group = _table_of_groups(metrics, titles, groups)
    return EstimatesView(
        sections=tables_of_sections,
        unmeasured=list(map(_label, unmeasured)),
        by_group=by_group,
        groups=tables_of_groups,
    )


def table_over_runs(
    metric: str,
    group_title: str,
    runs: Runs,
    details: Mapping[str, str],
) -> EstimateTable:
    """Returns one metric of one group of questions, a row for each run.

    `details`: by run, the line below its name.
    """
    rows = []
    for name, run in runs.items():
        group = _group_with_title(run, group_title)
        row = EstimateRow(
            heading=name,
            estimate=_estimate(group, metric),
            detail=details[name],
        )
        rows.append(row)
    label = _label(metric)
    return EstimateTable(
        caption=f"{label}, {group_title}",
        heading="Run",
        blocks=[EstimateRows(label, metric, rows)],
    )


def groups_to_show(groups: Sequence[Group]) -> list[Group]:
    """Returns the groups that are worth a row: a single split only repeats the overall values."""
    splits = [group for group in groups if group.by == "split"]
    shown = list(groups)
    if len(splits) == 1:
        shown.remove(splits[0])
    return shown


def title_of(group: Group) -> str:
    """Returns a title that no other group of the run has."""
    if group.by == "overall":
        return "all questions"
    return f"{group.by}: {group.name}"


def _group_with_title(run: Run, title: str) -> Group | None:
    for group in run.groups:
        if title_of(group) == title:
            return group
    return None


def _metrics_of(runs: Iterable[Run]) -> tuple[list[str], list[str]]:
    """Returns the metrics that have a value in some group of a run, and the rest."""
    measured: dict[str, bool] = {}
    for run in runs:
        for group in run.groups:
            for name, estimate in group.estimates.items():
                # A metric may be measured in some of the groups only.
                measured.setdefault(name, False)
                if estimate.value is not None:
                    measured[name] = True

    with_value = []
    without_value = []
    for name, is_measured in measured.items():
        if is_measured:
            with_value.append(name)
        else:
            without_value.append(name)
    return with_value, without_value


def _sections(measured: Sequence[str]) -> dict[str, list[str]]:
    """Returns the metrics by title: as the terminal has them, then the ones it leaves out."""
    sections: dict[str, list[str]] = {}
    rest = list(measured)
    for title, metrics in tables().items():
        section = []
        for metric in metrics:
            # Removed, so that only the metrics without a table of the terminal are left.
            if metric.name in rest:
                rest.remove(metric.name)
                section.append(metric.name)
        if section:
            sections[title] = section
    if rest:
        sections["Other metrics"] = rest
    return sections


def _table_of_metrics(
    caption: str,
    metrics: Sequence[str],
    groups: GroupByRun,
) -> EstimateTable:
    """Returns a table with a block for each metric, and in it a row for each run."""
    blocks = []
    # A block of its own for each metric: each may have its own scale.
    for metric in metrics:
        label = _label(metric)
        rows = _rows(metric, groups)
        blocks.append(EstimateRows(label, metric, rows))
    return EstimateTable(caption, "Metric", blocks)


def _table_of_groups(
    metrics: Sequence[str],
    titles: Mapping[GroupKey, str],
    groups: Mapping[str, Groups],
) -> EstimateTable:
    """Returns a table of the main metric: a block for each group, and in it a row for each run.

    The main metric is the deciding one, or the first where that is not measured.
    """
    metric = DECIDING
    if metrics and DECIDING not in metrics:
        metric = metrics[0]
    blocks = []
    for key, title in titles.items():
        group_by_run = _same_group(key, groups)
        rows = _rows(metric, group_by_run)
        blocks.append(EstimateRows(title, metric, rows))
    return EstimateTable(_label(metric), "Questions", blocks)


def _same_group(key: GroupKey, groups: Mapping[str, Groups]) -> GroupByRun:
    """Returns a group of questions as each run has it."""
    by_run: dict[str, Group | None] = {}
    for run, of_run in groups.items():
        by_run[run] = of_run.get(key)
    return by_run


def _rows(metric: str, groups: GroupByRun) -> list[EstimateRow]:
    rows = []
    for run, group in groups.items():
        estimate = _estimate(group, metric)
        rows.append(EstimateRow(run, estimate))
    return rows


def _splits_and_kinds(run: Run) -> Groups:
    groups: dict[GroupKey, Group] = {}
    for group in groups_to_show(run.groups):
        if group.by != "overall":
            groups[group.by, group.name] = group
    return groups


def _group_titles(groups: Iterable[Groups]) -> dict[GroupKey, str]:
    """Returns the title of each group, with its number of questions in each run."""
    counts: dict[GroupKey, list[str]] = {}
    for of_run in groups:
        for key, group in of_run.items():
            numbers = counts.setdefault(key, [])
            number = str(group.questions)
            # Usually the runs asked the same questions, and one number says it.
            if number not in numbers:
                numbers.append(number)

    titles = {}
    for key, numbers in counts.items():
        by, name = key
        questions = " and ".join(numbers)
        titles[key] = f"{by}: {name} ({questions})"
    return titles


def _estimate(group: Group | None, metric: str) -> Estimate | None:
    if group is None:
        return None
    return group.estimates.get(metric)


def _label(metric: str) -> str:
    return metric_named(metric).marked(ARROW)
