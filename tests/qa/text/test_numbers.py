"""Numbers have one value however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.text.numbers import numbers_in


def _is_stated(claim: str, evidence: str) -> bool:
    return all(
        number.is_among(numbers_in(evidence, include_ones=True)) for number in numbers_in(claim)
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2,000", 2000),
        ("2\u00a0000", 2000),
        ("two thousand", 2000),
        ("Two Thousand", 2000),
        ("a hundred", 100),
        ("one hundred and five", 105),
        ("two hundred thousand", 200_000),
        ("12 hundred", 1200),
        ("$6 trillion", 6e12),
        ("6 trillion dollars", 6e12),
        ("US$6tn", 6e12),
        ("six trillion", 6e12),
        ("a 6-billion-dollar loan", 6e9),
        ("a million", 1e6),
        ("a million-dollar loan", 1e6),
        ("2.5 million", 2.5e6),
        ("2.5 thousand", 2500),
        ("1.5bn", 1.5e9),
        ("$6B", 6e9),
        ("half a million", 500_000),
        ("half-million", 500_000),
        ("a quarter of a million", 250_000),
        ("one and a half million", 1.5e6),
        ("two and a half years", 2.5),
        ("half", 0.5),
        ("three quarters", 0.75),
        ("two-thirds", 2 / 3),
        ("a dozen", 12),
        ("two dozen", 24),
        ("half a dozen", 6),
        ("3.5", 3.5),
        (".5", 0.5),
        ("Rs.5,000", 5000),
        ("10km", 10),
        ("the third man", 3),
        ("3rd", 3),
        ("twenty-first century", 21),
        ("twenty one", 21),
        ("a ten-year plan", 10),
        ("a 10-year plan", 10),
        ("nine o'clock", 9),
        ("1990s", 1990),
        ("zero", 0),
        ("two boats", 2),
        ("the two thousand", 2000),
        ("the two and a half years", 2.5),
        ("1 person", 1),
        ("the 1st", 1),
    ],
)
def test_numbers_any_spelling_same_value(written: str, value: float) -> None:
    assert [number.value for number in numbers_in(written)] == pytest.approx([value])


@pytest.mark.parametrize(
    "text",
    [
        "one of them",
        "at first",
        "No one came.",
        "hundreds of people",
        "tens of thousands",
        "a couple",
        "O no",
        "B2B",
        "",
    ],
)
def test_numbers_words_that_do_not_count_none(text: str) -> None:
    assert numbers_in(text) == ()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("five, six and seven", [5, 6, 7]),
        ("five 100-page books", [5, 100]),
        ("2,000-2,500", [2000, 2500]),
        ("10:30 on 9/11", [10, 30, 9, 11]),
        ("columns 3 100", [3, 100]),
        ("between 5 and 10 percent", [5, 10]),
    ],
)
def test_numbers_adjacent_kept_apart(text: str, values: list[float]) -> None:
    assert [number.value for number in numbers_in(text)] == values


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("2,000 people came", "two thousand people came"),
        ("1 person was hurt", "One person was hurt"),
        ("the 1st prize", "the first prize"),
        ("One was hurt", "A man was hurt"),
        ("the 10-year plan", "the ten-year plan"),
        ("10 metres deep", "10 m deep"),
        ("10 metres deep", "10m deep"),
        ("10 million people", "10m people"),
        ("10 million to 15 million", "10-15 million"),
        ("between $5 million and $10 million", "between $5 and $10 million"),
        ("about 2,000 came", "1,987 came"),
        ("more than 40 million ounces", "41.5 million ounces"),
        ("nearly half a million", "489,000 people"),
        ("2,000 came", "about 2,000 came"),
        ("half of them", "50% of them"),
        ("a third person", "the third person"),
        ("thousands came", "2,300 came"),
    ],
)
def test_is_among_same_number_other_form_true(claim: str, evidence: str) -> None:
    assert _is_stated(claim, evidence)


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("2,000 came", "3,000 came"),
        ("2,000 came", "1,987 came"),
        ("about 2,000 came", "about 3,000 came"),
        ("$6 trillion", "$6 billion"),
        ("6 trillion", "6"),
        ("1.5 million", "1.4 million"),
        ("in 1998", "in 1999"),
        ("1,000 came", "thousands came"),
        ("a third of them", "a quarter of them"),
        ("3", ""),
    ],
)
def test_is_among_other_number_false(claim: str, evidence: str) -> None:
    assert not _is_stated(claim, evidence)


@given(st.integers(2, 999_999_999))
def test_is_among_whole_number_with_commas_equals_itself(value: int) -> None:
    assert _is_stated(f"It has {value:,} of them.", f"{value}")
    assert not _is_stated(f"{value}", f"{value * 2}")
