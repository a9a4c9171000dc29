"""What the cross-encoder is shown: a question with its passage and with passages that do not answer it.

Four kinds of passage or question do not answer, and are made here: the passage of the same article (or source) that
BM25 ranks best without an answer in it, one drawn by chance, the question's own passage without the sentences that
answer, and the question with a name or number exchanged for another of its article.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qa.documents.sentences import segment
from qa.library.bm25 import Bm25
from qa.text.words import terms
from qa.training.sources import Asked
from qa.types import Document, Span

WINDOW = 1000
"""Characters of a passage that are read, about 220 tokens; a longer one is cut around an answer."""
POOL = 8
"""An article with fewer passages lends its negatives from the whole source."""
LOOKED_AT = 6
"""How many of BM25's best are looked at for one that does not hold an answer."""
_NAME = re.compile(r"(?<!^)\b[A-Z][\w’'-]+(?:\s+[A-Z][\w’'-]+)*|\b\d[\d.,]*\b")


@dataclass(frozen=True, slots=True)
class Mix:
    """How often each kind of negative is made, as a share of the questions that have an answer."""

    hard: float = 0.45
    easy: float = 0.08
    cut: float = 0.15
    swapped: float = 0.1


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a passage. No `answers`: the passage does not answer."""

    question: str
    context: str
    answers: tuple[Span, ...]
    region: bool = False


Example = tuple[Pair, ...]
"""The pairs of one question, ranked against each other: the first is its own passage."""

QUOTAS: dict[str, int] = {
    "squadshifts_reddit": 1500,
    "qadiscourse_wikinews": 2500,
    "qamr": 5000,
    "fairytale": 1500,
    "selqa": 1800,
}
"""Of these sources only so many questions are taken; of the others all."""


def examples(found: Mapping[str, Sequence[Asked]], mix: Mix, seed: int) -> list[Example]:
    """An example a question of the given sources, in a fixed random order."""
    rng = random.Random(seed)
    made: list[Example] = []
    for name, rows in found.items():
        chosen = list(rows)
        rng.shuffle(chosen)
        chosen = chosen[: QUOTAS.get(name, len(chosen))]
        pools = _Pools(rows)
        for asked in chosen:
            made += _examples(asked, pools, mix, rng)
    rng.shuffle(made)
    return made


def _examples(asked: Asked, pools: "_Pools", mix: Mix, rng: random.Random) -> list[Example]:
    own = windowed(Pair(asked.question, asked.context, asked.answers, asked.region), rng)
    if not asked.answers:
        return [(own,)]
    pairs = [own]
    if rng.random() < mix.hard and (hard := pools.best_without(asked)):
        pairs.append(windowed(Pair(asked.question, hard, ()), rng))
    if rng.random() < mix.easy:
        pairs.append(windowed(Pair(asked.question, pools.any_without(asked, rng), ()), rng))
    if rng.random() < mix.cut and (rest := _without_answers(asked)):
        pairs.append(windowed(Pair(asked.question, rest, ()), rng))
    found: list[Example] = [tuple(pairs)]
    if rng.random() < mix.swapped and (other := _swapped(asked, pools, rng)):
        found.append((windowed(Pair(other, asked.context, ()), rng),))
    return found


class _Pools:
    """The passages of a source, by group, with a BM25 ranking over each pool."""

    def __init__(self, rows: Sequence[Asked]) -> None:
        self._all = list(dict.fromkeys(row.context for row in rows))
        groups: dict[str, dict[str, None]] = {}
        for row in rows:
            groups.setdefault(row.group, {})[row.context] = None
        self._groups = {
            group: list(contexts) for group, contexts in groups.items() if len(contexts) >= POOL
        }
        self._rankings: dict[str, Bm25] = {}

    def of(self, asked: Asked) -> list[str]:
        return self._groups.get(asked.group, self._all)

    def best_without(self, asked: Asked) -> str | None:
        """The passage that BM25 ranks best of those that hold no answer; None among so few best."""
        pool = self.of(asked)
        key = asked.group if asked.group in self._groups else ""
        if key not in self._rankings:
            self._rankings[key] = Bm25(pool)
        scores = np.array(self._rankings[key].scores(asked.question))
        best = [
            pool[place]
            for place in np.argsort(-scores, kind="stable")[:LOOKED_AT]
            if scores[place] > 0
        ]
        return next((context for context in best if _holds_none(context, asked)), None)

    def any_without(self, asked: Asked, rng: random.Random) -> str:
        """One drawn by chance from the whole source."""
        drawn = rng.choices(self._all, k=LOOKED_AT)
        return next((context for context in drawn if _holds_none(context, asked)), drawn[-1])


def _holds_none(context: str, asked: Asked) -> bool:
    """Whether a passage is another one and has no answer's words; of an answer in sentences, not most of its terms."""
    if context == asked.context:
        return False
    folded = context.casefold()
    if not asked.region:
        return not any(asked.context[a.start : a.end].casefold() in folded for a in asked.answers)
    own = set(terms(context))
    wanted = [set(terms(asked.context[a.start : a.end])) for a in asked.answers]
    return all(2 * len(words & own) < len(words) for words in wanted)


def _without_answers(asked: Asked) -> str | None:
    """The passage without the sentences that answer; None when nothing is left or an answer still stands."""
    text = asked.context
    spans = [sentence.span for sentence in segment(Document("", "", "", text))]
    kept = [
        text[s.start : s.end]
        for s in spans
        if not any(s.overlap(answer) for answer in asked.answers)
    ]
    rest = " ".join(kept)
    return rest if len(kept) >= 2 and len(kept) < len(spans) and _holds_none(rest, asked) else None


def _swapped(asked: Asked, pools: _Pools, rng: random.Random) -> str | None:
    """The question with one name or number exchanged for another of its article that its passage does not have."""
    found = list(_NAME.finditer(asked.question))
    if not found:
        return None
    match = rng.choice(found)
    digit = match.group(0)[0].isdigit()
    others = {
        other.group(0)
        for context in rng.sample(pools.of(asked), min(4, len(pools.of(asked))))
        for other in _NAME.finditer(context)
        if other.group(0)[0].isdigit() == digit and other.group(0) not in asked.context
    }
    if not others:
        return None
    return (
        asked.question[: match.start()] + rng.choice(sorted(others)) + asked.question[match.end() :]
    )


def windowed(pair: Pair, rng: random.Random) -> Pair:
    """The pair with at most about `WINDOW` characters of its passage, around the first answer, cut between words."""
    text = pair.context
    if len(text) <= WINDOW:
        return pair
    first = pair.answers[0] if pair.answers else Span(*(2 * [rng.randrange(len(text))]))
    room = max(0, WINDOW - len(first))
    start = max(0, min(first.start - rng.randint(0, room), len(text) - WINDOW))
    end = min(len(text), max(start + WINDOW, first.end))
    start = 0 if start == 0 else min(first.start, text.find(" ", start) + 1)
    end = len(text) if end == len(text) else max(first.end, text.rfind(" ", 0, end))
    inside = [a for a in pair.answers if start <= a.start and a.end <= end]
    moved = tuple(Span(a.start - start, a.end - start) for a in inside)
    return replace(pair, context=text[start:end], answers=moved)
