"""`footnote eval claims`: measures how well unsupported sentences are recognised."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.shared import EVAL, Commands, load_documents, seeds_folder

if TYPE_CHECKING:
    from eval.claims import Detection
    from qa.answer.verify import Verifier
    from qa.library.snapshot import Snapshot
    from qa.types import Document

CLAIMS = EVAL / "claims.jsonl"


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "claims",
        parents=[common],
        help="measure how well unsupported sentences are recognised",
    )
    parser.add_argument(
        "--claims",
        metavar="FILE",
        type=Path,
        default=CLAIMS,
        help="labelled claims; default: the project's own",
    )
    parser.add_argument(
        "--documents",
        metavar="PATH",
        type=Path,
        nargs="+",
        action="extend",
        help="the documents they are about; default: seeds/",
    )
    parser.set_defaults(command=_claims)


def _claims(options: argparse.Namespace) -> int:
    """Checks the claims and prints the counts, precision and recall."""
    from eval.claims import check_claims, detection, read_claims

    documents = load_documents(options.documents or [seeds_folder()])
    claims = read_claims(options.claims, documents)
    verifier, snapshot = verifier_over(documents)
    supports = check_claims(claims, verifier, snapshot)
    # In the order of the file, which has the supported kinds first.
    kinds = dict.fromkeys(claim.kind for claim in claims)
    _print(list(kinds), detection(claims, supports))
    return 0


def _print(kinds: Sequence[str], result: "Detection") -> None:
    from eval.claims import SUPPORTS

    headings = "  ".join(f"{support:>11}" for support in SUPPORTS)
    print(f"{'kind':12} {'n':>4}  {headings}")
    for kind in kinds:
        counts = [result.counts.get((kind, support), 0) for support in SUPPORTS]
        cells = "  ".join(f"{count:11}" for count in counts)
        print(f"{kind:12} {sum(counts):4}  {cells}")
    for name, share in (("precision", result.precision), ("recall", result.recall)):
        # A file may have no unsupported claim, and the check may find none.
        if share:
            interval = f"[{share.low:.2f}, {share.high:.2f}]"
            print(f"{name} of unsupported {share.value:.2f} {interval}, n {share.n}")


def verifier_over(documents: "Sequence[Document]") -> "tuple[Verifier, Snapshot]":
    """Returns the packaged verifier, and a snapshot of these documents alone."""
    from qa.answer.verify import Verifier
    from qa.config import PACKAGED_EMBEDDING
    from qa.library.snapshot import Snapshot
    from qa.models.embedding import EncodingCache, SentenceTransformerEmbedder
    from qa.models.entailment import CrossEncoderEntailment

    embedder = SentenceTransformerEmbedder(PACKAGED_EMBEDDING)
    verifier = Verifier(EncodingCache(embedder), CrossEncoderEntailment())
    # In memory: a person's library is not touched, whatever the environment says.
    return verifier, Snapshot.in_memory(documents, embedder.count_tokens)
