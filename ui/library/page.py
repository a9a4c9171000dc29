"""The library page: documents are added, followed on their way, opened and removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from math import ceil
from typing import TYPE_CHECKING

import streamlit as st

from qa.documents.load import MAX_BYTES, READABLE_SUFFIXES
from qa.errors import FootnoteError
from qa.types import Document
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
from ui.state import library_documents

if TYPE_CHECKING:
    from qa.bot import Bot
    from qa.library.index import Index

TICK = 1.0
"""Seconds between two looks at the jobs."""
LONGEST_TITLE = 120
SEARCHED = 10
"""More documents than this have a search field."""
PAGE_SIZE = 50
"""Documents listed at once."""
HINT = (
    "Text, Markdown, HTML, PDF and Word files. A file with the same name replaces the old one. "
    "You can close this page: the files are still added."
)
INCOMPLETE = "Nothing was added. Please give a title and some text."
REINDEX_HINT = (
    "Only needed when the files of the embedding model have changed. Documents are split and "
    "embedded again; until that is complete, their old passages answer. To use another embedding "
    "model, close this page and run `footnote rebuild`."
)


def show(
    bot: Bot, job_queue: JobQueue, owner: str = "", on_read: Callable[[str], None] | None = None
) -> None:
    """Shows the body of the page, with the jobs of `owner`. `on_read` opens a document by name."""
    st.html(STATIC / "library.css")
    with st.container(key="library"):
        _show_upload(job_queue, owner)
        _show_jobs(job_queue, owner)
        try:
            documents = library_documents(bot)
        except FootnoteError as error:
            show_error("library-failure", str(error))
            return
        _show_documents(bot.index, documents, on_read)
        _show_reindex(job_queue, owner, documents)


def file_name(title: str) -> str:
    """Returns the file name of a pasted text with this title."""
    letters = [letter if letter.isalnum() or letter in " -_,()'" else "-" for letter in title]
    name = "".join(letters).strip(" -")
    return f"{name or 'pasted'}.txt"


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
    for file in st.session_state[key]:
        job_queue.submit(file.name, file.getvalue(), owner)
    # A new key makes an empty field, so that no file is added twice.
    _next_round("files")


def _show_paste(job_queue: JobQueue, owner: str) -> None:
    number = _round("paste")
    title_key, text_key = f"library-title-{number}", f"library-text-{number}"
    st.text_input("Title", key=title_key, max_chars=LONGEST_TITLE)
    st.text_area("Text", key=text_key, height=160)
    submit = partial(_submit_text, job_queue, owner, title_key, text_key)
    st.button("Add this text", key="library-paste", on_click=submit)
    if st.session_state.get("library-incomplete"):
        show_paragraph(INCOMPLETE, style="incomplete", role="alert")


def _submit_text(job_queue: JobQueue, owner: str, title_key: str, text_key: str) -> None:
    title = " ".join(st.session_state[title_key].split())
    text = st.session_state[text_key]
    incomplete = not title or not text.strip()
    st.session_state["library-incomplete"] = incomplete
    if not incomplete:
        job_queue.submit(file_name(title), text.encode("utf-8", "replace"), owner, title)
        _next_round("paste")


def _show_jobs(job_queue: JobQueue, owner: str) -> None:
    """Shows the jobs, again and again while one is active."""
    jobs = job_queue.jobs(owner)
    if not jobs:
        return
    # Without an active job nothing changes, and the browser asks for nothing.
    tick = TICK if any(job.active for job in jobs) else None
    st.fragment(_show_progress, run_every=tick)(job_queue, owner, _ended(jobs))


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
    if len(jobs) > len(shown):
        show_paragraph(f"and {len(jobs) - len(shown)} more")
    if ended:
        st.button("Clear finished", key="library-clear", on_click=job_queue.clear, args=(owner,))


def _show_job(job_queue: JobQueue, job: Job) -> None:
    with st.container(
        key=f"job-{job.id}", horizontal=True, wrap=False, vertical_alignment="center"
    ):
        st.html(job_html(job))
        if job.active and not job.cancelling:
            show_text(f"cancel-{job.id}", button_html("Cancel", job), job_queue.cancel)
        elif job.state in ("failed", "cancelled") and job.kept:
            show_text(f"retry-{job.id}", button_html("Try again", job), job_queue.retry)


def _ended(jobs: Sequence[Job]) -> int:
    return sum(not job.active for job in jobs)


def _show_documents(
    index: Index, documents: Sequence[Document], on_read: Callable[[str], None] | None
) -> None:
    _show_section("Your documents", len(documents))
    if not documents:
        show_paragraph("No documents yet. Add a file above, or paste text.")
        return
    matching = _search(documents) if len(documents) > SEARCHED else documents
    if not matching:
        show_paragraph("No documents found.", role="status")
        return
    shown = _page_of(matching) if len(matching) > PAGE_SIZE else matching

    def act(value: str) -> None:
        action, _, name = value.partition(":")
        if action == "remove":
            st.session_state["library-removing"] = name
        elif on_read:
            on_read(name)

    html = _style("documents") + documents_html(shown, on_read is not None)
    show_text("library-documents", html, act, st.session_state.pop("library-removed", ""))
    removing = st.session_state.get("library-removing")
    for document in documents:
        if document.name == removing:
            # Opened in every run until it is answered: a job that ends would close it.
            dialog = st.dialog("Remove this document?", on_dismiss=_end_removal)
            dialog(_confirm_removal)(index, document)


@cache
def _style(name: str) -> str:
    """Returns styles for HTML in a component, which the styles of the page do not reach."""
    return f"<style>{(STATIC / f'{name}.css').read_text(encoding='utf-8')}</style>"


def _confirm_removal(index: Index, document: Document) -> None:
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


def _search(documents: Sequence[Document]) -> list[Document]:
    """Returns the documents that have all the words of the search field."""
    search = st.text_input("Search by title, publisher or name", key="library-search")
    words = search.casefold().split()
    matching = []
    for document in documents:
        fields = [document.title, document.publisher or "", document.name]
        searched = " ".join(fields).casefold()
        if all(word in searched for word in words):
            matching.append(document)
    return matching


def _page_of(documents: Sequence[Document]) -> Sequence[Document]:
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


def _show_reindex(job_queue: JobQueue, owner: str, documents: Sequence[Document]) -> None:
    if not documents:
        return
    with st.expander("Rebuild search index"):
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
        st.button("Rebuild", key="library-reindex", on_click=reindex)


def _reindex(job_queue: JobQueue, owner: str, names: Sequence[str]) -> None:
    # A double click arrives twice.
    active = {job.name for job in job_queue.jobs(owner) if job.active}
    for name in names:
        if name not in active:
            job_queue.reindex(name, owner)


def _labels(documents: Sequence[Document]) -> dict[str, str]:
    """Returns titles by name, with the name where several documents have the same title."""
    times = Counter(document.title for document in documents)
    labels = {}
    for document in documents:
        name, title = document.name, document.title
        labels[name] = title if times[title] == 1 else f"{title} ({name})"
    return labels


def _show_section(title: str, number: int | None = None, text: str = "") -> None:
    st.html(render("section.html", title=title, number=number, text=text))


def _round(field: str) -> int:
    return int(st.session_state.get(f"library-round-{field}", 0))


def _next_round(field: str) -> None:
    st.session_state[f"library-round-{field}"] = _round(field) + 1
