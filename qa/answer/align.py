"""Finds the sentences of the documents that a claim rests on.

A language model cites whole passages. To open a footnote at exact words, each claim is aligned with
sentences, word by word: a sentence covers a word of the claim that it has (by its stem), or that
one of its tokens is similar to (by the embedder's token vectors). The sentences that together
cover the claim best are chosen; the rarer a word, the more it counts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.documents.sentences import Sentence
from qa.documents.views import View, embedded_text
from qa.library.frequencies import SentenceFrequencies
from qa.models.embedding import Encoding, Vectors
from qa.text.english import STOP_WORDS
from qa.text.words import WORD, stem, words
from qa.types import Document, Passage, Span

MAX_CITED_SENTENCES = 3
"""How many sentences one claim may rest on."""
MIN_GAIN = 0.08
"""The share of the claim that a further sentence has to add."""
MIN_COSINE = 0.4
"""A mean cosine up to this is a similarity of 0; from here to 1 it is rescaled to 0 to 1."""

WordShares = NDArray[np.float64]
"""(words of the claim,), each 0 to 1."""
Offsets = NDArray[np.int64]
"""(tokens,), in characters."""


@dataclass(frozen=True, slots=True)
class EncodedClaim:
    """A claim and its content words."""

    text: str
    stems: tuple[str, ...]
    """For each word, its stem."""
    tokens: tuple[Vectors, ...]
    """For each word, the vectors of its tokens: (tokens, dimension)."""
    weights: WordShares
    """For each word, how rare it is; their sum is 1."""


@dataclass(frozen=True, slots=True)
class CoveredSentence:
    """A sentence of a passage, and how far it covers each word of a claim."""

    passage: Passage
    sentence: Sentence
    text: str
    """As the view has it: a row of a table with the names of its columns."""
    coverage: WordShares
    """1: the sentence has the word; 0: it has nothing similar."""

    @property
    def document(self) -> Document:
        return self.passage.document

    @property
    def span(self) -> Span:
        """The part of the sentence in the passage: a long sentence may continue after it."""
        start = self.sentence.span.start
        end = min(self.sentence.span.end, self.passage.span.end)
        text = self.document.text[start:end]
        length = len(text.rstrip())
        return Span(start, start + length)


def encode_claim(text: str, encoding: Encoding, frequencies: SentenceFrequencies) -> EncodedClaim:
    """Returns the claim's content words; of a claim that has only stop words, all words."""
    stems = []
    tokens = []
    weights = []
    token_starts, token_ends = _token_offsets(encoding)
    for word in _content_words(text):
        normalised = words(word[0]) or [word[0]]
        word_stem = stem(normalised[0])
        stems.append(word_stem)
        weights.append(frequencies.idf(word_stem))

        # A word of the text may be several tokens of the embedder.
        begins_before_end = token_starts < word.end()
        ends_after_start = token_ends > word.start()
        overlaps = begins_before_end & ends_after_start
        tokens.append(encoding.tokens[overlaps])

    shares = np.array(weights)
    # A claim without any word has no weights, and their sum would divide by 0.
    if weights:
        shares = shares / shares.sum()
    return EncodedClaim(text, tuple(stems), tuple(tokens), shares)


def _content_words(text: str) -> list[re.Match[str]]:
    """Returns the words that are not stop words; all words if there are only stop words."""
    all_words = list(WORD.finditer(text))
    content_words = []
    for word in all_words:
        if word[0].casefold() not in STOP_WORDS:
            content_words.append(word)
    return content_words or all_words


