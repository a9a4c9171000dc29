"""Spans of documents become citations: document, version, offsets and the very words."""

from qa.types import Citation, Document, Span


def cite(document: Document, span: Span) -> Citation:
    """A citation of that span. Raises ValueError for a span outside the text."""
    if not 0 <= span.start < span.end <= len(document.text):
        raise ValueError(f"no such span in {document.name}: {span}")
    return Citation(
        document=document.name,
        title=document.title,
        version=document.version,
        start=span.start,
        end=span.end,
        quote=document.text[span.start : span.end],
        page=document.page_at(span.start),
    )
