"""A page with users: strangers see the login, and users their own conversations only."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from qa.users import Users
from tests.browser.conftest import EXAMPLE, MODELS, example, serving, violations
from tests.browser.test_chat import ask, chips, field

PASSWORDS = {"ann": "correct horse", "bob": "battery staple"}


@pytest.fixture(scope="module")
def address(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("home")
    for name, password in PASSWORDS.items():
        Users(home).add(name, password)
    with serving(home) as address:
        yield address


def log_in(browser: Browser, address: str, name: str, password: str, **options: Any) -> Page:
    page = browser.new_context(**options).new_page()
    page.goto(address)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    return page


def test_users_see_their_own_conversations_only(address: str, browser: Browser) -> None:
    ann, bob = (log_in(browser, address, name, password) for name, password in PASSWORDS.items())
    for page in (ann, bob):
        expect(example(page)).to_be_visible(timeout=MODELS)
    ask(ann, EXAMPLE)
    expect(chips(ann)).to_be_visible()
    ann.reload()
    expect(chips(ann)).to_be_visible()
    assert "?chat=" in ann.url
    bob.goto(ann.url)
    expect(example(bob)).to_be_visible()
    expect(bob.get_by_text("Your chats will appear here.")).to_be_visible()
    expect(bob.get_by_role("heading", name=EXAMPLE)).to_have_count(0)
    expect(bob).not_to_have_url(re.compile("chat="))
    ann.context.close()
    bob.context.close()


def test_logout_ends_all_tabs_and_downloads(address: str, browser: Browser) -> None:
    """A tab that is still open does nothing any more, and no address of a download works."""
    page = log_in(browser, address, "ann", PASSWORDS["ann"])
    expect(example(page)).to_be_visible(timeout=MODELS)
    ask(page, EXAMPLE)
    expect(chips(page)).to_be_visible()
    page.get_by_role("button", name="Chat menu").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as Markdown").click()
    export = download.value.url
    assert EXAMPLE in page.request.get(export).text()

    tab = page.context.new_page()
    tab.goto(address)
    expect(example(tab)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.goto(address)
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert EXAMPLE not in page.request.get(export).text()

    entries = tab.get_by_role("list", name="Conversations").get_by_role("button")
    before = entries.count()
    example(tab).click()
    expect(field(tab)).to_be_disabled()
    expect(entries).to_have_count(before)
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_wrong_password_says_so(address: str, browser: Browser, scheme: str) -> None:
    page = log_in(browser, address, "ann", "wrong", color_scheme=scheme)
    expect(page.get_by_role("alert")).to_have_text("Wrong name or password.")
    assert violations(page) == []
    page.context.close()
