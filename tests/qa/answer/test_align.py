"""How far sentences cover a claim, word by word."""

import numpy as np
import pytest

from qa.answer import align
from qa.answer.align import cover_sentences, encode_claim
from qa.documents.sentences import segment
from qa.types import Passage, Span
from tests.qa.fakes import WordEmbedder, snapshot_of, text_document


def test_cover_reads_a_word_for_all_sentences_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work for a word of the claim does not grow with the sentences, one call for each."""
    document = text_document(" ".join(f"Item {number} is red." for number in range(50)), "a.txt")
    passage = Passage(document, Span(0, len(document.text)))
    snapshot = snapshot_of([passage], [document])
    sentences = snapshot.sentences_in(passage)
    texts = ["Item 7 costs money", snapshot.embedded_text(passage)]
    claim_encoding, encoding = WordEmbedder().encode(texts)
    claim = encode_claim("Item 7 costs money", claim_encoding, snapshot.frequencies)

    calls = []
    similarities = align._similarities

    def count(*arguments: object) -> object:
        calls.append(arguments)
        return similarities(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(align, "_similarities", count)
    covered = cover_sentences(claim, passage, snapshot.view_of(passage), encoding, sentences)
    assert len(calls) == len(claim.stems)
    assert len(covered) == len(segment(document))
    item = claim.stems.index("item")
    assert [sentence.coverage[item] for sentence in covered] == [1.0] * len(covered)


def test_similarities_of_sentences_without_tokens_are_zero() -> None:
    """The embedder reads only the beginning of a long passage."""
    cosines = np.array([[0.4, 1.0, 0.7]], dtype=np.float32)
    bounds = [(0, 2), (2, 2), (2, 3), (3, 3)]
    assert align._similarities(cosines, bounds) == pytest.approx([1.0, 0.0, 0.5, 0.0])
    assert not align._similarities(cosines[:0], bounds).any()
