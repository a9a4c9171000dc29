"""The library page as a person meets it: files are added, followed, cancelled, read and removed while one asks."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import ROOT, free_port, wait_for
from tests.browser.library_page import SLOW

STARTS = 30_000
"""Milliseconds that the page may take to come on a slow machine."""
WORKS = 60_000
"""Milliseconds in which all that a test adds is added."""
STREAMLITS_OWN = ["presentation-role-conflict: stFileUploaderDropzone"]
"""Streamlit 1.67 gives the field for files a role that its label contradicts: of minor impact, and not ours to mend."""
PAPER = "The bridge named {0} cost {0} crowns."


@pytest.fixture
def address(chromium: str, tmp_path: Path) -> Iterator[str]:
    """The address of the page by itself, over a library of its own with 52 reports."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(ROOT / "tests/browser/library_page.py"),
        "--server.headless",
        "true",
    ]
    told = {**os.environ, "QA_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    log = tmp_path / "server.log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=ROOT / "ui",
            env=told,
            stdout=output,
            stderr=output,
        )
        try:
            wait_for(f"http://localhost:{port}/_stcore/health", running, log)
            yield f"http://localhost:{port}"
        finally:
            running.terminate()
            running.wait(10)


@pytest.fixture
def page(address: str, browser: Browser) -> Iterator[Page]:
    opened = open_page(browser, address)
    yield opened
    opened.close()


def open_page(browser: Browser, address: str, **options: Any) -> Page:
    opened = browser.new_page(**options)
    opened.goto(address)
    expect(opened.get_by_role("button", name="Read Report 00")).to_be_visible(timeout=STARTS)
    return opened


def bring(page: Page, *files: FilePayload) -> None:
    page.locator("input[type=file]").set_input_files(list(files))


def file(name: str, data: bytes | str) -> FilePayload:
    held = data.encode() if isinstance(data, str) else data
    return {"name": name, "mimeType": "application/octet-stream", "buffer": held}


def slow(passages: int) -> str:
    """A text of about so many passages, each of which takes its time with those embedded beside it."""
    return "\n\n".join(
        f"Paragraph {n} goes {SLOW} " + " ".join(f"w{n * 150 + k}" for k in range(150)) + "."
        for n in range(passages)
    )


def row(page: Page, name: str) -> Any:
    return page.locator(".job").filter(has=page.get_by_text(name, exact=True))


