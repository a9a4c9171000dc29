"""How confidence is spread over the questions, as the bars of a chart."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.report.details import RunDetails

_BINS = 10
_MAX_BAR = 56
"""Pixels."""
_MIDDLE = 72
"""Pixels from the top of the chart to its axis: the longest bar and the count above it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the chart. Widths are per cent of the chart, heights are pixels."""

    side: str
    """`up` for questions that the documents answer, `down` for the rest."""
    count: int
    left: float
    width: float
    top: float
    height: float
    text_top: float
    """Where the count is written."""

    @property
    def centre(self) -> float:
        return self.left + self.width / 2


@dataclass(frozen=True, slots=True)
class ConfidenceChart:
    """Two histograms of confidence over the same bins of 0 to 1, one upwards and one downwards."""

    run: str
    answerable: Sequence[int]
    unanswerable: Sequence[int]
    threshold: float | None
    """Marked in the chart where the run has one."""
    height: int = 2 * _MIDDLE
    middle: int = _MIDDLE

    @property
    def bins(self) -> list[str]:
        """The confidences of each bin, in words."""
        labels = []
        for index in range(_BINS):
            start = index / _BINS
            end = (index + 1) / _BINS
            labels.append(f"{start:.1f} to {end:.1f}")
        return labels

    @property
    def bars(self) -> list[Bar]:
        # The same scale on both sides, so that their bars can be compared.
        longest = max(*self.answerable, *self.unanswerable)
        slot = 100 / _BINS
        bars = []
        for side, counts in (("up", self.answerable), ("down", self.unanswerable)):
            for index, count in enumerate(counts):
                height = round(_MAX_BAR * count / longest, 1)
                is_up = side == "up"
                bar = Bar(
                    side=side,
                    count=count,
                    left=round((index + 0.1) * slot, 4),
                    width=0.8 * slot,
                    top=_MIDDLE - height if is_up else _MIDDLE,
                    height=height,
                    text_top=_MIDDLE - height - 4 if is_up else _MIDDLE + height + 12,
                )
                if count:
                    bars.append(bar)
        return bars


def confidence_chart(name: str, details: RunDetails) -> ConfidenceChart | None:
    """Returns the chart of a run; None if no question has a confidence."""
    answerable, unanswerable = [0] * _BINS, [0] * _BINS
    for question in details.questions:
        confidence = question.scores.get("confidence")
        if confidence is None or question.answerable is None:
            continue
        # A confidence of 1 belongs to the last bin.
        index = min(_BINS - 1, max(0, int(confidence * _BINS)))
        counts = answerable if question.answerable else unanswerable
        counts[index] += 1
    if not any((*answerable, *unanswerable)):
        return None

    threshold = details.run.provenance.settings.get("threshold")
    return ConfidenceChart(
        run=name,
        answerable=answerable,
        unanswerable=unanswerable,
        threshold=float(threshold) if isinstance(threshold, int | float) else None,
    )
