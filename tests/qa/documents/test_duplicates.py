"""Duplicates do not answer, and nothing else is taken for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.documents.sentences import Sentence, segment
from qa.types import Document
from tests.properties import examples
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
