"""A sentence that a model wrote finds the sentences of the documents that it rests on.

Word by word: a sentence covers a word that it has, by its stem, or that one of its token vectors stands for. Those
sentences are chosen that together cover the claim best, the rarer a word the more it counts.
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
"""Sentences that one claim may rest on."""
GAIN = 0.08
"""What a further sentence must add to the share of the claim that is covered."""
LIKE = 0.4
"""The cosine of two tokens from which on one begins to stand for the other."""
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EncodedClaim:
    """A claim with its words that carry meaning."""

    text: str
    stems: tuple[str, ...]
    tokens: tuple[Vectors, ...]
    """For each word, the vectors of its tokens."""
    weights: Shares
    """For each word, how rare it is; sum 1."""


@dataclass(frozen=True, slots=True)
class CoveredSentence:
    """A sentence of a passage, and how far it covers each word of the claim."""

    passage: Passage
    sentence: Sentence
    covers: Shares
    """(words,), 0 to 1."""

    @property
    def document(self) -> Document:
        return self.passage.document

    @property
    def span(self) -> Span:
        """What of the sentence is in the passage: a long one may go on in the next."""
        start = self.sentence.span.start
        end = min(self.sentence.span.end, self.passage.span.end)
        return Span(start, start + len(self.document.text[start:end].rstrip()))

    @property
    def text(self) -> str:
        return self.document.text[self.span.start : self.span.end]


def encode_claim(text: str, encoding: Encoding, frequencies: SentenceFrequencies) -> EncodedClaim:
    """A claim with its encoding, as it is aligned; of one without a word that carries meaning, all words."""
    spans = [
        match.span() for match in WORD.finditer(text) if match.group(0).casefold() not in STOP_WORDS
    ]
    spans = spans or [match.span() for match in WORD.finditer(text)]
    stems = tuple(stem(words(text[a:b])[0]) if words(text[a:b]) else text[a:b] for a, b in spans)
    tokens = tuple(
        encoding.tokens[[p for p, (c, d) in enumerate(encoding.offsets) if c < b and a < d]]
        for a, b in spans
    )
    weights = np.array([frequencies.idf(one) for one in stems])
    return EncodedClaim(text, stems, tokens, weights / weights.sum() if len(weights) else weights)


def cover_sentences(
    said: EncodedClaim, passage: Passage, encoding: Encoding, sentences: Sequence[Sentence]
) -> list[CoveredSentence]:
    """The sentences of a passage, with the encoding of its embedded text, as units for a claim."""
    head = len(passage.embedded_text) - len(passage.text) - passage.span.start
    starts = np.array([a for a, _ in encoding.offsets])
    cosines = [tokens @ encoding.tokens.T for tokens in said.tokens]
    found = []
    for sentence in sentences:
        span = sentence.span
        text = passage.document.text[span.start : span.end]
        own = {stem(word) for word in words(text)}
        inside = np.flatnonzero((starts >= span.start + head) & (starts < span.end + head))
        covers = [
            1.0 if one in own else _alike(cosine[:, inside])
            for one, cosine in zip(said.stems, cosines, strict=True)
        ]
        found.append(CoveredSentence(passage, sentence, np.array(covers)))
    return found


def _alike(cosines: Vectors) -> float:
    """How far some token of a sentence stands for a word, 0 to 1: mean over the word's tokens of the best."""
    if not cosines.size:
        return 0.0
    best = float(cosines.max(axis=1).mean())
    return float(np.clip((best - LIKE) / (1 - LIKE), 0.0, 1.0))


def best_cover(said: EncodedClaim, units: Sequence[CoveredSentence]) -> list[CoveredSentence]:
    """The sentences that together cover the claim best, fewest first: each further one must add to it."""
    chosen: list[CoveredSentence] = []
    covered = np.zeros(len(said.weights))
    while units and len(chosen) < MAX_CITED_SENTENCES:
        gains = [float(said.weights @ np.maximum(covered, unit.covers)) for unit in units]
        best = int(np.argmax(gains))
        if gains[best] - float(said.weights @ covered) < (GAIN if chosen else 1e-9):
            break
        chosen.append(units[best])
        covered = np.maximum(covered, units[best].covers)
    return sorted(chosen, key=lambda unit: (unit.document.name, unit.sentence.span.start))
