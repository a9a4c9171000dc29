"""Follow-up questions become standalone questions, by rule and by model."""

import threading

import pytest

from qa.answer.followup import (
    MAX_QUESTION_CHARACTERS,
    forms_with_model,
    last_standalone_question,
    standalone_by_model,
    standalone_by_rule,
)
from qa.errors import LanguageModelError, StoppedError
from qa.types import Turn
from tests.qa.fakes import ScriptedModel

MEYER = [Turn("Who is Eric Meyer?", "Eric Meyer is a senior official.")]
SHARIF = [
    Turn(
        "Who invited American companies?",
        "Prime Minister Shehbaz Sharif invited American companies.",
    )
]
COPPER = [Turn("How much gold does Reko Diq hold?", "Over 40 million ounces.")]


@pytest.mark.parametrize(
    ("question", "history", "expected"),
    [
        ("What did he praise?", MEYER, "What did Eric Meyer praise?"),
        ("What was his role?", MEYER, "What was Eric Meyer’s role?"),
        ("What did they ask her?", MEYER, "What did they ask Eric Meyer?"),
        ("Who saw her report?", MEYER, "Who saw Eric Meyer’s report?"),
        ("Why did he do so?", SHARIF, "Why did Prime Minister Shehbaz Sharif do so?"),
        ("And how much copper?", COPPER, "How much copper does Reko Diq hold?"),
        ("Where is it?", COPPER, "Where is Reko Diq?"),
        ("How many people died there?", COPPER, "How many people died there? (How much gold does Reko Diq hold?)"),
        (
            "Who owns the mine in the Chaghi district?",
            COPPER,
            "Who owns the mine in the Chaghi district?",
        ),
        (
            "Who runs it?",
            [*COPPER, Turn("What is its depth?", "Deep.")],
            "Who runs Reko Diq?",
        ),
        ("What did he praise?", [], "What did he praise?"),
        ("What did he say?", [Turn("what is it", "nothing")], "What did he say? (what is it)"),
    ],
)  # fmt: skip
def test_by_rule_takes_what_is_missing_from_the_history(
    question: str, history: list[Turn], expected: str
) -> None:
    assert standalone_by_rule(question, history)[0] == expected


def test_by_rule_offers_the_last_question_in_parentheses_second() -> None:
    """The reader may choose it, except where a name replaced a pronoun."""
    with_last = "And how much copper? (How much gold does Reko Diq hold?)"
    assert standalone_by_rule("And how much copper?", COPPER)[1:] == (with_last,)
    assert len(standalone_by_rule("What did he praise?", MEYER)) == 1
    assert len(standalone_by_rule("Who owns the mine in the Chaghi district?", COPPER)) == 1


def test_by_rule_prefers_a_question_that_names_its_subject() -> None:
    forms = standalone_by_rule("Who is the landlord?", [Turn("How much is the rent?", "900.")])
    assert forms == ("Who is the landlord?", "Who is the landlord? (How much is the rent?)")


RENT = [Turn("How much is the rent?", "The rent is 900 euros.")]


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("Who is the landlord?", "Who is the landlord, and how much is the rent?"),
        ("Who repairs the lift in the hall?", "Who repairs the lift in the hall for the rent?"),
    ],
)
def test_by_model_that_adds_the_last_subject_returns_none(question: str, written: str) -> None:
    """A question that names its own subject is not mixed with the last question."""
    model = ScriptedModel(written)
    assert standalone_by_model(question, RENT, model, threading.Event()) is None


@pytest.mark.parametrize(
    ("question", "history", "written"),
    [
        ("And the deposit?", RENT, "How much is the deposit beside the rent?"),
        (
            "What was the result?",
            [Turn("When was the vote on the bridge held?", "On Monday.")],
            "What was the result of the vote on the bridge?",
        ),
    ],
)
def test_by_model_may_complete_a_question_that_leans(
    question: str, history: list[Turn], written: str
) -> None:
    assert standalone_by_model(question, history, ScriptedModel(written), threading.Event())


def test_forms_with_model_read_a_question_that_may_be_complete_as_it_is_too() -> None:
    written = "Who is the landlord of the flat?"
    assert forms_with_model("Who is the landlord?", written) == ("Who is the landlord?", written)
    assert forms_with_model("And in 2020?", "Who won in 2020?") == ("Who won in 2020?",)
    assert forms_with_model("Who is the landlord?", "Who is the landlord?") == (
        "Who is the landlord?",
    )


def test_last_standalone_question_completes_the_last_questions() -> None:
    history = [Turn("How many trams ran in 2011?", "40."), Turn("And in 2012?", "44.")]
    assert last_standalone_question(history) == "How many trams ran in 2012?"


HISTORY = [
    Turn(
        "Who opened the bridge in Lagos Bay in 2019?",
        "Mayor Ines Prado opened it for 48 million euros.",
    ),
    Turn("Who is Tomas Beck?", "A councillor."),
]


def _rewrite(question: str, written: str) -> str | None:
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
def test_by_model_accepts_what_the_conversation_has(question: str, written: str) -> None:
    assert _rewrite(question, written) == written


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
def test_by_model_rejects_lost_and_invented_facts(question: str, written: str) -> None:
    assert _rewrite(question, written) is None


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
def test_by_model_removes_labels_and_quotation_marks(written: str) -> None:
    assert _rewrite("Whom did she thank?", written) == "Whom did Ines Prado thank?"


def test_by_model_that_fails_returns_none() -> None:
    fails = ScriptedModel("Whom did she thank?", fails=LanguageModelError("empty"))
    assert standalone_by_model("Whom did she thank?", HISTORY, fails, threading.Event()) is None


def test_by_model_that_is_stopped_raises() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        standalone_by_model("Whom did she thank?", HISTORY, ScriptedModel("Whom"), stop)


def test_by_model_sends_the_conversation_once() -> None:
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
def test_by_model_rejects_what_is_not_the_question(written: str) -> None:
    history = [Turn("When was the forum?", "On Monday.")]
    model = ScriptedModel(written)
    assert standalone_by_model("and how many attended?", history, model, threading.Event()) is None


def test_by_model_that_is_stopped_keeps_no_words() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError) as raised:
        standalone_by_model(
            "and how many?", [Turn("When?", "On Monday.")], ScriptedModel("What did they"), stop
        )
    assert raised.value.streamed == ""
