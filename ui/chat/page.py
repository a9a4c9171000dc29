"""The chat: a conversation's questions with their answers, as they come and as they were."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event
from typing import Literal, cast
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qa.config import BUILT_IN
from qa.documents.load import MAX_BYTES, READABLE_SUFFIXES
from qa.types import Document
from ui.chat import source
from ui.chat import test_question as questions
from ui.chat.history import Exchange, Rating
from ui.chat.render import (
    actions_html,
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
from ui.chat.transcript import Choice, Failure, Told
from ui.chat.worker import Asking
from ui.components import show_text
from ui.state import Service

LONGEST_QUESTION = 2000
QUIET = 0.3
"""Seconds before a stage is shown: an answer that is there sooner must not flicker."""
POLL = 0.2
PACE = 0.02
"""Seconds between two showings of what a language model writes."""
INSTEAD = "Answer from the documents instead"
CUT_OFF = "This question was cut off before it was answered."
TOO_MANY = "Many questions wait already. Ask this one when they are answered."
PARAMETER = "chat"


@dataclass(slots=True)
class Conversation:
    """What a tab knows of the conversation it shows; the rest is in the history."""

    owner: str
    id: str = field(default_factory=lambda: uuid4().hex)
    opened: source.Opened | None = None
    choice: Choice = field(default_factory=Choice)
    draft: questions.Draft | None = None
    """The evaluation question that is being made of one of the answers."""


def current(service: Service, owner: str) -> Conversation:
    """This tab's conversation: the one that the address names, the one it showed, or a new one."""
    conversation: Conversation | None = st.session_state.get("conversation")
    if conversation is None or conversation.owner != owner:
        conversation = st.session_state["conversation"] = Conversation(owner)
        named = st.query_params.get(PARAMETER, "")
        if named and service.history.has(named, owner):
            conversation.id = named
    _name_in_address(service, conversation)
    return conversation


def open_conversation(owner: str, name: str | None = None) -> None:
    """Shows another conversation; None: a new one."""
    conversation = Conversation(owner)
    if name:
        conversation.id = name
    st.session_state["conversation"] = conversation


def _name_in_address(service: Service, conversation: Conversation) -> None:
    """So that a reload, and a link, come back to it."""
    if service.history.has(conversation.id, conversation.owner):
        st.query_params[PARAMETER] = conversation.id
    elif PARAMETER in st.query_params:
        del st.query_params[PARAMETER]


def show_input(conversation: Conversation, service: Service) -> None:
    """The field for questions. What is submitted is written down at once: nothing is lost, nothing is asked twice."""

    def submit() -> None:
        told = st.session_state["question"]
        if not told:
            return
        files = [(file.name, file.getvalue()) for file in told.files]
        after = service.add(files, conversation.owner) if files else None
        if told.text.strip():
            ask(service, conversation, told.text, conversation.choice, after)
        elif files:
            st.toast("The files are being added: see the Library page.")

    st.chat_input(
        "Ask your documents",
        key="question",
        max_chars=LONGEST_QUESTION,
        accept_file="multiple",
        file_type=list(READABLE_SUFFIXES),
        max_upload_size=MAX_BYTES // 1_000_000,
        on_submit=submit,
    )


def ask(
    service: Service,
    conversation: Conversation,
    question: str,
    choice: Choice,
    after: Callable[[Event], None] | None = None,
) -> None:
    """Hands a question to the desk; a blank one is none."""
    asked = question.strip()
    if asked and not service.desk.ask(conversation.id, conversation.owner, asked, choice, after):
        st.toast(TOO_MANY)


def show_past(conversation: Conversation, service: Service) -> None:
    """The conversation while the models load."""
    for exchange in service.history.exchanges(conversation.id, conversation.owner):
        with st.container(key=f"exchange-{exchange.id}"):
            st.html(_heading(exchange))
            if exchange.outcome:
                _show_outcome(conversation, exchange)


def show(conversation: Conversation, service: Service, documents: Sequence[Document]) -> None:
    """The conversation, and the answers to what is under way as they come."""
    working = service.desk.at_work(conversation.id)
    exchanges = service.history.exchanges(conversation.id, conversation.owner)
    # What another tab asks meanwhile is no question that was cut off.
    working |= service.desk.at_work(conversation.id)
    intro = st.empty()
    if exchanges:
        # Said aloud: else the examples would stay until the first answer is there.
        intro.empty()
    else:
        with intro.container():
            _show_intro(conversation, service, documents)
    pending = []
    for exchange in exchanges:
        with st.container(key=f"exchange-{exchange.id}"):
            if not exchange.outcome and (asking := working.get(exchange.id)):
                pending.append((asking, _Slots(asking)))
            else:
                st.html(_heading(exchange))
                _show_settled(conversation, service, exchange, documents)
    for asking, slots in pending:
        _follow(conversation, service, asking, slots, documents)


def _show_intro(
    conversation: Conversation, service: Service, documents: Sequence[Document]
) -> None:
    if not documents:
        st.html(
            '<p class="lead">The library is empty. Add documents on the <strong>Library</strong> page.</p>'
        )
        return
    looking = service.suggestions(documents)
    if looking.done():
        _show_examples(conversation, service, looking.result())
    else:
        _await_examples(conversation, service, looking)


@st.fragment(run_every=POLL)
def _await_examples(
    conversation: Conversation, service: Service, looking: Future[tuple[str, ...]]
) -> None:
    """Shows the suggested questions as soon as they are there, while the chat can be used."""
    if looking.done():
        st.rerun()
    _show_examples(conversation, service, ())


