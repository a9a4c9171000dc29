"""How rare each term is among the sentences of a library."""

import math
from collections import Counter
from collections.abc import Callable, Iterable

from qa.text.words import terms


class SentenceFrequencies:
    """In how many sentences of a library each term stands."""

    def __init__(self, sentences: int, sentences_with: Callable[[str], int]) -> None:
        """`sentences`: how many there are. `sentences_with` counts those with a term."""
        self._sentences = sentences
        self._sentences_with = sentences_with
        self._known: dict[str, int] = {}

    @classmethod
    def of_texts(cls, sentences: Iterable[str]) -> "SentenceFrequencies":
        """Counts the sentences that have each term; repeats within a sentence count once."""
        counts: Counter[str] = Counter()
        size = 0
        for sentence in sentences:
            counts.update(set(terms(sentence)))
            size += 1
        return cls(size, counts.__getitem__)

    def count(self, term: str) -> int:
        """Returns in how many sentences a term stands."""
        if term not in self._known:
            self._known[term] = self._sentences_with(term)
        return self._known[term]

    def idf(self, term: str) -> float:
        """Returns the inverse document frequency (Spärck Jones 1972) over sentences, above 0."""
        return math.log((self._sentences + 1) / (self.count(term) + 0.5))
