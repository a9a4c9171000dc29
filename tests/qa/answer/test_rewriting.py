"""A follow-up as a model puts it: taken only where it keeps to what was said."""

import threading

import pytest

from qa.answer.followup import MAX_QUESTION_CHARACTERS, standalone_by_model
from qa.errors import LanguageModelError, StoppedError
from qa.types import Turn
from tests.qa.fakes import ScriptedModel

HISTORY = [
    Turn(
        "Who opened the bridge in Lagos Bay in 2019?",
        "Mayor Ines Prado opened it for 48 million euros.",
    ),
    Turn("Who is Tomas Beck?", "A councillor."),
]


def _put(question: str, written: str) -> str | None:
    return standalone_by_model(question, HISTORY, ScriptedModel(written), threading.Event())


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("Whom did she thank?", "Whom did Ines Prado thank?"),
        ("Whom did she thank?", "Whom did she thank?"),
        ("And in 2020?", "Who opened the bridge in 2020?"),
        ("Did Beck oppose it?", "Did Tomas Beck oppose the bridge in Lagos Bay?"),
        ("Did it cost forty-eight million?", "Did the bridge cost 48 million euros?"),
        ("What did the US say of it?", "What did the United States say of the bridge?"),
        ("What about one of them?", "What about the bridge?"),
    ],
)
def test_what_keeps_to_the_conversation_is_taken(question: str, written: str) -> None:
    assert _put(question, written) == written


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("Did Beck oppose it?", "Did he oppose the bridge?"),
        ("What happened in 2020?", "What happened to the bridge?"),
        ("Did the US oppose it?", "What is the status of the bridge?"),
        ("Whom did she thank?", "Whom did Angela Merkel thank?"),
        ("Whom did she thank?", "Whom did Ines Prado thank in 2021?"),
        ("Did Austria help?", "Did Australia help?"),
        ("Whom did she thank?", "It is this:\nWhom did Ines Prado thank?"),
        ("Whom did she thank?", ""),
        ("Whom did she thank?", " \n "),
        ("Whom did she thank?", "Question: \"\""),
        ("Whom did she thank?", "Whom did Ines Prado thank" + " and why" * MAX_QUESTION_CHARACTERS + "?"),
    ],
)  # fmt: skip
def test_what_loses_or_invents_something_is_not(question: str, written: str) -> None:
    assert _put(question, written) is None


@pytest.mark.parametrize(
    "written",
    [
        "“Whom did Ines Prado thank?”",
        '"Whom did Ines Prado thank?"\n',
        "Question: Whom did Ines Prado thank?",
        "Standalone question: Whom did Ines Prado thank?",
        "Rewritten standalone question:  Whom did Ines Prado thank?",
        "Follow-up question: Whom did Ines Prado thank?",
        "**Question:** Whom did Ines Prado thank?",
        "**Whom did Ines Prado thank?**",
        '\n\n  Next question: "Whom did Ines Prado thank?"\n\n',
    ],
)
def test_labels_and_quotation_marks_are_taken_off(written: str) -> None:
    assert _put("Whom did she thank?", written) == "Whom did Ines Prado thank?"


def test_of_a_model_that_fails_nothing_is_taken() -> None:
    fails = ScriptedModel("Whom did she thank?", fails=LanguageModelError("empty"))
    assert standalone_by_model("Whom did she thank?", HISTORY, fails, threading.Event()) is None


def test_a_stop_is_raised() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        standalone_by_model("Whom did she thank?", HISTORY, ScriptedModel("Whom"), stop)


def test_the_model_is_called_once_with_the_conversation() -> None:
    model = ScriptedModel("Whom did Ines Prado thank?")
    standalone_by_model("Whom did she thank?", HISTORY, model, threading.Event())
    ((_, asked),) = model.prompts
    assert "Mayor Ines Prado opened it" in asked.content
    assert asked.content.endswith("Next question: Whom did she thank?")


@pytest.mark.parametrize(
    "written",
    [
        "I'm sorry, I can't help with that.",
        "Answer: I do not know.",
        "<think> The user asks how many people came",
    ],
)
def test_what_is_no_form_of_the_question_is_not_taken(written: str) -> None:
    history = [Turn("When was the forum?", "On Monday.")]
    model = ScriptedModel(written)
    assert standalone_by_model("and how many attended?", history, model, threading.Event()) is None


def test_a_question_half_rewritten_is_no_part_of_an_answer() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError) as raised:
        standalone_by_model(
            "and how many?", [Turn("When?", "On Monday.")], ScriptedModel("What did they"), stop
        )
    assert raised.value.streamed == ""
