"""The process that reads hostile inputs, as the process of the page does."""

import os
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event
from typing import Literal

from qa import types
from qa.bot import Bot
from qa.config import Settings, share_processors
from qa.documents.load import load
from qa.errors import DocumentError, FootnoteError
from qa.terminal import visible
from qa.types import Answer, Turn
from ui.chat.export import as_json, as_markdown
from ui.chat.history import Exchange, History
from ui.chat.render import answer_html, failure_html, question_html
from ui.chat.transcript import AnswerOptions, StoredAnswer
from ui.chat.worker import AnswerQueue
from ui.library.worker import Job, JobQueue

Group = Literal["file", "path", "text", "question"]
Outcome = Literal["added", "answer", "refusal", "error", "RAW ERROR"]
OWNER = "somebody"
ENOUGH = 128
"""Embedded passages after which a long document is cancelled: its progress is steady then."""
MAX_MESSAGE = 600
"""Characters of a message that a person can still read."""
UNEXPECTED = "The log in the terminal shows where."
"""The page's words for an error that nobody expected."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input. `content`: a file's bytes, a question, or a path."""

    group: Group
    name: str
    content: str | bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an input."""

    outcome: Outcome
    words: str = ""
    stretch: float = 0.0
    """Seconds of processor time of the longest stretch without news for the person."""


def serve(home: Path, seeds: Path, wire: Connection) -> None:
    """Opens the library, then answers each case with a result, until the other end closes."""
    share_processors()
    target = _Target(home)
    for document in load([seeds]).documents:
        target.bot.index.add(document)
    target.ask("How many participants attended the forum?", None)
    wire.send(Result("added", "ready"))
    while True:
        try:
            case: Case = wire.recv()
        except EOFError:
            return
        try:
            result = target.handle(case)
        except FootnoteError as error:
            result = _judged(str(error))
        except Exception:  # noqa: BLE001 - an error that nobody caught is what is looked for
            result = Result("RAW ERROR", traceback.format_exc(limit=-2))
        wire.send(result)


class _Target:
    """The page's workers over a library with the packaged models, without the page."""

    def __init__(self, home: Path) -> None:
        self.bot = Bot.open(Settings(home=home))
        self._history = History(home)
        self._queue = AnswerQueue(self._history, self._answer)
        self._jobs = JobQueue(lambda: self.bot.index, self._queue.busy)
        self._serial = 0

    def handle(self, case: Case) -> Result:
        """Reads one input, and takes it out of the library again."""
        if case.group == "question":
            return self.ask(str(case.content), None)
        if case.group == "path":
            return self._add_path(Path(str(case.content)))
        data = case.content if isinstance(case.content, bytes) else case.content.encode()
        meter = _Meter()
        job = self._add_upload(case.name, data, meter)
        result = Result("added")
        if job.state == "failed":
            result = _judged(job.reason)
        elif job.state == "cancelled":
            result = Result("added", f"cancelled after {job.done} of {job.total} passages")
        else:
            if case.group == "text":
                result = self.ask("How much did the bridge cost?", (job.document,))
            self.bot.index.remove(job.document)
        return replace(result, stretch=max(result.stretch, meter.longest))

    def ask(self, question: str, documents: tuple[str, ...] | None) -> Result:
        """Asks as the page does, then renders and exports what it would show."""
        self._serial += 1
        meter = _Meter()
        conversation = f"conversation {self._serial}"
        options = AnswerOptions(documents=documents)
        pending = self._queue.ask(conversation, OWNER, question, options)
        if pending is None:
            raise AssertionError("the question was not accepted")
        pending.done.wait()
        exchanges = self._history.exchanges(conversation, OWNER)
        self._history.entries(OWNER, question)
        title = self._history.title(conversation, OWNER) or ""
        as_json(title, exchanges).encode()
        as_markdown(title, exchanges).encode()
        result = self._shown(exchanges[0])
        meter.news()
        return replace(result, stretch=meter.longest)

    def _shown(self, exchange: Exchange) -> Result:
        question_html(exchange.question)
        outcome = exchange.outcome
        if outcome and outcome.failure:
            failure_html(outcome.failure)
            return _judged(outcome.failure.message)
        if outcome is None or outcome.answer is None:
            return Result("RAW ERROR", "the outcome was not stored")
        answer_html(outcome.answer)
        self._check_citations(outcome.answer)
        return Result("refusal" if outcome.answer.abstained else "answer")

    def _check_citations(self, answer: StoredAnswer) -> None:
        texts = {document.name: document.text for document in self.bot.index.documents()}
        for sentence in answer.sentences:
            for citation in sentence.citations:
                if texts[citation.document][citation.start : citation.end] != citation.quote:
                    raise AssertionError(f"the citation {citation} is not exact")

    def _answer(
        self,
        question: str,
        history: Sequence[Turn],
        options: AnswerOptions,
        on_event: types.OnEvent,
        stop: Event,
    ) -> tuple[Answer, float]:
        answer = self.bot.ask(question, history, on_event, options.documents, stop=stop)
        return answer, 0.55

    def _add_upload(self, name: str, data: bytes, meter: "_Meter") -> Job:
        """Adds a file as the page does, and measures how long its progress stands still."""
        key = self._jobs.submit(name, data, OWNER).id
        progress = -1
        while True:
            (job,) = [job for job in self._jobs.jobs() if job.id == key]
            if job.done != progress or not job.active:
                meter.news()
                progress = job.done
            if not job.active:
                return job
            if job.done >= ENOUGH and job.total > 2 * ENOUGH:
                self._jobs.cancel(key)
            Event().wait(0.005)

    def _add_path(self, path: Path) -> Result:
        """Adds what the command line would add, and prints what it would print."""
        meter = _Meter()
        loaded = load([path])
        meter.news()
        failures = list(loaded.failures)
        for document in loaded.documents:
            try:
                added = self.bot.index.add(document, meter.progress)
            except DocumentError as error:
                failures.append(error)
                continue
            visible(added.name).encode()
            self.bot.index.remove(added.name)
        result = Result("added")
        if failures:
            messages = [visible(str(failure)) for failure in failures]
            result = _judged(max(messages, key=len))
        return replace(result, stretch=meter.longest)


class _Meter:
    """The longest stretch of processor time between two pieces of news."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = _processor_seconds()

    def news(self) -> None:
        now = _processor_seconds()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def progress(self, done: int, total: int) -> None:
        self.news()


def _processor_seconds() -> float:
    """Returns the processor time of this process and of the processes that it has awaited."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _judged(message: str) -> Result:
    """Returns whether a message is one that a person can read."""
    is_raw = UNEXPECTED in message or "Traceback" in message or len(message) > MAX_MESSAGE
    return Result("RAW ERROR" if is_raw else "error", message)
