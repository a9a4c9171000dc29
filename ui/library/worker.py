"""Adds documents to the library in one thread, for all tabs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from qa.errors import FootnoteError

if TYPE_CHECKING:
    from qa.library.index import Index
    from qa.library.writing import OnProgress
    from qa.types import Document

JobState = Literal["waiting", "reading", "embedding", "done", "failed", "cancelled"]
JobResult = Literal["added", "unchanged", "replaced", "moved", "twin", "indexed"]
"""What a finished job did.

"moved": it took the place of a document with the same text whose file is gone. "twin": nothing,
because the library has the text under another name. "indexed": embedded again.
"""
MAX_KEPT_BYTES = 200_000_000
"""Bytes of failed and cancelled files that are kept for another try."""
MAX_WAITING_BYTES = 500_000_000
"""Bytes of files that may wait, of all people together. All of them stay in memory."""
MAX_JOBS = 5_000
"""Jobs that are kept, of all people together."""
QUEUE_FULL = "Too many files wait to be added. Add it again when some of them are in the library."
PAUSE = 0.02
"""Seconds between two looks at whether a question is being answered."""
MAX_PAUSE = 10.0
"""Seconds after which a file continues even if questions are still being answered."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A document on its way into the library."""

    id: str
    name: str
    owner: str
    state: JobState = "waiting"
    done: int = 0
    total: int = 0
    """Passages embedded, and passages in all."""
    cancelling: bool = False
    result: JobResult | None = None
    document: str = ""
    """Its name in the library; for a twin, the name of the other document."""
    reason: str = ""
    """Why it failed."""
    can_retry: bool = True
    """Whether its bytes are still there, so that it can be tried again."""

    @property
    def active(self) -> bool:
        return self.state in ("waiting", "reading", "embedding")


@dataclass(frozen=True, slots=True)
class _JobContent:
    """What a job adds: a file's bytes, or None for the text that the library already has."""

    data: bytes | None
    title: str | None = None

    @property
    def size(self) -> int:
        return len(self.data or b"")


class _CancelledError(Exception):
    """Ends a job. The library is unchanged."""


