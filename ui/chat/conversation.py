"""The conversation that a tab shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

import streamlit as st

from qa.types import MAX_QUESTION
from ui.chat.question_form import QuestionDraft
from ui.chat.source import OpenSource
from ui.chat.transcript import AnswerOptions
from ui.chat.worker import Preparation
from ui.state import AppState

PARAMETER = "chat"
"""The query parameter that names the conversation in the page's address."""
TOO_MANY = "Please wait for the answers that are under way."


@dataclass(slots=True)
class Conversation:
    """What a tab knows of the conversation it shows; the exchanges are in the history."""

    owner: str
    id: str = field(default_factory=lambda: uuid4().hex)
    source: OpenSource | None = None
    """The document that is open in the pane."""
    options: AnswerOptions = field(default_factory=AnswerOptions)
    open_engine_menu: str | None = None
    """The label of the menu "Answer with" if it was open when the page was last shown."""
    draft: QuestionDraft | None = None
    """The test question that is being made from one of the answers."""


def current_conversation(state: AppState, owner: str) -> Conversation:
    """Returns this tab's conversation: the one in the address, the last one, or a new one."""
    conversation: Conversation | None = st.session_state.get("conversation")
    # Another owner: somebody else has logged in in this tab.
    if conversation is None or conversation.owner != owner:
        conversation = _new_conversation(state, owner)
        # Anybody may type an address: only the owner's conversations are opened.
        linked = st.query_params.get(PARAMETER, "")
        if linked and state.history.has(linked, owner):
            conversation.id = linked
        st.session_state["conversation"] = conversation
    _update_address(state, conversation)
    return conversation


def open_conversation(state: AppState, owner: str, conversation_id: str | None = None) -> None:
    """Shows another conversation; without an id, a new one."""
    conversation = _new_conversation(state, owner)
    if conversation_id:
        conversation.id = conversation_id
    st.session_state["conversation"] = conversation


def ask(
    state: AppState,
    conversation: Conversation,
    question: str,
    options: AnswerOptions,
    prepare: Preparation | None = None,
) -> None:
    """Queues a question, unless it is blank."""
    # One character more than is read, so that the answer says that the question was cut.
    question = question.strip()[: MAX_QUESTION + 1]
    if not question:
        return
    pending = state.answer_queue.ask(
        conversation.id, conversation.owner, question, options, prepare
    )
    if pending is None:
        st.toast(TOO_MANY)


def _new_conversation(state: AppState, owner: str) -> Conversation:
    """Returns a conversation that begins with the person's last choice."""
    return Conversation(owner, options=state.history.last_choice(owner))


def _update_address(state: AppState, conversation: Conversation) -> None:
    """Puts a stored conversation into the address, so that a reload and a link lead to it."""
    if state.history.has(conversation.id, conversation.owner):
        st.query_params[PARAMETER] = conversation.id
    elif PARAMETER in st.query_params:
        del st.query_params[PARAMETER]
