"""The two menus below the field for questions: which documents are searched, and what answers."""

import re
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from qa.config import BUILT_IN
from qa.errors import FootnoteError
from qa.llm.client import LlmSettings, model_host
from qa.types import Document
from ui.chat.conversation import Conversation
from ui.chat.transcript import AnswerOptions
from ui.components import show_paragraph
from ui.jinja import count
from ui.state import AppState, local_models

MAX_PASSAGES = 20
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~:$!()&])")


def show(conversation: Conversation, state: AppState, documents: Sequence[Document]) -> None:
    """Shows the menus; what is chosen holds for the questions that follow."""
    with st.container(key="composer", horizontal=True, gap="small"):
        _choose_documents(conversation, documents)
        _choose_engine(conversation, state)


def _choose_documents(conversation: Conversation, documents: Sequence[Document]) -> None:
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
    _set_options(
        conversation, replace(conversation.options, documents=tuple(sorted(picked)) or None)
    )


def _choose_engine(conversation: Conversation, state: AppState) -> None:
    settings, options = state.settings, conversation.options
    engines = _engines(settings.llm)
    current = options.llm if options.llm in engines else settings.llm
    with st.popover(_engine_name(current or settings.llm), key=f"engine-{conversation.id}"):
        engine = st.radio(
            "Answer with",
            engines,
            engines.index(current or settings.llm),
            format_func=_engine_name,
        )
        show_paragraph(_privacy(state, engine))
        top_k = st.number_input(
            "How many passages to read", 1, MAX_PASSAGES, options.top_k or settings.top_k
        )
        strict = settings.strict if options.strict is None else options.strict
        if engine != BUILT_IN:
            strict = st.checkbox("Hide sentences that the documents do not support", strict)
    # What is as configured is stored as None, so that it follows a change of the configuration.
    chosen = AnswerOptions(
        llm=None if engine == settings.llm else engine,
        top_k=None if top_k == settings.top_k else int(top_k),
        strict=None if strict == settings.strict else strict,
        documents=options.documents,
    )
    _set_options(conversation, chosen)


def _set_options(conversation: Conversation, options: AnswerOptions) -> None:
    if options != conversation.options:
        conversation.options = options
        # The labels of the menus were shown before the choice.
        st.rerun()


def _engines(configured: str) -> list[str]:
    """Returns the configured engine, the built-in one, and the models of this machine."""
    looking = local_models()
    found_here = looking.result() if looking.done() else ()
    return list(dict.fromkeys([configured, BUILT_IN, *found_here]))


def _engine_name(engine: str) -> str:
    # Streamlit reads labels as Markdown, and a server names its models as it likes.
    return "Exact quotes (built in)" if engine == BUILT_IN else _MARKDOWN.sub(r"\\\1", engine)


def _privacy(state: AppState, engine: str) -> str:
    """Returns what leaves the machine with this engine, in a sentence."""
    if engine == BUILT_IN:
        return "Nothing is sent anywhere."
    settings = state.settings_for(AnswerOptions(llm=engine))
    try:
        host, local = model_host(LlmSettings.from_settings(settings))
    except FootnoteError as error:
        return str(error)
    if local:
        return "The model runs on this machine. Nothing is sent anywhere."
    return f"Your question, the conversation and the passages are sent to {host}. Nothing else is."
