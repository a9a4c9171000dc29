"""What the page stores and shows of an answer: complete in itself.

An old answer reads the same after its documents have changed or were removed.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from qa.types import Answer, AnswerSentence, Citation, RankedPassage, Reason


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage that was read for an answer. Ranks count from 1; None: not in that ranking."""

    document: str
    title: str
    publisher: str | None
    version: str
    start: int
    end: int
    page: int | None
    text: str
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    fused: float
    reader: float | None

    @classmethod
    def of(cls, ranked: RankedPassage) -> "StoredPassage":
        """Returns the passage with what the page shows of its document and its ranks."""
        passage, why = ranked.passage, ranked.why
        document, span = passage.document, passage.span
        return cls(
            document=document.name,
            title=document.title,
            publisher=document.publisher,
            version=document.version,
            start=span.start,
            end=span.end,
            page=document.page_at(span.start),
            text=passage.text,
            score=ranked.score,
            dense_rank=why.dense_rank,
            lexical_rank=why.lexical_rank,
            fused=why.fused,
            reader=why.reader,
        )

    def holds(self, citation: Citation) -> bool:
        """Returns whether all of the cited words are in the passage."""
        same_text = (self.document, self.version) == (citation.document, citation.version)
        return same_text and self.start <= citation.start and citation.end <= self.end


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer or a refusal; the fields are those of `qa.types.Answer`."""

    standalone_question: str
    text: str
    reason: Reason | None
    confidence: float
    threshold: float
    """The confidence that was needed for an answer."""
    sentences: tuple[AnswerSentence, ...]
    passages: tuple[StoredPassage, ...]
    engine: str
    timings: dict[str, float]
    notices: tuple[str, ...]
    nearest: AnswerSentence | None = None
    """Of a refusal that was close to an answer, the sentence that came nearest."""

    @classmethod
    def of(cls, answer: Answer, threshold: float) -> "StoredAnswer":
        """Returns the answer without what the page does not show."""
        return cls(
            standalone_question=answer.standalone_question,
            text=answer.text,
            reason=answer.reason,
            confidence=answer.confidence,
            threshold=threshold,
            sentences=answer.sentences,
            passages=tuple(StoredPassage.of(ranked) for ranked in answer.passages),
            engine=answer.engine,
            timings=answer.timings,
            notices=answer.notices,
            nearest=answer.nearest,
        )

    @property
    def abstained(self) -> bool:
        return self.reason is not None

    @property
    def shown_sentences(self) -> tuple[AnswerSentence, ...]:
        """The sentences of the answer, or the nearest sentence of a refusal that has it."""
        return (self.nearest,) if self.nearest else self.sentences

    @property
    def cited_documents(self) -> tuple[str, ...]:
        """The names of the documents that are cited, each once, in their order."""
        names: dict[str, None] = {}
        for sentence in self.sentences:
            names.update(dict.fromkeys(citation.document for citation in sentence.citations))
        return tuple(names)

    @property
    def is_reply(self) -> bool:
        """Whether it replies to a greeting or the like, and says nothing of the documents."""
        return self.reason == "conversation"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer."""

    message: str
    streamed: str = ""
    """What a language model had written before it failed or was stopped."""
    offers: bool = False
    """Whether the built-in engine may answer instead."""
    stopped: bool = False
    """Whether the person stopped it."""


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How a question is answered. None means as configured; for `documents`, all of them."""

    llm: str | None = None
    top_k: int | None = None
    strict: bool | None = None
    documents: tuple[str, ...] | None = None
    llm_url: str | None = None
    """The address of a model that was found on this machine; it gets no configured key."""

    @property
    def for_every_chat(self) -> "AnswerOptions":
        """What also holds for new conversations: all but the documents."""
        return replace(self, documents=None)


@dataclass(frozen=True, slots=True)
class ExchangeOutcome:
    """What became of a question: an answer or a failure."""

    # The JSON of conversations and exports has called the answer "told" since its first version.
    answer: Annotated[StoredAnswer | None, Field(alias="told")] = None
    failure: Failure | None = None


OUTCOME: Final = TypeAdapter(ExchangeOutcome)
OPTIONS: Final = TypeAdapter(AnswerOptions)
DAMAGED: Final = ExchangeOutcome(
    failure=Failure("This record is damaged and cannot be read. Ask the question again.")
)
"""Shown in the place of a stored outcome or of stored options that cannot be read."""
