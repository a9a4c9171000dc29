"""The intake: what comes of files in any order of events, and what a kill at any moment leaves behind."""

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
from ui.library import worker as ingest
from ui.library.worker import Intake, Job

ROOT = Path(__file__).parents[3]
LONG = "\n\n".join(
    f"Paragraph {n}: {' '.join(f'w{n * 200 + k}' for k in range(200))}." for n in range(160)
)
"""Cut into more than two batches of passages, no two alike: among equal vectors Chroma's search misses some."""


class GatedEmbedder(WordEmbedder):
    """Embeds a batch whenever it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let = Event(), Event()
        self.fails: Exception | None = None

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        self.begun.set()
        assert self.let.wait(10)
        if self.fails:
            raise self.fails
        return super().encode(texts)


@dataclass
class Place:
    """An index in a folder, an intake before it, and the embedder that holds it up."""

    index: Index
    intake: Intake
    embedder: GatedEmbedder
    asking: Event = field(default_factory=Event)

    def texts(self) -> dict[str, str]:
        return {document.name: document.text for document in self.index.documents()}

    def ended(self, job: Job) -> Job:
        return wait_for(lambda: self.now(job), lambda now: not now.under_way)

    def now(self, job: Job) -> Job:
        return next(one for one in self.intake.jobs() if one.id == job.id)


def wait_for(look: Callable[[], Job], until: Callable[[Job], bool]) -> Job:
    end = time.monotonic() + 20
    while not until(job := look()):
        assert time.monotonic() < end, job
        time.sleep(0.005)
    return job


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    embedder = GatedEmbedder()
    embedder.let.set()
    index, asking = Index(tmp_path / "index", embedder), Event()
    yield Place(index, Intake(lambda: index, asking.is_set), embedder, asking)
    embedder.let.set()
    asking.clear()


def test_what_comes_of_a_file(place: Place) -> None:
    def came(name: str, data: bytes) -> tuple[str | None, str]:
        job = place.ended(place.intake.submit(name, data))
        return job.outcome, job.document

    assert came("a.txt", b"Some text.") == ("added", "a.txt")
    assert came("a.txt", b"Some text.") == ("unchanged", "a.txt")
    assert came("a.txt", b"Other text.") == ("replaced", "a.txt")
    assert came("b.txt", b"Other text.") == ("twin", "a.txt")
    assert place.texts() == {"a.txt": "Other text."}


def test_a_broken_file_says_why_and_the_others_are_added(place: Place) -> None:
    jobs = [
        place.intake.submit(*file)
        for file in (("a.txt", b"Good."), ("b.txt", b"\0\1"), ("c.txt", b"Also good."))
    ]
    assert [place.ended(job).state for job in jobs] == ["done", "failed", "done"]
    assert "b.txt" in place.ended(jobs[1]).reason
    assert set(place.texts()) == {"a.txt", "c.txt"}


def test_a_file_that_is_brought_again_takes_the_row_of_the_one_that_failed(place: Place) -> None:
    place.ended(place.intake.submit("a.txt", b"", "ann"))
    place.ended(place.intake.submit("a.txt", b"", "bob"))
    place.ended(place.intake.submit("a.txt", b"Some text.", "ann"))
    assert [(job.owner, job.state) for job in place.intake.jobs()] == [
        ("bob", "failed"),
        ("ann", "done"),
    ]


def test_a_pasted_text_has_the_title_it_was_given(place: Place) -> None:
    place.ended(place.intake.submit("notes.txt", b"First line\n\nMore.", title="My notes"))
    assert [document.title for document in place.index.documents()] == ["My notes"]


def test_jobs_are_told_as_they_go_and_kept_apart_by_owner(place: Place) -> None:
    place.embedder.let.clear()
    first = place.intake.submit("a.txt", LONG.encode(), "ann")
    second = place.intake.submit("b.txt", b"Short.", "bob")
    assert place.embedder.begun.wait(10)
    assert [place.now(job).state for job in (first, second)] == ["reading", "waiting"]
    assert [job.name for job in place.intake.jobs("bob")] == ["b.txt"]
    assert [job.name for job in place.intake.jobs()] == ["a.txt", "b.txt"]
    place.asking.set()
    place.embedder.let.set()
    told = wait_for(lambda: place.now(first), lambda job: job.state == "embedding")
    assert told.done == 64 < told.total
    place.asking.clear()
    assert place.ended(first).outcome == place.ended(second).outcome == "added"
    place.intake.clear("ann")
    assert [job.name for job in place.intake.jobs()] == ["b.txt"]


def test_embedding_waits_while_a_question_is_answered_but_not_for_ever(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.asking.set()
    job = place.intake.submit("a.txt", b"Short.")
    time.sleep(0.3)
    assert place.now(job).under_way
    assert not place.embedder.encoded
    place.asking.clear()
    assert place.ended(job).state == "done"
    monkeypatch.setattr(ingest, "LONGEST_PAUSE", 0.05)
    place.asking.set()
    assert place.ended(place.intake.submit("b.txt", b"Other.")).state == "done"


def test_a_cancelled_job_leaves_the_library_as_before_and_can_be_tried_again(place: Place) -> None:
    place.ended(place.intake.submit("a.txt", b"The old text."))
    place.embedder.begun.clear()
    place.embedder.let.clear()
    embedding = place.intake.submit("a.txt", LONG.encode())
    waiting = place.intake.submit("b.txt", b"Waits.")
    assert place.embedder.begun.wait(10)
    for job in (embedding, waiting):
        place.intake.cancel(job.id)
    assert (place.now(embedding).cancelling, place.now(waiting).state) == (True, "cancelled")
    place.embedder.let.set()
    assert place.ended(embedding).state == "cancelled"
    assert place.texts() == {"a.txt": "The old text."}
    for job in (embedding, waiting):
        place.intake.retry(job.id)
    assert [place.ended(job).outcome for job in (embedding, waiting)] == ["replaced", "added"]
    assert place.texts() == {"a.txt": LONG, "b.txt": "Waits."}


def test_what_fails_unforeseen_is_told_and_tried_again(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.embedder.fails = ZeroDivisionError("by nought")
    job = place.ended(place.intake.submit("a.txt", b"Some text."))
    assert job.state == "failed"
    assert "ZeroDivisionError: by nought" in job.reason
    assert "by nought" in caplog.text
    place.embedder.fails = None
    place.intake.retry(job.id)
    assert place.ended(job).outcome == "added"


def test_a_library_that_does_not_open_is_the_jobs_failure_until_it_does(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", WordEmbedder())
    there = Event()

    def opened() -> Index:
        if not there.is_set():
            raise ModelError("The model is missing. Install it.")
        return index

    intake = Intake(opened)
    job = intake.submit("a.txt", b"Some text.")
    failed = wait_for(lambda: intake.jobs()[0], lambda job: not job.under_way)
    assert (failed.state, failed.reason) == ("failed", "The model is missing. Install it.")
    there.set()
    intake.retry(job.id)
    assert wait_for(lambda: intake.jobs()[0], lambda job: not job.under_way).outcome == "added"


def test_only_so_many_bytes_are_kept_for_another_try(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "KEPT_BYTES", 10)
    first, second, third = (
        place.ended(place.intake.submit(f"{n}.txt", b"\0" * 5)) for n in range(3)
    )
    assert [place.now(job).kept for job in (first, second, third)] == [False, True, True]
    place.intake.retry(first.id)
    assert place.now(first).state == "failed"


def test_a_document_is_indexed_again_and_is_the_same_after(place: Place) -> None:
    document = Document("a.md", "/s/a.md", "T", f"# T\n\n{LONG}", "P", True, ("Q?",))
    place.index.add(document)
    before, known = len(place.embedder.encoded), place.index.passages([document])
    job = place.ended(place.intake.renew("a.md"))
    assert (job.outcome, job.document) == ("indexed", "a.md")
    assert job.done == job.total == 2 * len(known)
    assert len(place.embedder.encoded) == 3 * before
    assert place.index.documents() == [document]
    assert place.index.passages([document]) == known


def test_a_document_that_is_gone_is_not_indexed_again(place: Place) -> None:
    job = place.ended(place.intake.renew("gone.txt"))
    assert (job.state, job.reason) == (
        "failed",
        "gone.txt is no longer in the library. Add the file.",
    )


def test_the_title_never_lacks_while_a_document_is_indexed_again(place: Place) -> None:
    place.index.add(text_document(LONG))
    place.embedder.let.clear()
    place.embedder.begun.clear()
    job = place.intake.renew("a.txt")
    assert place.embedder.begun.wait(10)
    assert place.texts() == {"a.txt": LONG}
    place.intake.cancel(job.id)
    place.embedder.let.set()
    assert place.ended(job).state == "cancelled"
    assert place.index.documents() == [text_document(LONG)]


KILLED = """
import sys, time
from pathlib import Path
from qa.library.index import Index
from tests.qa.fakes import WordEmbedder
from tests.ui.library.test_worker import LONG
from ui.library.worker import Intake
index = Index(Path(sys.argv[1]), WordEmbedder())
intake = Intake(lambda: index)
def add(name, text):
    intake.submit(name, text.encode())
    while any(job.under_way for job in intake.jobs()):
        time.sleep(0.001)
