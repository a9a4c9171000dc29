"""The bot: a question becomes an answer. Page, command line and evaluation call `Bot.ask`."""

import threading
import time
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, replace

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
from qa.models.embedding import (
    Embedder,
    Encoding,
    EncodingCache,
    SentenceTransformerEmbedder,
)
from qa.models.entailment import CrossEncoderEntailment
from qa.models.spans import CrossEncoder
from qa.reader.reader import Reader, Reading, TrainedReader, Weights
from qa.text.words import stem
from qa.types import (
    Answer,
    AnswerSentence,
    Event,
    OnEvent,
    RankedPassage,
    Reason,
    Stage,
    Turn,
    Why,
)

REFUSALS: dict[Reason, str] = {
    "no_documents": "There are no documents to ask yet. Add some first: footnote add PATH",
    "not_in_documents": "The documents do not answer this question.",
    "model_declined": "The language model found no answer in the documents.",
}
"""The words shown for a refusal, by its reason."""
NOTHING_SUPPORTED = (
    "{model} wrote nothing that the documents support. "
    "This is the answer in the documents' own sentences."
)
LEFT_OUT = "{count} of the language model's left out: the documents do not support it."


@dataclass(frozen=True, slots=True)
class ModelEngine:
    """A language model, and the verifier of the sentences that it writes."""

    model: LanguageModel
    verifier: Verifier
    strict: bool = False
    """Whether sentences that the documents do not support are left out."""


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
        self._engine = engine
        self._lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings) -> "Bot":
        """Loads the models and opens the index. A language model is not called yet.

        Raises ModelError, IndexMismatchError, IndexDamagedError, NotWritableError or BrokenError.
        """
        embedder = SentenceTransformerEmbedder(settings.embedding)
        index = Index(settings.store, embedder)
        encodings = EncodingCache(embedder)
        cross_encoder = CrossEncoder(settings.reader)
        reader = TrainedReader(encodings, cross_encoder, Weights.load(settings.reader))
        return cls(index, embedder, reader, settings, _engine(settings, encodings), encodings)

    def answering(self, settings: Settings) -> "Bot":
        """Returns a bot that shares index, models and lock, and answers with other settings.

        Raises LanguageModelError as `open` does, and ValueError for another library.
        """
        if settings.library != self._settings.library:
            raise ValueError("these settings need another index or other models: open another bot")

        sibling = copy(self)
        sibling._settings = settings
        sibling._engine = _engine(settings, self._encodings)
        return sibling

    @property
    def engine(self) -> str:
        """What answers: `built-in`, or the name of a language model."""
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
        """Returns the answer to a question, or a refusal with its reason.

        history: the earlier turns of the conversation, oldest first.
        on_event: called when a stage begins and when words of a language model arrive.
        documents: names of the documents to ask; None: all of them.
        built_in: answer in the documents' own sentences, also if a language model is configured.
        stop: once set, stops a language model.

        Raises FootnoteError for an empty question, LanguageModelError for a model that fails and
        StoppedError when stopped; the last two carry the words written so far.
        """
        question = question.strip()
        if not question:
            raise FootnoteError("The question is empty. Type a question.")
        stop = stop or threading.Event()
        progress = _Progress(on_event)
        engine = None if built_in else self._engine
        model = CountingModel(engine.model) if engine else None

        with self._lock:
            snapshot = self.index.snapshot(documents)
        # The model call waits for a server, so it must not hold the lock.
        forms = _understand(question, history, snapshot, model, progress, stop)
        with self._lock:
            retrieved = self._retrieve(forms, snapshot, progress)
            standalone, reading = self._read(retrieved, snapshot, progress)

        progress.begin("answer")
        refusal = self._refusal(snapshot, reading.confidence)
        if refusal:
            content = _Content(BUILT_IN, (), reading.passages, refusal)
        elif engine and model:
            draft = draft_answer(standalone, reading.passages, model, progress.hear, stop)
            content = self._verify(draft, engine, standalone, reading, snapshot, progress)
        else:
            content = _extract(standalone, reading, snapshot)

        return Answer(
            question=question,
            standalone_question=standalone,
            text=content.text,
            reason=content.reason,
            confidence=reading.confidence,
            sentences=content.sentences,
            passages=content.passages,
            engine=content.engine,
            timings=progress.timings(),
            notices=content.notices,
            usage=model.usage if model and model.was_called else None,
        )

    def _retrieve(
        self, forms: Sequence[str], snapshot: Snapshot, progress: "_Progress"
    ) -> list["_Retrieved"]:
        """Finds the passages for each form of the question, its typing errors corrected."""
        progress.begin("retrieve")
        top_k = self._settings.top_k

        def known(word: str) -> bool:
            return self._embedder.knows(word) or stem(word) in snapshot.frequencies.counts

        retrieved = []
        for form in forms:
            query = correct_spelling(form, snapshot.words, known)
            # Each by itself: in bfloat16 a text's neighbours in a batch change its last digits.
            encoding = self._embedder.encode([query])[0]
            passages = retrieve(query, encoding.vector, snapshot, self.index.nearest, top_k)
            retrieved.append(_Retrieved(query, encoding, passages))
        return retrieved

    def _read(
        self, retrieved: Sequence["_Retrieved"], snapshot: Snapshot, progress: "_Progress"
    ) -> tuple[str, Reading]:
        """Returns the form of the question that the reader is surest of, and its reading."""
        progress.begin("read")
        readings = []
        for form in retrieved:
            reading = self._reader.read(form.question, form.encoding, form.passages, snapshot)
            readings.append((form.question, reading))
        return max(readings, key=lambda row: row[1].confidence)

    def _refusal(self, snapshot: Snapshot, confidence: float) -> Reason | None:
        """Returns why the question is refused before any engine answers; None: it is not."""
        if not snapshot.documents:
            return "no_documents"
        if not confidence or confidence < self._settings.threshold:
            return "not_in_documents"
        return None

    def _verify(
        self,
        draft: DraftAnswer,
        engine: ModelEngine,
        question: str,
        reading: Reading,
        snapshot: Snapshot,
        progress: "_Progress",
    ) -> "_Content":
        """Checks the claims of a draft. If none is supported, the built-in engine answers."""
        name = engine.model.name
        if not draft.claims:
            return _Content(name, (), draft.seen, "model_declined", draft.notices)

        progress.begin("verify")
        with self._lock:
            passages = [ranked.passage for ranked in draft.seen]
            sentences = engine.verifier.check(draft.claims, passages, snapshot)

        supported = tuple(claim for claim in sentences if claim.support != "unsupported")
        if not supported:
            progress.begin("answer")
            notice = NOTHING_SUPPORTED.format(model=name)
            content = _extract(question, reading, snapshot)
            return replace(content, notices=(*draft.notices, notice))

        left_out = len(sentences) - len(supported)
        if not engine.strict or not left_out:
            return _Content(name, sentences, draft.seen, notices=draft.notices)
        count = "1 sentence" if left_out == 1 else f"{left_out} sentences"
        notice = LEFT_OUT.format(count=count)
        return _Content(name, supported, draft.seen, notices=(*draft.notices, notice))


