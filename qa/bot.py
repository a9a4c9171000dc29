"""The chain: a question becomes an answer. The page, the command line and the evaluation call `Bot.ask`."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from copy import copy
from dataclasses import dataclass, field, replace

from qa.answer.extractive import compose
from qa.answer.followup import standalone_by_model, standalone_by_rule
from qa.answer.generate import DraftAnswer, draft_answer
from qa.answer.verify import Verifier
from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError
from qa.library.index import Index
from qa.library.search import retrieve
from qa.library.snapshot import Snapshot
from qa.library.spelling import correct_spelling
from qa.llm.client import CountingModel, LanguageModel, LlmSettings, language_model
from qa.models.embedding import Embedder, EncodingCache, SentenceTransformerEmbedder
from qa.models.entailment import CrossEncoderEntailment
from qa.models.spans import CrossEncoder
from qa.reader.reader import Reader, Reading, TrainedReader, Weights
from qa.text.words import stem
from qa.types import Answer, AnswerSentence, Event, OnEvent, RankedPassage, Reason, Turn, Why

REFUSALS: dict[Reason, str] = {
    "no_documents": "There are no documents to ask yet. Add some first: python -m qa add PATH",
    "not_in_documents": "The documents do not answer this question.",
    "model_declined": "The language model found no answer in the documents.",
}
"""What a person is told, by reason."""
NOTHING_SUPPORTED = "{model} wrote nothing that the documents support. This is the answer in the documents' own sentences."
LEFT_OUT = "{count} of the language model's left out: the documents do not support it."


@dataclass(frozen=True, slots=True)
class ModelEngine:
    """A language model, and what checks the sentences that it writes."""

    model: LanguageModel
    verifier: Verifier
    strict: bool = False
    """Whether sentences that the documents do not support are left out."""


class Bot:
    """Answers questions over an index. Threads wait for each other where the models of this machine compute."""

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
        self._engine = engine
        self._lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings) -> "Bot":
        """Loads the models and opens the index; a language model is not asked yet.

        Raises the errors of all: ModelError, IndexMismatchError, …
        """
        embedder = SentenceTransformerEmbedder(settings.embedding)
        index = Index(settings.store, embedder)
        encodings = EncodingCache(embedder)
        reader = TrainedReader(
            encodings, CrossEncoder(settings.reader), Weights.load(settings.reader)
        )
        return cls(index, embedder, reader, settings, _engine(settings, encodings), encodings)

    def answering(self, settings: Settings) -> "Bot":
        """This bot with other settings of how to answer; index and models are the same, and so is their turn.

        Raises LanguageModelError as `open` does, and ValueError for settings that ask for another index or model.
        """
        ours, theirs = (
            replace(
                s,
                top_k=1,
                threshold=0,
                llm=BUILT_IN,
                llm_url=None,
                llm_key=None,
                llm_context=None,
                strict=False,
            )
            for s in (self._settings, settings)
        )
        if ours != replace(theirs, llm_timeout=ours.llm_timeout):
            raise ValueError("another index or other models take another bot")
        other = copy(self)
        other._settings, other._engine = settings, _engine(settings, self._encodings)
        return other

    @property
    def engine(self) -> str:
        """What answers: `built-in`, or a language model's name."""
        return self._engine.model.name if self._engine else BUILT_IN

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        on_event: OnEvent | None = None,
        documents: Collection[str] | None = None,
        built_in: bool = False,
        stop: threading.Event | None = None,
    ) -> Answer:
        """The answer to a question, or a refusal with its reason.

        `history`: the conversation's earlier turns, oldest first. `on_event` is told of each stage as it begins, and
        of a language model's words as they arrive. `documents`: the names of those to ask; None asks all. `built_in`:
        answers in the documents' own sentences although a language model is configured. `stop`, once set, stops a
        language model. Raises FootnoteError for an empty question, LanguageModelError for a model that fails, and
        StoppedError when stopped; the last two carry what had been written.
        """
        if not question.strip():
            raise FootnoteError("The question is empty. Type one.")
        asking = _Asking(question.strip(), history, on_event or _ignore, stop or threading.Event())
        engine = None if built_in else self._engine
        with self._lock:
            snapshot = self.index.snapshot(documents)
        if engine:
            asking.model = CountingModel(engine.model)
            engine = replace(engine, model=asking.model)
        ways = self._ways(asking, engine if snapshot.documents else None)
        with self._lock:
            read = self._best_read(ways, snapshot, asking)
            if self._refusal(snapshot, read.reading.confidence) or not engine:
                return self._extractive(read, snapshot, asking)
        return self._generative(read, snapshot, engine, asking)

    def _ways(self, asking: "_Asking", engine: ModelEngine | None) -> tuple[str, ...]:
        """The ways to understand the question after the turns before: as the model puts it, or else by rule."""
        if engine and asking.history:
            asking.tell(Event("understand"))
            form = standalone_by_model(asking.question, asking.history, engine.model, asking.stop)
            asking.clock.lap("answer")
            if form:
                return (form,)
        return standalone_by_rule(asking.question, asking.history)

    def _best_read(self, ways: Sequence[str], snapshot: Snapshot, asking: "_Asking") -> "_Read":
        """Of the ways to understand a question, the one that the reader is surest of."""
        asked = [correct_spelling(way, snapshot.words, self._knows(snapshot)) for way in ways]
        read = [_Read(way, self._read(way, snapshot, asking)) for way in asked]
        return max(read, key=lambda one: one.reading.confidence)

    def _extractive(
        self, read: "_Read", snapshot: Snapshot, asking: "_Asking", notices: tuple[str, ...] = ()
    ) -> Answer:
        """The answer in the documents' own sentences, or the refusal."""
        asking.tell(Event("answer"))
        reason = self._refusal(snapshot, read.reading.confidence)
        sentences = () if reason else compose(read.asked, read.reading, snapshot)
        passages = _with_cited(read.reading.passages, sentences, snapshot)
        asking.clock.lap("answer")
        return _answer(asking, read, BUILT_IN, reason, sentences, passages, notices)

    def _generative(
        self, read: "_Read", snapshot: Snapshot, engine: ModelEngine, asking: "_Asking"
    ) -> Answer:
        """The answer in a language model's words, each sentence checked."""
        asking.tell(Event("answer"))
        draft = draft_answer(
            read.asked, read.reading.passages, engine.model, asking.hear, asking.stop
        )
        asking.clock.lap("answer")
        if not draft.claims:
            return _answer(
                asking, read, engine.model.name, "model_declined", (), draft.seen, draft.notices
            )
        asking.tell(Event("verify"))
        with self._lock:
            sentences = engine.verifier.check(
                draft.claims, [one.passage for one in draft.seen], snapshot
            )
            asking.clock.lap("verify")
            if all(sentence.support == "unsupported" for sentence in sentences):
                return self._extractive(
                    read,
                    snapshot,
                    asking,
                    (*draft.notices, NOTHING_SUPPORTED.format(model=engine.model.name)),
                )
        return _checked_answer(asking, read, engine, draft, sentences)

    def _knows(self, snapshot: Snapshot) -> Callable[[str], bool]:
        """Whether a word is no typing error: the model has it, or the documents have a form of it."""
        return lambda word: self._embedder.knows(word) or stem(word) in snapshot.frequencies.counts

    def _read(self, asked: str, snapshot: Snapshot, asking: "_Asking") -> Reading:
        """What reading finds for a question, as it stands."""
        asking.tell(Event("retrieve"))
        encoding = self._embedder.encode([asked])[0]
        ranked = retrieve(
            asked, encoding.vector, snapshot, self.index.nearest, self._settings.top_k
        )
        asking.clock.lap("retrieve")
        asking.tell(Event("read"))
        reading = self._reader.read(asked, encoding, ranked, snapshot)
        asking.clock.lap("read")
        return reading

    def _refusal(self, snapshot: Snapshot, confidence: float) -> Reason | None:
        if not snapshot.documents:
            return "no_documents"
        return (
            "not_in_documents" if confidence < self._settings.threshold or not confidence else None
        )


