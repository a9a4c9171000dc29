"""Training: the right tokens, a model that learns, and a stopped run that continues."""

import logging
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from qa.models.spans import CrossEncoder
from qa.training import train as training
from qa.training.examples import Example, TrainingPair
from qa.training.reading import f1, measure_reading
from qa.training.sources import TrainingQuestion
from qa.training.train import encode_pairs, train_reader
from qa.types import Span
from tests.qa.random_models import VOCABULARY, random_model

TEXT = "The forum was held in Islamabad on Monday."
CITY = Span(TEXT.index("Islamabad"), TEXT.index(" on"))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A small random model to begin with."""
    return random_model(tmp_path / "base", width=32)


def test_encode_pairs_marks_answer_or_first_token() -> None:
    tokenizer = AutoTokenizer.from_pretrained(VOCABULARY)
    pairs = [
        TrainingPair("Where?", TEXT, (CITY,)),
        TrainingPair("Who?", TEXT, ()),
        TrainingPair("Where?", TEXT, (Span(0, 9),), region=True),
    ]
    inputs, starts, ends, context = encode_pairs(tokenizer, pairs)
    tokens = [tokenizer.convert_ids_to_tokens(row) for row in inputs["input_ids"].tolist()]

    def marked(mask: torch.Tensor, row: int) -> list[str]:
        return [tokens[row][index] for index in mask[row].nonzero().flatten().tolist()]

    assert (marked(starts, 0), marked(ends, 0)) == (["islamabad"], ["islamabad"])
    assert (marked(starts, 1), marked(ends, 1)) == (["[CLS]"], ["[CLS]"])
    assert (marked(starts, 2), marked(ends, 2)) == (["the", "forum"], ["the", "forum"])
    assert marked(context, 1)[:2] == ["[CLS]", "the"]


def _examples(count: int) -> list[Example]:
    return [
        (
            TrainingPair("Where was it held?", TEXT, (CITY,)),
            TrainingPair("Where was it held?", "Nobody came.", ()),
        )
    ] * count


def test_train_reader_learns_and_writes_a_model(base: Path, tmp_path: Path) -> None:
    train_reader(_examples(400), str(base), tmp_path / "out", rate=0.02, seed=1)
    model = CrossEncoder(str(tmp_path / "out"))
    there, absent = model.score("Where was it held?", [TEXT, "Nobody came."])
    assert there.margin() > 0 > absent.margin()
    best = there.best_span(0, len(TEXT))
    assert best is not None
    assert TEXT[best.start : best.end] == "Islamabad"
    asked = TrainingQuestion("s", "g", "Where was it held?", TEXT, (CITY,))
    figures = measure_reading(
        [asked, TrainingQuestion("s", "g", "Where was it held?", "Nobody came.", ())], model
    )
    assert (figures.f1, figures.auroc, figures.answerable, figures.unanswerable) == (1.0, 1.0, 1, 1)


def test_stopped_run_continues_to_the_same_weights(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 5)
    train_reader(_examples(144), str(base), tmp_path / "whole", rate=1e-4, seed=1)
    stop_after = 7
    real = training._loss
    calls = iter(range(stop_after))
    monkeypatch.setattr(training, "_loss", lambda *args: (next(calls), real(*args))[1])
    with pytest.raises(StopIteration):
        train_reader(_examples(144), str(base), tmp_path / "parts", rate=1e-4, seed=1)
    monkeypatch.setattr(training, "_loss", real)
    with caplog.at_level(logging.INFO):
        train_reader(_examples(144), str(base), tmp_path / "parts", rate=1e-4, seed=1)
    assert "5 done" in caplog.text
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    ("predicted", "gold", "expected"),
    [("the Cat", "cat", 1.0), ("black cat", "cat", 2 / 3), ("dog", "cat", 0.0), ("", "cat", 0.0)],
)
def test_f1_is_that_of_squad(predicted: str, gold: str, expected: float) -> None:
    assert f1(predicted, gold) == pytest.approx(expected)
