"""Cells of rows, and the headers of tables in a plain text."""

from itertools import pairwise

import pytest

from qa.documents.sentences import segment
from qa.documents.tables import columns_of
from qa.types import Span
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


ROOMS = """Our rooms in 2026

Room        Seats   Rent a day   Note
Hall A        120       € 800    stage, bar
Cellar         40
Studio 2                € 120    no shoes
Ask the office for keys.
"""


def test_cells_aligned_by_spaces_have_names() -> None:
    assert _rows(ROOMS) == [
        [("Room", "Hall A"), ("Seats", "120"), ("Rent a day", "€ 800"), ("Note", "stage, bar")],
        [("Room", "Cellar"), ("Seats", "40")],
        [("Room", "Studio 2"), ("Rent a day", "€ 120"), ("Note", "no shoes")],
    ]


def test_cells_aligned_without_name_of_first_column() -> None:
    text = (
        "            Merino      Alpaca\nIron        1 dot       no\nSpin                    600\n"
    )
    assert _rows(text) == [
        [(None, "Iron"), ("Merino", "1 dot"), ("Alpaca", "no")],
        [(None, "Spin"), ("Alpaca", "600")],
    ]


def test_cells_aligned_below_a_rule_have_names() -> None:
    text = "Plan   2026\n-----------\nPro    all day\nBasic  mornings\n"
    assert _rows(text) == [
        [("Plan", "Pro"), ("2026", "all day")],
        [("Plan", "Basic"), ("2026", "mornings")],
    ]


def test_columns_of_an_aligned_row_tile_it() -> None:
    header = Span(ROOMS.index("Room  "), ROOMS.index("Note") + 4)
    row = Span(ROOMS.index("Cellar"), ROOMS.index("40") + 2)
    columns = columns_of(ROOMS, row, header)
    assert [column.value is not None for column in columns] == [True, True, False, False]
    assert columns[0].bounds.start == row.start
    assert columns[-1].bounds.end == row.end
    for left, right in pairwise(columns):
        assert left.bounds.end == right.bounds.start


@pytest.mark.parametrize(
    "text",
    [
        # Names with values, a form, a schedule, a receipt, a price list without names.
        "Centre    Friary Street\nDates     16 to 19 June\nSteward   Mrs Vickers, 07700 900\n",
        "Name: Talia    Born: 1991    Zone: 3\nName: Bo       Born: 1987    Zone: 4\nName: Cy       Born: 1990    Zone: 1\n",
        "6:30    Mon Tue    Laps, 6 lanes\n8:00    Wed        Aqua gym, 24 places\n9:00    Fri        Slide 2\n",
        "Shop receipt\n    oat milk    0.40\nTOTAL           11.88\nCard            11.88\n",
        "oak beam     2 m    40.50\npine beam    3 m    22.10\nfir beam     4 m    30.90\n",
        "F1    16 A    sockets, living room\nF2    16 A    sockets, bedrooms\nF3    10 A    all lights\n",
        # Two spaces after a full stop are no columns.
        "He came.  She left.  It rained on the 3rd.\nThey met.  All sat.  It was the 4th of May.\nThe end.  No more.  On 5 June it closed.\n",
    ],
)
def test_aligned_lines_without_certain_header_have_no_cells(text: str) -> None:
    assert _rows(text) == []


def test_lines_with_wide_gaps_are_not_joined() -> None:
    text = "Sat   9.30      Churchyard working party, bring loppers and a sack\nSun   10.00     one joint service only at Holy Cross, with posies, and a\nMon   7.30 pm   Lent group at the Bartletts, please ring if you need it\n"
    sentences = segment(text_document(text))
    assert [text[s.span.start : s.span.start + 3] for s in sentences] == ["Sat", "Sun", "Mon"]


def test_header_does_not_answer() -> None:
    sentences = segment(text_document("Name | Age\nBen | 44\nAna | 31\n"))
    assert [sentence.may_answer for sentence in sentences] == [False, True, True]
