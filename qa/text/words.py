"""Words: the words and terms of a text."""

import re

import Stemmer

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
