"""The HTML of answers and documents: escaped, complete, and marked where the citations say."""

import re
from dataclasses import replace
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer.citations import cite as full_cite
from qa.types import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Passage,
    RankedPassage,
    Reason,
    Span,
    Support,
    Why,
)
from ui.chat.render import (
    actions_html,
    announcement,
    answer_html,
    conversations_html,
    error_html,
    evidence_html,
    examples_html,
    notes,
    question_html,
    stage_html,
    stopped_html,
    why_html,
    words_html,
)
from ui.chat.source import CHANGED, GONE, Opened, opened_at, pane_html
from ui.chat.transcript import Told
from ui.highlight import Mark, cropped, document_html, marked_html

TEXT = "Cats sleep. Dogs <b>bark</b> & run.\n\nBirds sing 'loudly'.\n"
EVIL = "\"><script>alert('x')</script>&amp;"


def document(text: str = TEXT, name: str = "pets.txt", title: str = "Pets") -> Document:
    return Document(name, f"/{name}", title, text, publisher="The Zoo")


def cite(of: Document, quote: str) -> Citation:
    start = of.text.index(quote)
    return Citation(of.name, of.title, of.version, start, start + len(quote), quote)


def told(*sentences: AnswerSentence) -> Told:
    return Told.of(Answer("Q?", "Q?", "x", None, 1.0, sentences, (), "built-in"), 0.5)


def answer(
    of: Document, *quotes: str, support: Support = "verbatim", reason: Reason | None = None
) -> Told:
    sentences = tuple(AnswerSentence(quote, support, (cite(of, quote),)) for quote in quotes)
    ranked = RankedPassage(Passage(of, Span(0, len(of.text))), 1.0, Why(1, 1, 0.5))
    given = Answer(
        "Q?", "Q?", " ".join(quotes) or "Not here.", reason, 0.9, sentences, (ranked,), "built-in"
    )
    return Told.of(given, 0.5)


def plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def marked(html: str, number: int) -> str:
    """The text of the pieces that name a footnote."""
    pieces = re.findall(r'<mark data-notes="([\d ]+)"[^>]*>(.*?)</mark>', html, re.DOTALL)
    return "".join(unescape(text) for numbers, text in pieces if str(number) in numbers.split())


def test_every_text_is_escaped() -> None:
    of = document(f"{EVIL} one. {EVIL} two.", f"{EVIL}.txt", EVIL)
    given_answer = answer(of, f"{EVIL} one.", support="weak")
    refusal = answer(of, reason="not_in_documents")
    opened = opened_at(notes(given_answer)[0], notes(given_answer))
    pages = [
        answer_html(given_answer),
        answer_html(refusal),
        error_html(EVIL),
        question_html(EVIL, EVIL),
        examples_html([EVIL]),
        stage_html(EVIL),
        *(pane_html(opened, found) for found in (of, None, document("else", of.name, EVIL))),
    ]
    for page in pages:
        assert "<script" not in page
        # Nor does a quotation mark end an attribute: a tag whose attributes are well formed is all there is.
        assert not re.sub(r'</?[a-z0-9]+(?: [a-z-]+(?:="[^"<>]*")?)*>|[^<>]', "", page)


def test_the_document_is_kept_whole() -> None:
    html = document_html(TEXT, [Mark(1, 5, 30), Mark(2, 40, 45)])
    assert plain(html) == TEXT


def test_marks_nest_overlap_and_touch() -> None:
    text = "abcdefghij"
    assert document_html(text, [Mark(1, 0, 6), Mark(2, 2, 4)]) == (
        '<p><mark data-notes="1" data-label="1">ab</mark><mark data-notes="1 2" data-label="2">cd</mark>'
        '<mark data-notes="1">ef</mark>ghij</p>'
    )
    assert document_html(text, [Mark(1, 0, 4), Mark(2, 2, 6)]) == (
        '<p><mark data-notes="1" data-label="1">ab</mark><mark data-notes="1 2" data-label="2">cd</mark>'
        '<mark data-notes="2">ef</mark>ghij</p>'
    )
    assert document_html(text, [Mark(1, 0, 2), Mark(2, 2, 4)]) == (
        '<p><mark data-notes="1" data-label="1">ab</mark><mark data-notes="2" data-label="2">cd</mark>efghij</p>'
    )


