"""The command `footnote`: ask, add, list, show, remove, rebuild, models, user, chat, eval.

Results go to standard output, messages to standard error. Heavy modules are imported by the
command that needs them, so that `footnote --help` answers at once.
"""

import argparse
import json
import logging
import os
import runpy
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from getpass import getpass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from qa.config import BUILT_IN, Settings, share_processors
from qa.errors import BrokenError, DocumentError, FootnoteError, LanguageModelError, ModelError
from qa.launch import LOCAL, become, check_address, check_home, page_port
from qa.terminal import (
    discard_rest,
    escaped_line,
    log_to_stderr,
    prepare_streams,
    print_line,
    visible,
    visible_json,
)
from qa.text.language import ENGLISH, language_name

if TYPE_CHECKING:
    from qa.library.catalog import Entry
    from qa.library.index import Index
    from qa.types import Answer, Citation

INTERRUPTED = 130
"""The exit code by which shells know a program that Ctrl+C ended."""
DOUBTS = {"weak": " (only partly backed)", "unsupported": " (not found in your documents)"}
"""What follows a language model's sentence on a terminal, by its support."""

FILES_GONE = (
    "Files that are gone: {count}. Answers still cite them. Remove them from the library: "
    "footnote add --prune FOLDER"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    0: done. 1: a comparison failed (`footnote eval`). 2: bad usage or bad data. 3: something broke.
    """
    prepare_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["eval"]:
        return _run_eval(words[1:])

    options = _parser().parse_args(words)
    share_processors()
    log_to_stderr(logging.INFO if options.verbose else logging.ERROR)
    command: Callable[[argparse.Namespace, Settings], int] = options.command
    try:
        return command(options, _settings(options))
    except FootnoteError as error:
        return _report(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has closed it.
        discard_rest(sys.stdout)
        return 0
    except Exception:  # logged in full, with its traceback
        # Python itself would exit with 1, which here means that a comparison failed.
        logging.getLogger("qa").exception("footnote: unexpected error. Please report it.")
        return BrokenError.exit_code


def _ask(options: argparse.Namespace, settings: Settings) -> int:
    """Answers one question, over the whole library or over `--documents` only."""
    from qa.bot import Bot
    from qa.library.adding import add_files

    question, paths = _question_and_paths(options)
    bot = Bot.open(settings)
    names = None
    if paths:
        added = add_files(bot.index, paths, report=lambda _: None)
        if added.failures:
            return _report_all(added.failures)
        names = added.names

    try:
        answer = bot.ask(question, documents=names)
    except LanguageModelError as error:
        if error.streamed:
            message = f"Written before the error, and not checked: {error.streamed}"
            print_line(visible(message), sys.stderr)
        raise

    if options.json:
        # Of letters that the output cannot hold, only JSON's own escapes are JSON.
        is_utf8 = sys.stdout.encoding.lower() == "utf-8"
        text = json.dumps(answer.as_json(), ensure_ascii=not is_utf8)
        print_line(visible_json(text))
    else:
        print_line(visible(_answer_text(answer)))
    return 0


def _question_and_paths(options: argparse.Namespace) -> tuple[str, list[Path]]:
    """Returns the question and the paths of `--documents`.

    In `--documents A B QUESTION`, argparse takes the question for a third path: without a question
    of its own, the last word is the question.
    """
    words: list[str] = list(options.documents or ())
    if options.question is not None:
        words.append(options.question)

    only_paths = options.question is None and len(words) < 2
    if not words or only_paths:
        raise FootnoteError('There is no question. Put it last: footnote ask "What did it cost?"')

    question = words[-1]
    if any("\ud800" <= letter <= "\udfff" for letter in question):
        raise FootnoteError("The question is not valid UTF-8. Type it again.")
    return question, [Path(word) for word in words[:-1]]


def _add(options: argparse.Namespace, settings: Settings) -> int:
    """Adds files and folders to the library, and prints what happened to each file."""
    from qa.bot import Bot
    from qa.library.adding import add_files

    # Adding needs no language model, which may be misconfigured or switched off.
    bot = Bot.open(replace(settings, llm=BUILT_IN))
    added = add_files(bot.index, options.paths, _print_escaped, options.prune, options.verify)
    if added.not_pruned:
        print_line(FILES_GONE.format(count=len(added.not_pruned)), sys.stderr)
    for notice in _language_notices(added.entries, settings):
        _print_escaped(notice)
    return _report_all(added.failures)


def _index(settings: Settings) -> "Index":
    """Opens the library without the models."""
    from qa.library.index import Index

    return Index(settings.store, local=settings.local_index)


def _list(_: argparse.Namespace, settings: Settings) -> int:
    """Prints a line per document: name, title, length, language, and the date if it is known."""
    for entry in _index(settings).entries():
        language = language_name(entry.language) or "language not known"
        columns = [entry.name, entry.title, f"{entry.characters} characters", language]
        if entry.date:
            columns.append(entry.date)
        print_line("\t".join(map(escaped_line, columns)))
    return 0


def _show(options: argparse.Namespace, settings: Settings) -> int:
    """Prints the lines of a document that are not searched, each with its number."""
    document = _index(settings).document(options.name)
    if document is None:
        raise _unknown_document(options.name)
    if not document.furniture:
        print_line(escaped_line(f"Every line of {document.name} is searched."))
        return 0

    print_line("Not searched, because other pages of the site repeat it:")
    for span in document.furniture:
        number = document.text.count("\n", 0, span.start) + 1
        print_line(escaped_line(f"line {number}: {document.text_of(span)}"))
    return 0


def _remove(options: argparse.Namespace, settings: Settings) -> int:
    """Removes one document."""
    if not _index(settings).remove(options.name):
        raise _unknown_document(options.name)
    print_line(escaped_line(f"removed {options.name}"))
    return 0


def _unknown_document(name: str) -> DocumentError:
    return DocumentError(f"There is no document named {name}. See the names: footnote list")


def _rebuild(_: argparse.Namespace, settings: Settings) -> int:
    """Embeds the whole library again."""
    from qa.library.index import Index
    from qa.models.embedding import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder(settings.embedding)
    count = Index.rebuild(settings.store, embedder)
    documents = "1 document" if count == 1 else f"{count} documents"
    print_line(f"rebuilt the index of {documents}")
    return 0


def _models(_: argparse.Namespace, __: Settings) -> int:
    """Prints a line per language model on this machine: name, address, context, settings."""
    from qa.llm.client import missing_extra
    from qa.llm.local import PROGRAMS, find_local_models

    local = find_local_models()
    for model in local.models:
        context = f"{model.context} tokens" if model.context else "context unknown"
        columns = (model.name, model.url, context, model.setting)
        print_line("\t".join(escaped_line(column) for column in columns))
    commands = {missing_extra(model.name): model.name for model in local.models}
    for command, name in commands.items():
        if command:
            print_line(f"{escaped_line(name)} needs an extra: {command}", sys.stderr)
    for notice in local.notices:
        print_line(escaped_line(notice), sys.stderr)
    if not local.models:
        print_line("No language model was found on this machine. Footnote looked for:", sys.stderr)
        for program in PROGRAMS:
            start = f"start it with: {program.start_command}"
            print_line(f"  {program.name} at {program.url}; {start}", sys.stderr)
    return 0


def _user(options: argparse.Namespace, settings: Settings) -> int:
    """Adds, removes or lists the users of the page."""
    from qa.users import Users

    users = Users(settings.home)
    if options.action == "list":
        for name in users.names():
            print_line(escaped_line(name))
        return 0

    if not options.name:
        raise FootnoteError(f"The user's name is missing: footnote user {options.action} NAME")

    if options.action == "add":
        users.add(options.name, _password())
        print_line(escaped_line(f"{options.name} can log in now"))
    elif users.remove(options.name):
        print_line(escaped_line(f"removed {options.name}"))
    else:
        raise FootnoteError(
            f"There is no user named {options.name}. See the names: footnote user list"
        )
    return 0


def _password() -> str:
    """Returns a password typed twice on a terminal, or a line of standard input from a script."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")

    password = getpass("Password: ")
    if password != getpass("Again: "):
        raise FootnoteError("The two passwords differ. Nothing was changed.")
    return password


