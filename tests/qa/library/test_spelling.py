"""Typing errors are corrected from the words of the library, and names are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.library.spelling import correct_spelling


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Balochistn minerals", "balochistan minerals"),
        (
            "minreals of balochistan",
            "minerals of balochistan",
        ),  # two letters changed places: one edit
        ("miners", "miners"),  # known, so no error
        ("zinc", "zinc"),  # nothing near
        ("gld", "gld"),  # too short to tell
        ("r3ko", "r3ko"),  # a digit
        ("ninerals", "ninerals"),  # another first letter
    ],
)
def test_spelling_unknown_word_becomes_nearest_word(query: str, expected: str) -> None:
    library = {"balochistan", "minerals", "gold"}
    assert correct_spelling(query, library, lambda word: word in {"miners", "of"}) == expected


@given(st.text(max_size=80))
def test_spelling_known_words_stay(query: str) -> None:
    assert correct_spelling(query, {"minerals"}, lambda word: True) == query
