"""The numbers of a text, in one form however they are written: "two thousand" and "2,000"."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from text_to_num import alpha2digit

from qa.text.english import FRACTIONS, HEDGES, SCALES, SHORT_SCALES

_SCALE_WORD = "|".join(SCALES)
_SHORT_SCALE = "|".join(SHORT_SCALES)
_ALL_SCALES = {**SCALES, **SHORT_SCALES}
_FRACTION_COUNTS = {"two": 2, "three": 3}

CASE_TWINS = str.maketrans("İıſ\u212a", "IisK")
"""Letters that `re.IGNORECASE` takes for an ASCII letter but case-folding does not."""

_WHITE_SPACE = re.compile(r"[ \t\n\r\f\v]+")
_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])", re.IGNORECASE)
_SCALED = re.compile(
    rf"(\d|\bhalf|\bquarter)(?:\s+of)?(?:\s+an?)?[\s-]+({_SCALE_WORD})s?\b", re.IGNORECASE
)
"""Half a million, 6 trillion: the number and its scale belong together."""

_FRACTION = re.compile(
    r"(?<!and )\b(an?|one|two|three)\s+(half|third|quarter)s?\b|(?<!and a )\b(half)\b",
    re.IGNORECASE,
)
_VAGUE_COUNT = re.compile(rf"\b(?:tens|(?:{_SCALE_WORD})s)\b", re.IGNORECASE)
_ONE = re.compile(
    rf"(?<!ty )\b(?:(?:one|(?<=the )two)\b(?! (?:{_SCALE_WORD}|and a half))|first\b)", re.IGNORECASE
)
"""Words that mostly do not count: one of them, at first, the two countries that were named."""

_NUMBER = re.compile(
    rf"""(?<!\w)(?<!\d[.,])
    (?P<digits>
        \d{{1,3}}(?:[,\u00a0\u2009\u202f]\d{{3}})+(?:\.\d+)? | \d+(?:\.\d+)? | \.\d+
        | (?:half|quarter)(?!\b) | (?:a[ ])?(?=dozen\b)
    )
    (?P<half>\sand\sa\shalf)?
    (?:(?:st|nd|rd|th|s)\b)?
    (?:[\s-]?(?P<scale>{_SCALE_WORD}|{_SHORT_SCALE})\b)?
    (?!\d)
    # In "10-15 million" the scale after the second number is the first number's too.
    (?=\s?(?:(?:-|–|to|or|and)\s?[$€£]?[\d.,]+(?P<shared>{_SCALE_WORD})\b)?)""",
    re.IGNORECASE | re.VERBOSE,
)
_HEDGE = re.compile(rf"\b(?:{'|'.join(HEDGES)})\s*[$€£¥]?\s*$", re.IGNORECASE)
_MAX_HEDGE = 24
"""Characters before a number in which a hedge is looked for."""
_THOUSANDS_MARK = re.compile(r"(?<=\d)[,\u00a0\u2009\u202f](?=\d{3}(?!\d))")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a sentence."""

    value: float
    hedged: bool = False
    """Whether the sentence gives it as about so much."""
    alternatives: tuple[float, ...] = ()
    """Other readings: "10m" is ten million, or ten metres."""

    @property
    def readings(self) -> tuple[float, ...]:
        return (self.value, *self.alternatives)

    def is_among(self, numbers: Iterable["Number"]) -> bool:
        """Returns whether one of the numbers equals this number in some reading.

        A hedged number also equals every number that rounds to it: "about 2,000" and 1,987.
        """
        for number in numbers:
            for value in number.readings:
                if any(self._equals(reading, value) for reading in self.readings):
                    return True
        return False

    def _equals(self, reading: float, value: float) -> bool:
        tolerance = 1e-6 * max(1.0, abs(value))
        if abs(reading - value) <= tolerance:
            return True
        if not self.hedged:
            return False
        digits = _significant_digits(reading)
        rounded = float(f"{value:.{digits}g}")
        return rounded == reading


def numbers_in(text: str, include_ones: bool = False) -> tuple[Number, ...]:
    """Returns the numbers of a text, in digits or in words, each once.

    "One", "first" and "the two" mostly do not count anything and are left out. With
    `include_ones`, the numbers of the text with these words are added.
    """
    text = _WHITE_SPACE.sub(" ", text.translate(CASE_TWINS))
    text = _HYPHEN.sub(" ", text)
    text = _SCALED.sub(r"\1\2", text)

    numbers = [_fraction(match) for match in _FRACTION.finditer(text)]
    text = _FRACTION.sub(" ", text)
    text = _VAGUE_COUNT.sub(" ", text)

    numbers += _other_numbers(_ONE.sub("a", text))
    if include_ones:
        numbers += _other_numbers(text)
    return tuple(dict.fromkeys(numbers))


def without_thousands_marks(text: str) -> str:
    """Returns a text with the marks between thousands taken out: "1,200" and "1 200" become "1200".

    The marks are a comma and the spaces that do not break a line.
    """
    return _THOUSANDS_MARK.sub("", text)


def in_digits(text: str) -> str:
    """Returns a text with its numbers in digits: "two thousand" and "2,000" become "2000".

    "One" and "first" stay words.
    """
    text = without_thousands_marks(text)
    parts = []
    end = 0
    for match in _ONE.finditer(text):
        parts.append(_words_to_digits(text[end : match.start()]))
        parts.append(match[0])
        end = match.end()
    parts.append(_words_to_digits(text[end:]))
    return "".join(parts)


def _fraction(match: re.Match[str]) -> Number:
    count = (match[1] or "").casefold()
    part = (match[2] or match[3]).casefold()
    value = _FRACTION_COUNTS.get(count, 1) * FRACTIONS[part]
    percent = 100 * value
    if part == "third":
        # It may be the ordinal: a third person.
        return Number(value, alternatives=(percent, 3.0))
    return Number(value, alternatives=(percent,))


def _other_numbers(text: str) -> list[Number]:
    """Returns the numbers of a text that are not fractions."""
    numbers = []
    digits = _words_to_digits(text)
    for match in _NUMBER.finditer(digits):
        start = match.start()
        # Only the words just before: the whole text for every number would take too long.
        first = max(0, start - _MAX_HEDGE)
        before = digits[first:start]
        hedged = _HEDGE.search(before) is not None
        numbers.append(_number(match, hedged))
    return numbers


def _number(match: re.Match[str], hedged: bool) -> Number:
    value = _value(match["digits"])
    if match["half"] and value < 1000:
        value += 0.5

    scale = (match["scale"] or "").casefold()
    shared_scale = (match["shared"] or "").casefold()
    alternatives: tuple[float, ...] = ()
    if len(scale) == 1:
        # One letter may be a unit: "10m" is also ten metres.
        alternatives = (value,)
    elif shared_scale and not scale:
        alternatives = (value * SCALES[shared_scale],)
    factor = _ALL_SCALES.get(scale, 1.0)
    return Number(value * factor, hedged, alternatives)


def _value(digits: str) -> float:
    digits = re.sub(r"[^\w.]", "", digits).casefold()
    if digits in FRACTIONS:
        return FRACTIONS[digits]
    if digits in ("", "a"):
        # A dozen: the scale has the value.
        return 1.0
    return float(digits)


def _significant_digits(value: float) -> int:
    written = f"{value:.12g}"
    mantissa = written.split("e")[0]
    digits = mantissa.replace(".", "").strip("0")
    return max(1, len(digits))


def _words_to_digits(text: str) -> str:
    # alpha2digit drops the white space of a text without words.
    if not text.strip():
        return text
    return str(alpha2digit(text, "en", threshold=0))
