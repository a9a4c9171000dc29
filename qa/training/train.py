"""Trains the cross-encoder: one pass over some examples, from a model's weights.

The loss has two parts. For each pair, the negative log-likelihood of start and end, marginal over
every right token (Clark and Gardner 2018); the first token stands for "not here" (Devlin et al.
2019). For the pairs of one question, the cross-entropy of their margins over "not here", so that
the model learns to rank passages as well as to read them.
"""

import logging
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import log_softmax
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    get_linear_schedule_with_warmup,
)

from qa.models.loading import computes_bfloat16
from qa.training.examples import Example, TrainingPair

WARMUP = 0.06
WEIGHT_DECAY = 0.01
MAX_GRADIENT_NORM = 1.0
RANKING_WEIGHT = 0.5
BATCH_PAIRS = 24
DROPOUT = 0.0
"""Each question is seen once a pass; on a CPU dropout takes a third of the time."""
BUCKET_BATCHES = 40
"""Batches whose examples are sorted by length together, so that there is little padding."""
MAX_TOKENS = 320
CHECKPOINT_EVERY = 100
CHECKPOINT = "checkpoint.pt"
_MASKED = -1e4
_log = logging.getLogger(__name__)


def train_reader(
    examples: Sequence[Example],
    base: str,
    out: Path,
    *,
    rate: float,
    seed: int,
    device: str = "cpu",
) -> None:
    """Writes the trained model and its tokenizer to `out`, in float16.

    `rate` is the highest learning rate. A run that was stopped continues from its last checkpoint
    in `out`, with the same batches and the same result; a complete run ends at once.
    """
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForQuestionAnswering.from_pretrained(
        base,
        attn_implementation="sdpa",
        hidden_dropout_prob=DROPOUT,
        attention_probs_dropout_prob=DROPOUT,
        dtype=torch.float32,
    )
    batches = list(_batches(examples, seed))
    training = Training(model, len(batches), rate, device)
    first_step = training.resume(out / CHECKPOINT)
    _log.info("%d examples, %d batches, %d done", len(examples), len(batches), first_step)

    start_time = time.monotonic()
    losses: list[float] = []
    for step, batch in enumerate(batches[first_step:], start=first_step + 1):
        loss = _loss(model, tokenizer, batch, device)
        losses.append(training.step(loss))
        if step % CHECKPOINT_EVERY == 0 or step == len(batches):
            mean_loss = sum(losses) / len(losses)
            seconds = time.monotonic() - start_time
            _log.info("step %d loss %.3f, %.0f s", step, mean_loss, seconds)
            losses.clear()
            training.save(out / CHECKPOINT, step)
    model.half().save_pretrained(out)
    tokenizer.save_pretrained(out)


