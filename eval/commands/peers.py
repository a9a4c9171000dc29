"""`footnote eval peers`: compares Footnote with plain llama-index over the same documents."""

import argparse
import json
import os
import sys
import threading
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
from qa.terminal import visible_json

if TYPE_CHECKING:
    from eval.bench.comparison import EngineEstimates, Scored
    from eval.bench.engines import IndexingSeconds
    from eval.dataset import Question
    from qa.llm.model import LanguageModel
    from qa.types import Answer, Document

REQUIRED = ("llama_index.vector_stores.chroma", "llama_index.embeddings.huggingface")
"""Modules of the extra `peers`."""
RESULT = "peers.json"
DESCRIPTION = (
    "Compare Footnote with plain llama-index over the same documents. Without --engine a scripted "
    "model answers on both sides, and nothing leaves this machine. With --engine a language model "
    "answers on both sides: Footnote and CitationQueryEngine send it the same questions, one at a "
    "time, and the peers that need no model are not asked. QA_LLM_URL, QA_LLM_KEY and "
    "QA_LLM_TIMEOUT count as in a chat."
)


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "peers",
        parents=[common],
        help="compare with plain llama-index over the same documents",
        description=DESCRIPTION,
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
        "--limit", metavar="N", type=positive_integer, help="ask only the first N questions"
    )
    parser.add_argument(
        "--engine",
        metavar="MODEL",
        help="answer with provider/model on both sides; default: a scripted model",
    )
    parser.add_argument(
        "--threshold", metavar="T", help="confidence below which Footnote refuses (QA_THRESHOLD)"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help=f"a new folder for {RESULT}; default: in runs/"
    )
    parser.add_argument("--json", action="store_true", help=f"print {RESULT} instead of the tables")
    parser.set_defaults(command=_peers)


def _peers(options: argparse.Namespace) -> int:
    """Checks all arguments before any model is loaded, then asks and prints."""
    _check_installed()
    from eval.dataset import check_evidence, read_questions
    from eval.run import create_run_folder

    settings = Settings.from_environment(
        os.environ, threshold=options.threshold, llm=options.engine or BUILT_IN
    )
    questions = read_questions(options.questions)
    chosen = _chosen(questions, options)
    documents = load_documents(options.documents or [seeds_folder()])
    # Evidence that is in no document would count as a miss of every engine.
    check_evidence(questions, documents)
    model = _language_model(settings) if options.engine else None
    default_name = f"peers-{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}"
    out = create_run_folder(options.out or Path("runs") / default_name)
    return _compare(options, settings, model, chosen, documents, out)


def _language_model(settings: Settings) -> "LanguageModel":
    """Returns the language model of both sides, after its server has answered.

    Raises FootnoteError for an invalid name, and LanguageModelError if the server cannot be used.
    """
    from qa.llm.client import LlmSettings, language_model

    model = language_model(LlmSettings.from_settings(settings))
    model.context_size(threading.Event())
    return model


def _check_installed() -> None:
    """Raises ModelError if the extra is missing."""
    for name in REQUIRED:
        try:
            import_module(name)
        except ImportError as error:
            raise ModelError(
                f"The peers are not installed: {error}. "
                "Install them: pip install -c constraints.txt -e '.[peers]'"
            ) from error


def _chosen(questions: "Sequence[Question]", options: argparse.Namespace) -> "list[Question]":
    """Returns the questions of the split without a history, at most `--limit`.

    The peers need a language model to understand a follow-up. Raises FootnoteError if none is left.
    """
    chosen = []
    for question in questions:
        if options.split in ("all", question.split) and not question.history:
            chosen.append(question)
    if not chosen:
        raise FootnoteError(
            f"{options.questions} has no question without a history in the split {options.split}."
        )
    return chosen[: options.limit]


