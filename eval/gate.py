"""Whether a run may pass: nothing new broke, nothing is detectably worse than in the baseline, no threshold is missed.

Of all the measures gated together, and however many there are, a run that is no worse than its baseline fails by
chance at most 1 time in 20 (Holm 1979, over one-sided exact tests). A regression too small for the questions at hand
passes: each line says how small that is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.labels import p_value
from eval.results import Run
from eval.stats.paired import LEVEL, UNDIRECTED, Paired, holm, measures, pair, unpaired
from qa.errors import FootnoteError
from qa.terminal import visible_line

GATED = ("answered_right", "rightly_refused", "hit_at_5", "citation_f1")
"""What is gated unless said otherwise, where both runs have it: what a person is given, told and shown, and what was
found. Few, for each one more makes the others see less."""
FLOORS = {"quotes_exact": 1.0}
"""Minima that hold without being named, where there is a value: a footnote that is not exact is a defect."""
_SHOWN = 5
"""Ids that a line names."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: bool
    words: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "passed": self.passed, "words": self.words}


def checks(
    run: Run,
    baseline: Run,
    gated: Sequence[str],
    minima: Mapping[str, float],
    maxima: Mapping[str, float],
) -> list[Check]:
    """Every check, in words. `gated` are measures of questions (none: `GATED`), the others figures of summary.json.

    Raises FootnoteError for a name that there is not, with those there are.
    """
    found = [_broken(run, baseline), *_regressions(run, baseline, gated)]
    figures = _figures(run)
    for name in (*minima, *maxima):
        if name not in figures:
            raise FootnoteError(f"{run.folder} has no figure {name}. It has: {', '.join(figures)}.")
    floors = {name: at for name, at in FLOORS.items() if figures.get(name) is not None}
    found += [
        _bound(name, figures[name], at, "least") for name, at in (floors | dict(minima)).items()
    ]
    return found + [_bound(name, figures[name], at, "most") for name, at in maxima.items()]


def left_out(run: Run, baseline: Run) -> list[str]:
    """What of `GATED` no question has in both runs, so that it is not gated."""
    there = measures(baseline, run)
    return [name for name in GATED if name not in there or pair(name, baseline, run) is None]


def _broken(run: Run, baseline: Run) -> Check:
    new = [key for key in run.errors if key not in baseline.errors]
    told = f"broke that did not break in the baseline{_listed(new)}"
    return Check("errors", not new, f"{_questions(len(new))} {told}")


def _regressions(run: Run, baseline: Run, gated: Sequence[str]) -> list[Check]:
    there = measures(baseline, run)
    names = gated or [name for name in GATED if name in there]
    rows = [
        row for name in names if (row := _row(name, run, baseline, named=bool(gated))) is not None
    ]
    if not rows:
        raise FootnoteError(
            f"Nothing to gate. {unpaired(' or '.join(names or GATED), baseline, run)}"
        )
    corrected = holm([row.worse for row in rows])
    return [
        Check(row.measure, p >= LEVEL, _compared(row, p))
        for row, p in zip(rows, corrected, strict=True)
    ]


def _row(name: str, run: Run, baseline: Run, named: bool) -> Paired | None:
    if name in UNDIRECTED:
        raise FootnoteError(f"More {name} is neither better nor worse: gate another measure.")
    row = pair(name, baseline, run)
    if row is None and named:
        raise FootnoteError(unpaired(name, baseline, run))
    return row


def _compared(row: Paired, p: float) -> str:
    words = "no detectable regression" if p >= LEVEL else "detectably worse"
    effect = f"ratio {row.effect:.3f}" if row.is_ratio else f"difference {row.effect:+.3f}"
    sees = (
        "too few to show any"
        if row.smallest is None
        else f"which by this alone show {row.smallest:.3f} or more"
    )
    return (
        f"{words}: {row.second:.3f}, baseline {row.first:.3f}, {effect}, one-sided p {p_value(p)}, "
        f"{len(row.won)} won and {len(row.lost)} lost of {row.n}, {sees}"
    )


def _bound(name: str, value: float | None, at: float, end: str) -> Check:
    if value is None:
        return Check(name, False, f"no question has a value, at {end} {at:g} wanted")
    return Check(
        name, value >= at if end == "least" else value <= at, f"{value:.4g}, at {end} {at:g} wanted"
    )


def _figures(run: Run) -> dict[str, float | None]:
    """The values over all questions, by name."""
    return {name: estimate.value for name, estimate in run.groups[0].estimates.items()}


def _questions(count: int) -> str:
    return f"{count or 'no'} question{'s' * (count > 1)}"


def _listed(keys: Sequence[str]) -> str:
    """The first ids; what a file says is shown so that it moves no cursor."""
    shown = [visible_line(key) for key in keys[:_SHOWN]]
    others = [f"{len(keys) - _SHOWN} others"] if len(keys) > _SHOWN else []
    return f": {', '.join(shown + others)}" if keys else ""
