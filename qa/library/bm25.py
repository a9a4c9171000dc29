"""BM25 over texts, and how rare each term is among the sentences of a library."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bm25s

from qa.text.words import terms


@dataclass(frozen=True, slots=True)
class SentenceFrequencies:
    """In how many sentences of a library each term stands."""

    counts: Counter[str]
    sentences: int

    @classmethod
    def count(cls, sentences: Iterable[str]) -> "SentenceFrequencies":
        """Counts the sentences that have each term; repeats within a sentence count once."""
        counts: Counter[str] = Counter()
        size = 0
        for sentence in sentences:
            counts.update(set(terms(sentence)))
            size += 1
        return cls(counts, size)

    def idf(self, term: str) -> float:
        """Returns the inverse document frequency (Spärck Jones 1972) over sentences, above 0."""
        frequency = self.counts[term] + 0.5
        return math.log((self.sentences + 1) / frequency)


class Bm25:
    """BM25 (Robertson and Zaragoza 2009), in the variant of Lucene, over the terms of texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        corpus = list(map(terms, texts))

        # bm25s fails on a corpus without any term.
        self._index = bm25s.BM25(method="lucene") if any(corpus) else None
        if self._index:
            self._index.index(corpus, show_progress=False)

    def scores(self, query: str) -> list[float]:
        """Returns the score of each text, in order, 0 or more; 0 where no term is shared."""
        if not self._index:
            return [0.0] * self._size

        vocabulary = self._index.vocab_dict
        known_terms = [term for term in terms(query) if term in vocabulary]
        if not known_terms:
            return [0.0] * self._size

        scores = self._index.get_scores(known_terms)
        return list(map(float, scores))
