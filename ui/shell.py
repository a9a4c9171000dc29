"""The page: the shell with its three parts. `ui/app.py` serves it."""

from collections.abc import Callable, Sequence
from concurrent.futures import wait
from html import escape
from pathlib import Path

import streamlit as st

from qa.config import Settings
from qa.errors import FootnoteError
from qa.types import Document
from qa.users import Users
from ui import evaluation
from ui.auth import is_local, logged_in
from ui.chat import composer, source
from ui.chat import page as chat
from ui.chat import sidebar as shelf
from ui.chat import test_question as questions
from ui.chat.page import POLL
from ui.chat.render import error_html, stage_html
from ui.components import STATIC, show_text
from ui.library import page as library
from ui.state import Service, documents, service

TAGLINE = '<p class="tagline">Ask your documents. Every sentence of the answer carries a footnote that you can check.</p>'
OPEN = (
    "This page can be reached from other machines, and it has no login. Add somebody: python -m qa user add NAME. Or "
    "serve it to this machine only: --server.address localhost."
)


def main() -> None:
    """Draws the page once: the shell at once, the rest when the models are there."""
    st.set_page_config("Footnote", STATIC / "icon.png", menu_items={})
    st.html(STATIC / "page.css")
    try:
        shared = service(Settings.from_environment())
        owner = _owner(shared.settings.home)
    except FootnoteError as error:
        show_text("failure", error_html(str(error)))
        st.button("Try again")
        return
    if owner is None:
        return
    pages: list[tuple[str, Callable[[Service, str], None]]] = [
        ("Chat", _chat),
        ("Library", _library),
        ("Evaluation", _evaluation),
    ]
    chosen = st.navigation(
        [
            st.Page(
                _page(draw, shared, owner),
                title=title,
                url_path=title.casefold(),
                default=title == "Chat",
            )
            for title, draw in pages
        ],
        position="top",
    )
    chosen.run()


def _owner(home: Path) -> str | None:
    """Whose conversations are shown; None, when it has been said why: nobody's."""
    if Users(home).names():
        name = logged_in(home, st.context.cookies)
        if name is None:
            st.html(
                '<h1 class="name">Footnote</h1><p class="lead"><a href="/login">Log in</a> to ask the documents.</p>'
            )
        return name
    if st.secrets.load_if_toml_exists() and "auth" in st.secrets:
        return _known_to_provider()
    if not is_local():
        show_text("failure", error_html(OPEN))
        return None
    return ""


def _known_to_provider() -> str | None:
    """The person as the OpenID Connect provider in `.streamlit/secrets.toml` knows them (Streamlit's own login)."""
    if st.user.is_logged_in:
        return f"{st.user.get('iss', '')} {st.user['sub']}"
    st.html('<h1 class="name">Footnote</h1><p class="lead">Log in to ask the documents.</p>')
    st.button("Log in", on_click=st.login)
    return None


def _page(draw: Callable[[Service, str], None], shared: Service, owner: str) -> Callable[[], None]:
    def run() -> None:
        try:
            draw(shared, owner)
        except FootnoteError as error:
            shared.reopen()
            show_text("failure", error_html(str(error)))
            st.button("Try again")

    return run


def _chat(shared: Service, owner: str) -> None:
    conversation = chat.current(shared, owner)
    with st.sidebar:
        shelf.show(conversation, shared)
        _account(owner)
    _header(conversation, shared)
    chat.show_input(conversation, shared)
    if not shared.opening.done():
        chat.show_past(conversation, shared)
        _await_models(shared)
    texts = documents(shared.opening.result())
    with st.bottom:
        composer.show(conversation, shared, texts)
    # The pane is drawn before the chat, so that it opens at once also while a question is being answered.
    talk, pane = st.container(key="talk"), st.container(key="pane")
    with pane:
        _show_source(conversation, texts)
    with talk:
        chat.show(conversation, shared, texts)


def _show_source(conversation: chat.Conversation, texts: Sequence[Document]) -> None:
    def close() -> None:
        conversation.opened = None

    def pick(words: str) -> None:
        if conversation.draft:
            questions.pick(conversation.draft, words, texts)

    if conversation.opened:
        source.show(conversation.opened, texts, close, pick if conversation.draft else None)


def _header(conversation: chat.Conversation, shared: Service) -> None:
    begun = shared.history.has(conversation.id, conversation.owner)
    with st.container(key="header", horizontal=True, wrap=False, horizontal_alignment="distribute"):
        st.html(f'<h1 class="name">Footnote</h1>{"" if begun else TAGLINE}')
        if begun:
            shelf.show_menu(conversation, shared)


def _account(owner: str) -> None:
    """Who is logged in, and the way out."""
    if owner and st.user.get("is_logged_in"):
        st.button(f"Log out {st.user.get('name') or ''}", on_click=st.logout, width="stretch")
    elif owner:
        st.html(
            f'<p class="hint">{escape(owner)} · <a href="/logout" target="_self">Log out</a></p>'
        )


def _library(shared: Service, owner: str) -> None:
    st.html('<h1 class="name">Library</h1>')
    if not shared.opening.done():
        _await_models(shared)
    bot = shared.opening.result()

    def read(name: str) -> None:
        title = next((document.title for document in documents(bot) if document.name == name), name)
        st.session_state["reading"] = source.Opened(name, title)

    def close() -> None:
        st.session_state["reading"] = None

    with st.container(key="pane"):
        if opened := st.session_state.get("reading"):
            source.show(opened, documents(bot), close)
    library.show(bot, shared.intake, owner, read)


def _evaluation(shared: Service, _: str) -> None:
    st.html('<h1 class="name">Evaluation</h1>')
    evaluation.show([shared.settings.home / "runs", Path("runs")])


def _await_models(shared: Service) -> None:
    """Says that the models load, until they are there, or are not to be had; then the page is drawn again."""
    slot = st.empty()
    while not shared.opening.done():
        # Again and again: only a call to Streamlit lets a rerun in.
        slot.html(stage_html(None))
        wait([shared.opening], timeout=POLL)
    st.rerun()


if __name__ == "__main__":
    main()
