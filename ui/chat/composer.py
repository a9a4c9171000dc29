"""The two menus below the field for questions: which documents are searched, and what answers."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from qa.library.catalog import Entry
from ui.chat import engine_menu
from ui.chat.conversation import Conversation
from ui.chat.transcript import AnswerOptions
from ui.jinja import count
from ui.state import AppState


def show(conversation: Conversation, state: AppState, documents: Sequence[Entry]) -> None:
    """Shows the menus; what is chosen holds for the questions that follow."""
    with st.container(key="composer", horizontal=True, gap="small"):
        _choose_documents(conversation, state, documents)
        chosen = engine_menu.show(conversation, state)
        _set_options(conversation, state, chosen)


def _choose_documents(
    conversation: Conversation, state: AppState, documents: Sequence[Entry]
) -> None:
    titles = {document.name: document.title for document in documents}
    chosen = [name for name in conversation.options.documents or () if name in titles]
    # The button names what is searched, also while its menu is closed.
    label = count(len(chosen), "document") if chosen else "All documents"
    with st.popover(label, key=f"scope-{conversation.id}", disabled=not documents):
        picked = st.multiselect(
            "Search only in",
            list(titles),
            default=chosen,
            key=f"documents-{conversation.id}",
            format_func=lambda name: titles[name],
            placeholder="All documents",
        )
    restricted = replace(conversation.options, documents=tuple(sorted(picked)) or None)
    _set_options(conversation, state, restricted)


def _set_options(conversation: Conversation, state: AppState, options: AnswerOptions) -> None:
    if options == conversation.options:
        return
    if options.for_every_chat != conversation.options.for_every_chat:
        state.history.remember_choice(conversation.owner, options)
    conversation.options = options
    # The labels of the menus were shown before the choice.
    st.rerun()
