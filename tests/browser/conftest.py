"""A real server on a real index, and Chromium to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
INSTALL = "apt-get install chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
EXAMPLE = "How many participants attended the forum?"
MODELS = 60_000
"""Milliseconds that the models may take to load on a slow machine."""


OpenPage = Callable[..., Page]


def example(page: Page, question: str = EXAMPLE) -> Locator:
    """The button that asks a suggested question."""
    return page.get_by_role("list", name="Example questions").get_by_role("button", name=question)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path. Without one the tests are skipped, but fail where CI=true."""
    found = shutil.which("chromium")
    if found is None:
        told = f"Chromium is missing. Install it: {INSTALL}"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    return found


@contextmanager
def serving(home: Path, **environ: str) -> Iterator[str]:
    """The address of a page over `seeds/`, with these settings."""
    # A threshold far from the confidences of the questions asked here: these tests are of the page, not of the engine.
    told = {**os.environ, "QA_HOME": str(home), "QA_THRESHOLD": "0.2", **environ}
    subprocess.run([sys.executable, "-m", "qa", "add", "seeds"], cwd=ROOT, env=told, check=True)
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "ui/app.py"]
    options = ["--server.headless", "true", "--server.port", str(port)]
    log = home / "server.log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [*command, *options], cwd=ROOT, env=told, stdout=output, stderr=output
        )
        try:
            wait_for(f"http://localhost:{port}/_stcore/health", running, log)
            yield f"http://localhost:{port}"
        finally:
            running.terminate()
            running.wait(10)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page keeps everything."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def server(chromium: str, home: Path) -> Iterator[str]:
    """The address of a page over `seeds/`."""
    with serving(home) as address:
        yield address


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def first_look(server: str, browser: Browser) -> list[str]:
    """What the very first page showed until the models were there, in order."""
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
    """Opens the page, with the options of a Playwright context. Fails when a page asks another host for anything."""
    hosts: set[str | None] = set()
    errors: list[str] = []
    pages: list[Page] = []

    def open_one(**options: object) -> Page:
        page = browser.new_page(**options)  # type: ignore[arg-type] # the options are Playwright's own
        pages.append(page)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).hostname))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server)
        expect(example(page)).to_be_visible(timeout=15_000)
        return page

    yield open_one
    for page in pages:
        page.close()
    assert not errors
    # None: data: and blob: addresses, which do not leave the page.
    assert hosts - {None} == {"localhost"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return int(found.getsockname()[1])


def wait_for(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and running.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=1).close()  # noqa: S310 - our own http address
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")
