"""An answer as results.jsonl has it becomes an `Answer` again, to be scored as if it had just been given."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from eval.results import Row
from qa.types import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Passage,
    RankedPassage,
    Reason,
    Span,
    Support,
    Usage,
    Why,
)


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    support: Support
    citations: tuple[Citation, ...]
    span: Citation | None


@dataclass(frozen=True, slots=True)
class _Read:
    document: str
    start: int
    end: int
    score: FiniteFloat
    why: Why


@dataclass(frozen=True, slots=True)
class _Line:
    """What of a line makes the answer."""

    question: str
    standalone_question: str
    answer: str
    reason: Reason | None
    confidence: FiniteFloat
    sentences: tuple[_Sentence, ...]
    passages: tuple[_Read, ...]
    engine: str
    timings: dict[str, FiniteFloat]
    notices: tuple[str, ...]
    usage: Usage | None = None


_LINE = TypeAdapter(_Line)


def answer_of(row: Row, library: Mapping[str, Document]) -> Answer:
    """The answer of a line that holds one. `library`: the documents by name.

    What JSON does not hold is not there again: which words of a sentence are bold. Raises ValueError that says what
    is no answer over these documents.
    """
    try:
        line = _LINE.validate_python(row)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if unknown := [read.document for read in line.passages if read.document not in library]:
        raise ValueError(f"there is no document {unknown[0]!r}")
    if beyond := [
        read
        for read in line.passages
        if not 0 <= read.start < read.end <= len(library[read.document].text)
    ]:
        raise ValueError(
            f"there is no passage {beyond[0].start} to {beyond[0].end} of {beyond[0].document!r}"
        )
    return Answer(
        question=line.question,
        standalone_question=line.standalone_question,
        text=line.answer,
        reason=line.reason,
        confidence=line.confidence,
        sentences=tuple(
            AnswerSentence(one.text, one.support, one.citations, one.span) for one in line.sentences
        ),
        passages=tuple(
            RankedPassage(
                Passage(library[read.document], Span(read.start, read.end)), read.score, read.why
            )
            for read in line.passages
        ),
        engine=line.engine,
        timings=line.timings,
        notices=line.notices,
        usage=line.usage,
    )
