"""What a sentence says that can be compared: numbers, dates, names and quotations.

Rules over words, English only. Each function gives what its name says, in one form however it was written: "two
thousand" and "2,000", "$6 trillion" and "6 trillion dollars", "9 Sept." and "September 9".
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from text_to_num import alpha2digit

from qa.text.english import STOP_WORDS

_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "dozen": 12.0,
    "k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "t": 1e12, "tn": 1e12,
}  # fmt: skip
_PARTS = {"half": 0.5, "third": 1 / 3, "quarter": 0.25}
_COUNTS = {"two": 2.0, "three": 3.0}
_SCALE_WORD = "hundred|thousand|million|billion|trillion|dozen"
_SCALED = re.compile(
    rf"(\d|\bhalf|\bquarter)(?:\s+of)?(?:\s+an?)?[\s-]+({_SCALE_WORD})s?\b", re.IGNORECASE
)
_FRACTION = re.compile(
    r"(?<!and )\b(an?|one|two|three)\s+(half|third|quarter)s?\b|(?<!and a )\b(half)\b",
    re.IGNORECASE,
)
_MANY = re.compile(rf"\b(?:tens|(?:{_SCALE_WORD})s)\b", re.IGNORECASE)
_ONE = re.compile(
    rf"(?<!ty )\b(?:(?:one|(?<=the )two)\b(?! (?:{_SCALE_WORD}|and a half))|first\b)", re.IGNORECASE
)
"""Mostly no number: one of them, at first, the two countries that were named."""
_NUMBER = re.compile(
    r"(?<!\w)(?<!\d[.,])(?P<digits>\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+|"
    r"(?:half|quarter)(?!\b)|(?:a )?(?=dozen\b))(?P<half>\sand\sa\shalf)?(?:(?:st|nd|rd|th|s)\b)?"
    rf"(?:[\s-]?(?P<scale>{_SCALE_WORD}|mn|bn|tn|[kmbt])\b)?(?!\d)"
    rf"(?=\s?(?:(?:-|–|to|or|and)\s?[$€£]?[\d.,]+(?P<shared>{_SCALE_WORD})\b)?)",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:about|around|approximately|roughly|nearly|almost|some|over|under|up to|more than|less than|at least|"
    r"at most|close to|estimated|an? estimated|in excess of)\s*[$€£¥]?\s*$",
    re.IGNORECASE,
)
MONTHS = (
    "january february march april may june july august september october november december".split()
)
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_ALSO_WORDS = {"march", "may", "august"}
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun"
_CALENDAR = re.compile(
    rf"\b(?:((?i:{'|'.join(word for word in MONTHS + WEEKDAYS if word not in _ALSO_WORDS)})|"
    rf"{'|'.join(f'{word.title()}|{word.upper()}' for word in sorted(_ALSO_WORDS))})s?|"
    rf"({_SHORT})\.?(?=,?\s+(?:\d|[A-Z][a-z]+\.?\s\d))|(?<=\d\s)({_SHORT})|\d{{4}}-(\d\d)-\d\d)(?=\W|$)"
)
"""Short forms only beside a number: the Sun is no weekday."""
_CAPITAL = "".join(letter for letter in map(chr, range(0x530)) if letter.isupper())
_INITIALS = rf"[{_CAPITAL}](?:\.[{_CAPITAL}])+\.?(?!\w)"
_NAME_WORD = rf"(?:{_INITIALS}|[{_CAPITAL}][\w’'&-]*)"
_NAME = re.compile(rf"\b{_NAME_WORD}(?:\s+{_NAME_WORD})*")
_SMALL = rf"(?![{_CAPITAL}])[^\W\d_]"
_NAME_PART = re.compile(
    rf"(?P<initials>{_INITIALS}|{_SMALL}(?:\.{_SMALL})+\.?(?!\w))|{_NAME_WORD}|\w+"
)
"""The words of a text, cut where `_NAME` cuts them, so that a name is always found in its own text."""
_POSSESSIVE = re.compile(r"(?<=\w)[’']s\b", re.IGNORECASE)
_CASE_TWINS = str.maketrans("İıſ\u212a", "IisK")
"""Letters that `re.IGNORECASE` takes for an ASCII letter and case-folding does not."""
_QUOTATION = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|«([^«»]+)»")
_CHANGED = re.compile(r"\.\.\.|…|\[[^\[\]]*\]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as a sentence has it."""

    value: float
    hedged: bool = False
    """Whether it is given as about so much."""
    others: tuple[float, ...] = ()
    """What it may be too: "10m" is ten million, or ten metres."""

    def is_among(self, others: Iterable["Number"]) -> bool:
        """Whether one of the others is it; or, where it is hedged, comes to it when rounded as it is."""
        told = [value for other in others for value in (other.value, *other.others)]
        return any(self._equals(own, value) for own in (self.value, *self.others) for value in told)

    def _equals(self, own: float, other: float) -> bool:
        if abs(own - other) <= 1e-6 * max(1.0, abs(other)):
            return True
        return self.hedged and float(f"{other:.{_digits(own)}g}") == own


