"""Writes the numbers of a spreadsheet as its cells show them: dates, percentages, decimals."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from qa.documents.archive import attribute, child, children

GENERAL = "General"
_ISO = "yyyy-mm-dd"
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%",
    14: _ISO, 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: f"{_ISO} h:mm", 37: "#,##0", 38: "#,##0", 39: "#,##0.00",
    40: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss",
}  # fmt: skip
"""Formats that every spreadsheet has without writing them. Format 14 depends on the country of who
looks, so the date is written in the order of ISO 8601."""
MAX_DIGITS = 15
"""Digits of a number that a spreadsheet program keeps."""
MAX_DAYS = 2_958_465
"""The day of 9999-12-31."""
MAX_FORMAT = 255
"""Characters of a format; programs write no longer format."""

_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]hms]*\]')
_DATE_TOKEN = re.compile(
    r"AM/PM|A/P|y+|m+|d+|h+|s+(?:\.0+)?|\[h+\]|\[m+\]|\[s+\]|[^ymdhs]", re.IGNORECASE
)
_DATE_SIGN = re.compile(r"[ymdhs]", re.IGNORECASE)
_DECIMALS = re.compile(r"\.([0#?]+)")
_PLAIN_FORMAT = re.compile(r"[^0#?]*([0#?,]*[0#?](?:\.[0#?]+)?)(%?)[^0#?]*")


@dataclass(frozen=True, slots=True)
class NumberFormats:
    """The format of each style of a workbook, and the day at which its dates begin."""

    codes: Sequence[str]
    starts_in_1904: bool

    @classmethod
    def of(cls, styles: Any, workbook: Any) -> "NumberFormats":
        """Returns the formats in the part of styles, which may be missing."""
        custom: dict[str, str] = {}
        codes = []
        for number_format in children(styles, "numFmts"):
            code = attribute(number_format, "formatCode")
            custom[attribute(number_format, "numFmtId")] = code
        for style in children(styles, "cellXfs"):
            key = attribute(style, "numFmtId")
            is_number = key.isdecimal() and len(key) < 6
            built_in = BUILT_IN.get(int(key), GENERAL) if is_number else GENERAL
            codes.append(custom.get(key, built_in))
        properties = child(workbook, "workbookPr")
        flag = "" if properties is None else attribute(properties, "date1904")
        return cls(codes, flag in ("1", "true"))

    def of_style(self, style: str) -> str:
        """Returns the format of a style by its number."""
        if not style.isdecimal() or len(style) > 6 or int(style) >= len(self.codes):
            return GENERAL
        return self.codes[int(style)]


def shown_number(text: str, code: str, starts_in_1904: bool = False) -> str:
    """Returns a stored number as a cell with a format shows it; the text itself if it is unclear.

    The colours and the words of a format are left out, except units such as "EUR" and "%".
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > 300:
        return text
    # The sections of a format are for positive and negative numbers, zero and text.
    section = code[:MAX_FORMAT].split(";")[0]
    if _is_date(section):
        return _shown_date(number, section, starts_in_1904) or _general(number)
    return _formatted(number, section) or _general(number)


def _is_date(section: str) -> bool:
    signs = _LITERAL.sub("", section)
    if signs.lower() == GENERAL.lower():
        return False
    return _DATE_SIGN.search(signs) is not None and not re.search(r"[0#?]{2}|%|#", signs)


def _general(number: Decimal) -> str:
    """Returns a number without the digits that binary fractions add."""
    rounded = Decimal(f"{float(number):.{MAX_DIGITS}g}")
    if rounded == rounded.to_integral_value() and abs(rounded) < 10**MAX_DIGITS:
        return str(int(rounded))
    text = f"{rounded:f}" if abs(rounded.adjusted()) <= MAX_DIGITS else f"{rounded:E}"
    return text.rstrip("0").rstrip(".") if "." in text and "E" not in text else text


def _formatted(number: Decimal, section: str) -> str:
    """Returns a number with its decimals, thousands, unit and percent sign; "" if that fails."""
    literals = _LITERAL.sub(_literal_text, section)
    plain = _PLAIN_FORMAT.fullmatch(literals)
    if not plain:
        return ""
    digits, percent = plain.groups()
    decimals = _DECIMALS.search(digits)
    places = len(decimals[1]) if decimals else 0
    if percent:
        number *= 100
    step = Decimal(1).scaleb(-places)
    try:
        rounded = number.quantize(step, rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return ""
    shown = f"{rounded:,f}" if "," in digits else f"{rounded:f}"
    if decimals and decimals[1].endswith("#"):
        shown = shown.rstrip("0").rstrip(".")
    start, end = plain.span(1)
    return (literals[:start] + shown + literals[end:]).strip()


def _literal_text(match: re.Match[str]) -> str:
    """Returns the words of a literal in a format; a currency stands in brackets: [$EUR-407]."""
    if match[0].startswith("[$"):
        return match[0][2:-1].partition("-")[0]
    return match[1] or match[2] or ""


def _shown_date(number: Decimal, section: str, starts_in_1904: bool) -> str:
    if not 0 <= number <= MAX_DAYS:
        return ""
    days = float(number)
    epoch = datetime(1904, 1, 1) if starts_in_1904 else datetime(1899, 12, 30)
    # Excel counts a 29th of February 1900, so the days before it are one later.
    if not starts_in_1904 and days < 60:
        epoch = datetime(1899, 12, 31)
    seconds = round(days * 86_400)
    try:
        moment = epoch + timedelta(seconds=seconds)
    except OverflowError:
        return ""

    tokens = _DATE_TOKEN.findall(_LITERAL.sub(_literal_in_date, section))
    has_noon = any(token.upper() in ("AM/PM", "A/P") for token in tokens)
    parts = []
    previous = ""
    for place, token in enumerate(tokens):
        following = next((later for later in tokens[place + 1 :][:3] if later[0].isalpha()), "")
        is_minute = token[0] in "mM" and (
            previous[:1].lower() in ("h", "[") or following[:1].lower() == "s"
        )
        parts.append(_date_part(token, moment, seconds, is_minute, has_noon))
        if token[0].isalpha() or token[0] == "[":
            previous = token
    return "".join(parts).strip()


def _literal_in_date(match: re.Match[str]) -> str:
    text = _literal_text(match)
    if not _DATE_SIGN.search(text):
        return text
    # The signs of dates are letters, so a word with them is left out but for its spaces.
    return " " if text.startswith(" ") or text.endswith(" ") else ""


def _date_part(token: str, moment: datetime, seconds: int, is_minute: bool, has_noon: bool) -> str:
    sign = token[0].lower()
    length = len(token)
    if token.upper() in ("AM/PM", "A/P"):
        return "AM" if moment.hour < 12 else "PM"
    if sign == "[" and length > 1:
        units = {"h": 3600, "m": 60, "s": 1}
        return str(seconds // units[token[1].lower()])
    if sign == "y":
        return f"{moment:%Y}" if length > 2 else f"{moment:%y}"
    if sign == "m" and not is_minute and length > 2:
        return f"{moment:%B}" if length > 3 else f"{moment:%b}"
    if sign == "d" and length > 2:
        return f"{moment:%A}" if length > 3 else f"{moment:%a}"

    hour = (moment.hour % 12 or 12) if has_noon else moment.hour
    month = moment.minute if is_minute else moment.month
    values = {"m": month, "d": moment.day, "h": hour, "s": moment.second}
    if sign not in values:
        return token
    return f"{values[sign]:02}" if length > 1 else str(values[sign])
