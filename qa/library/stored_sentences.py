"""The stored form of a document's sentences: each passage has those that begin in it.

A document is segmented once, when it is added. Opening a library reads the result.
"""

import json
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from qa.documents.sentence_rows import FIELDS, KINDS, SharedSpans, from_row, to_row
from qa.documents.sentences import Sentence
from qa.types import Span

SEGMENTATION = "units-2"
"""Stored with the library. A change of the segmentation needs a new name, and a rebuild."""
Part = tuple[Span, str]
"""The span of a passage and the sentences that begin in it, as they are stored."""


def pack(sentences: Sequence[Sentence], span: Span) -> str:
    """Returns the sentences that begin in a span of the document, as compact JSON."""
    first = bisect_left(sentences, span.start, key=attrgetter("start"))
    end = bisect_left(sentences, span.end, key=attrgetter("start"))
    rows = [to_row(sentence) for sentence in sentences[first:end]]
    return json.dumps(rows, separators=(",", ":"))


def checksum(span: Span, packed: str) -> int:
    """Returns a number that changes when the span or the packed sentences of a passage change."""
    return zlib.crc32(f"{span.start} {span.end} {packed}".encode())


def unpack(parts: Sequence[Part], length: int) -> tuple[Sentence, ...]:
    """Returns the sentences of a document of this length from its passages, in their order.

    Raises ValueError for passages or sentences that no segmentation makes.
    """
    _require_tiling([span for span, _ in parts], length)
    sentences: list[Sentence] = []
    end = 0
    spans = SharedSpans()
    for span, part in parts:
        for row in _rows(part):
            sentence = _sentence(row, spans)
            # Sentences are looked up by bisection, so that their order is relied upon.
            begins_inside = max(span.start, end) <= sentence.span.start < span.end
            end = sentence.span.end
            if not begins_inside or not sentence.span.start < end <= length:
                raise ValueError("a sentence is not where it belongs")
            _require_context_before(sentence)
            sentences.append(sentence)

    _require_originals(sentences)
    return tuple(sentences)


def _require_tiling(spans: Sequence[Span], length: int) -> None:
    """Raises ValueError unless each passage begins where the passage before it ends."""
    end = 0
    for span in spans:
        if span.start != end or span.end <= end:
            raise ValueError("its passages do not follow each other")
        end = span.end
    if end != length:
        raise ValueError("its passages do not hold its whole text")


def _require_originals(sentences: Sequence[Sentence]) -> None:
    """Raises ValueError where a sentence repeats itself, or a sentence that is not there."""
    for index, sentence in enumerate(sentences):
        original_index = sentence.duplicate_of
        if original_index is None:
            continue
        if original_index == index or not 0 <= original_index < len(sentences):
            raise ValueError("a repeated sentence has no original")


def _require_context_before(sentence: Sentence) -> None:
    """Raises ValueError where what gives a sentence its meaning does not stand before it."""
    for span in (*sentence.context, sentence.header):
        if span and not 0 <= span.start < span.end <= sentence.span.start:
            raise ValueError("the context of a sentence is not where it belongs")


def _rows(part: str) -> list[Any]:
    try:
        rows = json.loads(part)
    except RecursionError as error:
        raise ValueError("a list of sentences is nested too deep") from error
    if not isinstance(rows, list):
        raise ValueError("its sentences are not a list")
    return rows


def _sentence(row: Any, spans: SharedSpans) -> Sentence:
    """Returns the sentence of a row of numbers. Raises ValueError for any other row."""
    # The context has a start and an end for each of its spans.
    is_row = isinstance(row, list) and len(row) >= FIELDS and (len(row) - FIELDS) % 2 == 0
    if not is_row or any(type(value) is not int for value in row):
        raise ValueError("a sentence does not have the form of a sentence")

    kind = row[2]
    # A negative kind would count from the end.
    if not 0 <= kind < len(KINDS):
        raise ValueError("a sentence is of an unknown kind")
    return from_row(row, spans)
