"""Answers questions in threads of their own, one thread per conversation, for all tabs.

A tab that is reloaded or closed loses nothing: the thread writes the answer to the history.
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
from ui.chat.transcript import AnswerOptions, ExchangeOutcome, Failure, StoredAnswer

ADDING = "adding"
"""The stage of a question that waits for its files."""
MAX_WAITING = 20
"""Questions of one conversation that may wait."""
MAX_PENDING = 200
"""Questions of all conversations that may wait. Each conversation that waits has a thread."""

_log = logging.getLogger(__name__)

AnswerFunction = Callable[
    [str, Sequence[Turn], AnswerOptions, types.OnEvent, Event], tuple[Answer, float]
]
"""Takes question, history, options, listener and stop event; returns answer and threshold."""
Preparation = Callable[[Event], None]
"""Work before a question is answered. Returns when it is done or the event is set.

Raises FootnoteError if it fails.
"""


@dataclass(slots=True)
class PendingAnswer:
    """A question that is being answered; its thread sets `stage` and `words`."""

    exchange: Exchange
    prepare: Preparation | None = None
    stage: str | None = None
    """None: the question waits for its turn, or for the models."""
    words: str = ""
    """What a language model has written so far."""
    news: Event = field(default_factory=Event)
    """Set when there is something new to show."""
    stop: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    since: float = field(default_factory=time.monotonic)
    stage_since: float = field(default_factory=time.monotonic)
    """When the stage began."""

    def on_event(self, event: types.Event) -> None:
        """Takes over what the bot reports."""
        if event.stage != self.stage:
            self.stage_since = time.monotonic()
        self.stage = event.stage
        self.words += event.words
        self.news.set()


class AnswerQueue:
    """The questions of all conversations; those of one conversation are answered in order."""

    def __init__(self, history: History, answer: AnswerFunction) -> None:
        self._history = history
        self._answer_question = answer
        self._lock = threading.Lock()
        self._queues: dict[str, deque[PendingAnswer]] = {}
        """By conversation: its pending questions, the first of them being answered."""

    def ask(
        self,
        conversation: str,
        owner: str,
        question: str,
        options: AnswerOptions,
        prepare: Preparation | None = None,
    ) -> PendingAnswer | None:
        """Queues a question.

        Returns None if too many wait already, or if the conversation is somebody else's.
        """
        with self._lock:
            if not self._has_room(conversation):
                return None
            exchange = self._history.ask(conversation, owner, question, options)
            if exchange is None:
                return None
            return self._enqueue(conversation, owner, PendingAnswer(exchange, prepare))

    def ask_again(self, conversation: str, owner: str, exchange: Exchange) -> PendingAnswer | None:
        """Queues a question that has no answer.

        Returns None if it is queued already, or if too many wait.
        """
        with self._lock:
            if not self._has_room(conversation):
                return None
            for pending in self._queues.get(conversation, ()):
                # A double click arrives twice.
                if pending.exchange.id == exchange.id:
                    return None
            self._history.settle(exchange.id, None)
            return self._enqueue(conversation, owner, PendingAnswer(exchange))

    def pending(self, conversation: str) -> dict[str, PendingAnswer]:
        """Returns the pending questions of a conversation, by the id of their exchange."""
        with self._lock:
            waiting = self._queues.get(conversation, ())
            return {pending.exchange.id: pending for pending in waiting}

    def busy(self) -> bool:
        """Returns whether any question is being answered."""
        with self._lock:
            for queue in self._queues.values():
                # A question that waits for its files must not stop these files from being added.
                if queue and queue[0].stage not in (None, ADDING):
                    return True
        return False

    def stop(self, conversation: str) -> None:
        """Stops all pending questions of a conversation."""
        for pending in self.pending(conversation).values():
            pending.stop.set()

    def _has_room(self, conversation: str) -> bool:
        in_conversation = len(self._queues.get(conversation, ()))
        in_all = sum(len(queue) for queue in self._queues.values())
        return in_conversation < MAX_WAITING and in_all < MAX_PENDING

    def _enqueue(self, conversation: str, owner: str, pending: PendingAnswer) -> PendingAnswer:
        has_thread = conversation in self._queues
        self._queues.setdefault(conversation, deque()).append(pending)
        if not has_thread:
            # A daemon: Ctrl-C ends the server at once, even while a language model is silent.
            Thread(target=self._work, args=(conversation, owner), daemon=True).start()
        return pending

    def _work(self, conversation: str, owner: str) -> None:
        """Answers the questions of a conversation until none waits."""
        while pending := self._first(conversation):
            outcome = self._outcome(conversation, owner, pending)
            try:
                self._history.settle(pending.exchange.id, outcome)
            except BaseException:  # noqa: BLE001 - without this thread, the conversation is stuck
                # The page then shows the question as interrupted; the questions behind it go on.
                _log.exception("Cannot store the outcome of a question")
            with self._lock:
                self._queues[conversation].popleft()
            pending.done.set()
            pending.news.set()

    def _first(self, conversation: str) -> PendingAnswer | None:
        with self._lock:
            queue = self._queues[conversation]
            if queue:
                return queue[0]
            del self._queues[conversation]
            return None

    def _outcome(self, conversation: str, owner: str, pending: PendingAnswer) -> ExchangeOutcome:
        exchange = pending.exchange
        try:
            if pending.prepare:
                pending.stage = ADDING
                pending.prepare(pending.stop)
            history = _turns(self._history.exchanges(conversation, owner), exchange)
            answer, threshold = self._answer_question(
                exchange.question, history, exchange.options, pending.on_event, pending.stop
            )
        except LanguageModelError as error:
            stopped = isinstance(error, StoppedError)
            failure = Failure(str(error), error.streamed, offers=True, stopped=stopped)
            return ExchangeOutcome(failure=failure)
        except FootnoteError as error:
            return ExchangeOutcome(failure=Failure(str(error)))
        except BaseException as error:  # noqa: BLE001 - a panic in Rust; the person sees it
            _log.exception("Answering a question failed unexpectedly")
            message = f"{type(error).__name__}: {error}. The log in the terminal shows where."
            return ExchangeOutcome(failure=Failure(message))
        return ExchangeOutcome(answer=StoredAnswer.of(answer, threshold))


def _turns(exchanges: Sequence[Exchange], current: Exchange) -> list[Turn]:
    """Returns the answered questions before the current one."""
    turns = []
    for exchange in exchanges:
        if exchange.id == current.id:
            break
        answer = exchange.outcome.answer if exchange.outcome else None
        if answer:
            turns.append(Turn(exchange.question, answer.text, answer.cited_documents))
    return turns
