"""Dates, names and quotations have one form however they are written."""

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qa.text.english import MONTHS, WEEKDAYS
from qa.text.facts import (
    folded,
    initials_in,
    missing_names,
    months_and_weekdays,
    names_in,
    quotations_in,
)
from qa.text.numbers import numbers_in


def _is_stated(claim: str, evidence: str) -> bool:
    return all(
        number.is_among(numbers_in(evidence, include_ones=True)) for number in numbers_in(claim)
    )


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
def test_facts_any_text_has_its_own_facts(text: str) -> None:
    """A text states its own numbers, dates and names, whatever folding does to its letters."""
    assert _is_stated(text, text)
    assert months_and_weekdays(text) <= {name[:3].lower() for name in (*MONTHS, *WEEKDAYS)}
    assert missing_names(names_in(text), text) == []


@given(any_text)
@example("a \u2260 b")
def test_folded_twice_same_as_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(("text", "other"), [("10²", "102"), ("1½", "11/2"), ("a ≠ b", "a = b")])
def test_folded_signs_keep_their_meaning(text: str, other: str) -> None:
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
def test_months_and_weekdays_by_three_letters(text: str, found: str) -> None:
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
def test_names_runs_of_capitals(text: str, found: list[str]) -> None:
    assert list(names_in(text)) == found


def test_names_of_long_text_take_linear_time() -> None:
    """Four times the text takes about four times as long, not sixteen times."""
    short = "“ Anna  met the Mayor. " * 10_000
    assert _seconds(names_in, 4 * short) < 10 * _seconds(names_in, short)


def _seconds(function: Callable[[str], object], text: str) -> float:
    """Returns the shortest duration of two calls."""
    durations = []
    for _ in range(2):
        start = time.perf_counter()
        function(text)
        durations.append(time.perf_counter() - start)
    return min(durations)


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
def test_missing_names_other_form_is_not_missing(name: str, text: str) -> None:
    assert missing_names([name], text) == []


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
def test_missing_names_other_name_is_missing(name: str, text: str) -> None:
    assert missing_names([name], text) == [name]


def test_initials_parts_of_a_name() -> None:
    assert initials_in("the United States of America, said Karachi") == {"us", "sa", "usa"}


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
def test_quotations_three_words_or_more(text: str, found: list[str]) -> None:
    assert list(quotations_in(text)) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“It’s  Émile”", '"it\'s\nemile"'),
        ("a–b—c‑d−e", "a-b-c-d-e"),
        ("co\u00adope\u200bration", "cooperation"),
        ("Straße ﬁne", "STRASSE fine"),
    ],
)
def test_folded_variants_same_form(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_folded_vowel_signs_kept_apart() -> None:
    assert folded("कि") != folded("का")
