"""The library page: documents are added, followed on their way, opened and removed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from math import ceil
from typing import TYPE_CHECKING

import streamlit as st

from qa.documents.load import FILE_TYPES, MAX_BYTES, READABLE_SUFFIXES
from qa.errors import FootnoteError
from qa.library.catalog import Entry
from ui.components import STATIC, show_error, show_paragraph, show_text
from ui.jinja import render
from ui.library.render import (
    button_html,
    documents_html,
    job_html,
    removal_html,
    shown_jobs,
    summary,
)
from ui.library.worker import Job, JobQueue
from ui.state import library_entries

if TYPE_CHECKING:
    from qa.bot import Bot
    from qa.library.index import Index

TICK = 1.0
"""Seconds between two looks at the jobs."""
MAX_TITLE = 120
SEARCHED = 10
"""More documents than this have a search field."""
PAGE_SIZE = 50
"""Documents listed at once."""
HINT = (
    f"Types: {', '.join(row.label for row in FILE_TYPES)}. "
    "A file with the same name replaces the old one. "
    "You can close this page: the files are still added."
)
INCOMPLETE = "Nothing was added. Please give a title and some text."
REINDEX_HINT = (
    "Only needed when the files of the embedding model have changed. Documents are split and "
    "embedded again; until that is complete, their old passages answer. To rebuild the whole "
    "library for another embedding model, close this page and run `footnote rebuild`."
)

_NOT_IN_NAME = re.compile(r"[^\w ,()'-]")
"""Characters that the file name of a pasted text does not have."""


def show(
    bot: Bot, job_queue: JobQueue, owner: str = "", on_read: Callable[[str], None] | None = None
) -> None:
    """Shows the body of the page, with the jobs of `owner`. `on_read` opens a document by name."""
    st.html(STATIC / "library.css")
    with st.container(key="library"):
        _show_upload(job_queue, owner)
        _show_jobs(job_queue, owner)
        try:
            documents = library_entries(bot)
        except FootnoteError as error:
            show_error("library-failure", str(error))
            return
        _show_documents(bot.index, documents, on_read)
        _show_reindex(job_queue, owner, documents)


def file_name(title: str) -> str:
    """Returns the file name of a pasted text with this title."""
    # A slash or a colon in a title must not become part of a path.
    letters = _NOT_IN_NAME.sub("-", title)
    name = letters.strip(" -") or "pasted"
    return f"{name}.txt"


def _show_upload(job_queue: JobQueue, owner: str) -> None:
    _show_section("Add documents", text=HINT)
    key = f"library-files-{_round('files')}"
    st.file_uploader(
        "Files",
        type=list(READABLE_SUFFIXES),
        accept_multiple_files=True,
        key=key,
        on_change=partial(_submit_files, job_queue, owner, key),
        max_upload_size=MAX_BYTES // 1_000_000,
    )
    with st.expander("Paste text"):
        _show_paste(job_queue, owner)


def _submit_files(job_queue: JobQueue, owner: str, key: str) -> None:
    files = st.session_state[key]
    for file in files:
        data = file.getvalue()
        job_queue.submit(file.name, data, owner)
    # A new key makes an empty field, so that no file is added twice.
    _next_round("files")


def _show_paste(job_queue: JobQueue, owner: str) -> None:
    number = _round("paste")
    title_key = f"library-title-{number}"
    text_key = f"library-text-{number}"
    st.text_input("Title", key=title_key, max_chars=MAX_TITLE)
    st.text_area("Text", key=text_key, height=160)
    submit = partial(_submit_text, job_queue, owner, title_key, text_key)
    st.button("Add this text", key="library-paste", on_click=submit)
    if st.session_state.get("library-incomplete"):
        show_paragraph(INCOMPLETE, style="incomplete", role="alert")


def _submit_text(job_queue: JobQueue, owner: str, title_key: str, text_key: str) -> None:
    words = st.session_state[title_key].split()
    title = " ".join(words)
    text = st.session_state[text_key]
    incomplete = not title or not text.strip()
    st.session_state["library-incomplete"] = incomplete
    if incomplete:
        return
    # A browser can send half a surrogate pair, which UTF-8 cannot hold.
    data = text.encode("utf-8", "replace")
    job_queue.submit(file_name(title), data, owner, title)
    _next_round("paste")


def _show_jobs(job_queue: JobQueue, owner: str) -> None:
    """Shows the jobs, again and again while one is active."""
    jobs = job_queue.jobs(owner)
    if not jobs:
        return
    # Without an active job nothing changes, and the browser asks for nothing.
    ended = _ended(jobs)
    tick = TICK if ended < len(jobs) else None
    fragment = st.fragment(_show_progress, run_every=tick)
    fragment(job_queue, owner, ended)


def _show_progress(job_queue: JobQueue, owner: str, ended: int) -> None:
    """Shows the jobs. `ended`: how many had ended when the whole page was last shown."""
    jobs = job_queue.jobs(owner)
    if _ended(jobs) != ended:
        # The list of documents below has changed too.
        st.rerun()
    _show_section("Progress")
    show_paragraph(summary(jobs), style="summary", role="status")
    shown = shown_jobs(jobs)
    for job in shown:
        _show_job(job_queue, job)
    left_out = len(jobs) - len(shown)
    if left_out:
        show_paragraph(f"and {left_out} more")
    if ended:
        st.button("Clear finished", key="library-clear", on_click=job_queue.clear, args=(owner,))


def _show_job(job_queue: JobQueue, job: Job) -> None:
    row = st.container(
        key=f"job-{job.id}",
        horizontal=True,
        wrap=False,
        vertical_alignment="center",
    )
    with row:
        st.html(job_html(job))
        if job.active and not job.cancelling:
            button = button_html("Cancel", job)
            show_text(f"cancel-{job.id}", button, job_queue.cancel)
        elif job.state in ("failed", "cancelled") and job.can_retry:
            button = button_html("Try again", job)
            show_text(f"retry-{job.id}", button, job_queue.retry)


def _ended(jobs: Sequence[Job]) -> int:
    active = [job for job in jobs if job.active]
    return len(jobs) - len(active)


def _show_documents(
    index: Index, documents: Sequence[Entry], on_read: Callable[[str], None] | None
) -> None:
    _show_section("Your documents", len(documents))
    if not documents:
        show_paragraph("No documents yet. Add a file above, or paste text.")
        return
    matching = documents
    if len(documents) > SEARCHED:
        matching = _search(documents)
    if not matching:
        show_paragraph("No documents found.", role="status")
        return
    shown = matching
    if len(matching) > PAGE_SIZE:
        shown = _page_of(matching)

    def act(value: str) -> None:
        action, _, name = value.partition(":")
        if action == "remove":
            st.session_state["library-removing"] = name
        elif on_read:
            on_read(name)

    can_read = on_read is not None
    html = _style("documents") + documents_html(shown, can_read)
    # Announced once: the next run of the page is about something else.
    announcement = st.session_state.pop("library-removed", "")
    show_text("library-documents", html, act, announcement)

    removing = st.session_state.get("library-removing")
    for document in documents:
        if document.name == removing:
            # Opened in every run until it is answered: a job that ends would close it.
            dialog = st.dialog("Remove this document?", on_dismiss=_end_removal)
            dialog(_confirm_removal)(index, document)


@cache
def _style(name: str) -> str:
    """Returns styles for HTML in a component, which the styles of the page do not reach."""
    path = STATIC / f"{name}.css"
    css = path.read_text(encoding="utf-8")
    return f"<style>{css}</style>"


def _confirm_removal(index: Index, document: Entry) -> None:
    st.html(removal_html(document))
    with st.container(horizontal=True):
        remove = st.button("Remove", key="library-remove")
        cancel = st.button("Cancel", key="library-keep", on_click=_end_removal)
    if remove:
        try:
            index.remove(document.name)
        except FootnoteError as error:
            show_error("library-remove-failure", str(error))
            return
        st.session_state["library-removed"] = f"{document.title} was removed."
        _end_removal()
    if remove or cancel:
        st.rerun()


def _end_removal() -> None:
    st.session_state["library-removing"] = None


def _search(documents: Sequence[Entry]) -> list[Entry]:
    """Returns the documents that have all the words of the search field."""
    search = st.text_input("Search by title, publisher or name", key="library-search")
    words = search.casefold().split()
    matching = []
    for document in documents:
        publisher = document.publisher or ""
        fields = f"{document.title} {publisher} {document.name}".casefold()
        if all(word in fields for word in words):
            matching.append(document)
    return matching


def _page_of(documents: Sequence[Entry]) -> Sequence[Entry]:
    pages = ceil(len(documents) / PAGE_SIZE)
    # A key for each number of pages: a page that no longer exists must not stay chosen.
    page = st.selectbox(
        "Page",
        range(1, pages + 1),
        format_func=lambda page: f"{page} of {pages}",
        key=f"library-page-{pages}",
    )
    end = page * PAGE_SIZE
    return documents[end - PAGE_SIZE : end]


def _show_reindex(job_queue: JobQueue, owner: str, documents: Sequence[Entry]) -> None:
    if not documents:
        return
    with st.expander("Index documents again"):
        st.markdown(REINDEX_HINT)
        labels = _labels(documents)
        # The empty name stands for all documents.
        name = st.selectbox(
            "Document",
            ["", *labels],
            format_func=lambda name: labels.get(name, "All documents"),
        )
        names = [name] if name else list(labels)
        reindex = partial(_reindex, job_queue, owner, names)
        st.button("Index again", key="library-reindex", on_click=reindex)


def _reindex(job_queue: JobQueue, owner: str, names: Sequence[str]) -> None:
    jobs = job_queue.jobs(owner)
    active = {job.name for job in jobs if job.active}
    for name in names:
        # A double click arrives twice.
        if name not in active:
            job_queue.reindex(name, owner)


def _labels(documents: Sequence[Entry]) -> dict[str, str]:
    """Returns titles by name, with the name where several documents have the same title."""
    times = Counter(document.title for document in documents)
    labels = {}
    for document in documents:
        label = document.title
        if times[document.title] > 1:
            label = f"{label} ({document.name})"
        labels[document.name] = label
    return labels


def _show_section(title: str, number: int | None = None, text: str = "") -> None:
    section = render("section.html", title=title, number=number, text=text)
    st.html(section)


def _round(field: str) -> int:
    """Returns how often the field was emptied: a part of its key, since a new key is empty."""
    key = f"library-round-{field}"
    return int(st.session_state.get(key, 0))


def _next_round(field: str) -> None:
    key = f"library-round-{field}"
    st.session_state[key] = _round(field) + 1
