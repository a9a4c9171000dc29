"""The type of a metric: one object with everything that the rest of the evaluation needs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from eval.metrics.example import Example
from eval.metrics.sample import Sample
from eval.run_schema import Estimate

Section = Literal["Retrieval", "Answers", "Refusals", "Confidence", "Citations", "Speed and cost"]
"""The heading under which tables and reports show a metric."""
Direction = Literal["higher", "lower", "neither"]
"""Which values are better."""
Unit = Literal["share", "seconds", "tokens", "characters"]
"""A share is from 0 to 1; the others have no upper bound."""

DECIMALS: dict[Unit, int] = {"share": 2, "seconds": 3, "tokens": 0, "characters": 0}
"""Answers often take a few thousandths of a second."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of single questions (`score`), of a set of questions (`set_score`), or of both.

    A metric with a `score` alone is summarised over a set by the mean of its scores.
    """

    name: str
    """The key in summary.json, and of a question's score; never changed."""
    label: str
    section: Section
    score: Callable[[Example], float | None] | None = None
    """The value of one question; None if the metric does not apply to the question."""
    set_score: Callable[[Sample], Estimate] | None = None
    better: Direction = "higher"
    unit: Unit = "share"
    in_summary: bool = True
    """False for a score that only feeds metrics of sets."""
    in_tables: bool = True
    """Whether the terminal has a column for it; the report and summary.json have all."""
    paper: str = ""

    @property
    def definition(self) -> str:
        """The first line of the function's docstring, without its "Returns"."""
        function = self.set_score or self.score
        if isinstance(function, partial):
            function = function.func
        first_line = (function.__doc__ or "").split("\n")[0]
        return first_line.removeprefix("Returns ").rstrip(".")

    @property
    def decimals(self) -> int:
        return DECIMALS[self.unit]

    @property
    def is_share(self) -> bool:
        return self.unit == "share"

    @property
    def lower_is_better(self) -> bool:
        return self.better == "lower"

    def marked(self, mark: str = " (v)") -> str:
        """Returns the label, followed by the mark if lower values are better."""
        return self.label + mark if self.lower_is_better else self.label

    def estimate(self, sample: Sample) -> Estimate:
        """Returns the value over a set of questions, with its 95% interval."""
        if self.set_score is not None:
            return self.set_score(sample)
        if self.is_share:
            return sample.mean_of_shares(self.name)
        return sample.mean_of_sizes(self.name)
