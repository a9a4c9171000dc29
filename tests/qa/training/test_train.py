"""Training: what is right at which token, that it learns, and that a stopped run goes on."""

import logging
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from qa.models.spans import CrossEncoder
from qa.training import train as training
from qa.training.examples import Example, Pair
from qa.training.reading import f1, read
from qa.training.sources import Asked
from qa.training.train import encoded, train
from qa.types import Span
from tests.qa.random_models import VOCABULARY, random_model

TEXT = "The forum was held in Islamabad on Monday."
CITY = Span(TEXT.index("Islamabad"), TEXT.index(" on"))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A small random model to begin with."""
    return random_model(tmp_path / "base", width=32)


def test_the_right_tokens_are_those_of_the_answer_or_the_first_one() -> None:
    tokenizer = AutoTokenizer.from_pretrained(VOCABULARY)
    pairs = [
        Pair("Where?", TEXT, (CITY,)),
        Pair("Who?", TEXT, ()),
        Pair("Where?", TEXT, (Span(0, 9),), region=True),
    ]
    inputs, starts, ends, context = encoded(tokenizer, pairs)
    tokens = [tokenizer.convert_ids_to_tokens(row) for row in inputs["input_ids"].tolist()]

    def told(mask: torch.Tensor, row: int) -> list[str]:
        return [tokens[row][place] for place in mask[row].nonzero().flatten().tolist()]

    assert (told(starts, 0), told(ends, 0)) == (["islamabad"], ["islamabad"])
    assert (told(starts, 1), told(ends, 1)) == (["[CLS]"], ["[CLS]"])
    assert (told(starts, 2), told(ends, 2)) == (["the", "forum"], ["the", "forum"])
    assert told(context, 1)[:2] == ["[CLS]", "the"]


def _examples(count: int) -> list[Example]:
    return [
        (Pair("Where was it held?", TEXT, (CITY,)), Pair("Where was it held?", "Nobody came.", ()))
    ] * count


def test_it_learns_and_writes_a_model_that_reads(base: Path, tmp_path: Path) -> None:
    train(_examples(400), str(base), tmp_path / "out", rate=0.02, seed=1)
    model = CrossEncoder(str(tmp_path / "out"))
    there, absent = model.score("Where was it held?", [TEXT, "Nobody came."])
    assert there.margin() > 0 > absent.margin()
    best = there.best_span(0, len(TEXT))
    assert best is not None
    assert TEXT[best[1] : best[2]] == "Islamabad"
    asked = Asked("s", "g", "Where was it held?", TEXT, (CITY,))
    figures = read([asked, Asked("s", "g", "Where was it held?", "Nobody came.", ())], model)
    assert (figures.f1, figures.auroc, figures.answerable, figures.unanswerable) == (1.0, 1.0, 1, 1)


def test_a_stopped_run_goes_on_to_the_same_end(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 5)
    train(_examples(144), str(base), tmp_path / "whole", rate=1e-4, seed=1)
    stop_after = 7
    real = training._loss
    calls = iter(range(stop_after))
    monkeypatch.setattr(training, "_loss", lambda *args: (next(calls), real(*args))[1])
    with pytest.raises(StopIteration):
        train(_examples(144), str(base), tmp_path / "parts", rate=1e-4, seed=1)
    monkeypatch.setattr(training, "_loss", real)
    with caplog.at_level(logging.INFO):
        train(_examples(144), str(base), tmp_path / "parts", rate=1e-4, seed=1)
    assert "5 done" in caplog.text
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    ("told", "right", "expected"),
    [("the Cat", "cat", 1.0), ("black cat", "cat", 2 / 3), ("dog", "cat", 0.0), ("", "cat", 0.0)],
)
def test_f1_is_squads(told: str, right: str, expected: float) -> None:
    assert f1(told, right) == pytest.approx(expected)
