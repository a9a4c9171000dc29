"""BM25 over a few texts. The passages of a library are in the word index."""

from collections.abc import Sequence

import bm25s

from qa.text.words import terms


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
