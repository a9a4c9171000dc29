"""BM25 against its formula."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.library.bm25 import Bm25
from qa.text.words import terms
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
def test_bm25_scores_equal_the_formula(texts: list[str], query: str) -> None:
    assert Bm25(texts).scores(query) == pytest.approx(_bm25(texts, query), abs=1e-4)


@pytest.mark.parametrize(
    ("texts", "query"), [([], "gold"), ([""], "gold"), (["the of"], "gold"), (["gold"], "the")]
)
def test_bm25_without_shared_terms_scores_zero(texts: list[str], query: str) -> None:
    assert Bm25(texts).scores(query) == [0.0] * len(texts)
