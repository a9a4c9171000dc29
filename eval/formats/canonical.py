"""Foreign texts as canonical text, and names that are safe as the names of files: texts and titles are untrusted."""

import re
import unicodedata
from collections.abc import Callable

_LINE_END = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""What `qa.documents.load` takes for binary data."""
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_UNSAFE = re.compile(r'[/\\:*?"<>|]+')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""Names that Windows keeps for itself."""
LONGEST_NAME = 200
"""Bytes. File systems take 255, and the title's file is longer by its suffix."""
LONGEST_TITLE = 300
Taken = dict[str, int]
"""Names that are taken, each with the last number that was put behind it."""


def canonical(text: str) -> str:
    """The text as a file of UTF-8 gives it back: line ends `\\n`, no mark of the byte order first, nothing binary.

    A control character becomes a space and half of a surrogate pair U+FFFD, so that of a text's beginning it makes
    the beginning of its text: `len(canonical(text[:n]))` is where the character at `n` has gone.
    """
    return _HALF_PAIR.sub("\ufffd", _CONTROL.sub(" ", _LINE_END.sub("\n", text.lstrip("\ufeff"))))


def is_altered(text: str) -> bool:
    """Whether `canonical` changes more than line ends."""
    return bool(_CONTROL.search(text) or _HALF_PAIR.search(text))


def one_line(text: str) -> str:
    """A title or id: one line, without what cannot be seen."""
    return " ".join(_seen(canonical(text)).split())[:LONGEST_TITLE].rstrip()


def unique(wanted: str, taken: Taken, ending: str = "", same: Callable[[str], str] = str) -> str:
    """`wanted`, with a number if it is taken; notes it. `same`: gives names that count as one the same text."""
    first = name = f"{wanted}{ending}"
    while same(name) in taken:
        taken[same(first)] += 1
        name = f"{wanted}-{taken[same(first)]}{ending}"
    taken[same(name)] = 1
    return name


def file_name(wanted: str, taken: Taken, suffix: str = ".txt") -> str:
    """The name of a file in one folder, with the suffix: no path, not hidden, no longer than file systems take.

    Names that differ only in case, or in how their letters are composed, are one to some file systems.
    """
    tidy = _UNSAFE.sub("_", one_line(wanted)).strip(" .~$")
    short = tidy.encode()[:LONGEST_NAME].decode(errors="ignore").rstrip(" .") or "document"
    return unique(f"_{short}" if _RESERVED.fullmatch(short) else short, taken, suffix, same=_folded)


def _seen(text: str) -> str:
    # Format characters turn the direction of writing, with which a name can hide its suffix.
    return "".join(" " if c in "\n\t\u2028\u2029" else c for c in text if c in "\n\t" or _shows(c))


def _shows(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
