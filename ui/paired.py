"""Two evaluation runs side by side: paired by question, with the interval of each difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ui.figures import LESS_IS_BETTER, Run

SEED: Final = 20
RESAMPLES: Final = 2_000
FEWEST: Final = 6
"""Questions that must differ: of five, all are on one side 1 time in 16 by chance (sign test)."""
UNDIRECTED: Final = frozenset({"answered", "confidence"})
"""More of these is neither better nor worse."""
Verdict = Literal["better", "worse", "no detectable difference"]


@dataclass(frozen=True, slots=True)
class Paired:
    """A measure over the questions that have a value in both runs."""

    measure: str
    n: int
    left_out: int
    """Questions that have no value in at least one of the two, because they broke there or for what was answered."""
    first: float
    second: float
    """The means of the two runs."""
    low: float
    high: float
    """The 95% interval of `difference`: the percentile bootstrap over questions (Efron 1979), seeded."""
    won: tuple[str, ...]
    """Ids of the questions that the second run does better."""
    lost: tuple[str, ...]

    @property
    def difference(self) -> float:
        return self.second - self.first

    @property
    def ties(self) -> int:
        return self.n - len(self.won) - len(self.lost)

    @property
    def verdict(self) -> Verdict:
        """What can be said of the second run."""
        if len(self.won) + len(self.lost) < FEWEST or self.low <= 0 <= self.high:
            return "no detectable difference"
        return "better" if (self.difference < 0) == (self.measure in LESS_IS_BETTER) else "worse"


def obstacles(first: Run, second: Run) -> list[str]:
    """What keeps two runs from being paired, in sentences; none: they asked the same questions of the same texts."""
    found = []
    if first.sha256 != second.sha256:
        found.append(f"Their question files differ: {first.file} and {second.file}, as they were then.")
    if first.documents != second.documents:
        found.append("They were asked of different documents, or of different versions of them.")
    asked, also = _asked(first), _asked(second)
    for one, other, words in ((asked, also, "first"), (also, asked, "second")):
        if only := len(one - other):
            found.append(f"{only} of the {len(one)} questions of the {words} run were not asked in the other.")
    return found


def compare(first: Run, second: Run) -> list[Paired]:
    """A row for each measure that has a better and a worse, and a question with a value in both runs."""
    every = dict.fromkeys(name for run in (first, second) for scores in run.scores.values() for name in scores)
    rows = (_paired(name, first, second) for name in every if name not in UNDIRECTED)
    return [row for row in rows if row is not None]


def _asked(run: Run) -> set[str]:
    return run.scores.keys() | run.errors.keys()


def _paired(measure: str, first: Run, second: Run) -> Paired | None:
    ids, values = [], []
    for key in first.scores.keys() & second.scores.keys():
        one, other = first.scores[key].get(measure), second.scores[key].get(measure)
        if one is not None and other is not None:
            ids.append(key)
            values.append((one, other))
    if not ids:
        return None
    # In the order of their ids: the resamples are of places, and a set has no order that lasts.
    order = sorted(range(len(ids)), key=ids.__getitem__)
    pairs = np.asarray([values[at] for at in order])
    differences = pairs[:, 1] - pairs[:, 0]
    low, high = _interval(differences)
    gains = -differences if measure in LESS_IS_BETTER else differences
    return Paired(
        measure=measure,
        n=len(ids),
        left_out=len(_asked(first) | _asked(second)) - len(ids),
        first=float(pairs[:, 0].mean()),
        second=float(pairs[:, 1].mean()),
        low=low,
        high=high,
        won=_ids(ids, order, gains > 0),
        lost=_ids(ids, order, gains < 0),
    )


def _ids(ids: Sequence[str], order: Sequence[int], chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(ids[at] for at, is_chosen in zip(order, chosen, strict=True) if is_chosen)


def _interval(differences: NDArray[np.float64]) -> tuple[float, float]:
    places = np.random.default_rng(SEED).integers(0, len(differences), size=(RESAMPLES, len(differences)))
    low, high = np.percentile(differences[places].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)
