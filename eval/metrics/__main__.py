"""`python -m eval.metrics`: prints the list of metrics in docs/metrics.md, as Markdown."""

from itertools import groupby
from operator import attrgetter
from typing import get_args

from eval.metrics import summary_metrics
from eval.metrics.metric import Metric, Section


def metric_list() -> str:
    """Returns a table for each section; metrics that differ only in their k share a row."""
    tables = []
    for section in get_args(Section):
        lines = [f"### {section}", "", "| metric | definition | paper |", "|---|---|---|"]
        members = [metric for metric in summary_metrics() if metric.section == section]
        for definition, group in groupby(members, key=attrgetter("definition")):
            metrics = list(group)
            names = ", ".join(map(_marked_name, metrics))
            lines.append(f"| {names} | {definition} | {metrics[0].paper} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def _marked_name(metric: Metric) -> str:
    arrow = " ↓" if metric.lower_is_better else ""
    dot = " •" if metric.in_tables else ""
    return f"`{metric.name}`{arrow}{dot}"


if __name__ == "__main__":
    print(metric_list())