@dataclass(frozen=True, slots=True)
class _Retrieved:
    """A form of the question, its encoding, and the passages found for it, best first."""

    question: str
    encoding: Encoding
    passages: list[RankedPassage]


@dataclass(frozen=True, slots=True)
class _Content:
    """What an answer consists of, whichever engine wrote it."""

    engine: str
    sentences: tuple[AnswerSentence, ...]
    passages: tuple[RankedPassage, ...]
    reason: Reason | None = None
    notices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The sentences joined, or the words of the refusal."""
        if self.reason:
            return REFUSALS[self.reason]
        return " ".join(sentence.text for sentence in self.sentences)


class _Progress:
    """Reports the stages of a question as they begin, and measures how long each takes."""

    def __init__(self, on_event: OnEvent | None) -> None:
        self._on_event = on_event
        self._start = self._stage_start = time.perf_counter()
        self._first_words: float | None = None
        self._seconds = dict.fromkeys(("retrieve", "read", "answer", "verify"), 0.0)
        # Before the first stage the snapshot is made: that belongs to finding passages.
        self._measured = "retrieve"

    def begin(self, stage: Stage) -> None:
        """Ends the stage before, and begins this one."""
        self._end_stage()
        # Understanding is a call of the language model: its time is the engine's.
        self._measured = "answer" if stage == "understand" else stage
        self.hear(Event(stage))

    def hear(self, event: Event) -> None:
        """Reports an event, and remembers when the first words came."""
        if event.words and self._first_words is None:
            self._first_words = time.perf_counter() - self._start
        if self._on_event:
            self._on_event(event)

    def timings(self) -> dict[str, float]:
        """Ends the last stage and returns the seconds of all."""
        self._end_stage()
        timings = dict(self._seconds)
        if self._first_words is not None:
            timings["first_words"] = self._first_words
        timings["total"] = self._stage_start - self._start
        return timings

    def _end_stage(self) -> None:
        now = time.perf_counter()
        self._seconds[self._measured] += now - self._stage_start
        self._stage_start = now


def _engine(settings: Settings, encodings: EncodingCache) -> ModelEngine | None:
    """Returns the language model of the settings with its verifier; None: the built-in engine."""
    if settings.llm == BUILT_IN:
        return None
    model = language_model(LlmSettings.from_settings(settings))
    return ModelEngine(model, Verifier(encodings, CrossEncoderEntailment()), settings.strict)


def _understand(
    question: str,
    history: Sequence[Turn],
    snapshot: Snapshot,
    model: LanguageModel | None,
    progress: _Progress,
    stop: threading.Event,
) -> tuple[str, ...]:
    """Returns the forms in which the question may stand alone; the reader chooses one of them."""
    if model and history and snapshot.documents:
        progress.begin("understand")
        form = standalone_by_model(question, history, model, stop)
        if form:
            return (form,)
    return standalone_by_rule(question, history)


def _extract(question: str, reading: Reading, snapshot: Snapshot) -> _Content:
    """Returns the answer of the built-in engine, in the documents' own sentences."""
    sentences = compose(question, reading, snapshot)
    passages = _with_cited(reading.passages, sentences, snapshot)
    return _Content(BUILT_IN, sentences, passages)


def _with_cited(
    passages: tuple[RankedPassage, ...], sentences: Sequence[AnswerSentence], snapshot: Snapshot
) -> tuple[RankedPassage, ...]:
    """Returns the passages that were read, then those that were only cited.

    A sentence before the one that answers is cited where it says whom or what that speaks of; it
    may lie in a passage that was not retrieved.
    """
    documents = {document.name: document for document in snapshot.documents}
    shown = {ranked.passage.id for ranked in passages}
    extra = []
    for sentence in sentences:
        for citation in sentence.citations:
            passage = snapshot.passage_at(documents[citation.document], citation.start)
            if passage.id not in shown:
                shown.add(passage.id)
                extra.append(RankedPassage(passage, 0.0, Why(None, None, 0.0)))
    return (*passages, *extra)