def _with_cited(
    passages: tuple[RankedPassage, ...], sentences: Sequence[AnswerSentence], snapshot: Snapshot
) -> tuple[RankedPassage, ...]:
    """What was read, and last what was looked up beside it to say whom a sentence speaks of."""
    shown = {one.passage.id for one in passages}
    by_name = {document.name: document for document in snapshot.documents}
    holding = (
        snapshot.passage_at(by_name[citation.document], citation.start)
        for sentence in sentences
        for citation in sentence.citations
    )
    extra = {passage.id: passage for passage in holding if passage.id not in shown}
    return (
        *passages,
        *(RankedPassage(passage, 0.0, Why(None, None, 0.0)) for passage in extra.values()),
    )


def _engine(settings: Settings, encodings: EncodingCache) -> ModelEngine | None:
    """The language model that the settings name, which is not asked yet, and what checks it."""
    if settings.llm == BUILT_IN:
        return None
    return ModelEngine(
        language_model(LlmSettings.from_settings(settings)),
        Verifier(encodings, CrossEncoderEntailment()),
        settings.strict,
    )


def _ignore(_: Event) -> None:
    """For who does not listen."""


class _Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self._begun = self._last = time.perf_counter()
        self._laps = dict.fromkeys(("retrieve", "read", "answer", "verify"), 0.0)
        self._heard: float | None = None

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps[stage] += now - self._last
        self._last = now

    def hear(self) -> None:
        """Keeps the time of the first words."""
        self._heard = self._heard or time.perf_counter()

    def timings(self) -> dict[str, float]:
        heard = {"first_words": self._heard - self._begun} if self._heard else {}
        return {**self._laps, **heard, "total": self._last - self._begun}


