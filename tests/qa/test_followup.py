"""Follow-ups become questions that stand alone."""

import pytest

from qa.followup import standalone
from qa.types import Turn

MEYER = [Turn("Who is Eric Meyer?", "Eric Meyer is a senior official.")]
SHARIF = [Turn("Who invited American companies?", "Prime Minister Shehbaz Sharif invited American companies.")]
COPPER = [Turn("How much gold does Reko Diq hold?", "Over 40 million ounces.")]


@pytest.mark.parametrize(
    ("question", "history", "expected"),
    [
        ("What did he praise?", MEYER, "What did Eric Meyer praise?"),
        ("What was his role?", MEYER, "What was Eric Meyer’s role?"),
        ("What did they ask her?", MEYER, "What did they ask Eric Meyer?"),
        ("Who saw her report?", MEYER, "Who saw Eric Meyer’s report?"),
        ("Why did he do so?", SHARIF, "Why did Prime Minister Shehbaz Sharif do so?"),
        ("And how much copper?", COPPER, "And how much copper? (How much gold does Reko Diq hold?)"),
        ("Where is it?", COPPER, "Where is it? (How much gold does Reko Diq hold?)"),
        ("Who owns the mine in the Chaghi district?", COPPER, "Who owns the mine in the Chaghi district?"),
        ("What did he praise?", [], "What did he praise?"),
        ("What did he say?", [Turn("what is it", "nothing")], "What did he say? (what is it)"),
    ],
)
def test_what_is_left_out_comes_from_the_turns_before(question: str, history: list[Turn], expected: str) -> None:
    assert standalone(question, history) == expected
