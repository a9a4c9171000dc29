"""`eval draft DOCUMENT`: proposes questions about a document, for a person to accept or skip."""

import argparse
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from eval.commands.shared import Commands, load_documents, positive_integer
from qa.config import BUILT_IN, Settings
from qa.errors import DocumentError
from qa.terminal import visible_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from eval.dataset import Question
    from eval.draft import Proposal
    from qa.types import Document

COUNT = 20
CONTEXT = 250
"""Characters shown before and after the evidence."""
KEYS = "[a]ccept  [m]odify the question  modify the a[n]swer  [s]kip  [q]uit: "
SEPARATOR = " | "
"""Between accepted answers, where a person types several."""
AskLine = Callable[[str, str], str]
"""Asks for a line: the prompt, and the text that the line begins with. May raise EOFError."""


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "draft", parents=[common], help="propose questions about a document, to accept or skip"
    )
    parser.add_argument("document", metavar="DOCUMENT", type=Path, help="the file to ask about")
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="the question file (default: DOCUMENT.questions.jsonl)",
    )
    parser.add_argument(
        "--count",
        metavar="N",
        type=positive_integer,
        default=COUNT,
        help=f"number of proposals (default: {COUNT})",
    )
    parser.add_argument(
        "--engine",
        dest="llm",
        help="what proposes: built-in, or a language model as provider/model (QA_LLM)",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="accept every answerable proposal without a note, as kind draft",
    )
    parser.set_defaults(command=_draft)


def _draft(options: argparse.Namespace) -> int:
    """Proposes questions, and appends each that is accepted at once. Checks the arguments first."""
    from rich.console import Console

    from eval.draft import existing_questions, without_duplicates

    # Everything that can be wrong is found before a model is loaded or asked.
    settings = Settings.from_environment(os.environ, llm=options.llm)
    document = _document(options.document)
    out = options.out or Path(f"{Path(document.name).stem}.questions.jsonl")
    questions = existing_questions(out)
    dropped: Counter[str] = Counter()
    review = Review(document, out, questions)

    with _proposals(document, settings, questions, dropped) as proposals:
        new_proposals = without_duplicates(proposals, questions)
        if options.yes:
            review.accept_all(new_proposals, options.count)
        else:
            console = Console(highlight=False)
            review.ask(islice(new_proposals, options.count), ask_line, console)
    _report(review, dropped)
    return 0


def _document(path: Path) -> "Document":
    documents = load_documents([path])
    if len(documents) != 1:
        raise DocumentError(
            f"{path} has {len(documents)} documents. Give the path of the document to ask about."
        )
    return documents[0]


@contextmanager
def _proposals(
    document: "Document",
    settings: Settings,
    questions: "Sequence[Question]",
    dropped: Counter[str],
) -> "Iterator[Iterator[Proposal]]":
    """Yields the proposals of the configured language model, or those by rule.

    After those by rule come the sentences that no question is about.
    """
    from eval.draft import by_model, by_rule, unasked
    from qa.llm.client import LlmSettings, language_model, model_server

    if settings.llm != BUILT_IN:
        llm_settings = LlmSettings.from_settings(settings)
        model = language_model(llm_settings)
        host = model_server(llm_settings).host
        print(f"Passages of {document.name} go to {host}.", file=sys.stderr)
        # Nothing sets the event: Ctrl+C ends the command.
        never = threading.Event()
        yield by_model(document, model, dropped, never)
        return

    from qa.bot import Bot

    # An index of its own: never the person's library, nor a shared server.
    with TemporaryDirectory() as home:
        bot = Bot.open(replace(settings, home=Path(home), index=None, chroma_url=None))
        bot.index.add(document)
        yield chain(by_rule(document, bot), unasked(document, questions))


