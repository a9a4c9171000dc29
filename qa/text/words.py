"""Words: the terms of a text, BM25 over passages, and typing errors put right from the library's own vocabulary."""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import bm25s
import Stemmer
from rapidfuzz.distance import DamerauLevenshtein

WORD = re.compile(r"\w+(?:[.,]\d+)*")
_POSSESSIVE = re.compile(r"[’']s\b", re.IGNORECASE)
STOPWORDS = frozenset(
    """a about according also am an and any anybody anyone anything are as at be been being both but by can could did do
    does doing for from get give gave given got had has have having he her here hers him his how i if in into is it its
    itself me might my of on one or our ours out shall she should so some somebody someone something such tell than
    that the their theirs them then there these they this those to too under up was we were what when where which while
    who whom whose why will with would you your yours please s t d re ve ll m""".split()
)
"""Words that tell nothing of what a question is about; "us" stays, being a country in lower-case searches."""


_STEMMER = Stemmer.Stemmer("english")


def words(text: str) -> list[str]:
    """The words and numbers of a text, case-folded, without the possessive ending."""
    found = WORD.findall(_POSSESSIVE.sub(" ", text))
    return [word.casefold() for word in found]


def stem(word: str) -> str:
    """A word's stem (Snowball English); words of other scripts stay as they are."""
    return str(_STEMMER.stemWord(word))


def terms(text: str) -> list[str]:
    """The stems of the words that carry meaning, in order, repeats kept."""
    return list(_STEMMER.stemWords([word for word in words(text) if word not in STOPWORDS]))


@dataclass(frozen=True, slots=True)
class Rarity:
    """How rare a term is among the sentences of a library."""

    counts: Counter[str]
    sentences: int

    @classmethod
    def over(cls, sentences: Iterable[str]) -> "Rarity":
        """Counts, for each term, the sentences that have it."""
        counts: Counter[str] = Counter()
        size = 0
        for sentence in sentences:
            counts.update(set(terms(sentence)))
            size += 1
        return cls(counts, size)

    def of(self, term: str) -> float:
        """Inverse document frequency (Spärck Jones 1972), over sentences, above 0."""
        return math.log((self.sentences + 1) / (self.counts[term] + 0.5))


class Bm25:
    """BM25 (Robertson and Zaragoza 2009; the variant of Lucene) over texts, by their terms."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        corpus = [terms(text) for text in texts]
        self._index = bm25s.BM25(method="lucene") if any(corpus) else None
        if self._index:
            self._index.index(corpus, show_progress=False)

    def scores(self, query: str) -> list[float]:
        """One score a text, in order, 0 or more; 0: no term is shared."""
        query_terms = [
            term for term in terms(query) if self._index and term in self._index.vocab_dict
        ]
        if not self._index or not query_terms:
            return [0.0] * self._size
        return [float(score) for score in self._index.get_scores(query_terms)]


def corrected(query: str, vocabulary: Collection[str], known: Callable[[str], bool]) -> str:
    """The query with words that nobody knows replaced by the library's nearest word, if one is near.

    A word is left alone when the library has it or it is known, when it is short, when it holds a digit, and when it
    is written as a name, with a capital inside the query: the documents may have another name that is like it, and
    not the one asked for. Near: one edit for four to seven letters, two for more (Damerau-Levenshtein), with the same
    first letter.
    """

    def mend(match: re.Match[str]) -> str:
        word = match.group(0).casefold()
        name = match.start() > 0 and match.group(0)[0].isupper()
        if (
            name
            or len(word) < 4
            or not word.isalpha()
            or word in STOPWORDS
            or word in vocabulary
            or known(word)
        ):
            return match.group(0)
        return _nearest(word, vocabulary) or match.group(0)

    return WORD.sub(mend, query)


def _nearest(word: str, vocabulary: Collection[str]) -> str | None:
    limit = 1 if len(word) < 8 else 2
    near = [
        (DamerauLevenshtein.distance(word, other, score_cutoff=limit), other)
        for other in vocabulary
        if other[0] == word[0] and abs(len(other) - len(word)) <= limit
    ]
    close = [(distance, other) for distance, other in near if distance <= limit]
    return min(close)[1] if close else None
