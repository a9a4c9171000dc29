"""The library page: documents are added, followed on their way, read, removed and embedded again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

import streamlit as st

from qa.documents.load import MAX_BYTES, READABLE_SUFFIXES
from qa.errors import FootnoteError
from qa.types import Document
from ui.chat.render import error_html
from ui.components import STATIC, show_text
from ui.library.render import (
    button_html,
    documents_html,
    job_html,
    removal_html,
    shown_jobs,
    summary_html,
)
from ui.library.worker import Intake, Job
from ui.state import documents as library_of

if TYPE_CHECKING:
    from qa.bot import Bot
    from qa.library.index import Index

TICK = 1.0
"""Seconds between two looks at what is under way."""
LONGEST_TITLE = 120
SEARCHED = 10
"""More documents than this have a search field."""
PAGE = 50
"""Documents listed at once."""
HINT = (
    "Text, Markdown, HTML, PDF and Word files. A file takes the place of an earlier one of the same name. What is "
    "under way goes on when this page is closed."
)
LACKING = "Nothing was added: give it a title, and paste some text."
AGAIN = (
    "A document is cut into passages and embedded anew from the text that the library holds; until that is complete, "
    "its old passages answer. It changes something only where the embedding model's files have changed: a library "
    "made with another model, or cut otherwise, is rebuilt whole, with the page closed, by `python -m qa rebuild`."
)


def show(
    bot: Bot, intake: Intake, owner: str = "", on_read: Callable[[str], None] | None = None
) -> None:
    """The body of the page. `owner`: whose jobs are shown; `on_read` opens the document of a name."""
    st.html(STATIC / "library.css")
    with st.container(key="library"):
        _show_adding(intake, owner)
        _show_jobs(intake, owner)
        try:
            documents = library_of(bot)
        except FootnoteError as error:
            show_text("library-failure", error_html(str(error)))
            return
        _show_documents(bot.index, documents, on_read)
        _offer_again(intake, owner, documents)


@cache
def _style(name: str) -> str:
    """Styles for what stands in a component, which those of the page do not reach."""
    return f"<style>{(STATIC / f'{name}.css').read_text(encoding='utf-8')}</style>"


def _show_adding(intake: Intake, owner: str) -> None:
    st.html(f'<h2 class="section">Add documents</h2><p class="hint">{HINT}</p>')
    key = f"library-files-{_round('files')}"
    st.file_uploader(
        "Files",
        type=list(READABLE_SUFFIXES),
        accept_multiple_files=True,
        key=key,
        on_change=partial(_take_files, intake, owner, key),
        max_upload_size=MAX_BYTES // 1_000_000,
    )
    with st.expander("Paste a text"):
        _show_paste(intake, owner)


def _take_files(intake: Intake, owner: str, key: str) -> None:
    for file in st.session_state[key]:
        intake.submit(file.name, file.getvalue(), owner)
    # A new key is an empty field: what was taken is not taken again.
    _next_round("files")


def _show_paste(intake: Intake, owner: str) -> None:
    number = _round("paste")
    keys = f"library-title-{number}", f"library-text-{number}"
    st.text_input("Title", key=keys[0], max_chars=LONGEST_TITLE)
    st.text_area("Text", key=keys[1], height=160)
    st.button(
        "Add this text", key="library-paste", on_click=partial(_take_text, intake, owner, *keys)
    )
    if st.session_state.get("library-lacking"):
        st.html(f'<p class="lacking" role="alert">{LACKING}</p>')


def _take_text(intake: Intake, owner: str, title_key: str, text_key: str) -> None:
    title, text = " ".join(st.session_state[title_key].split()), st.session_state[text_key]
    st.session_state["library-lacking"] = lacking = not title or not text.strip()
    if lacking:
        return
    intake.submit(pasted_name(title), text.encode("utf-8", "replace"), owner, title)
    _next_round("paste")


def pasted_name(title: str) -> str:
    """The file name that a pasted text of this title has in the library."""
    kept = "".join(letter if letter.isalnum() or letter in " -_,()'" else "-" for letter in title)
    return f"{kept.strip(' -') or 'pasted'}.txt"


def _show_jobs(intake: Intake, owner: str) -> None:
    """The jobs, looked at again and again while one of them is under way."""
    jobs = intake.jobs(owner)
    if not jobs:
        return
    tick = TICK if any(job.under_way for job in jobs) else None
    st.fragment(_show_progress, run_every=tick)(intake, owner, _ended(jobs))


def _show_progress(intake: Intake, owner: str, ended: int) -> None:
    """`ended`: how many were over when the page was drawn. Another number changes the rest of the page too."""
    jobs = intake.jobs(owner)
    if _ended(jobs) != ended:
        st.rerun()
    st.html('<h2 class="section">Progress</h2>' + summary_html(jobs))
    shown = shown_jobs(jobs)
    for job in shown:
        _show_job(intake, job)
    if len(jobs) > len(shown):
        st.html(f'<p class="hint">and {len(jobs) - len(shown)} more</p>')
    if ended:
        st.button("Clear finished", key="library-clear", on_click=intake.clear, args=(owner,))


def _show_job(intake: Intake, job: Job) -> None:
    with st.container(
        key=f"job-{job.id}", horizontal=True, wrap=False, vertical_alignment="center"
    ):
        st.html(job_html(job))
        if job.under_way and not job.cancelling:
            show_text(f"cancel-{job.id}", button_html("Cancel", job), intake.cancel)
        elif job.state in ("failed", "cancelled") and job.kept:
            show_text(f"retry-{job.id}", button_html("Try again", job), intake.retry)


def _ended(jobs: Sequence[Job]) -> int:
    return sum(not job.under_way for job in jobs)


def _show_documents(
    index: Index, documents: Sequence[Document], on_read: Callable[[str], None] | None
) -> None:
    st.html(
        f'<h2 class="section">In the library <span class="count">{len(documents):,}</span></h2>'
    )
    if not documents:
        st.html('<p class="hint">Nothing yet. Add a file above, or paste a text.</p>')
        return
    found = _searched(documents) if len(documents) > SEARCHED else documents
    shown = _paged(found) if len(found) > PAGE else found
    if not found:
        st.html('<p class="hint" role="status">No title, publisher or name has these words.</p>')
        return

    def act(told: str) -> None:
        action, _, name = told.partition(":")
        if action == "remove":
            st.session_state["library-removing"] = name
        elif on_read:
            on_read(name)

    announced = st.session_state.pop("library-removed", "")
    show_text(
        "library-documents",
        _style("documents") + documents_html(shown, on_read is not None),
        act,
        announced,
    )
    removing = st.session_state.get("library-removing")
    if document := next((document for document in documents if document.name == removing), None):
        # Called in every run until it is answered: else what is added meanwhile would close it.
        st.dialog("Remove this document?", on_dismiss=_keep)(_ask_removal)(index, document)


def _ask_removal(index: Index, document: Document) -> None:
    st.html(removal_html(document))
    with st.container(horizontal=True):
        removed = st.button("Remove", key="library-remove")
        kept = st.button("Keep it", key="library-keep", on_click=_keep)
    if removed:
        try:
            index.remove(document.name)
        except FootnoteError as error:
            show_text("library-remove-failure", error_html(str(error)))
            return
        st.session_state["library-removed"] = f"{document.title} was removed."
        _keep()
    if removed or kept:
        st.rerun()


def _keep() -> None:
    st.session_state["library-removing"] = None


def _searched(documents: Sequence[Document]) -> list[Document]:
    """The documents that have all the words of the search field in title, publisher or name."""
    words = (
        st.text_input("Search by title, publisher or name", key="library-search").casefold().split()
    )
    told = {
        document.name: f"{document.title} {document.publisher or ''} {document.name}"
        for document in documents
    }
    return [one for one in documents if all(word in told[one.name].casefold() for word in words)]


def _paged(documents: Sequence[Document]) -> Sequence[Document]:
    pages = -(-len(documents) // PAGE)
    page = st.selectbox(
        "Page",
        range(1, pages + 1),
        format_func=lambda page: f"{page} of {pages}",
        key=f"library-page-{pages}",
    )
    return documents[(page - 1) * PAGE : page * PAGE]


def _offer_again(intake: Intake, owner: str, documents: Sequence[Document]) -> None:
    if not documents:
        return
    with st.expander("Index again"):
        st.markdown(AGAIN)
        titles = _titles(documents)
        name = st.selectbox(
            "Document", ["", *titles], format_func=lambda name: titles.get(name, "All documents")
        )
        st.button(
            "Index again",
            key="library-again",
            on_click=_renew,
            args=(intake, owner, name, list(titles)),
        )


def _renew(intake: Intake, owner: str, name: str, names: Sequence[str]) -> None:
    waiting = {job.name for job in intake.jobs(owner) if job.under_way}
    for one in [name] if name else names:
        if one not in waiting:
            intake.renew(one, owner)


def _titles(documents: Sequence[Document]) -> dict[str, str]:
    """By name: the title, with the name where another document has the same one."""
    same = Counter(document.title for document in documents)
    return {
        one.name: f"{one.title} ({one.name})" if same[one.title] > 1 else one.title
        for one in documents
    }


def _round(field: str) -> int:
    return int(st.session_state.get(f"library-round-{field}", 0))


def _next_round(field: str) -> None:
    st.session_state[f"library-round-{field}"] = _round(field) + 1