def test_a_mark_over_a_line_end_is_marked_in_both_lines() -> None:
    html = document_html("ab\n\ncd", [Mark(1, 1, 5)])
    assert marked(html, 1) == "b\n\nc"
    assert html.count("<p") == 3


@given(
    st.text(st.sampled_from("ab <>&\"'\né—\u2028\t"), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5),
)
def test_any_text_is_kept_and_any_span_marked_exactly(
    text: str, spans: list[tuple[int, int]]
) -> None:
    marks = [Mark(number, *sorted(span)) for number, span in enumerate(spans, 1)]
    html = document_html(text, marks)
    assert plain(html) == text
    for mark in marks:
        assert marked(html, mark.number) == text[mark.start : mark.end]


def test_context_is_cut_between_words_and_marked() -> None:
    html = marked_html("one two three four five", [Mark(1, 8, 13)], 5)
    assert plain(html) == "…two three four…"
    assert marked(html, 1) == "three"


def test_cropping() -> None:
    assert cropped("one two", 7) == "one two"
    assert cropped("one two three", 9) == "one two…"
    assert cropped("unbroken", 3) == "unb…"


def test_footnotes_are_numbered_by_first_appearance_and_shared() -> None:
    of = document()
    first, second = cite(of, "Dogs"), cite(of, "Cats")
    sentences = tuple(
        AnswerSentence("S.", "supported", cited)
        for cited in ((first,), (second, first), (first, first))
    )
    built = told(*sentences)
    assert [(note.number, note.citation) for note in notes(built)] == [(1, first), (2, second)]
    assert re.findall(r'class="chip" data-open="(\d)"', answer_html(built)) == ["1", "2", "1", "1"]
    assert answer_html(built).count('class="card"') == 2


def test_a_card_shows_the_passage_around_the_quote() -> None:
    html = answer_html(answer(document(), "Dogs <b>bark</b> & run."))
    card = html[html.index('class="card"') :]
    assert marked(card, 1) == "Dogs <b>bark</b> & run."
    assert "Cats sleep." in card
    assert "Pets" in card
    assert "The Zoo" in card


def test_a_card_without_its_passage_shows_the_quote() -> None:
    of = document()
    built = told(AnswerSentence("x", "weak", (cite(of, "Cats sleep."),)))
    assert marked(answer_html(built), 1) == "Cats sleep."


@pytest.mark.parametrize(
    ("support", "words"),
    [
        ("verbatim", "❝ (the document’s words)"),
        ("supported", "✓ (supported)"),
        ("weak", "◐ (weakly supported by its footnotes)"),
        ("unsupported", "✗ (not supported by the documents)"),
    ],
)
def test_each_sentence_says_how_it_stands_to_its_footnotes(support: Support, words: str) -> None:
    html = answer_html(answer(document(), "Cats sleep.", support=support))
    assert words in plain(html[: html.index("</p>")])


def test_why_shows_ranks_scores_and_the_threshold() -> None:
    html = answer_html(answer(document(), "Cats sleep."))
    why = plain(html[html.index('<details class="why">') :])
    assert "0.90, at or above the threshold of 0.50" in why
    assert "Pets" in why
    refused = replace(answer(document(), reason="not_in_documents"), confidence=0.2)
    assert "0.20, below the threshold of 0.50" in plain(why_html(refused))
    row = re.findall(r"<td>([^<]*)</td>", why_html(refused))
    assert row == ["1", "1", "1", "0.500", "–"]


def test_actions_tell_what_was_thought_of_an_answer() -> None:
    assert re.findall(r'data-open="(\w+)" aria-pressed="(\w+)"', actions_html("bad")) == [
        ("good", "false"),
        ("bad", "true"),
    ]
    assert 'aria-pressed="true"' not in actions_html(None)


def test_lists_of_what_people_typed_are_escaped() -> None:
    for html in (conversations_html([(EVIL, EVIL)], EVIL), evidence_html([EVIL])):
        assert "<script" not in html
    assert re.findall(
        r'aria-current="(\w+)"', conversations_html([("a", "A"), ("b", "B")], "b")
    ) == ["false", "true"]


