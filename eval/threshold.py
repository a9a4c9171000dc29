"""The refusal threshold, chosen on a run that refused nothing: what each one would answer right and refuse right."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from eval.run import SUMMARY
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


def choices(asked: Sequence[Asked]) -> list[Choice]:
    """A choice for each place between two confidences, lowest first. Raises FootnoteError without both classes."""
    answerable = [one for one in asked if one.right is not None]
    others = [one for one in asked if one.right is None]
    if not answerable or not others:
        raise FootnoteError("A threshold takes questions that the documents answer and some that they do not.")
    confidences = sorted({0.0, *(one.confidence for one in asked), 1.0})
    return [
        Choice(
            threshold=(low + high) / 2,
            answered_right=_share([bool(one.right) and one.confidence >= high for one in answerable]),
            wrongly_refused=_share([one.confidence < high for one in answerable]),
            rightly_refused=_share([one.confidence < high for one in others]),
        )
        for low, high in pairwise(confidences)
    ]


def best(found: Sequence[Choice]) -> Choice:
    """The one of the highest balance; of equals the middle one."""
    top = [choice for choice in found if choice.balance == max(other.balance for other in found)]
    return top[len(top) // 2]


def read_run(folder: Path) -> list[Asked]:
    """The questions of a run over the development split.

    Raises FootnoteError for one that is not there, that refused any, or that asked questions of the test split: a
    threshold chosen on those would be reported on them.
    """
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FootnoteError(f"{folder} holds no run that ended: {error}") from error
    if summary["settings"]["threshold"] != 0:
        raise FootnoteError(f"{folder} refused some questions. Make a run that does not: --threshold 0")
    if summary["questions"]["split"] != "dev":
        raise FootnoteError(f"{folder} asked the test split too. Choose on the other: --split dev --threshold 0")
    return [
        Asked(
            confidence=scores["confidence"],
            right=None if scores["first_sentence_right"] is None else scores["first_sentence_right"] == 1,
        )
        for scores in summary["scores"].values()
    ]


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
