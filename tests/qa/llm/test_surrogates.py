"""Half characters that a server sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.llm.surrogates import SurrogateJoiner, encodable
from tests.properties import examples

HIGH, LOW = "\ud83d", "\ude00"
ANY_TEXT = st.text(st.sampled_from(["a", "é", "\ufeff", HIGH, LOW, "\U0001f600"]))


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("plain é 😀", "plain é 😀"),
        (HIGH + LOW, "😀"),
        (HIGH, "\ufffd"),
        (LOW + HIGH, "\ufffd\ufffd"),
        (f"a{HIGH}b", "a\ufffdb"),
        (HIGH + HIGH + LOW, "\ufffd😀"),
        ("\ufeffa", "\ufeffa"),
    ],
)
def test_encodable_joins_pairs_and_replaces_halves(text: str, joined: str) -> None:
    assert encodable(text) == joined


@examples(200)
@given(st.lists(ANY_TEXT))
def test_joiner_of_pieces_equals_the_whole_text(pieces: list[str]) -> None:
    """Wherever a text is cut, its pieces give the same text, and each can be encoded."""
    joiner = SurrogateJoiner()
    joined = [*map(joiner.feed, pieces), joiner.finish()]
    for piece in joined:
        piece.encode()
    assert "".join(joined) == encodable("".join(pieces))
