"""Decodes the bytes of text files, and makes their line ends `\\n`."""

import codecs
import re

from qa.documents.parsing import Unreadable

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""What no text file holds."""

_BINARY = "is not text: it holds binary data. Rename it to its real type."
_NOT_UTF8 = "is not valid UTF-8 (byte {}). Save it as UTF-8."


def marked_encoding(data: bytes) -> str:
    """Returns the encoding that the byte order mark names; UTF-8 without a mark."""
    for mark, name in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return name
    return "utf-8"


def decoded(data: bytes) -> str:
    """Returns the text of a file in UTF-8, or in UTF-16 with a byte order mark.

    Raises Unreadable for another encoding and for binary data.
    """
    try:
        text = data.decode(marked_encoding(data))
    except UnicodeDecodeError as error:
        raise Unreadable(_BINARY if b"\0" in data else _NOT_UTF8.format(error.start)) from error
    if CONTROL.search(text):
        raise Unreadable(_BINARY)
    return text


def unix_line_ends(text: str) -> str:
    """Returns the text with `\\n` at the end of every line."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
