"""How much of a server's response is read: a broken or hostile server sends without end.

The limits hold for bytes on their way to the HTTP library. Responses are never decompressed, so
these bytes are all that there is to hold in memory.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
    """Opening brackets, opening braces and commas in one part: about the number of values in its
    JSON. The libraries try to read each value as every type that it may have. One value takes up to
    20 kB of memory meanwhile, so a part with many short values could fill the memory. Marks inside
    the texts of the JSON count too, because the JSON is not parsed here."""
    part_end: re.Pattern[bytes]
    """What ends a part: only what each library takes for an end, or it would collect more."""


_NO_END = re.compile(rb"(?!)")
"""Matches nothing: the whole body is one part."""

EVENT_STREAM = BodyLimits(
    total=32_000_000,
    part=256_000,
    line_ends=2000,
    marks=4000,
    part_end=re.compile(rb"(?:\n\n|\r\n\r\n)+"),
)
"""Of an answer as server-sent events. A long reasoning has 10 MB."""
LINE_STREAM = replace(EVENT_STREAM, part_end=re.compile(rb"\n+"))
"""Of an answer with JSON in each line."""
WHOLE_ANSWER = BodyLimits(
    total=1_000_000,
    part=1_000_000,
    line_ends=1_000_000,
    marks=10_000,
    part_end=_NO_END,
)
"""Of an answer in one piece."""
MODEL_LIST = BodyLimits(
    total=4_000_000,
    part=4_000_000,
    line_ends=4_000_000,
    marks=4_000_000,
    part_end=_NO_END,
)
"""Of what a server reports of its models. No library checks this JSON against types, so its marks
need no limit of their own. As objects it takes up to 40 times as much memory."""


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
