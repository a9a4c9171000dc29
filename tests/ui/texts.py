"""Answers for the tests of the page, made by hand."""

from qa.types import Answer, AnswerSentence, Citation, Document, Passage, RankedPassage, Span, Why
from ui.chat.transcript import Outcome, Told

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
    sentence = AnswerSentence(text, "supported", (CITED,), None, Span(0, 4))
    return Answer(
        question,
        question,
        text,
        None,
        0.9,
        (sentence,),
        (RANKED,),
        "built-in",
        {"total": 0.5},
        ("Note.",),
    )


def refusal(question: str) -> Answer:
    return Answer(
        question, question, "Not here.", "not_in_documents", 0.1, (), (RANKED,), "built-in"
    )


def answered(text: str = "Cats sleep.") -> Outcome:
    return Outcome(told=Told.of(answer(text=text), 0.5))
