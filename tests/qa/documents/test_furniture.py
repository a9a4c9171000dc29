"""Lines that the pages of a site repeat are not searched, and every other line is."""

from dataclasses import replace
from pathlib import Path

import pytest

from qa.documents.furniture import with_furniture
from qa.documents.load import load
from qa.documents.sentences import segment
from qa.types import Document
from tests.qa.conftest import SEEDS
from tests.qa.fakes import text_document, with_furniture_lines

FACTS = (
    "The ferry leaves at nine.",
    "The bridge cost 48 million euros.",
    "The mill closed in 1991.",
    "The lake froze in March.",
)
MENU = "Home | News | Sport"
APPEAL = "Join us: subscribe to our newsletter"


def pages(*appeals: str, publisher: str | None = "The Bay Times") -> list[Document]:
    """A page for each text, with the same menu and a fact of its own."""
    made = []
    for fact, appeal in zip(FACTS, appeals, strict=False):
        page = text_document(f"{MENU}\n\n{fact}\n\n{appeal}\n", f"{fact[4:8]}.txt")
        made.append(replace(page, publisher=publisher))
    return made


def furniture(document: Document) -> list[str]:
    return [document.text_of(span) for span in document.furniture]


def unsearched(document: Document) -> list[str]:
    return [document.text_of(s.span) for s in segment(document) if s.boilerplate]


def test_furniture_is_what_three_pages_of_a_site_repeat() -> None:
    """White space and case do not matter; what a page says alone is searched."""
    for page in with_furniture(pages(APPEAL, f"  {APPEAL.upper()}", APPEAL)):
        assert len(furniture(page)) == 2
        assert unsearched(page) == furniture(page)
    assert all(FACTS[0] not in furniture(page) for page in with_furniture(pages(APPEAL, "", "")))


def test_furniture_needs_three_pages_and_half_of_the_site() -> None:
    assert [furniture(page) for page in with_furniture(pages(APPEAL, APPEAL))] == [[], []]
    others = [
        replace(text_document(f"Page {number}.", f"{number}.txt"), publisher="The Bay Times")
        for number in range(4)
    ]
    marked = with_furniture([*pages(APPEAL, APPEAL, APPEAL), *others])
    assert not any(page.furniture for page in marked)


def test_furniture_not_of_documents_without_a_site() -> None:
    """Letters and contracts of a folder share lines that people ask about."""
    letters = pages(APPEAL, APPEAL, APPEAL, publisher=None)
    assert with_furniture(letters) == tuple(letters)


def test_furniture_of_web_pages_in_one_folder() -> None:
    web_pages = []
    for page in pages(APPEAL, APPEAL, APPEAL, publisher=None):
        web_pages.append(replace(page, source=f"/site/{page.name}.html"))
    assert all(furniture(page) == [MENU, APPEAL] for page in with_furniture(web_pages))
    web_pages[0] = replace(web_pages[0], source="/elsewhere/a.html")
    assert not any(page.furniture for page in with_furniture(web_pages))


def test_furniture_copies_of_a_page_are_one_page() -> None:
    page, *_ = pages(APPEAL)
    copies = [replace(page, name=f"{number}.txt") for number in range(3)]
    assert not any(copy.furniture for copy in with_furniture(copies))


def test_furniture_not_paragraphs_and_tables() -> None:
    paragraph = "The rates of the ferry are set by the council each spring. " * 4
    repeated = f"{paragraph}\n\n| Size | Price |\n|---|---|\n| small | 5 |"
    marked = with_furniture(pages(repeated, repeated, repeated))
    assert all(furniture(page) == [MENU] for page in marked)


@pytest.mark.parametrize(
    "letter",
    [
        "Join us for the summer party.\nHelp us with the cakes.\nDonate your old books.",
        "Our newsletter appears in May.\nThe website uses cookies.\nSubscribe at the office.",
        "Sign up for swimming by Friday.\nFollow us to the lake.\n© The Sunny School",
    ],
)
def test_single_document_has_no_furniture(letter: str) -> None:
    """The words of an appeal are also those of invitations and privacy notices."""
    (document,) = with_furniture([replace(text_document(letter), publisher="Sunny School")])
    assert all(sentence.may_answer for sentence in segment(document))


def test_wrapped_block_is_furniture_if_all_its_lines_are() -> None:
    lines = (
        "The committee met on Monday to speak about the",
        "budget for the year and could not agree on the",
        "sums. It will meet again.",
    )
    text = "\n".join(lines)
    page = text_document(f"{text}\n\nThe mayor left.\n")
    assert unsearched(with_furniture_lines(page, *lines[:2])) == []
    assert " ".join(unsearched(with_furniture_lines(page, *lines))) == text


def test_load_marks_the_pages_of_a_folder(tmp_path: Path) -> None:
    for page in pages(APPEAL, APPEAL, APPEAL):
        body = "".join(f"<p>{line}</p>" for line in page.text.split("\n\n"))
        (tmp_path / page.name).with_suffix(".html").write_text(f"<body>{body}</body>")
    loaded = load([tmp_path])
    assert len(loaded.documents) == 3
    assert all(APPEAL in furniture(page) for page in loaded.documents)


def test_load_seed_article_is_searched_whole() -> None:
    (document,) = load([SEEDS]).documents
    assert document.furniture == ()
    assert not any(sentence.boilerplate for sentence in segment(document))
