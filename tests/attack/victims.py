"""What the processes do that `kills` kills, and what must hold after each kill.

Every text follows from the name and the revision of its document, so that each citation can be
checked against the text that was added, whatever the library holds by now.
"""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event
from typing import Any, Literal

from qa import types
from qa.bot import Bot
from qa.config import Settings
from qa.documents.load import from_bytes
from qa.documents.passages import split
from qa.documents.sentences import segment
from qa.library.index import Index
from qa.library.snapshot import Snapshot
from qa.library.writing import Addition
from qa.types import Answer, Citation, Document, Turn, digest
from tests.qa.fakes import OverlapReader, WordEmbedder
from ui.chat.history import FILE, Exchange, History
from ui.chat.transcript import OUTCOME, AnswerOptions, ExchangeOutcome
from ui.chat.worker import AnswerQueue, PendingAnswer
from ui.library.worker import JobQueue

PHASES = (
    "idle",
    "embedding",
    "writing passages",
    "removing",
    "rebuilding",
    "writing a question",
    "answering",
    "writing an outcome",
    "rating, renaming, deleting",
)
NAMES = tuple(f"bridge{letter}.txt" for letter in "ABCDEF")
PARAGRAPHS = (1, 5, 20)
MANY_PARAGRAPHS = 280
"""About one passage each: such a document is written in two batches."""
MANY_EVERY = 10
"""Of so many revisions one has many paragraphs."""
CONVERSATIONS = ("first", "second", "third")
OWNER = "somebody"
WAITING = 4
"""Questions that wait at the same time."""
SOON = 60.0
Kind = Literal["library", "rebuild", "history", "models"]
Phase = Any
"""A shared integer: the place in PHASES of what the process does now."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a process reports, before it does something and after it has done it."""

    what: Literal["change", "changed", "ask", "asked", "settled", "delete", "deleted"]
    subject: str
    """The document; of a question, the conversation; of an outcome, the exchange."""
    content: str = ""
    """The revision as digits, empty for a removed document; the question."""


@dataclass(slots=True)
class Ledger:
    """What must be there after a kill, from the reports of all processes so far."""

    documents: dict[str, set[str]] = field(default_factory=dict)
    """By name: the revisions that may be there; an empty text: the document may be absent."""
    questions: dict[str, list[str]] = field(default_factory=dict)
    """By conversation: the questions that must be there, in order."""
    under_way: tuple[str, str] | None = None
    """Conversation and question of a question that may be there."""
    deleting: str | None = None
    """A conversation that may be there, whole."""
    settled: set[str] = field(default_factory=set)
    """The exchanges that must have an outcome."""
    outcomes: dict[str, str] = field(default_factory=dict)
    """By exchange: a digest of the outcome that was seen. It must not change."""

    def note(self, step: Step) -> None:
        """Takes over a report."""
        match step.what:
            case "change":
                self.documents.setdefault(step.subject, {""}).add(step.content)
            case "changed":
                self.documents[step.subject] = {step.content}
            case "ask":
                self.under_way = (step.subject, step.content)
            case "asked":
                self.under_way = None
                self.questions.setdefault(step.subject, []).append(step.content)
            case "settled":
                self.settled.add(step.subject)
            case "delete":
                self.deleting = step.subject
            case "deleted":
                self.deleting = None
                self.questions.pop(step.subject, None)


@dataclass(slots=True)
class Finding:
    """What a check found."""

    problems: list[str] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    """By name: the revision."""
    questions: dict[str, list[str]] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    citations: int = 0


def text_of(name: str, revision: int) -> str:
    """Returns the text of a document; its first line, the title, ends with the revision."""
    rng = random.Random(f"{name}/{revision}")
    place = name.removesuffix(".txt")
    lines = [f"Report about {place} revision {revision}"]
    paragraphs = MANY_PARAGRAPHS if revision % MANY_EVERY == 0 else rng.choice(PARAGRAPHS)
    for number in range(paragraphs):
        cost = rng.randrange(1_000)
        lines.append(
            f"The {place} number {number} cost {cost} million euros in revision {revision}. "
            f"The mayor of town {number} opened it. {'It is long and it is red. ' * 20}"
        )
    return "\n\n".join(lines)