def _chat(options: argparse.Namespace, settings: Settings) -> int:
    """Starts the page, which reads its settings from the environment."""
    if find_spec("ui") is None:
        raise ModelError(
            "The page is not installed. Install the project: pip install -c constraints.txt -e ."
        )

    port = page_port(options.port)
    check_home(settings.home)
    check_address(options.address or LOCAL, port)
    # -P: Python would look for its modules in the working directory first.
    command = [sys.executable, "-P", "-m", "ui", f"--server.port={port}"]
    if options.address:
        command.append(f"--server.address={options.address}")
    if options.headless:
        command.append("--server.headless=true")
    return become(command, {**os.environ, **settings.as_environment()})


def _run_eval(arguments: Sequence[str]) -> int:
    """Runs `footnote eval` in this process: qa does not import eval, which stands above it."""
    sys.argv[1:] = arguments
    try:
        runpy.run_module("eval", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else BrokenError.exit_code
    return 0


def _print_escaped(line: str) -> None:
    print_line(escaped_line(line))


def _language_notices(documents: "Sequence[Entry]", settings: Settings) -> Sequence[str]:
    """Returns a notice about the documents that are not in English; none where all are."""
    from qa.answer.foreign import language_notice

    names: dict[str, None] = {}
    count = 0
    for document in documents:
        if document.language not in ("", ENGLISH):
            names[language_name(document.language)] = None
            count += 1
    if not count:
        return ()
    documents_are = "1 document is" if count == 1 else f"{count} documents are"
    return language_notice(f"{documents_are} in {' and '.join(names)}.", settings)


def _answer_text(answer: "Answer") -> str:
    """Returns the answer with numbered footnotes, and the quotes that they stand for."""
    from qa.types import was_rewritten

    lines = []
    if was_rewritten(answer.question, answer.standalone_question):
        lines.append(f"Understood as: {answer.standalone_question}\n")
    for notice in answer.notices:
        lines.append(f"Note: {notice}\n")
    shown = answer.sentences
    if answer.abstained:
        lines.append(answer.text)
        if answer.nearest is None:
            return "\n".join(lines)
        lines += ["", "The nearest is:"]
        shown = (answer.nearest,)

    numbers: dict[Citation, int] = {}
    sentences = []
    for sentence in shown:
        footnotes = ""
        for citation in sentence.citations:
            number = numbers.setdefault(citation, len(numbers) + 1)
            footnotes += f"[{number}]"
        if sentence.parts and sentence.parts[-1].role == "code":
            footnotes = f"\n{footnotes}"
        sentences.append(sentence.text + footnotes + DOUBTS.get(sentence.support, ""))

    lines += [" ".join(sentences), ""]
    for citation, number in numbers.items():
        lines.append(f"[{number}] {citation.title} ({_source(citation)}): “{citation.quote}”")
    return "\n".join(lines)


def _source(citation: "Citation") -> str:
    """Returns the document of a citation, its date, and the page and characters of the quote."""
    date = f"{citation.date}, " if citation.date else ""
    page = f"page {citation.page}, " if citation.page else ""
    characters = f"characters {citation.start}-{citation.end}"
    return f"{escaped_line(citation.document)}, {date}{page}{characters}"


def _settings(options: argparse.Namespace) -> Settings:
    flags = {field.name: getattr(options, field.name, None) for field in fields(Settings)}
    return Settings.from_environment(os.environ, **flags)


def _report(error: FootnoteError) -> int:
    """Prints an error as one line, and returns its exit code."""
    try:
        print_line(escaped_line(f"footnote: {error}"), sys.stderr)
    except BrokenError as broken:
        return broken.exit_code
    return error.exit_code


def _report_all(errors: Sequence[FootnoteError]) -> int:
    """Prints the errors, and returns an exit code: 2 if there are any."""
    for error in errors:
        _report(error)
    return FootnoteError.exit_code if errors else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="footnote",
        description="Ask your documents. Every sentence of the answer carries a footnote that you "
        "can check.",
    )
    library = _library_options()
    answering = _answering_options(library)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", parents=[answering], help="answer a question")
    ask.add_argument("question", nargs="?")
    ask.add_argument("--json", action="store_true", help="print the answer as a JSON object")
    ask.add_argument(
        "--documents",
        metavar="PATH",
        nargs="+",
        action="extend",
        help="add these files to the library and search only them",
    )
    ask.set_defaults(command=_ask)

    add = commands.add_parser("add", parents=[library], help="add files and folders to the library")
    add.add_argument("paths", metavar="PATH", type=Path, nargs="+")
    add.add_argument(
        "--prune",
        action="store_true",
        help="remove the documents whose files are gone from these folders",
    )
    add.add_argument(
        "--verify",
        action="store_true",
        help="read every file, also the files whose size and time have not changed",
    )
    add.set_defaults(command=_add)

    list_ = commands.add_parser("list", parents=[library], help="list the documents")
    list_.set_defaults(command=_list)

    show = commands.add_parser(
        "show", parents=[library], help="show the lines of a document that are not searched"
    )
    show.add_argument("name")
    show.set_defaults(command=_show)

    remove = commands.add_parser("remove", parents=[library], help="remove a document")
    remove.add_argument("name")
    remove.set_defaults(command=_remove)

    rebuild = commands.add_parser(
        "rebuild", parents=[library], help="embed the library again, after a change of settings"
    )
    rebuild.set_defaults(command=_rebuild)

    models = commands.add_parser(
        "models",
        parents=[library],
        help="list the language models on this machine, with the settings to use them",
    )
    models.set_defaults(command=_models)

    user = commands.add_parser("user", parents=[library], help="manage who can log in to the page")
    user.add_argument("action", choices=("add", "remove", "list"))
    user.add_argument("name", nargs="?")
    user.set_defaults(command=_user)

    chat = commands.add_parser("chat", parents=[answering], help="open the chat in a browser")
    chat.add_argument("--port", default="8501", help="listen on this port (default: 8501)")
    chat.add_argument(
        "--address",
        help="listen on this address (default: this machine only); see footnote user --help",
    )
    chat.add_argument(
        "--public-hosts",
        metavar="NAMES",
        help="serve people who log in by these names only, for example footnote.example.org",
    )
    chat.add_argument("--headless", action="store_true", help="start without opening a browser")
    chat.set_defaults(command=_chat)

    # Only for --help: main() hands `footnote eval` over before these arguments are parsed.
    commands.add_parser("eval", help="measure answers; see footnote eval --help", add_help=False)
    return parser


