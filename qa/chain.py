"""The retrieval chain: the stages of one question, from its words to a cited answer.

Understand, retrieve, read, answer; with a language model also verify. `Chain.run` calls them in
this order.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.answer.choose import ReadForm, choose_form
from qa.answer.completeness import completeness
from qa.answer.content import (
    AnswerContent,
    add_nearest,
    declined_answer,
    extract_answer,
    model_answer,
    quoted_answer,
    reply_answer,
    selected_answer,
)
from qa.answer.conversation import conversation_reply
from qa.answer.decision import can_reach, confidence, find_signals, is_near
from qa.answer.followup import forms_with_model, standalone_by_model, standalone_by_rule
from qa.answer.foreign import BY_WORDS, foreign_language, language_notices, read_by_words
from qa.answer.gather import gather
from qa.answer.generate import DraftAnswer, draft_answer
from qa.answer.overview_request import OverviewRequest, overview_request
from qa.answer.verify import CheckedClaim, Verifier
from qa.config import BUILT_IN, PACKAGED_READER, Settings
from qa.errors import StoppedError
from qa.library.search import retrieve
from qa.library.snapshot import Snapshot
from qa.library.spelling import correct_spelling
from qa.llm.model import CountingModel, LanguageModel
from qa.models.embedding import Encoding
from qa.overview import overview_passages, quoted_document, select_overview
from qa.progress import Progress
from qa.reader.reader import Reading
from qa.resources import Resources
from qa.text.words import stem
from qa.types import Answer, RankedPassage, Reason, Turn

CHECKED_TOGETHER = 8
"""Claims checked while the lock is held once. Between two batches, other questions get a turn."""


@dataclass(frozen=True, slots=True)
class ModelEngine:
    """A language model, and the verifier of the sentences that it writes."""

    model: LanguageModel
    verifier: Verifier
    strict: bool = False
    """Whether sentences that the documents do not support are left out."""


@dataclass(frozen=True, slots=True)
class _CountedEngine:
    """A model engine for one question, whose tokens are counted."""

    model: CountingModel
    verifier: Verifier
    strict: bool


class Chain:
    """Takes one question through the stages. A chain answers once."""

    def __init__(
        self,
        resources: Resources,
        settings: Settings,
        engine: ModelEngine | None,
        snapshot: Snapshot,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        """`snapshot` has the documents to answer from. `stop`, once set, stops a language model."""
        self._resources = resources
        self._settings = settings
        self._engine: _CountedEngine | None = None
        if engine:
            counted = CountingModel(engine.model)
            self._engine = _CountedEngine(counted, engine.verifier, engine.strict)
        self._snapshot = snapshot
        self._progress = progress
        self._stop = stop

    def run(
        self,
        question: str,
        history: Sequence[Turn],
        notices: tuple[str, ...],
    ) -> Answer:
        """Returns the answer, a refusal with its reason, or a reply to a greeting.

        `notices` go before those of the answer. Raises LanguageModelError and StoppedError.
        """
        reply = conversation_reply(question, history, self._snapshot.entries)
        if reply:
            return reply_answer(question, reply, notices, self._progress.timings())

        standalone = question
        content = self._overview(question, history)
        if content is None:
            # A language model waits for its server, so it is never called under the lock.
            forms = self._understand(question, history)
            with self._resources.lock:
                self._progress.begin("retrieve")
                retrieved = self._retrieve(forms)
                self._progress.begin("read")
                standalone, reading = self._read(question, retrieved, history)
            content = self._answer(standalone, reading, history)

        content = replace(content, notices=(*notices, *content.notices))
        usage = None
        if self._engine and self._engine.model.was_called:
            usage = self._engine.model.usage
        return content.as_answer(question, standalone, self._progress.timings(), usage)

    def _overview(self, question: str, history: Sequence[Turn]) -> AnswerContent | None:
        """Returns the overview that is asked for; None: none is, or no sentence is found."""
        request = overview_request(question, history, self._snapshot.entries, self._quoted)
        if not request:
            return None
        selection = select_overview(
            self._resources,
            request,
            self._snapshot,
            self._progress,
            self._stop,
        )
        content = selected_answer(selection, self._snapshot)
        if not content.sentences:
            return None
        if self._engine:
            return self._gather(request, content, self._engine)
        return content

    def _quoted(self, answer: str) -> str | None:
        """Returns the name of the document that an earlier answer quotes; None: it quotes none."""
        return quoted_document(answer, self._snapshot)

    def _gather(
        self,
        request: OverviewRequest,
        selected: AnswerContent,
        engine: _CountedEngine,
    ) -> AnswerContent:
        """Lets the model write an overview, and checks it; `selected` if nothing is supported."""
        progress = self._progress
        passages = overview_passages(self._resources, request, self._snapshot)

        def draft_part(task: str, part: Sequence[RankedPassage]) -> DraftAnswer:
            progress.begin("answer")
            # Nothing was read for an overview, so the model gets no hints.
            reading = Reading((), tuple(part), selected.confidence)
            view_of = self._snapshot.view_of
            return draft_answer(task, reading, engine.model, progress.hear, self._stop, view_of)

        draft = gather(request, passages, draft_part, progress.hear)
        checked = self._verify(draft, engine)
        if all(claim.sentence.support == "unsupported" for claim in checked):
            return quoted_answer(draft, selected)
        content = model_answer(draft, checked, engine.model.name, engine.strict)
        return replace(content, confidence=selected.confidence)

    def _understand(self, question: str, history: Sequence[Turn]) -> tuple[str, ...]:
        """Returns the forms in which the question may stand alone; the reader chooses a form."""
        # A model that rewrites a complete question can only change its meaning.
        may_lack_words = history and completeness(question) != "complete"
        if self._engine and may_lack_words and self._snapshot.entries:
            self._progress.begin("understand")
            form = standalone_by_model(question, history, self._engine.model, self._stop)
            if form:
                return forms_with_model(question, form)
        return standalone_by_rule(question, history)

    def _retrieve(self, forms: Sequence[str]) -> list["_Retrieved"]:
        """Finds the passages for each form of the question, its typing errors corrected."""
        embedder = self._resources.embedder
        nearest = self._resources.index.nearest
        snapshot = self._snapshot

        def known(word: str) -> bool:
            return embedder.knows(word) or snapshot.frequencies.count(stem(word)) > 0

        retrieved = []
        for form in forms:
            query = correct_spelling(form, snapshot.vocabulary, known)
            # Each by itself: in bfloat16 a text's neighbours in a batch change its last digits.
            encoding = embedder.encode([query])[0]
            passages = retrieve(query, encoding.vector, snapshot, nearest, self._settings.top_k)
            retrieved.append(_Retrieved(query, encoding, passages))
        return retrieved

    def _read(
        self,
        question: str,
        retrieved: Sequence["_Retrieved"],
        history: Sequence[Turn],
    ) -> tuple[str, Reading]:
        """Returns the form of the question that the answer comes from, and its reading."""
        reader = self._resources.reader

        def read(form: _Retrieved) -> Reading:
            return reader.read(form.question, form.encoding, form.passages, self._snapshot)

        def read_turn(index: int) -> Reading:
            forms = standalone_by_rule(history[index].question, history[:index])
            (first,) = self._retrieve(forms[:1])
            return read(first)

        forms = [ReadForm(form.question, read(form)) for form in retrieved]
        # A complete question may well have the same answer as the last question.
        may_lack_words = history and completeness(question) != "complete"
        chosen = choose_form(forms, history, read_turn) if may_lack_words else forms[0]
        return chosen.question, chosen.reading

    def _answer(
        self,
        question: str,
        reading: Reading,
        history: Sequence[Turn],
    ) -> AnswerContent:
        """Returns what answers, or a refusal."""
        self._progress.begin("answer")
        reading, language_notices = self._adapt_to_language(question, reading, history)
        if not self._snapshot.entries:
            content = _refusal("no_documents", reading)
        elif self._engine:
            content = self._answer_with_model(question, reading, self._engine)
        elif self._is_sure(reading):
            content = extract_answer(question, reading, self._snapshot)
        else:
            content = _refusal("not_in_documents", reading)

        if content.reason and is_near(content.confidence, self._settings.threshold):
            content = add_nearest(content, question, reading, self._snapshot)
        return replace(content, notices=(*language_notices, *content.notices))

    def _adapt_to_language(
        self, question: str, reading: Reading, history: Sequence[Turn]
    ) -> tuple[Reading, tuple[str, ...]]:
        """Returns the reading, and notices where question or document is not in English.

        For another language the packaged reader's confidence means nothing, so the words of the
        question are tried first.
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
        engine: _CountedEngine,
    ) -> AnswerContent:
        """Lets the model answer, checks what it wrote, and decides which answer is given."""
        threshold = self._settings.threshold
        if not reading.passages or not can_reach(threshold, reading.confidence):
            return _refusal("not_in_documents", reading)

        snapshot = self._snapshot
        model = engine.model
        hear = self._progress.hear
        draft = draft_answer(question, reading, model, hear, self._stop, snapshot.view_of)
        checked = self._verify(draft, engine, question)
        signals = find_signals(reading, checked)
        sureness = confidence(signals)

        can_answer = signals.answered or bool(reading.candidates)
        if sureness < threshold or not can_answer:
            content = declined_answer(draft, model.name)
        elif signals.answered:
            content = model_answer(draft, checked, model.name, engine.strict)
        else:
            content = quoted_answer(draft, extract_answer(question, reading, snapshot))
        return replace(content, confidence=sureness, signals=signals)

    def _verify(
        self, draft: DraftAnswer, engine: _CountedEngine, question: str = ""
    ) -> tuple[CheckedClaim, ...]:
        """Checks some claims at a time, as answers to the question.

        An overview answers no question. Raises StoppedError, with the words of the draft.
        """
        if not draft.claims:
            return ()
        self._progress.begin("verify")
        passages = [ranked.passage for ranked in draft.seen]
        answers = [replace(claim, question=question) for claim in draft.claims]
        checked: list[CheckedClaim] = []
        for first in range(0, len(answers), CHECKED_TOGETHER):
            claims = answers[first : first + CHECKED_TOGETHER]
            with self._resources.lock:
                # Looked at only now: the turn may have been long in coming.
                if self._stop.is_set():
                    message = f"{engine.model.name} was stopped before its answer was checked."
                    raise StoppedError(message, draft.text)
                checked += engine.verifier.check(claims, passages, self._snapshot)
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
