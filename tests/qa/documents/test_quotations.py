"""Quoted mails stand below the mail that quotes them."""

import pytest

from qa.documents.load import from_bytes
from qa.documents.quotations import quotation_depth

THREAD = """From: Ann
Subject: Re: Tour

The tour moves to Friday.

> From: Bo
> The tour is on Thursday.
>> The tour is on Monday.
"""
WROTE = "Friday it is.\n\nOn 3 May, Bo wrote:\n> The tour is on Thursday.\n>> On 1 May, Cy wrote:\n>> Monday."
ORIGINAL = "From: Ann\nFriday it is.\n\n-----Original Message-----\nFrom: Bo\nIs it on Monday?\n"


@pytest.mark.parametrize(
    ("text", "depths"),
    [
        (THREAD, {"Friday": 0, "Thursday": 1, "Monday": 2}),
        (WROTE, {"Friday": 0, "Thursday": 1, "Monday": 2}),
        (ORIGINAL, {"Friday": 0, "Monday": 1}),
        ("From: Ann\n\nAll my own words on Friday.", {"Friday": 0}),
        # A quotation in a text that is not a mail.
        ("# Essay\n\nShe says:\n\n> The tour is on Thursday.", {"Thursday": 0}),
    ],
)
def test_quotation_depth_counts_signs_and_lines(text: str, depths: dict[str, int]) -> None:
    for word, depth in depths.items():
        assert quotation_depth(text, text.index(word)) == depth, word


def test_quotation_depth_of_an_eml_file() -> None:
    mail = (
        "From: a@x.example\nSubject: Tour\n\nThe tour moves to Friday.\n\n"
        "On 3 May, Bo wrote:\n> The tour is on Thursday.\n"
    )
    text = from_bytes("a.eml", mail.encode()).text
    assert quotation_depth(text, text.index("Friday")) == 0
    assert quotation_depth(text, text.index("Thursday")) == 1