def _digits(value: float) -> int:
    """Significant digits, at least one."""
    plain = f"{value:.12g}".split("e")[0].replace(".", "").strip("0")
    return max(1, len(plain))


def numbers(text: str, ones: bool = False) -> tuple[Number, ...]:
    """The numbers of a text. `ones`: the words "one", "first" and "the two" too, which are mostly none."""
    return tuple(dict.fromkeys(_numbers(text, ones)))


def _numbers(text: str, ones: bool) -> Iterator[Number]:
    text = re.sub(r"[ \t\n\r\f\v]+", " ", text.translate(_CASE_TWINS))
    text = _SCALED.sub(r"\1\2", re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text, flags=re.IGNORECASE))
    for match in _FRACTION.finditer(text):
        count = _COUNTS.get((match[1] or "").casefold(), 1.0)
        value = count * _PARTS[(match[2] or match[3]).casefold()]
        yield Number(
            value,
            others=(100 * value, *((3.0,) if match[2] and match[2].casefold() == "third" else ())),
        )
    text = _MANY.sub(" ", _FRACTION.sub(" ", text))
    for reading in (_ONE.sub("a", text), text) if ones else (_ONE.sub("a", text),):
        spelt = alpha2digit(reading, "en", threshold=0)
        for match in _NUMBER.finditer(spelt):
            before = spelt[max(0, match.start() - 24) : match.start()]
            yield _number(match, bool(_HEDGE.search(before)))


def in_digits(text: str) -> str:
    """A text with its numbers in digits, thousands together: "two thousand" and "2,000" become "2000".

    "One" and "first" stay words.
    """
    together = re.sub(r"(?<=\d)[,\u00a0\u2009\u202f](?=\d{3}(?!\d))", "", text)
    words = _ONE.split(together)
    ones = [*_ONE.findall(together), ""]
    return "".join(f"{_spelt(part)}{one}" for part, one in zip(words, ones, strict=True))


def _spelt(text: str) -> str:
    """White space at the ends is kept."""
    return str(alpha2digit(text, "en", threshold=0)) if text.strip() else text


def _number(match: re.Match[str], hedged: bool) -> Number:
    digits, scale = (
        re.sub(r"[^\w.]", "", match["digits"]).casefold(),
        (match["scale"] or "").casefold(),
    )
    value = _PARTS[digits] if digits in _PARTS else float(digits if digits.strip("a") else 1)
    value += 0.5 if match["half"] and value < 1000 else 0.0
    shared = (value * _SCALES[match["shared"].casefold()],) if match["shared"] and not scale else ()
    return Number(value * _SCALES.get(scale, 1.0), hedged, (value,) if len(scale) == 1 else shared)


def months_and_weekdays(text: str) -> frozenset[str]:
    """The months and weekdays of a text, by the first three letters."""
    return frozenset(
        MONTHS[(int(match[4]) - 1) % 12][:3]
        if match[4]
        else (match[1] or match[2] or match[3])[:3].casefold()
        for match in _CALENDAR.finditer(text.translate(_CASE_TWINS))
    )


