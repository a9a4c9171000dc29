"""The evaluation page in a browser: wide and narrow, light and dark, by keyboard, offline."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import ROOT, violations
from tests.browser.test_chat import PHONE
from tests.servers import free_port, wait_for
from tests.ui.evaluated import BETTER, BREAKING, FAILING, make_run

WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": PHONE["width"], "height": PHONE["height"]}
RUNS = 3
STRIP = "svg.strip circle"


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
    (runs / "cut-off" / "run.json").write_text("{}")
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
    yield opened
    opened.close()
    assert not errors
    assert hosts - {None} == {"localhost"}


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
    return page.get_by_role("article")


def test_axe_finds_nothing_and_no_table_is_too_wide(page: Page, size: ViewportSize) -> None:
    """With everything unfolded."""
    page.locator("details").evaluate_all("all => all.forEach(fold => { fold.open = true })")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert violations(page) == []
    overflow = """[document.documentElement, document.querySelector('.stMain')]
        .map(element => element.scrollWidth - element.clientWidth)"""
    assert page.evaluate(overflow) == [0, 0]
    ends = page.get_by_role("table").evaluate_all(
        "all => all.map(table => table.getBoundingClientRect().right)"
    )
    assert len(ends) > 15
    assert max(ends) <= size["width"]


def test_tables_are_tables(page: Page) -> None:
    """With a caption, and headings for rows and columns."""
    table = page.get_by_role("table", name="answered right, all questions")
    row = table.get_by_role("row", name="breaking")
    expect(row.get_by_role("rowheader")).to_contain_text("breaking")
    # Of the three questions without an error none is right: q1, the right one, has the error.
    expect(row.get_by_role("cell").nth(1)).to_have_text("0.00 [0.00, 0.56]")
    expect(row.get_by_role("cell").nth(2)).to_have_text("3 of 4")
    expect(table.get_by_role("columnheader")).to_have_text(["Run", "01", "Value", "n"])


def test_report_has_the_colours_of_the_theme(page: Page) -> None:
    """Text and points follow it, and nothing leads away from the page."""
    ink = page.locator(".stMain").evaluate("element => getComputedStyle(element).color")
    table = page.get_by_role("table", name="answered right, all questions")
    points = table.locator(STRIP).evaluate_all("all => all.map(one => getComputedStyle(one).fill)")
    assert points == [ink] * RUNS
    assert table.evaluate("element => getComputedStyle(element).color") == ink
    expect(page.locator(".stMain a")).to_have_count(0)


def test_everything_works_by_keyboard(page: Page) -> None:
    """What is focused is outlined; what is unfolded stays so when the page is drawn again."""
    expect(failed(page)).to_have_count(4)
    choose(page, "Outcome", "wrongly refused")
    expect(failed(page)).to_have_count(1)
    summary = failed(page).locator("summary")
    summary.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(summary).to_be_focused()
    assert summary.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    rank = failed(page).get_by_text("none of the 2 passages read")
    expect(rank).to_be_hidden()
    page.keyboard.press("Enter")
    expect(rank).to_be_visible()
    choose(page, "Metric", "wrongly refused")
    expect(page.get_by_role("table", name="wrongly refused ↓, all questions")).to_be_visible()
    expect(rank).to_be_visible()
    choose(page, "Run", "better")
    expect(page.get_by_text("1 of the 1 failed questions")).to_be_visible()


def test_two_runs_are_selected_and_compared(page: Page) -> None:
    """With the verdict in words."""
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
