"""The evaluation page in a browser: wide and narrow, light and dark, by keyboard; nothing is fetched from elsewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import ROOT, free_port, violations, wait_for
from tests.browser.test_chat import PHONE
from tests.ui.evaluated import BETTER, BREAKING, FAILING, make_run

WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": PHONE["width"], "height": PHONE["height"]}
RUNS = 3
TABLES = 1 + 1 + 6 + 3
"""The list, the chart's, a run's groups, and the three of the comparison."""


@pytest.fixture(scope="module")
def address(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page over three runs, the newest of which broke at a question, and one that was cut off."""
    runs: Path = tmp_path_factory.mktemp("runs")
    make_run(
        runs / "a-run-with-rather-a-long-name",
        FAILING,
        finished="2026-01-01T10:00:00+00:00",
        top_k=3,
    )
    make_run(runs / "better", BETTER, finished="2026-01-02T10:00:00+00:00", threshold=0.25)
    make_run(runs / "breaking", BREAKING, finished="2026-01-03T10:00:00+00:00")
    (runs / "cut-off").mkdir()
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", f"{ROOT}/tests/browser/evaluation_page.py"]
    options = ["--server.headless", "true", "--server.port", str(port)]
    log = runs / "server.log"
    environ = {**os.environ, "RUNS": str(runs), "PYTHONPATH": str(ROOT)}
    with log.open("w") as output:
        running = subprocess.Popen(
            [*command, *options], cwd=ROOT / "ui", env=environ, stdout=output, stderr=output
        )
        try:
            wait_for(f"http://localhost:{port}/_stcore/health", running, log)
            yield f"http://localhost:{port}"
        finally:
            running.terminate()
            running.wait(10)


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def size(request: pytest.FixtureRequest) -> ViewportSize:
    chosen: ViewportSize = request.param
    return chosen


@pytest.fixture(params=["light", "dark"])
def page(
    address: str, browser: Browser, size: ViewportSize, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """The page, drawn to its end. Fails when it asks another host for anything."""
    hosts: set[str | None] = set()
    errors: list[str] = []
    opened = browser.new_page(viewport=size, color_scheme=request.param, reduced_motion="reduce")
    opened.on("request", lambda asked: hosts.add(urlsplit(asked.url).hostname))
    opened.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).hostname))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    expect(opened.get_by_role("heading", name="Lost")).to_be_visible(timeout=30_000)
    expect(chart(opened).locator("svg")).to_be_visible()
    yield opened
    opened.close()
    assert not errors
    assert hosts - {None} == {"localhost"}


def chart(page: Page) -> Locator:
    return page.get_by_label(
        "answered right, all questions: a point and its interval for each run."
    )


def choose(page: Page, label: str, option: str) -> None:
    """By keyboard alone: the list is opened, narrowed by typing, and left with Enter."""
    box = page.get_by_role("combobox", name=label, exact=True)
    box.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+A")
    page.keyboard.type(option)
    expect(page.get_by_role("option", name=option, exact=True)).to_be_visible()
    page.keyboard.press("Enter")
    expect(box).to_have_value(option)


def failed(page: Page) -> Locator:
    return page.locator("details.failed")


def open_all(page: Page) -> None:
    page.locator(".st-key-evaluation details").evaluate_all(
        "all => all.forEach(one => { one.open = true })"
    )


def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    page: Page, size: ViewportSize
) -> None:
    open_all(page)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert violations(page) == []
    overflow = "[document.documentElement, document.querySelector('.stMain')].map(e => e.scrollWidth - e.clientWidth)"
    assert page.evaluate(overflow) == [0, 0]
    ends = page.get_by_role("table").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().right)"
    )
    assert len(ends) == TABLES
    assert max(ends) <= size["width"]


def test_tables_are_tables(page: Page) -> None:
    figures = page.get_by_role("table", name="all questions (4, of which 1 broke)")
    row = figures.get_by_role("row", name="answered right")
    expect(row.get_by_role("rowheader")).to_have_text("answered right")
    # Of the three that did not break none is right: q1, the right one of the run, broke.
    expect(row.get_by_role("cell").first).to_contain_text("0.00 [0.00, 0.56]")
    expect(figures.get_by_role("columnheader")).to_have_text(["Figure", "Value", "n", "Unscored"])


def test_the_chart_is_in_the_colours_of_the_theme_and_leads_nowhere(page: Page) -> None:
    ink = page.locator(".st-key-evaluation").evaluate("element => getComputedStyle(element).color")
    texts = (
        chart(page)
        .locator("svg text")
        .evaluate_all("all => all.map(one => getComputedStyle(one).fill)")
    )
    assert set(texts) == {ink}
    points = (
        chart(page)
        .locator("svg .mark-symbol path")
        .evaluate_all("all => all.map(one => getComputedStyle(one).fill)")
    )
    assert points == [ink] * RUNS
    bars = (
        chart(page)
        .locator("svg .mark-rule.role-mark line")
        .evaluate_all("all => all.map(one => getComputedStyle(one).stroke)")
    )
    assert bars == [ink] * RUNS
    expect(page.locator(".st-key-evaluation a")).to_have_count(0)


def test_everything_by_keyboard(page: Page) -> None:
    expect(failed(page)).to_have_count(4)
    choose(page, "Outcome", "wrongly refused")
    expect(failed(page)).to_have_count(1)
    summary = failed(page).locator("summary")
    summary.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(summary).to_be_focused()
    assert summary.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    expect(failed(page).get_by_text("Not among the 2 passages read.")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(failed(page).get_by_text("Not among the 2 passages read.")).to_be_visible()
    choose(page, "Run", "better")
    expect(page.get_by_text("1 of the 1 questions that failed")).to_be_visible()


def test_two_runs_are_chosen_and_compared(page: Page) -> None:
    choose(page, "First run", "a-run-with-rather-a-long-name")
    choose(page, "Second run", "better")
    compared = page.get_by_role(
        "table", name="Deciding. First: a-run-with-rather-a-long-name. Second: better."
    )
    row = compared.get_by_role("row", name="answered right")
    expect(row.get_by_role("cell")).to_have_text(
        ["0.25", "0.75", re.compile(r"\+0\.50 \["), "2 · 2 · 0"]
    )
    expect(row).to_contain_text("no detectable difference")
    expect(page.get_by_role("heading", name="Won (2)")).to_be_visible()
