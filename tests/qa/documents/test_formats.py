"""PDF, DOCX and HTML become text: paragraphs whole, pages known, menus and scripts left out."""

from pathlib import Path

import pytest

from qa.documents.load import from_bytes, load
from qa.documents.sentences import segment
from qa.errors import DocumentError
from qa.types import Document
from tests.qa.files import Put, docx, lines, paragraph, pdf, table

CANAL = (
    "The canal between the two towns was opened again on Saturday after a",
    "restoration that took eleven years. More than four hundred volunteers",
    "of the preservation society took part in it.",
)
SECOND = (
    "It had been closed to boats since the year of the great flood, when the",
    "last barge carried coal.",
)


def _sentences(document: Document) -> list[str]:
    return [document.text[s.span.start : s.span.end] for s in segment(document)]


def _why(name: str, data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        from_bytes(name, data)
    return str(caught.value)


def test_sentences_across_the_lines_of_a_pdf_come_out_whole() -> None:
    document = from_bytes("canal.pdf", pdf([[*lines(*CANAL), *lines(*SECOND, top=660)]]))
    assert document.text == " ".join(CANAL) + "\n\n" + " ".join(SECOND)
    assert _sentences(document) == [
        "The canal between the two towns was opened again on Saturday after a restoration that took eleven years.",
        "More than four hundred volunteers of the preservation society took part in it.",
        "It had been closed to boats since the year of the great flood, when the last barge carried coal.",
    ]


def test_a_paragraph_ends_where_its_last_line_is_short_or_the_next_is_indented() -> None:
    indented = [Put(90, 678, SECOND[0]), Put(72, 664, SECOND[1])]
    document = from_bytes("canal.pdf", pdf([[*lines(*CANAL), *indented]]))
    assert document.text == " ".join(CANAL) + "\n\n" + " ".join(SECOND)


def test_a_heading_stands_by_itself_and_a_list_item_on_its_own_line() -> None:
    page = [
        Put(72, 740, "The canal", 20),
        *lines(*CANAL),
        *lines("• Locks: five million euros", "• Gates: four million euros", top=660),
    ]
    text = from_bytes("canal.pdf", pdf([page])).text
    assert text == (
        "The canal\n\n"
        + " ".join(CANAL)
        + "\n• Locks: five million euros\n• Gates: four million euros"
    )


def test_cells_far_apart_are_the_cells_of_a_row() -> None:
    rows = [
        Put(x, y, w)
        for y, row in ((700, ("Year", "Boats")), (686, ("1968", "12")))
        for x, w in zip((72, 200), row, strict=True)
    ]
    assert from_bytes("t.pdf", pdf([rows])).text == "Year | Boats\n1968 | 12"


def test_a_word_broken_at_a_lines_end_is_joined_and_a_compound_keeps_its_hyphen() -> None:
    page = lines(
        "The well-known engineer said that the whole administration of the munici-",
        "pality had agreed to the plan at once, and that she, who was as well-",
        "known abroad, had been asked to lead the works.",
    )
    assert from_bytes("a.pdf", pdf([page])).text == (
        "The well-known engineer said that the whole administration of the municipality had agreed to the plan at "
        "once, and that she, who was as well-known abroad, had been asked to lead the works."
    )


def test_each_page_begins_at_its_offset_and_one_without_text_where_the_next_does() -> None:
    document = from_bytes(
        "p.pdf", pdf([lines("Page one says this."), [], lines("Page three says that."), []])
    )
    assert document.text == "Page one says this.\n\nPage three says that."
    assert document.pages == (0, 21, 21, 42)
    assert [document.page_at(document.text.index(word)) for word in ("one", "three")] == [1, 3]


def test_a_sentence_that_goes_on_on_the_next_page_is_whole_and_the_page_begins_inside_it() -> None:
    document = from_bytes("p.pdf", pdf([lines(CANAL[0]), lines(*CANAL[1:])]))
    assert document.text == " ".join(CANAL)
    assert document.text[document.pages[1] :].startswith(CANAL[1])


def test_page_numbers_go_and_a_running_head_stays_once() -> None:
    pages = [
        [
            Put(72, 760, "The Daily Lock"),
            *lines(f"Canal number {word} is open."),
            Put(300, 40, str(number + 7)),
        ]
        for number, word in enumerate(("one", "two", "three", "four"))
    ]
    text = from_bytes("p.pdf", pdf(pages)).text
    assert text.split("\n\n") == [
        "The Daily Lock",
        *(f"Canal number {word} is open." for word in ("one", "two", "three", "four")),
    ]


def test_numbers_that_do_not_grow_with_the_pages_are_text() -> None:
    pages = [
        [*lines("How many boats came?"), Put(72, 300, count)] for count in ("12", "310", "12", "45")
    ]
    assert [w for w in from_bytes("p.pdf", pdf(pages)).text.split() if w.isdigit()] == [
        "12",
        "310",
        "12",
        "45",
    ]


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("The canal (2024)", "The canal (2024)"),
        ("Microsoft Word - x.doc", "First line"),
        (None, "First line"),
    ],
)
def test_a_pdfs_title_is_its_own_unless_a_program_gave_it(given: str | None, title: str) -> None:
    data = pdf([[Put(72, 720, "First line", 18), *lines(*CANAL, top=690)]], title=given)
    assert from_bytes("p.pdf", data).title == title


