"""The cross-encoder: windows whose offsets map back, odd texts, and models that are none."""

from pathlib import Path

import numpy as np
import pytest
from transformers import BertModel

from qa.errors import ModelError
from qa.models.spans import BestSpan, CrossEncoder, SpanScores
from tests.qa.random_models import random_model

FILLER = "The quiet river ran past the old mill and the wide fields of the valley. "


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random question-answering model of one small layer."""
    return random_model(tmp_path_factory.mktemp("tiny"))


def test_score_long_text_reads_every_word_once(tiny: Path) -> None:
    text = FILLER * 600
    (pointing,) = CrossEncoder(str(tiny)).score("Where is the mill?", [text])
    words = [text[start:end] for start, end in pointing.offsets]
    assert "".join(words) == "".join(text.split())
    assert len(pointing.starts) == len(pointing.ends) == len(words)


def test_score_does_not_depend_on_other_texts(tiny: Path) -> None:
    model = CrossEncoder(str(tiny))
    texts = [FILLER, "", FILLER * 3, "Short.", FILLER * 40]
    together = model.score("What ran past the mill?", texts)
    for text, found in zip(texts, together, strict=True):
        (alone,) = model.score("What ran past the mill?", [text])
        assert (alone.offsets == found.offsets).all()
        assert len(found.starts) < 10 or np.ptp(found.starts) > 1
        assert np.allclose(alone.starts, found.starts, atol=0.1)
        assert np.allclose(alone.ends, found.ends, atol=0.1)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Where?", ""),
        ("Where?", " \n"),
        ("?", "Here."),
        ("word " * 1000, "Here."),
        ("x" * 5000, FILLER),
        ("どこですか", "日本語の文です。שלום עולם 😀"),
        ("Where?", "y" * 40_000),
    ],
)
def test_score_odd_texts_is_finite(tiny: Path, question: str, text: str) -> None:
    (pointing,) = CrossEncoder(str(tiny)).score(question, [text])
    assert np.isfinite(pointing.margin())
    best = pointing.best_span(0, len(text))
    if best:
        assert 0 <= best.start < best.end <= len(text)


def test_score_no_texts_returns_empty_list(tiny: Path) -> None:
    assert CrossEncoder(str(tiny)).score("Where?", []) == []


OFFSETS = np.array([[0, 2], [3, 5], [6, 9], [10, 12]])


def test_best_span_is_best_pair_between_characters() -> None:
    pointing = SpanScores(OFFSETS, np.array([0.0, 3.0, 1.0, 9.0]), np.array([8.0, 0.0, 2.0, 9.0]))
    assert pointing.best_span(0, 9) == BestSpan(4.0, 0, 2)
    assert pointing.best_span(3, 9) == BestSpan(2.5, 3, 9)
    assert pointing.best_span(0, 12) == BestSpan(9.0, 10, 12)
    assert pointing.best_span(12, 20) is None


def test_margin_is_mean_log_odds_of_start_and_end() -> None:
    pointing = SpanScores(OFFSETS, np.log([1.0, 2.0, 3.0, 4.0]), np.log([4.0, 3.0, 2.0, 1.0]))
    assert pointing.margin() == pytest.approx(np.log(10))
    assert pointing.margin(3, 9) == pytest.approx((np.log(5) + np.log(5)) / 2)
    assert pointing.margin(20) < -20


def _broken(folder: Path, tiny: Path, how: str) -> Path:
    if how == "of another kind":
        return random_model(folder, BertModel)
    if how == "truncated":
        for file in tiny.iterdir():
            (folder / file.name).write_bytes(
                file.read_bytes()[: 999 if file.suffix == ".safetensors" else None]
            )
    return folder


@pytest.mark.parametrize("how", ["empty", "truncated", "of another kind"])
def test_cross_encoder_other_model_names_the_setting(tmp_path: Path, tiny: Path, how: str) -> None:
    with pytest.raises(ModelError, match="QA_READER") as caught:
        CrossEncoder(str(_broken(tmp_path, tiny, how)))
    assert "\n" not in str(caught.value)


def test_cross_encoder_missing_model_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="QA_READER"):
        CrossEncoder(str(tmp_path / "nowhere"))
