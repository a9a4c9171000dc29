"""The HTML of jobs and documents. No Streamlit here, and every text is escaped."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from qa.documents.load import FILE_TYPES
from qa.library.catalog import Entry
from qa.text.language import ENGLISH, language_name
from ui.jinja import count, render
from ui.library.worker import Job, JobResult, JobState

LABELS: Final = {suffix: row.label for row in FILE_TYPES for suffix in row.suffixes}
"""The type of a file as a person calls it, by suffix."""
RESULTS: Final[dict[JobResult, str]] = {
    "added": "Added",
    "replaced": "Replaced the old version",
    "moved": "Replaced the entry of a file that is gone",
    "unchanged": "Already in the library, unchanged",
    "twin": "Already in the library under another name",
    "indexed": "Indexed again",
}
MAX_JOBS: Final = 50
"""Jobs shown at once."""
_ORDER: Final[dict[JobState, int]] = {
    "reading": 0,
    "embedding": 0,
    "failed": 1,
    "cancelled": 2,
    "waiting": 3,
    "done": 4,
}


def summary(jobs: Sequence[Job]) -> str:
    """Returns how many jobs have ended, for instance "3 of 4 documents finished · 1 failed"."""
    states = Counter(job.state for job in jobs)
    ended = states["done"] + states["failed"] + states["cancelled"]
    parts = [f"{ended} of {count(len(jobs), 'document')} finished"]
    for state in ("failed", "cancelled"):
        if states[state]:
            parts.append(f"{states[state]} {state}")
    return " · ".join(parts)


def shown_jobs(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Returns the jobs there is room for, in order; active and failed jobs come first."""
    # Sorted to choose, not to show: a job keeps its place while its state changes.
    important = sorted(jobs, key=lambda job: _ORDER[job.state])[:MAX_JOBS]
    ids = {job.id for job in important}
    return tuple(job for job in jobs if job.id in ids)


def job_html(job: Job) -> str:
    """Returns a job's name, and its progress or result."""
    embedding = job.state == "embedding" and not job.cancelling
    # The name in the library is shown where it is not the file's.
    renamed = job.result == "twin" or job.document not in ("", job.name)
    return render(
        "job.html",
        job=job,
        embedding=embedding,
        state=_state(job),
        document=job.document if renamed else "",
    )


def button_html(action: str, job: Job) -> str:
    """Returns a button of a job, for instance "Cancel"."""
    return render("job_button.html", action=action, job=job)


def documents_html(documents: Sequence[Entry], readable: bool) -> str:
    """Returns the list of documents with their buttons.

    A button's `data-open` is "read:" or "remove:" and the document's name.
    """
    facts = {document.name: _facts(document) for document in documents}
    actions = [("Remove", "remove")]
    if readable:
        actions.insert(0, ("Open", "read"))
    return render("documents.html", documents=documents, facts=facts, actions=actions)


def removal_html(document: Entry) -> str:
    """Returns the question before a document is removed."""
    return render("removal.html", document=document, facts=[document.name, _size(document)])


def _state(job: Job) -> str:
    """Returns what a job does or has done, in words."""
    if job.state == "failed":
        advice = "" if job.can_retry else " To try again, choose the file again."
        return f"{job.reason}{advice}"
    if job.state == "cancelled":
        advice = "" if job.can_retry else " To add it, choose the file again."
        return f"Cancelled. The library is unchanged.{advice}"
    if job.result:
        return RESULTS[job.result]
    if job.cancelling:
        return "Cancelling…"
    if job.state == "waiting":
        return "Waiting…"
    if job.state == "reading":
        return "Reading…"
    if job.done >= job.total:
        return "Saving…"
    return f"Indexing {job.done:,} of {count(job.total, 'passage')}"


def _facts(document: Entry) -> list[str]:
    """Returns name, date, file type, pages and size; and what is special about the search in it."""
    # Text without a known suffix is Markdown if it was read as Markdown.
    plain = "Markdown" if document.markdown else "Text"
    suffix = PurePosixPath(document.name).suffix.lower()
    file_type = LABELS.get(suffix, plain)
    facts = [document.name, file_type]
    if document.date:
        facts.insert(1, document.date)
    if document.pages:
        facts.append(count(document.pages, "page"))
    facts.append(_size(document))
    if document.language not in ("", ENGLISH):
        facts.append(language_name(document.language))
    if document.furniture_lines:
        facts.append(f"{count(document.furniture_lines, 'line')} not searched")
    return facts


def _size(document: Entry) -> str:
    return count(document.characters, "character")
