"""`python -m qa.training.support`: trains the checking model, and reports its metrics.

OUT/model.safetensors, config.json, tokenizer*.json   the model
OUT/figures.json                                      its metrics on claims it was not trained on
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
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from qa.config import PACKAGED_READER
from qa.errors import DocumentError
from qa.models.entailment import CrossEncoderEntailment, EntailmentModel
from qa.text.words import terms
from qa.training.claims import (
    TrainingClaim,
    claims_of_questions,
    claims_of_simplified_news,
    joined_claims,
    read_begin,
    read_fool_me_twice,
)
from qa.training.entry import run_command
from qa.training.sources import QuestionsBySource, TrainingQuestion, of_part, read_sources
from qa.training.train import Training

SEED = 20
LEARNING_RATE = 8e-5
BATCH = 32
BUCKET_BATCHES = 40
"""Batches whose claims are sorted by length together, so that there is little padding."""
MAX_TOKENS = 192
LOG_EVERY = 100
RESAMPLES = 500

MAX_QUESTIONS: Mapping[str, int] = {
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
"""How many questions of these sources become claims."""
MAX_CLAIMS = 30_000
"""Claims of questions in the first round."""
SECOND_ROUND_CLAIMS = 3000
"""Claims of questions in the second round."""
SIMPLIFIED_SOURCE = "onestop_news"
CLAIMS_OF_PEOPLE = ("fm2/dev.jsonl",)
DIALOGUES = ("begin/begin_dev_wow.tsv", "begin/begin_dev_tc.tsv", "begin/begin_dev_cmu.tsv")
TEST_SETS: Mapping[str, tuple[str, ...]] = {
    "fm2 test": ("fm2/test.jsonl",),
    "begin test": ("begin/begin_test_wow.tsv",),
}
"""Sets that are never trained on."""
MAX_REPORTED_CLAIMS = 3000
"""Claims made of the articles that are reported on."""
_log = logging.getLogger(__name__)


def main() -> int:
    """Trains unless OUT holds the model already, then reports."""
    parser = argparse.ArgumentParser(
        prog="python -m qa.training.support", description="Train the checking model."
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with the public sets")
    parser.add_argument("--out", type=Path, required=True, help="the folder for model and metrics")
    parser.add_argument(
        "--reader", type=Path, help="the reader to start from (default: the packaged reader)"
    )
    parser.add_argument("--device", default="cpu", help="where to train (default: cpu)")
    return run_command(parser, _make)


def _make(options: argparse.Namespace) -> None:
    questions = read_sources(options.data)
    _check_files(options.data)
    base = options.reader or files("qa").joinpath("models", PACKAGED_READER)
    if not (options.out / "model.safetensors").is_file():
        rounds = training_rounds(questions, options.data)
        train_support(rounds, str(base), options.out, SEED, options.device)

    metrics = report(questions, options.data, CrossEncoderEntailment(str(options.out)))
    text = json.dumps(metrics, indent=1) + "\n"
    (options.out / "figures.json").write_text(text, encoding="utf-8")


def _check_files(data: Path) -> None:
    needed = [*CLAIMS_OF_PEOPLE, *DIALOGUES]
    for test_files in TEST_SETS.values():
        needed += test_files
    missing = [file for file in needed if not (data / file).is_file()]
    if missing:
        raise DocumentError(
            f"Missing below {data}: {', '.join(missing)}. Download them; see docs/verifier_card.md."
        )


def training_rounds(
    questions: QuestionsBySource, data: Path
) -> tuple[list[TrainingClaim], list[TrainingClaim]]:
    """Returns the claims of two rounds of training.

    First claims made of questions, of people (twice) and of dialogues; then of simplified news,
    and claims joined in twos.
    """
    rng = random.Random(SEED)
    to_train = of_part(questions, "train")
    chosen: list[TrainingQuestion] = []
    for name, count in MAX_QUESTIONS.items():
        rows = to_train[name]
        rng.shuffle(rows)
        chosen += rows[:count]
    rng.shuffle(chosen)

    people = [claim for file in CLAIMS_OF_PEOPLE for claim in _read_claims(data / file)]
    dialogues = [claim for file in DIALOGUES for claim in _read_claims(data / file)]
    first = claims_of_questions(chosen, SEED)[:MAX_CLAIMS]
    second = claims_of_questions(chosen, SEED + 1)[-SECOND_ROUND_CLAIMS:]
    news = claims_of_simplified_news(to_train[SIMPLIFIED_SOURCE], SEED)
    joined_second = joined_claims(second[: SECOND_ROUND_CLAIMS // 3], SEED)
    return (
        [*first, *people, *dialogues, *people],
        [*news, *joined_claims(news, SEED), *second, *joined_second, *people],
    )


def _read_claims(path: Path) -> Iterator[TrainingClaim]:
    return read_fool_me_twice(path) if path.suffix == ".jsonl" else read_begin(path)


def report(questions: QuestionsBySource, data: Path, entailment: EntailmentModel) -> dict[str, Any]:
    """Returns, by set, the AUROC of supported claims against the others, with its interval.

    Beside the model's stands that of word coverage alone.
    """
    reported = of_part(questions, "report")
    chosen = [row for name in MAX_QUESTIONS for row in reported[name]]
    claims = claims_of_questions(chosen, SEED)
    sample_size = min(MAX_REPORTED_CLAIMS, len(claims))
    sets = {"made of kept articles": random.Random(SEED).sample(claims, sample_size)}
    for name, paths in TEST_SETS.items():
        sets[name] = [claim for path in paths for claim in _read_claims(data / path)]
    return {name: _metrics(claims, entailment) for name, claims in sets.items()}


def _metrics(claims: Sequence[TrainingClaim], entailment: EntailmentModel) -> dict[str, Any]:
    supported = np.array([claim.supported for claim in claims])
    pairs = [(claim.claim, " ".join(claim.evidence)) for claim in claims]
    log_odds = np.array(entailment.log_odds(pairs))
    coverage = np.array([_coverage(claim) for claim in claims])
    return {
        "n": len(claims),
        "supported": int(supported.sum()),
        "model": _auroc(supported, log_odds),
        "words": _auroc(supported, coverage),
    }


def _coverage(claim: TrainingClaim) -> float:
    """Returns the share of a claim's terms that its evidence has."""
    claim_terms = set(terms(claim.claim))
    evidence_terms = set(terms(" ".join(claim.evidence)))
    return len(claim_terms & evidence_terms) / len(claim_terms) if claim_terms else 0.0