class Training:
    """A model that is trained, with its optimizer and its schedule: warm-up, then linear decay."""

    def __init__(self, model: Any, steps: int, rate: float, device: str) -> None:
        model.to(device).train()
        # The vocabulary's vectors stay as the embedder learnt them, from far more text.
        model.get_input_embeddings().weight.requires_grad_(False)
        self._model = model
        self._parameters = [weight for weight in model.parameters() if weight.requires_grad]
        self._optimizer = torch.optim.AdamW(
            self._parameters, lr=rate, weight_decay=WEIGHT_DECAY, fused=True
        )
        warmup_steps = int(WARMUP * steps)
        # transformers leaves the function without types.
        self._schedule = get_linear_schedule_with_warmup(  # type: ignore[no-untyped-call]
            self._optimizer, warmup_steps, steps
        )

    def step(self, loss: Tensor) -> float:
        """Changes the weights once, to lower the loss. Returns the loss."""
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self._parameters, MAX_GRADIENT_NORM)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad()
        return loss.item()

    def save(self, path: Path, step: int) -> None:
        """Writes a checkpoint, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = {"step": step}
        for name, part in self._parts().items():
            state[name] = part.state_dict()

        new_file = path.with_suffix(".new")
        torch.save(state, new_file)
        new_file.replace(path)

    def resume(self, path: Path) -> int:
        """Restores a checkpoint. Returns the number of steps that are done; 0 without one."""
        if not path.is_file():
            return 0
        saved = torch.load(path, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(saved[name])
        return int(saved["step"])

    def _parts(self) -> dict[str, Any]:
        return {
            "model": self._model,
            "optimizer": self._optimizer,
            "schedule": self._schedule,
        }


def _loss(model: Any, tokenizer: Any, batch: Sequence[Example], device: str) -> Tensor:
    pairs: list[TrainingPair] = []
    for example in batch:
        pairs += example
    inputs, starts, ends, allowed = encode_pairs(tokenizer, pairs)
    # A processor without bfloat16 instructions would compute in it far slower than in float32.
    mixed = device != "cpu" or computes_bfloat16()
    with torch.autocast(device, torch.bfloat16, enabled=mixed):
        output = model(**inputs.to(device))

    reading_loss = torch.zeros((), device=device)
    margins = torch.zeros(len(pairs), device=device)
    forbidden = ~allowed.to(device)
    for logits, right in ((output.start_logits, starts), (output.end_logits, ends)):
        # In float32: a softmax over hundreds of tokens loses too much in bfloat16.
        masked = logits.float().masked_fill(forbidden, _MASKED)
        log_chances = log_softmax(masked, dim=1)
        wrong = ~right.to(device)
        right_chances = log_chances.masked_fill(wrong, _MASKED)
        # Start and end count half each.
        reading_loss -= right_chances.logsumexp(dim=1).mean() / 2

        passage_score = masked[:, 1:].logsumexp(dim=1)
        margins += passage_score - masked[:, 0]
    ranking_loss = _ranking_loss(margins, batch)
    return reading_loss + RANKING_WEIGHT * ranking_loss


def _ranking_loss(margins: Tensor, batch: Sequence[Example]) -> Tensor:
    """Returns the mean cross-entropy of each question's first pair against its other pairs."""
    losses = []
    begin = 0
    for example in batch:
        end = begin + len(example)
        if len(example) > 1:
            log_chances = log_softmax(margins[begin:end], dim=0)
            losses.append(-log_chances[0])
        begin = end
    if not losses:
        # A zero that still has a gradient.
        return margins.sum() * 0
    return torch.stack(losses).mean()


def encode_pairs(
    tokenizer: Any, pairs: Sequence[TrainingPair]
) -> tuple[Any, Tensor, Tensor, Tensor]:
    """Returns the model's inputs and three masks of (pairs, tokens): starts, ends and allowed.

    Starts and ends are the right tokens. Allowed are the passage, and the first token, which is the
    right one when the passage does not answer.
    """
    questions = [pair.question for pair in pairs]
    contexts = [pair.context for pair in pairs]
    inputs = tokenizer(
        questions,
        contexts,
        truncation="longest_first",
        max_length=MAX_TOKENS,
        padding=True,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    offsets = inputs.pop("offset_mapping")
    token_starts = offsets[..., 0]
    token_ends = offsets[..., 1]
    in_passage = inputs["token_type_ids"] == 1
    # Special tokens and padding have no characters.
    allowed = in_passage & (token_ends > token_starts)
    starts = torch.zeros_like(allowed)
    ends = torch.zeros_like(allowed)

    for row, pair in enumerate(pairs):
        for answer in pair.answers:
            ends_after_start = token_ends[row] > answer.start
            begins_before_end = token_starts[row] < answer.end
            inside = allowed[row] & ends_after_start & begins_before_end
            token_indexes = inside.nonzero().flatten()
            if pair.region:
                # The words that answer lie somewhere in the sentence: every token is right.
                starts[row, token_indexes] = True
                ends[row, token_indexes] = True
            elif len(token_indexes):
                starts[row, token_indexes[0]] = True
                ends[row, token_indexes[-1]] = True

    unanswered = ~starts.any(dim=1)
    starts[unanswered, 0] = True
    ends[unanswered, 0] = True
    allowed[:, 0] = True
    return inputs, starts, ends, allowed


def _batches(examples: Sequence[Example], seed: int) -> Iterator[list[Example]]:
    rng = random.Random(seed)
    bucket_size = BUCKET_BATCHES * BATCH_PAIRS
    for first in range(0, len(examples), bucket_size):
        bucket = list(examples[first : first + bucket_size])
        bucket.sort(key=_longest_passage)

        batches: list[list[Example]] = [[]]
        pair_count = 0
        for example in bucket:
            pair_count += len(example)
            if pair_count > BATCH_PAIRS:
                batches.append([])
                pair_count = len(example)
            batches[-1].append(example)
        # Or the model would see short passages first, and long ones last.
        rng.shuffle(batches)
        yield from batches


def _longest_passage(example: Example) -> int:
    return max(len(pair.context) for pair in example)
