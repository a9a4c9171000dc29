"""The chat: the questions of a conversation and their answers, old ones and new ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qa.config import BUILT_IN
from qa.documents.load import MAX_BYTES, READABLE_SUFFIXES
from qa.library.catalog import Entry
from qa.types import was_rewritten
from ui.chat import question_form, source
from ui.chat.conversation import Conversation, ask
from ui.chat.history import Exchange, Rating
from ui.chat.render import (
    SLOW_START,
    announcement,
    answer_html,
    failure_html,
    footnotes,
    question_html,
    stage_html,
    words_html,
)
from ui.chat.transcript import AnswerOptions, Failure, StoredAnswer
from ui.chat.worker import PendingAnswer
from ui.components import show_paragraph, show_text
from ui.jinja import count, render
from ui.state import AppState

QUIET = 0.3
"""Seconds before a stage is shown: for a quick answer it would only flicker."""
POLL = 0.2
"""Seconds between two calls to Streamlit while the page waits: only a call lets a rerun in."""
STREAM_PAUSE = 0.02
"""Seconds between two updates of what a language model writes."""
SLOW = 5.0
"""Seconds without words after which the page says that the model has not begun."""
ANSWER_INSTEAD = "Answer with exact quotes instead"
INTERRUPTED = Failure("The answer was interrupted.")
RATINGS: tuple[Rating, Rating] = ("bad", "good")
"""In the order of Streamlit's thumbs: 0 is down, 1 is up."""


def show_input(conversation: Conversation, state: AppState) -> None:
    """Shows the field for questions. A submitted question is stored at once."""

    def submit() -> None:
        submitted = st.session_state["question"]
        if not submitted:
            return
        files = [(file.name, file.getvalue()) for file in submitted.files]
        prepare = state.add_files(files, conversation.owner) if files else None
        if submitted.text.strip():
            ask(state, conversation, submitted.text, conversation.options, prepare)
        elif files:
            st.toast(f"Adding {count(len(files), 'file')}. The Library page shows how far it is.")

    # Without `max_chars`: the browser would drop a longer text that is pasted, without a word.
    st.chat_input(
        "Ask your documents",
        key="question",
        accept_file="multiple",
        file_type=list(READABLE_SUFFIXES),
        max_upload_size=MAX_BYTES // 1_000_000,
        on_submit=submit,
    )


def show_past(conversation: Conversation, state: AppState) -> None:
    """Shows the conversation while the models load."""
    for exchange in state.history.exchanges(conversation.id, conversation.owner):
        with st.container(key=f"exchange-{exchange.id}"):
            _show_question(exchange)
            if exchange.outcome:
                _show_outcome(conversation, exchange)


def show(conversation: Conversation, state: AppState, documents: Sequence[Entry]) -> None:
    """Shows the conversation, and new answers as they come."""
    # Read before and after: a question of another tab that is asked or answered in between must
    # not look like an interrupted one.
    pending = state.answer_queue.pending(conversation.id)
    exchanges = state.history.exchanges(conversation.id, conversation.owner)
    pending |= state.answer_queue.pending(conversation.id)

    intro = st.empty()
    if exchanges:
        # Without this, Streamlit keeps the examples until the answer comes.
        intro.empty()
    else:
        with intro.container():
            _show_intro(conversation, state, documents)

    followed = []
    for exchange in exchanges:
        with st.container(key=f"exchange-{exchange.id}"):
            if not exchange.outcome and exchange.id in pending:
                followed.append((pending[exchange.id], _new_slots(exchange)))
            else:
                _show_question(exchange)
                _show_outcome(conversation, exchange)
                _show_actions(conversation, state, exchange)
    for answer, slots in followed:
        _follow(conversation, state, answer, slots)


def _show_intro(conversation: Conversation, state: AppState, documents: Sequence[Entry]) -> None:
    if not documents:
        show_paragraph("Add a document first: on the Library page, or below with +.", "lead")
        return
    suggestions = state.suggestions(documents)
    if suggestions.done():
        _show_examples(conversation, state, suggestions.result())
    else:
        _await_examples(conversation, state, suggestions)


@st.fragment(run_every=POLL)
def _await_examples(
    conversation: Conversation, state: AppState, suggestions: Future[tuple[str, ...]]
) -> None:
    """Shows the example questions as soon as they are there; the chat can be used meanwhile."""
    if suggestions.done():
        st.rerun()
    _show_examples(conversation, state, ())


def _show_examples(conversation: Conversation, state: AppState, examples: Sequence[str]) -> None:
    def ask_example(question: str) -> None:
        # A double click arrives twice; the examples are for an empty chat only.
        if not state.history.has(conversation.id, conversation.owner):
            ask(state, conversation, question, conversation.options)

    if not examples:
        show_paragraph("Ask for a fact that is in your documents.", "lead")
        return
    show_paragraph("Ask for a fact that is in your documents. For example:", "lead")
    html = render("examples.html", questions=examples)
    show_text(f"examples-{conversation.id}", html, ask_example)


def _show_question(exchange: Exchange) -> None:
    st.html(_question(exchange))


def _question(exchange: Exchange) -> str:
    question = exchange.question
    answer = exchange.outcome.answer if exchange.outcome else None
    if answer and was_rewritten(question, answer.standalone_question):
        return question_html(question, answer.standalone_question)
    return question_html(question, None)


