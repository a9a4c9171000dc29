"""PDF files become text: paragraphs and sentences are whole, pages are known."""

from collections.abc import Sequence

import pytest

from qa.documents.load import from_bytes
from qa.documents.sentences import segment
from qa.errors import DocumentError
from qa.types import Document
from tests.qa.files import Put, lines, pdf

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


def test_pdf_sentence_over_lines_is_whole() -> None:
    document = from_bytes("canal.pdf", pdf([[*lines(*CANAL), *lines(*SECOND, top=660)]]))
    assert document.text == " ".join(CANAL) + "\n\n" + " ".join(SECOND)
    assert _sentences(document) == [
        "The canal between the two towns was opened again on Saturday after a restoration that took eleven years.",
        "More than four hundred volunteers of the preservation society took part in it.",
        "It had been closed to boats since the year of the great flood, when the last barge carried coal.",
    ]


def test_pdf_short_line_or_indent_ends_paragraph() -> None:
    indented = [Put(90, 678, SECOND[0]), Put(72, 664, SECOND[1])]
    document = from_bytes("canal.pdf", pdf([[*lines(*CANAL), *indented]]))
    assert document.text == " ".join(CANAL) + "\n\n" + " ".join(SECOND)


def test_pdf_heading_and_items_on_their_own_lines() -> None:
    page = [
        Put(72, 740, "The canal", 20),
        *lines(*CANAL),
        *lines("• Locks: five million euros", "• Gates: four million euros", top=660),
    ]
    text = from_bytes("canal.pdf", pdf([page])).text
    assert text == (
        "# The canal\n\n"
        + " ".join(CANAL)
        + "\n\n- Locks: five million euros\n- Gates: four million euros"
    )


def test_pdf_wide_gaps_are_a_table() -> None:
    rows = [
        Put(x, y, w)
        for y, row in ((700, ("Year", "Boats")), (686, ("1968", "12")))
        for x, w in zip((72, 200), row, strict=True)
    ]
    assert from_bytes("t.pdf", pdf([rows])).text == "| Year | Boats |\n|---|---|\n| 1968 | 12 |"


def test_pdf_broken_word_joined_compound_keeps_hyphen() -> None:
    page = lines(
        "The well-known engineer said that the whole administration of the munici-",
        "pality had agreed to the plan at once, and that she, who was as well-",
        "known abroad, had been asked to lead the works.",
    )
    assert from_bytes("a.pdf", pdf([page])).text == (
        "The well-known engineer said that the whole administration of the municipality had agreed to the plan at "
        "once, and that she, who was as well-known abroad, had been asked to lead the works."
    )


def _aligned(rows: Sequence[Sequence[str]], lefts: Sequence[float], top: float = 700) -> list[Put]:
    """Rows of words whose columns begin at these left edges; an empty text is not written."""
    return [
        Put(left, top - 14 * row_index, words)
        for row_index, row in enumerate(rows)
        for left, words in zip(lefts, row, strict=True)
        if words
    ]


def test_pdf_narrow_gaps_that_agree_are_columns_of_a_table() -> None:
    """No gap of the second row is wider than between words by itself; the rows agree."""
    rows = [["Model", "Weight", "Price"], ["Heron S", "9.8 kg", "899.50"], ["Heron XL", "", "20"]]
    text = from_bytes("t.pdf", pdf([_aligned(rows, (72, 130, 180))])).text
    assert text == (
        "| Model | Weight | Price |\n|---|---|---|\n| Heron S | 9.8 kg | 899.50 |\n| Heron XL |  | 20 |"
    )


def test_pdf_names_with_values_and_a_table_below() -> None:
    values = _aligned([["Invoice number:", "0815"], ["Customer:", "Kolb"]], (72, 200))
    rows = _aligned([["Item", "Qty", "EUR"], ["Flour", "12", "18.90"]], (72, 200, 300), top=600)
    assert from_bytes("t.pdf", pdf([[*values, *rows]])).text == (
        "Invoice number: 0815\n\nCustomer: Kolb\n\n"
        "| Item | Qty | EUR |\n|---|---|---|\n| Flour | 12 | 18.90 |"
    )


def test_pdf_columns_written_row_by_row_are_read_one_by_one() -> None:
    left = (
        "The school garden was laid out in",
        "the spring by a teacher of the",
        "second year, and forty beds were",
        "dug by her class alone.",
    )
    right = (
        "The astronomy club meets on each",
        "of the Tuesdays at eight in the",
        "physics room, and members pay",
        "twelve euros a year.",
    )
    page = _aligned(list(zip(left, right, strict=True)), (72, 320))
    text = from_bytes("m.pdf", pdf([page])).text
    assert text == " ".join(left) + "\n\n" + " ".join(right)


def test_pdf_raised_figures_stay_apart() -> None:
    page = [Put(72, 700, "It has 10"), Put(119.5, 705, "6", 7), Put(128, 700, "cells and H2O.")]
    assert from_bytes("r.pdf", pdf([page])).text == "It has 10^6 cells and H2O."


def test_pdf_compound_at_line_end_keeps_hyphen() -> None:
    page = lines(
        "The staff of the swimming hall and of the laundry were warned of the well-",
        "known risk, and the engineer of the munici-",
        "pality was asked to lead the works there.",
    )
    text = from_bytes("a.pdf", pdf([page])).text
    assert "well-known risk" in text
    assert "municipality" in text


def test_pdf_pages_give_offsets() -> None:
    """A page without text begins where the next page begins."""
    document = from_bytes(
        "p.pdf", pdf([lines("Page one says this."), [], lines("Page three says that."), []])
    )
    assert document.text == "Page one says this.\n\nPage three says that."
    assert document.pages == (0, 21, 21, 42)
    assert [document.page_at(document.text.index(word)) for word in ("one", "three")] == [1, 3]


def test_pdf_sentence_over_pages_is_whole() -> None:
    """The second page begins inside the sentence."""
    document = from_bytes("p.pdf", pdf([lines(CANAL[0]), lines(*CANAL[1:])]))
    assert document.text == " ".join(CANAL)
    assert document.text[document.pages[1] :].startswith(CANAL[1])


def test_pdf_page_numbers_dropped_running_head_once() -> None:
    pages = [
        [
            Put(72, 760, "The Daily Lock"),
            *lines(f"Canal number {word} is open."),
            Put(300, 40, str(page_index + 7)),
        ]
        for page_index, word in enumerate(("one", "two", "three", "four"))
    ]
    text = from_bytes("p.pdf", pdf(pages)).text
    assert text.split("\n\n") == [
        "The Daily Lock",
        *(f"Canal number {word} is open." for word in ("one", "two", "three", "four")),
    ]


def test_pdf_numbers_that_do_not_grow_kept() -> None:
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
def test_pdf_title_of_a_program_ignored(given: str | None, title: str) -> None:
    data = pdf([[Put(72, 720, "First line", 18), *lines(*CANAL, top=690)]], title=given)
    assert from_bytes("p.pdf", data).title == title


def test_pdf_broken_object_table_is_read() -> None:
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
def test_pdf_unreadable_says_why(data: bytes, reason: str) -> None:
    assert reason in _why("bad.pdf", data)
    assert _why("bad.pdf", data).startswith("bad.pdf ")
