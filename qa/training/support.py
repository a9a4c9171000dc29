"""`python -m qa.training.support`: trains what tells whether sentences carry a claim, and reports how well it does.

OUT/model.safetensors, config.json, tokenizer*.json   the model
OUT/figures.json                                      what it comes to on claims that were kept apart
"""

import argparse
import json
import logging
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    get_linear_schedule_with_warmup,
)

from qa.config import PACKAGED_READER
from qa.errors import DocumentError
from qa.models.entailment import CrossEncoderEntailment, EntailmentModel
from qa.text.words import terms
from qa.training.claims import Stated, begin, fool_me_twice, joined, made, retold
from qa.training.entry import run
from qa.training.sources import Asked, read_sources

LEARNING_RATE = 8e-5
WARMUP = 0.06
WEIGHT_DECAY = 0.01
BATCH = 32
BUCKET = 40
MOST_TOKENS = 192
RESAMPLES = 500
SEED = 20
MOST_CLAIMS = 30_000
QUOTAS: dict[str, int] = {
    "squad_train_a": 3500,
    "squad_train_b": 3000,
    "squad_train_d": 3000,
    "squadshifts_new_wiki": 3500,
    "nq_oracle": 3000,
    "qamr": 4000,
    "squad2_half": 3000,
    "qed": 3000,
    "squadshifts_reddit": 800,
}
"""So many questions of these sources, at most, become claims."""
RETOLD = "onestop_news"
AGAIN = 3000
"""Claims of questions in the second round."""
PEOPLES = ("fm2/dev.jsonl",)
DIALOGUES = ("begin/begin_dev_wow.tsv", "begin/begin_dev_tc.tsv", "begin/begin_dev_cmu.tsv")
KEPT: dict[str, tuple[str, ...]] = {
    "fm2 test": ("fm2/test.jsonl",),
    "begin test": ("begin/begin_test_wow.tsv",),
}
"""What is never trained on."""
REPORTED = 3000
"""Claims made of kept articles, at most."""
_log = logging.getLogger(__name__)


