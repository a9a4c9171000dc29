"""Typing errors in a question, corrected from the words of the library."""

import re
from collections.abc import Callable, Collection

from rapidfuzz.distance import DamerauLevenshtein

from qa.text.english import STOP_WORDS
from qa.text.words import WORD

MIN_LETTERS = 4
"""Letters; a shorter word has too many neighbours for a guess."""
MAX_CORRECTED = 12
"""Words of a question. In a question with more unknown words they are not typing errors."""
LONG = 8
"""Letters from which on a word may be two edits away instead of one."""


def correct_spelling(
    query: str,
    vocabulary: Collection[str],
    known: Callable[[str], bool],
) -> str:
    """Returns the query with each unknown word replaced by the nearest word of the vocabulary.

    Near means one edit for four to seven letters and two edits for more (Damerau-Levenshtein),
    with the same first letter. A word stays as it is when the vocabulary has it, when it is
    `known`, when it is short or has a digit, and when it is written as a name (with a capital
    inside the query): the documents may have a similar name that the person did not mean.
    Only the first `MAX_CORRECTED` unknown words are looked up.
    """
    corrections: dict[str, str | None] = {}

    def replacement(match: re.Match[str]) -> str:
        written = match.group(0)
        word = written.casefold()

        is_name = match.start() > 0 and written[0].isupper()
        if is_name or len(word) < MIN_LETTERS or not word.isalpha():
            return written
        if word in STOP_WORDS or word in vocabulary:
            return written
        if known(word):
            return written
        if word not in corrections and len(corrections) < MAX_CORRECTED:
            corrections[word] = _nearest(word, vocabulary)
        return corrections.get(word) or written

    return WORD.sub(replacement, query)


def _nearest(word: str, vocabulary: Collection[str]) -> str | None:
    """Returns the nearest word of the vocabulary, in alphabetical order; None: no word is near."""
    limit = 1 if len(word) < LONG else 2

    near = []
    for candidate in vocabulary:
        # Cheap tests first: the vocabulary has every word of every document.
        if candidate[0] != word[0]:
            continue
        if abs(len(candidate) - len(word)) > limit:
            continue
        distance = DamerauLevenshtein.distance(
            word,
            candidate,
            score_cutoff=limit,
        )
        if distance <= limit:
            near.append((distance, candidate))

    return min(near)[1] if near else None