def _library_options() -> argparse.ArgumentParser:
    """Options of every command."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--home", metavar="DIR", help="keep the library in this folder (QA_HOME)")
    options.add_argument(
        "--index", metavar="DIR", help="keep the index here instead of in the home (QA_INDEX)"
    )
    options.add_argument(
        "--embedding", metavar="MODEL", help="use this sentence-transformers model (QA_EMBEDDING)"
    )
    options.add_argument(
        "--reader", metavar="MODEL", help="use this question-answering model (QA_READER)"
    )
    options.add_argument(
        "--chroma-url", metavar="URL", help="use this Chroma server (QA_CHROMA_URL)"
    )
    options.add_argument("--verbose", action="store_true", help="log to standard error")
    return options


def _answering_options(library: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Options of the commands that answer questions."""
    options = argparse.ArgumentParser(add_help=False, parents=[library])
    options.add_argument("--top-k", help="read this many passages (QA_TOP_K)")
    options.add_argument("--threshold", help="refuse below this confidence (QA_THRESHOLD)")
    options.add_argument(
        "--engine",
        dest="llm",
        metavar="ENGINE",
        help="answer with built-in, or a language model such as ollama/llama3.2 (QA_LLM)",
    )
    options.add_argument("--llm-url", metavar="URL", help="use this model server (QA_LLM_URL)")
    options.add_argument(
        "--llm-key",
        metavar="KEY",
        help="use this key; other users of the machine can see flags, so prefer QA_LLM_KEY",
    )
    options.add_argument(
        "--llm-context", metavar="TOKENS", help="set the model's context size (QA_LLM_CONTEXT)"
    )
    options.add_argument(
        "--llm-timeout",
        metavar="SECONDS",
        help="stop waiting after this long without a word (QA_LLM_TIMEOUT)",
    )
    options.add_argument(
        "--llm-total-timeout",
        metavar="SECONDS",
        help="stop an answer that takes longer than this as a whole (QA_LLM_TOTAL_TIMEOUT)",
    )
    options.add_argument(
        "--strict",
        action="store_const",
        const="1",
        help="leave out sentences that the documents do not support (QA_STRICT)",
    )
    return options
