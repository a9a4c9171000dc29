"""Citations: the exact words, or an error."""

import pytest

from qa.answer.citations import cite
from qa.types import Span
from tests.qa.fakes import text_document


def test_cite_has_the_quote_and_the_version() -> None:
    document = text_document("e\u0301t\u00e9 😀 end")
    citation = cite(document, Span(4, 6))
    assert (citation.quote, citation.version, citation.document) == (
        document.text[4:6],
        document.version,
        "a.txt",
    )


@pytest.mark.parametrize("span", [Span(-1, 2), Span(2, 2), Span(3, 2), Span(0, 99)])
def test_cite_outside_the_text_raises(span: Span) -> None:
    with pytest.raises(ValueError, match="Invalid span"):
        cite(text_document("short"), span)