def test_a_page_number_is_told() -> None:
    of = replace(document(), pages=(0, 12))
    assert "Page 2" in answer_html(
        told(AnswerSentence("x", "supported", (full_cite(of, Span(13, 17)),)))
    )
    assert "Page" not in answer_html(answer(document(), "Cats sleep."))


def test_a_refusal_has_no_footnote_and_shows_the_nearest_passages() -> None:
    html = answer_html(answer(document(), reason="not_in_documents"))
    assert "Not here." in html
    assert "they do not answer the question" in html
    assert "Birds sing" in unescape(html)
    assert "chip" not in html
    assert "error" not in html


def test_an_answer_is_announced_with_its_footnotes() -> None:
    of = document()
    assert announcement(answer(of, "Cats sleep.")) == "Cats sleep. 1 footnote."
    assert announcement(answer(of, reason="not_in_documents")) == "Not here."


def test_the_pane_marks_the_citations_of_its_document() -> None:
    of, other = document(), document("Fish swim.", "fish.txt", "Fish")
    cited = (cite(of, "Birds sing"), cite(other, "Fish"), cite(of, "Cats"))
    numbered = notes(told(AnswerSentence("x", "supported", cited)))
    opened = opened_at(numbered[0], numbered)
    assert [note.number for note in opened.notes] == [3, 1]
    html = pane_html(opened, of)
    assert marked(html, 1) == "Birds sing"
    assert marked(html, 3) == "Cats"
    assert plain(html[html.index("<p>") :]) == of.text


def test_the_pane_says_when_the_document_has_changed_or_gone() -> None:
    of = document()
    numbered = notes(answer(of, "Cats sleep."))
    opened = opened_at(numbered[0], numbered)
    changed = pane_html(opened, document("Cats sleep. Now they also eat."))
    assert CHANGED in changed
    assert marked(changed, 1) == "Cats sleep."
    assert "they also eat" not in changed
    gone = pane_html(opened, None)
    assert GONE in gone
    assert marked(gone, 1) == "Cats sleep."


def test_a_document_opens_without_a_citation() -> None:
    of = document()
    html = pane_html(Opened(of.name, of.title), of)
    assert "<mark" not in html
    assert "Next citation" not in html


@pytest.mark.parametrize("words", ["Cats", "sleep.", "Cats sleep.", "s s", ""])
def test_the_words_that_answer_are_bold_and_nothing_is_lost(words: str) -> None:
    of = document()
    start = TEXT.index(words)
    bold = Span(start, start + len(words)) if words else None
    sentence = AnswerSentence("Cats sleep.", "verbatim", (cite(of, "Cats sleep."),), None, bold)
    html = answer_html(replace(answer(of, "Cats sleep."), sentences=(sentence,)))
    shown = html[: html.index('<span class="support')]
    assert "".join(re.findall(r"<b>(.*?)</b>", shown)) == words
    assert plain(shown.replace("1</button>", "")).strip() == "Cats sleep."


def test_a_models_answer_says_who_wrote_it_and_what_was_left_out() -> None:
    written = replace(
        answer(document(), "Cats sleep."), engine=f"ollama/{EVIL}", notices=(f"1 left out {EVIL}",)
    )
    html = answer_html(written)
    assert "each sentence checked against the documents" in html
    assert html.index("1 left out") < html.index("Cats sleep.")
    assert "<script" not in html
    assert "Written by" not in answer_html(answer(document(), "Cats sleep."))


def test_what_streams_and_what_it_left_is_escaped() -> None:
    assert (
        words_html(f"One {EVIL}\n\nTwo")
        == f'<div class="words"><p>One {escape(EVIL)}</p><p>Two</p></div>'
    )
    failed = error_html(f"It broke {EVIL}", f"Cats {EVIL}")
    assert "<script" not in failed
    assert "not checked" in failed
    assert "not checked" not in error_html("It broke", "")
    stopped = stopped_html(f"Cats {EVIL}")
    assert "<script" not in stopped
    assert "This failed" not in stopped
    assert "not checked" not in stopped_html(" ")
