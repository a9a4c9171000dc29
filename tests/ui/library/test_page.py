"""The library page without a browser: what it shows, what it escapes, what its buttons do."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qa.bot import Bot
from qa.types import Document
from tests.qa.fakes import text_document, word_bot
from ui.library.page import pasted_name
from ui.library.render import (
    ROWS,
    button_html,
    documents_html,
    job_html,
    removal_html,
    shown_jobs,
    summary_html,
)
from ui.library.worker import Intake, Job

HOSTILE = '<img src=x onerror="1">.txt'
JOB = Job("7", "a.txt", "")
PETS = text_document("Cats sleep.", "pets.txt", "Pets")


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return word_bot(tmp_path, PETS)


@pytest.fixture
def intake(bot: Bot) -> Intake:
    return Intake(lambda: bot.index)


@pytest.fixture
def page(bot: Bot, intake: Intake) -> AppTest:
    def script(
        bot: "Bot", intake: "Intake"
    ) -> None:  # its source runs by itself, without these names
        import streamlit as st

        from ui.library import page as library

        def read(name: str) -> None:
            st.session_state["read"] = name

        library.show(bot, intake, "ann", read)

    return AppTest.from_function(script, default_timeout=10, args=(bot, intake)).run()


def shown(page: AppTest) -> str:
    """All the page's HTML: Streamlit's own html elements and our components' data."""
    ours = [json.loads(element.proto.json)["html"] for element in page.get("bidi_component")]
    return "\n".join([*(element.proto.body for element in page.get("html")), *ours])


def ended(intake: Intake) -> list[Job]:
    end = time.monotonic() + 10
    while any(job.under_way for job in intake.jobs()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return list(intake.jobs())


def test_the_library_is_listed(page: AppTest) -> None:
    assert not page.exception
    assert 'aria-label="Read Pets"' in shown(page)
    assert "pets.txt</bdi> · Text · 11 characters" in shown(page)
    assert "Progress" not in shown(page)


def test_only_ones_own_jobs_are_shown(page: AppTest, intake: Intake) -> None:
    intake.submit("mine.txt", b"Dogs bark.", "ann")
    intake.submit("yours.txt", b"Birds sing.", "bob")
    ended(intake)
    page.run()
    assert '<p class="of"><bdi>mine.txt</bdi></p>' in shown(page)
    assert '<p class="of"><bdi>yours.txt</bdi></p>' not in shown(page)
    assert "1 of 1 document finished" in shown(page)
    page.button(key="library-clear").click().run()
    assert "Progress" not in shown(page)
    assert [job.owner for job in intake.jobs()] == ["bob"]


def test_a_pasted_text_needs_a_title_and_is_taken_once(
    page: AppTest, bot: Bot, intake: Intake
) -> None:
    page.text_area(key="library-text-0").set_value("Dogs bark.").run()
    page.button(key="library-paste").click().run()
    assert "Nothing was added" in shown(page)
    assert page.text_area(key="library-text-0").value == "Dogs bark."
    page.text_input(key="library-title-0").set_value("On  dogs/cats").run()
    page.button(key="library-paste").click().run()
    page.run()
    assert "Nothing was added" not in shown(page)
    assert page.text_area(key="library-text-1").value == ""
    assert [job.document for job in ended(intake)] == ["On dogs-cats.txt"]
    assert [document.title for document in bot.index.documents()] == ["On dogs/cats", "Pets"]


def test_many_documents_are_searched_and_paged(page: AppTest, bot: Bot) -> None:
    for number in range(60):
        bot.index.add(
            replace(
                text_document(f"Text {number}.", f"{number:02}.txt", f"Title {number}"),
                publisher="Zoo",
            )
        )
    page.run()
    assert shown(page).count('data-open="remove:') == 50
    page.selectbox(key="library-page-2").set_value(2).run()
    assert shown(page).count('data-open="remove:') == 11
    page.text_input(key="library-search").set_value("zoo 07").run()
    assert shown(page).count('data-open="remove:') == 1
    assert 'data-open="remove:07.txt"' in shown(page)
    page.text_input(key="library-search").set_value("whale").run()
    assert "No title, publisher or name has these words." in shown(page)


def test_all_documents_are_indexed_again_and_a_rerun_embeds_nothing(
    page: AppTest, bot: Bot, intake: Intake
) -> None:
    before, generation = bot.index.documents(), bot.index.generation
    page.run()
    assert bot.index.generation == generation
    page.button(key="library-again").click().run()
    assert [(job.name, job.outcome) for job in ended(intake)] == [("pets.txt", "indexed")]
    assert bot.index.documents() == before
    assert bot.index.generation != generation


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (JOB, "Waiting"),
        (replace(JOB, state="reading"), "Reading…"),
        (replace(JOB, state="embedding", done=64, total=1200), "Embedding: 64 of 1,200 passages"),
        (replace(JOB, state="embedding", done=9, total=9), "Writing…"),
        (replace(JOB, state="embedding", cancelling=True), "Cancelling…"),
        (replace(JOB, state="cancelled"), "The library is as before."),
        (replace(JOB, state="cancelled", kept=False), "choose the file again"),
        (
            replace(JOB, state="failed", reason="a.txt is empty."),
            "<strong>Not added.</strong> a.txt is empty.",
        ),
        (replace(JOB, state="failed", kept=False), "choose the file again"),
        (
            replace(JOB, state="done", outcome="added", document="a.txt"),
            '<p class="state">Added</p>',
        ),
        (
            replace(JOB, state="done", outcome="added", document="b/a.txt"),
            "Added, as <bdi>b/a.txt</bdi>",
        ),
        (
            replace(JOB, state="done", outcome="twin", document="b.txt"),
            "the very same text as <bdi>b.txt</bdi>",
        ),
        (replace(JOB, state="done", outcome="unchanged", document="a.txt"), "unchanged"),
        (
            replace(JOB, state="done", outcome="replaced", document="a.txt"),
            "Replaced the earlier version",
        ),
        (replace(JOB, state="done", outcome="indexed", document="a.txt"), "Indexed again"),
    ],
)
def test_a_job_says_how_far_it_is(job: Job, told: str) -> None:
    assert told in job_html(job)