def _auroc(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, float]:
    """Returns the AUROC with its 95% percentile bootstrap interval."""
    rng = np.random.default_rng(SEED)
    resampled = []
    for draw in [rng.integers(0, len(labels), len(labels)) for _ in range(RESAMPLES)]:
        resampled.append(roc_auc_score(labels[draw], scores[draw]))
    low, high = np.percentile(resampled, [2.5, 97.5])
    value = roc_auc_score(labels, scores)
    return {"value": float(value), "low": float(low), "high": float(high)}


def train_support(
    rounds: Sequence[Sequence[TrainingClaim]],
    base: str,
    out: Path,
    seed: int,
    device: str = "cpu",
) -> None:
    """Trains one pass over each round's claims, from the reader's weights.

    Writes model and tokenizer to `out`, in float16.
    """
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
    for claims in rounds:
        _train_round(model, tokenizer, _batches(claims, seed), device)
    model.half().save_pretrained(out)
    tokenizer.save_pretrained(out)


def _train_round(
    model: Any, tokenizer: Any, batches: Sequence[Sequence[TrainingClaim]], device: str
) -> None:
    """Trains one round, with a warm-up and a decay of its own."""
    training = Training(model, len(batches), LEARNING_RATE, device)
    began, losses = time.monotonic(), list[float]()
    for step, batch in enumerate(batches, start=1):
        inputs = _inputs(tokenizer, batch).to(device)
        with torch.autocast(device, torch.bfloat16):
            logits = model(**inputs).logits[:, 0].float()
        labels = torch.tensor([float(claim.supported) for claim in batch], device=device)
        losses.append(training.step(binary_cross_entropy_with_logits(logits, labels)))

        if step % LOG_EVERY == 0 or step == len(batches):
            mean_loss, seconds = sum(losses) / len(losses), time.monotonic() - began
            _log.info("step %d of %d loss %.3f, %.0f s", step, len(batches), mean_loss, seconds)
            losses.clear()


def _inputs(tokenizer: Any, claims: Sequence[TrainingClaim]) -> Any:
    return tokenizer(
        [claim.claim for claim in claims],
        [" ".join(claim.evidence) for claim in claims],
        truncation="longest_first",
        max_length=MAX_TOKENS,
        padding=True,
        return_tensors="pt",
    )


def _batches(claims: Sequence[TrainingClaim], seed: int) -> list[list[TrainingClaim]]:
    rng = random.Random(seed)
    shuffled = list(claims)
    rng.shuffle(shuffled)
    bucket_size = BUCKET_BATCHES * BATCH
    batches = []
    for first in range(0, len(shuffled), bucket_size):
        bucket = sorted(shuffled[first : first + bucket_size], key=_length)
        bucket_batches = []
        for place in range(0, len(bucket), BATCH):
            bucket_batches.append(bucket[place : place + BATCH])
        rng.shuffle(bucket_batches)
        batches += bucket_batches
    return batches


def _length(claim: TrainingClaim) -> int:
    return len(claim.claim) + len(" ".join(claim.evidence))


if __name__ == "__main__":
    sys.exit(main())
