"""The HTML of questions and answers: escaped, complete, with each quote marked."""

import re
from dataclasses import replace
from html import unescape

import pytest

from qa.types import (
    Answer,
    AnswerPart,
    AnswerSentence,
    Citation,
    Document,
    PartRole,
    Passage,
    RankedPassage,
    Reason,
    Span,
    Support,
    Why,
)
from tests.ui.test_highlight import marked, plain
from ui.chat.history import ConversationEntry
from ui.chat.render import (
    announcement,
    answer_html,
    failure_html,
    footnotes,
    question_html,
    stage_html,
    words_html,
)
from ui.chat.source import CHANGED, GONE, OpenSource, open_at, pane_html
from ui.chat.transcript import Failure, StoredAnswer
from ui.jinja import render

TEXT = "Cats sleep. Dogs <b>bark</b> & run.\n\nBirds sing 'loudly'.\n"
HOSTILE = "\"><script>alert('x')</script>&amp;{{ 7 * 7 }}"
WELL_FORMED = re.compile(r'</?[a-z0-9]+(?: [a-z-]+(?:="[^"<>]*")?)*>|[^<>]')
"""A tag whose attributes are well formed, or text."""


def document(text: str = TEXT, name: str = "pets.txt", title: str = "Pets") -> Document:
    return Document(name, f"/{name}", title, text, publisher="The Zoo")


def cite(document: Document, quote: str) -> Citation:
    start = document.text.index(quote)
    end = start + len(quote)
    page = document.page_at(start)
    return Citation(document.name, document.title, document.version, start, end, quote, page)


def answer_of(*sentences: AnswerSentence) -> StoredAnswer:
    """Returns an answer of these sentences, without passages."""
    return StoredAnswer.of(Answer("Q?", "Q?", "x", None, 1.0, sentences, (), "built-in"), 0.5)


def answer(
    source: Document, *quotes: str, support: Support = "verbatim", reason: Reason | None = None
) -> StoredAnswer:
    """Returns an answer that quotes a document, or a refusal."""
    sentences = []
    for quote in quotes:
        sentences.append(AnswerSentence(quote, support, (cite(source, quote),)))
    whole = Passage(source, Span(0, len(source.text)))
    result = Answer(
        question="Q?",
        standalone_question="Q?",
        text=" ".join(quotes) or "Not here.",
        reason=reason,
        confidence=0.9,
        sentences=tuple(sentences),
        passages=(RankedPassage(whole, 1.0, Why(1, 1, 0.5)),),
        engine="built-in",
    )
    return StoredAnswer.of(result, 0.5)


def refusal(source: Document) -> StoredAnswer:
    return answer(source, reason="not_in_documents")


def near_refusal(source: Document, quote: str = "Cats sleep.") -> StoredAnswer:
    """Returns a refusal that shows the nearest sentence, with its first word as the answer."""
    citation = cite(source, quote)
    nearest = AnswerSentence(quote, "verbatim", (citation,), None, Span(0, 4))
    return replace(refusal(source), text="Not sure: x.", nearest=nearest)


def reply(source: Document, text: str = "Hello.\n- Pets") -> StoredAnswer:
    """Returns a reply to a greeting."""
    return replace(answer(source, reason="conversation"), text=text, passages=())


def hostile_pages() -> list[str]:
    """Returns everything that the chat shows, made of texts that try to be HTML."""
    source = document(f"{HOSTILE} one. {HOSTILE} two.", f"{HOSTILE}.txt", HOSTILE)
    source = replace(source, publisher=HOSTILE)
    hostile = answer(source, f"{HOSTILE} one.", support="weak")
    hostile = replace(hostile, engine=f"ollama/{HOSTILE}", notices=(HOSTILE,))
    bold = replace(hostile.sentences[0], bold_span=Span(0, len(HOSTILE)))
    opened = open_at(footnotes(hostile)[0], footnotes(hostile))
    return [
        answer_html(hostile),
        answer_html(replace(hostile, sentences=(bold,))),
        answer_html(refusal(source)),
        answer_html(near_refusal(source, f"{HOSTILE} one.")),
        answer_html(reply(source, HOSTILE)),
        question_html(HOSTILE, HOSTILE),
        stage_html(HOSTILE),
        words_html(f"One {HOSTILE}\n\nTwo"),
        failure_html(Failure(HOSTILE, HOSTILE)),
        failure_html(Failure(HOSTILE, HOSTILE, stopped=True)),
        pane_html(opened, source),
        pane_html(opened, None),
        pane_html(opened, document("else", source.name, HOSTILE), picking=True),
        render("examples.html", questions=[HOSTILE]),
        render("evidence.html", quotes=[HOSTILE]),
        render("conversations.html", entries=[ConversationEntry(HOSTILE, HOSTILE)], current="c"),
        render("paragraph.html", style="hint", role="alert", text=HOSTILE),
        render("header.html", title=HOSTILE, text=HOSTILE, style="lead"),
        render("account.html", name=HOSTILE),
        render("login.html", problem=HOSTILE).partition("</style>")[2],
    ]


