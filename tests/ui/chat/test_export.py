"""Exports: what is read, with every footnote, and nothing in it that acts."""

import json

from markdown_it import MarkdownIt

from tests.ui.texts import CITED, answered, refusal
from ui.chat.export import as_json, as_markdown
from ui.chat.history import Exchange
from ui.chat.transcript import Choice, Failure, Outcome, Told

EVIL = "# <script>alert(1)</script> [x](http://evil.example) `a` & ![i](j)"
EXCHANGES = [
    Exchange("1", "Do cats sleep?", Choice(), answered(), "good"),
    Exchange("2", EVIL, Choice(), answered(EVIL)),
    Exchange("3", "And?", Choice(), Outcome(told=Told.of(refusal("And?"), 0.5))),
    Exchange("4", "Now?", Choice(), Outcome(failure=Failure("It broke."))),
    Exchange("5", "Still?", Choice()),
]


def test_markdown_has_each_sentence_with_its_footnote() -> None:
    lines = as_markdown("Of cats", EXCHANGES[:1]).splitlines()
    assert lines[0] == "# Of cats"
    assert "## Do cats sleep?" in lines
    assert "Cats sleep.\\[1]" in lines
    assert "- \\[1] Pets (pets.txt, characters 0–11): “Cats sleep.”" in lines


def test_nothing_in_the_markdown_acts() -> None:
    html = MarkdownIt("commonmark").render(as_markdown(EVIL, EXCHANGES))
    for tag in ("<script", "<a ", "<img", "<code"):
        assert tag not in html
    assert html.count("<h1>") == 1
    assert html.count("<h2>") == len(EXCHANGES)
    assert "alert(1)" in html


def test_every_kind_of_outcome_is_told() -> None:
    told = as_markdown("T", EXCHANGES)
    for words in ("Not here.", "This failed: It broke.", "Not answered."):
        assert words in told


def test_json_holds_the_citations_exactly() -> None:
    found = json.loads(as_json("Of cats", EXCHANGES))
    assert found["title"] == "Of cats"
    first, *_, unanswered = found["exchanges"]
    cited = first["told"]["sentences"][0]["citations"][0]
    assert {key: cited[key] for key in CITED.as_json()} == CITED.as_json()
    assert first["rating"] == "good"
    assert unanswered["told"] is None
    assert unanswered["failure"] is None
