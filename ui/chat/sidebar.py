"""The sidebar: the conversations, and what can be done with the one that is shown."""

import re
from collections.abc import Callable

import streamlit as st

from ui.chat import page as chat
from ui.chat.export import as_json, as_markdown
from ui.chat.history import LONGEST_TITLE, Entry
from ui.chat.page import Conversation
from ui.chat.render import conversations_html
from ui.components import show_text
from ui.state import Service

LISTED = 50
"""Conversations in the list; older ones are found by searching."""


def show(conversation: Conversation, service: Service) -> None:
    """The list of conversations, with a search where there are some."""

    def open_one(name: str) -> None:
        chat.open_conversation(conversation.owner, name)

    st.button(
        "New chat",
        key="new-chat",
        on_click=chat.open_conversation,
        args=(conversation.owner,),
        width="stretch",
    )
    st.html('<h2 class="shelf">Conversations</h2>')
    history, owner = service.history, conversation.owner
    search = st.session_state.get("search") or ""
    entries = history.entries(owner, search)
    if entries or search:
        st.text_input(
            "Search conversations", key="search", placeholder="Search", label_visibility="collapsed"
        )
    if entries:
        _show_entries(entries[:LISTED], conversation, open_one)
    else:
        st.html(
            f'<p class="hint">{"None has these words." if search else "Your questions will be kept here."}</p>'
        )
    if len(entries) > LISTED:
        st.html(f'<p class="hint">and {len(entries) - LISTED} older ones</p>')


def _show_entries(
    entries: list[Entry], conversation: Conversation, open_one: Callable[[str], None]
) -> None:
    show_text(
        "entries",
        conversations_html([(entry.id, entry.title) for entry in entries], conversation.id),
        open_one,
    )


def show_menu(conversation: Conversation, service: Service) -> None:
    """Rename, export and delete; nothing where there is no conversation yet."""
    history, owner, key = service.history, conversation.owner, conversation.id
    title = history.title(key, owner)
    if title is None:
        return

    def rename() -> None:
        history.rename(key, owner, st.session_state[f"title-{key}"])

    def delete() -> None:
        service.desk.stop(key)
        history.delete(key, owner)
        chat.open_conversation(owner)

    with st.popover("Conversation", key=f"menu-{key}"):
        st.text_input("Title", title, key=f"title-{key}", max_chars=LONGEST_TITLE, on_change=rename)
        exchanges = history.exchanges(key, owner)
        name = re.sub(r"[^\w-]+", "-", title).strip("-")[:40] or "conversation"
        markdown, as_object = as_markdown(title, exchanges), as_json(title, exchanges)
        st.download_button(
            "Export as Markdown", markdown, f"{name}.md", "text/markdown", width="stretch"
        )
        st.download_button(
            "Export as JSON", as_object, f"{name}.json", "application/json", width="stretch"
        )
        sure = st.checkbox("Delete it with all its answers", key=f"sure-{key}")
        st.button(
            "Delete", key=f"delete-{key}", disabled=not sure, on_click=delete, width="stretch"
        )
