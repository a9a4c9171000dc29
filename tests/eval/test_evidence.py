"""At which rank a result has its evidence: as the metrics have it, without the documents."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eval.evidence import EvidenceRank, evidence_in, evidence_rank, words_agree
from eval.metrics.example import Example, agree
from eval.metrics.retrieval import hit, reciprocal_rank
from qa.types import Answer, Document, Span
from tests.eval.fakes import PETS, answer, document, question, read, result

CATS, DOGS, BIRDS = (0, 20), (21, 40), (41, 60)


def unique_text(length: int) -> str:
    """A text without a repeated character: words occur once."""
    return "".join(map(chr, range(0x4E00, 0x4E00 + length)))


def rank_by_metrics(given: Answer, quote: Span, of: Document) -> float | None:
    asked = question(evidence=(of.text[quote.start : quote.end],))
    return reciprocal_rank(Example(asked, [((of.name, quote),)], given, {of.name: of}))


@settings(deadline=None)
@given(st.integers(0, 59), st.integers(1, 60), st.integers(0, 59), st.integers(1, 60))
@example(10, 20, 5, 45)
def test_words_agree_where_their_spans_do(start: int, size: int, at: int, length: int) -> None:
    """The rule by words is the metrics' rule by offsets."""
    text = unique_text(120)
    passage, quote = Span(start, start + size), Span(at, at + length)
    by_span = agree(("a", passage), ("a", quote))
    by_words = words_agree(text[passage.start : passage.end], text[quote.start : quote.end])
    assert by_words == by_span


@pytest.mark.parametrize(
    ("passage", "quote", "agrees"),
    [
        ((400, 800), (100, 1300), True),  # a passage inside a quote three times as long
        ((100, 500), (300, 1500), True),  # its second half is the begin of the quote
        ((100, 500), (301, 1500), False),
    ],
)
def test_short_passage_in_long_quote_is_a_hit(
    passage: tuple[int, int], quote: tuple[int, int], agrees: bool
) -> None:
    """Half of the shorter decides, also where the shorter is the passage."""
    long = document(unique_text(2000))
    given = answer(passages=[read(0, 90, long), read(*passage, long)])
    asked = question(evidence=(long.text[quote[0] : quote[1]],))
    found = evidence_rank(result(given), asked)
    assert found == EvidenceRank(2 if agrees else None, 2, "passages")
    assert rank_by_metrics(given, Span(*quote), long) == (0.5 if agrees else 0.0)


def test_evidence_rank_counts_passages_for_quotes() -> None:
    """The rank of the first passage that agrees with any gold quote."""
    given = answer(passages=[read(*CATS), read(*DOGS), read(*BIRDS)])
    asked = question(evidence=("Birds sing at dawn.", "Dogs bark at night."))
    assert evidence_rank(result(given), asked) == EvidenceRank(2, 3, "passages")
    held = [evidence_in(passage, asked) for passage in result(given).passages]
    assert held == [[], [2], [1]]
    nothing = answer(passages=[read(*CATS)])
    assert evidence_rank(result(nothing), asked) == EvidenceRank(None, 1, "passages")


def test_evidence_rank_counts_relevant_documents() -> None:
    """Without quotes the metrics rank documents, each at its best passage, and so do we."""
    other = document("Fish swim. Whales dive.", "sea.txt")
    given = answer(passages=[read(*CATS), read(*DOGS), read(0, 10, other)])
    asked = replace(question(evidence=(), answers=()), answerable=True, relevant={"sea.txt": 2})
    assert evidence_rank(result(given), asked) == EvidenceRank(2, 2, "documents")
    scored = Example(asked, (), given, {PETS.name: PETS, other.name: other})
    assert (reciprocal_rank(scored), hit(scored, 1), hit(scored, 3)) == (0.5, 0, 1)
    assert [evidence_in(one, asked) for one in result(given).passages] == [[], [], [1]]


def test_evidence_rank_without_evidence_is_none() -> None:
    """A question that the documents do not answer has nothing to rank."""
    assert evidence_rank(result(answer(passages=[read(*CATS)])), question(evidence=())) is None
