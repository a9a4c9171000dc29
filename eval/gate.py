"""Checks whether a run may pass: no new errors, no detectable regression, no limit missed.

Of all metrics gated together, a run that is not worse than its baseline fails by chance at most 1
time in 20 (Holm 1979, over one-sided tests). A regression too small for the number of questions
passes; each line says how small that is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from eval.comparison import (
    PairedComparison,
    compare,
    format_p,
    has_direction,
    no_pairs_message,
)
from eval.run_schema import Run
from eval.stats.significance import LEVEL, holm
from qa.errors import FootnoteError
from qa.terminal import escaped_line, visible_line

GATED = ("answered_right", "rightly_refused", "hit_at_5", "citation_f1")
"""The metrics gated by default, if both runs have them: answer, refusal, retrieval and citation.
They are few because each further metric makes the others detect less."""
DEFAULT_MINIMA = {"quotes_exact": 1.0}
"""Limits that always hold: a citation that is not exact is a defect."""
Limits = Mapping[str, float]
"""The limit of each metric, by its name."""
_SHOWN_IDS = 5


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check, with a line of text about it."""

    name: str
    passed: bool
    words: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def checks(
    run: Run,
    baseline: Run,
    gated: Sequence[str],
    minima: Limits,
    maxima: Limits,
) -> list[Check]:
    """Returns every check of a run against its baseline and its limits.

    `gated` names metrics of single questions (none: `GATED`); `minima` and `maxima` bound the
    values of summary.json. Raises FootnoteError for an unknown name.
    """
    results = [_error_check(run, baseline)]
    results += _regression_checks(run, baseline, gated)

    values = _summary_values(run)
    for name in (*minima, *maxima):
        if name not in values:
            known = ", ".join(map(escaped_line, values))
            raise FootnoteError(
                f"{run.folder} has no metric {escaped_line(name)}. It has: {known}."
            )
    for name, limit in {**DEFAULT_MINIMA, **minima}.items():
        # A default holds only where there is a value.
        if name in minima or values.get(name) is not None:
            results.append(_limit_check(name, values[name], limit, "least"))
    for name, limit in maxima.items():
        results.append(_limit_check(name, values[name], limit, "most"))
    return results


def not_gated(run: Run, baseline: Run) -> list[str]:
    """Returns the default metrics that no question has in both runs."""
    missing = []
    for name in GATED:
        if compare(name, baseline, run) is None:
            missing.append(name)
    return missing


def _error_check(run: Run, baseline: Run) -> Check:
    new_errors = [question for question in run.errors if question not in baseline.errors]
    count = len(new_errors)
    noun = "questions" if count > 1 else "question"
    words = f"{count or 'no'} {noun} with an error that the baseline does not have"
    return Check(
        name="errors",
        passed=not new_errors,
        words=words + _listed(new_errors),
    )


def _regression_checks(run: Run, baseline: Run, gated: Sequence[str]) -> list[Check]:
    names = gated or GATED
    rows = []
    for name in names:
        if not has_direction(name):
            raise FootnoteError(
                f"{escaped_line(name)} has no better or worse values. Gate another metric."
            )
        row = compare(name, baseline, run)
        if row is not None:
            rows.append(row)
        elif gated:
            # A default metric may be missing; a metric that was named may not.
            raise FootnoteError(no_pairs_message(name, baseline, run))
    if not rows:
        problem = no_pairs_message(" or ".join(names), baseline, run)
        raise FootnoteError(f"Nothing to gate. {problem}")

    # Corrected together, so that gating more metrics does not raise more false alarms.
    corrected = holm([row.p_worse for row in rows])
    results = []
    for row, p in zip(rows, corrected, strict=True):
        words = _comparison_words(row, p)
        results.append(Check(row.metric, p >= LEVEL, words))
    return results


def _comparison_words(row: PairedComparison, p: float) -> str:
    result = "no detectable regression" if p >= LEVEL else "detectably worse"
    effect = f"difference {row.effect:+.3f}"
    if row.is_ratio:
        effect = f"ratio {row.effect:.3f}"
    detectable = "too few questions to detect any"
    if row.minimum_detectable is not None:
        detectable = f"detectable alone: {row.minimum_detectable:.3f} or more"

    parts = [
        f"{result}: {row.second:.3f}",
        f"baseline {row.first:.3f}",
        effect,
        f"one-sided p {format_p(p)}",
        f"{len(row.won)} won and {len(row.lost)} lost of {row.n}",
        detectable,
    ]
    return ", ".join(parts)


def _limit_check(
    name: str, value: float | None, limit: float, end: Literal["least", "most"]
) -> Check:
    required = f"at {end} {limit:g} required"
    if value is None:
        return Check(name, False, f"no question has a value, {required}")
    passed = value >= limit if end == "least" else value <= limit
    return Check(name, passed, f"{value:.4g}, {required}")


def _summary_values(run: Run) -> dict[str, float | None]:
    """Returns the values over all questions, by metric."""
    values = {}
    for name, estimate in run.groups[0].estimates.items():
        values[name] = estimate.value
    return values


def _listed(ids: Sequence[str]) -> str:
    """Returns the first ids, made safe for a terminal."""
    if not ids:
        return ""
    shown = [visible_line(question) for question in ids[:_SHOWN_IDS]]
    hidden = len(ids) - _SHOWN_IDS
    if hidden > 0:
        shown.append(f"{hidden} others")
    names = ", ".join(shown)
    return f": {names}"
