"""The page as a person meets it: in a browser, by pointer and by keyboard, wide and narrow, light and dark."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

OpenPage = Callable[..., Page]
ARTICLE = (Path(__file__).parents[2] / "seeds" / "us-pakistan-critical-minerals.txt").read_text(encoding="utf-8")
EXAMPLE = "How many participants attended the forum?"
OTHER = "How much gold and copper does Reko Diq hold?"
UNKNOWN = "What is the population of Peru?"
PHONE = {"width": 360, "height": 740}
TAB_STOPS = 12
"""More than there are before the field for questions."""


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Ask your documents")


def ask(page: Page, question: str) -> None:
    field(page).fill(question)
    field(page).press("Enter")
    expect(page.get_by_role("heading", name=question)).to_be_visible()


def chips(page: Page) -> Locator:
    return page.get_by_role("button", name="Footnote 1:")


def pane(page: Page) -> Locator:
    return page.get_by_role("region", name="Source: ")


def current_mark(page: Page) -> Locator:
    return pane(page).locator("mark[aria-current]")


def expect_within(inner: Locator, outer: Locator) -> None:
    """The whole of `inner`, not only an edge of it, can be seen in `outer`."""
    expect(inner).to_be_in_viewport()
    small, large = inner.bounding_box(), outer.bounding_box()
    assert small
    assert large
    assert large["y"] <= small["y"]
    assert small["y"] + small["height"] <= large["y"] + large["height"]


def violations(page: Page) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def test_the_page_shows_before_the_models_are_there(first_look: list[str]) -> None:
    assert first_look == ["Footnote", "Loading the models…", "question", "answer"]


def test_a_footnote_shows_its_passage_and_opens_the_source_at_the_words(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, EXAMPLE)
    chip = chips(page)
    expect(chip).to_be_visible()
    expect(page.get_by_role("tooltip")).to_have_count(0)

    chip.hover()
    card = page.get_by_role("tooltip")
    expect(card).to_be_in_viewport(ratio=1)
    expect(card).to_contain_text("The Media Line")
    quote = card.locator("mark").inner_text()
    assert quote in ARTICLE
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)

    chip.click()
    expect(pane(page)).to_be_visible()
    expect(current_mark(page)).to_have_text(quote)
    expect_within(current_mark(page), pane(page).get_by_role("group", name="Text of "))
    texts = pane(page).get_by_role("group", name="Text of ").locator("p").all_text_contents()
    assert "".join(texts) == ARTICLE

    pane(page).get_by_role("button", name="Close the source").click()
    expect(pane(page)).to_have_count(0)
    expect(chip).to_be_focused()


def test_a_refusal_says_so_and_offers_the_nearest_passages(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, UNKNOWN)
    refusal = page.get_by_role("paragraph").filter(has_text="The documents do not answer this question.")
    expect(refusal).to_be_visible()
    expect(chips(page)).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    passages = page.get_by_role("blockquote")
    expect(passages).to_have_count(0)
    page.get_by_text("Nearest passages – they do not answer the question").click()
    expect(passages).to_have_count(3)
    expect(refusal).to_be_in_viewport()


def test_old_answers_keep_their_footnotes_and_a_new_chat_forgets_them(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name=EXAMPLE).dblclick()
    expect(chips(page)).to_have_count(1)
    ask(page, OTHER)
    expect(chips(page)).to_have_count(2)
    expect(page.get_by_role("heading", name="You asked: ")).to_have_count(2)
    expect(chips(page).last).to_be_in_viewport()
    expect(field(page)).to_be_focused()

    opened = []
    for chip in (chips(page).first, chips(page).last):
        chip.click()
        expect(pane(page)).to_be_visible()
        start = (chip.get_attribute("aria-label") or "").removeprefix("Footnote 1: ").removesuffix("…")
        expect(current_mark(page)).to_contain_text(start)
        opened.append(current_mark(page).inner_text())
    assert opened[0] != opened[1]

    page.get_by_role("button", name="New chat").click()
    expect(page.get_by_role("button", name=EXAMPLE)).to_be_visible()
    expect(chips(page)).to_have_count(0)
    expect(pane(page)).to_have_count(0)


def test_the_library_opens_a_document_to_read(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Read Golden Opportunity?").click()
    expect(pane(page).get_by_role("heading")).to_contain_text("Golden Opportunity?")
    expect(pane(page).locator("mark")).to_have_count(0)


def test_everything_by_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    for _ in range(TAB_STOPS):
        page.keyboard.press("Tab")
        if field(page).evaluate("element => element === document.activeElement"):
            break
    expect(field(page)).to_be_focused()
    page.keyboard.type(EXAMPLE)
    page.keyboard.press("Enter")
    expect(chips(page)).to_be_visible()
    expect(field(page)).to_be_focused()

    page.keyboard.press("Shift+Tab")
    expect(chips(page)).to_be_focused()
    card = page.get_by_role("tooltip")
    quote = card.locator("mark").inner_text()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)

    page.keyboard.press("Enter")
    text = pane(page).get_by_role("group", name="Text of ")
    expect(text).to_be_focused()
    expect(current_mark(page)).to_have_text(quote)
    page.keyboard.press("Escape")
    expect(pane(page)).to_have_count(0)
    expect(chips(page)).to_be_focused()


def test_a_phone_shows_it_all_without_scrolling_sideways(open_page: OpenPage) -> None:
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    ask(page, EXAMPLE)
    chips(page).tap()
    expect(pane(page)).to_be_visible()
    box = pane(page).bounding_box()
    assert box
    assert (box["x"], box["width"]) == (0, PHONE["width"])
    expect_within(current_mark(page), pane(page).get_by_role("group", name="Text of "))
    overflow = "[document.documentElement, document.querySelector('.stMain')].map(e => e.scrollWidth - e.clientWidth)"
    assert page.evaluate(overflow) == [0, 0]
    pane(page).get_by_role("button", name="Close the source").tap()
    expect(pane(page)).to_have_count(0)
    expect(page.get_by_role("tooltip")).to_have_count(0)
    assert page.evaluate(overflow) == [0, 0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: OpenPage, scheme: str) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    assert violations(page) == []
    ask(page, UNKNOWN)
    page.get_by_text("Nearest passages").click()
    ask(page, OTHER)
    chips(page).focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("tooltip")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(pane(page)).to_be_visible()
    assert violations(page) == []
