"""Answers that a careless reader gives where the passage does not answer."""

from collections.abc import Sequence

import numpy as np

from qa.models.spans import SpanScores
from qa.training.claims import claims_of_questions
from qa.training.near_answers import with_plausible_answers
from qa.training.sources import TrainingQuestion
from qa.types import Span

CONTEXT = "Ines Prado opened the bridge in May."


class FirstWord:
    """A reader for which the first token of a passage answers everything."""

    def score(self, question: str, texts: Sequence[str]) -> list[SpanScores]:
        scored = []
        for passage in texts:
            end = passage.index(" ")
            offsets = np.array([[0, end], [end + 1, len(passage)]])
            odds = np.array([1.0, -9.0])
            scored.append(SpanScores(offsets, odds, odds))
        return scored


def _question(context: str, *answers: Span) -> TrainingQuestion:
    return TrainingQuestion("s", "g", "Who closed the bridge?", context, answers)


def test_unanswerable_question_gets_the_readers_answer() -> None:
    (found,) = with_plausible_answers([_question(CONTEXT)], FirstWord())
    assert found.answers == ()
    assert [found.text_of(span) for span in found.plausible] == ["Ines"]
    claims = claims_of_questions([found], seed=1)
    assert [(claim.supported, "Ines" in claim.claim) for claim in claims] == [(False, True)]
    assert claims[0].evidence == (CONTEXT,)


def test_answerable_question_is_put_to_a_passage_that_lacks_the_answer() -> None:
    gold = Span(0, len("Ines Prado"))
    others = [
        _question(f"Lena Roth closed the bridge number {number}.", Span(0, 9))
        for number in range(8)
    ]
    found = list(with_plausible_answers([_question(CONTEXT, gold), *others], FirstWord()))
    assert found[0].context != CONTEXT
    assert "Ines Prado" not in found[0].context
    assert found[0].answers == ()
