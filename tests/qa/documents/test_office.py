"""Spreadsheets, presentations, OpenDocument texts and books become Markdown."""

import io
import zipfile

import pytest

from qa.documents.load import from_bytes
from qa.documents.xlsx_numbers import shown_number
from qa.errors import DocumentError
from tests.qa.office_files import Cell, epub, odt, packed, pptx, shape, slide_table, xlsx


def _why(name: str, data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        from_bytes(name, data)
    return str(caught.value)


def test_xlsx_sheets_are_headings_with_tables() -> None:
    sheets: dict[str, list[list[Cell]]] = {
        "Prices": [["Item", "Price", "Since"], ["Rye | wheat", ("4.5", 1), ("45366", 2)]],
        "Notes": [["Rates"], ["Day", "Rate"], ["Monday", ("0.125", 3)], [], ["Kept by Ann"]],
        "Draft": [["secret", "draft"]],
    }
    data = xlsx(sheets, formats=("0.00", "d mmmm yyyy", "0.0%"), hidden=["Draft"])
    assert from_bytes("a.xlsx", data).text == (
        "## Prices\n\n| Item | Price | Since |\n|---|---|---|\n| Rye \\| wheat | 4.50 | 15 March 2024 |\n\n"
        "## Notes\n\nRates\n\n| Day | Rate |\n|---|---|\n| Monday | 12.5% |\n\nKept by Ann"
    )


@pytest.mark.parametrize(
    ("number", "code", "shown"),
    [
        ("42", "General", "42"),
        ("0.30000000000000004", "General", "0.3"),
        ("1234567.891", "#,##0.00", "1,234,567.89"),
        ("-3", "0;[Red]-0", "-3"),
        ("12.5", '0.00" EUR"', "12.50 EUR"),
        ("949", "[$$-409]#,##0", "$949"),
        ("45366", "yyyy-mm-dd", "2024-03-15"),
        ("45366.75", "dd/mm/yy h:mm AM/PM", "15/03/24 6:00 PM"),
        ("0.5", "h:mm", "12:00"),
        ("1.25", "[h]:mm", "30:00"),
        ("1e308", "0.00", "1e308"),
        ("1234567", "#,##0,", "1234567"),
        ("1.5", "# ?/?", "1.5"),
        ("45366.503", "m/d/yyyy h:mm:ss", "3/15/2024 12:04:19"),
        ("99999999", "yyyy", "99999999"),
    ],
)
def test_xlsx_numbers_as_shown(number: str, code: str, shown: str) -> None:
    assert shown_number(number, code) == shown


def test_pptx_slides_are_headings_in_order() -> None:
    slides = [
        shape("Three tents") + shape("Plan", kind="title") + shape("7", kind="sldNum"),
        shape("Costs", kind="title")
        + shape("Rent", "Food", kind="")
        + slide_table([["Item", "EUR"], ["Rent", "900"]]),
    ]
    data = pptx(slides, notes={0: "Say hello."})
    assert from_bytes("a.pptx", data).text == (
        "## Plan\n\nThree tents\n\nSay hello.\n\n## Costs\n\n- Rent\n- Food\n\n| Item | EUR |\n|---|---|\n| Rent | 900 |"
    )


def test_odt_blocks_in_order() -> None:
    item = "<text:list-item><text:p>{}</text:p></text:list-item>"
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    body = (
        '<text:h text:outline-level="1">The canal</text:h>'
        "<text:tracked-changes><text:p>Deleted.</text:p></text:tracked-changes>"
        "<text:p>It is<text:s/>open <text:span>and</text:span> free<text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>Since 1968.</text:p></text:note-body></text:note> now.</text:p>"
        f'<text:list text:style-name="N">{item.format("Locks")}{item.format("Gates")}</text:list>'
        f"<table:table><table:table-row>{cell.format('Year')}{cell.format('Boats')}</table:table-row>"
        f"<table:table-row>{cell.format('1968')}{cell.format('12')}</table:table-row></table:table>"
        "<text:p>Last words.</text:p>"
    )
    document = from_bytes("a.odt", odt(body, title="Canals"))
    assert document.text == (
        "# The canal\n\nIt is open and free now.\n\nSince 1968.\n\n1. Locks\n2. Gates\n\n"
        "| Year | Boats |\n|---|---|\n| 1968 | 12 |\n\nLast words."
    )
    assert document.title == "Canals"


def test_epub_chapters_in_reading_order() -> None:
    chapters = ["<h1>One</h1><p>It &amp; she left.</p>", "<h1>Two</h1><ul><li>Bread</li></ul>"]
    document = from_bytes("a.epub", epub(chapters, title="A walk"))
    assert document.text == "# One\n\nIt & she left.\n\n# Two\n\n- Bread"
    assert document.title == "A walk"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.xlsx", packed({"other.xml": "<x/>"}), "not a spreadsheet"),
        ("a.xlsx", xlsx({"A": [[""]]}), "holds no text"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted"),
        ("a.pptx", pptx([""]), "holds no text"),
        ("a.pptx", b"PK\x03\x04 and no more", "not a presentation"),
        ("a.odt", odt(""), "holds no text"),
        ("a.odt", packed({"content.xml": "<x/>"}), "not an OpenDocument text"),
        ("a.epub", epub([""]), "holds no text"),
        ("a.epub", epub(["<p>x</p>"], encryption="http://example.org/drm"), "protected"),
        ("a.epub", packed({"other.xml": "<x/>"}), "not an EPUB"),
    ],
)
def test_office_unreadable_says_why(name: str, data: bytes, reason: str) -> None:
    assert reason in _why(name, data)


LAUGHS = '<!DOCTYPE x [<!ENTITY e "ha"><!ENTITY f SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xlsx", xlsx({"A": [["a", "b"], ["c", "d"]]}, before=LAUGHS)),
        ("a.odt", odt("<text:p>&f;</text:p>", before=LAUGHS)),
    ],
)
def test_office_entities_are_refused(name: str, data: bytes) -> None:
    assert "declares XML entities" in _why(name, data)


def test_xlsx_repeated_long_text_is_bounded() -> None:
    """A cell of a few bytes can repeat a long shared text."""
    rows = '<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>' * 3_000
    data = xlsx({"A": [["x" * 9_000, "y"]]})
    parts = {}
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for part in package.namelist():
            parts[part] = package.read(part)
    sheet = parts["xl/worksheets/s0.xml"]
    parts["xl/worksheets/s0.xml"] = sheet.replace(b"</sheetData>", rows.encode() + b"</sheetData>")
    assert "more than 20,000,000 characters" in _why("a.xlsx", packed(parts))
