"""Follow-ups become questions that stand alone."""

import pytest

from qa.answer.followup import standalone_by_rule
from qa.types import Turn

MEYER = [Turn("Who is Eric Meyer?", "Eric Meyer is a senior official.")]
SHARIF = [
    Turn(
        "Who invited American companies?",
        "Prime Minister Shehbaz Sharif invited American companies.",
    )
]
COPPER = [Turn("How much gold does Reko Diq hold?", "Over 40 million ounces.")]


@pytest.mark.parametrize(
    ("question", "history", "expected"),
    [
        ("What did he praise?", MEYER, "What did Eric Meyer praise?"),
        ("What was his role?", MEYER, "What was Eric Meyer’s role?"),
        ("What did they ask her?", MEYER, "What did they ask Eric Meyer?"),
        ("Who saw her report?", MEYER, "Who saw Eric Meyer’s report?"),
        ("Why did he do so?", SHARIF, "Why did Prime Minister Shehbaz Sharif do so?"),
        (
            "And how much copper?",
            COPPER,
            "And how much copper? (How much gold does Reko Diq hold?)",
        ),
        ("Where is it?", COPPER, "Where is it? (How much gold does Reko Diq hold?)"),
        (
            "Who owns the mine in the Chaghi district?",
            COPPER,
            "Who owns the mine in the Chaghi district?",
        ),
        (
            "Who runs it?",
            [*COPPER, Turn("What is its depth?", "Deep.")],
            "Who runs it? (How much gold does Reko Diq hold?)",
        ),
        ("What did he praise?", [], "What did he praise?"),
        ("What did he say?", [Turn("what is it", "nothing")], "What did he say? (what is it)"),
    ],
)
def test_what_is_left_out_comes_from_the_turns_before(
    question: str, history: list[Turn], expected: str
) -> None:
    assert standalone_by_rule(question, history)[-1] == expected


def test_the_reader_may_choose_to_leave_a_question_as_it_is_unless_a_name_stands_for_a_pronoun() -> (
    None
):
    assert standalone_by_rule("And how much copper?", COPPER)[0] == "And how much copper?"
    assert len(standalone_by_rule("What did he praise?", MEYER)) == 1
    assert len(standalone_by_rule("Who owns the mine in the Chaghi district?", COPPER)) == 1
