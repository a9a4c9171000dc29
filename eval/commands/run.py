"""`python -m eval run`: asks a set of questions, writes and prints the figures."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.commands.shared import QUESTIONS, Commands, loaded, positive, seeds
from qa.config import BUILT_IN, Settings
from qa.errors import BrokenError, DocumentError, FootnoteError

if TYPE_CHECKING:
    from eval.dataset import Question
    from qa.bot import Bot
    from qa.types import Document

PLAIN = "plain"


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    run = commands.add_parser("run", parents=[common], help="ask a set of questions, write and print the figures")
    run.add_argument("--questions", metavar="FILE", type=Path, default=QUESTIONS, help="default: the project's own")
    asked = run.add_mutually_exclusive_group()
    asked.add_argument("--documents", metavar="PATH", type=Path, nargs="+", action="extend", help="default: seeds/")
    asked.add_argument("--library", action="store_true", help="ask what your own library holds, in an index of its own")
    run.add_argument("--out", metavar="DIR", type=Path, help="a new folder; default: runs/ and the time (UTC)")
    run.add_argument("--split", choices=("dev", "test", "all"), default="all", help="default: all")
    run.add_argument("--kind", metavar="KIND", nargs="+", action="extend", help="questions of these kinds only")
    run.add_argument("--limit", metavar="N", type=positive, help="the first N of those chosen")
    run.add_argument("--engine", dest="llm", help="built-in, provider/model (QA_LLM), or plain: the plain stack")
    run.add_argument("--embedding", metavar="MODEL", help="a sentence-transformers model (QA_EMBEDDING)")
    run.add_argument("--reader", metavar="MODEL", help="an extractive question-answering model (QA_READER)")
    run.add_argument("--top-k", metavar="K", help="passages to read (QA_TOP_K)")
    run.add_argument("--threshold", metavar="T", help="confidence under which to refuse (QA_THRESHOLD)")
    run.add_argument("--json", action="store_true", help="print summary.json instead of the tables")
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    """Checks all that can be checked before the models are loaded, then asks."""
    from eval.dataset import check_evidence, read_questions
    from qa.llm import LlmSettings, language_model

    plain = options.llm == PLAIN
    settings = Settings.from_environment(
        os.environ,
        top_k=options.top_k,
        threshold=options.threshold,
        embedding=options.embedding,
        reader=options.reader,
        llm=BUILT_IN if plain else options.llm,
    )
    if settings.llm != BUILT_IN:
        language_model(LlmSettings.of(settings))
    questions = read_questions(options.questions)
    chosen = _chosen(questions, options)
    documents = _library(settings) if options.library else loaded(options.documents or [seeds()])
    check_evidence(questions, documents)
    return _asked(options, settings, chosen, documents)


def _asked(
    options: argparse.Namespace, settings: Settings, questions: "Sequence[Question]", documents: "Sequence[Document]"
) -> int:
    from eval.run import QUESTIONS, about, new_folder, run, write_summary
    from eval.table import print_tables
    from qa.bot import Bot

    out = new_folder(options.out or Path("runs") / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    # A fresh index, whatever the environment says: never the person's own library, nor a shared server.
    settings = replace(settings, home=(out / "home").absolute(), index=None, chroma_url=None)
    bot = _plain_bot(settings) if options.llm == PLAIN else Bot.open(settings)
    for document in documents:
        bot.index.add(document)
    library = bot.index.documents()
    outcomes = run(questions, bot, library, out, tell=_progress(len(questions)))
    shutil.copyfile(options.questions, out / QUESTIONS)
    told = about(settings, library, _source(options, len(questions)))
    if options.llm == PLAIN:
        told["settings"]["llm"] = PLAIN
    groups, summary = write_summary(outcomes, told, out)
    if options.json:
        sys.stdout.write(summary)
    else:
        print_tables(groups, sys.stdout)
    print(f"Written to {out}", file=sys.stderr)
    if errors := groups[0].errors:
        print(f"footnote: {errors} of {len(questions)} questions broke: see results.jsonl.", file=sys.stderr)
    return BrokenError.exit_code if errors else 0


def _library(settings: Settings) -> "Sequence[Document]":
    """What the person's own library holds."""
    from qa.index import Index

    documents = Index(settings.store).documents()
    if not documents:
        raise DocumentError("The library is empty. Add documents first: python -m qa add PATH")
    return documents


def _plain_bot(settings: Settings) -> "Bot":
    from eval.plain import PlainReader
    from qa.bot import Bot
    from qa.embedding import SentenceTransformerEmbedder
    from qa.index import Index

    embedder = SentenceTransformerEmbedder(settings.embedding)
    return Bot(Index(settings.store, embedder), embedder, PlainReader(embedder), settings)


def _chosen(questions: "Sequence[Question]", options: argparse.Namespace) -> "list[Question]":
    """Those of the split and the kinds asked for, at most `--limit`. Raises FootnoteError if there is none."""
    kinds = {question.kind for question in questions}
    if unknown := set(options.kind or ()) - kinds:
        told = ", ".join(sorted(unknown))
        raise FootnoteError(f"{options.questions} has no kind {told}. It has: {', '.join(sorted(kinds))}.")
    chosen = [
        question
        for question in questions
        if options.split in ("all", question.split) and (not options.kind or question.kind in options.kind)
    ]
    if not chosen:
        raise FootnoteError(f"{options.questions} has no such question in the split {options.split}: --split all")
    return chosen[: options.limit]


def _source(options: argparse.Namespace, asked: int) -> dict[str, Any]:
    """What was asked, exactly."""
    return {
        "file": str(options.questions),
        "sha256": sha256(options.questions.read_bytes()).hexdigest(),
        "asked": asked,
        "split": options.split,
        "kinds": options.kind,
        "limit": options.limit,
    }


def _progress(total: int) -> Callable[[int], None]:
    """A line of standard error that counts, where somebody may be looking."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda count: print(f"\rasked {count} of {total}", end="\n" if count == total else "", file=sys.stderr)
