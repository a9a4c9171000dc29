"""The chain: a question becomes an answer. The page, the command line and the evaluation call `Bot.ask`."""

import threading
import time
from collections.abc import Collection, Sequence

from qa.config import BUILT_IN, Settings
from qa.embedding import Embedder, SentenceTransformerEmbedder
from qa.errors import FootnoteError
from qa.extractive import compose
from qa.followup import standalone
from qa.index import Index
from qa.lexical import corrected
from qa.reader import Reader, Reads, Weights
from qa.retrieval import Library, retrieve
from qa.types import Answer, AnswerSentence, Event, OnEvent, RankedPassage, Reason, Turn

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
        return cls(index, embedder, Reader(embedder, Weights.packaged()), settings)

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
        tell(Event("retrieve"))
        library = self._library(documents)
        asked = corrected(standalone(question, history), library.words, self._embedder.knows)
        encoding = self._embedder.encode([asked])[0]
        ranked = retrieve(asked, encoding.vector, library, self.index.nearest, self._settings.top_k)
        clock.lap("retrieve")
        tell(Event("read"))
        reading = self._reader.read(asked, encoding, ranked, library)
        clock.lap("read")
        tell(Event("answer"))
        reason = self._refusal(library, reading.confidence)
        sentences = () if reason else compose(asked, reading, library)
        clock.lap("answer")
        return _answer(question, asked, reason, reading.confidence, sentences, reading.passages, clock.timings())

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


def _ignore(_: Event) -> None:
    """For who does not listen."""


class _Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self._begun = self._last = time.perf_counter()
        self._laps = dict.fromkeys(("retrieve", "read", "answer", "verify"), 0.0)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps[stage] = now - self._last
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
