"""Boilerplate and duplicates do not answer, and nothing else is taken for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.documents.load import load
from qa.documents.sentences import Sentence, segment
from qa.types import Document
from tests.properties import examples
from tests.qa.conftest import SEEDS
from tests.qa.fakes import text_document
from tests.qa.texts import NEWS, texts


def _found(document: Document, beginning: str) -> list[Sentence]:
    return [s for s in segment(document) if document.text[s.span.start :].startswith(beginning)]


@examples(200)
@given(texts, st.booleans())
def test_duplicate_of_names_a_sentence_that_is_kept(text: str, markdown: bool) -> None:
    sentences = segment(text_document(text, markdown=markdown))
    for sentence in sentences:
        if sentence.duplicate_of is not None:
            assert sentences[sentence.duplicate_of].duplicate_of is None


@pytest.mark.parametrize(
    "line",
    [
        "Enjoying this story?",
        "Subscribe to our newsletter",
        "Our reporters work for you every day.",
    ],
)
def test_boilerplate_lines_of_an_appeal(line: str) -> None:
    (sentence,) = _found(text_document(NEWS), line)
    assert sentence.boilerplate
    assert not sentence.may_answer


@pytest.mark.parametrize(
    "paragraph",
    [
        "The museum will give to the school all the paintings that its founder had collected in the years after the "
        "war, and the newsletter of the town says that the school will donate the rest to the hospital next spring.",
        "The committee recommended a ban.\nStaff must log in daily.\nShe said cookies were on sale.",
        "The bridge cost 48 million euros, twice the budget of the council.\nSubscribe to our newsletter\nYes.",
        "The free trial lasts 30 days.\nYour contribution is 5 percent of your salary.\nCopyright lasts 70 years.",
        "Log in to the panel with code 0000.\nSubscribe to a topic before you publish to it.\nDonate nothing.",
        "1. Fill the tank.\n2. Log in to the panel with code 0000.\n3. Press Rinse.",
        "The library opens at nine.\nRead more\nThe pool is closed.\nThe museum is open.",
    ],
)
def test_boilerplate_not_news_with_words_of_appeals(paragraph: str) -> None:
    document = text_document(paragraph)
    told = [s for s in segment(document) if document.text[s.span.start : s.span.end] not in CALLS]
    assert told[0].span.start < 5
    assert not any(s.boilerplate for s in told[:3])


CALLS = frozenset({"Subscribe to our newsletter", "Yes.", "Read more"})


@pytest.mark.parametrize(
    "line",
    [
        "Chip in today and keep local news alive in Vessby.",
        "Become a member from 5 euros a month.",
        "Sign up for our morning briefing",
        "Donate now",
        "This holiday season, give to:",
        "Photo: Ana Ruiz",
        "Story continues below",
        "© 2024 The Bay Times. All rights reserved.",
        "Read more: How the bridge was built",
    ],
)
def test_boilerplate_page_furniture_by_itself(line: str) -> None:
    text = (
        f"The bridge over the bay cost 48 million euros, which is twice the first budget.\n{line}\n"
    )
    told, *rest = segment(text_document(text))
    assert told.may_answer
    assert rest
    assert not any(s.may_answer for s in rest)


def test_boilerplate_appeal_in_seed_article() -> None:
    (document,) = load([SEEDS]).documents
    silent = [document.text[s.span.start : s.span.end] for s in segment(document) if s.boilerplate]
    assert silent[0] == "This holiday season, give to:"
    assert silent[-1] == "We report with just one agenda: the truth."
    assert len(silent) == 6


def test_duplicate_pull_quote_of_sentence_with_speaker() -> None:
    document = text_document(NEWS)
    pull, (full,) = (
        _found(document, "This bridge belongs"),
        _found(document, "“This bridge belongs"),
    )
    assert [s.may_answer for s in pull] == [False]
    assert pull[0].duplicate_of == segment(document).index(full)
    assert full.may_answer


def test_duplicate_equal_quoted_or_first_is_kept() -> None:
    words = "Nobody will ever pay a toll to cross this bridge again."
    quoted = segment(text_document(f"{words}\n“{words}”\n"))
    assert [s.may_answer for s in quoted] == [False, True]
    same = segment(
        text_document(f"{words}\nThe rain fell on the harbor all of that day.\n{words}\n")
    )
    assert [s.may_answer for s in same] == [True, True, False]


def test_duplicate_not_for_other_content() -> None:
    document = text_document(
        "Profits at the northern plant rose by nine percent over the last year.\n"
        "Profits at the southern plant fell by two percent over the past decade.\n"
    )
    assert all(s.may_answer for s in segment(document))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Sweden requires hotels on quays to keep public access to the water at all times.",
            "Norway requires hotels on quays to keep public access to the water at all times.",
        ),
        (
            "A monthly ticket for all who live in the city is 40 euros.",
            "A monthly ticket for all who live in the city is 60 euros for families.",
        ),
        (
            "The mayor had known of the costs since the spring of that year.",
            "It is false that the mayor had known of the costs since the spring of that year.",
        ),
    ],
)
def test_duplicate_not_with_other_name_number_denial(one: str, other: str) -> None:
    assert [s.may_answer for s in segment(text_document(f"{one}\n{other}\n"))] == [True, True]


def test_segment_many_equal_lines_in_linear_time() -> None:
    assert len(segment(text_document("The same line of words stands here again.\n" * 3000))) == 3000
