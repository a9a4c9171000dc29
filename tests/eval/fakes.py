"""Documents, answers and a bot whose figures can be worked out by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eval.dataset import Question, Split, check_evidence
from eval.metrics.example import Example
from eval.run_schema import Group, Provenance, QuestionSource, Result, ResultPassage
from qa.types import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Passage,
    RankedPassage,
    Reason,
    Signals,
    Span,
    Support,
    Turn,
    Usage,
    Why,
)

TEXT = "Cats sleep 16 hours. Dogs bark at night. Birds sing at dawn."
"""Three sentences: 0 to 20, 21 to 40, 41 to 60."""


def document(text: str = TEXT, name: str = "pets.txt") -> Document:
    return Document(name, f"/{name}", "Pets", text)


PETS = document()
PROVENANCE = Provenance(questions=QuestionSource("0"), documents={}, settings={})
ALL_QUESTIONS = Group("overall", "overall", 1, 0, {})


def question(
    key: str = "q1",
    evidence: Sequence[str] = ("Dogs bark at night.",),
    answers: Sequence[str] = ("bark",),
    kind: str = "fact",
    split: Split = "dev",
    line: int = 1,
    history: Sequence[Turn] = (),
    relevant: Mapping[str, int] | None = None,
    group: str = "",
) -> Question:
    """One about the pets; without evidence and relevant documents, one that they do not answer."""
    answerable = bool(evidence or relevant)
    accepted = tuple(answers) if answerable else ()
    return Question(
        *(key, f"{key}?", answerable, accepted, tuple(evidence), kind, tuple(history), split, line),
        relevant=relevant or {},
        group=group,
    )


def cite(start: int, end: int, of: Document = PETS) -> Citation:
    return Citation(of.name, of.title, of.version, start, end, of.text[start:end])


def says(
    text: str, *citations: Citation, span: Citation | None = None, support: Support = "verbatim"
) -> AnswerSentence:
    return AnswerSentence(text, support, citations, span)


def read(start: int, end: int, of: Document = PETS) -> RankedPassage:
    return RankedPassage(Passage(of, Span(start, end)), 1.0, Why(1, None, 0.5))


def answer(
    *sentences: AnswerSentence,
    passages: Sequence[RankedPassage] = (),
    confidence: float = 0.9,
    seconds: float | None = 0.5,
    first_words: float | None = None,
    usage: Usage | None = None,
    signals: Signals | None = None,
) -> Answer:
    text = " ".join(sentence.text for sentence in sentences)
    told = {"total": seconds, "first_words": first_words}
    timings = {name: value for name, value in told.items() if value is not None}
    return Answer(
        question="?",
        standalone_question="?",
        text=text,
        reason=None,
        confidence=confidence,
        sentences=sentences,
        passages=tuple(passages),
        engine="fake",
        timings=timings,
        usage=usage,
        signals=signals,
    )


def refusal(
    text: str = "The documents do not answer this.",
    passages: Sequence[RankedPassage] = (),
    confidence: float = 0.1,
    reason: Reason = "not_in_documents",
) -> Answer:
    return Answer("?", "?", text, reason, confidence, (), tuple(passages), "fake", {"total": 0.5})


def example(
    given: Answer, asked: Question | None = None, documents: Sequence[Document] = (PETS,)
) -> Example:
    asked = asked or question()
    gold = check_evidence([asked], documents)[asked.id]
    return Example(asked, gold, given, {each.name: each for each in documents})


def result(given: Answer | str, key: str = "q1", repeat: int = 1) -> Result:
    """The line of results.jsonl that has this answer, or this error."""
    answered = answer() if isinstance(given, str) else given
    return Result(
        id=key,
        question=f"{key}?",
        standalone_question=answered.standalone_question,
        answer=answered.text,
        abstained=answered.abstained,
        reason=answered.reason,
        confidence=answered.confidence,
        sentences=answered.sentences,
        passages=tuple(map(_result_passage, answered.passages)),
        engine=answered.engine,
        timings=answered.timings,
        notices=answered.notices,
        usage=answered.usage,
        signals=answered.signals,
        nearest=answered.nearest,
        repeat=repeat,
        error=given if isinstance(given, str) else None,
    )


def _result_passage(ranked: RankedPassage) -> ResultPassage:
    passage = ranked.passage
    return ResultPassage(
        passage.document.name,
        passage.span.start,
        passage.span.end,
        passage.text,
        ranked.score,
        ranked.why,
    )


@dataclass
class ScriptedBot:
    """Gives, or raises, what its script says for a question; one that is not in the script is a KeyError."""

    script: Mapping[str, Answer | Exception]
    heard: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        self.heard.append((question, tuple(history)))
        given = self.script[question]
        if isinstance(given, Exception):
            raise given
        return given
