"""Jobs add documents in any order of events, and a kill at any moment damages nothing."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from qa.errors import ModelError
from qa.library.index import Index
from qa.models.embedding import Encoding
from qa.types import Document
from tests.qa.fakes import WordEmbedder, text_document
from ui.library import worker
from ui.library.worker import QUEUE_FULL, Job, JobQueue

ROOT = Path(__file__).parents[3]
LONG = "\n\n".join(
    f"Paragraph {n}: {' '.join(f'w{n * 200 + k}' for k in range(200))}." for n in range(160)
)
"""More than two batches of passages, no two alike: Chroma's search misses some equal vectors."""


class GatedEmbedder(WordEmbedder):
    """Embeds a batch when `open` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.started, self.open = Event(), Event()
        self.error: Exception | None = None

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        self.started.set()
        assert self.open.wait(10)
        if self.error:
            raise self.error
        return super().encode(texts)


@dataclass
class JobLibrary:
    """An index in a folder, its queue of jobs, and the embedder that delays them."""

    index: Index
    queue: JobQueue
    embedder: GatedEmbedder
    asking: Event = field(default_factory=Event)

    def texts(self) -> dict[str, str]:
        return {document.name: document.text for document in self.index.documents()}

    def now(self, job: Job) -> Job:
        return next(current for current in self.queue.jobs() if current.id == job.id)

    def ended(self, job: Job) -> Job:
        return wait_for(lambda: self.now(job), lambda current: not current.active)

    def add(self, name: str, data: bytes, owner: str = "") -> Job:
        return self.ended(self.queue.submit(name, data, owner))

    def close_embedder(self) -> None:
        self.embedder.started.clear()
        self.embedder.open.clear()


def wait_for(look: Callable[[], Job], until: Callable[[Job], bool]) -> Job:
    deadline = time.monotonic() + 20
    while not until(job := look()):
        assert time.monotonic() < deadline, job
        time.sleep(0.005)
    return job


@pytest.fixture
def library(tmp_path: Path) -> Iterator[JobLibrary]:
    embedder = GatedEmbedder()
    embedder.open.set()
    index, asking = Index(tmp_path / "index", embedder), Event()
    yield JobLibrary(index, JobQueue(lambda: index, asking.is_set), embedder, asking)
    embedder.open.set()
    asking.clear()


@pytest.mark.parametrize("content", [b"Some text.", b"Other text."])
def test_job_says_what_it_did(library: JobLibrary, content: bytes) -> None:
    assert library.add("a.txt", b"Some text.").result == "added"
    expected = "unchanged" if content == b"Some text." else "replaced"
    assert library.add("a.txt", content).result == expected
    twin = library.add("b.txt", content)
    assert (twin.result, twin.document) == ("twin", "a.txt")
    assert library.texts() == {"a.txt": content.decode()}


def test_upload_of_moved_file_replaces_its_entry(library: JobLibrary) -> None:
    """The file of the entry does not exist: its text was uploaded from another place."""
    library.index.add(text_document("Some text.", "old.txt"))
    job = library.add("new.txt", b"Some text.")
    assert (job.result, job.document) == ("moved", "new.txt")
    assert library.texts() == {"new.txt": "Some text."}


def test_broken_file_fails_and_the_others_are_added(library: JobLibrary) -> None:
    files = (("a.txt", b"Good."), ("b.txt", b"\0\1"), ("c.txt", b"Also good."))
    jobs = [library.queue.submit(name, data) for name, data in files]
    assert [library.ended(job).state for job in jobs] == ["done", "failed", "done"]
    assert "b.txt" in library.ended(jobs[1]).reason
    assert set(library.texts()) == {"a.txt", "c.txt"}


def test_new_job_replaces_the_failed_one_of_its_name(library: JobLibrary) -> None:
    library.add("a.txt", b"", "ann")
    library.add("a.txt", b"", "bob")
    library.add("a.txt", b"Some text.", "ann")
    jobs = [(job.owner, job.state) for job in library.queue.jobs()]
    assert jobs == [("bob", "failed"), ("ann", "done")]


def test_pasted_text_has_the_given_title(library: JobLibrary) -> None:
    library.ended(library.queue.submit("notes.txt", b"First line\n\nMore.", title="My notes"))
    assert [document.title for document in library.index.documents()] == ["My notes"]


def test_jobs_show_progress_and_belong_to_owners(library: JobLibrary) -> None:
    library.close_embedder()
    first = library.queue.submit("a.txt", LONG.encode(), "ann")
    second = library.queue.submit("b.txt", b"Short.", "bob")
    assert library.embedder.started.wait(10)
    assert [library.now(job).state for job in (first, second)] == ["reading", "waiting"]
    assert [job.name for job in library.queue.jobs("bob")] == ["b.txt"]
    assert [job.name for job in library.queue.jobs()] == ["a.txt", "b.txt"]

    library.asking.set()
    library.embedder.open.set()
    embedding = wait_for(lambda: library.now(first), lambda job: job.state == "embedding")
    assert embedding.done == 64 < embedding.total
    library.asking.clear()
    assert library.ended(first).result == library.ended(second).result == "added"
    library.queue.clear("ann")
    assert [job.name for job in library.queue.jobs()] == ["b.txt"]


def test_job_pauses_while_a_question_is_answered(library: JobLibrary) -> None:
    library.asking.set()
    job = library.queue.submit("a.txt", b"Short.")
    time.sleep(0.3)
    assert library.now(job).active
    assert not library.embedder.encoded
    library.asking.clear()
    assert library.ended(job).state == "done"


def test_job_does_not_pause_for_ever(library: JobLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MAX_PAUSE", 0.05)
    library.asking.set()
    assert library.add("b.txt", b"Other.").state == "done"


def test_cancelled_job_changes_nothing_and_can_be_retried(library: JobLibrary) -> None:
    library.add("a.txt", b"The old text.")
    library.close_embedder()
    embedding = library.queue.submit("a.txt", LONG.encode())
    waiting = library.queue.submit("b.txt", b"Waits.")
    assert library.embedder.started.wait(10)
    for job in (embedding, waiting):
        library.queue.cancel(job.id)
    assert (library.now(embedding).cancelling, library.now(waiting).state) == (True, "cancelled")
    library.embedder.open.set()
    assert library.ended(embedding).state == "cancelled"
    assert library.texts() == {"a.txt": "The old text."}

    for job in (embedding, waiting):
        library.queue.retry(job.id)
    assert [library.ended(job).result for job in (embedding, waiting)] == ["replaced", "added"]
    assert library.texts() == {"a.txt": LONG, "b.txt": "Waits."}


def test_unexpected_error_fails_the_job_and_is_logged(
    library: JobLibrary, caplog: pytest.LogCaptureFixture
) -> None:
    library.embedder.error = ZeroDivisionError("by nought")
    job = library.add("a.txt", b"Some text.")
    assert job.state == "failed"
    assert "ZeroDivisionError: by nought" in job.reason
    assert "by nought" in caplog.text
    library.embedder.error = None
    library.queue.retry(job.id)
    assert library.ended(job).result == "added"


def test_job_fails_while_the_library_does_not_open(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    ready = Event()

    def open_index() -> Index:
        if not ready.is_set():
            raise ModelError("The model is missing. Install it.")
        return index

    def ended() -> Job:
        return wait_for(lambda: queue.jobs()[0], lambda job: not job.active)

    queue = JobQueue(open_index)
    job = queue.submit("a.txt", b"Some text.")
    failed = ended()
    assert (failed.state, failed.reason) == ("failed", "The model is missing. Install it.")
    ready.set()
    queue.retry(job.id)
    assert ended().result == "added"


def test_bytes_for_another_try_are_limited(
    library: JobLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest are forgotten first."""
    monkeypatch.setattr(worker, "MAX_KEPT_BYTES", 10)
    jobs = [library.add(f"{number}.txt", b"\0" * 5) for number in range(3)]
    assert [library.now(job).can_retry for job in jobs] == [False, True, True]
    library.queue.retry(jobs[0].id)
    assert library.now(jobs[0]).state == "failed"


