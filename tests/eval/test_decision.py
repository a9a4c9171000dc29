"""The weights of the decision between the engines are fitted on runs that refused nothing."""

import random
from pathlib import Path

import pytest

from eval.decision import MIN_ANSWERS, AnswerWithSignals, fit, judged_answers
from eval.run_schema import Provenance, QuestionSource, Run
from qa.errors import FootnoteError
from qa.types import Signals
from tests.eval.fakes import answer, result

SURE = Signals(0.9, True, 0.9, agrees=True)


def _run(threshold: float, **scores: dict[str, float | None]) -> Run:
    provenance = Provenance(
        questions=QuestionSource("0"), documents={}, settings={"threshold": threshold}
    )
    return Run(Path("run"), provenance, scores)


def test_fit_returns_weights_of_the_signals_that_decide() -> None:
    """Answers are right where the check is sure; the reader says nothing here."""
    rng = random.Random(1)
    answers = []
    for _ in range(300):
        support = rng.random()
        signals = Signals(rng.random(), True, support, agrees=rng.random() < 0.5)
        answers.append(AnswerWithSignals(signals, rng.random() < support))
    fitted = fit(answers)
    assert (fitted.answers, fitted.right) == (300, sum(answer.right for answer in answers))
    assert fitted.weights.support == pytest.approx(1, abs=0.35)
    assert abs(fitted.weights.reader) < 0.25
    assert fitted.weights.confidence(SURE) > 0.7


@pytest.mark.parametrize("number", [MIN_ANSWERS - 1, MIN_ANSWERS])
def test_fit_of_too_few_or_equal_answers_raises(number: int) -> None:
    with pytest.raises(FootnoteError, match="too few for weights"):
        fit([AnswerWithSignals(SURE, right=True)] * number)


def test_judged_answers_are_right_if_they_contain_an_accepted_answer() -> None:
    run = _run(
        0,
        right={"contains_answer": 1.0},
        wrong={"contains_answer": 0.0},
        unanswerable={"contains_answer": None, "rightly_refused": 0.0},
        unknown={"contains_answer": None},
    )
    results = [result(answer(signals=SURE), key) for key in (*run.scores, "failed")]
    assert judged_answers(run, results) == [
        AnswerWithSignals(SURE, right=True),
        AnswerWithSignals(SURE, right=False),
        AnswerWithSignals(SURE, right=False),
    ]


def test_judged_answers_without_signals_are_left_out() -> None:
    """The built-in engine answered them."""
    run = _run(0, right={"contains_answer": 1.0})
    assert judged_answers(run, [result(answer(), "right")]) == []


def test_judged_answers_of_a_run_with_refusals_raises() -> None:
    with pytest.raises(FootnoteError, match="--threshold 0"):
        judged_answers(_run(0.5), [])
