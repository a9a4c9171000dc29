"""What the readers share: quotes found as a brute-force search finds them, and names that are safe anywhere."""

import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.formats.canonical import MAX_NAME, canonical, file_name, is_altered
from eval.formats.paragraphs import ParagraphSpan
from eval.formats.quotes import QuoteFinder
from qa.types import Document, Span

TEXTS = st.lists(st.text(alphabet="ab .\n😀", max_size=40), min_size=1, max_size=4)


def documents(texts: list[str]) -> list[Document]:
    return [
        Document(f"{number}.txt", f"test/{number}", "", text) for number, text in enumerate(texts)
    ]


@given(TEXTS, st.data())
def test_every_occurrence_is_found_and_no_other(texts: list[str], data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(texts))
    start = data.draw(st.integers(0, len(whole)))
    quote = whole[start : data.draw(st.integers(start, len(whole)))] or "a"
    expected = [
        (number, Span(offset, offset + len(quote)))
        for number, text in enumerate(texts)
        for offset in range(len(text))
        if text.startswith(quote, offset)
    ]
    quotes = QuoteFinder(documents(texts))
    assert list(quotes.occurrences(quote)) == expected
    assert quotes.is_unique(quote) == (len(expected) == 1)


@given(TEXTS, st.data())
def test_evidence_is_unique_holds_the_span_and_stays_in_the_paragraph(
    texts: list[str], data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(texts) - 1))
    text = texts[number]
    offsets = [offset for offset, letter in enumerate(text) if not letter.isspace()]
    if not offsets:
        return
    offset = data.draw(st.sampled_from(offsets))
    quotes = QuoteFinder(documents(texts))
    evidence = quotes.evidence(Span(offset, offset + 1), ParagraphSpan(number, Span(0, len(text))))
    if evidence is None:
        assert sum(len(re.findall(f"(?={re.escape(text.strip())})", other)) for other in texts) > 1
    else:
        ((document_number, span),) = quotes.occurrences(evidence)
        assert document_number == number
        assert span.start <= offset < span.end


def test_a_quote_far_from_unique_becomes_its_paragraph() -> None:
    text = "It rained. " * 40 + "It snowed."
    quotes = QuoteFinder(documents([text]))
    assert quotes.evidence(Span(3, 9), ParagraphSpan(0, Span(0, len(text)))) == text


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("Dogs bark at night.", "Dogs bark\n  at night."),
        (" Dogs  bark\tat night.\n", "Dogs bark\n  at night."),
        ("bark at", "bark\n  at"),
        ("dogs bark", None),
        ("Fish swim.", None),
        ("It is so.", "It is so."),
        ("  ", None),
    ],
)
def test_a_quote_whose_white_space_differs_is_given_as_the_document_has_it(
    quote: str, found: str | None
) -> None:
    quotes = QuoteFinder(documents(["Cats sleep. Dogs bark\n  at night. It is so.", "It is so."]))
    assert quotes.verbatim(quote) == found


@given(st.text(), st.text())
def test_cleaning_keeps_the_offset_of_every_character(before: str, after: str) -> None:
    # Half of a line end has no offset of its own.
    if not (before.endswith("\r") and after.startswith("\n")):
        text = canonical(before + after)
        assert text[: len(canonical(before))] == canonical(before)
    assert is_altered(before) or canonical(before) == before.lstrip("\ufeff").replace(
        "\r\n", "\n"
    ).replace("\r", "\n")


@given(
    st.lists(
        st.text(max_size=300)
        | st.sampled_from(["../../etc/passwd", "C:\\x", ".hidden", "~$a", "nul.txt"])
    )
)
def test_names_are_unique_and_safe(titles: list[str]) -> None:
    taken: dict[str, int] = {}
    names = [file_name(title, taken) for title in titles]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert name.endswith(".txt")
        assert PurePosixPath(name).name == PureWindowsPath(name).name == name
        assert not name.startswith((".", "~$", " "))
        assert not {unicodedata.category(letter) for letter in name} & {
            "Cc",
            "Cf",
            "Cs",
            "Zl",
            "Zp",
        }
        assert len(name.encode()) <= MAX_NAME + len("-999.txt") + 1
