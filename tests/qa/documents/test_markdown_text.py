"""The writer of Markdown keeps the structure of tables, and its limits."""

import time

import pytest

from qa.documents.markdown_text import MarkdownWriter, SpanCell, flat_grid
from qa.documents.parsing import Limits, Unreadable


def test_flat_grid_header_of_two_rows_becomes_one() -> None:
    rows = [
        [SpanCell("Prices of 2024", columns=3)],
        [SpanCell("Room", rows=2), SpanCell("Rent", columns=2)],
        [SpanCell("Summer"), SpanCell("Winter")],
        [SpanCell("Hall"), SpanCell("800"), SpanCell("650")],
    ]
    captions, texts = flat_grid(rows, Limits())
    assert captions == ["Prices of 2024"]
    assert texts == [["Room", "Rent Summer", "Rent Winter"], ["Hall", "800", "650"]]


def test_flat_grid_empty_rows_below_a_wide_cell_are_bounded() -> None:
    """Nine bytes of HTML, an empty row, can become a thousand cells."""
    rows = [[SpanCell("a", columns=1_000, rows=1_000)], *[[] for _ in range(999)]]
    with pytest.raises(Unreadable, match="holds more than 100,000 characters"):
        flat_grid(rows, Limits(characters=100_000))


def test_code_of_blank_lines_takes_linear_time() -> None:
    start = time.process_time()
    writer = MarkdownWriter(Limits())
    writer.code("a" + "\n" * 200_000 + "b")
    # Quadratic time would be minutes.
    assert time.process_time() - start < 5
    assert writer.text().startswith("```\na\n")
