"""Words: the words and terms of a text."""

import re

import Stemmer

from qa.text.english import STOP_WORDS

WORD = re.compile(r"\w+(?:[.,]\d+)*")
_POSSESSIVE = re.compile(r"[’']s\b", re.IGNORECASE)
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
    return list(_STEMMER.stemWords([word for word in words(text) if word not in STOP_WORDS]))
