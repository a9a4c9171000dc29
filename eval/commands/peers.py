"""`python -m eval peers`: plain llama-index over the same documents, beside Footnote."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from eval.commands.shared import QUESTIONS, Commands, load_documents, positive_integer, seeds_folder
from qa.config import BUILT_IN, Settings
from qa.errors import BrokenError, FootnoteError, ModelError, NotWritableError

if TYPE_CHECKING:
    from eval.bench.asking import Engine, Outcomes
    from eval.bench.comparison import Row
    from eval.bench.indexing import Seconds
    from eval.dataset import Question
    from qa.types import Document

NEEDED = ("llama_index.vector_stores.chroma", "llama_index.embeddings.huggingface")
RESULT = "peers.json"


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "peers", parents=[common], help="ask plain llama-index the same, beside Footnote"
    )
    parser.add_argument(
        "--questions",
        metavar="FILE",
        type=Path,
        default=QUESTIONS,
        help="default: the project's own",
    )
    parser.add_argument(
        "--documents", metavar="PATH", type=Path, nargs="+", action="extend", help="default: seeds/"
    )
    parser.add_argument(
        "--split", choices=("dev", "test", "all"), default="all", help="default: all"
    )
    parser.add_argument(
        "--limit", metavar="N", type=positive_integer, help="the first N of those chosen"
    )
    parser.add_argument(
        "--threshold", metavar="T", help="confidence under which Footnote refuses (QA_THRESHOLD)"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help=f"a new folder for {RESULT}; default: in runs/"
    )
    parser.add_argument("--json", action="store_true", help=f"print {RESULT} instead of the tables")
    parser.set_defaults(command=_peers)


def _peers(options: argparse.Namespace) -> int:
    """Checks all that can be checked before the models are loaded, then asks."""
    _check_installed()
    from eval.dataset import check_evidence, read_questions

    settings = Settings.from_environment(os.environ, threshold=options.threshold, llm=BUILT_IN)
    questions = read_questions(options.questions)
    chosen = _chosen(questions, options)
    documents = load_documents(options.documents or [seeds_folder()])
    check_evidence(questions, documents)
    return _compared(options, settings, chosen, documents)


def _check_installed() -> None:
    """Raises ModelError where the extra is missing."""
    for name in NEEDED:
        try:
            import_module(name)
        except ImportError as error:
            raise ModelError(
                f"The peers are not installed ({error}). Install them: pip install -c constraints.txt -e '.[peers]'"
            ) from error


def _chosen(questions: "Sequence[Question]", options: argparse.Namespace) -> "list[Question]":
    """Those of the split that stand alone, at most `--limit`: the peers understand a follow-up by asking a language
    model. Raises FootnoteError if there is none.
    """
    chosen = [q for q in questions if options.split in ("all", q.split) and not q.history]
    if not chosen:
        raise FootnoteError(
            f"{options.questions} has no question without a history in the split {options.split}."
        )
    return chosen[: options.limit]


def _compared(
    options: argparse.Namespace,
    settings: Settings,
    questions: "Sequence[Question]",
    documents: "Sequence[Document]",
) -> int:
    from eval.bench.asking import ask
    from eval.bench.comparison import clusters, compare
    from eval.bench.table import print_tables
    from eval.run import create_run_folder

    out = create_run_folder(
        options.out or Path("runs") / f"peers-{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}"
    )
    with TemporaryDirectory() as folder:
        # An index of its own, whatever the environment says: never the person's library, nor a shared server.
        own = replace(settings, home=Path(folder), index=None, chroma_url=None)
        engines, indexing = _engines(own, documents)
        outcomes = ask(engines, questions, documents, _progress(len(questions)))
    rows = compare(outcomes, clusters(questions, documents))
    text = _as_json(
        _about(options, settings, questions, documents),
        rows,
        indexing,
        _scores(outcomes, questions),
    )
    _write(out / RESULT, text)
    if options.json:
        sys.stdout.write(text)
    else:
        print_tables(rows, indexing, sys.stdout)
    broken = sum(len(row.errors) for row in rows)
    if broken:
        print(f"footnote: {broken} answers broke: see {out / RESULT}.", file=sys.stderr)
    return BrokenError.exit_code if broken else 0


def _engines(settings: Settings, documents: "Sequence[Document]") -> "tuple[list[Engine], Seconds]":
    from eval.bench.engines import made
    from eval.bench.llamaindex import embedding
    from qa.models.embedding import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder(settings.embedding)
    return made(documents, embedder, embedding(settings.embedding, settings.home), settings)


def _about(
    options: argparse.Namespace,
    settings: Settings,
    questions: "Sequence[Question]",
    documents: "Sequence[Document]",
) -> dict[str, Any]:
    """What was asked, of what, and with what."""
    from eval.provenance import collect_provenance

    source = {
        "file": str(options.questions),
        "sha256": sha256(options.questions.read_bytes()).hexdigest(),
        "asked": len(questions),
        "split": options.split,
        "limit": options.limit,
        "histories": False,
    }
    told = collect_provenance(settings, documents, source)
    packages = (
        "llama-index-vector-stores-chroma",
        "llama-index-embeddings-huggingface",
        "PyStemmer",
    )
    told["versions"] |= {name: version(name) for name in packages}
    return told


def _scores(
    outcomes: "Sequence[Outcomes]", questions: "Sequence[Question]"
) -> dict[str, dict[str, Any]]:
    """By engine and question id."""
    return {
        each.engine.name: {q.id: scores for q, scores in zip(questions, each.scores, strict=True)}
        for each in outcomes
    }


def _as_json(
    about: Mapping[str, Any],
    rows: "Sequence[Row]",
    indexing: "Seconds",
    scores: dict[str, dict[str, Any]],
) -> str:
    found = {
        **about,
        "engines": {row.engine.name: row.as_json() for row in rows},
        "indexing_seconds": {name: list(values) for name, values in indexing.items()},
        "scores": scores,
    }
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotWritableError(
            f"{path.parent} takes no writes: {error.strerror}. Give another: --out DIR"
        ) from error
    print(f"Written to {path}", file=sys.stderr)


def _progress(total: int) -> Callable[[int], None]:
    """A line of standard error that counts, where somebody may be looking."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda count: print(
        f"\rasked {count} of {total}", end="\n" if count == total else "", file=sys.stderr
    )
