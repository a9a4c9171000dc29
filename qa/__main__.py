"""The command line: `python -m qa ask | add | list | remove | rebuild | chat`."""

import argparse
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from getpass import getpass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from qa.config import BUILT_IN, Settings, share_processors
from qa.errors import BrokenError, DocumentError, FootnoteError, LanguageModelError, ModelError
from qa.terminal import visible

if TYPE_CHECKING:
    from qa.bot import Bot
    from qa.types import Answer, Citation

USAGE = FootnoteError.exit_code
DOUBTS = {"weak": " (weakly supported)", "unsupported": " (not supported by the documents)"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Exit codes: 0 fine, 2 bad usage or bad data, 3 something broke."""
    options = _parser().parse_args(arguments)
    share_processors()
    _log_to_stderr(logging.INFO if options.verbose else logging.ERROR)
    run: Callable[[argparse.Namespace, Settings], int] = options.run
    try:
        return run(options, _settings(options))
    except FootnoteError as error:
        return _complain(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output wants no more; else Python would complain of it once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # told in full, with its traceback
        # Python itself would exit with 1, which here says that a comparison failed.
        logging.getLogger("qa").exception("footnote: this should not have happened.")
        return BrokenError.exit_code


def _ask(options: argparse.Namespace, settings: Settings) -> int:
    from qa.bot import Bot

    question, paths = _question_and_paths(options)
    bot = Bot.open(settings)
    names = None
    if paths:
        names, failures = _add_all(bot, paths)
        if failures:
            return failures
    try:
        answer = bot.ask(question, documents=names)
    except LanguageModelError as error:
        if error.streamed:
            print(
                visible(f"Written before it failed, unchecked: {error.streamed}"), file=sys.stderr
            )
        raise
    print(
        json.dumps(answer.as_json(), ensure_ascii=False)
        if options.json
        else visible(_as_text(answer))
    )
    return 0


def _question_and_paths(options: argparse.Namespace) -> tuple[str, list[Path]]:
    """`--documents A B QUESTION` takes the question for one more document: the last word of all is the question."""
    words: list[str] = [
        *(options.documents or ()),
        *([options.question] if options.question is not None else ()),
    ]
    if not words or (options.question is None and len(words) < 2):
        raise FootnoteError(
            'There is no question. Put it last: python -m qa ask "What did it cost?"'
        )
    if any("\ud800" <= letter <= "\udfff" for letter in words[-1]):
        raise FootnoteError("The question is not UTF-8. Type it again.")
    return words[-1], [Path(word) for word in words[:-1]]


def _add(options: argparse.Namespace, settings: Settings) -> int:
    from qa.bot import Bot

    _, failures = _add_all(Bot.open(replace(settings, llm=BUILT_IN)), options.paths, tell=print)
    return failures


def _list(_: argparse.Namespace, settings: Settings) -> int:
    from qa.library.index import Index

    for document in Index(settings.store).documents():
        print(visible(f"{document.name}\t{document.title}\t{len(document.text)} characters"))
    return 0


def _remove(options: argparse.Namespace, settings: Settings) -> int:
    from qa.library.index import Index

    if not Index(settings.store).remove(options.name):
        raise DocumentError(
            f"No document is called {options.name}. See the names: python -m qa list"
        )
    print(f"removed {options.name}")
    return 0


def _rebuild(_: argparse.Namespace, settings: Settings) -> int:
    from qa.library.index import Index
    from qa.models.embedding import SentenceTransformerEmbedder

    count = Index.rebuild(settings.store, SentenceTransformerEmbedder(settings.embedding))
    print(f"rebuilt the index of {count} documents")
    return 0


def _user(options: argparse.Namespace, settings: Settings) -> int:
    """Who may use the page."""
    from qa.users import Users

    users = Users(settings.home)
    if options.action == "list":
        for name in users.names():
            print(visible(name))
    elif not options.name:
        raise FootnoteError(f"Whom? python -m qa user {options.action} NAME")
    elif options.action == "add":
        users.add(options.name, _password())
        print(visible(f"{options.name} can log in now"))
    elif not users.remove(options.name):
        raise FootnoteError(
            f"No user is called {options.name}. See the names: python -m qa user list"
        )
    else:
        print(visible(f"removed {options.name}"))
    return 0


def _password() -> str:
    """Asked for twice in a terminal; else a line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password: ")
    if password != getpass("Again: "):
        raise FootnoteError("The two passwords differ. Nothing was changed.")
    return password


def _chat(options: argparse.Namespace, settings: Settings) -> int:
    """Starts the page. It finds its settings in the environment."""
    page = find_spec("ui.app")
    if page is None or page.origin is None:
        raise ModelError(
            "The page is not installed. Install the project: pip install -c constraints.txt -e ."
        )
    told = {key: getattr(settings, key) for key in settings.__slots__}
    environ = {f"QA_{key.upper()}": str(value) for key, value in told.items() if value is not None}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        page.origin,
        f"--server.port={options.port}",
    ]
    if options.address:
        command.append(f"--server.address={options.address}")
    if options.headless:
        command.append("--server.headless=true")
    folder = Path(page.origin).parent.parent
    environment = {**os.environ, **environ}
    page_process = subprocess.run(command, check=False, cwd=folder, env=environment)  # noqa: S603  # fixed words
    return page_process.returncode


