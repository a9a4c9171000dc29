"""Measures a page under load: `python -m tests.browser.many` prints the seconds of 25 people asking at once."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.conftest import FLAGS, MODELS, serving

PEOPLE = 25
EACH = 2
QUESTIONS = {
    "How many participants attended the forum?": "2,000",
    "How much gold and copper does Reko Diq hold?": "Reko Diq",
    "What did Sharif say about the International Monetary Fund?": "global lenders",
}


async def measure(chromium: str, address: str) -> list[float]:
    """Returns the seconds from each question to its answer on the screen.

    Raises AssertionError if an answer belongs to another question.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        pages = [await _opened(browser, address) for _ in range(PEOPLE)]
        spent = await asyncio.gather(*(_talk(page, person) for person, page in enumerate(pages)))
        await browser.close()
    return [seconds for person in spent for seconds in person]


async def _opened(browser: Browser, address: str) -> Page:
    context = await browser.new_context(
        viewport={"width": 1000, "height": 700}, reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.goto(address)
    await expect(page.get_by_role("list", name="Example questions")).to_be_visible(timeout=MODELS)
    return page


async def _talk(page: Page, person: int) -> list[float]:
    """Returns the seconds of one person's questions, each of another kind than the last."""
    spent = []
    for number in range(EACH):
        question, word = list(QUESTIONS.items())[(person + number) % len(QUESTIONS)]
        field = page.get_by_role("textbox", name="Ask your documents")
        await field.fill(question)
        begun = time.monotonic()
        await field.press("Enter")
        answer = page.locator(".answer").nth(number)
        await expect(answer).to_contain_text(word, timeout=120_000)
        spent.append(time.monotonic() - begun)
    await expect(page.get_by_role("heading", name="You asked: ")).to_have_count(EACH)
    return spent


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as address:
        spent = asyncio.run(measure(shutil.which("chromium") or "chromium", address))
        process = subprocess.run(
            ["pgrep", "-f", "-m ui --server"], capture_output=True, text=True, check=True
        )
        status = Path(f"/proc/{process.stdout.split()[0]}/status").read_text()
    memory = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    median, p95 = np.percentile(spent, [50, 95])
    seconds = f"{len(spent)} questions: median {median:.1f} s, p95 {p95:.1f} s"
    sys.stdout.write(f"{PEOPLE} people, {seconds}; the server's most {memory}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
