"""Makes citations of spans: document, version, offsets and the exact words."""

from qa.types import Citation, Document, Span


def cite(document: Document, span: Span) -> Citation:
    """Returns a citation of a span. Raises ValueError for a span outside the text."""
    if not 0 <= span.start < span.end <= len(document.text):
        raise ValueError(f"Invalid span of {document.name}: {span}")
    return Citation(
        document=document.name,
        title=document.title,
        version=document.version,
        start=span.start,
        end=span.end,
        quote=document.text_of(span),
        page=document.page_at(span.start),
        date=document.date,
    )
