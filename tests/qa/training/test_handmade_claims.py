"""Claims about documents written by hand: with the evidence that the check finds for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from qa.training.handmade_claims import handmade_claims
from tests.qa.fakes import WordEmbedder

TEXT = "The lift stops at ten.\n\nThe bar closes at midnight.\n\nRooms are warm.\n\nThe kitchen is small.\n"
QUESTION = {"question": "When does the bar close?", "answers": [{"words": "midnight"}]}


def _claims(folder: Path, **claims: str) -> list[tuple[str, str, bool]]:
    document: dict[str, Any] = {"name": "house.txt", "text": TEXT}
    document["questions"] = [{**QUESTION, **claims}]
    (folder / "home.jsonl").write_text(json.dumps(document), encoding="utf-8")
    training_claims = handmade_claims("report", WordEmbedder(), folder)
    return [(claim.claim, " ".join(claim.evidence), claim.supported) for claim in training_claims]


def test_both_claims_have_the_sentence_that_the_check_finds(tmp_path: Path) -> None:
    right, wrong = _claims(
        tmp_path,
        right_claim="The bar closes at midnight every day.",
        wrong_claim="The lift stops at midnight.",
    )
    assert right[0] == "The bar closes at midnight every day."
    assert "The bar closes at midnight." in right[1]
    assert right[2]
    # In digits, as the check compares numbers.
    assert "The lift stops at 10." in wrong[1]
    assert not wrong[2]


@pytest.mark.parametrize(
    "claims",
    [
        # The check finds the kitchen, not the answer.
        {"right_claim": "The kitchen is small."},
        # The document has neither the number nor the name: rules settle these.
        {"wrong_claim": "The bar closes at 23:15."},
        {"wrong_claim": "The bar closes when Boris leaves."},
        {},
    ],
)
def test_claims_that_teach_nothing_are_left_out(tmp_path: Path, claims: dict[str, str]) -> None:
    assert _claims(tmp_path, **claims) == []