def _show_outcome(conversation: Conversation, exchange: Exchange, fresh: bool = False) -> None:
    """Shows the answer, refusal or failure. A fresh answer is announced to screen readers."""
    key = f"answer-{exchange.id}"
    outcome = exchange.outcome
    answer = outcome.answer if outcome else None
    if answer is None:
        failure = outcome.failure if outcome else None
        show_text(key, failure_html(failure or INTERRUPTED))
        return

    def open_source(number: str) -> None:
        notes = footnotes(answer)
        conversation.source = source.open_at(notes[int(number) - 1], notes)

    show_text(key, answer_html(answer), open_source, announcement(answer) if fresh else "")


def _show_actions(conversation: Conversation, state: AppState, exchange: Exchange) -> None:
    """Shows what the person can do about an answer or a failure."""
    outcome = exchange.outcome
    if outcome and outcome.answer and outcome.answer.is_reply:
        return
    if outcome and outcome.answer:
        _show_rating(conversation, state, exchange, outcome.answer)
        _show_draft(conversation, state, exchange)
    elif outcome and outcome.failure and outcome.failure.offers:
        options = AnswerOptions(
            llm=BUILT_IN, top_k=exchange.options.top_k, documents=exchange.options.documents
        )

        def answer_instead() -> None:
            _ask_once(state, conversation, exchange.question, options)

        st.button(ANSWER_INSTEAD, key=f"instead-{exchange.id}", on_click=answer_instead)
    else:

        def ask_again() -> None:
            state.answer_queue.ask_again(conversation.id, conversation.owner, exchange)

        st.button("Ask again", key=f"again-{exchange.id}", on_click=ask_again)


def _ask_once(
    state: AppState, conversation: Conversation, question: str, options: AnswerOptions
) -> None:
    # A double click arrives twice.
    for pending in state.answer_queue.pending(conversation.id).values():
        if (pending.exchange.question, pending.exchange.options) == (question, options):
            return
    ask(state, conversation, question, options)


def _show_rating(
    conversation: Conversation, state: AppState, exchange: Exchange, answer: StoredAnswer
) -> None:
    key = f"rating-{exchange.id}"

    def rating() -> Rating | None:
        thumb = st.session_state.get(key)
        return None if thumb is None else RATINGS[thumb]

    def rate() -> None:
        state.history.rate(exchange.id, rating())

    def start_draft() -> None:
        # Not the stored rating: a click that follows at once comes before it is read again.
        good = rating() != "bad"
        conversation.draft = question_form.draft_question(exchange.id, answer, good)

    with st.container(horizontal=True, vertical_alignment="center"):
        # The nearest sentence of a refusal is not an answer, so it gets no rating.
        if answer.nearest is None:
            thumb = RATINGS.index(exchange.rating) if exchange.rating else None
            st.feedback("thumbs", key=key, default=thumb, on_change=rate)
        st.button(
            "Save as test question",
            key=f"question-{exchange.id}",
            type="tertiary",
            on_click=start_draft,
        )


def _show_draft(conversation: Conversation, state: AppState, exchange: Exchange) -> None:
    """Shows the form of the test question that is made from this answer, if there is one."""
    draft = conversation.draft
    if draft is None or draft.exchange != exchange.id:
        return
    index = state.opening.result().index
    if question_form.show(draft, state.settings.home, index.occurrences):
        conversation.draft = None
        st.rerun()


@dataclass(frozen=True, slots=True)
class _Slots:
    """The places of a pending question, which later hold its outcome."""

    heading: DeltaGenerator
    outcome: DeltaGenerator
    actions: DeltaGenerator


def _new_slots(exchange: Exchange) -> _Slots:
    slots = _Slots(st.empty(), st.empty(), st.empty())
    slots.heading.html(_question(exchange))
    return slots


def _follow(
    conversation: Conversation,
    state: AppState,
    pending: PendingAnswer,
    slots: _Slots,
) -> None:
    """Waits for the outcome of a question, in the slots that later reruns use."""
    exchange_id = pending.exchange.id
    if state.settings_for(pending.exchange.options).llm != BUILT_IN:
        slots.actions.button("Stop", key=f"stop-{exchange_id}", on_click=pending.stop.set)
    _wait(pending, slots.outcome)
    slots.actions.empty()

    exchange = pending.exchange
    for stored in state.history.exchanges(conversation.id, conversation.owner):
        if stored.id == exchange_id:
            exchange = stored
    slots.heading.html(_question(exchange))
    with slots.outcome:
        _show_outcome(conversation, exchange, fresh=True)
    with slots.actions.container():
        _show_actions(conversation, state, exchange)


def _wait(pending: PendingAnswer, slot: DeltaGenerator) -> None:
    """Shows stages and words until the outcome is there.

    A rerun interrupts it; the next run continues with the same pending answer.
    """
    if not pending.words:
        pending.done.wait(max(0.0, pending.since + QUIET - time.monotonic()))
    while not pending.done.is_set():
        pending.news.clear()
        slot.html(words_html(pending.words) if pending.words else stage_html(_stage(pending)))
        pending.news.wait(POLL)
        time.sleep(STREAM_PAUSE)


def _stage(pending: PendingAnswer) -> str:
    """Returns the stage to show of a question without words."""
    stage = pending.stage or "waits"
    seconds = time.monotonic() - pending.stage_since
    # The built-in engine takes much less time for these stages.
    silent = stage in ("understand", "answer") and seconds > SLOW
    return SLOW_START if silent else stage
