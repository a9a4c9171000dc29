"""Cells of rows, and the headers of tables in a plain text."""

import pytest

from qa.documents.sentences import segment
from tests.qa.fakes import text_document

Names = list[tuple[str | None, str]]


def _rows(text: str, markdown: bool = False) -> list[Names]:
    document = text_document(text, markdown=markdown)
    rows = []
    for sentence in segment(document):
        cells: Names = []
        for cell in sentence.cells(text):
            name = document.text_of(cell.name) if cell.name else None
            cells.append((name, document.text_of(cell.value)))
        if cells:
            rows.append(cells)
    return rows


def test_cells_markdown_have_names() -> None:
    text = "| Plan | Price |\n|---|---|\n| Pro | $12 |\n| Basic \\| old | |\n| Team | $40 | new |\n"
    assert _rows(text, markdown=True) == [
        [("Plan", "Pro"), ("Price", "$12")],
        [("Plan", "Basic \\| old")],
        # CommonMark ignores the cells beyond the header; the text has them.
        [("Plan", "Team"), ("Price", "$40"), (None, "new")],
    ]


def test_cells_in_quotation_have_names() -> None:
    assert _rows("> | Plan | Price |\n> |---|---|\n> | Pro | $12 |\n", markdown=True) == [
        [("Plan", "Pro"), ("Price", "$12")]
    ]


@pytest.mark.parametrize("separator", [" | ", "\t", ";", ","])
def test_cells_plain_text_have_names(separator: str) -> None:
    lines = [("Name", "City", "Age"), ("Ana", "Rome", "31"), ("Ben", "Oslo", "44")]
    text = "".join(f"{separator.join(line)}\n" for line in lines)
    assert _rows(text) == [list(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_cells_plain_text_with_a_rule_have_names() -> None:
    text = "| Name | Age |\n|------|-----|\n| Ana | 31 |\n"
    assert _rows(text) == [[("Name", "Ana"), ("Age", "31")]]


def test_cells_quoted_keep_their_commas() -> None:
    text = 'Name,Team,Extension\n"Jansen, Sven",Logistics,4417\n"Roth, ""Bo""",Sales,4418\n'
    assert [row[0][1] for row in _rows(text)] == ["Jansen, Sven", 'Roth, ""Bo""']


@pytest.mark.parametrize(
    "text",
    [
        "Ana | Rome\nBen | Oslo\nCem | Bonn\n",
        "Ana | 31\nBen | 44\n",
        "Name | Age\n\nBen | 44\n",
        "Name | Age\nBen | 44 | old\n",
        "Salt, pepper, oil and 2 eggs\nFlour, sugar, milk and 3 apples\n",
    ],
)
def test_cells_without_certain_header_have_none(text: str) -> None:
    assert _rows(text) == []


def test_header_does_not_answer() -> None:
    sentences = segment(text_document("Name | Age\nBen | 44\nAna | 31\n"))
    assert [sentence.may_answer for sentence in sentences] == [False, True, True]
