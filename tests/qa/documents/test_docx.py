"""Word documents become Markdown: paragraphs, lists and tables in order."""

import pytest

from qa.documents.load import from_bytes
from qa.errors import DocumentError
from tests.qa.files import docx, paragraph, table


def _why(name: str, data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        from_bytes(name, data)
    return str(caught.value)


def test_docx_blocks_in_order() -> None:
    body = (
        paragraph("The canal", style="Heading1")
        + paragraph("It is open &amp; <w:tab/>free.".replace("<w:tab/>", "</w:t><w:tab/><w:t>"))
        + paragraph("Locks", listed=True)
        + paragraph("Gates", listed=True)
        + paragraph("")
        + table(("Year", "Boats"), ("1968", "12"))
        + paragraph("Last words.")
    )
    document = from_bytes("c.docx", docx(body))
    assert document.text == (
        "# The canal\n\nIt is open & free.\n\n- Locks\n- Gates\n\n"
        "| Year | Boats |\n|---|---|\n| 1968 | 12 |\n\nLast words."
    )
    assert (document.title, document.pages) == ("The canal", ())


def test_docx_hidden_text_left_out_title_from_properties() -> None:
    deleted = "<w:p><w:moveFrom><w:r><w:t>Moved.</w:t></w:r></w:moveFrom><w:r><w:t>Kept.</w:t></w:r></w:p>"
    hidden = "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>Hidden.</w:t></w:r></w:p>"
    document = from_bytes("c.docx", docx(deleted + hidden, title="A &amp; B"))
    assert (document.text, document.title) == ("Kept.", "A & B")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (docx(""), "holds no text"),
        (docx(paragraph("<unclosed")), "damaged"),
        (b"PK\x03\x04 and no more", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "encrypted"),
        (b"", "empty"),
    ],
)
def test_docx_unreadable_says_why(data: bytes, reason: str) -> None:
    assert reason in _why("bad.docx", data)
