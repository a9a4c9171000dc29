"""Segments a document that nobody has checked: a long text in a process of its own.

Segmentation takes linear time, but Python runs one thread at a time: while a long text is
segmented, every other thread of a server would wait. The process has the limits of the sandbox.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.documents.context import Context
from qa.documents.parsing import Limits, Unreadable, check_length
from qa.documents.sandbox import run_in_sandbox
from qa.documents.sentences import Sentence, segment
from qa.errors import DocumentError
from qa.types import Document, Span

SHORT_TEXT = 50_000
"""Characters. A shorter text is segmented in this process; it takes a tenth of a second at most."""


@dataclass(frozen=True, slots=True)
class SegmentedText:
    """What the child process reports."""

    lines: str
    """A line of JSON for each sentence: small pieces, so that no thread waits for a large one."""


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
    return SegmentedText("\n".join(map(json.dumps, map(_row, sentences))))


def _row(sentence: Sentence) -> Sequence[object]:
    span = sentence.span
    return (
        span.start,
        span.end,
        sentence.kind,
        sentence.paragraph,
        sentence.boilerplate,
        sentence.duplicate_of,
        sentence.is_question,
        [(span.start, span.end) for span in sentence.context],
        (sentence.header.start, sentence.header.end) if sentence.header else None,
    )


def _sentences(lines: str) -> Iterator[Sentence]:
    spans: dict[Sequence[int], Span] = {}
    shared: dict[Context, Context] = {}

    def span_of(offsets: Sequence[int]) -> Span:
        start, end = offsets
        return spans.setdefault((start, end), Span(start, end))

    for line in lines.split("\n"):
        if line:
            start, end, *fields, context, header = json.loads(line)
            # The sentences of a section share their context, as `segment` made it.
            context_spans = tuple(map(span_of, context))
            kind, paragraph, boilerplate, duplicate_of, is_question = fields
            yield Sentence(
                span=Span(start, end),
                kind=kind,
                paragraph=paragraph,
                boilerplate=boilerplate,
                duplicate_of=duplicate_of,
                is_question=is_question,
                context=shared.setdefault(context_spans, context_spans),
                header=span_of(header) if header else None,
            )
