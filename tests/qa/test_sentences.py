"""Sentences: exact, in order, complete; appeals and repeats do not answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.sentences import LONG_QUOTATION, Sentence, segment
from qa.types import Document
from tests.qa.fakes import text_document
from tests.qa.texts import NEWS, texts


def _texts(document: Document) -> list[str]:
    return [document.text[s.span.start : s.span.end] for s in segment(document)]


def _found(document: Document, beginning: str) -> list[Sentence]:
    return [s for s in segment(document) if document.text[s.span.start :].startswith(beginning)]


@settings(deadline=None, max_examples=300)
@given(texts, st.booleans())
def test_sentences_are_in_order_without_overlap_or_white_space_at_the_ends(text: str, markdown: bool) -> None:
    end = 0
    for sentence in segment(text_document(text, markdown=markdown)):
        assert end <= sentence.span.start < sentence.span.end <= len(text)
        words = text[sentence.span.start : sentence.span.end]
        assert words == words.strip()
        end = sentence.span.end


@settings(deadline=None, max_examples=300)
@given(texts)
def test_every_character_of_a_plain_text_but_white_space_and_item_marks_is_in_a_sentence(text: str) -> None:
    covered = {at for s in segment(text_document(text)) for at in range(s.span.start, s.span.end)}
    outside = [text[at] for at in range(len(text)) if at not in covered and not text[at].isspace()]
    assert set(outside) <= set("-*+•–.)0123456789")


@settings(deadline=None, max_examples=200)
@given(texts, st.booleans())
def test_an_echo_names_a_sentence_that_is_no_echo(text: str, markdown: bool) -> None:
    sentences = segment(text_document(text, markdown=markdown))
    for sentence in sentences:
        if sentence.echo_of is not None:
            assert sentences[sentence.echo_of].echo_of is None


def test_a_quotation_keeps_the_words_that_say_who_spoke() -> None:
    document = text_document("“We won. We will rest,” Prado told them. Then it rained.")
    assert _texts(document) == ["“We won. We will rest,” Prado told them.", "Then it rained."]


def test_a_very_long_quotation_is_split() -> None:
    inner = "We waited and waited for it. " * 30
    sentences = segment(text_document(f"“{inner}” said Prado."))
    assert len(sentences) >= 30
    assert all(len(s.span) <= LONG_QUOTATION for s in sentences)


def test_hand_wrapped_lines_are_one_paragraph() -> None:
    document = text_document(
        "The committee met on Monday to speak about the\nbudget for the year and could not agree on the\n"
        "sums. It will meet again.\n\nThe mayor left.\n"
    )
    assert [words.split()[0] for words in _texts(document)] == ["The", "It", "The"]
    assert [s.paragraph for s in segment(document)] == [0, 0, 1]


def test_markdown_marks_are_left_out_and_headings_and_code_do_not_answer() -> None:
    text = "# Rules\n\nRead **this** first.\n\n- one apple\n  1. two pears\n\n> said so.\n\n```\nmake x\n```\n\n" + (
        "| name | age |\n|---|---|\n| Ana | 31 |\n"
    )
    document = text_document(text, markdown=True)
    kinds = {document.text[s.span.start : s.span.end]: s.kind for s in segment(document)}
    assert kinds["Rules"] == "heading"
    assert kinds["Read **this** first."] == "prose"
    assert kinds["one apple"] == kinds["two pears"] == "item"
    assert kinds["| Ana | 31 |"] == "row"
    assert [s.answers for s in segment(document) if s.kind in ("heading", "code")] == [False, False]


@pytest.mark.parametrize(
    "line",
    ["Enjoying this story?", "Subscribe to our newsletter", "Our reporters work for you every day."],
)
def test_a_line_of_an_appeal_is_boilerplate(line: str) -> None:
    (sentence,) = _found(text_document(NEWS), line)
    assert sentence.boilerplate
    assert not sentence.answers


@pytest.mark.parametrize(
    "paragraph",
    [
        "The museum will give to the school all the paintings that its founder had collected in the years after the "
        "war, and the newsletter of the town says that the school will donate the rest to the hospital next spring.",
        "The committee recommended a ban.\nStaff must log in daily.\nShe said cookies were on sale.",
        "The bridge cost 48 million euros, twice the budget of the council.\nSubscribe to our newsletter\nYes.",
    ],
)
def test_what_is_told_with_the_words_of_appeals_is_not_boilerplate(paragraph: str) -> None:
    assert not segment(text_document(paragraph))[0].boilerplate


def test_a_pull_quote_is_an_echo_of_the_sentence_that_says_who_spoke() -> None:
    document = text_document(NEWS)
    pull, (full,) = _found(document, "This bridge belongs"), _found(document, "“This bridge belongs")
    assert [s.answers for s in pull] == [False]
    assert pull[0].echo_of == segment(document).index(full)
    assert full.answers


def test_of_two_equal_sentences_the_quoted_one_stays_and_else_the_first() -> None:
    words = "Nobody will ever pay a toll to cross this bridge again."
    quoted = segment(text_document(f"{words}\n“{words}”\n"))
    assert [s.answers for s in quoted] == [False, True]
    same = segment(text_document(f"{words}\nThe rain fell on the harbor all of that day.\n{words}\n"))
    assert [s.answers for s in same] == [True, True, False]


def test_sentences_that_differ_in_what_they_tell_are_no_echoes() -> None:
    document = text_document(
        "Profits at the northern plant rose by nine percent over the last year.\n"
        "Profits at the southern plant fell by two percent over the past decade.\n"
    )
    assert all(s.answers for s in segment(document))


def test_three_thousand_lines_alike_take_no_quadratic_time() -> None:
    assert len(segment(text_document("The same line of words stands here again.\n" * 3000))) == 3000
