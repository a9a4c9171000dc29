"""The stored form of a document's sentences: each passage has those that begin in it.

A document is segmented once, when it is added. Opening a library reads the result.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import get_args

from qa.documents.blocks import BlockKind
from qa.documents.sentences import Sentence
from qa.types import Span

SEGMENTATION = "sentences-1"
"""Stored with the library. A change of the segmentation needs a new name, and a rebuild."""
_KINDS: tuple[BlockKind, ...] = get_args(BlockKind)
_NO_DUPLICATE = -1


def pack(sentences: Sequence[Sentence], span: Span) -> str:
    """Returns the sentences that begin in a span of the document, as compact JSON."""
    first = bisect_left(sentences, span.start, key=_start)
    end = bisect_left(sentences, span.end, key=_start)
    rows = [_row(sentence) for sentence in sentences[first:end]]
    return json.dumps(rows, separators=(",", ":"))


def unpack(parts: Iterable[str]) -> tuple[Sentence, ...]:
    """Returns the sentences of a document from what its passages have, in their order."""
    sentences = []
    for part in parts:
        for row in json.loads(part):
            sentences.append(_sentence(row))
    return tuple(sentences)


def _row(sentence: Sentence) -> list[int]:
    duplicate_of = sentence.duplicate_of
    return [
        sentence.span.start,
        sentence.span.end,
        _KINDS.index(sentence.kind),
        sentence.paragraph,
        int(sentence.boilerplate),
        _NO_DUPLICATE if duplicate_of is None else duplicate_of,
        int(sentence.is_question),
    ]


def _sentence(row: Sequence[int]) -> Sentence:
    start, end, kind, paragraph, boilerplate, duplicate_of, is_question = row
    return Sentence(
        Span(start, end),
        _KINDS[kind],
        paragraph,
        boilerplate=bool(boilerplate),
        duplicate_of=None if duplicate_of == _NO_DUPLICATE else duplicate_of,
        is_question=bool(is_question),
    )


def _start(sentence: Sentence) -> int:
    return sentence.span.start
