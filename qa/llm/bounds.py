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
    part_end: re.Pattern[bytes]
    """What ends a part."""


EVENTS = BodyLimits(32_000_000, 1_000_000, 2000, re.compile(rb"\r?\n\r?\n|\r\r"))
"""Of an answer as server-sent events. A long reasoning has 10 MB."""
LINES = BodyLimits(32_000_000, 1_000_000, 2000, re.compile(rb"\n"))
"""Of an answer with JSON in each line."""
WHOLE = BodyLimits(4_000_000, 4_000_000, 4_000_000, re.compile(rb"(?!)"))
"""Of JSON that is read whole: it has no parts. As objects it takes up to 40 times as much."""


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
    total, part_bytes, line_ends = 0, 0, 0
    last_bytes = b""
    for data in body:
        total += len(data)
        # An end may begin in the bytes before.
        recent = last_bytes + data
        rest = limits.part_end.split(recent)[-1]
        if len(rest) < len(recent):
            part_bytes, line_ends, new = 0, 0, rest
        else:
            new = data
        part_bytes += len(new)
        line_ends += new.count(b"\n") + new.count(b"\r")
        last_bytes = recent[-(LONGEST_END - 1) :]

        if total > limits.total:
            raise TooLargeError(f"more than {_megabytes(limits.total)}")
        if part_bytes > limits.part:
            raise TooLargeError(f"more than {_megabytes(limits.part)} in one part of its answer")
        if line_ends > limits.line_ends:
            raise TooLargeError(f"more than {limits.line_ends} lines in one part of its answer")
        yield data


def _megabytes(number: int) -> str:
    return f"{number // 1_000_000} MB"
