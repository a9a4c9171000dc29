"""The bot: a question becomes an answer. Page, command line and evaluation call `Bot.ask`."""

import threading
from collections.abc import Collection, Sequence
from copy import copy

from qa.answer.conversation import without_small_talk
from qa.answer.verify import Verifier
from qa.chain import Chain, ModelEngine
from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError
from qa.fair_lock import FairLock
from qa.library.index import Index
from qa.llm.client import LlmSettings, language_model
from qa.models.embedding import (
    Embedder,
    EncodingCache,
    SentenceTransformerEmbedder,
)
from qa.models.entailment import SharedEntailment
from qa.models.spans import CrossEncoder
from qa.progress import Progress
from qa.reader.reader import Reader, TrainedReader, Weights
from qa.resources import Resources
from qa.types import MAX_QUESTION, Answer, OnEvent, Turn

MAX_TURNS = 50
"""How many of the last turns of a conversation are read."""
QUESTION_CUT = (
    f"The question has more than {MAX_QUESTION:,} characters. Only its beginning was read."
)


class Bot:
    """Answers questions over an index. Threads take turns at the models of this machine."""

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        reader: Reader,
        settings: Settings,
        engine: ModelEngine | None = None,
        encodings: EncodingCache | None = None,
    ) -> None:
        self.index = index
        self._embedder = embedder
        self._encodings = encodings or EncodingCache(embedder)
        self._reader = reader
        self._settings = settings
        self._model_engine = engine
        self._entailment = SharedEntailment()
        self._lock = FairLock()

    @classmethod
    def open(cls, settings: Settings) -> "Bot":
        """Loads the models and opens the index. A language model is not called yet.

        Raises ModelError, IndexMismatchError, IndexDamagedError, NotWritableError or BrokenError.
        """
        embedder = SentenceTransformerEmbedder(settings.embedding)
        index = Index(settings.store, embedder, settings.local_index)
        encodings = EncodingCache(embedder)
        cross_encoder = CrossEncoder(settings.reader)
        reader = TrainedReader(encodings, cross_encoder, Weights.load(settings.reader))
        bot = cls(index, embedder, reader, settings, encodings=encodings)
        # It makes the language model's engine, whose verifier shares this bot's encodings.
        return bot.answering(settings)

    def answering(self, settings: Settings) -> "Bot":
        """Returns a bot that shares index, models and lock, and answers with other settings.

        Raises FootnoteError for an invalid model name, address or key, ModelError for a checking
        model that cannot be loaded, and ValueError for settings of another library.
        """
        if settings.loading_key != self._settings.loading_key:
            raise ValueError("these settings need another index or other models: open another bot")

        sibling = copy(self)
        sibling._settings = settings
        sibling._model_engine = sibling._make_engine()
        return sibling

    @property
    def engine(self) -> str:
        """What answers: `built-in`, or the name of a language model."""
        return self._model_engine.model.name if self._model_engine else BUILT_IN

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        on_event: OnEvent | None = None,
        documents: Collection[str] | None = None,
        built_in: bool = False,
        stop: threading.Event | None = None,
    ) -> Answer:
        """Returns the answer to a question, a refusal with its reason, or a reply to a greeting.

        history: the earlier turns, oldest first. documents: names of the documents to search;
        None: search all.
        on_event: called when a stage begins and when words of a language model arrive.
        built_in: never use the language model. stop: once set, stops the language model and the
        check of its answer.
        Of a question and of each earlier turn, the first MAX_QUESTION characters are read.
        Raises FootnoteError for an empty question, LanguageModelError for a model that fails and
        StoppedError when stopped; the last two carry the words written so far.
        """
        progress = Progress(on_event)
        question, notices = _checked(question)
        questions_before = without_small_talk(_bounded(history))
        with self._lock:
            snapshot = self.index.snapshot(documents)
        resources = Resources(self.index, self._embedder, self._reader, self._lock)
        chain = Chain(
            resources,
            self._settings,
            engine=None if built_in else self._model_engine,
            snapshot=snapshot,
            progress=progress,
            stop=stop or threading.Event(),
        )
        return chain.run(question, questions_before, notices)

    def _make_engine(self) -> ModelEngine | None:
        """Returns the language model with its verifier; None: the built-in engine answers."""
        settings = self._settings
        if settings.llm == BUILT_IN:
            return None
        model = language_model(LlmSettings.from_settings(settings))
        verifier = Verifier(self._encodings, self._entailment.load())
        return ModelEngine(model, verifier, settings.strict)


def _checked(question: str) -> tuple[str, tuple[str, ...]]:
    """Returns the part of a question that is read, and a notice if that is not all of it."""
    question = question.strip()
    if not question:
        raise FootnoteError("The question is empty. Type a question.")
    try:
        # The models do not accept half a character.
        question.encode()
    except UnicodeEncodeError as error:
        raise FootnoteError("The question is not valid UTF-8. Type it again.") from error
    if len(question) <= MAX_QUESTION:
        return question, ()
    return question[:MAX_QUESTION].rstrip(), (QUESTION_CUT,)


def _bounded(history: Sequence[Turn]) -> list[Turn]:
    """Returns the last turns, each cut as a question is."""
    bounded = []
    for turn in history[-MAX_TURNS:]:
        question, answer = _bounded_text(turn.question), _bounded_text(turn.answer)
        bounded.append(Turn(question, answer, turn.documents))
    return bounded


def _bounded_text(text: str) -> str:
    """Returns the text, cut as a question is; half characters become question marks."""
    return text[:MAX_QUESTION].encode("utf-8", "replace").decode()
