"""Sentences: exact, in order, complete; appeals and repeats do not answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.documents.load import load
from qa.documents.sentences import MAX_SENTENCE, Sentence, segment
from qa.types import Document
from tests.properties import examples
from tests.qa.conftest import SEEDS
from tests.qa.fakes import text_document
from tests.qa.texts import NEWS, texts


def _texts(document: Document) -> list[str]:
    return [document.text[s.span.start : s.span.end] for s in segment(document)]


def _found(document: Document, beginning: str) -> list[Sentence]:
    return [s for s in segment(document) if document.text[s.span.start :].startswith(beginning)]


@examples(300)
@given(texts, st.booleans())
def test_sentences_are_in_order_without_overlap_or_white_space_at_the_ends(
    text: str, markdown: bool
) -> None:
    end = 0
    for sentence in segment(text_document(text, markdown=markdown)):
        assert end <= sentence.span.start < sentence.span.end <= len(text)
        words = text[sentence.span.start : sentence.span.end]
        assert words == words.strip()
        end = sentence.span.end


@examples(300)
@given(texts)
def test_every_character_of_a_plain_text_but_white_space_and_item_marks_is_in_a_sentence(
    text: str,
) -> None:
    covered = {at for s in segment(text_document(text)) for at in range(s.span.start, s.span.end)}
    outside = [text[at] for at in range(len(text)) if at not in covered and not text[at].isspace()]
    assert set(outside) <= set("-*+•–.)0123456789")


@examples(200)
@given(texts, st.booleans())
def test_an_echo_names_a_sentence_that_is_no_echo(text: str, markdown: bool) -> None:
    sentences = segment(text_document(text, markdown=markdown))
    for sentence in sentences:
        if sentence.duplicate_of is not None:
            assert sentences[sentence.duplicate_of].duplicate_of is None


def test_a_quotation_keeps_the_words_that_say_who_spoke() -> None:
    document = text_document("“We won. We will rest,” Prado told them. Then it rained.")
    assert _texts(document) == ["“We won. We will rest,” Prado told them.", "Then it rained."]


def test_a_very_long_quotation_is_split() -> None:
    inner = "We waited and waited for it. " * 30
    sentences = segment(text_document(f"“{inner}” said Prado."))
    assert len(sentences) >= 30
    assert all(len(s.span) <= MAX_SENTENCE for s in sentences)


def test_hand_wrapped_lines_are_one_paragraph() -> None:
    document = text_document(
        "The committee met on Monday to speak about the\nbudget for the year and could not agree on the\n"
        "sums. It will meet again.\n\nThe mayor left.\n"
    )
    assert [words.split()[0] for words in _texts(document)] == ["The", "It", "The"]
    assert [s.paragraph for s in segment(document)] == [0, 0, 1]


def test_markdown_marks_are_left_out_and_headings_and_code_do_not_answer() -> None:
    text = (
        "# Rules\n\nRead **this** first.\n\n- one apple\n  1. two pears\n\n> said so.\n\n```\nmake x\n```\n\n"
        + ("| name | age |\n|---|---|\n| Ana | 31 |\n")
    )
    document = text_document(text, markdown=True)
    kinds = {document.text[s.span.start : s.span.end]: s.kind for s in segment(document)}
    assert kinds["Rules"] == "heading"
    assert kinds["Read **this** first."] == "prose"
    assert kinds["one apple"] == kinds["two pears"] == "item"
    assert kinds["| Ana | 31 |"] == "row"
    assert [s.may_answer for s in segment(document) if s.kind in ("heading", "code")] == [
        False,
        False,
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Enjoying this story?",
        "Subscribe to our newsletter",
        "Our reporters work for you every day.",
    ],
)
def test_a_line_of_an_appeal_is_boilerplate(line: str) -> None:
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
def test_what_is_told_with_the_words_of_appeals_is_not_boilerplate(paragraph: str) -> None:
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
def test_a_line_that_only_a_web_page_has_is_boilerplate_by_itself(line: str) -> None:
    text = (
        f"The bridge over the bay cost 48 million euros, which is twice the first budget.\n{line}\n"
    )
    told, *rest = segment(text_document(text))
    assert told.may_answer
    assert rest
    assert not any(s.may_answer for s in rest)


def test_the_words_of_the_appeal_of_the_seed_article_do_not_answer() -> None:
    (document,) = load([SEEDS]).documents
    silent = [document.text[s.span.start : s.span.end] for s in segment(document) if s.boilerplate]
    assert silent[0] == "This holiday season, give to:"
    assert silent[-1] == "We report with just one agenda: the truth."
    assert len(silent) == 6


def test_a_pull_quote_is_an_echo_of_the_sentence_that_says_who_spoke() -> None:
    document = text_document(NEWS)
    pull, (full,) = (
        _found(document, "This bridge belongs"),
        _found(document, "“This bridge belongs"),
    )
    assert [s.may_answer for s in pull] == [False]
    assert pull[0].duplicate_of == segment(document).index(full)
    assert full.may_answer


def test_of_two_equal_sentences_the_quoted_one_stays_and_else_the_first() -> None:
    words = "Nobody will ever pay a toll to cross this bridge again."
    quoted = segment(text_document(f"{words}\n“{words}”\n"))
    assert [s.may_answer for s in quoted] == [False, True]
    same = segment(
        text_document(f"{words}\nThe rain fell on the harbor all of that day.\n{words}\n")
    )
    assert [s.may_answer for s in same] == [True, True, False]


def test_sentences_that_differ_in_what_they_tell_are_no_echoes() -> None:
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
def test_one_other_name_number_or_denial_is_another_statement(one: str, other: str) -> None:
    assert [s.may_answer for s in segment(text_document(f"{one}\n{other}\n"))] == [True, True]


@pytest.mark.parametrize(
    "question", ["Q: When did you come?", "INTERVIEWER: “What was the worst storm?”", "誰ですか？"]
)
def test_a_question_does_not_answer(question: str) -> None:
    found = segment(text_document(f"{question}\nA: In 1991, after the mill had closed.\n"))
    assert [s.may_answer for s in found] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "Wifi password: hunter2\n",
        "name,city,age\nAna,Rome,31\nBen,Oslo,44\n",
        "apples\npears\nplums\nfigs\n",
        "यह एक पुल है।\n",
    ],
)
def test_lines_that_are_no_headings_may_answer(text: str) -> None:
    assert all(s.may_answer for s in segment(text_document(text)))


def test_a_title_and_its_subtitle_are_headings() -> None:
    assert [s.kind for s in segment(text_document(NEWS))][:3] == ["heading", "heading", "prose"]


def test_lines_of_a_log_are_not_joined() -> None:
    text = "".join(
        f"2024-05-{day} 12:00:01 INFO the pump number {day} has started its work\n"
        for day in range(10, 30)
    )
    assert len(segment(text_document(text))) == 20


def test_a_text_without_any_mark_is_cut_to_sentences_that_fit() -> None:
    document = text_document("and then we went on along the river " * 400)
    found = segment(document)
    assert all(len(s.span) <= MAX_SENTENCE for s in found)
    assert "".join(document.text[s.span.start : s.span.end] for s in found).replace(
        " ", ""
    ) == document.text.replace(" ", "")


def test_three_thousand_lines_alike_take_no_quadratic_time() -> None:
    assert len(segment(text_document("The same line of words stands here again.\n" * 3000))) == 3000
