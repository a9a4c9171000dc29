"""Training of the checking model: it learns, its folder loads, and a stopped run continues."""

import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from transformers import BertForQuestionAnswering

pytest.importorskip("datasets", reason="the extra [training] is not installed")

import torch
from datasets import Dataset
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

from qa.models.entailment import CrossEncoderEntailment
from qa.training import train_support as training
from qa.training.claims import TrainingClaim
from qa.training.train_support import LengthGroupedBatches, train_support
from tests.qa.random_models import random_model

WORD_VECTORS = "bert.embeddings.word_embeddings.weight"
YES = TrainingClaim("s", "It rained.", ("It rained.",), True)
NO = TrainingClaim("s", "Nobody came.", ("It rained.", "The forum was held."), False)


class Stopped(Exception):
    """Stands for whatever ends a run."""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A small random reader to begin with."""
    return random_model(tmp_path / "base", BertForQuestionAnswering, width=32)


def test_train_support_learns_and_writes_a_model(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "LEARNING_RATE", 0.02)
    out = tmp_path / "out"
    train_support([YES, NO] * 320, str(base), out, seed=1)

    pairs = [(claim.claim, " ".join(claim.evidence)) for claim in (YES, NO)]
    supported, unsupported = CrossEncoderEntailment(str(out)).log_odds(pairs)
    assert supported > 0 > unsupported
    # No checkpoint and no model card is left.
    assert [path.name for path in out.iterdir() if path.is_dir()] == []
    assert {path.suffix for path in out.iterdir()} == {".json", ".safetensors"}


def test_train_support_keeps_the_first_layers(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = BertForQuestionAnswering.from_pretrained(base, num_hidden_layers=3)
    deep.save_pretrained(base)
    monkeypatch.setattr(training, "LAYERS", 2)
    # Nothing is learnt, so that the layers can be compared.
    monkeypatch.setattr(training, "LEARNING_RATE", 0.0)
    train_support([YES, NO] * 32, str(base), tmp_path / "out", seed=1)
    before = load_file(base / "model.safetensors")
    after = load_file(tmp_path / "out" / "model.safetensors")
    layers = {name.split(".")[3] for name in after if name.startswith("bert.encoder.layer.")}
    assert layers == {"0", "1"}
    name = "bert.encoder.layer.1.output.dense.weight"
    assert torch.equal(after[name], before[name].half())


def test_train_support_leaves_word_vectors(base: Path, tmp_path: Path) -> None:
    """Only the layers above them change, and all weights are written in float16."""
    train_support([YES, NO] * 32, str(base), tmp_path / "out", seed=1)
    before = load_file(base / "model.safetensors")
    after = load_file(tmp_path / "out" / "model.safetensors")
    assert {weights.dtype for weights in after.values()} == {torch.float16}
    assert torch.equal(after[WORD_VECTORS], before[WORD_VECTORS].half())
    changed = "bert.encoder.layer.0.output.dense.weight"
    assert not torch.equal(after[changed], before[changed].half())


def test_stopped_training_continues_to_the_same_weights(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 2)
    monkeypatch.setattr(training, "LOG_EVERY", 2)
    claims = [YES, NO, NO] * 64
    train_support(claims, str(base), tmp_path / "whole", seed=1)

    calls = iter([False] * 5 + [True])
    forward = BinaryCrossEntropyLoss.forward

    def stop(*arguments: Any, **options: Any) -> torch.Tensor:
        # In the sixth step: the last checkpoint is that of the fourth.
        if next(calls):
            raise Stopped
        return forward(*arguments, **options)

    parts = tmp_path / "parts"
    with monkeypatch.context() as patch:
        patch.setattr(BinaryCrossEntropyLoss, "forward", stop)
        with pytest.raises(Stopped):
            train_support(claims, str(base), parts, seed=1)
    # A run that is stopped while it writes leaves a folder without a state.
    (parts / "checkpoints" / "checkpoint-5").mkdir()

    with caplog.at_level(logging.INFO, logger="qa.training"):
        train_support(claims, str(base), parts, seed=1)
    assert "checkpoint-4" in caplog.text
    assert "step 6 of 6 loss" in caplog.text
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert weights[0] == weights[1]


def test_length_grouped_batches_have_each_claim_once() -> None:
    lengths = [index * 37 % 101 for index in range(300)]
    claims = ["x" * length for length in lengths]
    dataset = Dataset.from_dict({"claim": claims, "evidence": [""] * 300, "label": [0.0] * 300})
    batches = list(LengthGroupedBatches(dataset, 8, False, seed=3))
    assert sorted(row for batch in batches for row in batch) == list(range(300))
    assert batches == list(LengthGroupedBatches(dataset, 8, False, seed=3))
    assert batches != list(LengthGroupedBatches(dataset, 8, False, seed=4))

    longest = [max(lengths[row] for row in batch) for batch in batches]
    shortest = [min(lengths[row] for row in batch) for batch in batches]
    spread = sum(longest) - sum(shortest)
    # Unsorted batches of 8 of 101 lengths spread over about 78.
    assert spread / len(batches) < 20
    # Long and short batches alternate: neighbours fall about as often as they rise.
    falls = sum(first > second for first, second in pairwise(longest))
    assert 0.3 < falls / len(longest) < 0.7
