"""The facts of a sentence that can be compared: dates, names and quotations.

Rules over English words. Each function returns one form of a fact however it was written: "9 Sept."
and "September 9", "the U.S." and "the United States". `qa.text.numbers` has the numbers.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from rapidfuzz.distance import Prefix

from qa.text.english import (
    CALENDAR_HOMONYMS,
    MONTHS,
    SHORT_CALENDAR_NAMES,
    STOP_WORDS,
    WEEKDAYS,
)
from qa.text.numbers import CASE_TWINS

_UNMISTAKABLE = [name for name in MONTHS + WEEKDAYS if name not in CALENDAR_HOMONYMS]
_LONG_CALENDAR = "|".join(_UNMISTAKABLE)
_HOMONYM = "|".join(f"{name}|{name.upper()}" for name in CALENDAR_HOMONYMS)
_SHORT_CALENDAR = "|".join(SHORT_CALENDAR_NAMES)
_CALENDAR = re.compile(
    rf"""
    \b(?:
        ((?i:{_LONG_CALENDAR})|{_HOMONYM})s?
        # Short forms count only next to a number: the Sun is not a weekday.
        | ({_SHORT_CALENDAR})\.?(?=,?\s+(?:\d|[A-Z][a-z]+\.?\s\d))
        | (?<=\d\s)({_SHORT_CALENDAR})
        | \d{{4}}-(\d\d)-\d\d
    )(?=\W|$)
    """,
    re.VERBOSE,
)

# The scripts with capitals that Europe writes: Latin, Greek, Cyrillic.
_LETTERS = map(chr, range(0x530))
_CAPITAL = "".join(filter(str.isupper, _LETTERS))
_INITIALS = rf"[{_CAPITAL}](?:\.[{_CAPITAL}])+\.?(?!\w)"
_NAME_WORD = rf"(?:{_INITIALS}|[{_CAPITAL}][\w’'&-]*)"
_NAME = re.compile(rf"\b{_NAME_WORD}(?:\s+{_NAME_WORD})*")
_SMALL = rf"(?![{_CAPITAL}])[^\W\d_]"
_NAME_PART = re.compile(
    rf"""
    (?P<initials> {_INITIALS} | {_SMALL}(?:\.{_SMALL})+\.?(?!\w) )
    | {_NAME_WORD}
    | \w+
    """,
    re.VERBOSE,
)
"""The words of a text, cut where `_NAME` cuts them, so that a name is always found in its text."""
_LONG_NAME = re.compile(
    rf"""
    \b[{_CAPITAL}][\w’'-]+
    (?: \s+(?:(?:of|and|the|for)\s*)? [{_CAPITAL}][\w’'-]+ )+
    """,
    re.VERBOSE,
)
_SENTENCE_OPENERS = '.!?:“"'
"""What stands before the first word of a sentence."""
MAX_INITIALS = 10
"""Letters. A longer run of capitalised words is not a name that anybody shortens."""
_POSSESSIVE = re.compile(r"(?<=\w)[’']s\b", re.IGNORECASE)
_COUNTRY_ENDING = re.compile(r"(?:|a|o|e|y|ey|en|ia)")
_PEOPLE_ENDING = re.compile(r"(?:(?:n|an|ian|ean|ese|ish|i|ic|er)s?|s)")
_MIN_ROOT = 3
"""Letters that a country and its people share at least."""

_QUOTATION = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|«([^«»]+)»")
_OMISSION = re.compile(r"\.\.\.|…|\[[^\[\]]*\]")
_MIN_QUOTED_WORDS = 3
"""Fewer words in quotation marks are often a manner of speaking."""

_QUOTES_AND_DASHES = str.maketrans(
    "’‘‚‛′“”„‟«»″–—‑‐‒−",
    "'''''" + '"""""""' + "------",
)


def months_and_weekdays(text: str) -> frozenset[str]:
    """Returns the months and weekdays of a text by their first three letters, in lower case."""
    days = set()
    for match in _CALENDAR.finditer(text.translate(CASE_TWINS)):
        name = match[1] or match[2] or match[3]
        if not name:
            # The month of "2024-09-30"; an impossible month counts as some other month.
            month = int(match[4])
            name = MONTHS[(month - 1) % 12]
        days.add(name[:3].casefold())
    return frozenset(days)


def names_in(text: str) -> tuple[str, ...]:
    """Returns the runs of words written with a capital, without months, weekdays and stop words.

    The first word of a sentence counts if more of the run follows it or if it is all capitals.
    """
    text = _composed(text)
    names = []
    for match in _NAME.finditer(text):
        run = match[0].split()
        words = [word for word in run if _is_name_word(word)]
        if not words:
            continue

        is_single = len(words) == len(run) == 1
        # The first word of a sentence has a capital whether it is a name or not.
        may_be_any_word = is_single and not words[0].isupper()
        if may_be_any_word and _opens_sentence(text, match.start()):
            continue
        names.append(" ".join(words))
    return tuple(names)


def _is_name_word(word: str) -> bool:
    if word.casefold() in STOP_WORDS:
        return False
    return not months_and_weekdays(word)


def _opens_sentence(text: str, start: int) -> bool:
    """Returns whether a sentence begins at this offset."""
    # Looks back over white space only: a copy of all text before each name takes too long.
    offset = start - 1
    while offset >= 0 and text[offset].isspace():
        offset -= 1
    return offset < 0 or text[offset] in _SENTENCE_OPENERS


def missing_names(names: Iterable[str], text: str) -> list[str]:
    """Returns the names that a text lacks.

    A text has a name by its words, its people ("Pakistani") or its initials.
    """
    text_words = set(_name_words(text))
    text_initials = initials_in(text)
    # Words are related by their first letters, so only few of the text can be related to a word.
    by_root: dict[str, list[str]] = defaultdict(list)
    for word in text_words:
        by_root[word[:_MIN_ROOT]].append(word)

    missing = []
    for name in names:
        words = _name_words(name)
        has_words = all(_has_related(by_root[word[:_MIN_ROOT]], word) for word in words)
        short_form = "".join(word[0] for word in words)
        is_short_form = len(words) == 1 and words[0] in text_initials
        has_short_form = len(words) > 1 and short_form in text_words
        if not has_words and not is_short_form and not has_short_form:
            missing.append(name)
    return missing


def initials_in(text: str) -> frozenset[str]:
    """Returns the initials of the names of a text, in lower case: "us" for "United States"."""
    initials = set()
    for run in _LONG_NAME.findall(text):
        words = re.findall(r"[\w’'-]+", run)
        capitals = [word[0] for word in words if word[0].isupper()]
        letters = "".join(capitals)

        # Part of a run counts too: "the United States of America" is the US and the USA.
        for start in range(len(letters)):
            longest = letters[start : start + MAX_INITIALS]
            for end in range(2, len(longest) + 1):
                # Folded last: folding can make two letters of one.
                initials.add(longest[:end].casefold())
    return frozenset(initials)


def quotations_in(text: str) -> tuple[str, ...]:
    """Returns the texts in quotation marks that have three words or more.

    A quotation with words left out or put in, "…" or "[…]", gives the text on either side.
    """
    quotations = []
    for match in _QUOTATION.finditer(text):
        quotation = match[1] or match[2] or match[3]
        for part in _OMISSION.split(quotation):
            words = part.split()
            if len(words) >= _MIN_QUOTED_WORDS:
                quotations.append(part.strip())
    return tuple(quotations)


def folded(text: str) -> str:
    """Returns a text without differences of case, accents, quotation marks, dashes and spaces.

    Invisible format characters go. Symbols and numerals other than digits stay as they are:
    decomposed, "10²" would read "102".
    """
    text = text.translate(_QUOTES_AND_DASHES)
    text = unicodedata.normalize("NFC", text)
    if not text.isascii():
        text = "".join(map(_folded_character, text))
    return " ".join(text.casefold().split())


def _folded_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    is_numeral = category == "No"
    is_symbol = category.startswith("S")
    if is_numeral or is_symbol:
        return character

    plain = unicodedata.normalize("NFKD", character).casefold()
    letters = [letter for letter in plain if not unicodedata.combining(letter)]
    return "".join(letters)


def _name_words(text: str) -> list[str]:
    """Returns the folded words of a text; initials such as "U.S." are one word."""
    words: list[str] = []
    for match in _NAME_PART.finditer(_composed(text)):
        part = match[0]
        if match["initials"]:
            words.append(part.replace(".", ""))
        else:
            owner = _POSSESSIVE.sub("", part)
            words += re.findall(r"\w+", owner)

    # Folded last: folding can turn a sign that is not part of a word into a letter.
    folded_words = map(folded, words)
    return list(filter(None, folded_words))


def _composed(text: str) -> str:
    """Returns a text without format characters, with accents and their letters composed."""
    visible = [letter for letter in text if unicodedata.category(letter) != "Cf"]
    return unicodedata.normalize("NFC", "".join(visible))


def _has_related(words: Sequence[str], word: str) -> bool:
    if word in words:
        return True
    return any(_are_related(word, candidate) for candidate in words)


def _are_related(first: str, second: str) -> bool:
    """Returns whether two words are a country and its people: "Italy" and "Italians"."""
    root = Prefix.similarity(first, second)
    if root < _MIN_ROOT:
        return False

    # Either word may be the country.
    first_ending = first[root:]
    second_ending = second[root:]
    if _are_endings(first_ending, second_ending):
        return True
    return _are_endings(second_ending, first_ending)


def _are_endings(country: str, people: str) -> bool:
    if not _COUNTRY_ENDING.fullmatch(country):
        return False
    return _PEOPLE_ENDING.fullmatch(people) is not None
