"""The page runs under its Content-Security-Policy, and the policy refuses what it should."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import EXAMPLE, OpenPage
from tests.browser.test_chat import ask, attach, chips, pane
from tests.ui.evaluated import BETTER, make_run

RECORD = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event =>
    window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}`));
"""
# Later: while DevTools evaluate something, Chromium does not apply this part of the policy.
EVALUATE = """() => new Promise(done => setTimeout(() => {
    try { done(new Function("return 'evaluated'")()); } catch (error) { done(error.name); }
}))"""
LOAD = """source => new Promise(done => {
    const script = document.createElement("script");
    script.onload = () => done("loaded");
    script.onerror = () => done("refused");
    if (source) script.src = source; else script.textContent = "window.inline = true";
    document.head.append(script);
    if (!source) done(window.inline ? "loaded" : "refused");
})"""


def test_no_part_of_the_page_breaks_the_policy(open_page: OpenPage, home: Path) -> None:
    """The chat with source, upload and menu, the library, the evaluation with its charts."""
    make_run(home / "runs" / "first", BETTER, finished="2026-01-02T10:00:00+00:00")
    page = open_page()
    page.add_init_script(RECORD)
    page.reload()
    ask(page, EXAMPLE)
    expect(chips(page)).to_be_visible()
    chips(page).click()
    expect(pane(page)).to_be_visible()
    page.get_by_role("button", name="Close the source").click()
    attach(page, "note.txt", b"A note.")
    page.get_by_role("button", name="Chat menu").click()
    with page.expect_download():
        page.get_by_role("button", name="Export as JSON").click()
    assert _violations(page) == []

    for name in ("Library", "Evaluation"):
        page.goto(f"{page.url.split('?')[0].rstrip('/')}/../{name.casefold()}")
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        # The last piece of each page.
        last = "Your documents" if name == "Library" else "Failed questions"
        expect(page.get_by_role("heading", name=last)).to_be_visible(timeout=30_000)
        assert _violations(page) == []


def test_policy_refuses_other_scripts(server: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(server)
    assert page.evaluate(EVALUATE) == "EvalError"
    for source in ("", "data:text/javascript,1", "http://127.0.0.1:9/x.js"):
        assert page.evaluate(LOAD, source) == "refused"
    page.close()


def _violations(page: Page) -> list[str]:
    violations: list[str] = page.evaluate("window.violations")
    return violations