@dataclass(slots=True)
class _Asking:
    """A question under way."""

    question: str
    history: Sequence[Turn]
    tell: OnEvent
    stop: threading.Event
    clock: _Clock = field(default_factory=_Clock)
    model: CountingModel | None = None
    """The language model that answers, if one does."""

    def hear(self, event: Event) -> None:
        """Tells of an event, and keeps when the first words came."""
        if event.words:
            self.clock.hear()
        self.tell(event)


@dataclass(frozen=True, slots=True)
class _Read:
    """A question as it was understood, and what reading found for it."""

    asked: str
    reading: Reading


def _checked_answer(
    asking: _Asking,
    read: _Read,
    engine: ModelEngine,
    draft: DraftAnswer,
    sentences: tuple[AnswerSentence, ...],
) -> Answer:
    """A model's answer; in strict mode without the sentences that nothing supports."""
    notices = draft.notices
    kept = tuple(sentence for sentence in sentences if sentence.support != "unsupported")
    if engine.strict and len(kept) < len(sentences):
        count = len(sentences) - len(kept)
        notices += (
            LEFT_OUT.format(count=f"{count} sentence" if count == 1 else f"{count} sentences"),
        )
        sentences = kept
    return _answer(asking, read, engine.model.name, None, sentences, draft.seen, notices)


def _answer(
    asking: _Asking,
    read: _Read,
    engine: str,
    reason: Reason | None,
    sentences: tuple[AnswerSentence, ...],
    passages: tuple[RankedPassage, ...],
    notices: tuple[str, ...],
) -> Answer:
    return Answer(
        question=asking.question,
        standalone_question=read.asked,
        text=REFUSALS[reason] if reason else " ".join(sentence.text for sentence in sentences),
        reason=reason,
        confidence=read.reading.confidence,
        sentences=sentences,
        passages=passages,
        engine=engine,
        timings=asking.clock.timings(),
        notices=notices,
        usage=asking.model.usage if asking.model and asking.model.was_called else None,
    )
