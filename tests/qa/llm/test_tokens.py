"""The estimate of tokens: rather too many than too few."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.llm.tokens import estimate_tokens


@pytest.mark.parametrize(
    ("text", "at_least"),
    [
        ("", 0),
        ("word " * 100, 100),
        ("1234567890", 10),
        ("1,234.56 | 2019-05-06", 19),
        ("日本語", 3),
        ("Balochistan", 3),
        ("\ud800", 1),
        ("a" * 10000, 1000),
    ],
)
def test_estimate_tokens_covers_words_digits_and_signs(text: str, at_least: int) -> None:
    assert at_least <= estimate_tokens(text) <= 4 * len(text)


def test_estimate_tokens_of_prose_is_near_the_count() -> None:
    """OpenAI's cl100k_base has 19 tokens for this sentence."""
    prose = (
        "The council said that the bridge was opened in May, nine years later than it had hoped."
    )
    assert 19 <= estimate_tokens(prose) <= 27


@given(st.text(max_size=200), st.text(max_size=200))
def test_estimate_tokens_of_a_longer_text_is_not_lower(text: str, more: str) -> None:
    """A passage that is added to a prompt never makes room."""
    assert estimate_tokens(f"{text}\n{more}") >= estimate_tokens(text)