def document_of(name: str, revision: int) -> Document:
    return from_bytes(name, text_of(name, revision).encode())


def load_modules() -> None:
    """Does once what is slow the first time, before processes are forked."""
    document = document_of(NAMES[0], 1)
    split(document, segment(document), WordEmbedder().count_tokens)


def open_bot(home: Path, models: bool) -> Bot:
    """Returns a bot with the packaged models, or with fakes that need no time to load."""
    settings = Settings(home=home, threshold=0.0)
    if models:
        return Bot.open(settings)
    embedder = WordEmbedder()
    return Bot(Index(settings.store, embedder), embedder, OverlapReader(), settings)


# What the processes do, until they are killed.


def run_victim(kind: Kind, home: Path, seed: int, phase: Phase, wire: Connection) -> None:
    """Works until the process is killed."""
    rng = random.Random(seed)
    if kind == "rebuild":
        rebuild(home, phase, wire)
    elif kind == "library":
        change_library(home, rng, phase, wire)
    else:
        converse(home, rng, phase, wire, models=kind == "models")


def change_library(home: Path, rng: random.Random, phase: Phase, wire: Connection) -> None:
    """Adds, replaces, removes and embeds documents again."""
    index = open_bot(home, models=False).index

    def on_progress(done: int, total: int) -> None:
        _set(phase, "writing passages" if done == total else "embedding")

    for revision in count(rng.randrange(1_000_000)):
        name = rng.choice(NAMES)
        known = {document.name for document in index.documents()}
        choice = rng.random()
        if name in known and choice < 0.3:
            wire.send(Step("change", name))
            _set(phase, "removing")
            index.remove(name)
            wire.send(Step("changed", name))
        elif name in known and choice < 0.4:
            index.embed_again(name, on_progress)
        else:
            # One document, or several in one commit.
            names = sorted({name, *rng.sample(NAMES, rng.randrange(3))})
            for changed in names:
                wire.send(Step("change", changed, str(revision)))
            additions = [Addition(document_of(changed, revision)) for changed in names]
            index.add_all(additions, on_progress)
            for changed in names:
                wire.send(Step("changed", changed, str(revision)))
        _set(phase, "idle")


def rebuild(home: Path, phase: Phase, wire: Connection) -> None:
    """Builds the library again and again."""
    path = Settings(home=home).store
    while True:
        _set(phase, "rebuilding")
        Index.rebuild(path, WordEmbedder())


def converse(home: Path, rng: random.Random, phase: Phase, wire: Connection, models: bool) -> None:
    """Asks, rates, renames and deletes, as the page does, while files are added."""
    bot = open_bot(home, models)
    history = WatchedHistory(home, phase)

    def answer(
        question: str,
        turns: Sequence[Turn],
        options: AnswerOptions,
        on_event: types.OnEvent,
        stop: Event,
    ) -> tuple[Answer, float]:
        _set(phase, "answering")
        return bot.ask(question, turns, on_event, options.documents, stop=stop), 0.0

    queue = AnswerQueue(history, answer)
    jobs = JobQueue(lambda: bot.index, queue.busy)
    _add_file(jobs, rng, wire, patient=True)
    waiting = _ask_again(queue, history)
    for serial in count(rng.randrange(1_000_000_000)):
        conversation = rng.choice(CONVERSATIONS)
        question = f"What did the {rng.choice(NAMES)[:-4]} number {serial % 7} cost in {serial}?"
        wire.send(Step("ask", conversation, question))
        pending = queue.ask(conversation, OWNER, question, AnswerOptions())
        if pending is None:
            raise AssertionError("the question was not accepted")
        wire.send(Step("asked", conversation, question))
        waiting.append(pending)
        if len(waiting) >= rng.randint(1, WAITING):
            _wait(waiting, wire)
            _disturb(history, rng, phase, wire)
        if rng.random() < 0.2:
            _add_file(jobs, rng, wire, patient=False)