def main() -> int:
    """Trains, unless OUT holds the model already; then reports."""
    parser = argparse.ArgumentParser(
        prog="python -m qa.training.support", description="Make the checking model."
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with the public sets")
    parser.add_argument(
        "--out", type=Path, required=True, help="where the model and its figures go"
    )
    parser.add_argument(
        "--reader", type=Path, help="the reader to begin from (default: the packaged one)"
    )
    parser.add_argument("--device", default="cpu", help="where to train (default: cpu)")
    return run(parser, _make)


def _make(options: argparse.Namespace) -> None:
    found = read_sources(options.data)
    missing = [
        file
        for file in (*PEOPLES, *DIALOGUES, *(file for files in KEPT.values() for file in files))
        if not (options.data / file).is_file()
    ]
    if missing:
        raise DocumentError(
            f"Below {options.data} there is no {', no '.join(missing)}. See docs/verifier_card.md."
        )
    base = options.reader or files("qa").joinpath("models", PACKAGED_READER)
    if not (options.out / "model.safetensors").is_file():
        train_support(
            training_rounds(found, options.data), str(base), options.out, SEED, options.device
        )
    figures = report(found, options.data, CrossEncoderEntailment(str(options.out)))
    (options.out / "figures.json").write_text(
        json.dumps(figures, indent=1) + "\n", encoding="utf-8"
    )


def training_rounds(
    found: Mapping[str, Sequence[Asked]], data: Path
) -> tuple[list[Stated], list[Stated]]:
    """First the claims made of questions, of people (twice) and of dialogues; then news retold, and claims joined."""
    rng = random.Random(SEED)
    asked: list[Asked] = []
    for name, most in QUOTAS.items():
        own = [one for one in found[name] if one.part == "train"]
        rng.shuffle(own)
        asked += own[:most]
    rng.shuffle(asked)
    people = [claim for file in PEOPLES for claim in fool_me_twice(data / file)]
    dialogues = [claim for file in DIALOGUES for claim in begin(data / file)]
    news = retold([one for one in found[RETOLD] if one.part == "train"], SEED)
    again = made(asked, SEED + 1)[-AGAIN:]
    return (
        [*made(asked, SEED)[:MOST_CLAIMS], *people, *dialogues, *people],
        [*news, *joined(news, SEED), *again, *joined(again[: AGAIN // 3], SEED), *people],
    )


def report(
    found: Mapping[str, Sequence[Asked]], data: Path, entailment: EntailmentModel
) -> dict[str, Any]:
    """By kept set: the AUROC of carried against not, with its interval, beside that of word coverage alone."""
    kept = [one for name in QUOTAS for one in found[name] if one.part == "report"]
    sets = {
        "made of kept articles": random.Random(SEED).sample(
            own := made(kept, SEED), min(REPORTED, len(own))
        ),
        **{name: [c for file in paths for c in _read(data / file)] for name, paths in KEPT.items()},
    }
    return {name: _figures(claims, entailment) for name, claims in sets.items()}


def _read(path: Path) -> Iterator[Stated]:
    return fool_me_twice(path) if path.suffix == ".jsonl" else begin(path)


def _figures(claims: Sequence[Stated], entailment: EntailmentModel) -> dict[str, Any]:
    labels = np.array([claim.supported for claim in claims])
    odds = np.array(
        entailment.log_odds([(claim.claim, " ".join(claim.evidence)) for claim in claims])
    )
    words = np.array([_coverage(claim) for claim in claims])
    return {
        "n": len(claims),
        "supported": int(labels.sum()),
        "model": _auroc(labels, odds),
        "words": _auroc(labels, words),
    }


def _coverage(claim: Stated) -> float:
    """The share of a claim's terms that its evidence has."""
    own = set(terms(claim.claim))
    return len(own & set(terms(" ".join(claim.evidence)))) / len(own) if own else 0.0


def _auroc(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, float]:
    """With its 95% percentile bootstrap interval."""
    rng = np.random.default_rng(SEED)
    draws = [rng.integers(0, len(labels), len(labels)) for _ in range(RESAMPLES)]
    resampled = [roc_auc_score(labels[draw], scores[draw]) for draw in draws]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return {"value": float(roc_auc_score(labels, scores)), "low": float(low), "high": float(high)}


def train_support(
    rounds: Sequence[Sequence[Stated]], base: str, out: Path, seed: int, device: str = "cpu"
) -> None:
    """One pass over the claims of each round, from the reader's own weights; writes model and tokenizer in float16."""
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForSequenceClassification.from_pretrained(
        base,
        num_labels=1,
        dtype=torch.float32,
        attn_implementation="eager",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model.to(device).train()
    model.get_input_embeddings().weight.requires_grad_(False)
    for claims in rounds:
        _train_round(model, tokenizer, _batches(claims, seed), device)
    model.half().save_pretrained(out)
    tokenizer.save_pretrained(out)


def _train_round(
    model: Any, tokenizer: Any, batches: Sequence[Sequence[Stated]], device: str
) -> None:
    """With a warm-up and a decay of its own."""
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
    schedule = get_linear_schedule_with_warmup(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        optimizer, int(WARMUP * len(batches)), len(batches)
    )
    begun, losses = time.monotonic(), list[float]()
    for step, batch in enumerate(batches, start=1):
        inputs = _inputs(tokenizer, batch).to(device)
        with torch.autocast(device, torch.bfloat16):
            logits = model(**inputs).logits[:, 0].float()
        right = torch.tensor([float(claim.supported) for claim in batch], device=device)
        loss = binary_cross_entropy_with_logits(logits, right)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if step % 100 == 0 or step == len(batches):
            mean, seconds = sum(losses) / len(losses), time.monotonic() - begun
            _log.info("step %d of %d loss %.3f, %.0f s", step, len(batches), mean, seconds)
            losses.clear()


def _inputs(tokenizer: Any, claims: Sequence[Stated]) -> Any:
    return tokenizer(
        [claim.claim for claim in claims],
        [" ".join(claim.evidence) for claim in claims],
        truncation="longest_first",
        max_length=MOST_TOKENS,
        padding=True,
        return_tensors="pt",
    )


def _batches(claims: Sequence[Stated], seed: int) -> list[list[Stated]]:
    rng = random.Random(seed)
    shuffled = list(claims)
    rng.shuffle(shuffled)
    batches = []
    for first in range(0, len(shuffled), BUCKET * BATCH):
        bucket = sorted(
            shuffled[first : first + BUCKET * BATCH],
            key=lambda c: len(c.claim) + len(" ".join(c.evidence)),
        )
        own = [bucket[place : place + BATCH] for place in range(0, len(bucket), BATCH)]
        rng.shuffle(own)
        batches += own
    return batches


if __name__ == "__main__":
    sys.exit(main())
