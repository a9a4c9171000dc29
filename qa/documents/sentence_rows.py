"""The row of numbers of a sentence, as JSON stores it and processes exchange it.

The library stores these rows: a change of their form needs a new `SEGMENTATION` and a rebuild.
"""

from collections.abc import Sequence
from typing import get_args

from qa.documents.blocks import BlockKind
from qa.documents.context import Context
from qa.documents.sentences import Sentence
from qa.types import Span

KINDS: tuple[BlockKind, ...] = get_args(BlockKind)
"""A row has the index of its kind in this tuple."""
FIELDS = 9
"""Numbers of a sentence, before the starts and ends of its context."""
_NO_DUPLICATE = -1
_NO_HEADER = (-1, -1)


def to_row(sentence: Sentence) -> list[int]:
    """Returns the row of a sentence: its fields, then the starts and ends of its context."""
    duplicate_of = sentence.duplicate_of
    header = sentence.header
    context = []
    for span in sentence.context:
        context += [span.start, span.end]
    return [
        sentence.span.start,
        sentence.span.end,
        KINDS.index(sentence.kind),
        sentence.paragraph,
        int(sentence.boilerplate),
        _NO_DUPLICATE if duplicate_of is None else duplicate_of,
        int(sentence.is_question),
        *((header.start, header.end) if header else _NO_HEADER),
        *context,
    ]


def from_row(row: Sequence[int], spans: "SharedSpans") -> Sentence:
    """Returns the sentence of a row that `to_row` made. The row is not checked."""
    start, end, kind, paragraph, boilerplate, duplicate_of, is_question, *rest = row
    header_start, header_end, *context = rest
    return Sentence(
        Span(start, end),
        KINDS[kind],
        paragraph,
        boilerplate=bool(boilerplate),
        duplicate_of=None if duplicate_of == _NO_DUPLICATE else duplicate_of,
        is_question=bool(is_question),
        context=spans.context(context),
        header=spans.header(header_start, header_end),
    )


class SharedSpans:
    """The contexts and headers of a document: the sentences of a section share them."""

    def __init__(self) -> None:
        self._headers: dict[tuple[int, int], Span] = {}
        self._contexts: dict[tuple[int, ...], Context] = {}

    def header(self, start: int, end: int) -> Span | None:
        """Returns the span of a header; None for `_NO_HEADER`."""
        if (start, end) == _NO_HEADER:
            return None
        return self._headers.setdefault((start, end), Span(start, end))

    def context(self, offsets: Sequence[int]) -> Context:
        """Returns the spans of these starts and ends."""
        key = tuple(offsets)
        if key not in self._contexts:
            pairs = zip(key[::2], key[1::2], strict=True)
            self._contexts[key] = tuple(Span(start, end) for start, end in pairs)
        return self._contexts[key]
