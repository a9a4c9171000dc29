"""Typing errors are corrected from the words of the library, and names are left alone."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.library.spelling import MAX_CORRECTED, correct_spelling


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


def test_spelling_few_words_looked_up() -> None:
    """The library's words are searched for a few words of a question only, and once for each."""
    searches = 0

    class Vocabulary(set[str]):
        def __iter__(self) -> Iterator[str]:
            nonlocal searches
            searches += 1
            return super().__iter__()

    words = " ".join(f"word{letter * 3}" for letter in "abcdefghijklmnopqrstuvwxyz")
    correct_spelling(f"{words} {words}", Vocabulary({"words"}), lambda word: False)
    assert searches == MAX_CORRECTED
