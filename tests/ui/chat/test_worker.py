"""The desk: questions of a conversation in order, conversations side by side, and every outcome written down."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread

import pytest

from qa import types
from qa.errors import ModelError, StoppedError
from qa.types import Answer, Turn
from tests.ui.texts import answer, refusal
from ui.chat.history import History
from ui.chat.transcript import Choice
from ui.chat.worker import MOST_WAITING, Asking, Desk

SOON = 5.0


class Answers:
    """Waits at `gate`, then answers; "fail" fails as ours, "break" as nobody's, "stop" waits to be stopped."""

    def __init__(self) -> None:
        self.gate = Event()
        self.gate.set()
        self.asked: list[tuple[str, tuple[Turn, ...], Choice]] = []
        self.begun = Event()

    def __call__(
        self,
        question: str,
        history: Sequence[Turn],
        choice: Choice,
        hear: types.OnEvent,
        stop: Event,
    ) -> tuple[Answer, float]:
        self.asked.append((question, tuple(history), choice))
        self.begun.set()
        hear(types.Event("read"))
        assert self.gate.wait(SOON)
        if question == "fail":
            raise ModelError("The model is not there.")
        if question == "break":
            raise ZeroDivisionError("by nought")
        if question == "stop":
            hear(types.Event("words", "Cats "))
            assert stop.wait(SOON)
            raise StoppedError("Stopped.", streamed="Cats ")
        return (refusal(question) if question == "refuse" else answer(question)), 0.5


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


@pytest.fixture
def ask(history: History, answers: Answers) -> Callable[..., Asking]:
    desk = Desk(history, answers)

    def asked(question: str, conversation: str = "c", owner: str = "") -> Asking:
        asking = desk.ask(conversation, owner, question, Choice())
        assert asking
        return asking

    asked.desk = desk  # type: ignore[attr-defined]  # for the tests that look at it
    return asked


def outcome(history: History, asking: Asking) -> object:
    """What was written of a question: its text, or what failed."""
    assert asking.done.wait(SOON)
    (found,) = [one.outcome for one in history.exchanges("c", "") if one.id == asking.exchange.id]
    assert found
    return found.told.text if found.told else found.failure


def test_an_answer_is_written_by_the_desk(ask: Callable[..., Asking], history: History) -> None:
    asking = ask("one")
    assert outcome(history, asking) == "Cats sleep."
    assert asking.stage == "read"


def test_questions_are_answered_in_order_with_the_turns_before(
    ask: Callable[..., Asking], history: History, answers: Answers
) -> None:
    answers.gate.clear()
    askings = [ask(question) for question in ("one", "fail", "refuse", "two")]
    assert [asking.stage for asking in askings[1:]] == [None, None, None]
    answers.gate.set()
    assert outcome(history, askings[-1]) == "Cats sleep."
    turns = (Turn("one", "Cats sleep."), Turn("refuse", "Not here."))
    assert [(question, history) for question, history, _ in answers.asked] == [
        ("one", ()),
        ("fail", turns[:1]),
        ("refuse", turns[:1]),
        ("two", turns),
    ]


def test_conversations_do_not_wait_for_each_other(
    ask: Callable[..., Asking], history: History
) -> None:
    waiting = ask("stop", "slow")
    assert outcome(history, ask("one")) == "Cats sleep."
    assert not waiting.done.is_set()
    waiting.stop.set()
    assert waiting.done.wait(SOON)


def test_failures_are_outcomes_and_those_that_wait_are_answered(
    ask: Callable[..., Asking], history: History, caplog: pytest.LogCaptureFixture
) -> None:
    failed, broken, last = ask("fail"), ask("break"), ask("one")
    assert outcome(history, last) == "Cats sleep."
    assert getattr(outcome(history, failed), "message", "") == "The model is not there."
    assert getattr(outcome(history, broken), "message", "").startswith(
        "ZeroDivisionError: by nought."
    )
    assert "by nought" in caplog.text


def test_what_was_stopped_keeps_its_words(ask: Callable[..., Asking], history: History) -> None:
    asking = ask("stop")
    while asking.words != "Cats ":
        assert asking.news.wait(SOON)
        asking.news.clear()
    asking.stop.set()
    failure = outcome(history, asking)
    assert getattr(failure, "stopped", False)
    assert getattr(failure, "streamed", "") == "Cats "


def test_a_question_is_taken_up_again_once(
    ask: Callable[..., Asking], history: History, answers: Answers
) -> None:
    desk: Desk = ask.desk  # type: ignore[attr-defined]  # set by the fixture
    cut_off = history.ask("c", "", "one", Choice())
    assert cut_off
    answers.gate.clear()
    again = desk.ask_again("c", "", cut_off)
    assert again
    assert desk.ask_again("c", "", cut_off) is None
    answers.gate.set()
    assert outcome(history, again) == "Cats sleep."
    assert len(answers.asked) == 1


def test_too_many_are_not_taken_nor_is_anothers_conversation(
    ask: Callable[..., Asking], answers: Answers, history: History
) -> None:
    desk: Desk = ask.desk  # type: ignore[attr-defined]  # set by the fixture
    answers.gate.clear()
    for _ in range(MOST_WAITING):
        ask("one")
    assert desk.ask("c", "", "one", Choice()) is None
    assert len(history.exchanges("c", "")) == MOST_WAITING
    ask("one", "hers", "ann")
    assert desk.ask("hers", "bob", "one", Choice()) is None
    assert answers.begun.wait(SOON)
    assert desk.busy()
    answers.gate.set()


def test_twenty_five_at_once_are_all_answered_and_none_mixed(
    ask: Callable[..., Asking], history: History
) -> None:
    def talk(name: str) -> None:
        for number in range(4):
            assert ask(f"{name}{number}", name, name).done.wait(SOON)

    people = [Thread(target=talk, args=(f"p{number}",)) for number in range(25)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    for number in range(25):
        name = f"p{number}"
        kept = history.exchanges(name, name)
        assert [one.question for one in kept] == [f"{name}{place}" for place in range(4)]
        assert all(one.outcome and one.outcome.told for one in kept)
