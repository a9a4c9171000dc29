"""The command line: `python -m eval run | threshold | claims`. Results on standard output, the rest on the other."""

import argparse
import logging
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.config import BUILT_IN, Settings
from qa.errors import BrokenError, DocumentError, FootnoteError

if TYPE_CHECKING:
    from eval.dataset import Question
    from qa.bot import Bot
    from qa.retrieval import Library
    from qa.types import Document
    from qa.verification import Verifier

HERE = Path(__file__).parent
QUESTIONS = HERE / "questions.jsonl"
CLAIMS = HERE / "claims.jsonl"
BROKEN = BrokenError.exit_code
PLAIN = "plain"
STEPS = 20
"""Thresholds shown, evenly over those there are."""
_log = logging.getLogger("eval")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Exit codes: 0 fine, 2 bad usage or bad data, 3 something broke, be it at one question."""
    options = _parser().parse_args(arguments)
    _log_to_stderr(logging.INFO if options.verbose else logging.ERROR)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except FootnoteError as error:
        print(f"footnote: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception:  # noqa: BLE001  # told in full, with its traceback
        # Python itself would exit with 1, which here says that a comparison failed.
        _log.exception("footnote: this should not have happened.")
        return BROKEN


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
    documents = _library(settings) if options.library else _loaded(options.documents or [_seeds()])
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
    return BROKEN if errors else 0


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


def _threshold(options: argparse.Namespace) -> int:
    """Prints what thresholds come to, and the best one."""
    from eval.threshold import best, choices, read_run

    found = choices(read_run(options.run_folder))
    chosen = best(found)
    steps = found[:: max(1, len(found) // STEPS)]
    print("threshold  answered right  wrongly refused  rightly refused  balance")
    for choice in sorted({*steps, chosen}, key=lambda choice: choice.threshold):
        print(
            f"{choice.threshold:9.3f}  {choice.answered_right:14.2f}  {choice.wrongly_refused:15.2f}  "
            f"{choice.rightly_refused:15.2f}  {choice.balance:7.3f}{'  best' if choice is chosen else ''}"
        )
    return 0


def _claims(options: argparse.Namespace) -> int:
    """Prints how well sentences that the documents do not support are found."""
    from eval.claims import STATES, check, figures, read_claims

    documents = _loaded(options.documents or [_seeds()])
    claims = read_claims(options.claims, documents)
    verifier, library = _verifying(documents)
    found = figures(claims, check(claims, verifier, library))
    print(f"{'kind':12} {'n':>4}  " + "  ".join(f"{state:>11}" for state in STATES))
    for kind in dict.fromkeys(claim.kind for claim in claims):
        counts = [found.counts.get((kind, state), 0) for state in STATES]
        print(f"{kind:12} {sum(counts):4}  " + "  ".join(f"{count:11}" for count in counts))
    for name, share in (("precision", found.precision), ("recall", found.recall)):
        if share:
            print(f"{name} of unsupported {share[0]:.2f} [{share[1][0]:.2f}, {share[1][1]:.2f}], n {share[2]}")
    return 0


def _verifying(documents: "Sequence[Document]") -> "tuple[Verifier, Library]":
    """The packaged verifier, and a library of these documents alone."""
    from qa.chunking import split
    from qa.config import PACKAGED_EMBEDDING
    from qa.embedding import Encodings, SentenceTransformerEmbedder
    from qa.entailment import Entailment
    from qa.retrieval import Library
    from qa.verification import Verifier

    embedder = SentenceTransformerEmbedder(PACKAGED_EMBEDDING)
    passages = [passage for document in documents for passage in split(document, embedder.count_tokens)]
    return Verifier(Encodings(embedder), Entailment()), Library.made_of(passages, documents, "")


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


def _loaded(paths: Sequence[Path]) -> "tuple[Document, ...]":
    """The documents; figures over a part of them would not be what was asked for, so any failure is an error."""
    from qa.documents import load

    loaded = load(paths)
    if loaded.failures:
        raise DocumentError("\n".join(map(str, loaded.failures)))
    return loaded.documents


def _seeds() -> Path:
    """The documents that come with the project."""
    for folder in (HERE.parent / "seeds", Path("seeds")):
        if folder.is_dir():
            return folder
    raise DocumentError("There is no folder seeds here. Say which documents to ask: --documents PATH")


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


def _log_to_stderr(level: int) -> None:
    """The level is the handler's too: bm25s sets its own logger to debug when it is imported."""
    handler = logging.StreamHandler()
    handler.setLevel(level)
    logging.basicConfig(handlers=[handler], level=level, format="%(message)s")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"takes a whole number from 1, not {text}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval", description="Measure how well Footnote answers.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--verbose", action="store_true", help="log more to standard error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run = commands.add_parser("run", parents=[common], help="ask a set of questions, write and print the figures")
    run.add_argument("--questions", metavar="FILE", type=Path, default=QUESTIONS, help="default: the project's own")
    asked = run.add_mutually_exclusive_group()
    asked.add_argument("--documents", metavar="PATH", type=Path, nargs="+", action="extend", help="default: seeds/")
    asked.add_argument("--library", action="store_true", help="ask what your own library holds, in an index of its own")
    run.add_argument("--out", metavar="DIR", type=Path, help="a new folder; default: runs/ and the time (UTC)")
    run.add_argument("--split", choices=("dev", "test", "all"), default="all", help="default: all")
    run.add_argument("--kind", metavar="KIND", nargs="+", action="extend", help="questions of these kinds only")
    run.add_argument("--limit", metavar="N", type=_positive, help="the first N of those chosen")
    run.add_argument("--engine", dest="llm", help="built-in, provider/model (QA_LLM), or plain: the plain stack")
    run.add_argument("--embedding", metavar="MODEL", help="a sentence-transformers model (QA_EMBEDDING)")
    run.add_argument("--reader", metavar="MODEL", help="an extractive question-answering model (QA_READER)")
    run.add_argument("--top-k", metavar="K", help="passages to read (QA_TOP_K)")
    run.add_argument("--threshold", metavar="T", help="confidence under which to refuse (QA_THRESHOLD)")
    run.add_argument("--json", action="store_true", help="print summary.json instead of the tables")
    run.set_defaults(command=_run)
    threshold = commands.add_parser(
        "threshold", parents=[common], help="choose the refusal threshold on a run made with --threshold 0"
    )
    threshold.add_argument("run_folder", metavar="RUN", type=Path)
    threshold.set_defaults(command=_threshold)
    claims = commands.add_parser("claims", parents=[common], help="measure how well unsupported sentences are found")
    claims.add_argument("--claims", metavar="FILE", type=Path, default=CLAIMS, help="default: the project's own")
    claims.add_argument("--documents", metavar="PATH", type=Path, nargs="+", action="extend", help="default: seeds/")
    claims.set_defaults(command=_claims)
    return parser


if __name__ == "__main__":
    sys.exit(main())
