"""Trains the checking model: one pass over the claims with the trainer of sentence-transformers.

The loss is the binary cross-entropy of "the evidence supports the claim".
"""

import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import (
    CrossEncoder,
    CrossEncoderTrainer,
    CrossEncoderTrainingArguments,
    DefaultBatchSampler,
)
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
from transformers import AutoConfig, PrinterCallback
from transformers.trainer_pt_utils import LengthGroupedSampler

from qa.models.entailment import MAX_TOKENS
from qa.models.loading import computes_bfloat16, hide_progress_bars
from qa.training.claims import TrainingClaim

LEARNING_RATE = 8e-5
WARMUP = 0.06
"""The share of the steps in which the learning rate rises."""
WEIGHT_DECAY = 0.01
DROPOUT = 0.0
"""Each claim is seen once; on a CPU dropout takes a third of the time."""
BATCH = 32
LAYERS = 8
"""How many of the first layers of its start it keeps. With all twelve, its file and the reader's
would together be larger than the 120 MB that the project allows."""
LOG_EVERY = 100
CHECKPOINT_EVERY = 100
CHECKPOINTS = "checkpoints"
_log = logging.getLogger(__name__)


def train_support(
    claims: Sequence[TrainingClaim], base: str, out: Path, seed: int, device: str = "cpu"
) -> None:
    """Writes the trained model and its tokenizer to `out`, in float16.

    `base` is the folder of the model whose weights training starts from; `device` is "cpu" or
    "cuda". A run that was stopped continues from its last checkpoint in `out`, with the same
    batches; the checkpoints are removed when the model is written.
    """
    hide_progress_bars()
    torch.manual_seed(seed)
    model = _load(base, device)
    checkpoints = out / CHECKPOINTS
    trainer = _LoggingTrainer(
        model=model,
        args=_arguments(checkpoints, seed, device),
        train_dataset=_dataset(claims),
        loss=BinaryCrossEntropyLoss(model),
    )
    # It prints what is logged.
    trainer.remove_callback(PrinterCallback)
    checkpoint = _last_checkpoint(checkpoints)
    _log.info("%d claims, last checkpoint: %s", len(claims), checkpoint)
    trainer.train(resume_from_checkpoint=checkpoint)

    model.half().save_pretrained(str(out), create_model_card=False)
    shutil.rmtree(checkpoints, ignore_errors=True)


def _load(base: str, device: str) -> CrossEncoder:
    """Loads the first layers of a model of any task; the output layer is new."""
    layers = AutoConfig.from_pretrained(base, local_files_only=True).num_hidden_layers
    model: CrossEncoder = CrossEncoder(
        base,
        num_labels=1,
        max_length=MAX_TOKENS,
        activation_fn=torch.nn.Identity(),
        device=device,
        model_kwargs={"dtype": torch.float32, "attn_implementation": "eager"},
        config_kwargs={
            "num_hidden_layers": min(LAYERS, layers),
            "hidden_dropout_prob": DROPOUT,
            "attention_probs_dropout_prob": DROPOUT,
        },
        local_files_only=True,
    )
    # Or each checkpoint would score examples for a model card.
    model.model_card_data.generate_widget_examples = False
    # The vocabulary's vectors stay as the embedder learnt them, from far more text.
    transformer: Any = model.transformers_model
    transformer.get_input_embeddings().weight.requires_grad_(False)
    return model


def _arguments(checkpoints: Path, seed: int, device: str) -> CrossEncoderTrainingArguments:
    on_cpu = device == "cpu"
    return CrossEncoderTrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        batch_sampler=LengthGroupedBatches,
        learning_rate=LEARNING_RATE,
        warmup_steps=WARMUP,
        weight_decay=WEIGHT_DECAY,
        seed=seed,
        use_cpu=on_cpu,
        bf16=computes_bfloat16() if on_cpu else torch.cuda.is_bf16_supported(),
        dataloader_pin_memory=not on_cpu,
        logging_steps=LOG_EVERY,
        save_steps=CHECKPOINT_EVERY,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
    )


def _dataset(claims: Sequence[TrainingClaim]) -> Dataset:
    """Returns the columns that the loss reads, in its order."""
    pairs = [claim.pair for claim in claims]
    return Dataset.from_dict(
        {
            "claim": [claim for claim, _ in pairs],
            "evidence": [evidence for _, evidence in pairs],
            "label": [float(claim.supported) for claim in claims],
        }
    )


def _last_checkpoint(folder: Path) -> str | None:
    """Returns the last complete checkpoint; None: training starts."""
    complete = {}
    # The trainer writes this file last.
    for state in folder.glob("checkpoint-*/trainer_state.json"):
        step = int(state.parent.name.removeprefix("checkpoint-"))
        complete[step] = str(state.parent)
    return complete[max(complete)] if complete else None


class LengthGroupedBatches(DefaultBatchSampler):
    """Batches of claims of similar length, so that little of a batch is padding.

    The batches come in random order: the sampler of transformers alone gives long claims first and
    short claims last, again and again. The same seed gives the same batches.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        drop_last: bool,
        valid_label_columns: list[str] | None = None,
        generator: torch.Generator | None = None,
        seed: int = 0,
    ) -> None:
        generator = generator or torch.Generator()
        texts = zip(dataset["claim"], dataset["evidence"], strict=True)
        lengths = [len(claim) + len(evidence) for claim, evidence in texts]
        rows: Any = LengthGroupedSampler(batch_size, lengths=lengths, generator=generator)
        super().__init__(rows, batch_size, drop_last, valid_label_columns, generator, seed)
        self._random = generator

    def __iter__(self) -> Iterator[list[int]]:
        self._random.manual_seed(self.seed + self.epoch)
        batches = list(super().__iter__())
        for index in torch.randperm(len(batches), generator=self._random).tolist():
            yield batches[index]


class _LoggingTrainer(CrossEncoderTrainer):
    """Logs the mean loss of the last steps."""

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        super().log(logs, start_time)
        if "loss" not in logs:
            return
        step = self.state.global_step
        seconds = time.time() - start_time if start_time else 0
        _log.info(
            "step %d of %d loss %.3f, %.0f s", step, self.state.max_steps, logs["loss"], seconds
        )
