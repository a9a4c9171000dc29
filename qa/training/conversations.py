"""How well follow-ups are understood by rule, against human rewrites: `python -m qa.training.conversations --data F`.

TREC CAsT 2019 to 2021 (Dalton et al. 2020; GitHub: daltonj/treccastweb): people rewrote each turn of a conversation
so that it stands alone. A turn needs context when its rewrite has terms that it lacks.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.answer.followup import standalone_by_rule
from qa.text.words import terms
from qa.types import Turn

_TOPICS = "treccast/2019_topics.json"
_RESOLVED = "treccast/2019_resolved.tsv"
_MANUAL = ("treccast/2020_manual.json", "treccast/2021_manual.json")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A turn after the first, what came before it, and how a person made it stand alone."""

    question: str
    history: tuple[Turn, ...]
    rewrite: str

    @property
    def missing(self) -> set[str]:
        """The terms that context gives."""
        return set(terms(self.rewrite)) - set(terms(self.question))


@dataclass(frozen=True, slots=True)
class Understood:
    """Shares from 0 to 1."""

    needing: int
    """Turns that need context."""
    recognised: float
    """Of those, the share to which context was added."""
    others: int
    wrongly_added: float
    recall: float
    """Of the terms that context gives, the mean share that was added."""


def understood(turns: Sequence[Rewritten]) -> Understood:
    """The figures of `followup.standalone_by_rule`, its likeliest form by rule. Raises ValueError without turns of both kinds."""
    needing = [turn for turn in turns if turn.missing]
    others = [turn for turn in turns if not turn.missing]
    if not needing or not others:
        raise ValueError("there must be turns that need context and turns that do not")
    return Understood(
        needing=len(needing),
        recognised=_mean([_form(turn) != turn.question for turn in needing]),
        others=len(others),
        wrongly_added=_mean([_form(turn) != turn.question for turn in others]),
        recall=_mean(
            [len(turn.missing & set(terms(_form(turn)))) / len(turn.missing) for turn in needing]
        ),
    )


def _form(turn: Rewritten) -> str:
    return standalone_by_rule(turn.question, turn.history)[-1]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def read_conversations(data: Path) -> Iterator[Rewritten]:
    """The turns after the first of each conversation."""
    lines = (
        line.split("\t")
        for line in (data / _RESOLVED).read_text(encoding="utf-8").splitlines()
        if "\t" in line
    )
    resolved = dict(lines)
    for topic in json.loads((data / _TOPICS).read_text(encoding="utf-8")):
        rewrites = [resolved.get(f"{topic['number']}_{turn['number']}") for turn in topic["turn"]]
        yield from _turns(topic["turn"], rewrites)
    for file in _MANUAL:
        for topic in json.loads((data / file).read_text(encoding="utf-8")):
            yield from _turns(
                topic["turn"], [turn["manual_rewritten_utterance"] for turn in topic["turn"]]
            )


def _turns(turns: Sequence[dict[str, Any]], rewrites: Sequence[str | None]) -> Iterator[Rewritten]:
    history: list[Turn] = []
    for turn, rewrite in zip(turns, rewrites, strict=True):
        question = turn["raw_utterance"].strip()
        if history and rewrite:
            yield Rewritten(question, tuple(history), rewrite)
        history.append(Turn(question, turn.get("passage") or "None."))


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m qa.training.conversations")
    parser.add_argument("--data", type=Path, required=True, help="the folder with treccast/")
    found = understood(list(read_conversations(parser.parse_args().data)))
    sys.stdout.write(
        f"{found.needing} turns need context: recognised {found.recognised:.2f}, recall of the terms {found.recall:.2f}"
        f"\n{found.others} turns need none: context added to {found.wrongly_added:.2f}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
