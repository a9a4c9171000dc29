"""Follow-ups against rewrites: the figures, by hand, and the files they come from."""

import json
from pathlib import Path

import pytest

from qa.training.conversations import Rewritten, read_conversations, understood
from qa.types import Turn

SHARKS = (Turn("What do tiger sharks eat?", "Fish."),)


def test_the_figures_by_hand() -> None:
    turns = [
        Rewritten("Where do they live?", SHARKS, "Where do tiger sharks live?"),
        Rewritten(
            "How deep is the Pacific Ocean floor?",
            SHARKS,
            "How deep is the Pacific Ocean floor off Peru?",
        ),
        Rewritten(
            "How deep is the Pacific Ocean floor?", SHARKS, "How deep is the Pacific Ocean floor?"
        ),
        Rewritten("What is this?", SHARKS, "What is this?"),
    ]
    found = understood(turns)
    assert (found.needing, found.recognised, found.recall) == (2, 0.5, 0.5)
    assert (found.others, found.wrongly_added) == (2, 0.5)
    with pytest.raises(ValueError, match="must be turns"):
        understood(turns[:2])


def test_the_turns_after_the_first_are_read(tmp_path: Path) -> None:
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
    found = list(read_conversations(tmp_path))
    assert [(one.question, one.rewrite, len(one.history)) for one in found] == [
        ("Q2", "R2", 1),
        *[("Q2", "R2", 1), ("Q3", "R3", 2)] * 2,
    ]
