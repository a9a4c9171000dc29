"""Questions of a conversation are answered in order, and every outcome is stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pytest

from qa import types
from qa.errors import FootnoteError, ModelError, StoppedError
from qa.types import Answer, Turn
from tests.ui.answers import PETS, answer, refusal
from ui.chat import worker
from ui.chat.history import History
from ui.chat.transcript import AnswerOptions, ExchangeOutcome, Failure
from ui.chat.worker import MAX_WAITING, AnswerQueue, PendingAnswer

SOON = 5.0


@dataclass
class FakeBot:
    """Waits at `gate`, then answers.

    "fail" raises our error, "break" an unexpected one, "panic" one that is not an Exception, "stop"
    waits until it is stopped.
    """

    gate: Event = field(default_factory=Event)
    started: Event = field(default_factory=Event)
    calls: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)

    def __call__(
        self,
        question: str,
        history: Sequence[Turn],
        options: AnswerOptions,
        on_event: types.OnEvent,
        stop: Event,
    ) -> tuple[Answer, float]:
        self.calls.append((question, tuple(history)))
        self.started.set()
        on_event(types.Event("read"))
        assert self.gate.wait(SOON)
        if question == "fail":
            raise ModelError("The model is not there.")
        if question == "break":
            raise ZeroDivisionError("by nought")
        if question == "panic":
            raise SystemExit("as a library may do")
        if question == "stop":
            on_event(types.Event("words", "Cats "))
            assert stop.wait(SOON)
            raise StoppedError("Stopped.", streamed="Cats ")
        return (refusal(question) if question == "refuse" else answer(question)), 0.5


@pytest.fixture
def bot() -> FakeBot:
    bot = FakeBot()
    bot.gate.set()
    return bot


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


@pytest.fixture
def queue(history: History, bot: FakeBot) -> AnswerQueue:
    return AnswerQueue(history, bot)


Ask = Callable[..., PendingAnswer]


@pytest.fixture
def ask(queue: AnswerQueue) -> Ask:
    def ask(question: str, conversation: str = "c", owner: str = "") -> PendingAnswer:
        pending = queue.ask(conversation, owner, question, AnswerOptions())
        assert pending
        return pending

    return ask


def outcome(history: History, pending: PendingAnswer) -> ExchangeOutcome:
    """Returns what was stored for a question, as soon as it is there."""
    assert pending.done.wait(SOON)
    for exchange in history.exchanges("c", ""):
        if exchange.id == pending.exchange.id:
            assert exchange.outcome
            return exchange.outcome
    raise AssertionError("the question is not in the history")


def text(history: History, pending: PendingAnswer) -> str:
    answer = outcome(history, pending).answer
    assert answer
    return answer.text


def failure(history: History, pending: PendingAnswer) -> Failure:
    failure = outcome(history, pending).failure
    assert failure
    return failure


def test_queue_stores_the_answer(ask: Ask, history: History) -> None:
    pending = ask("one")
    assert text(history, pending) == "Cats sleep."
    assert pending.stage == "read"


def test_queue_answers_in_order_with_earlier_turns(
    ask: Ask, history: History, bot: FakeBot
) -> None:
    """The history of a question holds what was answered or refused before, not what failed."""
    bot.gate.clear()
    pending = [ask(question) for question in ("one", "fail", "refuse", "two")]
    assert [waiting.stage for waiting in pending[1:]] == [None, None, None]
    bot.gate.set()
    assert text(history, pending[-1]) == "Cats sleep."
    turns = (Turn("one", "Cats sleep.", (PETS.name,)), Turn("refuse", "Not here."))
    assert bot.calls == [
        ("one", ()),
        ("fail", turns[:1]),
        ("refuse", turns[:1]),
        ("two", turns),
    ]


def test_conversations_do_not_wait_for_each_other(ask: Ask, history: History) -> None:
    waiting = ask("stop", "slow")
    assert text(history, ask("one")) == "Cats sleep."
    assert not waiting.done.is_set()
    waiting.stop.set()
    assert waiting.done.wait(SOON)


def test_queue_stores_failures_and_goes_on(
    ask: Ask, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    failing, broken, panicked, last = ask("fail"), ask("break"), ask("panic"), ask("one")
    assert text(history, last) == "Cats sleep."
    assert failure(history, failing).message == "The model is not there."
    assert failure(history, broken).message.startswith("ZeroDivisionError: by nought.")
    assert failure(history, panicked).message.startswith("SystemExit: as a library may do.")
    assert "by nought" in caplog.text


@pytest.mark.parametrize("error", [FootnoteError, ValueError, SystemExit])
def test_queue_goes_on_if_an_outcome_cannot_be_stored(
    ask: Ask,
    history: History,
    error: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(self: History, exchange: str, outcome: ExchangeOutcome | None) -> None:
        raise error("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(History, "settle", full)
        assert ask("one").done.wait(SOON)
    assert "The disk is full." in caplog.text
    assert text(history, ask("two")) == "Cats sleep."


def test_stopped_answer_keeps_its_words(ask: Ask, history: History) -> None:
    pending = ask("stop")
    while pending.words != "Cats ":
        assert pending.news.wait(SOON)
        pending.news.clear()
    pending.stop.set()
    stopped = failure(history, pending)
    assert stopped.stopped
    assert stopped.streamed == "Cats "


def test_ask_again_queues_a_question_once(
    queue: AnswerQueue, history: History, bot: FakeBot
) -> None:
    interrupted = history.ask("c", "", "one", AnswerOptions())
    assert interrupted
    bot.gate.clear()
    again = queue.ask_again("c", "", interrupted)
    assert again
    assert queue.ask_again("c", "", interrupted) is None
    bot.gate.set()
    assert text(history, again) == "Cats sleep."
    assert len(bot.calls) == 1


def test_queue_refuses_when_too_many_wait(
    ask: Ask, queue: AnswerQueue, bot: FakeBot, history: History
) -> None:
    bot.gate.clear()
    for _ in range(MAX_WAITING):
        ask("one")
    assert queue.ask("c", "", "one", AnswerOptions()) is None
    assert len(history.exchanges("c", "")) == MAX_WAITING
    assert bot.started.wait(SOON)
    assert queue.busy()
    bot.gate.set()


def test_queue_refuses_when_too_many_conversations_wait(
    ask: Ask, queue: AnswerQueue, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each conversation that waits has a thread."""
    monkeypatch.setattr(worker, "MAX_PENDING", 3)
    bot.gate.clear()
    interrupted = ask("one", "0").exchange
    for conversation in ("1", "2"):
        ask("one", conversation)
    assert queue.ask("3", "", "one", AnswerOptions()) is None
    assert queue.ask_again("3", "", interrupted) is None
    bot.gate.set()


def test_queue_refuses_another_owners_conversation(ask: Ask, queue: AnswerQueue) -> None:
    ask("one", "hers", "ann")
    assert queue.ask("hers", "bob", "one", AnswerOptions()) is None


def test_queue_with_25_people_mixes_nothing(ask: Ask, history: History) -> None:
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
        exchanges = history.exchanges(name, name)
        assert [exchange.question for exchange in exchanges] == [f"{name}{n}" for n in range(4)]
        assert all(exchange.outcome and exchange.outcome.answer for exchange in exchanges)
