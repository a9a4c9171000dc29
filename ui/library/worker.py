"""Where documents are added: one thread for all tabs, whatever the page does meanwhile, and what it is at."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from qa.errors import DocumentError, FootnoteError

if TYPE_CHECKING:
    from qa.library.index import AddResult, Index, OnProgress
    from qa.types import Document

State = Literal["waiting", "reading", "embedding", "done", "failed", "cancelled"]
Outcome = Literal["added", "unchanged", "replaced", "twin", "indexed"]
"""What came of it. "twin": not added, the library has its text under another name; "indexed": embedded again."""
KEPT_BYTES = 200_000_000
"""Of files that failed or were cancelled, kept for another try; the oldest go first."""
PAUSE = 0.02
"""Seconds between two looks at whether a question is being answered."""
LONGEST_PAUSE = 10.0
"""Seconds after which a file goes on a step even if the questions never end."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A document on its way into the library, as it is now."""

    id: str
    name: str
    owner: str
    state: State = "waiting"
    done: int = 0
    total: int = 0
    """Passages embedded, and of how many."""
    cancelling: bool = False
    outcome: Outcome | None = None
    document: str = ""
    """The name it has in the library; for a twin, the name of the other."""
    reason: str = ""
    """Why it failed."""
    kept: bool = True
    """Whether it can be tried again: its bytes are still there."""

    @property
    def under_way(self) -> bool:
        return self.state in ("waiting", "reading", "embedding")


@dataclass(frozen=True, slots=True)
class _Task:
    """What a job is to add: a file's bytes, or the text that the library has already."""

    data: bytes | None
    title: str | None = None

    @property
    def size(self) -> int:
        return len(self.data or b"")


class _CancelledError(Exception):
    """Ends an adding; the library is as before."""


