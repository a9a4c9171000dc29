"""`python -m eval draft DOCUMENT`: proposes questions about a document, which a person accepts, mends or skips."""

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
KEYS = "[a]ccept  [m]end the question  mend the a[n]swer  [s]kip  [q]uit: "
SEPARATOR = " | "
"""Between accepted answers, where a person types several."""
Typed = Callable[[str, str], str]
"""Asks for a line: what is shown before it, and the text that it begins with. Raises EOFError when there is no more."""


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "draft", parents=[common], help="make questions: proposals to accept, mend or skip"
    )
    parser.add_argument("document", metavar="DOCUMENT", type=Path, help="the file to ask about")
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="the question file; default: DOCUMENT.questions.jsonl",
    )
    parser.add_argument(
        "--count",
        metavar="N",
        type=positive_integer,
        default=COUNT,
        help=f"proposals; default: {COUNT}",
    )
    parser.add_argument(
        "--engine", dest="llm", help="who proposes: built-in, or provider/model (QA_LLM)"
    )
    parser.add_argument(
        "--yes", action="store_true", help="accept, as kind draft, all that the reader confirms"
    )
    parser.set_defaults(command=_draft)


def _draft(options: argparse.Namespace) -> int:
    """Proposes, and appends what is accepted, at once. All that can be wrong with the arguments is told before."""
    from rich.console import Console

    from eval.draft import begun, new

    settings = Settings.from_environment(os.environ, llm=options.llm)
    document = _document(options.document)
    out = options.out or Path(f"{Path(document.name).stem}.questions.jsonl")
    asked = begun(out)
    dropped: Counter[str] = Counter()
    sitting = Sitting(document, out, asked)
    with _proposals(document, settings, asked, dropped) as proposals:
        chosen = new(proposals, asked)
        if options.yes:
            sitting.take(
                islice((one for one in chosen if one.answerable and not one.note), options.count)
            )
        else:
            sitting.review(islice(chosen, options.count), typed, Console(highlight=False))
    _tell(sitting, dropped)
    return 0


def _document(path: Path) -> "Document":
    documents = load_documents([path])
    if len(documents) != 1:
        raise DocumentError(f"{path} holds {len(documents)} documents. Give the one to ask about.")
    return documents[0]


@contextmanager
def _proposals(
    document: "Document", settings: Settings, asked: "Sequence[Question]", dropped: Counter[str]
) -> "Iterator[Iterator[Proposal]]":
    """Proposals by a language model where one is configured, else by rule and reader, and then what these leave."""
    from eval.draft import by_model, by_rule, unasked, with_near_misses
    from qa.llm.client import LlmSettings, language_model, model_host

    if settings.llm != BUILT_IN:
        chosen = LlmSettings.from_settings(settings)
        model = language_model(chosen)
        print(f"Passages of {document.name} go to {model_host(chosen)[0]}.", file=sys.stderr)
        yield with_near_misses(by_model(document, model, dropped, threading.Event()), document)
        return
    from qa.bot import Bot

    # A fresh index, whatever the environment says: never the person's own library, nor a shared server.
    with TemporaryDirectory() as home:
        bot = Bot.open(replace(settings, home=Path(home), index=None, chroma_url=None))
        bot.index.add(document)
        yield chain(with_near_misses(by_rule(document, bot), document), unasked(document, asked))


