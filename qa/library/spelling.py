"""Typing errors in a question, corrected from the words of the library."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import OSA, DamerauLevenshtein
from rapidfuzz.process import cdist

from qa.text.english import STOP_WORDS
from qa.text.words import WORD

MIN_LETTERS = 4
"""Letters; a shorter word has too many neighbours for a guess."""
MAX_CORRECTED = 12
"""Words of a question. In a question with more unknown words they are not typing errors."""
LONG = 8
"""Letters from which on a word may be two edits away instead of one."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every word of a library, case-folded."""

    words: frozenset[str]
    by_shape: Mapping[tuple[str, int], Sequence[str]]
    """Grouped by the first letter and the length: a near word has the same or almost the same."""

    @classmethod
    def of(cls, words: Iterable[str]) -> "Vocabulary":
        """Groups these words."""
        distinct = frozenset(words)
        by_shape: dict[tuple[str, int], list[str]] = {}
        for word in distinct:
            by_shape.setdefault((word[0], len(word)), []).append(word)
        return cls(distinct, by_shape)

    def __contains__(self, word: str) -> bool:
        return word in self.words


def correct_spelling(
    query: str,
    vocabulary: Vocabulary,
    known: Callable[[str], bool],
) -> str:
    """Returns the query with each unknown word replaced by the nearest word of the vocabulary.

    Near means one edit for four to seven letters and two edits for more (Damerau-Levenshtein),
    with the same first letter. A word stays as it is when the vocabulary has it, when it is
    `known`, when it is short or has a digit, and when it is written as a name (with a capital
    inside the query): the documents may have a similar name that the person did not mean.
    Only the first `MAX_CORRECTED` unknown words are looked up.
    """
    unknown: dict[int, str] = {}
    for match in WORD.finditer(query):
        word = match.group().casefold()
        may_be_wrong = _is_written_as_word(match) and word not in STOP_WORDS
        if may_be_wrong and word not in vocabulary and not known(word):
            unknown[match.start()] = word

    distinct = list(dict.fromkeys(unknown.values()))
    corrections = _nearest(distinct[:MAX_CORRECTED], vocabulary)

    def replacement(match: re.Match[str]) -> str:
        word = unknown.get(match.start(), "")
        return corrections.get(word, match.group())

    return WORD.sub(replacement, query)


def _is_written_as_word(match: re.Match[str]) -> bool:
    """Returns whether this is neither a name nor a number, and not too short."""
    written = match.group()
    word = written.casefold()
    is_name = match.start() > 0 and written[0].isupper()
    return not is_name and len(word) >= MIN_LETTERS and word.isalpha()


def _nearest(words: Sequence[str], vocabulary: Vocabulary) -> dict[str, str]:
    """Returns the nearest word of the vocabulary for each word that has one near.

    Of several that are equally near, the first in alphabetical order.
    """
    wanted: dict[tuple[str, int], list[str]] = {}
    for word in words:
        edits = _edits(word)
        for length in range(len(word) - edits, len(word) + edits + 1):
            wanted.setdefault((word[0], length), []).append(word)

    near: dict[str, list[tuple[int, str]]] = {}
    for shape, misspelt in wanted.items():
        candidates = vocabulary.by_shape.get(shape, ())
        for word, candidate in _similar(misspelt, candidates):
            distance = DamerauLevenshtein.distance(word, candidate)
            if distance <= _edits(word):
                near.setdefault(word, []).append((distance, candidate))

    nearest = {}
    for word, candidates_near in near.items():
        _, nearest[word] = min(candidates_near)
    return nearest


def _similar(words: Sequence[str], candidates: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the few pairs that may be near enough."""
    if not candidates:
        return
    # A twentieth of the time of Damerau-Levenshtein, if all words are compared at once. Only for
    # letters between two that changed places this distance is greater: 3 instead of 2.
    limits = np.array([2 * _edits(word) - 1 for word in words])
    cutoff = int(limits.max())
    distances = cdist(words, candidates, scorer=OSA.distance, score_cutoff=cutoff, dtype=np.uint8)
    rows, columns = np.nonzero(distances <= limits[:, np.newaxis])
    for row, column in zip(rows, columns, strict=True):
        yield words[int(row)], candidates[int(column)]


def _edits(word: str) -> int:
    return 1 if len(word) < LONG else 2