def test_a_pdf_with_a_broken_table_of_objects_is_read() -> None:
    broken = pdf([lines("Still here.")]).replace(b"0000000009 00000 n", b"0000099999 00000 n")
    assert (
        from_bytes("p.pdf", broken.replace(b"startxref\n", b"startxref\n9")).text == "Still here."
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdf([[], []]), "scanned"),
        (pdf([lines("Secret.")], encrypted=True), "encrypted"),
        (pdf([lines("Text.")])[:60], "damaged"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a PDF"),
        (b"", "empty"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    assert reason in _why("bad.pdf", data)
    assert _why("bad.pdf", data).startswith("bad.pdf ")


def test_a_docx_gives_paragraphs_lists_and_tables_in_order() -> None:
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
        "The canal\n\nIt is open & free.\n\n- Locks\n- Gates\n\nYear | Boats\n1968 | 12\n\nLast words."
    )
    assert (document.title, document.pages) == ("The canal", ())


def test_a_docxs_title_is_that_of_its_properties_and_what_was_deleted_or_hidden_is_no_text() -> (
    None
):
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
def test_a_docx_that_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    assert reason in _why("bad.docx", data)


ARTICLE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>Canal &amp; boats &lt;1&gt;</title>
<script>var secret = "tracked";</script><style>p { color: red }</style></head><body onload="alert(1)">
<div class="cookie-banner"><p>We use cookies to make this page better. Accept all or choose.</p></div>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport</a></li></ul></nav></header>
<article><h1>The canal is open again</h1>
<p onclick="steal()">The canal between the two towns was opened again
on <b>Saturday</b> after a restoration of eleven years.</p>
<h2>What it cost</h2><p>It cost nine million euros, of which the state paid half.</p>
<ul><li>Locks: 5 million euros</li><li>Gates: 4 million euros</li></ul>
<ol><li>Mend the locks.</li><li>Let the water in.</li></ol>
<table><tr><th>Year</th><th>Boats</th></tr><tr><td>1968</td><td>12</td></tr></table>
<pre>open --lock 1
open --lock 2</pre></article>
<aside><h3>Most read</h3><ul><li><a href="/c">Ten best cakes</a></li></ul></aside>
<footer><a href="/p">Privacy</a></footer></body></html>"""


def test_a_page_gives_its_article_and_no_menus_scripts_or_banners() -> None:
    document = from_bytes("canal.html", ARTICLE.encode())
    assert document.text == (
        "The canal is open again\n\n"
        "The canal between the two towns was opened again on Saturday after a restoration of eleven years.\n\n"
        "What it cost\n\n"
        "It cost nine million euros, of which the state paid half.\n\n"
        "- Locks: 5 million euros\n- Gates: 4 million euros\n"
        "1. Mend the locks.\n2. Let the water in.\n\n"
        "Year | Boats\n1968 | 12\n\n"
        "open --lock 1\nopen --lock 2"
    )
    assert document.title == "Canal & boats <1>"


def test_a_page_without_an_article_gives_all_that_is_seen() -> None:
    page = "<title>Old</title><nav>Menu</nav><table><tr><td>Price</td><td>3 €</td></tr></table><div hidden>No.</div>"
    assert from_bytes("old.htm", page.encode()).text == "Price | 3 €"


@pytest.mark.parametrize(
    "data",
    [
        "<p>Ça coûte 3 €.</p>".encode(),
        "<p>Ça coûte 3 €.</p>".encode("utf-16"),
        "<meta charset='ISO-8859-1'><p>Ça coûte 3 €.</p>".encode("cp1252"),
        '<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><p>Ça coûte 3 €.</p>'.encode(),
        "<?xml version='1.0' encoding='windows-1252'?><html><p>Ça coûte 3 €.</p></html>".encode(
            "cp1252"
        ),
    ],
)
def test_a_pages_encoding_is_found(data: bytes) -> None:
    assert from_bytes("a.html", data).text == "Ça coûte 3 €."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html><body><script>render()</script></body></html>", "no readable text"),
        (b"<p>caf\xe9</p>", "declares no charset and is not valid UTF-8 (byte 6)"),
        (b"<meta charset='klingon'><p>x</p>", "klingon"),
        (b"GIF89a\x00\x00\x01", "binary"),
        (b" \n", "empty"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    assert reason in _why("bad.html", data)


def test_a_folder_gives_every_kind_and_a_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf([lines("From a PDF.")]))
    (tmp_path / "b.docx").write_bytes(docx(paragraph("From a DOCX.")))
    (tmp_path / "c.HTML").write_text("<p>From a page.</p>")
    (tmp_path / "d.pdf").write_text("no PDF")
    (tmp_path / "~$b.docx").write_text("Word's own note")
    loaded = load([tmp_path])
    assert [d.text for d in loaded.documents] == ["From a PDF.", "From a DOCX.", "From a page."]
    assert [str(failure).startswith(str(tmp_path / "d.pdf")) for failure in loaded.failures] == [
        True
    ]
