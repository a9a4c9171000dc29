"""What all tabs share: models, index, conversations and the work under way. Made once, in the background."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import streamlit as st

from qa import types
from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError
from qa.types import Answer, Document, Turn
from ui.background import in_background
from ui.chat.history import History
from ui.chat.transcript import Choice
from ui.chat.worker import Desk
from ui.library.worker import Intake, Job

if TYPE_CHECKING:
    from qa.bot import Bot
    from qa.suggestions import Suggestion

TICK = 0.1
"""Seconds between two looks at whether files are added."""
SWITCH = 0.001
"""Seconds after which a thread that computes in Python lets another go on. An answer lets go of its turn hundreds of
times, and beside a text that is being cut waits so long each time: with Python's 0.005 for up to two seconds in all."""


def open_bot(settings: Settings) -> Bot:
    """Loads models and index. Raises FootnoteError."""
    # Here, not above: it brings torch, and the page must show before that.
    from qa.bot import Bot

    bot = Bot.open(settings)
    # What is loaded stays: else each full collection looks at all of it while every tab waits.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH)
    return bot


@dataclass(slots=True)
class Service:
    """One installation: `opening` holds the bot, or why there is none, as soon as that is known."""

    settings: Settings
    history: History
    opening: Future[Bot]
    desk: Desk = field(init=False)
    intake: Intake = field(init=False)
    _ideas: tuple[str, threading.Event, Future[tuple[str, ...]]] | None = None
    """The library's generation, what stops the looking, and the questions found for it."""
    _bots: dict[Settings, Bot] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.desk = Desk(self.history, self._answer)
        self.intake = Intake(lambda: self.opening.result().index, self.desk.busy)

    def reopen(self) -> None:
        """Tries again where the bot did not open."""
        if self.opening.done() and self.opening.exception():
            self.opening = in_background(lambda: open_bot(self.settings))

    def suggestions(self, documents: Sequence[Document]) -> Future[tuple[str, ...]]:
        """Questions to begin with, looked for anew when the library has changed."""
        bot = self.opening.result()
        generation = bot.index.generation
        with self._turn:
            if self._ideas is None or self._ideas[0] != generation:
                if self._ideas:
                    self._ideas[1].set()
                stop = threading.Event()
                found = in_background(
                    lambda: tuple(one.question for one in _suggested(bot, documents, stop))
                )
                self._ideas = (generation, stop, found)
            return self._ideas[2]

    def add(
        self, files: Sequence[tuple[str, bytes]], owner: str
    ) -> Callable[[threading.Event], None]:
        """Begins to add files, by name; gives what waits until they are in the library, or raises why one is not."""
        ids = {self.intake.submit(name, data, owner).id for name, data in files}

        def wait(stop: threading.Event) -> None:
            while any(job.under_way for job in self._jobs(ids)) and not stop.wait(TICK):
                pass
            failed = [
                f"{job.name} could not be added: {job.reason}"
                for job in self._jobs(ids)
                if job.state == "failed"
            ]
            if failed:
                raise FootnoteError(
                    " ".join(
                        [*failed, "The question was not asked: ask it again without the file."]
                    )
                )

        return wait

    def _jobs(self, ids: Collection[str]) -> list[Job]:
        return [job for job in self.intake.jobs() if job.id in ids]

    def settings_for(self, choice: Choice) -> Settings:
        """The settings with what a person chose for a question."""
        ours = self.settings
        strict = ours.strict if choice.strict is None else choice.strict
        settings = replace(
            ours, llm=choice.llm or ours.llm, top_k=choice.top_k or ours.top_k, strict=strict
        )
        # The address and the key are those of the configured model, and are told to no other.
        if settings.llm != self.settings.llm:
            settings = replace(settings, llm_url=None, llm_key=None, llm_context=None)
        return settings

    def _answer(
        self,
        question: str,
        history: Sequence[Turn],
        choice: Choice,
        hear: types.OnEvent,
        stop: threading.Event,
    ) -> tuple[Answer, float]:
        settings = self.settings_for(choice)
        bot = self._bot(settings)
        built_in = settings.llm == BUILT_IN
        answer = bot.ask(question, history, hear, choice.documents, built_in=built_in, stop=stop)
        return answer, settings.threshold

    def _bot(self, settings: Settings) -> Bot:
        """The bot with these settings; waits for the models. Raises FootnoteError."""
        bot = self.opening.result()
        with self._turn:
            if settings not in self._bots:
                self._bots[settings] = bot if settings == self.settings else bot.answering(settings)
            return self._bots[settings]


def _suggested(
    bot: Bot, documents: Sequence[Document], stop: threading.Event
) -> Sequence[Suggestion]:
    from qa.suggestions import suggest

    return suggest(bot, documents, stop=stop)


@st.cache_resource(show_spinner=False)
def service(settings: Settings) -> Service:
    """The one of this process. Raises FootnoteError where the conversations cannot be kept."""
    return Service(settings, History(settings.home), in_background(lambda: open_bot(settings)))


@st.cache_resource(show_spinner=False)
def local_models() -> Future[tuple[str, ...]]:
    """The models of an Ollama on this machine: offered, never taken unasked. Looked for once."""
    from qa.llm.providers import local_models as found

    return in_background(found)


def documents(bot: Bot) -> list[Document]:
    """The library as it is now; read again only when it has changed."""
    return _documents(bot, bot.index.generation)


@st.cache_resource(show_spinner=False, max_entries=2)
def _documents(_bot: Bot, generation: str) -> list[Document]:  # noqa: ARG001 - it is what tells listings apart
    return _bot.index.documents()
