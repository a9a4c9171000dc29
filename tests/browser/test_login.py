"""A page with users: strangers see the login, and users their own conversations only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from qa.users import Users
from tests.browser.conftest import EXAMPLE, MODELS, example, serving, violations
from tests.browser.test_chat import ask, chips

PASSWORDS = {"ann": "correct horse", "bob": "battery staple"}


@pytest.fixture(scope="module")
def address(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("home")
    for name, password in PASSWORDS.items():
        Users(home).add(name, password)
    with serving(home) as address:
        yield address


def log_in(browser: Browser, address: str, name: str, password: str, **options: Any) -> Page:
    page = browser.new_page(**options)
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
    bob.goto(ann.url)
    expect(example(bob)).to_be_visible()
    expect(bob.get_by_text("Your chats will appear here.")).to_be_visible()

    ann.get_by_role("button", name="Log out").click()
    expect(ann.get_by_role("button", name="Log in")).to_be_visible()
    ann.goto(address)
    expect(ann.get_by_role("button", name="Log in")).to_be_visible()
    ann.close()
    bob.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_wrong_password_says_so(address: str, browser: Browser, scheme: str) -> None:
    page = log_in(browser, address, "ann", "wrong", color_scheme=scheme)
    expect(page.get_by_role("alert")).to_have_text("Wrong name or password.")
    assert violations(page) == []
    page.close()
