"""The refusal threshold, chosen on a run that refused nothing: what each one would answer right and refuse right."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from eval.results import Run, Scores
from qa.errors import FootnoteError


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the run: how sure the bot was, and whether its first sentence was right (None: no answer is)."""

    confidence: float
    right: bool | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What a threshold comes to, as shares from 0 to 1."""

    threshold: float
    answered_right: float
    """Of the answerable questions, those answered and with the first sentence right."""
    wrongly_refused: float
    """Of the answerable questions, those refused."""
    rightly_refused: float
    """Of the questions that the documents do not answer, those refused."""

    @property
    def balance(self) -> float:
        """The mean of answered right and rightly refused: either kind of question counts for half."""
        return (self.answered_right + self.rightly_refused) / 2


def choices(of: Sequence[Asked]) -> list[Choice]:
    """A choice for each place between two confidences, lowest first. Raises FootnoteError without both classes."""
    answerable = [one for one in of if one.right is not None]
    others = [one for one in of if one.right is None]
    if not answerable or not others:
        raise FootnoteError(
            "A threshold takes questions that the documents answer and some that they do not."
        )
    confidences = sorted({0.0, *(one.confidence for one in of), 1.0})
    return [
        Choice(
            threshold=(low + high) / 2,
            answered_right=_share(
                [bool(one.right) and one.confidence >= high for one in answerable]
            ),
            wrongly_refused=_share([one.confidence < high for one in answerable]),
            rightly_refused=_share([one.confidence < high for one in others]),
        )
        for low, high in pairwise(confidences)
    ]


def best(found: Sequence[Choice]) -> Choice:
    """The one of the highest balance; of equals the middle one."""
    top = [choice for choice in found if choice.balance == max(other.balance for other in found)]
    return top[len(top) // 2]


def asked(run: Run) -> list[Asked]:
    """The questions of a run over the development split.

    Raises FootnoteError for a run that refused any, or that asked questions of the test split: a threshold chosen on
    those would be reported on them.
    """
    if run.provenance.settings.get("threshold") != 0:
        raise FootnoteError(
            f"{run.folder} was not made with --threshold 0, and may have refused questions. Make one that was."
        )
    if run.provenance.questions.split != "dev":
        raise FootnoteError(
            f"{run.folder} asked the test split too. Choose on the other: --split dev --threshold 0"
        )
    return [_asked(scores) for scores in run.scores.values() if _tells(scores)]


def _tells(scores: Scores) -> bool:
    """Whether it is known how sure the bot was and what would have been right; of a set without quotes it is not."""
    known = (scores.get("first_sentence_right"), scores.get("rightly_refused"))
    return scores.get("confidence") is not None and any(one is not None for one in known)


def _asked(scores: Scores) -> Asked:
    right = scores.get("first_sentence_right")
    return Asked(cast(float, scores["confidence"]), None if right is None else right == 1)


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