class JobQueue:
    """Adds documents to one library, one after the other, in the order they came.

    `index` returns the library; it may wait for it, or raise FootnoteError: then the job fails,
    and can be tried again. Between two batches of passages the thread waits while `busy` returns
    True, so that questions are answered first.
    """

    def __init__(
        self, index: Callable[[], Index], busy: Callable[[], bool] = lambda: False
    ) -> None:
        self._index = index
        self._busy = busy
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._contents: dict[str, _JobContent] = {}
        """By job id; those that can be tried again stay, the latest last."""
        # A daemon: Ctrl-C ends the server at once. A document half added is then not there.
        threading.Thread(target=self._work, name="library jobs", daemon=True).start()

    def submit(self, name: str, data: bytes, owner: str = "", title: str | None = None) -> Job:
        """Queues a file. `title` replaces the title that its text has."""
        content = _JobContent(data, title)
        return self._enqueue(name, owner, content)

    def reindex(self, name: str, owner: str = "") -> Job:
        """Queues a document of the library to be split and embedded again."""
        content = _JobContent(data=None)
        return self._enqueue(name, owner, content)

    def jobs(self, owner: str | None = None) -> tuple[Job, ...]:
        """Returns the jobs of an owner, or of all, in the order they came."""
        with self._changed:
            jobs = tuple(self._jobs.values())
        if owner is None:
            return jobs
        return tuple(job for job in jobs if job.owner == owner)

    def retry(self, key: str) -> None:
        """Queues a failed or cancelled job again; does nothing if its bytes are gone."""
        with self._changed:
            job = self._jobs.get(key)
            # A click may come late: the job is gone, or was tried again in another tab.
            if job is None or job.state not in ("failed", "cancelled"):
                return
            if not job.can_retry:
                return
            # Without the reason and the progress of the first try.
            self._jobs[key] = Job(job.id, job.name, job.owner)
            self._changed.notify()

    def cancel(self, key: str) -> None:
        """Ends a job: at once while it waits, else before its next batch of passages."""
        with self._changed:
            job = self._jobs.get(key)
            if job is None or not job.active:
                return
            if job.state == "waiting":
                self._settle(job, state="cancelled")
            else:
                # Its thread looks at this before each batch.
                self._jobs[key] = replace(job, cancelling=True)

    def clear(self, owner: str) -> None:
        """Forgets the owner's jobs that have ended."""
        with self._changed:
            for job in list(self._jobs.values()):
                if job.owner == owner:
                    self._forget(job)

    def _enqueue(self, name: str, owner: str, content: _JobContent) -> Job:
        """Adds a job; it replaces ended jobs of the same owner and name.

        A job that the queue has no room for fails at once, and its bytes are not kept.
        """
        job = Job(uuid4().hex, name, owner)
        with self._changed:
            # A copy, since jobs are forgotten on the way.
            for old in list(self._jobs.values()):
                same_owner = old.owner == owner
                if same_owner and old.name == name:
                    self._forget(old)
            if not self._has_room(content.size):
                job = replace(job, state="failed", reason=QUEUE_FULL, can_retry=False)
                self._jobs[job.id] = job
                return job
            self._jobs[job.id] = job
            self._contents[job.id] = content
            self._changed.notify()
        return job

    def _has_room(self, size: int) -> bool:
        """Returns whether so many bytes more may wait. Forgets old jobs to make room for a job."""
        waiting_bytes = 0
        for key, content in self._contents.items():
            if self._jobs[key].active:
                waiting_bytes += content.size

        for old in list(self._jobs.values()):
            if len(self._jobs) < MAX_JOBS:
                break
            self._forget(old)
        return waiting_bytes + size <= MAX_WAITING_BYTES and len(self._jobs) < MAX_JOBS

    def _forget(self, job: Job) -> None:
        """Forgets a job, if it has ended."""
        if not job.active:
            del self._jobs[job.id]
            self._contents.pop(job.id, None)

    def _work(self) -> None:
        while True:
            job, content = self._next()
            try:
                result, document = self._run(job, content)
            except _CancelledError:
                self._finish(job, state="cancelled")
            except FootnoteError as error:
                self._finish(job, state="failed", reason=str(error))
            except BaseException as error:  # noqa: BLE001 - the page shows it, the thread continues
                _log.exception("Adding %s failed unexpectedly", job.name)
                reason = f"{type(error).__name__}: {error}. The log in the terminal shows where."
                self._finish(job, state="failed", reason=reason)
            else:
                self._finish(job, state="done", result=result, document=document)

    def _next(self) -> tuple[Job, _JobContent]:
        """Returns the first job that waits, as soon as there is one."""
        with self._changed:
            while True:
                for key, job in self._jobs.items():
                    if job.state == "waiting":
                        self._jobs[key] = replace(job, state="reading")
                        return job, self._contents[key]
                self._changed.wait()

    def _run(self, job: Job, content: _JobContent) -> tuple[JobResult, str]:
        """Returns what the job did and the document's name. Raises FootnoteError."""
        # Imported here because it brings llama-index, and the page must show before that.
        from qa.library.adding import names_of_moved_file

        index = self._index()
        on_progress = self._listener(job)
        if content.data is None:
            self._pause(job)
            index.embed_again(job.name, on_progress)
            return "indexed", job.name

        document = _read(job.name, content.data, content.title)
        self._pause(job)
        # A file of the command line can have been moved before it was uploaded.
        replaced = names_of_moved_file(document, index.missing_files())
        # The same passages twice would take two of the places that an answer is read from.
        twin = index.same_text(document, besides=replaced)
        if twin:
            return "twin", twin
        added = index.add(document, on_progress, replaces=replaced)
        return added.outcome, added.name

    def _listener(self, job: Job) -> OnProgress:
        def on_progress(done: int, total: int) -> None:
            self._set_progress(job, done, total)
            self._pause(job)

        return on_progress

    def _set_progress(self, job: Job, done: int, total: int) -> None:
        with self._changed:
            # Not the job as it began: a click may have cancelled it since.
            current = self._jobs[job.id]
            changed = replace(
                current,
                state="embedding",
                done=done,
                total=total,
            )
            self._jobs[job.id] = changed

    def _pause(self, job: Job) -> None:
        """Waits while questions are answered. Raises _CancelledError if the job was cancelled."""
        deadline = time.monotonic() + MAX_PAUSE
        # A deadline, so that a library in steady use does not keep a file waiting for ever.
        while self._busy() and time.monotonic() < deadline:
            if self._jobs[job.id].cancelling:
                break
            time.sleep(PAUSE)
        if self._jobs[job.id].cancelling:
            raise _CancelledError

    def _finish(self, job: Job, **changes: Any) -> None:
        with self._changed:
            current = self._jobs[job.id]
            self._settle(current, **changes)

    def _settle(self, job: Job, **changes: Any) -> None:
        """Ends a job. If it did not succeed, its bytes are kept for another try."""
        settled = replace(job, cancelling=False, **changes)
        self._jobs[job.id] = settled
        content = self._contents.pop(job.id)
        if settled.state != "done":
            # Put back at the end: the latest is forgotten last.
            self._contents[job.id] = content
            self._forget_oldest_bytes()

    def _forget_oldest_bytes(self) -> None:
        sizes: dict[str, int] = {}
        for key, content in self._contents.items():
            # The bytes of a job that waits are still needed, however many they are.
            if not self._jobs[key].active:
                sizes[key] = content.size

        kept_bytes = sum(sizes.values())
        for key, size in sizes.items():
            if kept_bytes <= MAX_KEPT_BYTES:
                break
            del self._contents[key]
            kept_bytes -= size
            job = self._jobs[key]
            self._jobs[key] = replace(job, can_retry=False)


def _read(name: str, data: bytes, title: str | None) -> Document:
    # Imported here because it brings llama-index, and the page must show before that.
    from qa.documents.load import from_bytes

    document = from_bytes(name, data)
    if title:
        document = replace(document, title=title)
    return document
