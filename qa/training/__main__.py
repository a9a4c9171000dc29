"""`python -m qa.training`: trains the cross-encoder, fits the weights that use it, and reports.

OUT/model.safetensors, config.json, tokenizer*.json   the cross-encoder
OUT/weights.json                                      the weights that combine the features
OUT/figures.json                                      the metrics on articles that were kept apart
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.training.entry import run_command

if TYPE_CHECKING:
    from qa.models.spans import SpanModel
    from qa.training.cases import FitCase
    from qa.training.sources import Part, QuestionsBySource

SEED = 20
MODEL_FILE = "model.safetensors"
MAX_LIBRARIES: Mapping[str, int] = {"fit": 13, "report": 5}
"""Libraries of ordinary documents, by part."""
MEASURED_ALONE = (
    "squad2_half",
    "squad_train_a",
    "squadshifts_new_wiki",
    "nq_oracle",
    "fairytale",
    "multispan_list",
)
"""Sources on whose reported articles the cross-encoder is measured by itself."""
MAX_MEASURED_ALONE = 600
"""Questions of each of these sources."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass of the training."""

    rate: float
    """The highest learning rate."""
    from_public: slice
    """The examples over public prose and written documents that may be read, in their order."""
    handmade_copies: int
    """How often the documents written by hand may be read, each time with new negatives."""
    examples: int
    """How many of all these are read, at random: what a CPU trains on in an hour and a half."""


PASSES: Mapping[int, Pass] = {
    1: Pass(rate=1e-4, from_public=slice(0, 46_500), handmade_copies=0, examples=46_500),
    2: Pass(rate=5e-5, from_public=slice(46_500, 68_500), handmade_copies=3, examples=24_000),
}
"""There are 76,848 examples over public prose and written documents."""


def main() -> int:
    """Trains unless OUT holds the model already, then fits and reports."""
    parser = argparse.ArgumentParser(
        prog="python -m qa.training", description="Train the reader on public sets."
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with the public sets")
    parser.add_argument(
        "--start",
        type=Path,
        required=True,
        help="the folder with the model to start from: of pass 1, see qa.training.start; of pass "
        "2, the model of pass 1",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="the folder for model, checkpoint and metrics"
    )
    parser.add_argument(
        "--pass", type=int, choices=tuple(PASSES), default=1, dest="number", help="default: 1"
    )
    parser.add_argument("--device", default="cpu", help="where to train (default: cpu)")
    parser.add_argument(
        "--most", type=int, help="the number of examples to train on (default: that of the pass)"
    )
    return run_command(parser, _make)


def _make(options: argparse.Namespace) -> None:
    # Imported here, so that --help does not wait for torch.
    from qa.training.sources import read_sources

    questions = read_sources(options.data)
    if not (options.out / MODEL_FILE).is_file():
        _train(questions, options)
    _fit_and_report(questions, options)


def _train(questions: "QuestionsBySource", options: argparse.Namespace) -> None:
    """Trains a pass over prose, ordinary documents and documents written by hand together."""
    from qa.config import PACKAGED_EMBEDDING
    from qa.models.embedding import SentenceTransformerEmbedder
    from qa.training.examples import NegativeShares, training_examples
    from qa.training.ordinary import handmade_questions, reader_questions
    from qa.training.train import train_reader

    shares = NegativeShares(
        hard=0.4, easy=0.04, cut=0.2, swapped=0.18, opposed=0.15, other_noun=0.15
    )
    count_tokens = SentenceTransformerEmbedder(PACKAGED_EMBEDDING).count_tokens
    chosen = PASSES[options.number]
    by_source = reader_questions(options.data, questions, count_tokens)
    examples = training_examples(by_source, shares, SEED)[chosen.from_public]

    if chosen.handmade_copies:
        handmade = handmade_questions(count_tokens)
        # Another lease may well answer a question about this one, so hard negatives are of the same
        # document; a random passage hardly ever answers.
        shares = replace(shares, easy=0.15)
        for copy in range(chosen.handmade_copies):
            examples += training_examples(handmade, shares, SEED + copy, min_group_passages=1)
        random.Random(SEED).shuffle(examples)
    examples = examples[: options.most or chosen.examples]
    start = str(options.start)
    train_reader(examples, start, options.out, rate=chosen.rate, seed=SEED, device=options.device)


def _fit_and_report(questions: "QuestionsBySource", options: argparse.Namespace) -> None:
    from qa.config import PACKAGED_EMBEDDING
    from qa.models.embedding import SentenceTransformerEmbedder
    from qa.models.spans import CrossEncoder
    from qa.reader.reader import WEIGHTS, Weights
    from qa.training.cases import Models, document_cases, library_cases, ordinary_cases
    from qa.training.fit import fit_weights
    from qa.training.handmade import handmade_documents
    from qa.training.metrics import calibration, feature_ablations
    from qa.training.ordinary import written_documents

    out = options.out
    models = Models(SentenceTransformerEmbedder(PACKAGED_EMBEDDING), CrossEncoder(str(out)))

    def over_ordinary(part: "Part") -> Iterator["FitCase"]:
        written = written_documents(options.data, questions, part)
        documents = chain(written, handmade_documents(part))
        return ordinary_cases(documents, models, MAX_LIBRARIES[part])

    fitted = list(document_cases(questions, "fit", models))
    weights_json = fit_weights(fitted, list(over_ordinary("fit")))
    _write(out / WEIGHTS, weights_json)

    weights = Weights.from_json(weights_json)
    over_documents = [*document_cases(questions, "report", models), *over_ordinary("report")]
    reported = [*over_documents, *library_cases(questions, "report", models)]
    metrics = {
        "cross-encoder alone": _measured_alone(questions, models.cross_encoder),
        "over documents": feature_ablations(fitted, reported, weights),
        "calibration error": calibration(over_documents, weights),
    }
    _write(out / "figures.json", metrics)


def _measured_alone(questions: "QuestionsBySource", model: "SpanModel") -> dict[str, Any]:
    from qa.training.reading import measure_reading
    from qa.training.sources import of_part

    reported = of_part(questions, "report")
    metrics = {}
    for name in MEASURED_ALONE:
        rows = reported[name]
        sample = random.Random(SEED).sample(rows, min(MAX_MEASURED_ALONE, len(rows)))
        metrics[name] = asdict(measure_reading(sample, model))
    return metrics


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
