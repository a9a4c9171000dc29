"""Code and tables in a browser: copied, marked, and read as such."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, violations
from tests.browser.test_chat import ask, attach, current_mark, pane, source_text

README = """# Kettle

## Install

Install kettle with two commands:

```sh
make build
make install
```

## Prices

| Plan | Price |
|---|---|
| Pro | $12 |
"""
CODE = "make build\nmake install"


def test_code_is_copied_and_marked_in_its_source(open_page: OpenPage) -> None:
    """The pane shows the table below it with a header and a row."""
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    attach(page, "kettle.md", README.encode())
    ask(page, "How do I install kettle?")
    answer = page.locator(".answer")
    expect(answer.locator("pre")).to_have_text(CODE, timeout=60_000)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == CODE

    answer.get_by_role("button", name="Footnote 2:").click()
    expect(pane(page)).to_be_visible()
    marks = current_mark(page).all_text_contents()
    assert "".join(marks) == CODE
    rows = source_text(page).get_by_role("row")
    expect(rows).to_have_count(2)
    expect(rows.first.get_by_role("columnheader")).to_have_count(2)
    expect(rows.last.get_by_role("cell", name="$12")).to_be_visible()
    assert not violations(page)

    pane(page).get_by_role("button", name="Close the source").click()
    page.get_by_role("link", name="Library").click()
    page.get_by_role("button", name="Remove kettle").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("button", name="Remove kettle")).to_have_count(0)
