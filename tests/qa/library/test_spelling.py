"""Typing errors are corrected from the words of the library, and names are left alone."""

from collections.abc import Sequence
from itertools import product
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz.distance import DamerauLevenshtein

from qa.library import spelling
from qa.library.spelling import LONG, MAX_CORRECTED, Vocabulary, correct_spelling
from tests.qa.fakes import vocabulary_of


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
    library = vocabulary_of({"balochistan", "minerals", "gold"})
    assert correct_spelling(query, library, lambda word: word in {"miners", "of"}) == expected


@given(st.text(max_size=80))
def test_spelling_known_words_stay(query: str) -> None:
    assert correct_spelling(query, vocabulary_of({"minerals"}), lambda word: True) == query


def test_spelling_few_words_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's words are searched for a few words of a question only, and once for each."""
    searched: list[str] = []

    def nearest(words: Sequence[str], vocabulary: Vocabulary) -> dict[str, str]:
        searched.extend(words)
        return {}

    monkeypatch.setattr(spelling, "_nearest", nearest)
    words = " ".join(f"word{letter * 3}" for letter in "abcdefghijklmnopqrstuvwxyz")
    correct_spelling(f"{words} {words}", vocabulary_of({"words"}), lambda word: False)
    assert len(searched) == len(set(searched)) == MAX_CORRECTED


@given(
    st.text("abc", min_size=4, max_size=10),
    st.sets(st.text("abc", min_size=1, max_size=12), min_size=1, max_size=60),
)
@example("bcaxxxxx", {"bacdxxxx", "bxacxxxx", "bcxaxxxx"})
@example("bcaxxxxx", {"baycxxxx"})
def test_spelling_nearest_of_all_words(word: str, library: set[str]) -> None:
    """The search finds what a comparison with every word of the library finds."""
    limit = 1 if len(word) < LONG else 2
    near = []
    for candidate in library - {word}:
        distance = DamerauLevenshtein.distance(word, candidate)
        if candidate[0] == word[0] and distance <= limit:
            near.append((distance, candidate))
    expected = min(near)[1] if near and word not in library else word
    assert correct_spelling(word, vocabulary_of(library), lambda _: False) == expected


def test_spelling_few_words_compared_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large library, only the words that may be near are compared in full."""
    compared = []

    def distance(word: str, candidate: str) -> int:
        compared.append(candidate)
        return DamerauLevenshtein.distance(word, candidate)

    monkeypatch.setattr(spelling, "DamerauLevenshtein", SimpleNamespace(distance=distance))
    library = {"b" + "".join(letters) for letters in product("adegikmo", repeat=5)}
    correct_spelling("bxyzzyx baaaax", vocabulary_of(library), lambda word: False)
    assert 0 < len(compared) < len(library) / 100
