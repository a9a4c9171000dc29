"""The page with a language model: streamed words, then checked; a stop; and a failure."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import EXAMPLE, MODELS, example, serving, violations
from tests.browser.test_chat import ask, chips, current_mark, pane
from tests.qa.llm.scripted import Hang, Part, Reply, ScriptedServer, openai_like, openai_words

CHAT = "/v1/chat/completions"
PROBE = Reply(list(openai_words("OK")))


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedServer]:
    with openai_like(PROBE) as script:
        yield script


@pytest.fixture(scope="module")
def address(
    chromium: str, model: ScriptedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("home")
    with serving(
        home, QA_LLM="openai-like/tiny", QA_LLM_URL=f"{model.url}/v1", QA_LLM_TIMEOUT="20"
    ) as found:
        yield found


@pytest.fixture
def page(address: str, browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    opened.goto(address)
    expect(example(opened, EXAMPLE)).to_be_visible(timeout=MODELS)
    yield opened
    opened.close()


def says(model: ScriptedServer, *words: str, then: Part | None = None) -> None:
    parts: list[Part] = list(
        openai_words(*words, finish=None, done=False) if then else openai_words(*words)
    )
    model.say(CHAT, Reply([*parts, then] if then else parts))


def test_model_answer_is_checked_and_cited(page: Page, model: ScriptedServer) -> None:
    says(
        model,
        "Around 2,000 participants attended ",
        "the forum [a1]. ",
        "It cost 9 million dollars [a1].",
    )
    ask(page, EXAMPLE)
    expect(page.get_by_text("Written by openai-like/tiny, each sentence checked")).to_be_visible()
    expect(page.get_by_text("[a1]")).to_have_count(0)
    expect(page.get_by_text("✗ (not found in the documents)")).to_have_count(1)
    expect(chips(page)).to_have_count(1)
    chips(page).click()
    expect(pane(page)).to_be_visible()
    expect(current_mark(page)).to_contain_text("around 2,000 participants attended")
    assert violations(page) == []


def test_stopped_answer_keeps_its_words_and_offers_quotes(
    page: Page, model: ScriptedServer
) -> None:
    says(model, "Around 2,000 participants attended the forum", then=Hang())
    ask(page, EXAMPLE)
    expect(page.get_by_text("Around 2,000 participants")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("You stopped this answer.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert model.gone.wait(3)
    expect(page.get_by_text("Unfinished, not checked:")).to_be_visible()
    expect(page.get_by_text("Around 2,000 participants")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert violations(page) == []

    page.get_by_role("button", name="Answer with exact quotes instead").click()
    expect(chips(page)).to_be_visible()
    expect(page.get_by_text("Written by")).to_have_count(0)


def test_failure_says_what_to_do_and_is_no_refusal(page: Page, model: ScriptedServer) -> None:
    model.say(CHAT, Reply([b"{}"], status=401, kind="application/json"))
    ask(page, EXAMPLE)
    expect(page.get_by_role("alert")).to_contain_text("Set QA_LLM_KEY")
    expect(page.locator(".refusal")).to_have_count(0)
    expect(page.get_by_role("button", name="Answer with exact quotes instead")).to_be_visible()
