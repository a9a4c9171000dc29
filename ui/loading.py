"""The models and the index: opened once for all tabs, in the background, while the page already shows."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

import streamlit as st

from qa.config import Settings
from qa.types import Document
from ui.background import in_background

if TYPE_CHECKING:
    from qa.bot import Bot

FRESH = 3
"""Seconds for which a listing of the library is kept: reading it again on every click would slow large ones."""


def open_bot(settings: Settings) -> Bot:
    """Loads models and index. Raises FootnoteError."""
    # Here, not above: it brings torch, and the page must show before that.
    from qa.bot import Bot

    return Bot.open(settings)


@st.cache_resource(show_spinner=False)
def opening(settings: Settings) -> Future[Bot]:
    """The bot, or why there is none, as soon as that is known; `opening.clear()` lets the next call try again."""
    return in_background(lambda: open_bot(settings))


@st.cache_resource(show_spinner=False)
def local_models() -> Future[tuple[str, ...]]:
    """The models of an Ollama on this machine: offered, never taken unasked. Looked for once."""
    from qa.providers import local_models as found

    return in_background(found)


@st.cache_resource(show_spinner=False, ttl=FRESH)
def documents(_bot: Bot) -> list[Document]:
    """The library as it is now, or was a moment ago."""
    return _bot.index.documents()
