"""A real server on a real index, and Chromium to look at it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.servers import free_port, wait_for

ROOT = Path(__file__).parents[2]
INSTALL = "apt-get install chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
EXAMPLE = "How many participants attended the forum?"
MODELS = 60_000
"""Milliseconds that the models may take to load on a slow machine."""
OVERFLOW = """
[document.documentElement, document.querySelector('.stMain')]
    .map(element => element.scrollWidth - element.clientWidth)
"""
"""Pixels by which the page is wider than the window."""

OpenPage = Callable[..., Page]


def example(page: Page, question: str = EXAMPLE) -> Locator:
    """Returns the button that asks an example question."""
    return page.get_by_role("list", name="Example questions").get_by_role("button", name=question)


def violations(page: Page) -> list[str]:
    """Returns the accessibility rules that axe finds broken, each with the element."""
    rules: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in rules for node in rule["nodes"]]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path. Without one the tests are skipped, but fail where CI=true."""
    path = shutil.which("chromium")
    if path is None:
        message = f"Chromium is missing. Install it: {INSTALL}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


@contextmanager
def run_streamlit(script: str, log: Path, cwd: Path, **environ: str) -> Iterator[str]:
    """Serves a script of this repository; yields its address."""
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / script)]
    with run_server(command, log, cwd, **environ) as address:
        yield address


@contextmanager
def run_server(command: Sequence[str], log: Path, cwd: Path, **environ: str) -> Iterator[str]:
    """Runs a command that takes the options of Streamlit's server; yields its address."""
    port = free_port()
    options = ["--server.headless", "true", "--server.port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, *options], cwd=cwd, env=environment, stdout=output, stderr=output
        )
        try:
            wait_for(f"http://localhost:{port}/_stcore/health", server, log)
            yield f"http://localhost:{port}"
        finally:
            server.terminate()
            server.wait(10)


@contextmanager
def serving(home: Path, **environ: str) -> Iterator[str]:
    """Serves the page over `seeds/`, with these settings; yields its address."""
    # A threshold far from the confidences of these questions: the tests are about the page.
    settings = {"QA_HOME": str(home), "QA_THRESHOLD": "0.2", **environ}
    add = [sys.executable, "-m", "qa", "add", "seeds"]
    subprocess.run(add, cwd=ROOT, env={**os.environ, **settings}, check=True)
    # As `footnote chat` does it.
    command = [sys.executable, "-m", "ui"]
    with run_server(command, home / "server.log", ROOT, **settings) as address:
        yield address


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds everything the page stores."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def server(chromium: str, home: Path) -> Iterator[str]:
    """The address of a page over `seeds/`."""
    with serving(home) as address:
        yield address


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def first_look(server: str, browser: Browser) -> list[str]:
    """What the very first page showed until the models were loaded, in order."""
    page = browser.new_page()
    page.goto(server)
    seen = []
    for text in ("Footnote", "Loading the models…"):
        page.get_by_text(text, exact=True).wait_for(timeout=15_000)
        seen.append(text)
    # A question asked meanwhile is shown at once, and answered when the models are there.
    field = page.get_by_role("textbox", name="Ask your documents")
    field.fill(EXAMPLE)
    field.press("Enter")
    page.get_by_role("heading", name=EXAMPLE).wait_for(timeout=15_000)
    page.get_by_text("Loading the models…").wait_for()
    seen.append("question")
    page.get_by_role("button", name="Footnote 1:").wait_for(timeout=MODELS)
    expect(page.get_by_text("Loading the models…")).to_have_count(0)
    seen.append("answer")
    page.close()
    return seen


@pytest.fixture
def open_page(server: str, browser: Browser, first_look: list[str]) -> Iterator[OpenPage]:
    """Opens the page, with the options of a Playwright context.

    Fails if a page connects to another host, or has an error in a script.
    """
    hosts: set[str | None] = set()
    errors: list[str] = []
    pages: list[Page] = []

    def open_tab(**options: Any) -> Page:
        page = browser.new_page(**options)
        pages.append(page)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).hostname))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server)
        expect(example(page)).to_be_visible(timeout=15_000)
        return page

    yield open_tab
    for page in pages:
        page.close()
    assert not errors
    # None: data: and blob: addresses, which do not leave the page.
    assert hosts - {None} == {"localhost"}
