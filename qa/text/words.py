"""The words of a text, and its terms: the stems of the words that carry meaning."""

import re
from collections.abc import Iterator

import Stemmer

from qa.text.english import STOP_WORDS

WORD = re.compile(r"\w+(?:[.,]\d+)*")
_POSSESSIVE = re.compile(r"[’']s\b", re.IGNORECASE)
_STEMMER = Stemmer.Stemmer("english")

_HIRAGANA = r"\u3041-\u309f"
_UNSPACED = rf"{_HIRAGANA}\u30a0-\u30ff\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Chinese and Japanese letters: their words are written without spaces."""
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_RUN = re.compile(rf"([{_UNSPACED}]+)|[^{_UNSPACED}]+")
_PARTICLES = re.compile(rf"[{_HIRAGANA}]+")
"""Japanese writes its particles and endings, and few of its nouns, in Hiragana alone."""


def words(text: str) -> list[str]:
    """Returns the words and numbers of a text, case-folded, without the possessive ending.

    Of Chinese and Japanese, which have no spaces between words, the words are all pairs of
    neighbouring characters (Nie, Gao, Zhang and Zhou 2000).
    """
    # Cut before they are case-folded: "İ" folds to two characters, of which one is not a letter.
    without_possessives = _POSSESSIVE.sub(" ", text)
    text_words: list[str] = []
    for word in WORD.findall(without_possessives):
        if _HAS_UNSPACED.search(word):
            text_words += _pairs(word)
        else:
            text_words.append(word.casefold())
    return text_words


def stem(word: str) -> str:
    """Returns a word's stem (Snowball English); words of other scripts stay as they are."""
    return str(_STEMMER.stemWord(word))


def terms(text: str) -> list[str]:
    """Returns the stems of a text's words without the stop words, in order, with repeats."""
    meaningful = [word for word in words(text) if not _is_empty(word)]
    return list(_STEMMER.stemWords(meaningful))


def _is_empty(word: str) -> bool:
    return word in STOP_WORDS or _PARTICLES.fullmatch(word) is not None


def _pairs(word: str) -> Iterator[str]:
    """Yields the pairs of neighbouring Chinese or Japanese characters, and what is between them."""
    for match in _RUN.finditer(word):
        run = match[0].casefold()
        if match[1] is None or len(run) == 1:
            yield run
            continue
        for start in range(len(run) - 1):
            yield run[start : start + 2]
