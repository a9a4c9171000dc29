"""The weights: the fit finds the informative feature; questions are read over documents."""

import random

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from qa.reader.features import FEATURE_NAMES
from qa.reader.reader import Weights
from qa.training.cases import FitCase, Models, document_cases, library_cases
from qa.training.fit import fit_weights
from qa.training.metrics import calibration, feature_ablations
from qa.training.sources import Part, TrainingQuestion
from qa.types import Span
from tests.qa.fakes import WordEmbedder, WordPointer

INFORMATIVE = FEATURE_NAMES.index("sentence_margin")


def _case(rng: np.random.Generator, answered: bool) -> FitCase:
    """Ten sentences; the signal is high for the one that answers, and for none where none does."""
    rows = rng.normal(size=(10, len(FEATURE_NAMES)))
    right = np.zeros(10, dtype=bool)
    if answered:
        index = rng.integers(10)
        right[index] = True
        rows[index, INFORMATIVE] += 6
    return FitCase("made", rows, right, answered)


@pytest.mark.slow
def test_informative_feature_decides_which_and_whether() -> None:
    rng = np.random.default_rng(1)
    made = [_case(rng, answered=number % 2 == 0) for number in range(300)]
    weights = Weights.from_json(fit_weights(made))
    assert np.argmax(np.abs(weights.rank)) == INFORMATIVE
    figures = feature_ablations(
        made, [_case(rng, answered=number % 2 == 0) for number in range(100)], weights
    )
    with_all = figures["all features"]["made"]
    assert with_all["right sentence first"][0] > 0.9
    assert with_all["AUROC"][0] > 0.9
    low, high = with_all["AUROC"][1:]
    assert low <= with_all["AUROC"][0] <= high
    without = figures["without the cross-encoder"]["made"]
    assert without["right sentence first"][0] < 0.5
    assert without["AUROC"][0] == 0.5


def test_calibration_error_agrees_with_sklearn() -> None:
    rng = np.random.default_rng(2)
    made, kept = ([_case(rng, answered=number % 2 == 0) for number in range(200)] for _ in range(2))
    weights = Weights.from_json(fit_weights(made))
    found = calibration(kept, weights)["made"]
    sure = np.array([weights.confidence(case.rows, weights.scores(case.rows)) for case in kept])
    answered = np.array([case.answered for case in kept])
    shares, means = calibration_curve(answered, sure, n_bins=10)
    sizes = np.bincount(np.minimum((sure * 10).astype(int), 9), minlength=10)
    expected = float(np.abs(shares - means) @ sizes[sizes > 0]) / len(kept)
    assert found["fitted"][0] == pytest.approx(expected, abs=1e-4)
    # The margins here have no zero of their own, and say "yes" to nearly everything.
    assert found["fitted"][0] < found["margin alone"][0]
    assert calibration([case for case in kept if case.answered], weights) == {}


@pytest.mark.parametrize("part", ["fit", "report"])
def test_document_cases_are_of_their_own_part(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.training.cases.READING_SOURCES", ("s",))
    rows = []
    for number in range(14):
        context = f"The mill of town {number} was built by Ann{number}. It rained on the town."
        start = context.index("Ann")
        answer = Span(start, context.index(". It"))
        rows.append(
            TrainingQuestion(
                "s", "a", f"Who built the mill of town {number}?", context, (answer,), part=part
            )
        )
    rows.append(
        TrainingQuestion("s", "b", "Who built it?", "Bob built it.", (Span(0, 3),), part="train")
    )
    random.Random(1).shuffle(rows)
    found = list(document_cases({"s": rows}, part, Models(WordEmbedder(), WordPointer())))
    assert sum(case.answered for case in found) == 14
    assert any(not case.answered for case in found)
    for case in found:
        assert case.rows.shape == (len(case.right), len(FEATURE_NAMES))
        assert case.answered or not case.right.any()


def test_library_cases_read_many_articles_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.training.cases.LIBRARY_SOURCES", ("s",))
    monkeypatch.setattr("qa.training.cases.LIBRARY_PARAGRAPHS", 6)
    rows = []
    for number in range(12):
        context = f"The mill of town {number} was built by Ann{number}. It rained on the town."
        answer = Span(context.index("Ann"), context.index(". It"))
        rows.append(
            TrainingQuestion(
                "s",
                f"a{number % 3}",
                f"Who built the mill of town {number}?",
                context,
                (answer,),
                part="report",
            )
        )
    found = list(library_cases({"s": rows}, "report", Models(WordEmbedder(), WordPointer())))
    assert len(found) == 6
    assert all(case.answered and case.right.sum() == 1 for case in found)