class Intake:
    """Adds documents to one library, one after the other, in the order they came.

    `index` gives the library and may wait for it, or raise FootnoteError: then the job fails, and can be tried again.
    Between two batches of passages the thread waits while `busy` says that a question is being answered.
    """

    def __init__(
        self, index: Callable[[], Index], busy: Callable[[], bool] = lambda: False
    ) -> None:
        self._index = index
        self._busy = busy
        self._news = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, _Task] = {}
        """By job; the ones that can be tried again at the end, the latest last."""
        # A daemon: Ctrl-C ends the server at once; what was being added is then not there.
        threading.Thread(target=self._work, name="intake", daemon=True).start()

    def submit(self, name: str, data: bytes, owner: str = "", title: str | None = None) -> Job:
        """Takes a file. `title` stands for the one that the text gives itself."""
        return self._put(Job(uuid4().hex, name, owner), _Task(data, title))

    def renew(self, name: str, owner: str = "") -> Job:
        """Splits and embeds again the document of that name, from the text that the library has."""
        return self._put(Job(uuid4().hex, name, owner), _Task(None))

    def jobs(self, owner: str | None = None) -> tuple[Job, ...]:
        """The jobs of an owner, or of all, in the order they came, as they are now."""
        with self._news:
            return tuple(job for job in self._jobs.values() if owner is None or job.owner == owner)

    def retry(self, key: str) -> None:
        """Lets a failed or cancelled job wait again; nothing where its bytes are gone."""
        with self._news:
            job = self._jobs.get(key)
            if job and job.state in ("failed", "cancelled") and job.kept:
                self._jobs[key] = Job(job.id, job.name, job.owner)
                self._news.notify()

    def cancel(self, key: str) -> None:
        """Ends a job: at once while it waits, else before the next batch of passages. The library is as before."""
        with self._news:
            job = self._jobs.get(key)
            if job and job.state == "waiting":
                self._settle(job, state="cancelled")
            elif job and job.under_way:
                self._jobs[key] = replace(job, cancelling=True)

    def clear(self, owner: str) -> None:
        """Forgets the owner's jobs that are over."""
        with self._news:
            self._forget(lambda job: job.owner == owner)

    def _put(self, job: Job, task: _Task) -> Job:
        """Takes a job, in the place of earlier ones of its name that are over."""
        with self._news:
            self._forget(lambda old: (old.owner, old.name) == (job.owner, job.name))
            self._jobs[job.id], self._tasks[job.id] = job, task
            self._news.notify()
        return job

    def _forget(self, which: Callable[[Job], bool]) -> None:
        for key in [key for key, job in self._jobs.items() if not job.under_way and which(job)]:
            del self._jobs[key]
            self._tasks.pop(key, None)

    def _work(self) -> None:
        while True:
            job, task = self._next()
            try:
                outcome, document = self._add(job, task)
            except _CancelledError:
                self._finish(job, state="cancelled")
            except FootnoteError as error:
                self._finish(job, state="failed", reason=str(error))
            except BaseException as error:  # noqa: BLE001 - told on the page; without the thread nothing is added again
                _log.exception("adding %s", job.name)
                self._finish(
                    job,
                    state="failed",
                    reason=f"{type(error).__name__}: {error}. The terminal says where.",
                )
            else:
                self._finish(job, state="done", outcome=outcome, document=document)

    def _next(self) -> tuple[Job, _Task]:
        """The first job that waits, or comes to."""
        with self._news:
            while True:
                for key, job in self._jobs.items():
                    if job.state == "waiting":
                        self._jobs[key] = replace(job, state="reading")
                        return job, self._tasks[key]
                self._news.wait()

    def _add(self, job: Job, task: _Task) -> tuple[Outcome, str]:
        index = self._index()
        if task.data is None:
            self._go_on(job)
            return "indexed", self._renewed(index, job).name
        document = _document(job.name, task.data, task.title)
        self._go_on(job)
        if twin := index.same_text(document):
            return "twin", twin
        added = index.add(document, self._told(job))
        return added.outcome, added.name

    def _renewed(self, index: Index, job: Job) -> AddResult:
        """Replaces a document by itself, with a space behind its title on the way.

        A document that is unchanged is not embedded; one that is removed first is lost if the program ends before it
        is there again. A replacing is whole or not at all.
        """
        document = next(
            (document for document in index.documents() if document.name == job.name), None
        )
        if not document:
            raise DocumentError(f"{job.name} is no longer in the library. Add the file.")
        told = self._told(job)
        index.add(
            replace(document, title=f"{document.title} "), lambda done, total: told(done, 2 * total)
        )
        return index.add(document, lambda done, total: self._embedded(job, total + done, 2 * total))

    def _told(self, job: Job) -> OnProgress:
        def on_progress(done: int, total: int) -> None:
            self._embedded(job, done, total)
            self._go_on(job)

        return on_progress

    def _embedded(self, job: Job, done: int, total: int) -> None:
        with self._news:
            self._jobs[job.id] = replace(
                self._jobs[job.id], state="embedding", done=done, total=total
            )

    def _go_on(self, job: Job) -> None:
        """Lets questions go first. Raises _CancelledError for a job that is to end."""
        end = time.monotonic() + LONGEST_PAUSE
        while not self._jobs[job.id].cancelling and self._busy() and time.monotonic() < end:
            time.sleep(PAUSE)
        if self._jobs[job.id].cancelling:
            raise _CancelledError

    def _finish(self, job: Job, **changes: Any) -> None:
        with self._news:
            self._settle(self._jobs[job.id], **changes)

    def _settle(self, job: Job, **changes: Any) -> None:
        """Ends a job; its bytes are kept for another try, those of the oldest no longer."""
        self._jobs[job.id] = job = replace(job, cancelling=False, **changes)
        task = self._tasks.pop(job.id)
        if job.state == "done":
            return
        self._tasks[job.id] = task
        over = [key for key in self._tasks if not self._jobs[key].under_way]
        held = sum(self._tasks[key].size for key in over)
        for key in over:
            if held <= KEPT_BYTES:
                break
            held -= self._tasks.pop(key).size
            self._jobs[key] = replace(self._jobs[key], kept=False)


def _document(name: str, data: bytes, title: str | None) -> Document:
    # Here, not above: it brings llama-index, and the page must show before that.
    from qa.documents.load import from_bytes

    document = from_bytes(name, data)
    return replace(document, title=title) if title else document
