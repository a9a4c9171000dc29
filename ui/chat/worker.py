"""Where questions are answered: one thread a conversation, for all tabs, whatever the page does meanwhile.

A tab that is reloaded or closed loses nothing: the answer is written to the history by the thread, not by the page.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

from qa import types
from qa.errors import FootnoteError, LanguageModelError, StoppedError
from qa.types import Answer, Turn
from ui.chat.history import Exchange, History
from ui.chat.transcript import Choice, Failure, Outcome, Told

ADDING = "adding"
"""The stage of a question that waits for its files."""
MOST_WAITING = 20
"""Questions of one conversation that may wait."""

_log = logging.getLogger(__name__)

Answers = Callable[[str, Sequence[Turn], Choice, types.OnEvent, Event], tuple[Answer, float]]
"""Answers a question: with the turns before, how, who listens, and what stops it. The answer, and the threshold."""


@dataclass(slots=True)
class Asking:
    """A question under way; its thread sets `stage` and `words`."""

    exchange: Exchange
    after: Callable[[Event], None] | None = None
    """What it waits for, until the event is set; raises FootnoteError where that failed."""
    stage: str | None = None
    """None: it waits its turn, or for the models."""
    words: str = ""
    """What a language model has written so far."""
    news: Event = field(default_factory=Event)
    """Set when there is something new to show."""
    stop: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    since: float = field(default_factory=time.monotonic)

    def hear(self, event: types.Event) -> None:
        self.stage = event.stage
        self.words += event.words
        self.news.set()


class Desk:
    """Takes questions of all conversations; those of one are answered in order."""

    def __init__(self, history: History, answers: Answers) -> None:
        self._history = history
        self._answers = answers
        self._turn = threading.Lock()
        self._queues: dict[str, deque[Asking]] = {}
        """By conversation: the questions under way, the first of them at work."""

    def ask(
        self,
        conversation: str,
        owner: str,
        question: str,
        choice: Choice,
        after: Callable[[Event], None] | None = None,
    ) -> Asking | None:
        """Takes a question. None where too many wait already, or the conversation is somebody else's.

        `after`: what has to be done first; it returns when it is, or when the event is set.
        """
        with self._turn:
            if len(self._queues.get(conversation, ())) >= MOST_WAITING:
                return None
            exchange = self._history.ask(conversation, owner, question, choice)
            return self._queued(conversation, owner, Asking(exchange, after)) if exchange else None

    def ask_again(self, conversation: str, owner: str, exchange: Exchange) -> Asking | None:
        """Takes up a question that has no answer, once."""
        with self._turn:
            if any(
                asking.exchange.id == exchange.id for asking in self._queues.get(conversation, ())
            ):
                return None
            self._history.settle(exchange.id, None)
            return self._queued(conversation, owner, Asking(exchange))

    def at_work(self, conversation: str) -> dict[str, Asking]:
        """The questions under way, by the id of their exchange."""
        with self._turn:
            return {asking.exchange.id: asking for asking in self._queues.get(conversation, ())}

    def busy(self) -> bool:
        """Whether any question is being answered."""
        with self._turn:
            return any(
                queue and queue[0].stage not in (None, ADDING) for queue in self._queues.values()
            )

    def stop(self, conversation: str) -> None:
        """Ends what is under way in a conversation."""
        for asking in self.at_work(conversation).values():
            asking.stop.set()

    def _queued(self, conversation: str, owner: str, asking: Asking) -> Asking:
        begun = conversation in self._queues
        self._queues.setdefault(conversation, deque()).append(asking)
        if not begun:
            # A daemon: Ctrl-C ends the server at once, also while a language model is silent.
            Thread(target=self._work, args=(conversation, owner), daemon=True).start()
        return asking

    def _work(self, conversation: str, owner: str) -> None:
        """Answers what waits, until nothing does."""
        while asking := self._first(conversation):
            try:
                self._answer(conversation, owner, asking)
            finally:
                with self._turn:
                    self._queues[conversation].popleft()
                asking.done.set()
                asking.news.set()

    def _first(self, conversation: str) -> Asking | None:
        with self._turn:
            if not self._queues[conversation]:
                del self._queues[conversation]
                return None
            return self._queues[conversation][0]

    def _answer(self, conversation: str, owner: str, asking: Asking) -> None:
        exchange = asking.exchange
        try:
            if asking.after:
                asking.stage = ADDING
                asking.after(asking.stop)
            history = _turns(self._history.exchanges(conversation, owner), exchange)
            answer, threshold = self._answers(
                exchange.question, history, exchange.choice, asking.hear, asking.stop
            )
        except FootnoteError as error:
            self._history.settle(exchange.id, Outcome(failure=_failure(error)))
        except Exception as error:  # noqa: BLE001 - told in full, and those that wait are answered
            _log.exception("footnote: this should not have happened.")
            told = f"{type(error).__name__}: {error}. The terminal says where."
            self._history.settle(exchange.id, Outcome(failure=Failure(told)))
        else:
            self._history.settle(exchange.id, Outcome(told=Told.of(answer, threshold)))


def _turns(exchanges: Sequence[Exchange], asked: Exchange) -> list[Turn]:
    """What was answered before a question."""
    places = [exchange.id for exchange in exchanges]
    before = exchanges[: places.index(asked.id)] if asked.id in places else exchanges
    told = ((one.question, one.outcome.told) for one in before if one.outcome)
    return [Turn(question, answer.text) for question, answer in told if answer]


def _failure(error: FootnoteError) -> Failure:
    if isinstance(error, LanguageModelError):
        return Failure(
            str(error), error.streamed, offers=True, stopped=isinstance(error, StoppedError)
        )
    return Failure(str(error))
