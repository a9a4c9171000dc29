"""The sidebar with the conversations, and the menu of the one that is shown."""

import re
from collections.abc import Sequence

import streamlit as st

from ui.chat.conversation import Conversation, open_conversation
from ui.chat.export import as_json, as_markdown
from ui.chat.history import MAX_TITLE, Exchange
from ui.components import show_paragraph, show_text
from ui.jinja import count, render
from ui.state import AppState

LISTED = 50
"""Conversations in the list; older ones are found by searching."""
MAX_FILE_NAME = 40
"""Characters of an exported file's name."""


def show(conversation: Conversation, state: AppState) -> None:
    """Shows the list of conversations, and a search field if there are any."""
    owner = conversation.owner

    def open_entry(conversation_id: str) -> None:
        open_conversation(state, owner, conversation_id)

    st.button(
        "New chat",
        key="new-chat",
        on_click=open_conversation,
        args=(state, owner),
        width="stretch",
    )
    st.html(render("chats_title.html"))
    # The field comes after the list is known: without conversations there is nothing to search.
    search = st.session_state.get("search") or ""
    entries = state.history.entries(owner, search)
    if entries or search:
        st.text_input(
            "Search chats", key="search", placeholder="Search", label_visibility="collapsed"
        )
    if not entries:
        show_paragraph("No chats found." if search else "Your chats will appear here.")
        return
    html = render("conversations.html", entries=entries[:LISTED], current=conversation.id)
    show_text("entries", html, open_entry)
    if len(entries) > LISTED:
        older = count(len(entries) - LISTED, "older chat")
        show_paragraph(f"{older}: use the search")


def show_menu(conversation: Conversation, state: AppState) -> None:
    """Shows the menu to rename, export and delete a conversation that is stored."""
    history, owner, key = state.history, conversation.owner, conversation.id
    title = history.title(key, owner)
    if title is None:
        return

    def rename() -> None:
        history.rename(key, owner, st.session_state[f"title-{key}"])

    def delete() -> None:
        state.answer_queue.stop(key)
        history.delete(key, owner)
        open_conversation(state, owner)

    with st.popover("Chat menu", key=f"menu-{key}"):
        st.text_input("Title", title, key=f"title-{key}", max_chars=MAX_TITLE, on_change=rename)
        _show_exports(title, history.exchanges(key, owner))
        # Asked twice: a deleted conversation cannot be brought back.
        sure = st.checkbox("Yes, delete this chat and its answers", key=f"sure-{key}")
        st.button(
            "Delete chat",
            key=f"delete-{key}",
            disabled=not sure,
            on_click=delete,
            width="stretch",
        )


def _show_exports(title: str, exchanges: Sequence[Exchange]) -> None:
    # Only what every file system takes stays of the title.
    stem = re.sub(r"[^\w-]+", "-", title).strip("-")[:MAX_FILE_NAME] or "conversation"
    st.download_button(
        "Export as Markdown",
        as_markdown(title, exchanges),
        f"{stem}.md",
        "text/markdown",
        width="stretch",
    )
    st.download_button(
        "Export as JSON",
        as_json(title, exchanges),
        f"{stem}.json",
        "application/json",
        width="stretch",
    )
