"""Beside the field for questions: which documents are asked, and who answers."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from qa.config import BUILT_IN
from qa.errors import FootnoteError
from qa.llm.client import LlmSettings, model_host
from qa.types import Document
from ui.chat.page import Conversation
from ui.chat.transcript import Choice
from ui.state import Service, local_models

MOST_READ = 20


def show(conversation: Conversation, service: Service, documents: Sequence[Document]) -> None:
    """The two menus; what is chosen holds for the questions that follow."""
    with st.container(key="composer", horizontal=True, gap="small"):
        _choose_documents(conversation, documents)
        _choose_engine(conversation, service)


def _choose_documents(conversation: Conversation, documents: Sequence[Document]) -> None:
    names = {document.name: document.title for document in documents}
    chosen = [name for name in conversation.choice.documents or () if name in names]
    label = (
        "All documents"
        if not chosen
        else "1 document"
        if len(chosen) == 1
        else f"{len(chosen)} documents"
    )
    with st.popover(label, key=f"scope-{conversation.id}", disabled=not documents):
        key = f"documents-{conversation.id}"
        picked = st.multiselect(
            "Ask only these documents",
            list(names),
            default=chosen,
            key=key,
            format_func=lambda name: names[name],
            placeholder="All documents",
        )
    told = tuple(sorted(picked)) or None
    if told != conversation.choice.documents:
        conversation.choice = replace(conversation.choice, documents=told)
        st.rerun()


def _choose_engine(conversation: Conversation, service: Service) -> None:
    configured = service.settings.llm
    looking = local_models()
    offered = looking.result() if looking.done() else ()
    engines = list(dict.fromkeys([configured, BUILT_IN, *offered]))
    choice = conversation.choice
    current = choice.llm if choice.llm in engines else configured
    with st.popover(_short(current or configured), key=f"engine-{conversation.id}"):
        engine = st.radio(
            "Who answers", engines, engines.index(current or configured), format_func=_name
        )
        st.html(f'<p class="hint">{_where(service, engine)}</p>')
        top_k = st.number_input(
            "Passages to read", 1, MOST_READ, choice.top_k or service.settings.top_k
        )
        strict = choice.strict if choice.strict is not None else service.settings.strict
        if engine != BUILT_IN:
            strict = st.checkbox("Leave out what the documents do not support", strict)
    told = Choice(
        None if engine == configured else engine,
        None if top_k == service.settings.top_k else int(top_k),
        None if strict == service.settings.strict else strict,
        choice.documents,
    )
    if told != choice:
        conversation.choice = told
        st.rerun()


def _name(engine: str) -> str:
    return "The documents’ own sentences" if engine == BUILT_IN else engine


def _short(engine: str) -> str:
    return "Built-in engine" if engine == BUILT_IN else engine


def _where(service: Service, engine: str) -> str:
    """What leaves the machine with this engine, in a sentence."""
    if engine == BUILT_IN:
        return "Nothing leaves this machine."
    try:
        host, here = model_host(LlmSettings.from_settings(service.settings_for(Choice(llm=engine))))
    except FootnoteError as error:
        return str(error)
    if here:
        return "The model runs on this machine: nothing leaves it."
    return f"Your question, the conversation before it and the passages read go to {host}. Nothing else does."
