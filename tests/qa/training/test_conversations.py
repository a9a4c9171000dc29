"""Follow-ups against rewrites: the metrics, by hand, and the files they come from."""

import json
from pathlib import Path

import pytest

from qa.training.conversations import RewrittenTurn, measure_follow_ups, read_conversations
from qa.types import Turn

SHARKS = (Turn("What do tiger sharks eat?", "Fish."),)


def test_metrics_by_hand() -> None:
    turns = [
        RewrittenTurn("Where do they live?", SHARKS, "Where do tiger sharks live?"),
        RewrittenTurn(
            "How deep is the Pacific Ocean floor?",
            SHARKS,
            "How deep is the Pacific Ocean floor off Peru?",
        ),
        RewrittenTurn(
            "How deep is the Pacific Ocean floor?", SHARKS, "How deep is the Pacific Ocean floor?"
        ),
        RewrittenTurn("What is this?", SHARKS, "What is this?"),
    ]
    metrics = measure_follow_ups(turns)
    assert (metrics.needing_context, metrics.recognised, metrics.recall) == (2, 0.5, 0.5)
    assert (metrics.standalone, metrics.wrongly_added) == (2, 0.5)
    with pytest.raises(ValueError, match="must be turns"):
        measure_follow_ups(turns[:2])


def test_read_turns_after_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "treccast"
    folder.mkdir()
    turns = [
        {"number": n, "raw_utterance": f"Q{n}", "manual_rewritten_utterance": f"R{n}"}
        for n in (1, 2, 3)
    ]
    (folder / "2019_topics.json").write_text(json.dumps([{"number": 31, "turn": turns}]))
    (folder / "2019_resolved.tsv").write_text("31_1\tR1\n31_2\tR2\n")
    for year in (2020, 2021):
        (folder / f"{year}_manual.json").write_text(json.dumps([{"number": 81, "turn": turns}]))
    turns_read = list(read_conversations(tmp_path))
    assert [(one.question, one.rewrite, len(one.history)) for one in turns_read] == [
        ("Q2", "R2", 1),
        *[("Q2", "R2", 1), ("Q3", "R3", 2)] * 2,
    ]
