"""What all tabs share: models, index, conversations and pending work. Made once per process."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from qa import types
from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError
from qa.library.catalog import Entry
from qa.llm import local
from qa.llm.local import LocalModels
from qa.types import Answer, Turn
from ui.chat.history import History
from ui.chat.transcript import AnswerOptions
from ui.chat.worker import AnswerQueue, Preparation
from ui.library.worker import Job, JobQueue

if TYPE_CHECKING:
    from qa.bot import Bot

T = TypeVar("T")
TICK = 0.1
"""Seconds between two looks at whether files are added."""
MAX_BOTS = 32
"""Choices of engine, passages and strictness for which a bot is kept; all share their models."""
SWITCH_INTERVAL = 0.001
"""Seconds after which a thread that computes in Python lets another thread run.

An answer waits for its turn hundreds of times. With Python's default of 0.005 seconds it would
take up to two seconds longer while a document is split.
"""


def in_background(work: Callable[[], T]) -> Future[T]:
    """Starts work in a thread. The future holds its result, or the exception it raised."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is read
            future.set_exception(error)

    # A daemon: Ctrl-C ends the server at once, even while a model loads.
    threading.Thread(target=run, daemon=True).start()
    return future


def open_bot(settings: Settings) -> Bot:
    """Loads models and index. Raises FootnoteError."""
    # Imported here because it brings torch, and the page must show before that.
    from qa.bot import Bot

    bot = Bot.open(settings)
    # The models stay loaded: without this each full collection would look at all of them.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_INTERVAL)
    return bot


@dataclass(frozen=True, slots=True)
class _Suggestions:
    """The search for example questions of one state of the library."""

    generation: str
    stop: threading.Event
    questions: Future[tuple[str, ...]]


@dataclass(slots=True)
class AppState:
    """One installation. `opening` holds the bot, or why it could not be opened."""

    settings: Settings
    history: History
    opening: Future[Bot]
    answer_queue: AnswerQueue = field(init=False)
    job_queue: JobQueue = field(init=False)
    _suggestions: _Suggestions | None = None
    _bots: dict[Settings, Bot] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.answer_queue = AnswerQueue(self.history, self._answer)
        self.job_queue = JobQueue(lambda: self.opening.result().index, self.answer_queue.busy)

    def reopen(self) -> None:
        """Tries again if the bot could not be opened."""
        if self.opening.done() and self.opening.exception():
            self.opening = in_background(lambda: open_bot(self.settings))

    def suggestions(self, entries: Sequence[Entry]) -> Future[tuple[str, ...]]:
        """Returns example questions; searched again when the library has changed."""
        bot = self.opening.result()
        generation = bot.index.generation
        with self._lock:
            current = self._suggestions
            if current is None or current.generation != generation:
                if current:
                    current.stop.set()
                stop = threading.Event()
                questions = in_background(lambda: _suggested_questions(bot, entries, stop))
                current = self._suggestions = _Suggestions(generation, stop, questions)
            return current.questions

    def add_files(self, files: Sequence[tuple[str, bytes]], owner: str) -> Preparation:
        """Starts to add files, given by name and content.

        Returns a function that waits until they are in the library. It raises FootnoteError if a
        file could not be added.
        """
        ids = {self.job_queue.submit(name, data, owner).id for name, data in files}

        def jobs() -> list[Job]:
            return [job for job in self.job_queue.jobs() if job.id in ids]

        def wait(stop: threading.Event) -> None:
            while any(job.active for job in jobs()) and not stop.wait(TICK):
                pass
            failed = [job for job in jobs() if job.state == "failed"]
            if failed:
                reasons = [f"{job.name} was not added: {job.reason}" for job in failed]
                advice = "The question was not asked. Ask it again to leave the file out."
                raise FootnoteError(" ".join([*reasons, advice]))

        return wait

    def settings_for(self, options: AnswerOptions) -> Settings:
        """Returns the settings with what a person chose for a question."""
        configured = self.settings
        settings = replace(
            configured,
            llm=options.llm or configured.llm,
            top_k=options.top_k or configured.top_k,
            strict=configured.strict if options.strict is None else options.strict,
        )
        if options.llm_url or settings.llm != configured.llm:
            # Address and key belong to the configured model. No other server may see them.
            settings = replace(settings, llm_url=options.llm_url, llm_key=None, llm_context=None)
        return settings

    def _answer(
        self,
        question: str,
        history: Sequence[Turn],
        options: AnswerOptions,
        on_event: types.OnEvent,
        stop: threading.Event,
    ) -> tuple[Answer, float]:
        settings = self.settings_for(options)
        built_in = settings.llm == BUILT_IN
        bot = self._bot(settings)
        answer = bot.ask(
            question, history, on_event, options.documents, built_in=built_in, stop=stop
        )
        return answer, settings.threshold

    def _bot(self, settings: Settings) -> Bot:
        """Returns the bot with these settings; waits for the models. Raises FootnoteError."""
        bot = self.opening.result()
        if settings == self.settings:
            return bot
        with self._lock:
            if settings not in self._bots:
                if len(self._bots) == MAX_BOTS:
                    oldest = next(iter(self._bots))
                    del self._bots[oldest]
                self._bots[settings] = bot.answering(settings)
            return self._bots[settings]


def _suggested_questions(
    bot: Bot, entries: Sequence[Entry], stop: threading.Event
) -> tuple[str, ...]:
    from qa.suggestions import suggest

    suggestions = suggest(bot, entries, bot.index.document, stop=stop)
    return tuple(suggestion.question for suggestion in suggestions)


@dataclass(slots=True)
class _Process:
    """What this process has opened. It lives until the process ends."""

    states: dict[Settings, AppState] = field(default_factory=dict)
    local_models: Future[LocalModels] | None = None
    """The last search for models on this machine; None before the first."""
    lock: threading.Lock = field(default_factory=threading.Lock)


# Not in Streamlit's caches: a message of any open page clears them, for everybody. Pending work
# would be lost, and the models would be loaded once more beside those that still answer.
_process = _Process()


def app_state(settings: Settings) -> AppState:
    """Returns the state of this process. Raises FootnoteError if conversations cannot be stored."""
    with _process.lock:
        if settings not in _process.states:
            history = History(settings.home)
            opening = in_background(lambda: open_bot(settings))
            _process.states[settings] = AppState(settings, history, opening)
        return _process.states[settings]


def look_for_local_models() -> None:
    """Starts to look for language models on this machine, unless a search is under way."""
    with _process.lock:
        # However many people open the menu, each server is asked once at a time.
        if _process.local_models is None or _process.local_models.done():
            _process.local_models = in_background(local.find_local_models)


def local_models() -> Future[LocalModels] | None:
    """Returns the last search for language models on this machine; None if nobody has looked."""
    return _process.local_models


def library_entries(bot: Bot) -> list[Entry]:
    """Returns the library's documents; they are listed again only when the library has changed."""
    return _entries(bot, bot.index.generation)


@st.cache_resource(show_spinner=False, max_entries=2)
def _entries(_bot: Bot, generation: str) -> list[Entry]:  # noqa: ARG001 - the cache's key
    return _bot.index.entries()