def _compare(
    options: argparse.Namespace,
    settings: Settings,
    model: "LanguageModel | None",
    questions: "Sequence[Question]",
    documents: "Sequence[Document]",
    out: Path,
) -> int:
    """Returns exit code 3 if a question had an error."""
    from eval.bench.comparison import ask, compare_engines
    from eval.bench.engines import Workbench, make_engines, measure_indexing
    from eval.bench.llamaindex import load_embedding
    from eval.bench.tables import print_tables
    from qa.models.embedding import SentenceTransformerEmbedder

    with TemporaryDirectory() as folder:
        # A new index, whatever the environment says: never a person's library or a shared server.
        settings = replace(settings, home=Path(folder), index=None, chroma_url=None)
        embedder = SentenceTransformerEmbedder(settings.embedding)
        embedding = load_embedding(settings.embedding, settings.home)
        bench = Workbench(documents, embedder, embedding, settings, model)
        engines = make_engines(bench)
        # After the engines, so that no model is loaded while indexing is timed.
        indexing = measure_indexing(bench)
        scored = ask(engines, questions, documents, _progress(len(questions)))
        provenance = _provenance(options, settings, questions, documents)
    rows = compare_engines(scored)
    text = _as_json(provenance, rows, indexing, scored, questions)
    _write(out / RESULT, text)
    if options.json:
        sys.stdout.write(visible_json(text))
    else:
        print_tables(rows, indexing, sys.stdout)
    errors = 0
    for row in rows:
        errors += len(row.errors)
    if errors:
        print(f"footnote: {errors} answers had an error: see {out / RESULT}.", file=sys.stderr)
        return BrokenError.exit_code
    return 0


def _provenance(
    options: argparse.Namespace,
    settings: Settings,
    questions: "Sequence[Question]",
    documents: "Sequence[Document]",
) -> dict[str, Any]:
    """Returns what was asked, of what, and with what."""
    from eval.dataset import read_question_file
    from eval.provenance import collect_provenance

    source = {
        "file": str(options.questions),
        "sha256": sha256(read_question_file(options.questions)).hexdigest(),
        "asked": len(questions),
        "split": options.split,
        "limit": options.limit,
        "histories": False,
    }
    provenance = collect_provenance(settings, documents, source)
    # What the peers are built from, besides the packages that every run names.
    for package in (
        "llama-index-vector-stores-chroma",
        "llama-index-embeddings-huggingface",
        "PyStemmer",
    ):
        provenance["versions"][package] = version(package)
    return provenance


def _as_json(
    provenance: dict[str, Any],
    rows: "Sequence[EngineEstimates]",
    indexing: "IndexingSeconds",
    scored: "Sequence[Scored]",
    questions: "Sequence[Question]",
) -> str:
    scores: dict[str, dict[str, Any]] = {}
    answers: dict[str, dict[str, Any]] = {}
    for entry in scored:
        # Each engine was asked the same questions in the same order.
        of_engine = {}
        for question, answer in zip(questions, entry.questions, strict=True):
            of_engine[question.id] = dict(answer.scores)
        scores[entry.engine.name] = of_engine
        if entry.engine.asks_model:
            answers[entry.engine.name] = _answers_json(entry.answers)
    result = {
        **provenance,
        "engines": {row.engine.name: row.as_json() for row in rows},
        "indexing_seconds": {name: list(values) for name, values in indexing.items()},
        "scores": scores,
        "answers": answers,
    }
    return json.dumps(result, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _answers_json(answers: "Mapping[str, Answer]") -> dict[str, Any]:
    """Returns what the model wrote, so that the rule for refusals can be checked."""
    by_question = {}
    for question_id, answer in answers.items():
        by_question[question_id] = {
            "refused": answer.abstained,
            "text": answer.text,
            "sentences": [
                {"text": each.text, "support": each.support, "citations": len(each.citations)}
                for each in answer.sentences
            ],
        }
    return by_question


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotWritableError(
            f"{path} cannot be written: {error.strerror}. Use another folder: --out DIR"
        ) from error
    print(f"Written to {path}", file=sys.stderr)


def _progress(total: int) -> Callable[[int], None]:
    """Returns a callback that counts the questions on a terminal."""
    if not sys.stderr.isatty():
        return lambda _: None

    def show(count: int) -> None:
        end = "\n" if count == total else ""
        print(f"\rasked {count} of {total}", end=end, file=sys.stderr)

    return show
