"""The library page's HTML: jobs and documents. Every name, title and reason is escaped: they are untrusted."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import PurePosixPath
from typing import Final

from qa.types import Document
from ui.library.worker import Job, Outcome

KINDS: Final = {
    ".txt": "Text",
    ".text": "Text",
    ".md": "Markdown",
    ".markdown": "Markdown",
    ".html": "HTML",
    ".pdf": "PDF",
    ".docx": "Word",
}
OUTCOMES: Final[dict[Outcome, str]] = {
    "added": "Added",
    "replaced": "Replaced the earlier version",
    "unchanged": "Already in the library, unchanged",
    "twin": "Not added: the library has the very same text",
    "indexed": "Indexed again",
}
ROWS = 50
"""Jobs shown at once."""


def summary_html(jobs: Sequence[Job]) -> str:
    """How far it all is, said by screen readers whenever a job ends."""
    states = Counter(job.state for job in jobs)
    finished = states["done"] + states["failed"] + states["cancelled"]
    told = [f"{finished} of {_count(len(jobs), 'document')} finished"]
    told += [f"{states[state]} {state}" for state in ("failed", "cancelled") if states[state]]
    return f'<p class="summary" role="status">{" · ".join(told)}</p>'


def shown_jobs(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """The jobs there is room for, in order: what failed and what is under way before what is done or waits."""
    ranks = {"reading": 0, "embedding": 0, "failed": 1, "cancelled": 2, "waiting": 3, "done": 4}
    first = {job.id for job in sorted(jobs, key=lambda job: ranks[job.state])[:ROWS]}
    return tuple(job for job in jobs if job.id in first)


def job_html(job: Job) -> str:
    """A job's name, and how far it is or what came of it."""
    name = f"<bdi>{escape(job.name)}</bdi>"
    return f'<div class="job {job.state}"><p class="of">{name}</p>{_state_html(job)}</div>'


def button_html(action: str, job: Job) -> str:
    """A job's button."""
    return (
        f'<button type="button" class="act" data-open="{escape(job.id)}" '
        f'aria-label="{action}: {escape(job.name)}">{action}</button>'
    )


def documents_html(documents: Sequence[Document], readable: bool) -> str:
    """Documents with their buttons: `data-open` is "read" or "remove" and the name, with a colon between."""
    items = "".join(_document_html(document, readable) for document in documents)
    return f'<ul class="library" aria-label="Documents">{items}</ul>'


def removal_html(document: Document) -> str:
    """What is asked before a document goes."""
    return (
        f'<p class="removal"><bdi>{escape(document.title)}</bdi> ({escape(document.name)}, {_size(document)}) goes '
        "from the library. Answers keep the words that they cite from it.</p>"
    )


def _state_html(job: Job) -> str:
    if job.state == "failed":
        again = (
            ""
            if job.kept
            else " Its bytes are no longer held: to try again, choose the file again."
        )
        return f'<p class="state"><strong>Not added.</strong> {escape(job.reason)}{again}</p>'
    if job.state == "done" and job.outcome:
        return f'<p class="state">{OUTCOMES[job.outcome]}{_named_html(job)}</p>'
    if job.state == "cancelled":
        again = "" if job.kept else " To add it, choose the file again."
        return f'<p class="state">Cancelled. The library is as before.{again}</p>'
    if job.cancelling:
        return '<p class="state">Cancelling…</p>'
    if job.state == "embedding":
        return _progress_html(job)
    return f'<p class="state">{"Waiting" if job.state == "waiting" else "Reading…"}</p>'


def _named_html(job: Job) -> str:
    """The name in the library, where it is not the file's."""
    if job.outcome == "twin":
        return f" as <bdi>{escape(job.document)}</bdi>"
    return f", as <bdi>{escape(job.document)}</bdi>" if job.document != job.name else ""


def _progress_html(job: Job) -> str:
    written = job.done >= job.total
    told = "Writing…" if written else f"Embedding: {job.done:,} of {_count(job.total, 'passage')}"
    bar = f'<progress max="{job.total}" value="{job.done}" aria-label="Progress of {escape(job.name)}"></progress>'
    return f'{bar}<p class="state">{told}</p>'


def _document_html(document: Document, readable: bool) -> str:
    title, name = escape(document.title), escape(document.name)
    publisher = (
        f'<p class="publisher"><bdi>{escape(document.publisher)}</bdi></p>'
        if document.publisher
        else ""
    )
    facts = [f"<bdi>{name}</bdi>", _kind(document), *_pages(document), _size(document)]
    buttons = [("Read", "read")] if readable else []
    actions = "".join(
        f'<button type="button" class="act" data-open="{action}:{name}" aria-label="{label} {title}">{label}</button>'
        for label, action in [*buttons, ("Remove", "remove")]
    )
    return (
        f'<li><div class="of"><p class="title"><bdi>{title}</bdi></p>{publisher}'
        f'<p class="publisher">{" · ".join(facts)}</p></div><div class="acts">{actions}</div></li>'
    )


def _kind(document: Document) -> str:
    suffix = PurePosixPath(document.name).suffix.lower()
    return KINDS.get(suffix, "Markdown" if document.markdown else "Text")


def _pages(document: Document) -> list[str]:
    return [_count(len(document.pages), "page")] if document.pages else []


def _size(document: Document) -> str:
    return _count(len(document.text), "character")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