class WatchedHistory(History):
    """A history whose writes are seen from outside."""

    def __init__(self, home: Path, phase: Phase) -> None:
        super().__init__(home)
        self._phase = phase

    def ask(
        self, conversation: str, owner: str, question: str, options: AnswerOptions
    ) -> Exchange | None:
        _set(self._phase, "writing a question")
        exchange = super().ask(conversation, owner, question, options)
        _set(self._phase, "idle")
        return exchange

    def settle(self, exchange: str, outcome: ExchangeOutcome | None) -> None:
        _set(self._phase, "writing an outcome")
        super().settle(exchange, outcome)
        _set(self._phase, "idle")


def _ask_again(queue: AnswerQueue, history: History) -> list[PendingAnswer]:
    """Asks the questions again whose answers the last kill interrupted, as a person would."""
    waiting = []
    for conversation in CONVERSATIONS:
        for exchange in history.exchanges(conversation, OWNER):
            if exchange.outcome is None:
                pending = queue.ask_again(conversation, OWNER, exchange)
                waiting += [pending] if pending else []
    return waiting


def _wait(waiting: list[PendingAnswer], wire: Connection) -> None:
    for pending in waiting:
        if not pending.done.wait(SOON):
            raise AssertionError("a question was not answered")
        wire.send(Step("settled", pending.exchange.id))
    waiting.clear()


def _disturb(history: History, rng: random.Random, phase: Phase, wire: Connection) -> None:
    """Rates, renames or deletes; no question of these conversations is being answered."""
    conversation = rng.choice(CONVERSATIONS)
    exchanges = history.exchanges(conversation, OWNER)
    choice = rng.random()
    _set(phase, "rating, renaming, deleting")
    if exchanges and choice < 0.3:
        history.rate(rng.choice(exchanges).id, rng.choice(("good", "bad", None)))
    elif choice < 0.6:
        history.rename(conversation, OWNER, f"Title {rng.randrange(100)}")
    elif len(exchanges) > 20:
        wire.send(Step("delete", conversation))
        history.delete(conversation, OWNER)
        wire.send(Step("deleted", conversation))
    _set(phase, "idle")


def _add_file(jobs: JobQueue, rng: random.Random, wire: Connection, patient: bool) -> None:
    """Adds a file as the page does; its job may still be running when the process is killed."""
    if any(job.active for job in jobs.jobs()):
        return
    name, revision = rng.choice(NAMES), rng.randrange(1_000_000)
    wire.send(Step("change", name, str(revision)))
    job = jobs.submit(name, text_of(name, revision).encode(), OWNER)
    while patient and any(known.active for known in jobs.jobs() if known.id == job.id):
        Event().wait(0.01)


def _set(phase: Phase, name: str) -> None:
    phase.value = PHASES.index(name)


# What must hold after a kill.


def check(kind: Kind, home: Path, ledger: Ledger, wire: Connection) -> None:
    """Sends a Finding."""
    finding = Finding()
    try:
        check_library(home, ledger, finding, models=kind == "models")
        if kind in ("history", "models"):
            check_history(home, ledger, finding)
    except Exception as error:  # noqa: BLE001 - what fails after a kill is what is looked for
        finding.problems.append(f"{type(error).__name__}: {error}")
    wire.send(finding)


def check_library(home: Path, ledger: Ledger, finding: Finding, models: bool) -> None:
    """Every document is whole, and as it was before or after its change."""
    # Two of one folder, as two parts of a program may open it: both must see all of it.
    for _ in range(2):
        if models:
            # The passages are read without the models, which would take seconds to load.
            _check_documents(Index(Settings(home=home).store).snapshot(), finding)
        else:
            bot = open_bot(home, models=False)
            snapshot = bot.index.snapshot()
            _check_documents(snapshot, finding)
            _check_answers(bot, snapshot, finding)

    for name, revisions in ledger.documents.items():
        if finding.documents.get(name, "") not in revisions:
            problem = f"{name} has revision {finding.documents.get(name)!r}, not of {revisions}"
            finding.problems.append(problem)


