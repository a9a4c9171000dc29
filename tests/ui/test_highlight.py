"""Cited words are marked, and every character of the text is kept and escaped."""

import re
from collections.abc import Sequence
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.types import Span
from ui.highlight import (
    MAX_CHARACTERS,
    MAX_LINES,
    Highlight,
    Piece,
    excerpt,
    grouped,
    split_lines,
)
from ui.jinja import render, shorten

TEXT = "Cats sleep. Dogs <b>bark</b> & run.\n\nBirds sing 'loudly'.\n"


def document_html(text: str, highlights: list[Highlight], furniture: Sequence[Span] = ()) -> str:
    """Returns the text as the source pane shows it."""
    html = render(
        "source.html",
        title="T",
        subtitle="P",
        footnotes=(),
        picking=False,
        notice="",
        furniture=len(furniture),
        groups=grouped(split_lines(text, highlights, furniture=furniture)),
        quotes=[],
    )
    return html.partition('aria-label="Text of T">')[2].removesuffix("</div>")


def plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def marked(html: str, number: int) -> str:
    """Returns the text of all marks that name a footnote."""
    marks = re.findall(r'<mark data-notes="([\d ]+)"[^>]*>(.*?)</mark>', html, re.DOTALL)
    texts = [unescape(text) for numbers, text in marks if str(number) in numbers.split()]
    return "".join(texts)


def test_document_is_kept_whole() -> None:
    html = document_html(TEXT, [Highlight(1, 5, 30), Highlight(2, 40, 45)])
    assert plain(html) == TEXT


@pytest.mark.parametrize(
    ("highlights", "html"),
    [
        (
            [Highlight(1, 0, 6), Highlight(2, 2, 4)],
            '<mark data-notes="1" data-label="1">ab</mark>'
            '<mark data-notes="1 2" data-label="2">cd</mark>'
            '<mark data-notes="1">ef</mark>ghij',
        ),
        (
            [Highlight(1, 0, 4), Highlight(2, 2, 6)],
            '<mark data-notes="1" data-label="1">ab</mark>'
            '<mark data-notes="1 2" data-label="2">cd</mark>'
            '<mark data-notes="2">ef</mark>ghij',
        ),
        (
            [Highlight(1, 0, 2), Highlight(2, 2, 4)],
            '<mark data-notes="1" data-label="1">ab</mark>'
            '<mark data-notes="2" data-label="2">cd</mark>efghij',
        ),
    ],
    ids=["nested", "overlapping", "touching"],
)
def test_marks_name_all_their_footnotes(highlights: list[Highlight], html: str) -> None:
    assert document_html("abcdefghij", highlights) == f"<p>{html}</p>"


@pytest.mark.parametrize("unit", ["\n", "a\n", "It rained in Bonn. "])
def test_long_document_is_shown_around_marks(unit: str) -> None:
    """Of a long document, the cited words and what is near them are shown, and the rest counted."""
    half = unit * (2 * MAX_CHARACTERS // len(unit))
    text = f"{half}\nOne mark.\n{half}\nTwo marks.\n{half}"
    first = text.index("One mark.")
    second = text.index("Two marks.")
    highlights = [Highlight(1, first, first + 9), Highlight(2, second, second + 10)]
    lines = split_lines(text, highlights)
    html = document_html(text, highlights)
    assert marked(html, 1) == "One mark."
    assert marked(html, 2) == "Two marks."
    assert len(lines) < MAX_LINES + 20

    left_out = [line for line in lines if line.notice]
    shown = sum(len(piece.text) for line in lines if not line.notice for piece in line.pieces)
    counted = [int(line.pieces[0].text.split()[3].replace(",", "")) for line in left_out]
    assert len(counted) == 3
    assert shown < MAX_CHARACTERS + 100
    assert shown + sum(counted) == len(text)


def test_long_document_without_marks_is_shown_from_the_start() -> None:
    text = "Begin.\n" + "It rained.\n" * MAX_LINES
    lines = split_lines(text, [])
    assert lines[0].pieces[0].text == "Begin.\n"
    assert [line.notice for line in lines].index(True) == len(lines) - 1


def test_page_furniture_is_grey_and_kept() -> None:
    """Every character is shown; a line says that it is not searched."""
    text = "Cats sleep.\n  Join us\nDogs bark.\n"
    lines = split_lines(text, [], furniture=[Span(14, 21)])
    assert [line.furniture for line in lines] == [False, True, False]
    assert "".join(piece.text for line in lines for piece in line.pieces) == text
    html = document_html(text, [], [Span(14, 21)])
    assert "Not searched: the grey line that other pages of the site repeat." in html
    assert html.count('class="furniture"') == 1


def test_mark_over_a_line_end_marks_both_lines() -> None:
    html = document_html("ab\n\ncd", [Highlight(1, 1, 5)])
    assert marked(html, 1) == "b\n\nc"
    assert html.count("<p") == 3


@given(
    st.text(st.sampled_from("ab <>&\"'\né—\u2028\t{%#}"), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5),
)
def test_any_text_is_kept_and_marked_exactly(text: str, spans: list[tuple[int, int]]) -> None:
    highlights = []
    for number, span in enumerate(spans, 1):
        start, end = sorted(span)
        highlights.append(Highlight(number, start, end))
    html = document_html(text, highlights)
    assert plain(html) == text
    for highlight in highlights:
        assert marked(html, highlight.number) == text[highlight.start : highlight.end]


def test_excerpt_is_cut_between_words() -> None:
    pieces = excerpt("one two three four five", Highlight(1, 8, 13), 5)
    assert pieces == [Piece("…two "), Piece("three", (1,), (1,)), Piece(" four…")]


@pytest.mark.parametrize(
    ("text", "size", "short"),
    [("one two", 7, "one two"), ("one two three", 9, "one two…"), ("unbroken", 3, "unb…")],
)
def test_shorten_cuts_between_words(text: str, size: int, short: str) -> None:
    assert shorten(text, size) == short
