"""Trains the cross-encoder: one pass over some examples, from a model's weights.

Loss: for each pair, the negative log-likelihood of start and end, marginal over every place that is right (Clark and
Gardner 2018), the first token standing for "not here" (Devlin et al. 2019); and for the pairs of one question, the
cross-entropy of their margins over "not here", so that it learns to rank passages as well as to read them.
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

from qa.training.examples import Example, Pair

WARMUP = 0.06
WEIGHT_DECAY = 0.01
RANKING_WEIGHT = 0.5
BATCH_PAIRS = 24
DROPOUT = 0.0
"""A question is seen once a pass, with other negatives in each; on a CPU dropout takes a third of the time."""
BUCKET = 40
"""Batches whose examples are sorted by length together, so that little is padded."""
MOST_TOKENS = 320
CHECKPOINT_EVERY = 100
CHECKPOINT = "checkpoint.pt"
_FAR = -1e4
_log = logging.getLogger(__name__)


def train(
    examples: Sequence[Example],
    base: str,
    out: Path,
    *,
    rate: float,
    seed: int,
    device: str = "cpu",
) -> None:
    """Writes the trained model and its tokenizer to `out`, in float16. `rate` is the highest learning rate.

    A run that was stopped goes on from `out`'s last checkpoint: same batches, same end. One that is complete ends at
    once.
    """
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForQuestionAnswering.from_pretrained(
        base,
        attn_implementation="eager",
        hidden_dropout_prob=DROPOUT,
        attention_probs_dropout_prob=DROPOUT,
        dtype=torch.float32,
    )
    model.to(device).train()
    # The vocabulary's vectors stay as the embedder learnt them from far more text than there is here.
    model.get_input_embeddings().weight.requires_grad_(False)
    batches = list(_batches(examples, seed))
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=rate, weight_decay=WEIGHT_DECAY, fused=True)
    schedule = get_linear_schedule_with_warmup(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        optimizer, int(WARMUP * len(batches)), len(batches)
    )
    state = {"model": model, "optimizer": optimizer, "schedule": schedule}
    done = _resume(out / CHECKPOINT, state)
    _log.info("%d examples, %d batches, %d done", len(examples), len(batches), done)
    begun, total, logged = time.monotonic(), 0.0, done
    for step, batch in enumerate(batches[done:], start=done + 1):
        loss = _loss(model, tokenizer, batch, device)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        total += loss.item()
        if step % CHECKPOINT_EVERY == 0 or step == len(batches):
            _log.info(
                "step %d loss %.3f, %.0f s", step, total / (step - logged), time.monotonic() - begun
            )
            total, logged = 0.0, step
            _save(out / CHECKPOINT, state, step)
    model.half().save_pretrained(out)
    tokenizer.save_pretrained(out)


def _loss(model: Any, tokenizer: Any, batch: Sequence[Example], device: str) -> Tensor:
    pairs = [pair for example in batch for pair in example]
    inputs, starts, ends, context = encoded(tokenizer, pairs)
    with torch.autocast(device, torch.bfloat16):
        found = model(**inputs.to(device))
    reading = torch.zeros((), device=device)
    margins = torch.zeros(len(pairs), device=device)
    for logits, right in ((found.start_logits, starts), (found.end_logits, ends)):
        masked = logits.float().masked_fill(~context.to(device), _FAR)
        chances = log_softmax(masked, dim=1)
        reading -= chances.masked_fill(~right.to(device), _FAR).logsumexp(dim=1).mean() / 2
        margins += masked[:, 1:].logsumexp(dim=1) - masked[:, 0]
    return reading + RANKING_WEIGHT * _ranking(margins, batch)


def _ranking(margins: Tensor, batch: Sequence[Example]) -> Tensor:
    """Mean cross-entropy of the first pair against the others of its question, where there are others."""
    losses, at = [], 0
    for example in batch:
        if len(example) > 1:
            losses.append(-log_softmax(margins[at : at + len(example)], dim=0)[0])
        at += len(example)
    return torch.stack(losses).mean() if losses else margins.sum() * 0


def encoded(tokenizer: Any, pairs: Sequence[Pair]) -> tuple[Any, Tensor, Tensor, Tensor]:
    """Model inputs, and (pairs, tokens) masks: right starts, right ends, and what may be pointed at.

    That is the passage, and the first token for "not here", which is the right place when no answer is.
    """
    inputs = tokenizer(
        [pair.question for pair in pairs],
        [pair.context for pair in pairs],
        truncation="longest_first",
        max_length=MOST_TOKENS,
        padding=True,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    offsets = inputs.pop("offset_mapping")
    context = (inputs["token_type_ids"] == 1) & (offsets[..., 1] > offsets[..., 0])
    starts, ends = torch.zeros_like(context), torch.zeros_like(context)
    for row, pair in enumerate(pairs):
        for answer in pair.answers:
            inside = (
                context[row]
                & (offsets[row, :, 1] > answer.start)
                & (offsets[row, :, 0] < answer.end)
            )
            places = inside.nonzero().flatten()
            if pair.region:
                starts[row, places] = ends[row, places] = True
            elif len(places):
                starts[row, places[0]] = ends[row, places[-1]] = True
    none = ~starts.any(dim=1)
    starts[none, 0] = ends[none, 0] = True
    context[:, 0] = True
    return inputs, starts, ends, context


def _batches(examples: Sequence[Example], seed: int) -> Iterator[list[Example]]:
    rng = random.Random(seed)
    size = BUCKET * BATCH_PAIRS
    for first in range(0, len(examples), size):
        bucket = sorted(
            examples[first : first + size], key=lambda e: max(len(pair.context) for pair in e)
        )
        batches: list[list[Example]] = [[]]
        for example in bucket:
            if sum(map(len, batches[-1])) + len(example) > BATCH_PAIRS:
                batches.append([])
            batches[-1].append(example)
        rng.shuffle(batches)
        yield from batches


def _save(path: Path, state: dict[str, Any], step: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    torch.save({"step": step, **{name: part.state_dict() for name, part in state.items()}}, new)
    new.replace(path)


def _resume(path: Path, state: dict[str, Any]) -> int:
    if not path.is_file():
        return 0
    saved = torch.load(path, weights_only=True)
    for name, part in state.items():
        part.load_state_dict(saved[name])
    return int(saved["step"])