@dataclass(slots=True)
class Sitting:
    """What a person decides on, from one start to the next."""

    document: "Document"
    out: Path
    asked: "list[Question]"
    """Those that the file has."""
    proposed: int = 0
    accepted: int = 0
    known: set[str] = field(init=False)

    def __post_init__(self) -> None:
        from eval.check import normalized

        self.known = {normalized(question.question) for question in self.asked}

    def take(self, proposals: "Iterator[Proposal]") -> None:
        """Accepts them all, marked as what nobody has looked at."""
        from eval.draft import DRAFT

        for proposal in proposals:
            self.proposed += 1
            self._keep(proposal, DRAFT)

    def review(self, proposals: "Iterator[Proposal]", typed: Typed, console: "Console") -> None:
        """Asks about each; ends early where the person quits or nothing more is typed."""
        for proposal in proposals:
            self.proposed += 1
            try:
                if not self._decided(proposal, typed, console):
                    return
            except EOFError:
                console.print()
                return

    def _decided(self, proposal: "Proposal", typed: Typed, console: "Console") -> bool:
        """Whether to go on."""
        while True:
            _show(self.proposed, proposal, self.document, console)
            key = typed(KEYS, "").strip().casefold()[:1]
            if key == "m":
                proposal = replace(
                    proposal, question=_mended("Question: ", proposal.question, typed)
                )
            if (key == "n" or (key == "m" and not proposal.answers)) and proposal.answerable:
                proposal = replace(proposal, answers=_answers(proposal.answers, typed))
            if key == "a" and not (
                proposal.question and (proposal.answers or not proposal.answerable)
            ):
                console.print("Write the question and its answer first: m")
            elif key == "a" and self._keep(proposal):
                return True
            elif key == "a":
                console.print(
                    f"{self.out} has this question already: mend it, or skip it.", markup=False
                )
            elif key in ("s", "q"):
                return key == "s"

    def _keep(self, proposal: "Proposal", kind: str | None = None) -> bool:
        """Appends a proposal to the file; not where it is there already."""
        from eval.check import normalized
        from eval.draft import append, next_id

        if normalized(proposal.question) in self.known:
            return False
        question = proposal.as_question(self.document, next_id(self.document, self.asked), kind)
        append(self.out, question)
        self.asked.append(question)
        self.known.add(normalized(proposal.question))
        self.accepted += 1
        return True


def _mended(shown: str, text: str, typed: Typed) -> str:
    """What the person makes of a text; the same where they type nothing."""
    return " ".join(typed(shown, text).split()) or text


def _answers(answers: tuple[str, ...], typed: Typed) -> tuple[str, ...]:
    given = _mended(f"Answers, with “{SEPARATOR}” between: ", SEPARATOR.join(answers), typed)
    return tuple(one.strip() for one in given.split(SEPARATOR.strip()) if one.strip()) or answers


def _show(number: int, proposal: "Proposal", document: "Document", console: "Console") -> None:
    from rich.text import Text

    from eval.check import has_answer

    evidence = document.text[proposal.span.start : proposal.span.end]
    console.print()
    console.print(Text(f"{number}. {visible_line(proposal.question) or '…?'}", style="bold"))
    if proposal.answerable:
        outside = [answer for answer in proposal.answers if not has_answer(evidence, answer)]
        console.print(Text(f"Answer: {visible_line(SEPARATOR.join(proposal.answers))}"))
        for answer in outside:
            console.print(Text(f"“{visible_line(answer)}” is not in the evidence.", style="yellow"))
    else:
        console.print(Text("Not answered by the document: confirm that.", style="yellow"))
    if proposal.note:
        console.print(Text(visible_line(proposal.note), style="yellow"))
    console.print(_in_context(proposal, document))


def _in_context(proposal: "Proposal", document: "Document") -> "Text":
    """The evidence, or what a near miss is near to, with what stands around it."""
    from rich.text import Text

    start, end = proposal.span.start, proposal.span.end
    before = visible_line(document.text[max(0, start - CONTEXT) : start])
    after = visible_line(document.text[end:][:CONTEXT])
    if start > CONTEXT:
        before = f"… {before.partition(' ')[2]}"
    if end + CONTEXT < len(document.text):
        after = f"{after.rpartition(' ')[0]} …"
    text = Text(f"{before} ", style="dim")
    text.append(f"»{visible_line(document.text[start:end])}«", style="bold not dim")
    return text.append(f" {after}")


def typed(shown: str, text: str) -> str:
    """A line from the terminal that begins with a text, where the terminal can."""
    try:
        import readline  # not on every system
    except ImportError:
        return input(shown)
    readline.set_startup_hook(lambda: readline.insert_text(text))
    try:
        return input(shown)
    finally:
        readline.set_startup_hook(None)


def _tell(sitting: Sitting, dropped: Counter[str]) -> None:
    if dropped:
        told = ", ".join(f"{count} {reason}" for reason, count in dropped.most_common())
        print(
            f"Of what the language model wrote, {dropped.total()} left out: {told}.",
            file=sys.stderr,
        )
    if not sitting.proposed:
        print(
            "Nothing new could be proposed: the rules know English prose, or all is in the file.",
            file=sys.stderr,
        )
    print(f"{sitting.accepted} of {sitting.proposed} added to {sitting.out}.", file=sys.stderr)
    if sitting.asked:
        questions, document = quote(str(sitting.out)), quote(sitting.document.source)
        print(
            f"Look it over: python -m eval check {questions} --documents {document}",
            file=sys.stderr,
        )
