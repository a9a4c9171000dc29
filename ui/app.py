"""The page's entry point: `streamlit run ui/app.py`."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError
from qa.types import Document
from ui import chat, loading, source
from ui.parts import STATIC, show_text
from ui.render import error_html, library_html, offer_html

LISTED = 50  # documents in the sidebar: a longer list slows every click


def main() -> None:
    """Draws the page once: the shell at once, the rest when the models are there."""
    st.set_page_config("Footnote", STATIC / "icon.png", menu_items={})
    st.html(STATIC / "page.css")
    conversation = chat.current()
    _header()
    shelf = _shelf()
    try:
        opening = loading.opening(Settings.from_environment())
        if opening.done() and opening.exception():
            # So that the next run tries again.
            loading.opening.clear()
        if not opening.done():
            chat.show_input(conversation)
            chat.show_waiting(conversation, opening)
            st.rerun()
        bot = opening.result()
        documents = loading.documents(bot)
    except FootnoteError as error:
        show_text("failure", error_html(str(error)))
        st.button("Try again")
        return
    with shelf:
        _show_library(conversation, documents)
        if bot.engine == BUILT_IN:
            _offer_local()
    chat.show_input(conversation)
    # The pane is drawn before the chat, so that it opens at once also while a question is being answered.
    talk, pane = st.container(key="talk"), st.container(key="pane")
    with pane:
        if conversation.opened:
            source.show(conversation.opened, documents, partial(_close, conversation))
    with talk:
        chat.show(conversation, bot, documents)


def _header() -> None:
    with st.container(key="header", horizontal=True, wrap=False, horizontal_alignment="distribute"):
        st.html(
            '<h1 class="name">Footnote</h1><p class="tagline">Ask your documents. Every sentence of the answer '
            "carries a footnote that you can check.</p>"
        )
        st.button("New chat", key="new-chat", on_click=chat.renew)


def _shelf() -> DeltaGenerator:
    """The sidebar, which is there from the start: the chat would jump if it came with the documents."""
    with st.sidebar:
        st.html('<h2 class="shelf">Documents</h2>')
        return st.container(key="shelf")


def _show_library(conversation: chat.Conversation, documents: Sequence[Document]) -> None:
    def read(name: str) -> None:
        title = next((document.title for document in documents if document.name == name), name)
        conversation.opened = source.Opened(name, title)

    if not documents:
        st.html('<p class="hint">None yet. Add some: <code>python -m qa add PATH</code></p>')
        return
    show_text("library", library_html(documents[:LISTED]), read)
    if len(documents) > LISTED:
        st.html(f'<p class="hint">and {len(documents) - LISTED} more</p>')


def _offer_local() -> None:
    """Says how to answer with a language model that this machine has."""
    looking = loading.local_models()
    if looking.done() and (models := looking.result()):
        show_text("offer", offer_html(models[0]))


def _close(conversation: chat.Conversation) -> None:
    conversation.opened = None


if __name__ == "__main__":
    main()