def test_bytes_that_wait_are_limited(library: JobLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file too many fails at once; the others are added."""
    monkeypatch.setattr(worker, "MAX_WAITING_BYTES", 10)
    library.close_embedder()
    first = library.queue.submit("a.txt", b"Cats.")
    second = library.queue.submit("b.txt", b"Dogs.")
    third = library.queue.submit("c.txt", b"!")
    assert (third.state, third.reason, third.can_retry) == ("failed", QUEUE_FULL, False)
    library.queue.retry(third.id)
    assert library.now(third).state == "failed"

    library.embedder.open.set()
    assert [library.ended(job).state for job in (first, second)] == ["done", "done"]
    assert library.add("c.txt", b"Birds.").state == "done"


def test_jobs_that_are_kept_are_limited(
    library: JobLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest that have ended are forgotten; those that wait are not."""
    monkeypatch.setattr(worker, "MAX_JOBS", 3)
    for number in range(5):
        library.add(f"{number}.txt", b"Cats %d." % number)
    assert [job.name for job in library.queue.jobs()] == ["2.txt", "3.txt", "4.txt"]

    library.close_embedder()
    waiting = [library.queue.submit(f"w{number}.txt", b"Dogs.") for number in range(3)]
    assert library.queue.submit("more.txt", b"Birds.").reason == QUEUE_FULL
    library.embedder.open.set()
    assert [library.ended(job).active for job in waiting] == [False] * 3


def test_reindex_embeds_all_and_changes_no_document(library: JobLibrary) -> None:
    document = Document("a.md", "/s/a.md", "T", f"# T\n\n{LONG}", "P", True, ("Q?",))
    library.index.add(document)
    encoded = len(library.embedder.encoded)
    passages = library.index.snapshot().all_passages()
    job = library.ended(library.queue.reindex("a.md"))
    assert (job.result, job.document) == ("indexed", "a.md")
    assert job.done == job.total == len(passages)
    assert len(library.embedder.encoded) == 2 * encoded
    assert library.index.documents() == [document]
    assert library.index.snapshot().all_passages() == passages


def test_reindex_of_a_removed_document_fails(library: JobLibrary) -> None:
    job = library.ended(library.queue.reindex("gone.txt"))
    assert job.state == "failed"
    assert job.reason == "gone.txt is no longer in the library. Add the file."


def test_reindex_cancelled_leaves_the_document(library: JobLibrary) -> None:
    library.index.add(text_document(LONG))
    library.close_embedder()
    job = library.queue.reindex("a.txt")
    assert library.embedder.started.wait(10)
    assert library.texts() == {"a.txt": LONG}
    library.queue.cancel(job.id)
    library.embedder.open.set()
    assert library.ended(job).state == "cancelled"
    assert library.index.documents() == [text_document(LONG)]


ADD_AND_REPLACE = """
import sys, time
from pathlib import Path
from qa.library.index import Index
from tests.qa.fakes import WordEmbedder
from tests.ui.library.test_worker import LONG
from ui.library.worker import JobQueue

index = Index(Path(sys.argv[1]), WordEmbedder())
queue = JobQueue(lambda: index)

def add(name, text):
    queue.submit(name, text.encode())
    while any(job.active for job in queue.jobs()):
        time.sleep(0.001)

add("a.txt", "The old text.")
add("b.txt", "Stays.")
print("ready", flush=True)
add("a.txt", LONG)
print(queue.jobs()[-1].state, flush=True)
"""


def start_replacing(folder: Path) -> subprocess.Popen[str]:
    """Returns a process that is about to replace a document in the library of a folder."""
    child = subprocess.Popen(
        [sys.executable, "-c", ADD_AND_REPLACE, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    assert child.stdout.readline() == "ready\n"
    return child


@pytest.mark.slow
def test_kill_leaves_the_old_or_the_new_document(tmp_path: Path) -> None:
    """At any moment the library has all of the old version or all of the new one."""
    whole = start_replacing(tmp_path / "whole")
    start = time.monotonic()
    assert whole.communicate(timeout=60)[0] == "done\n"
    seconds = time.monotonic() - start

    chance = random.Random(7)
    # Most kills in the last moments, in which the library is written.
    moments = [chance.random() for _ in range(2)] + [0.6 + 0.4 * chance.random() for _ in range(4)]
    for number, moment in enumerate(moments):
        child = start_replacing(tmp_path / str(number))
        time.sleep(moment * seconds)
        child.kill()
        child.communicate()
        check_complete(Index(tmp_path / str(number), WordEmbedder()))


def check_complete(index: Index) -> None:
    snapshot = index.snapshot()
    texts = {}
    for stored in snapshot.stored_documents():
        document = stored.document
        texts[document.name] = document.text
        assert "".join(passage.text for passage in stored.passages) == document.text
    assert texts["b.txt"] == "Stays."
    assert texts["a.txt"] in ("The old text.", LONG)
    assert len(texts) == 2
    vector = WordEmbedder().encode(["text"])[0].vector
    hits = snapshot.in_order(index.nearest(vector, 999))
    assert len(hits) == len(snapshot.all_passages())