add("a.txt", "The old text.")
add("b.txt", "Stays.")
print("ready", flush=True)
add("a.txt", LONG)
print(intake.jobs()[-1].state, flush=True)
"""


def test_a_kill_at_any_moment_leaves_the_library_as_before_or_complete(tmp_path: Path) -> None:
    def started(where: Path) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(where)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        return child

    whole = started(tmp_path / "whole")
    begun = time.monotonic()
    assert whole.communicate(timeout=60)[0] == "done\n"
    seconds = time.monotonic() - begun
    chance = random.Random(7)
    # The last moments, in which it is written, more often than the others.
    moments = [chance.random() for _ in range(2)] + [0.6 + 0.4 * chance.random() for _ in range(4)]
    for number, moment in enumerate(moments):
        where = tmp_path / str(number)
        child = started(where)
        time.sleep(moment * seconds)
        child.kill()
        child.communicate()
        index = Index(where, WordEmbedder())
        documents = index.documents()
        assert {document.name: document.text for document in documents} in (
            {"a.txt": "The old text.", "b.txt": "Stays."},
            {"a.txt": LONG, "b.txt": "Stays."},
        )
        for document in documents:
            assert "".join(passage.text for passage in index.passages([document])) == document.text
        vector = WordEmbedder().encode(["text"])[0].vector
        assert len(index.nearest(vector, 999)) == len(index.passages(documents))
