"""The bot: a question becomes an answer. Page, command line and evaluation call `Bot.ask`."""

import threading
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, replace

from qa.answer.choose import ReadForm, choose_form
from qa.answer.content import (
    MODEL_FOUND_NONE,
    NOTHING_SUPPORTED,
    AnswerContent,
    add_nearest,
    declined_answer,
    extract_answer,
    model_answer,
    quoted_answer,
    reply_answer,
    selected_answer,
)
from qa.answer.conversation import conversation_reply, without_small_talk
from qa.answer.decision import can_reach, confidence, find_signals, is_near
from qa.answer.followup import forms_with_model, standalone_by_model, standalone_by_rule
from qa.answer.foreign import BY_WORDS, foreign_language, language_notices, read_by_words
from qa.answer.gather import gather
from qa.answer.generate import DraftAnswer, draft_answer
from qa.answer.leaning import leaning
from qa.answer.overview_request import OverviewRequest, overview_request
from qa.answer.verify import CheckedClaim, Verifier
from qa.config import BUILT_IN, PACKAGED_READER, Settings
from qa.errors import FootnoteError, StoppedError
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
from qa.models.entailment import SharedEntailment
from qa.models.spans import CrossEncoder
from qa.overview import Overviews
from qa.progress import Progress
from qa.reader.reader import Reader, Reading, TrainedReader, Weights
from qa.text.words import stem
from qa.turns import TurnLock
from qa.types import (
    MAX_QUESTION,
    Answer,
    OnEvent,
    RankedPassage,
    Reason,
    Turn,
)

