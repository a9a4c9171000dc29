"""Words: BM25 against its formula, and typing errors."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.text.words import Bm25, Rarity, corrected, terms, words
from tests.properties import examples

LETTERS = st.lists(
    st.sampled_from(["copper", "gold", "salt", "coal", "iron", "river"]), max_size=12
).map(" ".join)


def _bm25(texts: list[str], query: str, k1: float = 1.5, b: float = 0.75) -> list[float]:
    """The formula of Lucene's variant (Kamphuis et al. 2020), by brute force."""
    corpus = [terms(text) for text in texts]
    mean = sum(map(len, corpus)) / len(corpus)
    scores = []
    for document in corpus:
        counts = Counter(document)
        score = 0.0
        for term in terms(query):
            holding = sum(term in other for other in corpus)
            idf = math.log(1 + (len(corpus) - holding + 0.5) / (holding + 0.5))
            score += (
                idf * counts[term] / (counts[term] + k1 * (1 - b + b * len(document) / mean))
                if holding
                else 0
            )
        scores.append(score)
    return scores


@examples(100)
@given(st.lists(LETTERS, min_size=1, max_size=8).filter(any), LETTERS)
def test_bm25_is_its_formula(texts: list[str], query: str) -> None:
    assert Bm25(texts).scores(query) == pytest.approx(_bm25(texts, query), abs=1e-4)


@pytest.mark.parametrize(
    ("texts", "query"), [([], "gold"), ([""], "gold"), (["the of"], "gold"), (["gold"], "the")]
)
def test_bm25_of_nothing_is_zero(texts: list[str], query: str) -> None:
    assert Bm25(texts).scores(query) == [0.0] * len(texts)


def test_words_and_terms() -> None:
    assert words("Pakistan’s $6,000.50 — the US") == ["pakistan", "6,000.50", "the", "us"]
    assert terms("What did the mines of the US mine?") == ["mine", "us", "mine"]


def test_a_term_is_the_rarer_the_fewer_sentences_have_it() -> None:
    rarity = Rarity.over(["gold and salt", "gold", "gold gold coal"])
    assert rarity.of("silver") > rarity.of("salt") > rarity.of("gold") > 0


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
def test_a_word_that_nobody_knows_becomes_the_nearest_of_the_library(
    query: str, expected: str
) -> None:
    library = {"balochistan", "minerals", "gold"}
    assert corrected(query, library, lambda word: word in {"miners", "of"}) == expected


@given(st.text(max_size=80))
def test_a_query_of_known_words_stays_as_it_is(query: str) -> None:
    assert corrected(query, {"minerals"}, lambda word: True) == query
