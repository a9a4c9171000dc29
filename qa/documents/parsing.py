"""What the parsers of files share: their result, their limits and their error."""

import re
from dataclasses import dataclass, replace

MIN_SECONDS = 20
"""The time that even the smallest file gets: other files wait for it."""
SECONDS_A_MEGABYTE = 20

_UNWANTED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""Control characters, halves of characters, and code points that are not characters.

A tab, a line end and NEL (U+0085) are text.
"""
MAX_BLANK = 300
"""Characters of white space in a row that are kept. A passage has to have an end."""
# Begins only where white space begins, so that no run is tried from each of its characters.
_LONG_BLANK = re.compile(rf"(?<!\s)\s{{{MAX_BLANK + 1},}}")


class Unreadable(Exception):
    """A file that cannot be read. The message says why and what to do, and follows a file name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the machine parsing one file may take."""

    seconds: int = 120
    memory: int = 1_400 * 2**20
    """Bytes of address space of the process that parses."""
    characters: int = 20_000_000
    sentences: int = 250_000
    """A book of 1,000 pages has about 25,000."""
    pages: int = 5_000
    unpacked: int = 100_000_000
    """Bytes of the parts of an archive, such as a DOCX, that are read."""

    @classmethod
    def for_size(cls, size: int) -> "Limits":
        """Returns the limits for a file of so many bytes: a small file gets less time.

        A page of a PDF takes about 10 ms, so that the 500 pages of a megabyte take 5 seconds.
        """
        limits = cls()
        seconds = MIN_SECONDS + SECONDS_A_MEGABYTE * size // 1_000_000
        return replace(limits, seconds=min(limits.seconds, seconds))


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file's text, the title in its metadata, and the offsets at which its pages begin."""

    text: str
    title: str | None = None
    pages: tuple[int, ...] = ()


def check_length(characters: int, limits: Limits) -> None:
    """Raises Unreadable for more characters than the limits allow."""
    if characters > limits.characters:
        raise Unreadable(
            f"holds more than {limits.characters:,} characters. Split it into smaller files."
        )


def check_sentences(sentences: int, limit: int) -> None:
    """Raises Unreadable for more sentences than the limit."""
    if sentences > limit:
        raise Unreadable(f"has more than {limit:,} sentences. Split it into smaller files.")


def clean(text: str) -> str:
    """Returns the text without characters that a text file must not hold."""
    return _UNWANTED.sub("", text)


def shorten_blanks(text: str) -> str:
    """Returns the text with at most `MAX_BLANK` characters of white space in a row.

    Of longer white space the line ends and the indentation of the next line remain, up to half of
    that each: paragraphs stay apart.
    """

    def shortened(match: re.Match[str]) -> str:
        blank = match.group()
        line_ends = min(blank.count("\n"), MAX_BLANK // 2)
        indentation = blank.rpartition("\n")[2]
        return "\n" * line_ends + indentation[: MAX_BLANK // 2]

    return _LONG_BLANK.sub(shortened, text)


def small_number(text: str | None, default: int, most_digits: int) -> int:
    """Returns the number that a file writes; the default if it is missing or not such a number.

    `most_digits`: the digits of the longest number that makes sense. Python takes quadratic time
    for a number of a million digits.
    """
    digits = (text or "").strip()
    is_number = digits.isdecimal() and len(digits) <= most_digits
    return int(digits) if is_number else default


def one_line(text: str) -> str:
    """Returns the cleaned text with every run of white space as one space."""
    return " ".join(clean(text.replace("\x0b", " ").replace("\x0c", " ")).split())
