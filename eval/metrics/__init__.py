"""All metrics. To add one, write its function and its `Metric` in the file of its section.

Summary, tables, report, comparison, gate and exports are derived from `METRICS`, in this order.
A score of None means that the metric does not apply to the question: the question is counted as
unscored, never as 0. Retrieval and confidence are measured before the decision to refuse, all other
metrics on what the person is given. docs/metrics.md lists the metrics, and
what each is checked against.
"""

from typing import get_args

from eval.metrics import answers, citations, confidence, cost, refusal, retrieval
from eval.metrics.example import Example
from eval.metrics.metric import Metric, Section

METRICS: tuple[Metric, ...] = (
    *retrieval.METRICS,
    *answers.METRICS,
    *refusal.METRICS,
    *confidence.METRICS,
    *citations.METRICS,
    *cost.METRICS,
)
DECIDING = "answered_right"
"""The metric that decides between two runs by default."""
ARROW = "\u00a0↓"
"""Marks, on a page, a metric of which lower values are better."""


def scores(example: Example) -> dict[str, float | None]:
    """Returns the value of every metric of single questions, by name."""
    values = {}
    for metric in METRICS:
        if metric.score is not None:
            values[metric.name] = metric.score(example)
    return values


def metric_named(name: str) -> Metric:
    """Returns the metric of a name; for a run of another version, also of an unknown name."""
    for known in METRICS:
        if known.name == name:
            return known
    return Metric(name, label=name.replace("_", " "), section="Answers")


def summary_metrics() -> list[Metric]:
    """Returns the metrics of summary.json, in its order."""
    return [metric for metric in METRICS if metric.in_summary]


def tables() -> dict[Section, list[Metric]]:
    """Returns the metrics that fit into the terminal's tables, by section."""
    metrics: dict[Section, list[Metric]] = {}
    for section in get_args(Section):
        metrics[section] = []
    for metric in summary_metrics():
        if metric.in_tables:
            metrics[metric.section].append(metric)
    return metrics
