"""A metric is added in one place: its object is all that summary, tables, report and exports need."""

from io import StringIO
from pathlib import Path

import pytest

from eval.comparison import compare
from eval.metrics import METRICS
from eval.metrics.example import Example
from eval.metrics.metric import Metric
from eval.metrics.sample import Sample
from eval.report.details import read_details
from eval.report.export import as_csv
from eval.report.html import page
from eval.report.terminal import print_tables
from eval.results import read_run
from eval.run_schema import Estimate
from tests.eval.page import make_run


def answer_length(example: Example) -> float | None:
    """Returns the number of characters of the answer."""
    return float(len(example.answer_text)) or None


def longest_answer(sample: Sample) -> Estimate:
    """Returns the length of the longest answer."""
    return sample.percentile("answer_length", 100)


ADDED = (
    Metric(
        name="answer_length",
        label="characters",
        section="Answers",
        score=answer_length,
        better="lower",
        unit="tokens",
    ),
    Metric(
        name="longest_answer",
        label="longest",
        section="Answers",
        set_score=longest_answer,
        unit="tokens",
    ),
)


def test_added_metric_appears_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Summary, terminal, report, CSV and comparison show a metric that only `METRICS` names."""
    monkeypatch.setattr("eval.metrics.METRICS", (*METRICS, *ADDED))
    folder = make_run(tmp_path / "run")

    run = read_run(folder)
    estimates = run.groups[0].estimates
    lengths = [scores["answer_length"] for scores in run.scores.values()]
    assert estimates["answer_length"].n == sum(length is not None for length in lengths)
    assert estimates["longest_answer"].value == max(length for length in lengths if length)

    file = StringIO()
    print_tables(run.groups, file)
    assert "characters" in file.getvalue()
    assert "longest" in file.getvalue()

    details = read_details(folder)
    html = page([details])
    assert "characters\u00a0↓" in html
    assert ">longest<" in html

    heading, *_ = as_csv([details], ["run"]).splitlines()
    assert "answer_length" in heading.split(",")

    row = compare("answer_length", run, run)
    assert row is not None
    assert row.is_ratio
