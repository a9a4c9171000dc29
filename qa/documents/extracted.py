"""What the readers of PDF, DOCX and HTML share: what they give, what they refuse, and how much they take."""

import re
from dataclasses import dataclass

_UNWANTED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""Control characters, halves of characters and what is none; a tab, a line end and NEL are text."""


class Unreadable(Exception):
    """Why a file cannot be read and what to do, worded to follow the file's name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may take of the machine that reads it."""

    seconds: int = 120
    memory: int = 2 * 2**30
    """Bytes of address space of the process that reads."""
    characters: int = 20_000_000
    pages: int = 5_000
    unpacked: int = 100_000_000
    """Bytes of the parts of a DOCX that are read."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """A file's text, the offsets in it at which pages begin, and the title it gives itself."""

    text: str
    title: str | None = None
    pages: tuple[int, ...] = ()


def clean(text: str) -> str:
    """The text without what no text file may hold."""
    return _UNWANTED.sub("", text)


def one_line(text: str) -> str:
    """The text cleaned, every run of white space one space."""
    return " ".join(clean(text.replace("\x0b", " ").replace("\x0c", " ")).split())