@pytest.mark.parametrize("page", hostile_pages())
def test_every_text_is_escaped(page: str) -> None:
    """No text becomes a tag, ends an attribute, or is run as a template."""
    assert "<script" not in page
    assert "49" not in page
    assert "{{ 7 * 7 }}" in page or "Working…" in page or "You stopped" in page
    assert not WELL_FORMED.sub("", page)


def test_reply_is_plain_text() -> None:
    """It is neither a refusal nor an answer: no confidence, no passages, no footnotes."""
    html = answer_html(reply(document()))
    assert html.strip() == '<p class="reply">Hello.\n- Pets</p>'
    assert announcement(reply(document())) == "Hello.\n- Pets"


def test_footnotes_are_numbered_by_first_appearance() -> None:
    """A citation that occurs again keeps its number and has one card."""
    source = document()
    first, second = cite(source, "Dogs"), cite(source, "Cats")
    citations = ((first,), (second, first), (first, first))
    built = answer_of(*(AnswerSentence("S.", "supported", cited) for cited in citations))
    numbered = [(footnote.number, footnote.citation) for footnote in footnotes(built)]
    assert numbered == [(1, first), (2, second)]
    html = answer_html(built)
    assert re.findall(r'class="chip" data-open="(\d)"', html) == ["1", "2", "1", "1"]
    assert html.count('class="card"') == 2


def test_card_shows_the_passage_around_the_quote() -> None:
    html = answer_html(answer(document(), "Dogs <b>bark</b> & run."))
    card = html[html.index('class="card"') :]
    assert marked(card, 1) == "Dogs <b>bark</b> & run."
    for words in ("Cats sleep.", "Pets", "The Zoo"):
        assert words in card


def test_card_without_its_passage_shows_the_quote() -> None:
    built = answer_of(AnswerSentence("x", "weak", (cite(document(), "Cats sleep."),)))
    assert marked(answer_html(built), 1) == "Cats sleep."


@pytest.mark.parametrize(
    ("support", "words"),
    [
        ("verbatim", "❝ (exact quote)"),
        ("supported", "✓ (backed by the source)"),
        ("weak", "◐ (only partly backed by the source)"),
        ("unsupported", "✗ (not found in the documents)"),
    ],
)
def test_sentence_says_how_well_it_is_supported(support: Support, words: str) -> None:
    html = answer_html(answer(document(), "Cats sleep.", support=support))
    assert words in plain(html[: html.index("</p>")])


def test_why_shows_confidence_threshold_and_ranks() -> None:
    html = answer_html(answer(document(), "Cats sleep."))
    why = plain(html[html.index('<details class="why">') :])
    assert "Why this answer?" in why
    assert "90%,\nat or above the threshold of 50%" in why
    assert "Pets" in why


def test_why_of_a_refusal_says_why_there_is_no_answer() -> None:
    html = answer_html(replace(refusal(document()), confidence=0.2))
    why = html[html.index('<details class="why">') :]
    assert "Why no answer?" in why
    assert "20%,\nbelow the threshold of 50%" in plain(why)
    assert re.findall(r"<td>([^<]*)</td>", why) == ["1", "1", "1", "0.500", "–"]


