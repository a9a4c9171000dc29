"""The menu "Answer with": a model that runs on this machine is found, chosen, and remembered."""

import errno
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from qa.llm.local import PROGRAMS
from tests.browser.conftest import EXAMPLE, MODELS, example, serving, violations
from tests.browser.test_chat import ask, chips
from tests.qa.llm.scripted import Reply, ScriptedServer, openai_like, openai_words

ANSWER = "Around 2,000 participants attended the forum [a1]."
BUILT_IN = "Exact quotes (built in)"


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedServer]:
    """A server at the usual port of a program that serves models."""
    ports = [
        urlsplit(program.url).port for program in PROGRAMS if program.provider == "openai-like"
    ]
    for port in filter(None, ports):
        try:
            with openai_like(Reply(list(openai_words(ANSWER))), port=port) as script:
                yield script
                return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    pytest.skip(f"Other programs use the ports {ports}. Stop one of them.")


@pytest.fixture(scope="module")
def address(
    chromium: str, model: ScriptedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("home")
    with serving(home) as page_address:
        yield page_address


def _open(browser: Browser, address: str) -> Page:
    page = browser.new_page()
    page.goto(address)
    expect(example(page, EXAMPLE)).to_be_visible(timeout=MODELS)
    return page


def _menu(page: Page, label: str) -> Locator:
    """The button that opens the menu. It has the name of the chosen engine."""
    return page.get_by_role("button", name=label)


def test_local_model_is_found_chosen_and_remembered(
    browser: Browser, address: str, model: ScriptedServer
) -> None:
    page = _open(browser, address)
    assert model.asked == [], "Nothing is looked for before a person opens the menu."

    _menu(page, BUILT_IN).click()
    engines = page.get_by_role("radiogroup", name="Answer with")
    local_model = engines.get_by_text(f"openai-like/tiny at {model.address}")
    expect(local_model).to_be_visible()
    expect(page.get_by_text("and nowhere else")).to_be_visible()
    assert [asked.path for asked in model.asked] == ["/v1/models"]
    assert violations(page) == []

    local_model.click()
    expect(
        page.get_by_text("The model runs on this machine. Nothing is sent anywhere.")
    ).to_be_visible()
    page.keyboard.press("Escape")
    ask(page, EXAMPLE)
    expect(page.get_by_text("Written by openai-like/tiny, each sentence checked")).to_be_visible()
    expect(chips(page)).to_have_count(1)
    page.close()

    # Another visit begins with the last choice.
    page = _open(browser, address)
    expect(_menu(page, "openai-like/tiny")).to_be_visible()
    page.close()
