"""Finds the sentences of the documents that a claim rests on.

A language model cites whole passages. To open a footnote at exact words, each claim is aligned with
sentences, word by word: a sentence covers a word of the claim that it has (by its stem), or that
one of its tokens is similar to (by the embedder's token vectors). The sentences that together
cover the claim best are chosen; the rarer a word, the more it counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.documents.sentences import Sentence
from qa.library.bm25 import SentenceFrequencies
from qa.models.embedding import Encoding, Vectors
from qa.text.english import STOP_WORDS
from qa.text.words import WORD, stem, words
from qa.types import Document, Passage, Span

MAX_CITED_SENTENCES = 3
"""How many sentences one claim may rest on."""
MIN_GAIN = 0.08
"""The share of the claim that a further sentence has to add."""
MIN_COSINE = 0.4
"""Two tokens of a lower cosine are not similar at all."""

WordShares = NDArray[np.float64]
"""(words of the claim,), each 0 to 1."""


@dataclass(frozen=True, slots=True)
class EncodedClaim:
    """A claim and its content words."""

    text: str
    stems: tuple[str, ...]
    tokens: tuple[Vectors, ...]
    """For each word, the vectors of its tokens: (tokens, dimension)."""
    weights: WordShares
    """For each word, how rare it is; their sum is 1."""


@dataclass(frozen=True, slots=True)
class CoveredSentence:
    """A sentence of a passage, and how far it covers each word of a claim."""

    passage: Passage
    sentence: Sentence
    coverage: WordShares

    @property
    def document(self) -> Document:
        return self.passage.document

    @property
    def span(self) -> Span:
        """The part of the sentence that is in the passage: a long sentence may continue after it."""
        start = self.sentence.span.start
        end = min(self.sentence.span.end, self.passage.span.end)
        text = self.document.text[start:end].rstrip()
        return Span(start, start + len(text))

    @property
    def text(self) -> str:
        return self.document.text[self.span.start : self.span.end]


def encode_claim(text: str, encoding: Encoding, frequencies: SentenceFrequencies) -> EncodedClaim:
    """Returns the claim's content words; of a claim that has only stop words, all words."""
    matches = list(WORD.finditer(text))
    content = [match for match in matches if match.group().casefold() not in STOP_WORDS]
    stems: list[str] = []
    tokens: list[Vectors] = []
    for match in content or matches:
        normalised = words(match.group())
        stems.append(stem(normalised[0]) if normalised else match.group())
        tokens.append(encoding.tokens[_tokens_between(encoding, *match.span())])

    weights = np.array([frequencies.idf(word_stem) for word_stem in stems])
    if len(weights):
        weights = weights / weights.sum()
    return EncodedClaim(text, tuple(stems), tuple(tokens), weights)


def cover_sentences(
    claim: EncodedClaim, passage: Passage, encoding: Encoding, sentences: Sequence[Sentence]
) -> list[CoveredSentence]:
    """Returns these sentences of the passage with how far each covers the claim.

    `encoding`: of the passage's embedded text.
    """
    # Token offsets count in the embedded text, which has the title before the passage's text;
    # sentence offsets count in the document.
    shift = len(passage.embedded_text) - len(passage.text) - passage.span.start
    token_starts = np.array([start for start, _ in encoding.offsets])
    # For each word of the claim: (tokens of the word, tokens of the passage).
    cosines = [word_tokens @ encoding.tokens.T for word_tokens in claim.tokens]
    covered = []
    for sentence in sentences:
        start, end = sentence.span.start, sentence.span.end
        sentence_stems = {stem(word) for word in words(passage.document.text[start:end])}
        after_start, before_end = token_starts >= start + shift, token_starts < end + shift
        inside = np.flatnonzero(after_start & before_end)

        coverage = []
        for word_stem, cosine in zip(claim.stems, cosines, strict=True):
            has_word = word_stem in sentence_stems
            coverage.append(1.0 if has_word else _similarity(cosine[:, inside]))
        covered.append(CoveredSentence(passage, sentence, np.array(coverage)))
    return covered


def best_cover(claim: EncodedClaim, sentences: Sequence[CoveredSentence]) -> list[CoveredSentence]:
    """Returns the fewest sentences that together cover the claim best, in the documents' order.

    Greedy: the best sentence first, then each that adds the most, while it adds enough.
    """
    chosen: list[CoveredSentence] = []
    covered = np.zeros(len(claim.weights))
    while sentences and len(chosen) < MAX_CITED_SENTENCES:
        totals = []
        for sentence in sentences:
            totals.append(float(claim.weights @ np.maximum(covered, sentence.coverage)))
        best = int(np.argmax(totals))
        gain = totals[best] - float(claim.weights @ covered)
        if gain < (MIN_GAIN if chosen else 1e-9):
            break
        chosen.append(sentences[best])
        covered = np.maximum(covered, sentences[best].coverage)
    return sorted(chosen, key=_document_order)


def _tokens_between(encoding: Encoding, start: int, end: int) -> list[int]:
    """Returns the rows of the tokens that overlap these characters."""
    rows = []
    for row, (token_start, token_end) in enumerate(encoding.offsets):
        if token_start < end and start < token_end:
            rows.append(row)
    return rows


def _similarity(cosines: Vectors) -> float:
    """Returns how far the tokens of a sentence stand for a word, 0 to 1.

    `cosines`: (tokens of the word, tokens of the sentence). For each token of the word the most
    similar token of the sentence counts; then the mean.
    """
    if not cosines.size:
        return 0.0
    best = float(cosines.max(axis=1).mean())
    return float(np.clip((best - MIN_COSINE) / (1 - MIN_COSINE), 0.0, 1.0))


def _document_order(sentence: CoveredSentence) -> tuple[str, int]:
    return sentence.document.name, sentence.sentence.span.start
