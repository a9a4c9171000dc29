"""Typing errors in a question, corrected from the words of the library."""

import re
from collections.abc import Callable, Iterator, Sequence
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

Shape = tuple[str, int]
"""The first letter of a word and its length."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every word of a library, case-folded."""

    has: Callable[[str], bool]
    """Returns whether a document has a word."""
    of_shape: Callable[[str, int], Sequence[str]]
    """Returns the words with this first letter and this length."""


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
        if not _is_written_as_word(match):
            continue
        word = match.group().casefold()
        is_listed = word in STOP_WORDS or vocabulary.has(word)
        if is_listed or known(word):
            continue
        start = match.start()
        unknown[start] = word

    distinct = dict.fromkeys(unknown.values())
    looked_up = list(distinct)[:MAX_CORRECTED]
    corrections = _nearest(looked_up, vocabulary)

    def replacement(match: re.Match[str]) -> str:
        start = match.start()
        word = unknown.get(start, "")
        written = match.group()
        return corrections.get(word, written)

    return WORD.sub(replacement, query)


def _is_written_as_word(match: re.Match[str]) -> bool:
    """Returns whether this is neither a name nor a number, and not too short."""
    written = match.group()
    is_inside_query = match.start() > 0
    if is_inside_query and written[0].isupper():
        return False
    word = written.casefold()
    if len(word) < MIN_LETTERS:
        return False
    return word.isalpha()


def _nearest(words: Sequence[str], vocabulary: Vocabulary) -> dict[str, str]:
    """Returns the nearest word of the vocabulary for each word that has one near.

    Of several that are equally near, the first in alphabetical order.
    """
    near: dict[str, list[tuple[int, str]]] = {}
    wanted = _by_wanted_shape(words)
    for shape, misspelt in wanted.items():
        candidates = vocabulary.of_shape(*shape)
        for word, candidate in _similar(misspelt, candidates):
            distance = DamerauLevenshtein.distance(word, candidate)
            if distance > _edits(word):
                continue
            near_word = near.setdefault(word, [])
            near_word.append((distance, candidate))

    nearest = {}
    for word, candidates_near in near.items():
        _, candidate = min(candidates_near)
        nearest[word] = candidate
    return nearest


def _by_wanted_shape(words: Sequence[str]) -> dict[Shape, list[str]]:
    """Groups words by the shapes that a word near them can have."""
    wanted: dict[Shape, list[str]] = {}
    for word in words:
        initial = word[0]
        edits = _edits(word)
        shortest = len(word) - edits
        longest = len(word) + edits
        for length in range(shortest, longest + 1):
            shape = (initial, length)
            group = wanted.setdefault(shape, [])
            group.append(word)
    return wanted


def _similar(words: Sequence[str], candidates: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the few pairs that may be near enough."""
    if not candidates:
        return
    # A twentieth of the time of Damerau-Levenshtein, if all words are compared at once. Only for
    # letters between two that changed places this distance is greater: 3 instead of 2.
    limits = []
    for word in words:
        edits = _edits(word)
        limits.append(2 * edits - 1)
    cutoff = max(limits)
    distances = cdist(words, candidates, scorer=OSA.distance, score_cutoff=cutoff, dtype=np.uint8)
    limit_column = np.reshape(limits, (-1, 1))
    is_near = distances <= limit_column
    near_pairs = np.argwhere(is_near)
    for word_index, candidate_index in near_pairs.tolist():
        word = words[word_index]
        candidate = candidates[candidate_index]
        yield word, candidate


def _edits(word: str) -> int:
    if len(word) < LONG:
        return 1
    return 2
