"""The words of a text, and its terms: the stems of the words that carry meaning."""

import re

import Stemmer

from qa.text.english import STOP_WORDS

WORD = re.compile(r"\w+(?:[.,]\d+)*")
_POSSESSIVE = re.compile(r"[’']s\b", re.IGNORECASE)
_STEMMER = Stemmer.Stemmer("english")


def words(text: str) -> list[str]:
    """Returns the words and numbers of a text, case-folded, without the possessive ending."""
    # Cut before they are case-folded: "İ" folds to two characters, of which one is not a letter.
    without_possessives = _POSSESSIVE.sub(" ", text)
    written = WORD.findall(without_possessives)
    return list(map(str.casefold, written))


def stem(word: str) -> str:
    """Returns a word's stem (Snowball English); words of other scripts stay as they are."""
    return str(_STEMMER.stemWord(word))


def terms(text: str) -> list[str]:
    """Returns the stems of a text's words without the stop words, in order, with repeats."""
    meaningful = [word for word in words(text) if word not in STOP_WORDS]
    return list(_STEMMER.stemWords(meaningful))
