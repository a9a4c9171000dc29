"""Exports have every footnote, and nothing in them that a viewer would act on."""

import json
import re
from dataclasses import replace
from html import unescape

import pytest
from markdown_it import MarkdownIt

from qa.types import AnswerPart, AnswerSentence
from tests.ui.answers import CITED, answered, stored_answer, stored_refusal
from ui.chat.export import as_json, as_markdown
from ui.chat.history import Exchange
from ui.chat.transcript import AnswerOptions, ExchangeOutcome, Failure

HOSTILE = "# <script>alert(1)</script> [x](http://evil.example) `a` & ![i](j)"
EXCHANGES = [
    Exchange("1", "Do cats sleep?", AnswerOptions(), answered(), "good"),
    Exchange("2", HOSTILE, AnswerOptions(), answered(HOSTILE)),
    Exchange("3", "And?", AnswerOptions(), ExchangeOutcome(answer=stored_refusal("And?"))),
    Exchange("4", "Now?", AnswerOptions(), ExchangeOutcome(failure=Failure("It broke."))),
    Exchange("5", "Still?", AnswerOptions()),
]


def test_markdown_has_each_sentence_with_its_footnote() -> None:
    lines = as_markdown("Of cats", EXCHANGES[:1]).splitlines()
    assert lines[0] == "# Of cats"
    assert "## Do cats sleep?" in lines
    assert "Cats sleep.\\[1]" in lines
    assert "- \\[1] Pets (pets.txt, characters 0–11): “Cats sleep.”" in lines


def test_markdown_of_hostile_text_is_plain_text() -> None:
    html = MarkdownIt("commonmark").render(as_markdown(HOSTILE, EXCHANGES))
    for tag in ("<script", "<a ", "<img", "<code"):
        assert tag not in html
    assert html.count("<h1>") == 1
    assert html.count("<h2>") == len(EXCHANGES)
    assert "alert(1)" in html


@pytest.mark.parametrize("start", ["1. ", "12) ", "- ", "+ ", "---", "- - -", "===", "1.", "+"])
def test_markdown_text_like_a_list_is_a_paragraph(start: str) -> None:
    text = f"{start}a" if start.endswith(" ") else start
    exchange = Exchange("1", "Why?", AnswerOptions(), answered(text))
    html = MarkdownIt("commonmark").render(as_markdown("T", [exchange]))
    assert f"<p>{text}" in html


def test_markdown_has_refusals_and_failures() -> None:
    markdown = as_markdown("T", EXCHANGES)
    for words in ("Not here.", "Failed: It broke.", "Not answered."):
        assert words in markdown


def test_markdown_of_a_refusal_has_the_nearest_sentence() -> None:
    refused = stored_refusal("And?")
    nearest = stored_answer().sentences[0]
    outcome = ExchangeOutcome(answer=replace(refused, nearest=nearest))
    lines = as_markdown("T", [Exchange("3", "And?", AnswerOptions(), outcome)]).splitlines()
    assert lines[4:7] == ["Not here. The nearest is:", "", "Cats sleep.\\[1]"]
    assert "- \\[1] Pets (pets.txt, characters 0–11): “Cats sleep.”" in lines


@pytest.mark.parametrize("code", ["make build\n\n  make <b>", "```\n# x\n```", "````"])
def test_markdown_of_code_is_a_block(code: str) -> None:
    text = f"Build # it:\n{code}"
    start = text.index(code)
    parts = (AnswerPart("lead-in", 0, start - 1), AnswerPart("code", start, len(text)))
    sentence = AnswerSentence(text, "verbatim", (CITED,), parts=parts)
    answer = replace(stored_answer(), sentences=(sentence, sentence))
    exchange = Exchange("1", "How?", AnswerOptions(), ExchangeOutcome(answer=answer))
    html = MarkdownIt("commonmark").render(as_markdown("T", [exchange]))
    blocks = re.findall(r"<pre><code>(.*?)</code></pre>", html, re.DOTALL)
    assert [unescape(block) for block in blocks] == [f"{code}\n"] * 2
    assert html.count("<p>Build # it:</p>") == 1
    assert html.count("<h1>") == 1


def test_json_has_the_exact_citations() -> None:
    export = json.loads(as_json("Of cats", EXCHANGES))
    assert export["title"] == "Of cats"
    first, *_, unanswered = export["exchanges"]
    cited = first["told"]["sentences"][0]["citations"][0]
    assert {key: cited[key] for key in CITED.as_json()} == CITED.as_json()
    assert first["rating"] == "good"
    assert unanswered["told"] is None
    assert unanswered["failure"] is None
