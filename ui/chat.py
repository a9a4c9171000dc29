"""The conversation: what was asked and answered, asking the bot, and showing it all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qa import types
from qa.config import BUILT_IN
from qa.errors import FootnoteError, LanguageModelError, StoppedError
from qa.types import Answer, Document, Turn
from ui import source
from ui.background import in_background
from ui.parts import show_text
from ui.render import (
    announcement,
    answer_html,
    error_html,
    examples_html,
    notes,
    question_html,
    stage_html,
    stopped_html,
    words_html,
)

if TYPE_CHECKING:
    from qa.bot import Bot

LONGEST_QUESTION = 2000
EXAMPLES = 4
QUIET = 0.3
"""Seconds before a stage is shown: an answer that is there sooner must not flicker."""
POLL = 0.2
PACE = 0.02
"""Seconds between two showings of what a language model writes."""
INSTEAD = "Answer from the documents instead"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer, or with the message of what failed."""

    question: str
    answer: Answer | None = None
    error: str = ""
    streamed: str = ""
    """What a language model had written before it failed or was stopped."""
    offers: bool = False
    """Whether the built-in engine may answer where a language model did not."""
    stopped: bool = False
    """Whether the person stopped it: no failure."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A question that waits its turn."""

    question: str
    built_in: bool = False
    """Whether it is to be answered in the documents' own sentences, whatever is configured."""


@dataclass(slots=True)
class Asking:
    """A question that the bot is at work on, in a thread of its own; the thread sets `stage` and `words`."""

    question: str
    built_in: bool = False
    future: Future[Answer] = field(default_factory=Future)
    stage: str = "asked"
    words: str = ""
    """What a language model has written so far."""
    news: Event = field(default_factory=Event)
    """Set when there is something new to show."""
    stop: Event = field(default_factory=Event)
    since: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Conversation:
    """One chat of one tab."""

    exchanges: list[Exchange] = field(default_factory=list)
    queue: list[Queued] = field(default_factory=list)
    """Questions submitted while an earlier one, or the loading of the models, is under way."""
    asking: Asking | None = None
    opened: source.Opened | None = None
    id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def begun(self) -> bool:
        return bool(self.exchanges or self.queue or self.asking)


def current() -> Conversation:
    """This tab's conversation."""
    if "conversation" not in st.session_state:
        renew()
    conversation: Conversation = st.session_state["conversation"]
    return conversation


def renew() -> None:
    """Begins a new chat; a language model that writes for the old one is stopped."""
    old: Conversation | None = st.session_state.get("conversation")
    if old and old.asking:
        old.asking.stop.set()
    st.session_state["conversation"] = Conversation()


def show_input(conversation: Conversation) -> None:
    """The field for questions. What is submitted waits its turn: nothing is lost, nothing is asked twice."""

    def submit() -> None:
        question = (st.session_state["question"] or "").strip()
        if question:
            conversation.queue.append(Queued(question))

    st.chat_input("Ask your documents", key="question", max_chars=LONGEST_QUESTION, on_submit=submit)


def show_waiting(conversation: Conversation, opening: Future[Bot]) -> None:
    """The conversation while the models load; returns when they are there, or are not to be had."""
    _show_exchanges(conversation)
    for queued in conversation.queue:
        st.html(question_html(queued.question, None))
    slot = st.empty()
    while not opening.done():
        # Again and again: only a call to Streamlit lets a rerun in.
        slot.html(stage_html(None))
        wait([opening], timeout=POLL)


def show(conversation: Conversation, bot: Bot, documents: Sequence[Document]) -> None:
    """The conversation, and the answers to what is queued as they come."""
    intro = st.empty()
    if conversation.begun:
        # Said aloud: else the examples would stay until the first answer is there.
        intro.empty()
    else:
        with intro.container():
            _show_intro(conversation, documents)
    _show_exchanges(conversation)
    while conversation.asking or conversation.queue:
        _ask_next(conversation, bot)


def _show_intro(conversation: Conversation, documents: Sequence[Document]) -> None:
    def ask(question: str) -> None:
        # A double click arrives twice; the examples are for an empty chat only.
        if not conversation.begun:
            conversation.queue.append(Queued(question))

    if not documents:
        st.info("The library is empty. Add a text or Markdown file, or a folder: `python -m qa add PATH`")
        return
    examples = [example for document in documents for example in document.examples][:EXAMPLES]
    if examples:
        st.html('<p class="lead">Ask anything about your documents, or begin with one of these:</p>')
        show_text(f"examples-{conversation.id}", examples_html(examples), ask)
    else:
        st.html('<p class="lead">Ask anything about your documents.</p>')


