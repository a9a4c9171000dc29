"""What sentences say that can be compared: one form however it was written, and what is none."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qa.text.english import MONTHS, WEEKDAYS
from qa.text.facts import (
    folded,
    initials,
    is_named_in,
    months_and_weekdays,
    names,
    quotations,
)
from qa.text.numbers import numbers


def _told(claim: str, evidence: str) -> bool:
    return all(number.is_among(numbers(evidence, ones=True)) for number in numbers(claim))


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
def test_a_number_has_one_value_however_it_is_written(written: str, value: float) -> None:
    assert [number.value for number in numbers(written)] == pytest.approx([value])


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
def test_what_is_no_number(text: str) -> None:
    assert numbers(text) == ()


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
def test_numbers_beside_each_other_stay_apart(text: str, values: list[float]) -> None:
    assert [number.value for number in numbers(text)] == values


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
def test_a_number_is_told_in_another_form(claim: str, evidence: str) -> None:
    assert _told(claim, evidence)


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
def test_another_number_is_not_told(claim: str, evidence: str) -> None:
    assert not _told(claim, evidence)


@given(st.integers(2, 999_999_999))
def test_every_whole_number_tells_itself_with_and_without_commas(value: int) -> None:
    assert _told(f"It has {value:,} of them.", f"{value}")
    assert not _told(f"{value}", f"{value * 2}")


PIECES = [
    *"AaBbZz İıſ\u212a’'‘&-.,㉠½²①ʰﬁǅ\u0301\u0307\u00ad 159٣",
    *(
        "Sam",
        "O'Sullivan",
        "U.S.",
        "'s",
        " two ",
        " third ",
        " half ",
        "one",
        "the two",
        "thousand",
    ),
    *("mİllion", "mıllion", "thİrd", "FRİDAY", " in May ", " about ", "2,000", " 10-15 ", "tn"),
]
"""What folding changes in length or in class, and what facts are made of."""
any_text = st.one_of(
    st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
)


@given(any_text)
@example("B㉠")
@example("Ze\u0301ro met Anna")
@example("x 'Sam said")
@example("A.Ba")
@example("A.b.C")
@example("2-5 mıllion")
@example("a thİrd")
@example("on FRİDAY")
@example("the two\thundred")
def test_any_text_has_its_own_facts(text: str) -> None:
    assert _told(text, text)
    assert months_and_weekdays(text) <= {name[:3].lower() for name in (*MONTHS, *WEEKDAYS)}
    assert all(is_named_in(name, text) for name in names(text))


@given(any_text)
@example("a \u2260 b")
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(("text", "other"), [("10²", "102"), ("1½", "11/2"), ("a ≠ b", "a = b")])
def test_folding_keeps_signs_that_mean_something_else(text: str, other: str) -> None:
    assert folded(text) != folded(other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("On Monday, September 9", "mon sep"),
        ("on monday", "mon"),
        ("SEPTEMBER 9", "sep"),
        ("9 Sept. 2020", "sep"),
        ("9 Sept 2020", "sep"),
        ("Sept. 9", "sep"),
        ("Tues., Sept. 9", "tue sep"),
        ("2020-09-09", "sep"),
        ("every Friday, on Mondays", "fri mon"),
        ("in May", "may"),
        ("they may march", ""),
        ("an august person", ""),
        ("It orbits the Sun.", ""),
        ("He sat. Jan. left", ""),
        ("Marchers and Mayors", ""),
    ],
)
def test_months_and_weekdays(text: str, found: str) -> None:
    assert months_and_weekdays(text) == frozenset(found.split())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mayor Ines Prado spoke in Lagos Bay.", ["Mayor Ines Prado", "Lagos Bay"]),
        ("What did Prado say?", ["Prado"]),
        ("Did Prado open it?", ["Prado"]),
        ("Bridges are long. Ferries are not.", []),
        ("US officials and U.S. troops", ["US", "U.S."]),
        ("She met Émile Zola and Łukasz.", ["Émile Zola", "Łukasz"]),
        ("It was with O’Brien and Jean-Luc", ["O’Brien", "Jean-Luc"]),
        ("It opened on Monday in May", []),
        ("“Nobody knew,” said Beck", ["Beck"]),
        ("", []),
    ],
)
def test_names(text: str, found: list[str]) -> None:
    assert list(names(text)) == found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Pakistani", "in Pakistan"),
        ("Iran", "Iranian officials"),
        ("Mexicans", "in Mexico"),
        ("Italy", "the Italians"),
        ("US", "the United States"),
        ("U.S.", "the US"),
        ("US", "the U.S. said"),
        ("United States", "the US said"),
        ("United States", "the U.S. said"),
        ("Prado’s", "Ines Prado"),
        ("Emile", "Émile Zola"),
        ("EU", "the European Union"),
    ],
)
def test_a_name_is_found_in_another_form(name: str, text: str) -> None:
    assert is_named_in(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Austria", "in Australia"),
        ("Niger", "in Nigeria"),
        ("India", "in Indiana"),
        ("Georgia", "said George"),
        ("US", "its status"),
        ("Prado", "Beck said"),
        ("Ines Prado", "Ines Beck"),
        ("UN", "the European Union"),
    ],
)
def test_another_name_is_not_that_one(name: str, text: str) -> None:
    assert not is_named_in(name, text)


def test_initials_are_those_of_runs_of_names() -> None:
    assert initials("the United States of America, said Karachi") == {"us", "sa", "usa"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("“They knew in spring,” Beck said.", ["They knew in spring,"]),
        ('He said "we knew it" and «they knew it».', ["we knew it", "they knew it"]),
        ("the so-called “old bridge”", []),
        ("“We waited … for nine long years”", ["for nine long years"]),
        ("“The [new] bridge is ours now”", ["bridge is ours now"]),
        ("It’s the town’s and the mayor’s", []),
    ],
)
def test_quotations(text: str, found: list[str]) -> None:
    assert list(quotations(text)) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“It’s  Émile”", '"it\'s\nemile"'),
        ("a–b—c‑d−e", "a-b-c-d-e"),
        ("co\u00adope\u200bration", "cooperation"),
        ("Straße ﬁne", "STRASSE fine"),
    ],
)
def test_folded_is_one_form(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_folding_keeps_letters_apart_that_differ() -> None:
    assert folded("कि") != folded("का")
