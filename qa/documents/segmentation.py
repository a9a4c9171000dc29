"""Segments a document that nobody has checked: a long text in a process of its own.

Segmentation takes linear time, but Python runs one thread at a time: while a long text is
segmented, every other thread of a server would wait. The process has the limits of the sandbox.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from qa.documents.parsing import Limits, Unreadable, check_length
from qa.documents.sandbox import run_in_sandbox
from qa.documents.sentence_rows import SharedSpans, from_row, to_row
from qa.documents.sentences import Sentence, segment
from qa.errors import DocumentError
from qa.types import Document, Span

SHORT_TEXT = 50_000
"""Characters. A shorter text is segmented in this process; it takes a tenth of a second at most."""


@dataclass(frozen=True, slots=True)
class SegmentedText:
    """What the child process reports."""

    lines: str
    """The row of each sentence as a line of JSON: no thread waits long while a line is parsed."""


def segment_untrusted(document: Document, limits: Limits | None = None) -> tuple[Sentence, ...]:
    """Returns the sentences of a document, as `segment` does.

    Raises DocumentError for a text that is longer, takes longer or has more sentences than the
    limits allow.
    """
    text = document.text
    limits = limits or Limits.for_size(len(text))
    try:
        if len(text) <= SHORT_TEXT:
            return segment(document, limits.sentences)
        check_length(len(text), limits)
        furniture = [(span.start, span.end) for span in document.furniture]
        content = json.dumps([text, document.markdown, document.language, furniture]).encode()
        result = run_in_sandbox("segmentation", content, limits)
    except Unreadable as reason:
        raise DocumentError(f"{document.name} {reason}") from reason
    return tuple(_sentences(result["lines"]))


def parse(data: bytes, limits: Limits) -> SegmentedText:
    """Segments a text; runs in the child process. Raises Unreadable for too many sentences."""
    text, markdown, language, furniture = json.loads(data)
    spans = tuple(Span(start, end) for start, end in furniture)
    document = Document("", "", "", text, markdown=markdown, furniture=spans, language=language)
    sentences = segment(document, limits.sentences)
    return SegmentedText("\n".join(map(json.dumps, map(to_row, sentences))))


def _sentences(lines: str) -> Iterator[Sentence]:
    spans = SharedSpans()
    for line in lines.split("\n"):
        if line:
            row = json.loads(line)
            yield from_row(row, spans)