def test_why_shows_the_seconds_of_each_stage() -> None:
    timed = replace(refusal(document()), timings={"retrieve": 0.08, "read": 0.001, "total": 1.5})
    assert "searched 0.08 s · in total 1.50 s" in answer_html(timed)


def test_conversations_mark_the_current_one() -> None:
    entries = [ConversationEntry("a", "A"), ConversationEntry("b", "B")]
    html = render("conversations.html", entries=entries, current="b")
    assert re.findall(r'aria-current="(\w+)"', html) == ["false", "true"]


def test_card_shows_the_page_number() -> None:
    paged = replace(document(), pages=(0, 12))
    on_page_2 = answer_of(AnswerSentence("x", "supported", (cite(paged, "ogs"),)))
    assert "Page 2" in answer_html(on_page_2)
    assert "Page" not in answer_html(answer(document(), "Cats sleep."))


def test_refusal_shows_the_closest_passages_and_no_footnote() -> None:
    html = answer_html(refusal(document()))
    assert "Not here." in html
    assert "they do not answer the question" in html
    assert "Birds sing" in unescape(html)
    assert "chip" not in html
    assert "error" not in html


def test_refusal_shows_the_nearest_sentence_with_its_footnote() -> None:
    """It is inside the refusal, and not in the place of an answer."""
    near = near_refusal(document())
    html = answer_html(near)
    assert 'class="answer"' not in html
    block = html[html.index('<div class="refusal">') :]
    words = plain(block[: block.index("<details")])
    assert "Not sure: x. The nearest is:" in words
    assert "Cats sleep.1" in words
    assert 'class="chip" data-open="1"' in block
    assert "they may not answer the question" in block
    assert marked(html[html.index('class="card"') :], 1) == "Cats sleep."
    assert [footnote.citation for footnote in footnotes(near)] == [cite(document(), "Cats sleep.")]
    assert announcement(near) == "Not sure: x. The nearest is: Cats sleep."
    assert near.cited_documents == ()


def test_announcement_counts_the_footnotes() -> None:
    source = document()
    assert announcement(answer(source, "Cats sleep.")) == "Cats sleep. 1 footnote."
    assert announcement(refusal(source)) == "Not here."


def test_announcement_names_doubtful_sentences() -> None:
    doubtful = answer(document(), "Cats sleep.", support="unsupported")
    assert announcement(doubtful) == "Cats sleep. (not found in the documents) 1 footnote."


def test_pane_marks_all_citations_of_its_document() -> None:
    source, fish = document(), document("Fish swim.", "fish.txt", "Fish")
    citations = (cite(source, "Birds sing"), cite(fish, "Fish"), cite(source, "Cats"))
    numbered = footnotes(answer_of(AnswerSentence("x", "supported", citations)))
    opened = open_at(numbered[0], numbered)
    assert [footnote.number for footnote in opened.footnotes] == [3, 1]
    html = pane_html(opened, source)
    assert marked(html, 1) == "Birds sing"
    assert marked(html, 3) == "Cats"
    text = html.partition('aria-label="Text of Pets">')[2]
    assert plain(text) == source.text


@pytest.mark.parametrize(
    ("now", "notice"), [(document("Cats sleep. Now they also eat."), CHANGED), (None, GONE)]
)
def test_pane_of_a_lost_text_shows_the_quotes(now: Document | None, notice: str) -> None:
    numbered = footnotes(answer(document(), "Cats sleep."))
    html = pane_html(open_at(numbered[0], numbered), now)
    assert notice in html
    assert marked(html, 1) == "Cats sleep."
    assert "they also eat" not in html


def test_pane_without_citation_has_no_marks() -> None:
    source = document()
    html = pane_html(OpenSource(source.name, source.title), source)
    assert "<mark" not in html
    assert "Next citation" not in html


@pytest.mark.parametrize("words", ["Cats", "sleep.", "Cats sleep.", "s s", ""])
def test_answering_words_are_bold_and_nothing_is_lost(words: str) -> None:
    source = document()
    start = TEXT.index(words)
    bold = Span(start, start + len(words)) if words else None
    sentence = AnswerSentence("Cats sleep.", "verbatim", (cite(source, "Cats sleep."),), None, bold)
    html = answer_html(replace(answer(source, "Cats sleep."), sentences=(sentence,)))
    shown = html[: html.index('<span class="support')]
    assert "".join(re.findall(r"<b>(.*?)</b>", shown)) == words
    assert plain(shown.replace("1</button>", "")).strip() == "Cats sleep."


