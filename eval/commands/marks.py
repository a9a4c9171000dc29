"""`footnote eval marks`: measures the marks on sentences that language models wrote."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.claims import verifier_over
from eval.commands.shared import EVAL, Commands, load_documents, seeds_folder

if TYPE_CHECKING:
    from eval.claims import Share
    from eval.model_claims import CheckMetrics

CLAIMS = EVAL / "model_claims.jsonl"
DOCUMENTS = EVAL / "ordinary" / "documents"


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "marks",
        parents=[common],
        help="measure the marks on sentences that language models wrote",
    )
    parser.add_argument(
        "--claims",
        metavar="FILE",
        type=Path,
        default=CLAIMS,
        help="labelled sentences; default: the project's own",
    )
    parser.add_argument(
        "--documents",
        metavar="PATH",
        type=Path,
        nargs="+",
        action="extend",
        help="the documents that the models saw; default: seeds/ and the project's ordinary ones",
    )
    parser.add_argument(
        "--split", choices=("dev", "test", "all"), default="all", help="default: all"
    )
    parser.set_defaults(command=_marks)


def _marks(options: argparse.Namespace) -> int:
    """Checks the sentences again; prints the marks by label, and the shares."""
    from eval.model_claims import check_metrics, check_model_claims, outcome, read_model_claims

    documents = load_documents(options.documents or [seeds_folder(), DOCUMENTS])
    claims = read_model_claims(options.claims, documents)
    if options.split != "all":
        claims = tuple(claim for claim in claims if claim.split == options.split)
    verifier, snapshot = verifier_over(documents)
    checked = check_model_claims(claims, verifier, snapshot)
    _print(check_metrics(claims, [outcome(result) for result in checked]))
    return 0


def _print(metrics: "CheckMetrics") -> None:
    from eval.model_claims import LABELS, OUTCOMES

    headings = "  ".join(f"{mark:>11}" for mark in OUTCOMES)
    print(f"{'label':12} {'n':>4}  {headings}")
    for label in LABELS:
        counts = [metrics.counts.get((label, mark), 0) for mark in OUTCOMES]
        cells = "  ".join(f"{count:11}" for count in counts)
        print(f"{label:12} {sum(counts):4}  {cells}")
    _print_share("unsupported, found", metrics.unsupported_recall)
    _print_share("marked unsupported, rightly", metrics.unsupported_precision)
    _print_share("supported, without a warning", metrics.supported_recall)
    _print_share("without a warning, rightly", metrics.supported_precision)
    _print_share("marked weak", metrics.weak)
    _print_share("empty, left out", metrics.empty_left_out)


def _print_share(name: str, share: "Share | None") -> None:
    if share:
        print(f"{name:30} {share.value:.2f} [{share.low:.2f}, {share.high:.2f}], n {share.n}")
