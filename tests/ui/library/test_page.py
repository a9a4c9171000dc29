"""The library page without a browser: what it shows and escapes, and what its buttons do."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qa.bot import Bot
from qa.types import Document
from tests.qa.fakes import entry_of, text_document, word_bot
from tests.ui.pages import shown
from ui.library.page import file_name
from ui.library.render import (
    MAX_JOBS,
    button_html,
    documents_html,
    job_html,
    removal_html,
    shown_jobs,
    summary,
)
from ui.library.worker import Job, JobQueue

HOSTILE = '<img src=x onerror="1">.txt'
HOSTILE_DOCUMENT = Document(HOSTILE, "/x", HOSTILE, "Text.", HOSTILE)
JOB = Job("7", "a.txt", "")
PETS = text_document("Cats sleep.", "pets.txt", "Pets")


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return word_bot(tmp_path, PETS)


@pytest.fixture
def queue(bot: Bot) -> JobQueue:
    return JobQueue(lambda: bot.index)


@pytest.fixture
def page(bot: Bot, queue: JobQueue) -> AppTest:
    # Its source runs by itself, without the names of this module.
    def script(bot: "Bot", queue: "JobQueue") -> None:
        import streamlit as st

        from ui.library import page as library

        def read(name: str) -> None:
            st.session_state["read"] = name

        library.show(bot, queue, "ann", read)

    return AppTest.from_function(script, default_timeout=10, args=(bot, queue)).run()


def ended_jobs(queue: JobQueue) -> list[Job]:
    """Returns the jobs, as soon as all have ended."""
    deadline = time.monotonic() + 10
    while any(job.active for job in queue.jobs()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return list(queue.jobs())


def test_page_lists_the_documents(page: AppTest) -> None:
    assert not page.exception
    assert 'aria-label="Open Pets"' in shown(page)
    assert "<bdi>pets.txt</bdi> · <bdi>Text</bdi> · <bdi>11 characters</bdi>" in shown(page)
    assert "Progress" not in shown(page)


def test_page_shows_and_clears_only_the_owners_jobs(page: AppTest, queue: JobQueue) -> None:
    queue.submit("mine.txt", b"Dogs bark.", "ann")
    queue.submit("yours.txt", b"Birds sing.", "bob")
    ended_jobs(queue)
    page.run()
    assert '<p class="of"><bdi>mine.txt</bdi></p>' in shown(page)
    assert '<p class="of"><bdi>yours.txt</bdi></p>' not in shown(page)
    assert "1 of 1 document finished" in shown(page)
    page.button(key="library-clear").click().run()
    assert "Progress" not in shown(page)
    assert [job.owner for job in queue.jobs()] == ["bob"]


def test_pasted_text_without_title_is_not_added(page: AppTest, queue: JobQueue) -> None:
    page.text_area(key="library-text-0").set_value("Dogs bark.").run()
    page.button(key="library-paste").click().run()
    assert "Nothing was added" in shown(page)
    assert page.text_area(key="library-text-0").value == "Dogs bark."
    assert queue.jobs() == ()


def test_pasted_text_is_added_once(page: AppTest, bot: Bot, queue: JobQueue) -> None:
    page.text_area(key="library-text-0").set_value("Dogs bark.").run()
    page.text_input(key="library-title-0").set_value("On  dogs/cats").run()
    page.button(key="library-paste").click().run()
    page.run()
    assert "Nothing was added" not in shown(page)
    assert page.text_area(key="library-text-1").value == ""
    assert [job.document for job in ended_jobs(queue)] == ["On dogs-cats.txt"]
    assert [document.title for document in bot.index.documents()] == ["On dogs/cats", "Pets"]


@pytest.mark.slow
def test_many_documents_are_searched_and_paged(page: AppTest, bot: Bot) -> None:
    for number in range(60):
        document = text_document(f"Text {number}.", f"{number:02}.txt", f"Title {number}")
        bot.index.add(replace(document, publisher="Zoo"))
    page.run()
    assert shown(page).count('data-open="remove:') == 50
    page.selectbox(key="library-page-2").set_value(2).run()
    assert shown(page).count('data-open="remove:') == 11
    page.text_input(key="library-search").set_value("zoo 07").run()
    assert shown(page).count('data-open="remove:') == 1
    assert 'data-open="remove:07.txt"' in shown(page)
    page.text_input(key="library-search").set_value("whale").run()
    assert "No documents found." in shown(page)


def test_reindex_embeds_again_and_a_rerun_does_not(
    page: AppTest, bot: Bot, queue: JobQueue
) -> None:
    documents, generation = bot.index.documents(), bot.index.generation
    page.run()
    assert bot.index.generation == generation
    page.button(key="library-reindex").click().run()
    assert [(job.name, job.result) for job in ended_jobs(queue)] == [("pets.txt", "indexed")]
    assert bot.index.documents() == documents
    assert bot.index.generation != generation


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (JOB, "Waiting…"),
        (replace(JOB, state="reading"), "Reading…"),
        (replace(JOB, state="embedding", done=64, total=1200), "Indexing 64 of 1,200 passages"),
        (replace(JOB, state="embedding", done=9, total=9), "Saving…"),
        (replace(JOB, state="embedding", cancelling=True), "Cancelling…"),
        (replace(JOB, state="cancelled"), "The library is unchanged."),
        (replace(JOB, state="cancelled", can_retry=False), "choose the file again"),
        (
            replace(JOB, state="failed", reason="a.txt is empty."),
            "<strong>Not added.</strong> a.txt is empty.",
        ),
        (replace(JOB, state="failed", can_retry=False), "choose the file again"),
        (
            replace(JOB, state="done", result="added", document="a.txt"),
            '<p class="state">Added</p>',
        ),
        (
            replace(JOB, state="done", result="added", document="b/a.txt"),
            "Added: <bdi>b/a.txt</bdi>",
        ),
        (
            replace(JOB, state="done", result="twin", document="b.txt"),
            "Already in the library under another name: <bdi>b.txt</bdi>",
        ),
        (replace(JOB, state="done", result="unchanged", document="a.txt"), "unchanged"),
        (
            replace(JOB, state="done", result="replaced", document="a.txt"),
            "Replaced the old version",
        ),
        (replace(JOB, state="done", result="indexed", document="a.txt"), "Indexed again"),
    ],
)
def test_job_says_how_far_it_is(job: Job, words: str) -> None:
    assert words in job_html(job)


def test_summary_counts_the_ended_jobs() -> None:
    ended = [replace(JOB, state="done"), replace(JOB, state="failed")]
    cancelled = replace(JOB, state="cancelled")
    assert summary([JOB, *ended, cancelled]) == "3 of 4 documents finished · 1 failed · 1 cancelled"


def test_too_many_jobs_keep_the_failed_and_active() -> None:
    done = [Job(f"d{number}", "d", "", "done") for number in range(MAX_JOBS)]
    failed, embedding = Job("f", "f", "", "failed"), Job("e", "e", "", "embedding")
    shown = shown_jobs([*done, failed, embedding])
    assert shown == (*done[: MAX_JOBS - 2], failed, embedding)


@pytest.mark.parametrize(
    "html",
    [
        job_html(Job("7", HOSTILE, "", "failed", reason=f"{HOSTILE} is empty.")),
        job_html(Job("7", HOSTILE, "", "embedding", 1, 2)),
        job_html(Job("7", "a", "", "done", result="twin", document=HOSTILE)),
        button_html("Cancel", Job("7", HOSTILE, "")),
        documents_html([entry_of(HOSTILE_DOCUMENT)], readable=True),
        removal_html(entry_of(HOSTILE_DOCUMENT)),
    ],
)
def test_every_text_is_escaped(html: str) -> None:
    assert "&lt;img src=x onerror=&#34;1&#34;&gt;" in html
    assert "<img" not in html


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("On dogs", "On dogs.txt"),
        ("../../etc/passwd", "etc-passwd.txt"),
        ("???", "pasted.txt"),
        ("Où? 水", "Où- 水.txt"),
    ],
)
def test_file_name_of_a_pasted_text_is_its_title(title: str, name: str) -> None:
    assert file_name(title) == name


def test_documents_show_their_pages() -> None:
    paged = Document("a.pdf", "/a.pdf", "A", "x" * 1500, pages=(0, 700))
    html = documents_html([entry_of(paged)], readable=False)
    assert "<bdi>PDF</bdi> · <bdi>2 pages</bdi> · <bdi>1,500 characters</bdi>" in html