def _show_exchanges(conversation: Conversation) -> None:
    for number, exchange in enumerate(conversation.exchanges):
        with st.container(key=f"exchange-{number}"):
            st.html(_heading(exchange))
            _show_outcome(conversation, number, exchange)
            _show_way_on(conversation, number, exchange)


def _heading(exchange: Exchange) -> str:
    answer = exchange.answer
    other = answer.standalone_question if answer and answer.standalone_question != exchange.question else None
    return question_html(exchange.question, other)


def _show_outcome(conversation: Conversation, number: int, exchange: Exchange, fresh: bool = False) -> None:
    """The answer, refusal or failure. `fresh`: it has just come, and is announced."""
    key = f"answer-{conversation.id}-{number}"
    answer = exchange.answer
    if answer is None:
        told = stopped_html(exchange.streamed) if exchange.stopped else error_html(exchange.error, exchange.streamed)
        show_text(key, told)
        return

    def open_note(number: str) -> None:
        numbered = notes(answer)
        conversation.opened = source.opened_at(numbered[int(number) - 1], numbered)

    show_text(key, answer_html(answer), open_note, announcement(answer) if fresh else "")


def _show_way_on(conversation: Conversation, number: int, exchange: Exchange) -> None:
    """Where a language model did not answer, a button to have the documents do it."""
    if exchange.offers:
        key = f"instead-{conversation.id}-{number}"
        st.button(INSTEAD, key=key, on_click=_ask_instead, args=(conversation, exchange.question))


def _ask_instead(conversation: Conversation, question: str) -> None:
    asked = Queued(question, built_in=True)
    if asked not in conversation.queue:
        conversation.queue.append(asked)


def _ask_next(conversation: Conversation, bot: Bot) -> None:
    """Shows the question, waits for its outcome, and shows that in the places where later runs show them."""
    number = len(conversation.exchanges)
    with st.container(key=f"exchange-{number}"):
        heading = st.empty()
        asking = conversation.asking or _start(conversation, bot)
        heading.html(question_html(asking.question, None))
        outcome, below = st.empty(), st.empty()
        if bot.engine != BUILT_IN and not asking.built_in:
            below.button("Stop", key=f"stop-{conversation.id}-{number}", on_click=asking.stop.set)
        _wait(asking, outcome)
        below.empty()
        exchange = _outcome(asking)
        conversation.asking = None
        conversation.exchanges.append(exchange)
        heading.html(_heading(exchange))
        with outcome:
            _show_outcome(conversation, number, exchange, fresh=True)
        with below:
            _show_way_on(conversation, number, exchange)
    if (failure := asking.future.exception()) and not isinstance(failure, FootnoteError):
        raise failure


def _start(conversation: Conversation, bot: Bot) -> Asking:
    """Hands the first of the queue to the bot."""
    queued = conversation.queue.pop(0)
    asking = Asking(queued.question, queued.built_in)
    history = [Turn(past.question, past.answer.text) for past in conversation.exchanges if past.answer]

    def on_event(event: types.Event) -> None:
        asking.stage = event.stage
        asking.words += event.words
        asking.news.set()

    asking.future = in_background(
        lambda: bot.ask(asking.question, history, on_event, built_in=queued.built_in, stop=asking.stop)
    )
    asking.future.add_done_callback(lambda _: asking.news.set())
    conversation.asking = asking
    return asking


def _wait(asking: Asking, slot: DeltaGenerator) -> None:
    """Returns when the outcome is there. A rerun interrupts it; the next run comes back to the same asking."""
    if not asking.words:
        wait([asking.future], timeout=max(0.0, asking.since + QUIET - time.monotonic()))
    while not asking.future.done():
        asking.news.clear()
        # Also when nothing is new: only a call to Streamlit lets a rerun in.
        slot.html(words_html(asking.words) if asking.words else stage_html(asking.stage))
        asking.news.wait(POLL)
        time.sleep(PACE)


def _outcome(asking: Asking) -> Exchange:
    failure = asking.future.exception()
    if failure is None:
        return Exchange(asking.question, asking.future.result())
    if isinstance(failure, LanguageModelError):
        stopped = isinstance(failure, StoppedError)
        return Exchange(asking.question, None, str(failure), failure.streamed, offers=True, stopped=stopped)
    if isinstance(failure, FootnoteError):
        return Exchange(asking.question, error=str(failure))
    return Exchange(asking.question, error=f"{type(failure).__name__}: {failure}. The terminal says where.")
