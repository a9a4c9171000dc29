"""The values that pass between the stages."""

import pytest

from qa.types import MAX_QUESTION, was_rewritten


@pytest.mark.parametrize(
    ("question", "standalone", "rewritten"),
    [
        ("Who spoke?", "Who spoke?", False),
        ("And now?", "And now? (Who spoke?)", True),
        ("Waht did it cost?", "What did it cost?", True),
        ("word " * MAX_QUESTION, ("word " * MAX_QUESTION)[:MAX_QUESTION], False),
    ],
)
def test_was_rewritten_cut_question_is_not(question: str, standalone: str, rewritten: bool) -> None:
    """A question that was only cut needs no line that repeats its beginning."""
    assert was_rewritten(question, standalone) is rewritten