def cover_sentences(
    claim: EncodedClaim,
    passage: Passage,
    view: View,
    encoding: Encoding,
    sentences: Sequence[Sentence],
) -> list[CoveredSentence]:
    """Returns those of the sentences that the view has, with how far each covers the claim.

    `view`: of the passage. `encoding`: of its embedded text.
    """
    # Token offsets count in the embedded text, which has the title before the view.
    title_length = len(embedded_text(passage, view)) - len(view.text)
    token_starts, _ = _token_offsets(encoding)
    token_starts = token_starts - title_length

    read: list[Sentence] = []
    texts = []
    bounds = []
    sentences_with: dict[str, list[int]] = {}
    for sentence in sentences:
        view_span = view.to_view(sentence.span)
        if view_span is None:
            continue
        row = len(read)
        read.append(sentence)

        first_token, end_token = np.searchsorted(token_starts, (view_span.start, view_span.end))
        bounds.append((int(first_token), int(end_token)))

        text = view.text[view_span.start : view_span.end].rstrip()
        texts.append(text)
        for sentence_stem in {stem(word) for word in words(text)}:
            sentences_with.setdefault(sentence_stem, []).append(row)

    # One row a sentence, one column a word of the claim. All sentences of a word at once: a
    # passage may have hundreds of sentences, and a claim a hundred words.
    coverage = np.zeros((len(read), len(claim.stems)))
    for column, (word_stem, word_tokens) in enumerate(zip(claim.stems, claim.tokens, strict=True)):
        cosines = word_tokens @ encoding.tokens.T
        coverage[:, column] = _similarities(cosines, bounds)
        coverage[sentences_with.get(word_stem, []), column] = 1.0

    covered = []
    for sentence, text, row_coverage in zip(read, texts, coverage, strict=True):
        covered.append(CoveredSentence(passage, sentence, text, row_coverage))
    return covered


def best_cover(claim: EncodedClaim, sentences: Sequence[CoveredSentence]) -> list[CoveredSentence]:
    """Returns the fewest sentences that together cover the claim best, in the documents' order.

    Greedy: the best sentence first, then each that adds the most, while it adds enough.
    """
    chosen: list[CoveredSentence] = []
    covered = np.zeros(len(claim.weights))
    covered_share = 0.0
    while sentences and len(chosen) < MAX_CITED_SENTENCES:
        totals = []
        for sentence in sentences:
            together = np.maximum(covered, sentence.coverage)
            total = float(claim.weights @ together)
            totals.append(total)

        best = int(np.argmax(totals))
        gain = totals[best] - covered_share
        # Any overlap is enough for the first sentence: the check decides whether it supports.
        min_gain = MIN_GAIN if chosen else 1e-9
        if gain < min_gain:
            break
        best_sentence = sentences[best]
        chosen.append(best_sentence)
        covered = np.maximum(covered, best_sentence.coverage)
        covered_share = float(claim.weights @ covered)
    return sorted(chosen, key=_document_order)


def _token_offsets(encoding: Encoding) -> tuple[Offsets, Offsets]:
    """Returns the starts and the ends of all tokens, in characters."""
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    return offsets[:, 0], offsets[:, 1]


def _similarities(cosines: Vectors, bounds: Sequence[tuple[int, int]]) -> WordShares:
    """Returns how far the tokens of each sentence stand for a word, 0 to 1.

    `cosines`: (tokens of the word, tokens of the passage). `bounds`: for each sentence its first
    token and the one after its last. For each token of the word the most similar token of the
    sentence counts; then the mean.
    """
    similarities = np.zeros(len(bounds))
    read = []
    for row, (first, end) in enumerate(bounds):
        # The embedder may have read only the beginning of the passage.
        if first < end:
            read.append(row)
    if not read or not cosines.size:
        return similarities

    # `reduceat` takes the maximum from each bound to the next: every second one is between two.
    edges = np.array([bounds[row] for row in read]).reshape(-1)
    padded = np.pad(cosines, ((0, 0), (0, 1)), constant_values=-1.0)
    best_cosines = np.maximum.reduceat(padded, edges, axis=1)[:, ::2]
    mean_cosines = best_cosines.mean(axis=0).astype(np.float64)
    rescaled = (mean_cosines - MIN_COSINE) / (1 - MIN_COSINE)
    similarities[read] = np.clip(rescaled, 0.0, 1.0)
    return similarities


def _document_order(sentence: CoveredSentence) -> tuple[str, int]:
    return sentence.document.name, sentence.sentence.span.start
