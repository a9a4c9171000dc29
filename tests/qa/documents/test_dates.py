"""Dates of documents: stated plainly or not known."""

from pathlib import Path

import pytest

from qa.documents.dates import document_date, read_date
from qa.documents.load import from_bytes, load

TEXT = "The mill grinds rye. It opened on 3 May 1999."


@pytest.mark.parametrize(
    ("words", "date"),
    [
        ("2024-03-11", "2024-03-11"),
        ("2024-03-11T09:00:00-05:00", "2024-03-11"),
        ("2024-03-11 09:00", "2024-03-11"),
        ("2024/03/05", "2024-03-05"),
        ("2024-03", "2024-03"),
        ("2024.", "2024"),
        ("4 February 2025 by the clerk", "2025-02-04"),
        ("the 4th", None),
        ("March 12, 2024", "2024-03-12"),
        ("Sept. 9, 2021", "2021-09-09"),
        ("Tue, 9 Apr 2024 16:02 +0200", "2024-04-09"),
        ("March 2024", "2024-03"),
    ],
)
def test_read_date_forms_with_one_reading(words: str, date: str | None) -> None:
    assert read_date(words) == date


@pytest.mark.parametrize(
    "words",
    ["11/03/2024", "31 February 2024", "2024-13-01", "2024-0815", "2024-25", "20245", "May 12"],
)
def test_read_date_doubtful_words_are_none(words: str) -> None:
    assert read_date(words) is None


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("minutes 2024-03-11.txt", "2024-03-11"),
        ("20240311_minutes.txt", "2024-03-11"),
        ("handbook_2022.txt", "2022"),
        ("2024/invoice.txt", "2024"),
        ("2023/2024-03/invoice.txt", "2024-03"),
        ("2023/budget 2024.txt", "2024"),
        ("budget-2023-2024.txt", None),
        ("invoice-2024-0815.txt", None),
        ("report-2024-25.txt", None),
        ("11-03-2024.txt", None),
        ("iso-9001.txt", None),
        ("v2024.1.txt", None),
        ("plan.txt", None),
    ],
)
def test_document_date_in_names(name: str, date: str | None) -> None:
    assert document_date(name, TEXT) == date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("---\ntitle: Mill\ndate: 2024-03-11\n---\n\nText.", "2024-03-11"),
        ('---\ndate: 2023-01-01\nlastmod: "2024-03-11"\n---\nText.', "2024-03-11"),
        ("# Mill\n\nLast updated: 11 March 2024\n\nText.", "2024-03-11"),
        ("# Mill\n\n*Prices and hours. Last edited 4 February 2025.*\n", "2025-02-04"),
        ("**Last update:** 2024-03\n", "2024-03"),
        ("From: Ann\nTo: Bo\nDate: Tue, 9 Apr 2024 16:02\n\nText.", "2024-04-09"),
        ("Subject: Mill\n\nFrom: Ann\n\nSent: 9 April 2024\n\nText.", "2024-04-09"),
    ],
)
def test_document_date_stated_in_text(text: str, date: str) -> None:
    """The text counts before the name of the file."""
    assert document_date("old 2019.txt", text) == date


@pytest.mark.parametrize(
    "text",
    [
        "Boat trip\n\nDate: 5 June 2024\nPlace: the pier",  # the date of what is announced
        "Notes\n\nThe filter was last updated 3 May 2024.",
        "Friday 1 March 2024\n\nDear parents",
        "Trip report\n\n" + "A line.\n" * 20 + "Last updated: 3 May 2024",
        "From: Ann\nTo: Bo\nSent: 2 May 2024\nDate: 3 May 2024\n\nText.",  # two dates
        "---\ntitle: Mill\ndate: soon\n---\n\nText.",
    ],
)
def test_document_date_of_something_else_is_none(text: str) -> None:
    assert document_date("notes.txt", text) is None


def test_document_date_is_linear_in_a_hostile_text() -> None:
    """Neither an endless front matter nor an endless line is gone over again and again."""
    for text in ("---\n" + "date:\n" * 400_000, "last updated " * 400_000, " \n" * 400_000):
        assert document_date("notes.txt", text) is None


def test_load_and_upload_read_the_date(tmp_path: Path) -> None:
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024/mill.txt").write_text(TEXT)
    assert load([tmp_path]).documents[0].date == "2024"
    assert from_bytes("mill 2023-05.txt", TEXT.encode()).date == "2023-05"
    mail = "From: Ann <ann@x.example>\nDate: Thu, 27 Mar 2025 21:14:02 +0000\n\nText."
    assert from_bytes("2019.eml", mail.encode()).date == "2025-03-27"
