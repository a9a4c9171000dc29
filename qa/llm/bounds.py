"""How much of a server's response is read: a broken or hostile server sends without end.

The limits hold for bytes on their way to the HTTP library. Responses are never decompressed, so
these bytes are all that there is to hold in memory.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

ERROR_BYTES = 64_000
"""The bytes of an error response that are read; the rest is ignored."""
LONGEST_END = 4
"""The bytes of the longest end of a part."""


class TooLargeError(Exception):
    """A body is over its limits. The text says what was sent."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The limits of a response that is not an error."""

    total: int
    """Bytes of the body."""
    part: int
    """Bytes of one part: the libraries collect a part before they look at it."""
    line_ends: int
    """Line ends in one part: the libraries copy the part again for each of its lines."""
    marks: int
    """Brackets, braces and commas in one part. The libraries try each value between them as every
    kind of object that it may be, which takes up to 20 kB; so few bytes could fill the memory.
    Those in texts count too: what a library takes for a text is not known here."""
    part_end: re.Pattern[bytes]
    """What ends a part: only what each library takes for an end, or it would collect more."""


EVENTS = BodyLimits(32_000_000, 256_000, 2000, 4000, re.compile(rb"(?:\n\n|\r\n\r\n)+"))
"""Of an answer as server-sent events. A long reasoning has 10 MB."""
LINES = BodyLimits(32_000_000, 256_000, 2000, 4000, re.compile(rb"\n+"))
"""Of an answer with JSON in each line."""
ANSWER = BodyLimits(1_000_000, 1_000_000, 1_000_000, 10_000, re.compile(rb"(?!)"))
"""Of an answer in one piece: it has no parts."""
WHOLE = BodyLimits(4_000_000, 4_000_000, 4_000_000, 4_000_000, re.compile(rb"(?!)"))
"""Of JSON that no library checks, such as a list of models. As objects it takes up to 40 times as
much."""


def replace_stream(
    library: ModuleType, response: Any, read: Callable[[Iterator[bytes]], Iterator[bytes]]
) -> None:
    """Lets a response's body pass through `read`. `library`: httpx or httpx2, which made it."""
    stream = response.stream
    members = {"__iter__": lambda _: read(iter(stream)), "close": lambda _: stream.close()}
    # The library requires its own base class, and is imported only when a request is made.
    bounded = type("BoundedStream", (library.SyncByteStream,), members)
    response.stream = bounded()


def beginning(body: Iterator[bytes]) -> Iterator[bytes]:
    """Yields the first `ERROR_BYTES` of a body."""
    remaining = ERROR_BYTES
    for data in body:
        yield data[:remaining]
        remaining -= len(data)
        if remaining <= 0:
            return


def within(limits: BodyLimits, body: Iterator[bytes]) -> Iterator[bytes]:
    """Yields a body. Raises TooLargeError before it yields a byte that is over the limits."""
    total = 0
    size = _Size()
    # An end may begin in the bytes before.
    last_bytes = b""
    for data in body:
        total += len(data)
        if total > limits.total:
            raise TooLargeError(f"more than {_kilobytes(limits.total)}")
        pieces = limits.part_end.split(last_bytes + data)
        size.add(pieces[0][len(last_bytes) :])
        size.check(limits)
        for piece in pieces[1:]:
            size = _Size()
            size.add(piece)
            size.check(limits)
        last_bytes = pieces[-1][-(LONGEST_END - 1) :]
        yield data


class _Size:
    """How much of a part has arrived."""

    def __init__(self) -> None:
        self._bytes = 0
        self._line_ends = 0
        self._marks = 0

    def add(self, data: bytes) -> None:
        self._bytes += len(data)
        self._line_ends += data.count(b"\n") + data.count(b"\r")
        self._marks += data.count(b"{") + data.count(b"[") + data.count(b",")

    def check(self, limits: BodyLimits) -> None:
        if self._bytes > limits.part:
            raise TooLargeError(f"more than {_kilobytes(limits.part)} in one part of its answer")
        if self._line_ends > limits.line_ends:
            raise TooLargeError(f"more than {limits.line_ends} lines in one part of its answer")
        if self._marks > limits.marks:
            raise TooLargeError(f"more than {limits.marks} values in one part of its answer")


def _kilobytes(number: int) -> str:
    return f"{number // 1000} kB" if number < 1_000_000 else f"{number // 1_000_000} MB"
