"""A language model writes an overview part by part, and every sentence is checked."""

import threading
from pathlib import Path
from typing import Any

import pytest

from qa.answer.content import LEFT_OUT, MODEL_FOUND_NONE, NOTHING_SUPPORTED
from qa.answer.gather import MAX_CALLS
from qa.answer.prompts import DECLINE_SENTENCE
from qa.errors import StoppedError
from qa.types import Event
from tests.qa.fakes import ScriptedModel, scripted_bot, text_document

SMALL = 540
"""Tokens of a context into which one paragraph of `_paragraphs` fits, and not two."""
SUMMARY = "Summarise this document"


def _paragraphs(count: int) -> str:
    """Returns a text of so many paragraphs, each a passage."""
    paragraphs = []
    for number in range(1, count + 1):
        facts = [f"Town {number} has house {number}{house} by the river." for house in range(15)]
        paragraphs.append(f"The bridge of town {number} is green. {' '.join(facts)}")
    return "\n\n".join(paragraphs) + "\n"


def _green(*numbers: int) -> str:
    """Returns sentences of a model about these towns, each with a marker."""
    sentences = []
    for number in numbers:
        words = f"The bridge of town {number} is green."
        sentences.append(f"{words[:-1]} [{{ID:{words}}}].")
    return " ".join(sentences)


def _ask(folder: Path, model: ScriptedModel, count: int, **options: Any) -> Any:
    bot = scripted_bot(folder, model, text_document(_paragraphs(count)), **options)
    return bot.ask(SUMMARY)


def test_overview_that_fits_is_one_call(tmp_path: Path) -> None:
    model = ScriptedModel(_green(2, 1))
    answer = _ask(tmp_path, model, 2)
    assert answer.engine == "scripted/model"
    assert answer.text == "The bridge of town 2 is green. The bridge of town 1 is green."
    assert [sentence.support for sentence in answer.sentences] == ["verbatim", "verbatim"]
    assert (len(model.prompts), answer.notices) == (1, ())
    assert answer.usage is not None


def test_overview_is_joined_from_its_parts(tmp_path: Path) -> None:
    """The joined sentences cite the documents, not the sentences of the parts."""
    model = ScriptedModel(_green(1), DECLINE_SENTENCE, _green(3), _green(3, 1), context=SMALL)
    answer = _ask(tmp_path, model, 3)
    assert len(model.prompts) == 4
    assert "town 2" not in model.prompts[-1][-1].content
    assert answer.text == "The bridge of town 3 is green. The bridge of town 1 is green."
    for sentence in answer.sentences:
        (citation,) = sentence.citations
        assert (citation.document, citation.quote) == ("a.txt", sentence.text)
    assert answer.notices == ()


def test_overview_calls_are_bounded_and_the_rest_is_said(tmp_path: Path) -> None:
    parts = [_green(number) for number in range(1, MAX_CALLS)]
    model = ScriptedModel(*parts, _green(1, 2), context=SMALL)
    answer = _ask(tmp_path, model, MAX_CALLS + 2)
    assert len(model.prompts) == MAX_CALLS
    (notice,) = answer.notices
    assert notice.startswith(f"The language model read {MAX_CALLS - 1} of {MAX_CALLS + 2} passages")


def test_overview_join_that_declines_keeps_the_parts(tmp_path: Path) -> None:
    model = ScriptedModel(_green(1), _green(2), DECLINE_SENTENCE, context=SMALL)
    answer = _ask(tmp_path, model, 2)
    assert answer.text == "The bridge of town 1 is green. The bridge of town 2 is green."


@pytest.mark.parametrize("words", [DECLINE_SENTENCE, "Elephants sing at night."])
def test_overview_without_support_is_a_selection(tmp_path: Path, words: str) -> None:
    answer = _ask(tmp_path, ScriptedModel(words), 1)
    assert answer.engine == "built-in"
    none = words == DECLINE_SENTENCE
    assert answer.notices[0] == (MODEL_FOUND_NONE if none else NOTHING_SUPPORTED)
    assert "selection" in answer.notices[1]
    assert {sentence.support for sentence in answer.sentences} == {"verbatim"}


def test_overview_strict_leaves_out_unsupported_sentences(tmp_path: Path) -> None:
    model = ScriptedModel(f"{_green(1)} Elephants sing at night.")
    answer = _ask(tmp_path, model, 1, strict=True)
    assert answer.text == "The bridge of town 1 is green."
    assert answer.notices == (LEFT_OUT.format(count="1 sentence"),)


def test_overview_stops_between_parts(tmp_path: Path) -> None:
    model = ScriptedModel(_green(1), _green(2), _green(1), context=SMALL)
    bot = scripted_bot(tmp_path, model, text_document(_paragraphs(2)))
    stop = threading.Event()

    def on_event(event: Event) -> None:
        if event.words == "\n\n":
            stop.set()

    with pytest.raises(StoppedError):
        bot.ask(SUMMARY, on_event=on_event, stop=stop)
    assert len(model.prompts) <= 2


def test_overview_about_a_topic_asks_for_it(tmp_path: Path) -> None:
    model = ScriptedModel(_green(1))
    bot = scripted_bot(tmp_path, model, text_document(_paragraphs(1)))
    answer = bot.ask("What do the documents say about the green bridge?")
    assert "What do these passages say about the green bridge?" in model.prompts[0][-1].content
    assert (answer.engine, answer.text) == ("scripted/model", "The bridge of town 1 is green.")
