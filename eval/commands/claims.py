"""`python -m eval claims`: measures how well sentences that the documents do not support are found."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.shared import EVAL, Commands, load_documents, seeds_folder

if TYPE_CHECKING:
    from qa.answer.verify import Verifier
    from qa.library.snapshot import Snapshot
    from qa.types import Document

CLAIMS = EVAL / "claims.jsonl"


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "claims", parents=[common], help="measure how well unsupported sentences are found"
    )
    parser.add_argument(
        "--claims", metavar="FILE", type=Path, default=CLAIMS, help="default: the project's own"
    )
    parser.add_argument(
        "--documents", metavar="PATH", type=Path, nargs="+", action="extend", help="default: seeds/"
    )
    parser.set_defaults(command=_claims)


def _claims(options: argparse.Namespace) -> int:
    """Prints how well sentences that the documents do not support are found."""
    from eval.claims import STATES, check, figures, read_claims

    documents = load_documents(options.documents or [seeds_folder()])
    claims = read_claims(options.claims, documents)
    verifier, snapshot = _verifying(documents)
    found = figures(claims, check(claims, verifier, snapshot))
    print(f"{'kind':12} {'n':>4}  " + "  ".join(f"{state:>11}" for state in STATES))
    for kind in dict.fromkeys(claim.kind for claim in claims):
        counts = [found.counts.get((kind, state), 0) for state in STATES]
        print(f"{kind:12} {sum(counts):4}  " + "  ".join(f"{count:11}" for count in counts))
    for name, share in (("precision", found.precision), ("recall", found.recall)):
        if share:
            print(
                f"{name} of unsupported {share[0]:.2f} [{share[1][0]:.2f}, {share[1][1]:.2f}], n {share[2]}"
            )
    return 0


def _verifying(documents: "Sequence[Document]") -> "tuple[Verifier, Snapshot]":
    """The packaged verifier, and a library of these documents alone."""
    from qa.answer.verify import Verifier
    from qa.config import PACKAGED_EMBEDDING
    from qa.documents.passages import split
    from qa.library.snapshot import Snapshot
    from qa.models.embedding import EncodingCache, SentenceTransformerEmbedder
    from qa.models.entailment import CrossEncoderEntailment

    embedder = SentenceTransformerEmbedder(PACKAGED_EMBEDDING)
    passages = [
        passage for document in documents for passage in split(document, embedder.count_tokens)
    ]
    return Verifier(EncodingCache(embedder), CrossEncoderEntailment()), Snapshot.of(
        passages, documents, ""
    )
