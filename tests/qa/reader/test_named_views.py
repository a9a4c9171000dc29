"""The name of a document is read with its passages where the question needs it."""

from collections.abc import Sequence

from qa.documents.views import View, ViewPiece
from qa.models.spans import SpanScores
from qa.reader.named_views import score_views
from qa.types import Document, Passage, Span
from tests.qa.fakes import WordPointer

TEXT = "Amount due: 450 euros."
INVOICE = Document("2024/invoice.txt", "2024/invoice.txt", "Invoice", TEXT)


class _RecordingPointer(WordPointer):
    """Keeps the texts that it read."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def score(self, question: str, texts: Sequence[str]) -> list[SpanScores]:
        self.texts += texts
        return super().score(question, texts)


def _score(question: str) -> tuple[SpanScores, _RecordingPointer]:
    pointer = _RecordingPointer()
    passage = Passage(INVOICE, Span(0, len(TEXT)))
    view = View(TEXT, (ViewPiece(0, 0, len(TEXT), 0),))
    (scores,) = score_views(pointer, question, [passage], [view])
    return scores, pointer


def test_name_with_a_term_of_the_question_is_read() -> None:
    """The year is in the name of the folder alone; offsets stay those of the view."""
    scores, pointer = _score("What is the amount due in 2024?")
    assert pointer.texts == [f"Invoice (2024):\n{TEXT}"]
    best = scores.best_span(0, len(TEXT))
    assert best is not None
    assert TEXT[best.start : best.end] == "Amount"


def test_name_without_a_missing_term_is_not_read() -> None:
    """ "Amount" and "due" are in the passage."""
    _, pointer = _score("What is the amount due?")
    assert pointer.texts == [TEXT]


def test_answer_is_not_looked_for_in_the_name() -> None:
    """The name has a word of the question, and the passage has none: its margin stays low."""
    scores, pointer = _score("Which invoice?")
    assert pointer.texts == [f"Invoice (2024):\n{TEXT}"]
    of_passage = scores.margin()
    (alone,) = WordPointer().score("Which invoice?", [TEXT])
    assert of_passage == alone.margin()
