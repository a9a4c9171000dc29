"""How well the cross-encoder reads by itself: SQuAD's F1 on passages that answer, and telling those that do not.

For each held-out question with its own passage: the overlap of the best span's words with an answer's (Rajpurkar et
al. 2016), and the AUROC of the passage's margin over "not here".
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.metrics import roc_auc_score

from qa.models.spans import SpanModel
from qa.training.sources import Asked


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a set of questions; shares from 0 to 1, None where the set has no such question."""

    answerable: int
    unanswerable: int
    f1: float | None
    """Mean over those that their passage answers."""
    auroc: float | None


def read(asked: Sequence[Asked], model: SpanModel) -> Read:
    """The figures over these questions."""
    f1s: list[float] = []
    margins: list[float] = []
    for one in asked:
        (pointing,) = model.score(one.question, [one.context])
        margins.append(pointing.margin())
        if one.answers:
            best = pointing.best_span(0, len(one.context))
            told = one.context[best[1] : best[2]] if best else ""
            f1s.append(max(f1(told, one.context[a.start : a.end]) for a in one.answers))
    answered = [bool(one.answers) for one in asked]
    auroc = float(roc_auc_score(answered, margins)) if len(set(answered)) == 2 else None
    return Read(len(f1s), len(asked) - len(f1s), sum(f1s) / len(f1s) if f1s else None, auroc)


def f1(told: str, right: str) -> float:
    """Harmonic mean of precision and recall over the words, without articles and punctuation."""
    ours, theirs = _words(told), _words(right)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    if not ours or not theirs:
        return float(ours == theirs)
    return 2 * shared / (len(ours) + len(theirs))


def _words(text: str) -> list[str]:
    plain = "".join(letter for letter in text.casefold() if letter not in string.punctuation)
    return re.sub(r"\b(?:a|an|the)\b", " ", plain).split()