def violations(page: Page) -> list[str]:
    """The rules that axe finds broken, each with the test id that Streamlit gave the element, or its HTML."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    nodes = ((rule["id"], node["html"]) for rule in found for node in rule["nodes"])
    return [
        f"{rule}: {'stFileUploaderDropzone' if 'stFileUploaderDropzone' in html else html}"
        for rule, html in nodes
    ]


def a_word_file(text: str) -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r" Type="{relation}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>",
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return held.getvalue()


def a_pdf(text: str) -> bytes:
    drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R "
        b"/Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
    ]
    written, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(written)
    return written + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def test_twenty_files_of_all_kinds_two_of_them_broken_while_one_asks(page: Page) -> None:
    names = [
        "Ada",
        "Bea",
        "Cleo",
        "Dora",
        "Edda",
        "Flo",
        "Gro",
        "Hedda",
        "Ida",
        "Jo",
        "Kaia",
        "Lea",
    ]
    texts = [file(f"{name}.txt", f"{PAPER.format(name)} It went {SLOW}.") for name in names]
    others = [
        file("m.md", f"# Of Mia\n\n{PAPER.format('Mia')}"),
        file("n.markdown", f"# Of Nora\n\n{PAPER.format('Nora')}"),
        file(
            "o.html", f"<html><title>Of Oda</title><body><p>{PAPER.format('Oda')}</p></body></html>"
        ),
        file("p.html", f"<p>{PAPER.format('Pia')}</p>"),
        file("q.docx", a_word_file(PAPER.format("Queenie"))),
        file("r.pdf", a_pdf(PAPER.format("Runa"))),
    ]
    bring(page, file("nul.txt", b"\0\1\2"), *texts, file("empty.pdf", b""), *others)
    expect(page.get_by_text("of 20 documents finished")).to_be_visible()

    page.get_by_label("Question").fill("What did the bridge number 7 cost?")
    page.get_by_label("Question").press("Enter")
    expect(page.get_by_text("Answer: The bridge number 7 cost gold.")).to_be_visible()
    expect(page.get_by_text("20 of 20 documents finished")).to_have_count(0)

    expect(page.get_by_text("20 of 20 documents finished · 2 failed")).to_be_visible(timeout=WORKS)
    expect(page.get_by_text("Added", exact=True)).to_have_count(18)
    for broken in ("nul.txt", "empty.pdf"):
        expect(row(page, broken)).to_contain_text(f"Not added. {broken} ")
    expect(page.get_by_role("heading", name="In the library 70")).to_be_visible()
    for name in ("Ada", "Mia", "Oda", "Queenie", "Runa"):
        page.get_by_label("Question").fill(f"What did the bridge named {name} cost?")
        page.get_by_label("Question").press("Enter")
        expect(page.get_by_text(f"cost {name} crowns.")).to_be_visible()

    # Nothing is taken twice: what was chosen is gone from the field, and a reload brings no new job.
    page.reload()
    expect(page.get_by_text("20 of 20 documents finished · 2 failed")).to_be_visible(timeout=STARTS)
    expect(page.get_by_role("heading", name="In the library 70")).to_be_visible()
    page.get_by_role("button", name="Clear finished").click()
    expect(page.get_by_role("heading", name="Progress")).to_have_count(0)


def test_a_closed_tab_does_not_stop_the_work(address: str, browser: Browser) -> None:
    first = open_page(browser, address)
    bring(first, file("long.txt", slow(200)))
    expect(first.get_by_role("progressbar", name="Progress of long.txt")).to_be_visible(
        timeout=WORKS
    )
    first.close()
    other = open_page(browser, address)
    expect(other.get_by_text("1 of 1 document finished")).to_be_visible(timeout=WORKS)
    expect(other.get_by_text("Added", exact=True)).to_be_visible()
    other.close()


def test_a_document_is_cancelled_and_tried_again(page: Page) -> None:
    bring(page, file("long.txt", slow(1000)), file("short.txt", "Short."))
    expect(page.get_by_role("progressbar", name="Progress of long.txt")).to_be_visible(
        timeout=WORKS
    )
    for name in ("short.txt", "long.txt"):
        page.get_by_role("button", name=f"Cancel: {name}").press("Enter")
        expect(row(page, name)).to_contain_text(
            "Cancelled. The library is as before.", timeout=WORKS
        )
    expect(page.get_by_role("heading", name="In the library 52")).to_be_visible()
    page.get_by_role("button", name="Try again: short.txt").click()
    expect(row(page, "short.txt")).to_contain_text("Added", timeout=WORKS)
    expect(page.get_by_role("heading", name="In the library 53")).to_be_visible()


def test_a_document_is_read_and_removed_when_asked_twice(page: Page) -> None:
    page.get_by_role("button", name="Read Report 03").click()
    expect(page.get_by_text("Reading reports/03.txt")).to_be_visible()
    asked = page.get_by_role("dialog", name="Remove this document?")
    page.get_by_role("button", name="Remove Report 03").click()
    expect(asked).to_contain_text("Report 03 (reports/03.txt")
    page.keyboard.press("Escape")
    expect(asked).to_have_count(0)
    page.get_by_role("button", name="Remove Report 03").click()
    asked.get_by_role("button", name="Keep it").click()
    expect(asked).to_have_count(0)
    expect(page.get_by_role("heading", name="In the library 52")).to_be_visible()
    page.get_by_role("button", name="Remove Report 03").click()
    asked.get_by_role("button", name="Remove", exact=True).click()
    expect(asked).to_have_count(0)
    expect(page.get_by_role("heading", name="In the library 51")).to_be_visible()
    expect(page.get_by_role("button", name="Read Report 03")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_of_ours_and_nothing_is_cut_off(
    address: str, browser: Browser, scheme: Any, width: int
) -> None:
    page = open_page(
        browser,
        address,
        color_scheme=scheme,
        reduced_motion="reduce",
        viewport={"width": width, "height": 800},
    )
    long_name = "with-a-name-that-is-much-too-long-for-a-telephone.txt"
    bring(
        page, file("good.md", "# Good\n\nText."), file("nul.txt", b"\0"), file(long_name, slow(600))
    )
    expect(page.get_by_role("progressbar", name=f"Progress of {long_name}")).to_be_visible(
        timeout=WORKS
    )
    page.get_by_text("Paste a text").click()
    # By key: the button still moves while its box opens, and a pointer may let go beside it.
    page.get_by_role("button", name="Add this text").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was added")
    assert violations(page) == STREAMLITS_OWN
    page.get_by_role("button", name=f"Cancel: {long_name}").click()
    expect(page.get_by_text("3 of 3 documents finished")).to_be_visible(timeout=WORKS)
    overflow = "[document.documentElement, document.querySelector('.stMain')].map(e => e.scrollWidth - e.clientWidth)"
    assert page.evaluate(overflow) == [0, 0]
    page.get_by_role("button", name="Remove Report 03").click()
    expect(page.get_by_role("dialog", name="Remove this document?")).to_be_visible()
    # The field for files lies behind it, where axe does not look.
    assert violations(page) == []
    page.close()