def _check_documents(snapshot: Snapshot, finding: Finding) -> None:
    """Texts, passages and sentences are those of the revisions that the titles name."""
    for stored in snapshot.stored_documents():
        document = stored.document
        revision = document.title.rsplit(" ", 1)[1]
        finding.documents[document.name] = revision
        if document.text != text_of(document.name, int(revision)):
            finding.problems.append(f"{document.name} is not the text that was added")
        ends = [0, *(passage.span.end for passage in stored.passages)]
        starts = [*(passage.span.start for passage in stored.passages), len(document.text)]
        if ends != starts:
            finding.problems.append(f"the passages of {document.name} have a gap or overlap")
        if list(stored.sentences) != list(segment(document)):
            finding.problems.append(f"the sentences of {document.name} are not those of its text")


def _check_answers(bot: Bot, snapshot: Snapshot, finding: Finding) -> None:
    """The first, the middle and the last paragraph of each document are found, and cited exactly.

    The answer itself may come from another paragraph: with two long documents the reciprocal ranks
    of others are higher.
    """
    embedder = WordEmbedder()
    for stored in snapshot.stored_documents():
        document = stored.document
        place = document.name.removesuffix(".txt")
        paragraphs = document.text.count("number")
        for number in {0, paragraphs // 2, paragraphs - 1}:
            question = f"What did the {place} number {number} cost?"
            answer = bot.ask(question)
            citations = [one for sentence in answer.sentences for one in sentence.citations]
            _check_citations(citations, finding)

            start = document.text.index(f"The {place} number {number} cost")
            passage = stored.passage_at(start)
            by_words = snapshot.find_by_words(question, 5)
            if passage.id not in {hit.passage for hit in by_words}:
                finding.problems.append(f"the words of a passage of {document.name} are not found")
            vector = embedder.encode([snapshot.embedded_text(passage)])[0].vector
            by_meaning = bot.index.nearest(vector, 50)
            if passage.id not in {hit.passage for hit in by_meaning}:
                finding.problems.append(f"the vector of a passage of {document.name} is not found")


def check_history(home: Path, ledger: Ledger, finding: Finding) -> None:
    """Each question is there once, in order, with one whole outcome or none."""
    with closing(sqlite3.connect(home / FILE)) as db:
        for pragma in ("integrity_check", "foreign_key_check"):
            rows = db.execute(f"PRAGMA {pragma}").fetchall()
            if rows not in ([("ok",)], []):
                finding.problems.append(f"{pragma}: {rows}")

    history = History(home)
    for conversation in CONVERSATIONS:
        exchanges = history.exchanges(conversation, OWNER)
        questions = [exchange.question for exchange in exchanges]
        finding.questions[conversation] = questions
        if not _questions_as_expected(conversation, questions, ledger):
            finding.problems.append(f"the questions of {conversation} differ from those asked")
        for exchange in exchanges:
            _check_outcome(exchange, ledger, finding)


def _questions_as_expected(conversation: str, questions: list[str], ledger: Ledger) -> bool:
    expected = ledger.questions.get(conversation, [])
    possible = [expected]
    if ledger.deleting == conversation:
        possible.append([])
    if ledger.under_way and ledger.under_way[0] == conversation:
        possible.append([*expected, ledger.under_way[1]])
    return questions in possible


def _check_outcome(exchange: Exchange, ledger: Ledger, finding: Finding) -> None:
    outcome = exchange.outcome
    if outcome is None:
        if exchange.id in ledger.settled:
            finding.problems.append(f"the outcome of {exchange.question!r} is lost")
        return

    stored = digest(OUTCOME.dump_json(outcome, by_alias=True).decode())
    finding.outcomes[exchange.id] = stored
    if ledger.outcomes.get(exchange.id, stored) != stored:
        finding.problems.append(f"{exchange.question!r} was answered twice")
    if outcome.answer is None:
        reason = outcome.failure.message if outcome.failure else "neither answer nor failure"
        finding.problems.append(f"{exchange.question!r} has no answer: {reason}")
        return
    for sentence in outcome.answer.sentences:
        _check_citations(sentence.citations, finding)


def _check_citations(citations: Sequence[Citation], finding: Finding) -> None:
    """Each quote is what stands at its offsets in the revision that its title names."""
    for citation in citations:
        finding.citations += 1
        text = text_of(citation.document, int(citation.title.rsplit(" ", 1)[1]))
        if text[citation.start : citation.end] != citation.quote:
            finding.problems.append(f"a citation of {citation.document} is not exact")