def names(text: str) -> tuple[str, ...]:
    """Runs of words written with a capital, months and weekdays left out.

    The first word of a sentence counts when more of the run follows it, or when no letter of it is small.
    """
    found = []
    text = _composed(text)
    for match in _NAME.finditer(text):
        own = [
            word
            for word in match[0].split()
            if word.casefold() not in STOP_WORDS and not months_and_weekdays(word)
        ]
        opens = not text[: match.start()].strip() or bool(
            re.search(r"[.!?:“\"]\s*$", text[: match.start()])
        )
        if opens and len(own) == len(match[0].split()) == 1 and not own[0].isupper():
            continue
        if own:
            found.append(" ".join(own))
    return tuple(found)


def is_named_in(name: str, text: str) -> bool:
    """Whether a text has a name: its words, or what they call the people there ("Pakistani"), or its initials."""
    whole, own = set(_name_words(text)), _name_words(name)
    if all(any(_kin(word, other) for other in whole) for word in own):
        return True
    return own[0] in initials(text) if len(own) == 1 else "".join(word[0] for word in own) in whole


def _name_words(text: str) -> list[str]:
    """The folded words of a text; initials such as "U.S." are one word.

    Words are cut before they are folded: folding can make a letter of a sign that is not part of a word.
    """
    words: list[str] = []
    for match in _NAME_PART.finditer(_composed(text)):
        if match["initials"]:
            words.append(folded(match[0].replace(".", "")))
        else:
            words += map(folded, re.findall(r"\w+", _POSSESSIVE.sub("", match[0])))
    return [word for word in words if word]


def _composed(text: str) -> str:
    """A text without invisible format characters, accents and their letters composed."""
    visible = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFC", visible)


_ENDING = re.compile(r"(?:|a|o|e|y|ey|en|ia)")
_PEOPLE = re.compile(r"(?:(?:n|an|ian|ean|ese|ish|i|ic|er)s?|s)")


def _kin(one: str, other: str) -> bool:
    """Whether two words are one, or a country and its people: "Italy", "Italians"."""
    root = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    return one == other or (
        root > 2
        and any(
            _ENDING.fullmatch(a[root:]) and _PEOPLE.fullmatch(b[root:])
            for a, b in ((one, other), (other, one))
        )
    )


def initials(text: str) -> frozenset[str]:
    """What the names of a text come to as initials, lower case: "United States" gives "us"."""
    runs = re.findall(
        rf"\b[{_CAPITAL}][\w’'-]+(?:\s+(?:of|and|the|for)?\s*[{_CAPITAL}][\w’'-]+)+", text
    )
    kept = [[word for word in re.findall(r"[\w’'-]+", run) if word[0].isupper()] for run in runs]
    return frozenset(
        "".join(word[0] for word in run[a:b]).casefold()
        for run in kept
        for a in range(len(run))
        for b in range(a + 2, len(run) + 1)
    )


def quotations(text: str) -> tuple[str, ...]:
    """What stands in quotation marks, of three words and more: fewer are often a manner of speaking.

    A quotation with words left out or put in, "…" or "[…]", is those on either side.
    """
    found = (
        next(group for group in match.groups() if group) for match in _QUOTATION.finditer(text)
    )
    parts = (part.strip() for quotation in found for part in _CHANGED.split(quotation))
    return tuple(part for part in parts if len(part.split()) >= 3)


def folded(text: str) -> str:
    """Case, accents, kinds of quotation marks and dashes, white space, and signs that nobody sees, made one.

    Symbols and numerals that are not digits stay as they are: taken apart, "10²" would read "102".
    """
    composed = unicodedata.normalize("NFC", text.translate(_ALIKE))
    return " ".join("".join(map(_folded_character, composed)).split())


def _folded_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    if category == "No" or category.startswith("S"):
        return character
    plain = unicodedata.normalize("NFKD", character).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


_ALIKE = {
    ord(letter): plain
    for plain, letters in {"'": "’‘‚‛′", '"': "“”„‟«»″", "-": "–—‑‐‒−"}.items()
    for letter in letters
}
