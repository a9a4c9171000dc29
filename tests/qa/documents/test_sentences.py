"""Sentences are exact, in order and complete."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.documents.sentences import MAX_SENTENCE, segment
from qa.text.language import LANGUAGES
from qa.types import Document
from tests.properties import examples
from tests.qa.fakes import text_document
from tests.qa.texts import NEWS, texts


def _texts(document: Document) -> list[str]:
    return [document.text[s.span.start : s.span.end] for s in segment(document)]


@pytest.mark.slow
@examples(300)
@given(texts, st.booleans())
def test_segment_ordered_trimmed_no_overlap(text: str, markdown: bool) -> None:
    end = 0
    for sentence in segment(text_document(text, markdown=markdown)):
        assert end <= sentence.span.start < sentence.span.end <= len(text)
        words = text[sentence.span.start : sentence.span.end]
        assert words == words.strip()
        end = sentence.span.end


@examples(300)
@given(texts)
def test_segment_covers_all_characters(
    text: str,
) -> None:
    """Every character of a plain text is in a sentence, except white space and list markers."""
    covered = {at for s in segment(text_document(text)) for at in range(s.span.start, s.span.end)}
    outside = [text[at] for at in range(len(text)) if at not in covered and not text[at].isspace()]
    assert set(outside) <= set("-*+•–.)0123456789")


def test_segment_quotation_keeps_its_speaker() -> None:
    document = text_document("“We won. We will rest,” Prado told them. Then it rained.")
    assert _texts(document) == ["“We won. We will rest,” Prado told them.", "Then it rained."]


def test_segment_long_quotation_is_split() -> None:
    inner = "We waited and waited for it. " * 30
    sentences = segment(text_document(f"“{inner}” said Prado."))
    assert len(sentences) >= 30
    assert all(len(s.span) <= MAX_SENTENCE for s in sentences)


def test_segment_wrapped_lines_one_paragraph() -> None:
    document = text_document(
        "The committee met on Monday to speak about the\nbudget for the year and could not agree on the\n"
        "sums. It will meet again.\n\nThe mayor left.\n"
    )
    assert [words.split()[0] for words in _texts(document)] == ["The", "It", "The"]
    assert [s.paragraph for s in segment(document)] == [0, 0, 1]


def test_segment_markdown_without_markup() -> None:
    """Headings and code do not answer."""
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
    "question", ["Q: When did you come?", "INTERVIEWER: “What was the worst storm?”", "誰ですか？"]
)
def test_segment_question_may_not_answer(question: str) -> None:
    found = segment(text_document(f"{question}\nA: In 1991, after the mill had closed.\n"))
    assert [s.may_answer for s in found] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "Wifi password: hunter2\n",
        "Ana,Rome,31\nBen,Oslo,44\nCem,Bonn,12\n",
        "apples\npears\nplums\nfigs\n",
        "यह एक पुल है।\n",
    ],
)
def test_segment_lines_of_values_may_answer(text: str) -> None:
    assert all(s.may_answer for s in segment(text_document(text)))


def test_segment_title_and_subtitle_are_headings() -> None:
    assert [s.kind for s in segment(text_document(NEWS))][:3] == ["heading", "heading", "prose"]


def test_segment_log_lines_not_joined() -> None:
    text = "".join(
        f"2024-05-{day} 12:00:01 INFO the pump number {day} has started its work\n"
        for day in range(10, 30)
    )
    assert len(segment(text_document(text))) == 20


def test_segment_german_by_the_rules_of_german() -> None:
    """A date and an abbreviation do not end a sentence."""
    text = "Der Vertrag beginnt am 3. Mai. Die Wohnung liegt in der Str. 5 in Bonn. Sie ist hell."
    assert len(_texts(text_document(text))) > 3
    assert _texts(replace(text_document(text), language="de")) == [
        "Der Vertrag beginnt am 3. Mai.",
        "Die Wohnung liegt in der Str. 5 in Bonn.",
        "Sie ist hell.",
    ]


def test_segment_japanese_at_its_full_stops() -> None:
    text = "博物館は九時に開きます。入場料はいくらですか？駐車場はありません！"
    sentences = segment(replace(text_document(text), language="ja"))
    assert [text[s.span.start : s.span.end] for s in sentences] == [
        "博物館は九時に開きます。",
        "入場料はいくらですか？",
        "駐車場はありません！",
    ]
    assert [s.is_question for s in sentences] == [False, True, False]


def test_segment_long_japanese_is_cut_after_a_mark() -> None:
    text = "川に沿って歩き、" * 200
    pieces = _texts(replace(text_document(text), language="ja"))
    assert len(pieces) > 2
    assert all(piece.endswith("、") for piece in pieces)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_segment_has_rules_for_every_language(language: str) -> None:
    document = replace(text_document("Ana 3 Bonn. Ben 4 Rome."), language=language)
    assert "".join(_texts(document)).replace(" ", "") == document.text.replace(" ", "")


def test_segment_text_without_marks_is_cut() -> None:
    document = text_document("and then we went on along the river " * 400)
    found = segment(document)
    assert all(len(s.span) <= MAX_SENTENCE for s in found)
    assert "".join(document.text[s.span.start : s.span.end] for s in found).replace(
        " ", ""
    ) == document.text.replace(" ", "")


@pytest.mark.parametrize("mark", ["**", "*", "__", "***"])
def test_closing_emphasis_does_not_open_the_next_sentence(mark: str) -> None:
    text = f"{mark}Is there a minimum order?{mark}\nNo, but a small order costs more.\n"
    document = Document("", "", "", text, markdown=True)
    question, answer = (document.text_of(sentence.span) for sentence in segment(document))
    assert question == f"{mark}Is there a minimum order?"
    assert answer == "No, but a small order costs more."
