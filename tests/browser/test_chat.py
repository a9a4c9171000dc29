"""The chat in a browser: by pointer and by keyboard, wide and narrow, light and dark."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import EXAMPLE, OVERFLOW, ROOT, OpenPage, example, violations

ARTICLE = (ROOT / "seeds" / "us-pakistan-critical-minerals.txt").read_text(encoding="utf-8")
COPPER = "How much gold and copper does Reko Diq hold?"
UNANSWERABLE = "What is the population of Peru?"
FOCUSED_CHIP = (
    "document.activeElement.shadowRoot?.activeElement?.classList.contains('chip') ?? false"
)
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1440, "height": 900}
TAB_STOPS = 60
"""More than there are before the field for questions."""


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Ask your documents")


def ask(page: Page, question: str) -> None:
    field(page).fill(question)
    field(page).press("Enter")
    expect(page.get_by_role("heading", name=question)).to_be_visible()


def attach(page: Page, name: str, content: bytes) -> None:
    """Puts a file into the field for questions."""
    with page.expect_response(lambda response: "upload_file" in response.url and response.ok):
        page.locator("[data-testid=stChatInput] input[type=file]").set_input_files(
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        )
    expect(page.get_by_role("button", name=f"Remove {name}")).to_be_visible()


def chips(page: Page) -> Locator:
    return page.get_by_role("button", name="Footnote 1:")


def chats(page: Page) -> Locator:
    return page.get_by_role("list", name="Conversations").get_by_role("button")


def pane(page: Page) -> Locator:
    return page.get_by_role("region", name="Source: ")


def source_text(page: Page) -> Locator:
    return pane(page).get_by_role("group", name="Text of ")


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


def test_page_is_usable_before_the_models_are_loaded(first_look: list[str]) -> None:
    assert first_look == ["Footnote", "Loading the models…", "question", "answer"]


def test_footnote_shows_passage_and_opens_source(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, EXAMPLE)
    chip = chips(page)
    expect(chip).to_be_visible()
    expect(page.get_by_role("tooltip")).to_have_count(0)

    # Shown last: until then the page may still scroll the footnote away from the pointer.
    expect(page.get_by_role("radio", name="Thumbs up")).to_be_visible()
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
    expect_within(current_mark(page), source_text(page))
    assert "".join(source_text(page).locator("p").all_text_contents()) == ARTICLE

    pane(page).get_by_role("button", name="Close the source").click()
    expect(pane(page)).to_have_count(0)
    expect(chip).to_be_focused()


def test_refusal_offers_the_closest_passages(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, UNANSWERABLE)
    refusal = page.locator(".refusal")
    expect(refusal.get_by_role("paragraph").first).to_be_visible()
    expect(chips(page)).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    passages = page.get_by_role("blockquote")
    expect(passages).to_have_count(0)
    page.get_by_text("Closest passages – they do not answer the question").click()
    expect(passages).to_have_count(3)
    expect(refusal.get_by_role("paragraph").first).to_be_in_viewport()


def test_old_answers_keep_their_footnotes(open_page: OpenPage) -> None:
    """After a new chat and after a reload; each footnote opens its own words."""
    page = open_page()
    before = chats(page).count()
    example(page).dblclick()
    expect(chips(page)).to_have_count(1)
    expect(chats(page)).to_have_count(before + 1)
    ask(page, COPPER)
    expect(chips(page)).to_have_count(2)
    expect(page.get_by_role("heading", name="You asked: ")).to_have_count(2)
    expect(chips(page).last).to_be_in_viewport()
    expect(field(page)).to_be_focused()

    quotes = []
    for chip in (chips(page).first, chips(page).last):
        chip.click()
        expect(pane(page)).to_be_visible()
        label = chip.get_attribute("aria-label") or ""
        start = label.removeprefix("Footnote 1: ").removesuffix("…")
        expect(current_mark(page)).to_contain_text(start)
        quotes.append(current_mark(page).inner_text())
    assert quotes[0] != quotes[1]

    page.get_by_role("button", name="New chat").click()
    expect(example(page)).to_be_visible()
    expect(chips(page)).to_have_count(0)
    expect(pane(page)).to_have_count(0)

    chats(page).first.click()
    expect(chips(page)).to_have_count(2)
    page.reload()
    expect(chips(page)).to_have_count(2)
    chips(page).last.click()
    expect(current_mark(page)).to_have_text(quotes[1])


def test_menus_lie_over_the_source(open_page: OpenPage) -> None:
    """They are wider than what is left of the chat."""
    page = open_page()
    ask(page, EXAMPLE)
    chips(page).click()
    expect(pane(page)).to_be_visible()
    page.get_by_role("button", name="Chat menu").click()
    # A trial: it fails if another element is at the place of the click.
    page.get_by_role("button", name="Export as Markdown").click(trial=True)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Exact quotes (built in)").click()
    page.get_by_role("button", name="Increment").click(trial=True)


def test_library_opens_a_document(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("link", name="Library").click()
    page.get_by_role("button", name="Open Golden Opportunity?").click()
    expect(pane(page).get_by_role("heading")).to_contain_text("Golden Opportunity?")
    expect(pane(page).locator("mark")).to_have_count(0)


def test_everything_works_by_keyboard(open_page: OpenPage) -> None:
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

    for _ in range(TAB_STOPS):
        page.keyboard.press("Shift+Tab")
        if page.evaluate(FOCUSED_CHIP):
            break
    card = page.get_by_role("tooltip")
    quote = card.locator("mark").inner_text()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)

    page.keyboard.press("Enter")
    expect(source_text(page)).to_be_focused()
    expect(current_mark(page)).to_have_text(quote)
    page.keyboard.press("Escape")
    expect(pane(page)).to_have_count(0)
    expect(chips(page)).to_be_focused()


def test_phone_shows_all_without_scrolling_sideways(open_page: OpenPage) -> None:
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    ask(page, EXAMPLE)
    chips(page).tap()
    expect(pane(page)).to_be_visible()
    box = pane(page).bounding_box()
    assert box
    assert (box["x"], box["width"]) == (0, PHONE["width"])
    expect_within(current_mark(page), source_text(page))
    assert page.evaluate(OVERFLOW) == [0, 0]
    pane(page).get_by_role("button", name="Close the source").tap()
    expect(pane(page)).to_have_count(0)
    expect(page.get_by_role("tooltip")).to_have_count(0)
    assert page.evaluate(OVERFLOW) == [0, 0]


def test_why_lists_the_passages_that_were_read(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, EXAMPLE)
    page.get_by_text("Why this answer?").click()
    table = page.get_by_role("table")
    expect(table.get_by_role("columnheader", name="Answer score")).to_be_visible()
    expect(table.get_by_role("row")).to_have_count(6)
    expect(page.get_by_text("at or above the threshold of 20%")).to_be_visible()


def test_conversation_is_exported_renamed_and_deleted(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, EXAMPLE)
    expect(chips(page)).to_be_visible()
    page.get_by_role("button", name="Chat menu").click()
    with page.expect_download() as markdown:
        page.get_by_role("button", name="Export as Markdown").click()
    text = Path(markdown.value.path()).read_text(encoding="utf-8")
    assert f"## {EXAMPLE}" in text
    assert "participants attended" in text
    with page.expect_download() as exported:
        page.get_by_role("button", name="Export as JSON").click()
    conversation = json.loads(Path(exported.value.path()).read_text(encoding="utf-8"))
    (exchange,) = conversation["exchanges"]
    assert exchange["question"] == EXAMPLE
    (citation,) = exchange["told"]["sentences"][0]["citations"]
    assert ARTICLE[citation["start"] : citation["end"]] == citation["quote"]
    stems = {Path(download.value.suggested_filename).stem for download in (markdown, exported)}
    assert stems == {re.sub(r"[^\w-]+", "-", EXAMPLE).strip("-")}

    title = page.get_by_role("textbox", name="Title")
    title.fill("Of the forum")
    title.press("Enter")
    entry = page.get_by_role("list", name="Conversations").get_by_role(
        "button", name="Of the forum"
    )
    expect(entry).to_be_visible()
    page.get_by_text("Yes, delete this chat and its answers").click()
    page.get_by_role("button", name="Delete chat").click()
    expect(entry).to_have_count(0)
    expect(example(page)).to_be_visible()


def test_rated_answer_becomes_a_test_question(open_page: OpenPage, home: Path) -> None:
    """Its evidence is selected in the source."""
    page = open_page()
    ask(page, COPPER)
    bad = page.get_by_role("radio", name="Thumbs down")
    bad.click()
    expect(bad).to_have_attribute("aria-checked", "true")
    page.get_by_role("button", name="Save as test question").click()
    chips(page).first.click()
    mark = current_mark(page)
    expect(mark).to_be_visible()
    quote = mark.inner_text()
    pick = pane(page).get_by_role("button", name="Use selection as evidence")
    expect(pick).to_be_disabled()
    mark.click(click_count=3)
    expect(pick).to_be_enabled()
    pick.click()

    evidence = page.get_by_role("list", name="Evidence").get_by_role("blockquote")
    expect(evidence).to_be_visible()
    picked = evidence.inner_text()
    assert quote in picked
    assert picked in ARTICLE
    answers = page.get_by_role("textbox", name="Correct answers")
    answers.fill("13.1 million tons of copper")
    answers.press("Control+Enter")
    page.get_by_role("button", name="Save test question", exact=True).click()
    expect(page.get_by_text("Saved. You have 1 test question.")).to_be_visible()
    row = json.loads((home / "questions.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (row["question"], row["evidence"]) == (COPPER, [picked])


def test_file_is_added_with_its_question(open_page: OpenPage) -> None:
    """The answer keeps its footnote after the file is removed."""
    page = open_page()
    sentence = "The lighthouse of Norra has 212 steps."
    attach(page, "../../norra.txt", f"{sentence}\n\nIts keeper is called Ane Holt.".encode())
    ask(page, "How many steps does the lighthouse of Norra have?")
    expect(page.locator(".answer")).to_contain_text("212", timeout=30_000)
    chips(page).click()
    expect(current_mark(page)).to_have_text(sentence)

    page.get_by_role("link", name="Library").click()
    expect(page.get_by_text("norra.txt", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Remove norra").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("button", name="Remove norra")).to_have_count(0)

    page.go_back()
    expect(page.get_by_role("link", name="Chat")).to_be_visible()
    page.get_by_role("link", name="Chat").click()
    chips(page).first.click()
    expect(pane(page).get_by_text("no longer in the library")).to_be_visible()
    expect(current_mark(page)).to_have_text(sentence)


def test_broken_file_leaves_the_question_to_ask_again(open_page: OpenPage) -> None:
    page = open_page()
    attach(page, "broken.pdf", b"%PDF-1.7 nothing")
    ask(page, EXAMPLE)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("broken.pdf was not added", timeout=30_000)
    page.get_by_role("button", name="Ask again").click()
    expect(chips(page)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chat_is_accessible(open_page: OpenPage, scheme: str, size: dict[str, int]) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce", viewport=size)
    assert violations(page) == []
    ask(page, UNANSWERABLE)
    page.get_by_text("Closest passages").click()
    ask(page, COPPER)
    page.get_by_text("Why this answer?").last.click()
    page.get_by_role("button", name="Save as test question").last.click()
    expect(page.get_by_role("button", name="Save test question", exact=True)).to_be_visible()
    assert violations(page) == []

    page.get_by_role("button", name="Exact quotes (built in)").click()
    expect(page.get_by_text("Nothing is sent anywhere.")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")

    chips(page).focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("tooltip")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(pane(page)).to_be_visible()
    assert violations(page) == []