@dataclass(slots=True)
class Review:
    """The proposals that a person decides on, and the file that the accepted ones go to."""

    document: "Document"
    out: Path
    questions: "list[Question]"
    """The questions of the file."""
    proposed: int = 0
    accepted: int = 0
    known: set[str] = field(init=False)
    """The words of these questions."""

    def __post_init__(self) -> None:
        from eval.check import normalized

        self.known = {normalized(question.question) for question in self.questions}

    def accept_all(self, proposals: "Iterator[Proposal]", count: int) -> None:
        """Accepts up to `count` answerable proposals without a note, marked as drafts.

        Only a person can confirm that a document does not answer a question.
        """
        from eval.draft import DRAFT

        for proposal in proposals:
            if not proposal.answerable or proposal.note:
                continue
            self.proposed += 1
            self._accept(proposal, DRAFT)
            # At once: to look for another proposal may ask the language model again.
            if self.proposed == count:
                return

    def ask(self, proposals: "Iterator[Proposal]", ask_line: AskLine, console: "Console") -> None:
        """Asks about each proposal, until the person quits or the input ends."""
        for proposal in proposals:
            self.proposed += 1
            try:
                if not self._decide(proposal, ask_line, console):
                    return
            except EOFError:
                console.print()
                return

    def _decide(self, proposal: "Proposal", ask_line: AskLine, console: "Console") -> bool:
        """Asks until the proposal is accepted or skipped. Returns False when the person quits."""
        while True:
            _show(self.proposed, proposal, self.document, console)
            key = ask_line(KEYS, "").strip().casefold()[:1]
            if key in ("s", "q"):
                return key == "s"

            if key == "m":
                question = _edited("Question: ", proposal.question, ask_line)
                proposal = replace(proposal, question=question)
            needs_answer = key == "m" and not proposal.answers
            if proposal.answerable and (key == "n" or needs_answer):
                proposal = replace(proposal, answers=_edited_answers(proposal.answers, ask_line))

            complete = proposal.question and (proposal.answers or not proposal.answerable)
            if key == "a" and not complete:
                console.print("Write the question and its answer first: m")
            elif key == "a" and self._accept(proposal):
                return True
            elif key == "a":
                console.print(
                    f"{self.out} has this question already. Modify it, or skip it.", markup=False
                )

    def _accept(self, proposal: "Proposal", kind: str | None = None) -> bool:
        """Appends a proposal to the file. Returns False when the file has the question already."""
        from eval.check import normalized
        from eval.draft import append, next_id

        words = normalized(proposal.question)
        if words in self.known:
            return False
        key = next_id(self.document, self.questions)
        question = proposal.as_question(self.document, key, kind)
        append(self.out, question)
        self.questions.append(question)
        self.known.add(words)
        self.accepted += 1
        return True


def _edited(prompt: str, text: str, ask_line: AskLine) -> str:
    """Returns the text as the person edits it; unchanged when nothing is typed."""
    return " ".join(ask_line(prompt, text).split()) or text


def _edited_answers(answers: tuple[str, ...], ask_line: AskLine) -> tuple[str, ...]:
    prompt = f"Answers, separated by “{SEPARATOR}”: "
    line = _edited(prompt, SEPARATOR.join(answers), ask_line)
    parts = [part.strip() for part in line.split(SEPARATOR.strip())]
    return tuple(part for part in parts if part) or answers


def _show(number: int, proposal: "Proposal", document: "Document", console: "Console") -> None:
    from rich.text import Text

    from eval.check import has_answer

    evidence = document.text[proposal.span.start : proposal.span.end]
    console.print()
    console.print(Text(f"{number}. {visible_line(proposal.question) or '…?'}", style="bold"))
    if proposal.answerable:
        console.print(Text(f"Answer: {visible_line(SEPARATOR.join(proposal.answers))}"))
        for answer in proposal.answers:
            if not has_answer(evidence, answer):
                warning = f"“{visible_line(answer)}” is not in the evidence."
                console.print(Text(warning, style="yellow"))
    else:
        warning = "Unanswerable: check that the document does not answer it."
        console.print(Text(warning, style="yellow"))
    if proposal.note:
        console.print(Text(visible_line(proposal.note), style="yellow"))
    console.print(_in_context(proposal, document))


def _in_context(proposal: "Proposal", document: "Document") -> "Text":
    """Returns the proposal's span with the text around it."""
    from rich.text import Text

    start, end = proposal.span.start, proposal.span.end
    before = visible_line(document.text[max(0, start - CONTEXT) : start])
    after = visible_line(document.text[end:][:CONTEXT])
    # Text that is cut is cut between words.
    if start > CONTEXT:
        before = f"… {before.partition(' ')[2]}"
    if end + CONTEXT < len(document.text):
        after = f"{after.rpartition(' ')[0]} …"

    text = Text(f"{before} ", style="dim")
    text.append(f"»{visible_line(document.text[start:end])}«", style="bold not dim")
    return text.append(f" {after}")


def ask_line(prompt: str, text: str) -> str:
    """Returns a line from the terminal, which begins with a text where the terminal supports it."""
    try:
        import readline  # not on every system
    except ImportError:
        return input(prompt)
    readline.set_startup_hook(lambda: readline.insert_text(text))
    try:
        return input(prompt)
    finally:
        readline.set_startup_hook(None)


def _report(review: Review, dropped: Counter[str]) -> None:
    if dropped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.most_common())
        print(f"Left out of the language model's lines: {reasons}.", file=sys.stderr)
    # Nothing proposed looks like a fault of the command, and usually is not.
    if not review.proposed:
        print(
            "Found nothing new to propose: the templates make questions of English prose only, "
            "or the file has every question.",
            file=sys.stderr,
        )
    print(
        f"Added {review.accepted} of {review.proposed} proposals to {review.out}.", file=sys.stderr
    )
    if review.questions:
        questions, document = quote(str(review.out)), quote(review.document.source)
        print(
            f"Check the file: footnote eval check {questions} --documents {document}",
            file=sys.stderr,
        )
