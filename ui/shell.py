"""The page with its three parts: chat, library and evaluation. `ui/app.py` serves it."""

from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path

import streamlit as st

from qa.config import Settings
from qa.errors import FootnoteError
from qa.library.index import Index
from qa.users import Users
from ui import evaluation
from ui.access.login import has_provider, logged_in
from ui.chat import composer, question_form, sidebar, source
from ui.chat import page as chat
from ui.chat.conversation import Conversation, current_conversation
from ui.chat.render import stage_html
from ui.components import STATIC, show_error, show_header
from ui.jinja import render
from ui.library import page as library
from ui.state import AppState, app_state, library_entries

TAGLINE = "Ask your documents. Every sentence of the answer carries a footnote that you can check."
LOG_IN = "Log in to ask the documents."


def main() -> None:
    """Shows the page; what needs the models follows when they are loaded."""
    st.set_page_config("Footnote", STATIC / "icon.png", menu_items={})
    st.html(STATIC / "page.css")
    try:
        state = app_state(Settings.from_environment())
        owner = _owner(state.settings.home)
    except FootnoteError as error:
        _show_failure(str(error))
        return
    if owner is None:
        return

    parts: list[tuple[str, Callable[[AppState, str], None]]] = [
        ("Chat", _chat),
        ("Library", _library),
        ("Evaluation", _evaluation),
    ]
    pages = []
    for title, show in parts:
        run = _catching_errors(show, state, owner)
        pages.append(st.Page(run, title=title, url_path=title.casefold(), default=title == "Chat"))
    st.navigation(pages, position="top").run()


def _owner(home: Path) -> str | None:
    """Returns whose conversations are shown; None, after showing why, if nobody may see any."""
    if Users(home).names():
        name = logged_in(home, st.context.cookies)
        if name is None:
            show_header("Footnote")
            st.html(render("login_link.html"))
        return name
    if has_provider():
        return _provider_user()
    # Without a login only this machine reaches the page: ui/access/hosts.py.
    return ""


def _provider_user() -> str | None:
    """Returns the user of the OpenID Connect provider that `.streamlit/secrets.toml` names."""
    if st.user.is_logged_in:
        return f"{st.user.get('iss', '')} {st.user['sub']}"
    show_header("Footnote", LOG_IN)
    st.button("Log in", on_click=st.login)
    return None


def _catching_errors(
    show: Callable[[AppState, str], None], state: AppState, owner: str
) -> Callable[[], None]:
    def run() -> None:
        try:
            show(state, owner)
        except FootnoteError as error:
            state.reopen()
            _show_failure(str(error))

    return run


def _show_failure(message: str) -> None:
    show_error("failure", message)
    st.button("Try again")


def _chat(state: AppState, owner: str) -> None:
    conversation = current_conversation(state, owner)
    with st.sidebar:
        sidebar.show(conversation, state)
        _show_account(owner)
    _show_chat_header(conversation, state)
    chat.show_input(conversation, state)
    if not state.opening.done():
        chat.show_past(conversation, state)
        _await_models(state)
    index = state.opening.result().index
    documents = library_entries(state.opening.result())
    with st.bottom:
        composer.show(conversation, state, documents)
    # The pane is shown before the chat, so that it opens at once even while a question is answered.
    talk, pane = st.container(key="talk"), st.container(key="pane")
    with pane:
        _show_source(conversation, index)
    with talk:
        chat.show(conversation, state, documents)


def _show_source(conversation: Conversation, index: Index) -> None:
    def close() -> None:
        conversation.source = None

    def pick(words: str) -> None:
        if conversation.draft:
            question_form.add_evidence(conversation.draft, words, index.occurrences)

    if conversation.source:
        on_pick = pick if conversation.draft else None
        document = index.document(conversation.source.document)
        source.show(conversation.source, document, close, on_pick)


def _show_chat_header(conversation: Conversation, state: AppState) -> None:
    stored = state.history.has(conversation.id, conversation.owner)
    with st.container(key="header", horizontal=True, wrap=False, horizontal_alignment="distribute"):
        show_header("Footnote", "" if stored else TAGLINE, style="tagline")
        if stored:
            sidebar.show_menu(conversation, state)


def _show_account(owner: str) -> None:
    """Shows who is logged in, and the way to log out."""
    if owner and st.user.get("is_logged_in"):
        st.button(f"Log out {st.user.get('name') or ''}", on_click=st.logout, width="stretch")
    elif owner:
        st.html(render("account.html", name=owner))


def _library(state: AppState, owner: str) -> None:
    show_header("Library")
    if not state.opening.done():
        _await_models(state)
    bot = state.opening.result()

    def read(name: str) -> None:
        document = bot.index.document(name)
        title = document.title if document else name
        st.session_state["reading"] = source.OpenSource(name, title)

    def close() -> None:
        st.session_state["reading"] = None

    with st.container(key="pane"):
        opened = st.session_state.get("reading")
        if opened:
            source.show(opened, bot.index.document(opened.document), close)
    library.show(bot, state.job_queue, owner, read)


def _evaluation(state: AppState, _: str) -> None:
    show_header("Evaluation")
    evaluation.show([state.settings.home / "runs", Path("runs")])


def _await_models(state: AppState) -> None:
    """Waits until the models are loaded or have failed to load; then the page runs again."""
    slot = st.empty()
    while not state.opening.done():
        # Shown again and again: only a call to Streamlit lets a rerun in.
        slot.html(stage_html("loading"))
        wait([state.opening], timeout=chat.POLL)
    st.rerun()


if __name__ == "__main__":
    main()
