"""Imported texts as canonical text, and safe file names. Texts and titles are untrusted."""

import re
import unicodedata
from collections.abc import Callable

MAX_NAME = 200
"""Bytes. File systems take 255, and the file of the title has a longer suffix."""
MAX_TITLE = 300

TakenNames = dict[str, int]
"""Names that are taken, each with the last number that was appended to it."""

_LINE_END = re.compile(r"\r\n?")
# The characters by which qa.documents.load recognises binary data.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSAFE = re.compile(r'[/\\:*?"<>|]+')
# Windows reserves these names.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def canonical(text: str) -> str:
    """Returns the text as a UTF-8 file gives it back: line ends `\\n`, no byte-order mark.

    A control character becomes a space, half of a surrogate pair becomes U+FFFD. The canonical text
    of a prefix is a prefix of the canonical text, so that `len(canonical(text[:n]))` is the new
    offset of the character at `n`.
    """
    without_mark = text.lstrip("\ufeff")
    one_line_end = _LINE_END.sub("\n", without_mark)
    without_control = _CONTROL.sub(" ", one_line_end)
    return _SURROGATE.sub("\ufffd", without_control)


def is_altered(text: str) -> bool:
    """Returns whether `canonical` changes more than line ends."""
    return bool(_CONTROL.search(text) or _SURROGATE.search(text))


def one_line(text: str) -> str:
    """Returns a title or id on one line, without invisible characters, at most MAX_TITLE."""
    visible = "".join(map(_visible_character, canonical(text)))
    return " ".join(visible.split())[:MAX_TITLE].rstrip()


def unique(
    wanted: str, taken: TakenNames, ending: str = "", same: Callable[[str], str] = str
) -> str:
    """Returns the wanted name, with a number if it is taken, and adds it to `taken`.

    `same` maps names that count as equal to the same text.
    """
    wanted_name = f"{wanted}{ending}"
    name = wanted_name
    while same(name) in taken:
        taken[same(wanted_name)] += 1
        name = f"{wanted}-{taken[same(wanted_name)]}{ending}"
    taken[same(name)] = 1
    return name


def file_name(wanted: str, taken: TakenNames, suffix: str = ".txt") -> str:
    """Returns a name for a file of one folder: no path, not hidden, not too long, not taken.

    Some file systems do not distinguish case, or how letters are composed: such names are equal.
    """
    tidy = _UNSAFE.sub("_", one_line(wanted)).strip(" .~$")
    stem = tidy.encode()[:MAX_NAME].decode(errors="ignore").rstrip(" .") or "document"
    if _RESERVED.fullmatch(stem):
        stem = f"_{stem}"
    return unique(stem, taken, suffix, same=_folded)


def _visible_character(character: str) -> str:
    """Returns the character, a space for a line break, or "" for an invisible character."""
    if character in "\n\t\u2028\u2029":
        return " "
    # Format characters (Cf) can reverse the writing direction, which hides a name's suffix.
    invisible = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co")
    return "" if invisible else character


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