def test_answer_of_a_model_says_who_wrote_it() -> None:
    written = replace(answer(document(), "Cats sleep."), engine="ollama/x", notices=("1 left out",))
    html = answer_html(written)
    assert "Written by ollama/x, each sentence checked against the documents" in html
    assert html.index("1 left out") < html.index("Cats sleep.")
    assert "Written by" not in answer_html(answer(document(), "Cats sleep."))


def test_failure_shows_what_was_written() -> None:
    assert "not checked" in failure_html(Failure("It broke", "Cats"))
    assert "not checked" not in failure_html(Failure("It broke", ""))
    assert "not checked" not in failure_html(Failure("", " ", stopped=True))


def test_stopped_answer_is_not_an_error() -> None:
    stopped = failure_html(Failure("Stopped.", "Cats", stopped=True))
    assert "You stopped this answer." in stopped
    assert "error" not in stopped
    assert "alert" not in stopped


def shaped(text: str, *parts: tuple[PartRole, str], bold: str = "") -> StoredAnswer:
    """Returns an answer of one sentence; each of its parts has these words."""
    source = document(text)
    answer_parts = []
    for role, words in parts:
        start = text.index(words)
        answer_parts.append(AnswerPart(role, start, start + len(words)))
    span = Span(text.index(bold), text.index(bold) + len(bold)) if bold else None
    citations = tuple(cite(source, words) for role, words in parts if role != "name")
    sentence = AnswerSentence(text, "verbatim", citations, None, span, tuple(answer_parts))
    return answer_of(sentence)


def test_row_is_shown_as_names_and_values() -> None:
    html = answer_html(
        shaped(
            "Plan: Pro; Price: $12; None",
            ("name", "Plan"),
            ("value", "Pro"),
            ("name", "Price"),
            ("value", "$12"),
            ("value", "None"),
            bold="$12",
        )
    )
    rows = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html)
    assert rows == [("Plan", "Pro"), ("Price", "<b>$12</b>"), ("", "None")]
    after = html[html.index('<p class="after">') :]
    assert re.findall(r'class="chip" data-open="(\d)"', after) == ["1", "2", "3"]


@pytest.mark.parametrize(("role", "tag"), [("step", "ol"), ("item", "ul")])
def test_list_is_shown_with_a_footnote_for_each_item(role: PartRole, tag: str) -> None:
    html = answer_html(
        shaped("Bring: tea; milk", ("lead-in", "Bring:"), (role, "tea"), (role, "milk"))
    )
    assert f'<{tag} class="items">' in html
    shown = [plain(item) for item in re.findall(r"<li>(.*?)</li>", html)]
    assert shown[:2] == ["tea2", "milk3"]
    lead_in = html[html.index('<p class="lead-in">') : html.index(f"<{tag}")]
    assert plain(lead_in).strip() == "Bring:1"


def test_code_is_shown_as_it_is_written() -> None:
    """A line end at the beginning is kept: a browser drops it right after the tag."""
    code = "\n  make <all>\n\nrun"
    html = answer_html(shaped(f"Do:{code}", ("lead-in", "Do:"), ("code", code)))
    (shown,) = re.findall(r"<pre [^>]*><code>(.*?)</code></pre>", html, re.DOTALL)
    assert unescape(shown) == code
    assert "data-copy" in html


def test_prose_between_shapes_is_a_paragraph_of_its_own() -> None:
    row = shaped("Plan: Pro", ("name", "Plan"), ("value", "Pro")).sentences[0]
    prose = AnswerSentence("Cats sleep.", "verbatim", (cite(document(), "Cats sleep."),))
    html = answer_html(answer_of(prose, prose, row, prose))
    shown = html[html.index('<div class="answer">') : html.index('<div class="card"')]
    assert shown.count('class="sentence"') == 3
    assert re.findall(r"<(p|dl)[ >]", shown) == ["p", "dl", "p", "p"]
