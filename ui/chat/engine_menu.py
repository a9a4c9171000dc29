"""The menu "Answer with": the engines, and the language models that run on this machine.

These are looked for when a person opens the menu, and at no other time.
"""

import re
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st

from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError
from qa.llm.client import LlmSettings, missing_extra, model_server
from qa.llm.local import PROGRAMS, LocalModel, LocalModels
from ui.chat.conversation import Conversation
from ui.chat.transcript import AnswerOptions
from ui.components import show_paragraph
from ui.state import AppState, local_models, look_for_local_models

MAX_PASSAGES = 20
POLL = 0.2
"""Seconds between two looks at whether the search for models has ended."""
QUICK = 0.3
"""Seconds that the page waits for the search: without any server it ends at once."""
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
"""The places in an address or a mail address at which Streamlit recognises it, and links it."""
_WORD_JOINER = "\u2060"
"""A character without width at which no line breaks."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~:$!()&])")


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What may answer."""

    llm: str
    """`built-in`, or `provider/model`."""
    url: str | None = None
    """The address of a model that was found on this machine; None: as configured."""

    @property
    def label(self) -> str:
        if self.llm == BUILT_IN:
            return "Exact quotes (built in)"
        at_server = f" at {urlsplit(self.url).netloc}" if self.url else ""
        # Streamlit reads labels as Markdown, and a server names its models as it likes.
        # No escape stops an address from becoming a link.
        without_links = _ADDRESS.sub(_WORD_JOINER, self.llm + at_server)
        return _MARKDOWN.sub(r"\\\1", without_links)


def show(conversation: Conversation, state: AppState) -> AnswerOptions:
    """Shows the menu. Returns what is chosen in it."""
    chosen = EngineChoice(
        conversation.options.llm or state.settings.llm, conversation.options.llm_url
    )
    button = EngineChoice(chosen.llm).label
    key = f"engine-{conversation.id}"
    open_before = conversation.open_engine_menu
    if open_before not in (None, button):
        # With another label it is a new menu for Streamlit, which would begin closed: the person
        # would not see what the chosen engine sends where.
        st.session_state[key] = True
    with st.popover(button, key=key, on_change="rerun") as menu:
        if menu.open and open_before is None:
            look_for_local_models()
        conversation.open_engine_menu = button if menu.open else None
        search = local_models() if menu.open else None
        if search:
            wait([search], QUICK)
        return _choose(conversation, state, chosen, search)


def _choose(
    conversation: Conversation,
    state: AppState,
    current: EngineChoice,
    search: Future[LocalModels] | None,
) -> AnswerOptions:
    settings, options = state.settings, conversation.options
    models = search.result().models if search and search.done() else ()
    engines = _engines(settings, current, models)
    engine = st.radio(
        "Answer with",
        engines,
        engines.index(current),
        format_func=lambda engine: engine.label,
        captions=_captions(engines, models),
    )
    show_paragraph(_privacy(state, engine, conversation.owner))
    command = missing_extra(engine.llm)
    if command:
        show_paragraph(f"It needs an extra of Footnote that is not installed: {command}")
    _show_search(search, conversation.owner)
    top_k = st.number_input(
        "How many passages to read", 1, MAX_PASSAGES, options.top_k or settings.top_k
    )
    strict = settings.strict if options.strict is None else options.strict
    if engine.llm != BUILT_IN:
        strict = st.checkbox("Hide sentences that the documents do not support", strict)
    # What is as configured is stored as None, so that it follows a change of the configuration.
    return AnswerOptions(
        llm=None if engine == EngineChoice(settings.llm) else engine.llm,
        top_k=None if top_k == settings.top_k else int(top_k),
        strict=None if strict == settings.strict else strict,
        documents=options.documents,
        llm_url=engine.url,
    )


def _engines(
    settings: Settings, current: EngineChoice, models: Sequence[LocalModel]
) -> list[EngineChoice]:
    """Returns the configured engine, the built-in one, the models found, and the chosen one."""
    engines = [EngineChoice(settings.llm), EngineChoice(BUILT_IN)]
    for model in models:
        # The configured model keeps its own settings, such as a key.
        if not _is_configured(settings, model):
            engines.append(EngineChoice(model.name, model.url))
    # The search may not have ended, and the program of the chosen model may not run now.
    engines.append(current)
    return list(dict.fromkeys(engines))


def _is_configured(settings: Settings, model: LocalModel) -> bool:
    """Returns whether a model that was found is the configured one, at the same address."""
    if settings.llm != model.name:
        return False
    try:
        server = model_server(LlmSettings.from_settings(settings))
    except FootnoteError:
        return False
    return server.is_local and urlsplit(server.url).port == urlsplit(model.url).port


def _captions(engines: Sequence[EngineChoice], models: Sequence[LocalModel]) -> list[str]:
    """Returns the context of each engine's model, where its server says it; else nothing."""
    contexts = {EngineChoice(model.name, model.url): model.context for model in models}
    captions = []
    for engine in engines:
        context = contexts.get(engine)
        captions.append(f"{context:,} tokens of context" if context else "")
    return captions


def _show_search(search: Future[LocalModels] | None, owner: str) -> None:
    """Shows where models are looked for, and how the search of the open menu ended."""
    ports = [f"{program.name} ({urlsplit(program.url).port})" for program in PROGRAMS]
    listed_ports = f"{', '.join(ports[:-1])} and {ports[-1]}"
    # With users, browsers may be anywhere; a model in one of them cannot be reached from here.
    where = "on the server of this page, not on your computer," if owner else "on this machine,"
    show_paragraph(
        f"When you open this menu, Footnote looks for language models {where} at the usual ports "
        f"of {listed_ports}, and nowhere else."
    )
    if search is None:
        return
    if not search.done():
        _await_search()
        return
    result = search.result()
    for notice in result.notices:
        show_paragraph(notice)
    if not result.models:
        show_paragraph("No model was found there.")


@st.fragment(run_every=POLL)
def _await_search() -> None:
    """Shows the models as soon as they are found; the page can be used meanwhile."""
    search = local_models()
    if search is None or search.done():
        st.rerun()
    show_paragraph("Looking for models…")


def _privacy(state: AppState, engine: EngineChoice, owner: str) -> str:
    """Returns what leaves the machine with this engine, in a sentence."""
    if engine.llm == BUILT_IN:
        return "Nothing is sent anywhere."
    settings = state.settings_for(AnswerOptions(llm=engine.llm, llm_url=engine.url))
    try:
        server = model_server(LlmSettings.from_settings(settings))
    except FootnoteError as error:
        return str(error)
    if server.is_local and owner:
        return "The model runs on the server of this page. Nothing is sent anywhere else."
    if server.is_local:
        return "The model runs on this machine. Nothing is sent anywhere."
    sent = "Your question, the conversation and the passages"
    return f"{sent} are sent to {server.host}. Nothing else is."
