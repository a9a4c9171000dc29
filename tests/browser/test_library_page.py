"""The library page in a browser: files are added, cancelled, opened and removed while one asks."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from tests.browser.conftest import OVERFLOW, ROOT, run_streamlit, violations
from tests.browser.library_page import SLOW

STARTS = 30_000
"""Milliseconds that the page may take to come on a slow machine."""
WORKS = 60_000
"""Milliseconds in which all files of a test are added."""
UPLOAD_RULE = "presentation-role-conflict: "
"""Streamlit gives the upload field a role that contradicts its label: not ours to fix."""
TEXT = "The bridge named {0} cost {0} crowns."


@pytest.fixture
def address(chromium: str, tmp_path: Path) -> Iterator[str]:
    """The address of the page by itself, over a library with 52 reports."""
    # From the folder with the settings of the page: they belong to another script.
    with run_streamlit(
        "tests/browser/library_page.py", tmp_path / "log", ROOT / "ui", QA_HOME=str(tmp_path)
    ) as address:
        yield address


@pytest.fixture
def page(address: str, browser: Browser) -> Iterator[Page]:
    page = open_page(browser, address)
    yield page
    page.close()


def open_page(browser: Browser, address: str, **options: Any) -> Page:
    page = browser.new_page(**options)
    page.goto(address)
    expect(page.get_by_role("button", name="Open Report 00")).to_be_visible(timeout=STARTS)
    return page


def upload(page: Page, *files: FilePayload) -> None:
    page.locator("input[type=file]").set_input_files(list(files))


def file(name: str, data: bytes | str) -> FilePayload:
    content = data.encode() if isinstance(data, str) else data
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def slow_text(passages: int) -> str:
    """Returns a text of about so many passages, which take long to embed."""
    paragraphs = []
    for number in range(passages):
        words = " ".join(f"w{number * 150 + k}" for k in range(150))
        paragraphs.append(f"Paragraph {number} goes {SLOW} {words}.")
    return "\n\n".join(paragraphs)


def job(page: Page, name: str) -> Locator:
    return page.locator(".job").filter(has=page.get_by_text(name, exact=True))


def ask(page: Page, question: str) -> None:
    page.get_by_label("Question").fill(question)
    page.get_by_label("Question").press("Enter")


def expect_documents(page: Page, number: int) -> None:
    expect(page.get_by_role("heading", name=f"Your documents ({number})")).to_be_visible()


def word_file(text: str) -> bytes:
    office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    schemas = "http://schemas.openxmlformats.org"
    relation = f"{schemas}/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{schemas}/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{office}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{schemas}/package/2006/relationships">'
        f'<Relationship Id="r" Type="{relation}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{schemas}/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def pdf_file(text: str) -> bytes:
    drawing = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R "
        b"/Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
    ]
    content = b"%PDF-1.4\n"
    offsets = []
    for number, part in enumerate(objects, 1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(content)
    return content + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def test_twenty_files_are_added_while_one_asks(page: Page) -> None:
    """Files of all types, two of them broken; a question is answered in between."""
    names = "Ada Bea Cleo Dora Edda Flo Gro Hedda Ida Jo Kaia Lea".split()
    texts = [file(f"{name}.txt", f"{TEXT.format(name)} It went {SLOW}.") for name in names]
    oda = f"<html><title>Of Oda</title><body><p>{TEXT.format('Oda')}</p></body></html>"
    other_types = [
        file("m.md", f"# Of Mia\n\n{TEXT.format('Mia')}"),
        file("n.markdown", f"# Of Nora\n\n{TEXT.format('Nora')}"),
        file("o.html", oda),
        file("p.html", f"<p>{TEXT.format('Pia')}</p>"),
        file("q.docx", word_file(TEXT.format("Queenie"))),
        file("r.pdf", pdf_file(TEXT.format("Runa"))),
    ]
    upload(page, file("nul.txt", b"\0\1\2"), *texts, file("empty.pdf", b""), *other_types)
    expect(page.get_by_text("of 20 documents finished")).to_be_visible()

    ask(page, "What did the bridge number 7 cost?")
    expect(page.get_by_text("Answer: The bridge number 7 cost gold.")).to_be_visible()
    expect(page.get_by_text("20 of 20 documents finished")).to_have_count(0)

    finished = page.get_by_text("20 of 20 documents finished · 2 failed")
    expect(finished).to_be_visible(timeout=WORKS)
    expect(page.get_by_text("Added", exact=True)).to_have_count(18)
    for broken in ("nul.txt", "empty.pdf"):
        expect(job(page, broken)).to_contain_text(f"Not added. {broken} ")
    expect_documents(page, 70)
    for name in ("Ada", "Mia", "Oda", "Queenie", "Runa"):
        ask(page, f"What did the bridge named {name} cost?")
        expect(page.get_by_text(f"cost {name} crowns.")).to_be_visible()

    # No file is added twice: the field is empty, and a reload adds no job.
    page.reload()
    expect(finished).to_be_visible(timeout=STARTS)
    expect_documents(page, 70)
    page.get_by_role("button", name="Clear finished").click()
    expect(page.get_by_role("heading", name="Progress")).to_have_count(0)


def test_closed_tab_does_not_stop_its_jobs(address: str, browser: Browser) -> None:
    first = open_page(browser, address)
    upload(first, file("long.txt", slow_text(200)))
    progress = first.get_by_role("progressbar", name="Progress of long.txt")
    expect(progress).to_be_visible(timeout=WORKS)
    first.close()

    second = open_page(browser, address)
    expect(second.get_by_text("1 of 1 document finished")).to_be_visible(timeout=WORKS)
    expect(second.get_by_text("Added", exact=True)).to_be_visible()
    second.close()


def test_job_is_cancelled_and_tried_again(page: Page) -> None:
    upload(page, file("long.txt", slow_text(1000)), file("short.txt", "Short."))
    progress = page.get_by_role("progressbar", name="Progress of long.txt")
    expect(progress).to_be_visible(timeout=WORKS)
    for name in ("short.txt", "long.txt"):
        page.get_by_role("button", name=f"Cancel: {name}").press("Enter")
        expect(job(page, name)).to_contain_text(
            "Cancelled. The library is unchanged.", timeout=WORKS
        )
    expect_documents(page, 52)
    page.get_by_role("button", name="Try again: short.txt").click()
    expect(job(page, "short.txt")).to_contain_text("Added", timeout=WORKS)
    expect_documents(page, 53)


def test_document_is_opened_and_removed(page: Page) -> None:
    """Removing needs a second click; Escape and Cancel keep the document."""
    page.get_by_role("button", name="Open Report 03").click()
    expect(page.get_by_text("Reading reports/03.txt")).to_be_visible()

    dialog = page.get_by_role("dialog", name="Remove this document?")
    remove = page.get_by_role("button", name="Remove Report 03")
    remove.click()
    expect(dialog).to_contain_text("Report 03 (reports/03.txt")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    remove.click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect_documents(page, 52)

    remove.click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog).to_have_count(0)
    expect_documents(page, 51)
    expect(page.get_by_role("button", name="Open Report 03")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_library_is_accessible_and_fits(
    address: str, browser: Browser, scheme: str, width: int
) -> None:
    page = open_page(
        browser,
        address,
        color_scheme=scheme,
        reduced_motion="reduce",
        viewport={"width": width, "height": 800},
    )
    long_name = "with-a-name-that-is-much-too-long-for-a-telephone.txt"
    upload(
        page,
        file("good.md", "# Good\n\nText."),
        file("nul.txt", b"\0"),
        file(long_name, slow_text(600)),
    )
    progress = page.get_by_role("progressbar", name=f"Progress of {long_name}")
    expect(progress).to_be_visible(timeout=WORKS)
    page.get_by_text("Paste text").click()
    # By key: the button still moves while its box opens, and a pointer may miss it.
    page.get_by_role("button", name="Add this text").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was added")
    for violation in violations(page):
        assert violation.startswith(UPLOAD_RULE)
        assert "stFileUploaderDropzone" in violation

    page.get_by_role("button", name=f"Cancel: {long_name}").click()
    expect(page.get_by_text("3 of 3 documents finished")).to_be_visible(timeout=WORKS)
    assert page.evaluate(OVERFLOW) == [0, 0]
    page.get_by_role("button", name="Remove Report 03").click()
    expect(page.get_by_role("dialog", name="Remove this document?")).to_be_visible()
    # The upload field lies behind the dialog, where axe does not look.
    assert violations(page) == []
    page.close()
