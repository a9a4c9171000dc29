"""`python -m qa.training.conversations`: measures the rules for follow-ups on human rewrites.

TREC CAsT 2019 to 2021 (Dalton et al. 2020; GitHub: daltonj/treccastweb): people rewrote each turn
of a conversation into a standalone question. A turn needs context when its rewrite has terms that
the turn lacks.
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

_TOPICS_2019 = "treccast/2019_topics.json"
_REWRITES_2019 = "treccast/2019_resolved.tsv"
_WITH_REWRITES = ("treccast/2020_manual.json", "treccast/2021_manual.json")


@dataclass(frozen=True, slots=True)
class RewrittenTurn:
    """A turn after the first, the turns before it, and a person's standalone question."""

    question: str
    history: tuple[Turn, ...]
    rewrite: str

    @property
    def missing_terms(self) -> set[str]:
        """Returns the terms that come from the context."""
        return set(terms(self.rewrite)) - set(terms(self.question))


@dataclass(frozen=True, slots=True)
class FollowUpMetrics:
    """Counts of turns, and shares from 0 to 1."""

    needing_context: int
    recognised: float
    """Share of the turns that need context to which context was added."""
    standalone: int
    wrongly_added: float
    """Share of the standalone turns to which context was added."""
    recall: float
    """Mean share of the missing terms that was added."""


def main() -> int:
    """Prints the metrics."""
    parser = argparse.ArgumentParser(prog="python -m qa.training.conversations")
    parser.add_argument("--data", type=Path, required=True, help="the folder with treccast/")
    metrics = measure_follow_ups(list(read_conversations(parser.parse_args().data)))
    sys.stdout.write(
        f"{metrics.needing_context} turns need context: recognised {metrics.recognised:.2f}, "
        f"recall of the missing terms {metrics.recall:.2f}\n"
        f"{metrics.standalone} turns need no context: context added to "
        f"{metrics.wrongly_added:.2f}\n"
    )
    return 0


def measure_follow_ups(turns: Sequence[RewrittenTurn]) -> FollowUpMetrics:
    """Returns the metrics of the standalone questions by rule.

    Raises ValueError where no turn, or every turn, needs context.
    """
    needing = [turn for turn in turns if turn.missing_terms]
    standalone = [turn for turn in turns if not turn.missing_terms]
    if not needing or not standalone:
        raise ValueError("there must be turns that need context and turns that do not")

    recalls = []
    for turn in needing:
        added = turn.missing_terms & set(terms(_by_rule(turn)))
        recalls.append(len(added) / len(turn.missing_terms))
    return FollowUpMetrics(
        needing_context=len(needing),
        recognised=_changed_share(needing),
        standalone=len(standalone),
        wrongly_added=_changed_share(standalone),
        recall=sum(recalls) / len(recalls),
    )


def _changed_share(turns: Sequence[RewrittenTurn]) -> float:
    return sum(_by_rule(turn) != turn.question for turn in turns) / len(turns)


def _by_rule(turn: RewrittenTurn) -> str:
    return standalone_by_rule(turn.question, turn.history)[-1]


def read_conversations(data: Path) -> Iterator[RewrittenTurn]:
    """Yields the turns after the first of each conversation."""
    rewrites: dict[str, str] = {}
    for line in (data / _REWRITES_2019).read_text(encoding="utf-8").splitlines():
        key, tab, rewrite = line.partition("\t")
        if tab:
            rewrites[key] = rewrite

    for topic in _topics(data / _TOPICS_2019):
        keys = [f"{topic['number']}_{turn['number']}" for turn in topic["turn"]]
        yield from _turns(topic["turn"], [rewrites.get(key) for key in keys])
    for file in _WITH_REWRITES:
        for topic in _topics(data / file):
            written = [turn["manual_rewritten_utterance"] for turn in topic["turn"]]
            yield from _turns(topic["turn"], written)


def _topics(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _turns(
    turns: Sequence[dict[str, Any]], rewrites: Sequence[str | None]
) -> Iterator[RewrittenTurn]:
    history: list[Turn] = []
    for turn, rewrite in zip(turns, rewrites, strict=True):
        question = turn["raw_utterance"].strip()
        if history and rewrite:
            yield RewrittenTurn(question, tuple(history), rewrite)
        history.append(Turn(question, turn.get("passage") or "None."))


if __name__ == "__main__":
    sys.exit(main())