def _show_examples(
    conversation: Conversation, service: Service, suggestions: Sequence[str]
) -> None:
    def ask_example(question: str) -> None:
        # A double click arrives twice; the examples are for an empty chat only.
        if not service.history.has(conversation.id, conversation.owner):
            ask(service, conversation, question, conversation.choice)

    if suggestions:
        st.html(
            '<p class="lead">Ask anything about your documents, or begin with one of these:</p>'
        )
        show_text(f"examples-{conversation.id}", examples_html(suggestions), ask_example)
    else:
        st.html('<p class="lead">Ask anything about your documents.</p>')


def _heading(exchange: Exchange) -> str:
    told = exchange.outcome.told if exchange.outcome else None
    other = (
        told.standalone_question if told and told.standalone_question != exchange.question else None
    )
    return question_html(exchange.question, other)


def _show_settled(
    conversation: Conversation, service: Service, exchange: Exchange, documents: Sequence[Document]
) -> None:
    """What became of a question, and what can be done about it."""
    _show_outcome(conversation, exchange)
    _show_actions(conversation, service, exchange, documents)


def _show_outcome(conversation: Conversation, exchange: Exchange, fresh: bool = False) -> None:
    """The answer, refusal or failure. `fresh`: it has just come, and is announced."""
    key = f"answer-{exchange.id}"
    outcome = exchange.outcome
    if outcome and (told := outcome.told):

        def open_note(number: str) -> None:
            numbered = notes(told)
            conversation.opened = source.opened_at(numbered[int(number) - 1], numbered)

        show_text(key, answer_html(told), open_note, announcement(told) if fresh else "")
    else:
        show_text(key, _failure_html(outcome.failure if outcome else None))


def _failure_html(failure: Failure | None) -> str:
    if failure is None:
        return error_html(CUT_OFF)
    return (
        stopped_html(failure.streamed)
        if failure.stopped
        else error_html(failure.message, failure.streamed)
    )


def _show_actions(
    conversation: Conversation, service: Service, exchange: Exchange, documents: Sequence[Document]
) -> None:
    outcome = exchange.outcome
    if outcome and (told := outcome.told):
        _show_rating(conversation, service, exchange, told, documents)
    elif outcome and outcome.failure and outcome.failure.offers:
        # Where a language model did not answer, the documents may.
        choice = Choice(BUILT_IN, exchange.choice.top_k, None, exchange.choice.documents)
        instead = (service, conversation, exchange.question, choice)
        st.button(INSTEAD, key=f"instead-{exchange.id}", on_click=_ask_instead, args=instead)
    else:

        def ask_again() -> None:
            service.desk.ask_again(conversation.id, conversation.owner, exchange)

        st.button("Ask again", key=f"again-{exchange.id}", on_click=ask_again)


def _ask_instead(
    service: Service, conversation: Conversation, question: str, choice: Choice
) -> None:
    # A double click arrives twice.
    under_way = service.desk.at_work(conversation.id).values()
    if not any(
        (one.exchange.question, one.exchange.choice) == (question, choice) for one in under_way
    ):
        ask(service, conversation, question, choice)


def _show_rating(
    conversation: Conversation,
    service: Service,
    exchange: Exchange,
    told: Told,
    documents: Sequence[Document],
) -> None:
    """Good or bad; and, if the person wants, a question for the evaluation made of it."""

    def act(action: str) -> None:
        if action == "question":
            conversation.draft = questions.draft_of(exchange.id, told, exchange.rating != "bad")
        else:
            rating = cast(Literal["good", "bad"], action)
            new: Rating | None = None if exchange.rating == rating else rating
            service.history.rate(exchange.id, new)

    show_text(f"actions-{exchange.id}", actions_html(exchange.rating), act)
    draft = conversation.draft
    if (
        draft
        and draft.exchange == exchange.id
        and questions.show(draft, service.settings.home, documents)
    ):
        conversation.draft = None
        st.rerun()


@dataclass(slots=True)
class _Slots:
    """The places of a question that is under way, which later hold what became of it."""

    asking: Asking
    heading: DeltaGenerator = field(init=False)
    outcome: DeltaGenerator = field(init=False)
    below: DeltaGenerator = field(init=False)

    def __post_init__(self) -> None:
        self.heading, self.outcome, self.below = st.empty(), st.empty(), st.empty()
        self.heading.html(question_html(self.asking.exchange.question, None))


def _follow(
    conversation: Conversation,
    service: Service,
    asking: Asking,
    slots: _Slots,
    documents: Sequence[Document],
) -> None:
    """Waits for what becomes of a question, and shows that in the places where later runs show it."""
    choice = asking.exchange.choice
    if service.settings_for(choice).llm != BUILT_IN:
        slots.below.button("Stop", key=f"stop-{asking.exchange.id}", on_click=asking.stop.set)
    _wait(asking, slots.outcome)
    slots.below.empty()
    exchanges = service.history.exchanges(conversation.id, conversation.owner)
    exchange = next((one for one in exchanges if one.id == asking.exchange.id), asking.exchange)
    slots.heading.html(_heading(exchange))
    with slots.outcome:
        _show_outcome(conversation, exchange, fresh=True)
    with slots.below.container():
        _show_actions(conversation, service, exchange, documents)


def _wait(asking: Asking, slot: DeltaGenerator) -> None:
    """Returns when the outcome is there. A rerun interrupts it; the next run comes back to the same asking."""
    if not asking.words:
        asking.done.wait(max(0.0, asking.since + QUIET - time.monotonic()))
    while not asking.done.is_set():
        asking.news.clear()
        # Also when nothing is new: only a call to Streamlit lets a rerun in.
        slot.html(words_html(asking.words) if asking.words else stage_html(asking.stage or "waits"))
        asking.news.wait(POLL)
        time.sleep(PACE)
