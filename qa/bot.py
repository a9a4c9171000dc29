"""The chain: a question becomes an answer. The page, the command line and the evaluation call `Bot.ask`."""

import threading
import time
from collections.abc import Callable, Collection, Sequence

from qa.config import BUILT_IN, Settings
from qa.crossencoder import CrossEncoder
from qa.embedding import Embedder, SentenceTransformerEmbedder
from qa.errors import FootnoteError
from qa.extractive import compose
from qa.followup import forms
from qa.index import Index
from qa.lexical import corrected, stem
from qa.reader import Reader, Reading, Reads, Weights
from qa.retrieval import Library, retrieve
from qa.types import Answer, AnswerSentence, Event, OnEvent, RankedPassage, Reason, Span, Turn, Why

REFUSALS: dict[Reason, str] = {
    "no_documents": "There are no documents to ask yet. Add some first: python -m qa add PATH",
    "not_in_documents": "The documents do not answer this question.",
    "model_declined": "The language model found no answer in the documents.",
}
"""What a person is told, by reason."""


class Bot:
    """Answers questions over an index. One question at a time: threads wait for each other."""

    def __init__(self, index: Index, embedder: Embedder, reader: Reads, settings: Settings) -> None:
        self.index = index
        self._embedder = embedder
        self._reader = reader
        self._settings = settings
        self._lock = threading.Lock()
        self._libraries: dict[frozenset[str] | None, Library] = {}

    @classmethod
    def open(cls, settings: Settings) -> "Bot":
        """Loads the models and opens the index. Raises the errors of both: ModelError, IndexMismatchError, …"""
        embedder = SentenceTransformerEmbedder(settings.embedding)
        index = Index(settings.store, embedder)
        reader = Reader(embedder, CrossEncoder(settings.reader), Weights.of(settings.reader))
        return cls(index, embedder, reader, settings)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        on_event: OnEvent | None = None,
        documents: Collection[str] | None = None,
    ) -> Answer:
        """The answer to a question, or a refusal with its reason.

        `history`: the conversation's earlier turns, oldest first. `on_event` is told of each stage as it begins.
        `documents`: the names of those to ask; None asks all. Raises FootnoteError for an empty question.
        """
        if not question.strip():
            raise FootnoteError("The question is empty. Type one.")
        with self._lock:
            return self._ask(question.strip(), history, on_event or _ignore, documents)

    def _ask(self, question: str, history: Sequence[Turn], tell: OnEvent, documents: Collection[str] | None) -> Answer:
        clock = _Clock()
        library = self._library(documents)
        ways = [corrected(form, library.words, self._knows(library)) for form in forms(question, history)]
        read = [self._read(way, library, tell, clock) for way in ways]
        asked, reading = max(zip(ways, read, strict=True), key=lambda one: one[1].confidence)
        tell(Event("answer"))
        reason = self._refusal(library, reading.confidence)
        sentences = () if reason else compose(asked, reading, library)
        passages = _with_cited(reading.passages, sentences, library)
        clock.lap("answer")
        return _answer(question, asked, reason, reading.confidence, sentences, passages, clock.timings())

    def _knows(self, library: Library) -> Callable[[str], bool]:
        """Whether a word is no typing error: the model has it, or the documents have a form of it."""
        return lambda word: self._embedder.knows(word) or stem(word) in library.rarity.counts

    def _read(self, asked: str, library: Library, tell: OnEvent, clock: "_Clock") -> Reading:
        """What reading finds for a question, as it stands."""
        tell(Event("retrieve"))
        encoding = self._embedder.encode([asked])[0]
        ranked = retrieve(asked, encoding.vector, library, self.index.nearest, self._settings.top_k)
        clock.lap("retrieve")
        tell(Event("read"))
        reading = self._reader.read(asked, encoding, ranked, library)
        clock.lap("read")
        return reading

    def _refusal(self, library: Library, confidence: float) -> Reason | None:
        if not library.documents:
            return "no_documents"
        return "not_in_documents" if confidence < self._settings.threshold or not confidence else None

    def _library(self, documents: Collection[str] | None) -> Library:
        """The library as it is now; made anew only when the index has changed."""
        names = None if documents is None else frozenset(documents)
        known = self._libraries.get(names)
        generation = self.index.generation
        if known is None or known.generation != generation:
            self._libraries = {key: lib for key, lib in self._libraries.items() if lib.generation == generation}
            self._libraries[names] = Library.of(self.index, names)
        return self._libraries[names]


def _with_cited(
    passages: tuple[RankedPassage, ...], sentences: Sequence[AnswerSentence], library: Library
) -> tuple[RankedPassage, ...]:
    """What was read, and last what was looked up beside it to say whom a sentence speaks of."""
    shown = {one.passage.id for one in passages}
    by_name = {document.name: document for document in library.documents}
    holding = (
        library.holding(by_name[citation.document], Span(citation.start, citation.end))
        for sentence in sentences
        for citation in sentence.citations
    )
    extra = {passage.id: passage for passage in holding if passage.id not in shown}
    return (*passages, *(RankedPassage(passage, 0.0, Why(None, None, 0.0)) for passage in extra.values()))


def _ignore(_: Event) -> None:
    """For who does not listen."""


class _Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self._begun = self._last = time.perf_counter()
        self._laps = dict.fromkeys(("retrieve", "read", "answer", "verify"), 0.0)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps[stage] += now - self._last
        self._last = now

    def timings(self) -> dict[str, float]:
        return {**self._laps, "total": self._last - self._begun}


def _answer(
    question: str,
    asked: str,
    reason: Reason | None,
    confidence: float,
    sentences: tuple[AnswerSentence, ...],
    passages: tuple[RankedPassage, ...],
    timings: dict[str, float],
) -> Answer:
    return Answer(
        question=question,
        standalone_question=asked,
        text=REFUSALS[reason] if reason else " ".join(sentence.text for sentence in sentences),
        reason=reason,
        confidence=confidence,
        sentences=sentences,
        passages=passages,
        engine=BUILT_IN,
        timings=timings,
    )
