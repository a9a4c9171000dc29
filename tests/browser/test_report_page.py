"""A report opened from disk, offline: wide and narrow, light and dark, by keyboard, printed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from pypdfium2 import PdfDocument

from eval.report.details import read_details
from eval.report.html import page as report
from tests.browser.conftest import violations
from tests.eval.page import BETTER, QUESTIONS, make_run

WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
PAPER = {"light": "rgb(252, 251, 248)", "dark": "rgb(22, 25, 28)"}
INK = {"light": "rgb(37, 35, 31)", "dark": "rgb(232, 228, 219)"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of one run, and that of two."""
    folder = tmp_path_factory.mktemp("reports")
    runs = [
        read_details(make_run(folder / "a-run-with-rather-a-long-name-and-no-place-to-break-it")),
        read_details(make_run(folder / "better", BETTER, QUESTIONS[1:], threshold=0.25)),
    ]
    found = {}
    for name, shown in (("one", runs[:1]), ("two", runs)):
        found[name] = folder / f"{name}.html"
        found[name].write_text(report(shown), encoding="utf-8")
    return found


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def size(request: pytest.FixtureRequest) -> ViewportSize:
    chosen: ViewportSize = request.param
    return chosen


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(params=["one", "two"])
def page(
    files: dict[str, Path],
    browser: Browser,
    size: ViewportSize,
    theme: str,
    request: pytest.FixtureRequest,
) -> Iterator[Page]:
    yield from opened(browser, files[request.param], viewport=size, color_scheme=theme)


@pytest.fixture
def one(files: dict[str, Path], browser: Browser) -> Iterator[Page]:
    yield from opened(browser, files["one"], viewport=WIDE)


def opened(browser: Browser, file: Path, **options: object) -> Iterator[Page]:
    """The page. Fails when it asks for anything but itself, or when its policy or its script complains."""
    asked: list[str] = []
    complaints: list[str] = []
    found = browser.new_page(offline=True, **options)  # type: ignore[arg-type] # the options are Playwright's own
    found.on("request", lambda request: asked.append(request.url))
    found.on("console", lambda message: complaints.append(message.text))
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.goto(file.as_uri())
    yield found
    found.close()
    assert asked == [file.as_uri()]
    assert complaints == []


def failed(page: Page) -> Locator:
    return page.locator("article").filter(visible=True)


def test_axe_finds_nothing_and_nothing_is_too_wide(page: Page, size: ViewportSize) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert violations(page) == []
    assert (
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        == 0
    )
    ends = page.locator("table, svg, article, form").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().right)"
    )
    assert len(ends) > 20
    assert max(ends) <= size["width"]


def test_report_has_the_colours_of_the_theme(page: Page, theme: str) -> None:
    body = page.locator("body")
    assert body.evaluate("one => getComputedStyle(one).backgroundColor") == PAPER[theme]
    points = page.locator("svg.strip circle").evaluate_all(
        "all => all.map(one => getComputedStyle(one).fill)"
    )
    assert set(points) == {INK[theme]}


def test_point_stands_under_the_ends_of_its_scale(one: Page) -> None:
    table = one.get_by_role("table", name="answered right")
    scale = table.locator("thead .scale span")
    left, right = (scale.nth(at).bounding_box() for at in (0, 1))
    strip = table.get_by_role("row", name="kind: absent (2)").locator("svg")
    box, point = strip.bounding_box(), strip.locator("circle").bounding_box()
    assert left
    assert right
    assert box
    assert point
    assert left["x"] == pytest.approx(box["x"], abs=1)
    assert right["x"] + right["width"] == pytest.approx(box["x"] + box["width"], abs=1)
    assert point["x"] + point["width"] / 2 == pytest.approx(box["x"] + box["width"] / 2, abs=1)


def test_failed_questions_are_filtered_by_keyboard(one: Page) -> None:
    expect(failed(one)).to_have_count(4)
    status = one.get_by_role("status")
    expect(status).to_have_text("4 of 4 shown")
    one.get_by_role("combobox", name="Outcome").select_option("wrongly refused")
    expect(failed(one)).to_have_count(1)
    expect(status).to_have_text("1 of 4 shown")
    one.get_by_role("combobox", name="Outcome").select_option("all")
    one.get_by_role("combobox", name="Kind").select_option("number")
    expect(failed(one)).to_have_count(2)
    words = one.get_by_role("searchbox", name="Words")
    words.fill("BARKING")
    expect(failed(one)).to_have_count(1)
    summary = failed(one).locator("summary")
    one.get_by_role("button", name="Open all").focus()
    one.keyboard.press("Tab")
    expect(summary).to_be_focused()
    assert summary.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    expect(one.get_by_text("2 of the 2 passages read")).to_be_hidden()
    one.keyboard.press("Enter")
    expect(one.get_by_text("2 of the 2 passages read")).to_be_visible()


def test_link_of_the_table_leads_to_the_question(files: dict[str, Path], browser: Browser) -> None:
    for page in opened(browser, files["two"], viewport=PHONE):
        expect(page.get_by_text("ValueError: by nought")).to_be_hidden()
        page.get_by_role("link", name="broken?").click()
        expect(page.get_by_text("ValueError: by nought")).to_be_in_viewport()


def test_table_of_many_runs_scrolls_and_not_the_page(browser: Browser, tmp_path: Path) -> None:
    runs = [
        read_details(make_run(tmp_path / f"aratherlongnamewithoutanyhyphens{at}"))
        for at in range(8)
    ]
    file = tmp_path / "many.html"
    file.write_text(report(runs), encoding="utf-8")
    for page in opened(browser, file, viewport=PHONE):
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        region = page.get_by_role("region", name="Which failed in which runs")
        assert region.evaluate("one => one.scrollWidth > one.clientWidth")
        assert violations(page) == []
        region.focus()
        page.keyboard.press("ArrowRight")
        expect(region).not_to_have_js_property("scrollLeft", 0)


def test_report_is_readable_without_its_script(files: dict[str, Path], browser: Browser) -> None:
    for page in opened(browser, files["one"], java_script_enabled=False):
        expect(page.get_by_role("searchbox")).to_have_count(0)
        expect(failed(page)).to_have_count(4)
        page.get_by_role("heading", name="refused?").click()
        expect(page.get_by_text("Birds sing at dawn.")).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_folded_parts_are_printed(
    files: dict[str, Path], browser: Browser, script: bool, tmp_path: Path
) -> None:
    for page in opened(browser, files["one"], java_script_enabled=script, color_scheme="dark"):
        page.pdf(path=tmp_path / "report.pdf", print_background=True)
        page.emulate_media(media="print")
        assert (
            page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor")
            == "rgb(255, 255, 255)"
        )
    with PdfDocument(tmp_path / "report.pdf") as pdf:
        text = " ".join(" ".join(page.get_textpage().get_text_bounded() for page in pdf).split())
    for told in (
        "Gold evidence",
        "Birds sing at dawn.",
        "ValueError: by nought",
        "kind: absent (2)",
        "python 3.11",
    ):
        assert told in text
    assert "Open all" not in text
