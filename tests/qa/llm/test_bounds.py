"""The limits of what is read of a response, on bytes."""

from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.llm.bounds import (
    ERROR_BYTES,
    EVENT_STREAM,
    LINE_STREAM,
    LONGEST_END,
    MODEL_LIST,
    BodyLimits,
    TooLargeError,
    beginning,
    within,
)
from tests.properties import examples

SMALL = BodyLimits(total=1000, part=20, line_ends=3, marks=5, part_end=EVENT_STREAM.part_end)


def test_beginning_of_endless_body_ends_after_64_kb() -> None:
    read = list(beginning(repeat(b"x" * 5000)))
    assert sum(map(len, read)) == ERROR_BYTES


def test_beginning_of_short_body_is_the_body() -> None:
    assert list(beginning(iter([b"a", b"b"]))) == [b"a", b"b"]


@pytest.mark.parametrize("limits", [EVENT_STREAM, LINE_STREAM, MODEL_LIST])
@pytest.mark.parametrize(
    "part", [b"x" * 60_000, b"\n" * 60_000, b": ping\n\n" * 9000, b"a\r\n" * 99]
)
def test_within_endless_body_raises_before_the_limit(limits: BodyLimits, part: bytes) -> None:
    passed = bytearray()
    copying = map(passed.extend, within(limits, repeat(part)))
    with pytest.raises(TooLargeError, match="more than"):
        list(copying)
    assert len(passed) <= limits.total


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        ([b"x" * 21], "in one part"),
        ([b"x" * 15, b"x" * 15], "in one part"),
        ([b"x\n\n", b"x" * 21], "in one part"),
        ([b"x\n\n" + b"x" * 21], "in one part"),
        ([b"x\n", b"y\n"] * 2, "3 lines in one part"),
        ([b"x\n\n"] * 400, "more than 1 kB"),
        ([b"{}," * 3], "5 values in one part"),
        ([b"x\n\n" + b"[0,0" + b",0" * 4 + b"\n\nx"], "5 values in one part"),
        ([b"[0,", b"0,0,", b"0,0,0"], "5 values in one part"),
    ],
)
def test_within_too_large_part_raises(body: list[bytes], limit: str) -> None:
    with pytest.raises(TooLargeError, match=limit):
        list(within(SMALL, iter(body)))


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_within_parts_over_any_chunks_counts_each_part(end: bytes, size: int) -> None:
    """The end of a part may be split over two chunks."""
    body = (b"x" * 12 + end) * 10
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    assert b"".join(within(SMALL, iter(chunks))) == body


@examples(200)
@given(st.lists(st.text("x\r\n", max_size=8).map(str.encode)))
def test_within_yields_only_bodies_whose_parts_are_small(chunks: list[bytes]) -> None:
    """What passes unchanged has no part over the limits, by a brute-force count."""
    try:
        passed = list(within(SMALL, iter(chunks)))
    except TooLargeError:
        return
    assert passed == chunks
    for part in SMALL.part_end.split(b"".join(chunks)):
        assert len(part) <= SMALL.part + LONGEST_END