MAX_TURNS = 50
"""How many of the last turns of a conversation are read."""
CHECKED_TOGETHER = 8
"""Claims of an answer. After so many, another question gets its turn at the models."""
QUESTION_CUT = (
    f"The question has more than {MAX_QUESTION:,} characters. Only its beginning was read."
)


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
        self._model_engine = engine
        self._entailment = SharedEntailment()
        self._lock = TurnLock()
        self._overviews = Overviews(index, embedder, self._lock)

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
        bot = cls(index, embedder, reader, settings, encodings=encodings)
        return bot.answering(settings)

    def answering(self, settings: Settings) -> "Bot":
        """Returns a bot that shares index, models and lock, and answers with other settings.

        Raises LanguageModelError as `open` does, and ValueError for another library.
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

        history: the earlier turns, oldest first. documents: the names of some; None: all of them.
        on_event: called when a stage begins and when words of a language model arrive.
        built_in: never use the language model. stop: once set, stops the language model and the
        check of its answer.
        Of a question and of each earlier turn, the first MAX_QUESTION characters are read.
        Raises FootnoteError for an empty question, LanguageModelError for a model that fails and
        StoppedError when stopped; the last two carry the words written so far.
        """
        progress = Progress(on_event)
        question, notices = _checked(question)
        history = without_small_talk(_bounded(history))
        stop = stop or threading.Event()
        engine = None if built_in else self._model_engine
        model = CountingModel(engine.model) if engine else None

        with self._lock:
            snapshot = self.index.snapshot(documents)
        reply = conversation_reply(question, history, snapshot.documents)
        if reply:
            return reply_answer(question, reply, notices, progress.timings())
        request = overview_request(question, history, snapshot.documents)
        if request:
            selection = self._overviews.select(request, snapshot, progress, stop)
            content = selected_answer(selection, snapshot)
            if engine and model and content.sentences:
                content = self._gather(request, content, engine, model, snapshot, progress, stop)
            if content.sentences:
                content = replace(content, notices=(*notices, *content.notices))
                timings = progress.timings()
                usage = model.usage if model and model.was_called else None
                return content.as_answer(question, question, timings, usage)
        # A language model waits for its server, so it is never called under the lock.
        forms = _understand(question, history, snapshot, model, progress, stop)
        with self._lock:
            progress.begin("retrieve")
            retrieved = self._retrieve(forms, snapshot)
            progress.begin("read")
            standalone, reading = self._read(question, retrieved, history, snapshot)

        progress.begin("answer")
        reading, language = self._with_words(standalone, reading, history)
        if not snapshot.documents:
            content = _refusal("no_documents", reading)
        elif engine and model:
            content = self._answer_with_model(
                standalone, reading, snapshot, engine, model, progress, stop
            )
        elif self._is_sure(reading):
            content = extract_answer(standalone, reading, snapshot)
        else:
            content = _refusal("not_in_documents", reading)
        if content.reason and is_near(content.confidence, self._settings.threshold):
            content = add_nearest(content, standalone, reading, snapshot)

        content = replace(content, notices=(*notices, *language, *content.notices))
        timings = progress.timings()
        usage = model.usage if model and model.was_called else None
        return content.as_answer(question, standalone, timings, usage)

    def _make_engine(self) -> ModelEngine | None:
        """Returns the language model with its verifier; None: the built-in engine answers."""
        settings = self._settings
        if settings.llm == BUILT_IN:
            return None
        model = language_model(LlmSettings.from_settings(settings))
        verifier = Verifier(self._encodings, self._entailment.load())
        return ModelEngine(model, verifier, settings.strict)

    def _gather(
        self,
        request: OverviewRequest,
        selected: AnswerContent,
        engine: ModelEngine,
        model: LanguageModel,
        snapshot: Snapshot,
        progress: Progress,
        stop: threading.Event,
    ) -> AnswerContent:
        """Lets the model write an overview, and checks it; `selected` if nothing is supported."""
        passages = self._overviews.passages(request, snapshot)

        def draft_part(task: str, part: Sequence[RankedPassage]) -> DraftAnswer:
            progress.begin("answer")
            # Nothing was read for an overview, so the model gets no hints.
            reading = Reading((), tuple(part), selected.confidence)
            return draft_answer(task, reading, model, progress.hear, stop, snapshot.view_of)

        draft = gather(request, passages, draft_part, progress.hear)
        checked: tuple[CheckedClaim, ...] = ()
        if draft.claims:
            progress.begin("verify")
            checked = self._check(draft, engine, snapshot, stop)
        if all(claim.sentence.support == "unsupported" for claim in checked):
            why = NOTHING_SUPPORTED if draft.claims else MODEL_FOUND_NONE
            return replace(selected, notices=(why, *selected.notices))
        content = model_answer(draft, checked, engine.model.name, engine.strict)
        return replace(content, confidence=selected.confidence)

    def _retrieve(self, forms: Sequence[str], snapshot: Snapshot) -> list["_Retrieved"]:
        """Finds the passages for each form of the question, its typing errors corrected."""
        top_k = self._settings.top_k

        def known(word: str) -> bool:
            return self._embedder.knows(word) or stem(word) in snapshot.frequencies.counts

        retrieved = []
        for form in forms:
            query = correct_spelling(form, snapshot.vocabulary, known)
            # Each by itself: in bfloat16 a text's neighbours in a batch change its last digits.
            encoding = self._embedder.encode([query])[0]
            passages = retrieve(query, encoding.vector, snapshot, self.index.nearest, top_k)
            retrieved.append(_Retrieved(query, encoding, passages))
        return retrieved

    def _read(
        self,
        question: str,
        retrieved: Sequence["_Retrieved"],
        history: Sequence[Turn],
        snapshot: Snapshot,
    ) -> tuple[str, Reading]:
        """Returns the form of the question that the answer comes from, and its reading."""

        def read(form: _Retrieved) -> Reading:
            return self._reader.read(form.question, form.encoding, form.passages, snapshot)

        def read_turn(place: int) -> Reading:
            forms = standalone_by_rule(history[place].question, history[:place])
            return read(self._retrieve(forms[:1], snapshot)[0])

        forms = [ReadForm(form.question, read(form)) for form in retrieved]
        # A complete question may well have the same answer as the last question.
        leans = history and leaning(question) != "alone"
        chosen = choose_form(forms, history, read_turn) if leans else forms[0]
        return chosen.question, chosen.reading

    def _with_words(
        self, question: str, reading: Reading, history: Sequence[Turn]
    ) -> tuple[Reading, tuple[str, ...]]:
        """Returns the reading, and notices where question or document is not in English.

        There the words of the question go before the reader, which may be sure of anything.
        """
        foreign = foreign_language(question, reading)
        if foreign is None:
            return reading, ()
        notices = language_notices(foreign, self._settings, history)
        knows_language = foreign.asked_in_english or self._settings.reader != PACKAGED_READER
        if not knows_language:
            by_words = read_by_words(question, reading)
            if self._is_sure(by_words):
                return by_words, (*notices, BY_WORDS)
        return reading, notices

    def _is_sure(self, reading: Reading) -> bool:
        """Returns whether the built-in engine answers."""
        # At 0 the reader has no sentence to answer with, even if the threshold is 0.
        return reading.confidence > 0 and reading.confidence >= self._settings.threshold

    def _answer_with_model(
        self,
        question: str,
        reading: Reading,
        snapshot: Snapshot,
        engine: ModelEngine,
        model: LanguageModel,
        progress: Progress,
        stop: threading.Event,
    ) -> AnswerContent:
        """Lets the model answer, checks what it wrote, and decides which answer is given."""
        threshold = self._settings.threshold
        if not reading.passages or not can_reach(threshold, reading.confidence):
            return _refusal("not_in_documents", reading)

        draft = draft_answer(question, reading, model, progress.hear, stop, snapshot.view_of)
        checked: tuple[CheckedClaim, ...] = ()
        if draft.claims:
            progress.begin("verify")
            checked = self._check(draft, engine, snapshot, stop)
        signals = find_signals(reading, checked)
        sureness = confidence(signals)

        if signals.answered:
            content = model_answer(draft, checked, model.name, engine.strict)
        elif reading.candidates:
            content = quoted_answer(draft, extract_answer(question, reading, snapshot))
        else:
            content = declined_answer(draft, model.name)
        if content.reason is None and sureness < threshold:
            content = declined_answer(draft, model.name)
        return replace(content, confidence=sureness, signals=signals)

    def _check(
        self, draft: DraftAnswer, engine: ModelEngine, snapshot: Snapshot, stop: threading.Event
    ) -> tuple[CheckedClaim, ...]:
        """Checks some claims at a time. Raises StoppedError, with the words of the draft."""
        passages = [ranked.passage for ranked in draft.seen]
        checked: list[CheckedClaim] = []
        for first in range(0, len(draft.claims), CHECKED_TOGETHER):
            claims = draft.claims[first : first + CHECKED_TOGETHER]
            with self._lock:
                # Looked at only now: the turn may have been long in coming.
                if stop.is_set():
                    message = f"{engine.model.name} was stopped before its answer was checked."
                    raise StoppedError(message, draft.text)
                checked += engine.verifier.check(claims, passages, snapshot)
        return tuple(checked)


@dataclass(frozen=True, slots=True)
class _Retrieved:
    """A form of the question, its encoding, and the passages found for it, best first."""

    question: str
    encoding: Encoding
    passages: list[RankedPassage]


def _refusal(reason: Reason, reading: Reading) -> AnswerContent:
    """Returns a refusal without an answer of a language model."""
    return AnswerContent(BUILT_IN, (), reading.passages, reading.confidence, reason)


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


def _understand(
    question: str,
    history: Sequence[Turn],
    snapshot: Snapshot,
    model: LanguageModel | None,
    progress: Progress,
    stop: threading.Event,
) -> tuple[str, ...]:
    """Returns the forms in which the question may stand alone; the reader chooses one of them."""
    # Of a complete question a model could only make another.
    leans = history and leaning(question) != "alone"
    if model and leans and snapshot.documents:
        progress.begin("understand")
        form = standalone_by_model(question, history, model, stop)
        if form:
            return forms_with_model(question, form)
    return standalone_by_rule(question, history)
