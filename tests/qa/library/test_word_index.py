"""The word index against the formula of BM25, and what an update replaces."""

import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.library.word_index import PassageTerms, WordIndex
from tests.properties import examples

K1, B = 1.2, 0.75
"""The constants of Lucene and tantivy."""
TERMS = st.lists(st.sampled_from(["copper", "gold", "salt", "coal"]), max_size=12)


def _index(passages: list[list[str]], folder: Path | None = None) -> WordIndex:
    """Returns an index in which each passage is a document of its own."""
    index = WordIndex(folder)
    changes = []
    for number, terms in enumerate(passages):
        changes.append((f"d{number}", [PassageTerms(f"p{number}", "v", 0, " ".join(terms))]))
    index.update(changes)
    return index


def _bm25(passages: list[list[str]], query: list[str]) -> dict[str, float]:
    """The formula (Robertson and Zaragoza 2009), by brute force, of the passages above 0."""
    mean = sum(map(len, passages)) / len(passages)
    scores = {}
    for number, terms in enumerate(passages):
        counts = Counter(terms)
        score = 0.0
        for term in query:
            holding = sum(term in other for other in passages)
            idf = math.log(1 + (len(passages) - holding + 0.5) / (holding + 0.5))
            norm = K1 * (1 - B + B * len(terms) / mean) if mean else K1
            score += idf * (K1 + 1) * counts[term] / (counts[term] + norm) if counts[term] else 0
        if score:
            scores[f"p{number}"] = score
    return scores


@examples(40)
@given(st.lists(TERMS, min_size=1, max_size=8).filter(any), TERMS)
def test_scores_equal_the_formula(passages: list[list[str]], query: list[str]) -> None:
    hits = _index(passages).search(query, 99)
    expected = _bm25(passages, query)
    assert {hit.passage: hit.score for hit in hits} == pytest.approx(expected, rel=1e-4)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_search_of_some_documents_keeps_their_scores() -> None:
    index = _index([["gold"], ["gold", "salt"], ["coal"], ["gold"]])
    everywhere = {hit.passage: hit.score for hit in index.search(["gold"], 9)}
    chosen = index.search(["gold"], 9, {"d1", "d2"})
    assert {hit.passage: hit.score for hit in chosen} == {"p1": everywhere["p1"]}
    assert index.search(["gold"], 9, set()) == []
    assert len(index.search(["gold"], 2)) == 2


@pytest.mark.parametrize("query", [[], ["iron"]])
def test_search_without_a_known_term_finds_nothing(query: list[str]) -> None:
    assert _index([["gold"]]).search(query, 9) == []


def test_update_replaces_and_removes_documents(tmp_path: Path) -> None:
    """An index that is open sees the update of another index in the same folder."""
    reader = _index([["gold"], ["gold"]], tmp_path / "words")
    writer = WordIndex(tmp_path / "words")
    writer.update([("d0", [PassageTerms("new", "w", 7, "salt")]), ("d1", [])])
    assert reader.search(["gold"], 9) == []
    (hit,) = reader.search(["salt"], 9)
    assert (hit.passage, hit.document, hit.version, hit.start) == ("new", "d0", "w", 7)


def test_term_with_any_sign_is_found() -> None:
    """A term is a term of the index as it is, whatever a query language would make of it."""
    odd = ["10.5", "a+b", "OR", '"', "größe", "水力", "-x", "field:x"]
    index = _index([odd])
    for term in odd:
        assert len(index.search([term], 9)) == 1