def _add_all(
    bot: "Bot", paths: Sequence[Path], tell: Callable[[str], None] = lambda _: None
) -> tuple[list[str], int]:
    """Adds what can be read, complains of the rest; gives the documents' names and the exit code."""
    from qa.documents.load import load

    loaded = load(paths)
    names = []
    for document in loaded.documents:
        added = bot.index.add(document)
        tell(visible(f"{added.outcome} {added.name}"))
        names.append(added.name)
    for failure in loaded.failures:
        _complain(failure)
    return names, USAGE if loaded.failures else 0


def _as_text(answer: "Answer") -> str:
    """The answer with numbered marks, and below it what each stands for."""
    citations = [citation for sentence in answer.sentences for citation in sentence.citations]
    numbers = {
        citation: number for number, citation in enumerate(dict.fromkeys(citations), start=1)
    }
    lines = []
    if answer.standalone_question != answer.question:
        lines.append(f"Understood as: {answer.standalone_question}\n")
    lines += [f"Note: {notice}\n" for notice in answer.notices]
    if answer.abstained:
        return "\n".join([*lines, answer.text])
    marked = (
        s.text + "".join(f"[{numbers[c]}]" for c in s.citations) + DOUBTS.get(s.support, "")
        for s in answer.sentences
    )
    notes = [f"[{n}] {c.title} ({_place(c)}): “{c.quote}”" for c, n in numbers.items()]
    return "\n".join([*lines, " ".join(marked), "", *notes])


def _place(citation: "Citation") -> str:
    page = f"page {citation.page}, " if citation.page else ""
    return f"{citation.document}, {page}characters {citation.start}-{citation.end}"


def _log_to_stderr(level: int) -> None:
    """The level is the handler's: bm25s sets its own logger to debug when it is imported."""
    handler = logging.StreamHandler()
    handler.setLevel(level)
    logging.basicConfig(handlers=[handler], level=level)


def _settings(options: argparse.Namespace) -> Settings:
    flags = {field.name: getattr(options, field.name, None) for field in fields(Settings)}
    return Settings.from_environment(os.environ, **flags)


def _complain(error: FootnoteError) -> int:
    print(visible(f"footnote: {error}"), file=sys.stderr)
    return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m qa",
        description="Ask your documents. Every sentence of the answer carries a footnote that you can check.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--home", metavar="DIR", help="where the library is kept (QA_HOME)")
    common.add_argument(
        "--index", metavar="DIR", help="the index's folder, if not below home (QA_INDEX)"
    )
    common.add_argument(
        "--embedding", metavar="MODEL", help="a sentence-transformers model (QA_EMBEDDING)"
    )
    common.add_argument(
        "--reader", metavar="MODEL", help="an extractive question-answering model (QA_READER)"
    )
    common.add_argument("--chroma-url", metavar="URL", help="a Chroma server (QA_CHROMA_URL)")
    common.add_argument("--verbose", action="store_true", help="log to standard error")
    asking = argparse.ArgumentParser(add_help=False, parents=[common])
    asking.add_argument("--top-k", help="passages to read (QA_TOP_K)")
    asking.add_argument("--threshold", help="confidence under which to refuse (QA_THRESHOLD)")
    asking.add_argument(
        "--engine",
        dest="llm",
        metavar="ENGINE",
        help="built-in, or a language model: ollama/MODEL, … (QA_LLM)",
    )
    asking.add_argument("--llm-url", metavar="URL", help="the language model's server (QA_LLM_URL)")
    asking.add_argument(
        "--llm-key", metavar="KEY", help="its key; others see a flag: better set QA_LLM_KEY"
    )
    asking.add_argument(
        "--llm-context", metavar="TOKENS", help="what it takes, if it does not say (QA_LLM_CONTEXT)"
    )
    asking.add_argument(
        "--llm-timeout", metavar="SECONDS", help="how long to wait for a word (QA_LLM_TIMEOUT)"
    )
    asking.add_argument(
        "--strict",
        action="store_const",
        const="1",
        help="leave out what is not supported (QA_STRICT)",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", parents=[asking], help="answer one question")
    ask.add_argument("question", nargs="?")
    ask.add_argument(
        "--json", action="store_true", help="print the whole answer as one JSON object"
    )
    ask.add_argument(
        "--documents", metavar="PATH", nargs="+", action="extend", help="ask these only"
    )
    ask.set_defaults(run=_ask)

    add = commands.add_parser("add", parents=[common], help="add files and folders to the library")
    add.add_argument("paths", metavar="PATH", type=Path, nargs="+")
    add.set_defaults(run=_add)
    commands.add_parser("list", parents=[common], help="list the library").set_defaults(run=_list)
    remove = commands.add_parser("remove", parents=[common], help="remove a document by its name")
    remove.add_argument("name")
    remove.set_defaults(run=_remove)
    rebuild = commands.add_parser(
        "rebuild", parents=[common], help="embed the library anew, for other settings"
    )
    rebuild.set_defaults(run=_rebuild)
    user = commands.add_parser(
        "user", parents=[common], help="who may use the page from other machines"
    )
    user.add_argument("action", choices=("add", "remove", "list"))
    user.add_argument("name", nargs="?")
    user.set_defaults(run=_user)
    chat = commands.add_parser("chat", parents=[asking], help="open the chat in a browser")
    chat.add_argument("--port", default="8501")
    chat.add_argument(
        "--address", help="where to listen (default: this machine only); see python -m qa user"
    )
    chat.add_argument("--headless", action="store_true", help="start the server, open no browser")
    chat.set_defaults(run=_chat)
    return parser


if __name__ == "__main__":
    sys.exit(main())
