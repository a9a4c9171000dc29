"""What is shown of an answer, and kept: complete in itself, whatever becomes of the documents."""

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from qa.types import Answer, AnswerSentence, Citation, RankedPassage, Reason


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage that was read for an answer. Ranks count from 1; None: that ranking did not bring it."""

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
    def of(cls, ranked: RankedPassage) -> "Shown":
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
        """Whether all of the cited words are in it."""
        same = (self.document, self.version) == (citation.document, citation.version)
        return same and self.start <= citation.start and citation.end <= self.end


@dataclass(frozen=True, slots=True)
class Told:
    """An answer or a refusal as the page shows it; the fields are those of `qa.types.Answer`."""

    standalone_question: str
    text: str
    reason: Reason | None
    confidence: float
    threshold: float
    """The confidence that was asked for."""
    sentences: tuple[AnswerSentence, ...]
    passages: tuple[Shown, ...]
    engine: str
    timings: dict[str, float]
    notices: tuple[str, ...]

    @classmethod
    def of(cls, answer: Answer, threshold: float) -> "Told":
        return cls(
            standalone_question=answer.standalone_question,
            text=answer.text,
            reason=answer.reason,
            confidence=answer.confidence,
            threshold=threshold,
            sentences=answer.sentences,
            passages=tuple(map(Shown.of, answer.passages)),
            engine=answer.engine,
            timings=answer.timings,
            notices=answer.notices,
        )

    @property
    def abstained(self) -> bool:
        return self.reason is not None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer."""

    message: str
    streamed: str = ""
    """What a language model had written before it failed or was stopped."""
    offers: bool = False
    """Whether the built-in engine may answer where a language model did not."""
    stopped: bool = False
    """Whether the person stopped it: no failure."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How a question is to be answered. None: as it is configured; of `documents`: all."""

    llm: str | None = None
    top_k: int | None = None
    strict: bool | None = None
    documents: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a question: one of the two."""

    told: Told | None = None
    failure: Failure | None = None


OUTCOME: Final = TypeAdapter(Outcome)
CHOICE: Final = TypeAdapter(Choice)
