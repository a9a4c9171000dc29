"""Writes the numbers of a spreadsheet as its cells show them: dates, percentages, decimals."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from qa.documents.archive import attribute, child_attribute, children
from qa.documents.parsing import small_number

GENERAL = "General"
BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm",
    37: "#,##0",
    38: "#,##0",
    39: "#,##0.00",
    40: "#,##0.00",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss",
}
"""Formats that every spreadsheet has without writing them. Format 14 depends on the country of who
looks, so the date is written in the order of ISO 8601."""
MAX_DIGITS = 15
"""Digits of a number that a spreadsheet program keeps."""
MAX_EXPONENT = 300
MAX_DAYS = 2_958_465
"""The day of 9999-12-31."""
MAX_FORMAT = 255
"""Characters of a format; programs write no longer format."""
SECONDS_A_DAY = 86_400
MISSING_LEAP_DAY = 60
"""The number of a 29th of February 1900, which spreadsheets count by mistake."""

_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]hms]*\]')
_DATE_TOKEN = re.compile(
    r"AM/PM|A/P|y+|m+|d+|h+|s+(?:\.0+)?|\[h+\]|\[m+\]|\[s+\]|[^ymdhs]", re.IGNORECASE
)
_DATE_SIGN = re.compile(r"[ymdhs]", re.IGNORECASE)
_NUMBER_SIGN = re.compile(r"[0#?]{2}|%|#")
_NOON_TOKENS = ("AM/PM", "A/P")
_DIGIT_SIGN = re.compile(r"[0#?]")
_DIGITS = re.compile(r"[0#?][0#?,]*(?:\.([0#?]+))?")
_DATE_NAMES = {
    "y": "%y",
    "yy": "%y",
    "yyy": "%Y",
    "yyyy": "%Y",
    "mmm": "%b",
    "mmmm": "%B",
    "ddd": "%a",
    "dddd": "%A",
}
"""The codes of years and of the names of months and days, and the same for strftime."""
_UNITS = {
    "h": 3600,
    "m": 60,
    "s": 1,
}
"""Seconds of the units of a duration, such as "[h]"."""


@dataclass(frozen=True, slots=True)
class NumberFormats:
    """The format of each style of a workbook, and the day at which its dates begin."""

    codes: Sequence[str]
    starts_in_1904: bool

    @classmethod
    def of(cls, styles: Any, workbook: Any) -> "NumberFormats":
        """Returns the formats in the part of styles, which may be missing."""
        custom: dict[str, str] = {}
        for number_format in children(styles, "numFmts"):
            key = attribute(number_format, "numFmtId")
            custom[key] = attribute(number_format, "formatCode")

        codes = []
        for style in children(styles, "cellXfs"):
            key = attribute(style, "numFmtId")
            number = small_number(key, default=0, most_digits=5)
            built_in = BUILT_IN.get(number, GENERAL)
            codes.append(custom.get(key, built_in))

        flag = child_attribute(workbook, "workbookPr", name="date1904")
        return cls(codes, flag in ("1", "true"))

    def of_style(self, style: str) -> str:
        """Returns the format of a style, which a cell names by its index."""
        index = small_number(style, default=-1, most_digits=6)
        if not 0 <= index < len(self.codes):
            return GENERAL
        return self.codes[index]


def shown_number(text: str, code: str, starts_in_1904: bool = False) -> str:
    """Returns a stored number as a cell with a format shows it; the text itself if it is unclear.

    The colours and the words of a format are left out, except units such as "EUR" and "%".
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        return text

    # The sections of a format are for positive and negative numbers, zero and text.
    section = code[:MAX_FORMAT].split(";")[0]
    if _is_date(section):
        shown = _shown_date(number, section, starts_in_1904)
    else:
        shown = _formatted(number, section)
    return shown or _general(number)


def _is_date(section: str) -> bool:
    signs = _LITERAL.sub("", section)
    if signs.lower() == GENERAL.lower():
        return False
    has_date_sign = _DATE_SIGN.search(signs) is not None
    has_number_sign = _NUMBER_SIGN.search(signs) is not None
    return has_date_sign and not has_number_sign


def _general(number: Decimal) -> str:
    """Returns a number without the digits that binary fractions add."""
    rounded = Decimal(f"{float(number):.{MAX_DIGITS}g}")
    is_whole = rounded == rounded.to_integral_value()
    if is_whole and abs(rounded) < 10**MAX_DIGITS:
        return str(int(rounded))
    if abs(rounded.adjusted()) > MAX_DIGITS:
        return f"{rounded:E}"
    return _without_zeros(f"{rounded:f}")


