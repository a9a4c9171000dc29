"""The weights: a signal that tells is found, and questions are put together as the figures say."""

import random

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from qa.reader.features import FEATURE_NAMES
from qa.reader.reader import Weights
from qa.training.fit import Case, Models, ablations, calibration, cases, fit, together
from qa.training.sources import Asked, Part
from qa.types import Span
from tests.qa.fakes import WordEmbedder, WordPointer

TELLING = FEATURE_NAMES.index("late_interaction")


def _case(rng: np.random.Generator, answered: bool) -> Case:
    """Ten sentences; the signal is high for the one that answers, and for none where none does."""
    rows = rng.normal(size=(10, len(FEATURE_NAMES)))
    right = np.zeros(10, dtype=bool)
    if answered:
        place = rng.integers(10)
        right[place] = True
        rows[place, TELLING] += 6
    return Case("made", rows, right, answered)


def test_the_signal_that_tells_decides_which_and_whether() -> None:
    rng = np.random.default_rng(1)
    made = [_case(rng, answered=number % 2 == 0) for number in range(300)]
    weights = Weights.from_json(fit(made))
    assert np.argmax(np.abs(weights.rank)) == TELLING
    figures = ablations(
        made, [_case(rng, answered=number % 2 == 0) for number in range(100)], weights
    )
    with_all = figures["all signals"]["made"]
    assert with_all["right sentence first"][0] > 0.9
    assert with_all["AUROC"][0] > 0.9
    low, high = with_all["AUROC"][1:]
    assert low <= with_all["AUROC"][0] <= high
    assert figures["cross-encoder alone"]["made"]["right sentence first"][0] < 0.5


def test_confidence_is_calibrated_by_the_fit_and_its_error_is_as_sklearn_bins_it() -> None:
    rng = np.random.default_rng(2)
    made, kept = ([_case(rng, answered=number % 2 == 0) for number in range(200)] for _ in range(2))
    weights = Weights.from_json(fit(made))
    found = calibration(kept, weights)["made"]
    sure = np.array([weights.confidence(case.rows, weights.scores(case.rows)) for case in kept])
    answered = np.array([case.answered for case in kept])
    shares, means = calibration_curve(answered, sure, n_bins=10)
    sizes = np.bincount(np.minimum((sure * 10).astype(int), 9), minlength=10)
    expected = float(np.abs(shares - means) @ sizes[sizes > 0]) / len(kept)
    assert found["fitted"][0] == pytest.approx(expected, abs=1e-4)
    # The margins here are noise, and say "yes" to nearly everything.
    assert found["fitted"][0] < 0.15 < found["margin alone"][0]
    assert calibration([case for case in kept if case.answered], weights) == {}


@pytest.mark.parametrize("part", ["fit", "report"])
def test_questions_are_read_over_documents_of_their_own_part(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa.training.fit.READING", ("s",))
    rows = []
    for number in range(14):
        context = f"The mill of town {number} was built by Ann{number}. It rained on the town."
        start = context.index("Ann")
        answer = Span(start, context.index(". It"))
        rows.append(
            Asked("s", "a", f"Who built the mill of town {number}?", context, (answer,), part=part)
        )
    rows.append(Asked("s", "b", "Who built it?", "Bob built it.", (Span(0, 3),), part="train"))
    random.Random(1).shuffle(rows)
    found = list(cases({"s": rows}, part, Models(WordEmbedder(), WordPointer())))
    assert sum(case.answered for case in found) == 14
    assert any(not case.answered for case in found)
    for case in found:
        assert case.rows.shape == (len(case.right), len(FEATURE_NAMES))
        assert case.answered or not case.right.any()


def test_paragraphs_of_many_articles_are_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.training.fit.TOGETHER", ("s",))
    monkeypatch.setattr("qa.training.fit.TOGETHER_PARAGRAPHS", 6)
    rows = []
    for number in range(12):
        context = f"The mill of town {number} was built by Ann{number}. It rained on the town."
        answer = Span(context.index("Ann"), context.index(". It"))
        rows.append(
            Asked(
                "s",
                f"a{number % 3}",
                f"Who built the mill of town {number}?",
                context,
                (answer,),
                part="report",
            )
        )
    found = list(together({"s": rows}, "report", Models(WordEmbedder(), WordPointer())))
    assert len(found) == 6
    assert all(case.answered and case.right.sum() == 1 for case in found)
