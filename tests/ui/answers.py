"""Answers for the tests of the page, written by hand."""

from qa.types import Answer, AnswerSentence, Citation, Document, Passage, RankedPassage, Span, Why
from ui.chat.transcript import ExchangeOutcome, StoredAnswer

PETS = Document(
    "pets.txt",
    "/pets.txt",
    "Pets",
    "Cats sleep. Dogs bark.",
    "The Zoo",
    examples=("Do cats sleep?",),
)
CITED = Citation(PETS.name, PETS.title, PETS.version, 0, 11, "Cats sleep.")
RANKED = RankedPassage(Passage(PETS, Span(0, 22)), 1.0, Why(1, None, 0.5, 3.25))


def answer(question: str = "Do cats sleep?", text: str = "Cats sleep.") -> Answer:
    return Answer(
        question=question,
        standalone_question=question,
        text=text,
        reason=None,
        confidence=0.9,
        sentences=(AnswerSentence(text, "supported", (CITED,), None, Span(0, 4)),),
        passages=(RANKED,),
        engine="built-in",
        timings={"total": 0.5},
        notices=("Note.",),
    )


def refusal(question: str) -> Answer:
    return Answer(
        question=question,
        standalone_question=question,
        text="Not here.",
        reason="not_in_documents",
        confidence=0.1,
        sentences=(),
        passages=(RANKED,),
        engine="built-in",
    )


def stored_answer(text: str = "Cats sleep.") -> StoredAnswer:
    return StoredAnswer.of(answer(text=text), threshold=0.5)


def stored_refusal(question: str) -> StoredAnswer:
    return StoredAnswer.of(refusal(question), threshold=0.5)


def answered(text: str = "Cats sleep.") -> ExchangeOutcome:
    return ExchangeOutcome(answer=stored_answer(text))
