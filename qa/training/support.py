"""`python -m qa.training.support`: trains the checking model, and reports its metrics.

OUT/model.safetensors, config.json, tokenizer*.json   the model
OUT/figures.json                                      its metrics on claims it was not trained on
"""

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from qa.config import PACKAGED_EMBEDDING, PACKAGED_READER
from qa.errors import DocumentError
from qa.models.embedding import Embedder, SentenceTransformerEmbedder
from qa.models.entailment import CrossEncoderEntailment, EntailmentModel
from qa.models.spans import CrossEncoder
from qa.text.words import terms
from qa.training.claims import TrainingClaim, claims_of_questions
from qa.training.entry import run_command
from qa.training.handmade_claims import handmade_claims
from qa.training.sources import QuestionsBySource, TrainingQuestion, of_part, read_sources
from qa.training.support_claims import (
    FILES,
    MAX_QUESTIONS,
    read_claims,
    table_claims,
    training_claims,
)
from qa.training.train_support import train_support

SEED = 20
RESAMPLES = 500

TEST_SETS: Mapping[str, tuple[str, ...]] = {
    "fm2 test": ("fm2/test.jsonl",),
    "begin test": ("begin/begin_test_wow.tsv",),
}
"""Sets that are never trained on."""
MAX_REPORTED_CLAIMS = 3000
"""Claims made of the articles that are reported on."""


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
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="where to train (default: cpu)"
    )
    return run_command(parser, _make)


def _make(options: argparse.Namespace) -> None:
    questions = read_sources(options.data)
    _check_files(options.data)
    base = options.reader or files("qa").joinpath("models", PACKAGED_READER)
    embedder = SentenceTransformerEmbedder(PACKAGED_EMBEDDING)
    if not (options.out / "model.safetensors").is_file():
        reader = CrossEncoder(str(base))
        claims = training_claims(questions, options.data, reader, embedder, SEED)
        train_support(claims, str(base), options.out, SEED, options.device)

    entailment = CrossEncoderEntailment(str(options.out))
    metrics = report(questions, options.data, embedder, entailment)
    text = json.dumps(metrics, indent=1) + "\n"
    (options.out / "figures.json").write_text(text, encoding="utf-8")


def _check_files(data: Path) -> None:
    needed = list(FILES)
    for test_files in TEST_SETS.values():
        needed += test_files
    missing = [file for file in needed if not (data / file).is_file()]
    if missing:
        raise DocumentError(
            f"Missing below {data}: {', '.join(missing)}. Download them; see docs/verifier_card.md."
        )


def report(
    questions: QuestionsBySource, data: Path, embedder: Embedder, entailment: EntailmentModel
) -> dict[str, Any]:
    """Returns, by set, the AUROC of supported claims against the others, with its interval.

    Beside the model's stands that of word coverage alone.
    """
    reported = of_part(questions, "report")
    chosen: list[TrainingQuestion] = []
    for name in MAX_QUESTIONS:
        chosen += reported[name]
    claims_of = {
        "made of kept articles": claims_of_questions(chosen, SEED),
        "about kept tables": table_claims(data, SEED, "report"),
        "about kept written documents": handmade_claims("report", embedder),
    }
    metrics = {}
    for name, claims in claims_of.items():
        sample_size = min(MAX_REPORTED_CLAIMS, len(claims))
        sample = random.Random(SEED).sample(claims, sample_size)
        metrics[name] = _metrics(sample, entailment)
    for name, paths in TEST_SETS.items():
        test_claims = read_claims(data, paths)
        metrics[name] = _metrics(test_claims, entailment)
    return metrics


def _metrics(claims: Sequence[TrainingClaim], entailment: EntailmentModel) -> dict[str, Any]:
    labels = []
    pairs = []
    coverages = []
    for claim in claims:
        labels.append(claim.supported)
        pairs.append(claim.pair)
        coverages.append(_coverage(claim))

    supported = np.array(labels)
    log_odds = np.array(entailment.log_odds(pairs))
    return {
        "n": len(claims),
        "supported": int(supported.sum()),
        "model": _auroc(supported, log_odds),
        "words": _auroc(supported, np.array(coverages)),
    }


def _coverage(claim: TrainingClaim) -> float:
    """Returns the share of a claim's terms that its evidence has."""
    claim_terms = set(terms(claim.claim))
    if not claim_terms:
        return 0.0
    evidence = " ".join(claim.evidence)
    shared_terms = claim_terms & set(terms(evidence))
    return len(shared_terms) / len(claim_terms)


def _auroc(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, float]:
    """Returns the AUROC with its 95% percentile bootstrap interval."""
    rng = np.random.default_rng(SEED)
    size = len(labels)
    resampled = []
    for _ in range(RESAMPLES):
        draw = rng.integers(0, size, size)
        resampled.append(roc_auc_score(labels[draw], scores[draw]))
    low, high = np.percentile(resampled, [2.5, 97.5])
    value = roc_auc_score(labels, scores)
    return {"value": float(value), "low": float(low), "high": float(high)}


if __name__ == "__main__":
    sys.exit(main())