def _without_zeros(text: str) -> str:
    """Returns the text of a number without zeros at the end of its decimals."""
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".")


def _formatted(number: Decimal, section: str) -> str:
    """Returns a number with its decimals, thousands, unit and percent sign; "" if that fails."""
    literals = _LITERAL.sub(_literal_text, section)
    match = _DIGITS.search(literals)
    if not match:
        return ""
    before = literals[: match.start()]
    after = literals[match.end() :]
    digits = match[0]
    # A comma at the end divides by a thousand, and two groups of digits are a fraction.
    if digits.endswith(",") or _DIGIT_SIGN.search(after):
        return ""

    decimals = match[1] or ""
    step = Decimal(1).scaleb(-len(decimals))
    value = number * 100 if after.startswith("%") else number
    try:
        rounded = value.quantize(step, rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return ""
    shown = f"{rounded:,f}" if "," in digits else f"{rounded:f}"
    if decimals.endswith("#"):
        shown = _without_zeros(shown)
    return f"{before}{shown}{after}".strip()


def _literal_text(match: re.Match[str]) -> str:
    """Returns the words of a literal in a format; a currency stands in brackets: [$EUR-407]."""
    literal = match[0]
    if literal.startswith("[$"):
        return literal[2:-1].partition("-")[0]
    quoted, escaped = match.groups()
    return quoted or escaped or ""


def _shown_date(number: Decimal, section: str, starts_in_1904: bool) -> str:
    """Returns a number of days as a date, a time or a duration; "" if it is out of range."""
    if not 0 <= number <= MAX_DAYS:
        return ""
    days = float(number)
    seconds = round(days * SECONDS_A_DAY)
    try:
        moment = _epoch(days, starts_in_1904) + timedelta(seconds=seconds)
    except OverflowError:
        return ""

    tokens = _DATE_TOKEN.findall(_LITERAL.sub(_literal_in_date, section))
    has_noon = any(token.upper() in _NOON_TOKENS for token in tokens)
    parts = []
    for token, is_minute in _with_minutes(tokens):
        part = _date_part(token, moment, seconds, is_minute, has_noon)
        parts.append(part)
    return "".join(parts).strip()


def _epoch(days: float, starts_in_1904: bool) -> datetime:
    """Returns the day 0 of a workbook."""
    if starts_in_1904:
        return datetime(1904, 1, 1)
    if days < MISSING_LEAP_DAY:
        return datetime(1899, 12, 31)
    return datetime(1899, 12, 30)


def _with_minutes(tokens: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yields each token and whether it is for minutes: "m" after hours or before seconds."""
    follows_hours = False
    for index, token in enumerate(tokens):
        sign = token[0].lower()
        is_minute = False
        if sign == "m":
            is_minute = follows_hours or _precedes_seconds(tokens, index)
        yield token, is_minute
        # A colon between hours and minutes changes nothing.
        if sign.isalpha() or sign == "[":
            follows_hours = sign in ("h", "[")


def _precedes_seconds(tokens: Sequence[str], index: int) -> bool:
    """Returns whether the next letter after a token, past at most two other signs, is an "s"."""
    for token in tokens[index + 1 : index + 4]:
        sign = token[0].lower()
        if sign.isalpha():
            return sign == "s"
    return False


def _literal_in_date(match: re.Match[str]) -> str:
    text = _literal_text(match)
    if not _DATE_SIGN.search(text):
        return text
    # The signs of dates are letters, so a word with them is left out but for its spaces.
    has_space = text != text.strip()
    return " " if has_space else ""


def _date_part(token: str, moment: datetime, seconds: int, is_minute: bool, has_noon: bool) -> str:
    """Returns what a token of a format shows of a moment; `seconds` since day 0."""
    if token.upper() in _NOON_TOKENS:
        return "AM" if moment.hour < 12 else "PM"
    if token.startswith("[") and len(token) > 1:
        unit = token[1].lower()
        return str(seconds // _UNITS[unit])
    name = _DATE_NAMES.get(token[:4].lower())
    if name and not is_minute:
        return moment.strftime(name)

    hour_of_twelve = moment.hour % 12 or 12
    numbers = {
        "m": moment.minute if is_minute else moment.month,
        "d": moment.day,
        "h": hour_of_twelve if has_noon else moment.hour,
        "s": moment.second,
    }
    number = numbers.get(token[0].lower())
    if number is None:
        return token
    return f"{number:02}" if len(token) > 1 else str(number)
