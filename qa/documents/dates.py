"""The date of a document, where the document, its file or its folder states it plainly.

A date is "2024-03-11", "2024-03" or "2024". A date in words is read only if it has one reading:
"11/03/2024" is none. No date is better than a wrong date: two documents are ordered by it.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import PurePosixPath

from qa.text.english import MONTHS, WEEKDAYS

HEAD_LINES = 8
"""Lines with words in which a text states when it was last changed."""
MAX_LINE = 300
"""Characters of a line that are read."""

_SHORT_MONTHS = {name[:3].casefold(): number for number, name in enumerate(MONTHS, start=1)}
_MONTH = rf"(?P<month>{'|'.join(MONTHS)}|(?:{'|'.join(_SHORT_MONTHS)}|sept)\b\.?)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_WEEKDAY = rf"(?:(?:{'|'.join(WEEKDAYS)}|{'|'.join(name[:3] for name in WEEKDAYS)})\.?,?\s+)?"
_WORDED = (
    rf"{_WEEKDAY}{_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}",
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY},?\s+{_YEAR}",
    rf"{_MONTH}\s+{_YEAR}",
)
_NUMERIC = rf"{_YEAR}(?:(?P<sign>[-/.])(?P<month>\d\d)(?:(?P=sign)(?P<day>\d\d))?)?"
_TIME = r"(?:T[\d:.]+(?:Z|[-+][\d:]+)?)?"
# Words may follow: "18 January 2024 by the ward clerk". More of a number may not.
_END = r"(?![\w-]|[/.:]\d)"
_DATES = tuple(
    re.compile(f"{pattern}{_TIME}{_END}", re.IGNORECASE) for pattern in (*_WORDED, _NUMERIC)
)

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.DOTALL)
_FRONT_MATTER_DATE = re.compile(
    r"""^(?P<key>lastmod|last[-_]modified(?:_at)?|last[-_]updated|updated|modified|date)
    :[ \t]*["']?(?P<words>[^"'\n]+)""",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)
# At the beginning of a line or of a sentence: "the filter was last changed" says nothing here.
_LAST_CHANGE = re.compile(
    r"""(?:^|[.·|;(]\s+)[*_>#\s]*
    (?:last\s+(?:edited|updated|modified|revised|update|revision)|(?:date\s+of\s+)?last\s+change)
    (?:\s+on)?[*_]*\s*:?[*_]*\s*(?P<words>.+)""",
    re.VERBOSE | re.IGNORECASE,
)
_HEADER_LINE = re.compile(r"(?:from|to|cc|bcc|subject|sent|date):\s", re.IGNORECASE)
_SENT = re.compile(r"(?:date|sent):\s*(?P<words>.+)", re.IGNORECASE)

_PART = r"(?<!\d)(?<!\d[-_.])"
_PART_END = r"(?![-_.]?\d)"
_NAME_DATES = (
    re.compile(rf"{_PART}{_YEAR}(?P<sign>[-_.]?)(?P<month>\d\d)(?P=sign)(?P<day>\d\d){_PART_END}"),
    re.compile(rf"{_PART}{_YEAR}[-_.](?P<month>\d\d){_PART_END}"),
    re.compile(rf"{_PART}{_YEAR}{_PART_END}"),
)
"""Dates in the name of a file or folder, the most exact form first."""


def document_date(name: str, text: str, stated: str | None = None) -> str | None:
    """Returns the date of a document: "2024-03-11", "2024-03", "2024", or None.

    `name`: the path of its file below the folder that was added. `stated`: what a file next to it
    states. That counts before the text, and the text before the names, the nearest first.
    """
    statements = (stated, _front_matter_date(text), _head_date(text))
    for words in statements:
        stated_date = read_date(words) if words else None
        if stated_date:
            return stated_date

    path = PurePosixPath(name)
    for part in (path.stem, *reversed(path.parts[:-1])):
        named_date = _date_in_name(part)
        if named_date:
            return named_date
    return None


def read_date(words: str) -> str | None:
    """Returns the date that words begin with, or None: "Tue, 9 Apr 2024 16:02" is 2024-04-09."""
    words = words[:MAX_LINE].strip()
    for pattern in _DATES:
        match = pattern.match(words)
        if match:
            return _checked(match)
    return None


def _front_matter_date(text: str) -> str | None:
    """Returns what the front matter of a Markdown text says, its last change first."""
    front_matter = _FRONT_MATTER.match(text)
    if not front_matter:
        return None
    stated = {}
    for match in _FRONT_MATTER_DATE.finditer(front_matter[1]):
        stated[match["key"].casefold()] = match["words"]
    changes = [words for key, words in stated.items() if key != "date"]
    return changes[0] if changes else stated.get("date")


def _head_date(text: str) -> str | None:
    """Returns the words after "Last edited", or after "Date:" in the headers of a mail."""
    lines = list(_head(text))
    headers = 0
    for line in lines:
        if not _HEADER_LINE.match(line):
            break
        headers += 1
    # A line "Date:" alone can be the date of what an invitation announces.
    if headers > 1:
        sent = [match["words"] for match in map(_SENT.match, lines[:headers]) if match]
        return sent[0] if len(sent) == 1 else None

    for line in lines:
        change = _LAST_CHANGE.search(line)
        if change:
            return change["words"]
    return None


def _head(text: str) -> Iterator[str]:
    """Yields the first lines that have words, cut to MAX_LINE."""
    front_matter = _FRONT_MATTER.match(text)
    start = front_matter.end() if front_matter else 0
    for _ in range(HEAD_LINES):
        while start < len(text) and text[start].isspace():
            start += 1
        if start == len(text):
            return
        end = text.find("\n", start)
        if end < 0:
            end = len(text)
        yield text[start : min(end, start + MAX_LINE)]
        start = end


def _date_in_name(name: str) -> str | None:
    """Returns the date in a name, if it has only one."""
    for pattern in _NAME_DATES:
        dates = {_checked(match) for match in pattern.finditer(name)}
        if dates:
            return dates.pop() if len(dates) == 1 else None
    return None


def _checked(match: re.Match[str]) -> str | None:
    """Returns the date of a match in ISO form; None for a date that no calendar has."""
    groups = match.groupdict()
    year, month_words, day_words = groups["year"], groups.get("month"), groups.get("day")
    if not month_words:
        return str(year)
    month = _SHORT_MONTHS.get(month_words[:3].casefold()) or int(month_words)
    try:
        exact = date(int(year), month, int(day_words or 1))
    except ValueError:
        return None
    return exact.isoformat() if day_words else exact.isoformat()[:7]