def test_the_summary_counts_what_is_over() -> None:
    jobs = [
        JOB,
        replace(JOB, state="done"),
        replace(JOB, state="failed"),
        replace(JOB, state="cancelled"),
    ]
    assert "3 of 4 documents finished · 1 failed · 1 cancelled" in summary_html(jobs)


def test_where_there_is_no_room_for_all_jobs_the_failed_ones_stay() -> None:
    done = [Job(f"d{n}", "d", "", "done") for n in range(ROWS)]
    failed, embedding = Job("f", "f", "", "failed"), Job("e", "e", "", "embedding")
    assert shown_jobs([*done, failed, embedding]) == (*done[: ROWS - 2], failed, embedding)


@pytest.mark.parametrize(
    "html",
    [
        job_html(Job("7", HOSTILE, "", "failed", reason=f"{HOSTILE} is empty.")),
        job_html(Job("7", HOSTILE, "", "embedding", 1, 2)),
        job_html(Job("7", "a", "", "done", outcome="twin", document=HOSTILE)),
        button_html("Cancel", Job("7", HOSTILE, "")),
        documents_html([Document(HOSTILE, "/x", HOSTILE, "Text.", HOSTILE)], readable=True),
        removal_html(Document(HOSTILE, "/x", HOSTILE, "Text.", HOSTILE)),
    ],
)
def test_nothing_of_a_document_is_markup(html: str) -> None:
    assert "&lt;img src=x onerror=&quot;1&quot;&gt;" in html
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
def test_a_pasted_text_is_named_by_its_title(title: str, name: str) -> None:
    assert pasted_name(title) == name


def test_pages_are_told_where_there_are_any() -> None:
    assert "a.pdf</bdi> · PDF · 2 pages · 1,500 characters" in documents_html(
        [Document("a.pdf", "/a.pdf", "A", "x" * 1500, pages=(0, 700))], readable=False
    )
