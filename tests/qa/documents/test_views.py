"""The view of a passage: what gives it its meaning, and exact offsets in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.documents.passages import split
from qa.documents.sentences import Sentence, segment
from qa.documents.views import View, embedded_text, name_line, view_of
from qa.types import Document, Passage, Span
from tests.properties import examples
from tests.qa.fakes import WordEmbedder, text_document
from tests.qa.texts import NEWS, texts

PLANS = """# Plans

| Plan | Price | Seats |
|------|-------|-------|
| Pro | $12 a month | 20 |
| Team | $40 a month | |

Cancel at any time.
"""


def _inside(passage: Passage) -> list[Sentence]:
    span = passage.span
    return [s for s in segment(passage.document) if span.start <= s.span.start < span.end]


def _view(document: Document, start: int = 0, end: int | None = None) -> View:
    passage = Passage(document, Span(start, len(document.text) if end is None else end))
    return view_of(passage, _inside(passage))


def _plans() -> Document:
    return text_document(PLANS, "plans.md", "Plans", markdown=True)


def test_view_of_plain_prose_is_the_passage() -> None:
    """The models that come with Footnote were trained on it."""
    appeal = NEWS[NEWS.index("Enjoying") : NEWS.index("Opposition")]
    news = NEWS[NEWS.index("[Lagos Bay]") :].replace(appeal, "")
    document = text_document(news * 3, title="Bridge opens after nine years")
    passages = split(document, segment(document), WordEmbedder().count_tokens)
    assert len(passages) > 2
    for passage in passages:
        view = view_of(passage, _inside(passage))
        assert view.text == passage.text
        assert embedded_text(passage, view) == f"{document.title}\n{passage.text}"


def test_view_row_has_names_and_no_header() -> None:
    assert _view(_plans()).text == (
        "# Plans\n\nPlan: Pro; Price: $12 a month; Seats: 20.\n"
        "Plan: Team; Price: $40 a month.\n\nCancel at any time.\n"
    )


def test_view_row_has_names_of_a_header_before_the_passage() -> None:
    document = _plans()
    view = _view(document, PLANS.index("| Team"))
    assert view.text.startswith("Plan: Team; Price: $40 a month.\n")


def test_view_begins_with_headings_and_lead_in() -> None:
    text = "# A\n\n## Leave\n\n### Parents\n\nNeeded:\n\n- a form\n- a stamp\n\n## End\n\nBye.\n"
    document = text_document(text, "a.md", "Another title", markdown=True)
    view = _view(document, text.index("- a stamp"))
    assert view.context == "A > Leave > Parents:\nNeeded:\n"
    assert view.text.startswith(f"{view.context}- a stamp\n\n## End\n")


def test_view_does_not_repeat_the_title() -> None:
    text = "# Leave\n\nOne day.\n\nTwo days.\n"
    document = text_document(text, "a.md", "Leave", markdown=True)
    assert _view(document, text.index("Two")).text == "Two days.\n"


@pytest.mark.parametrize(
    ("name", "title", "line"),
    [
        ("2024/invoice.txt", "Invoice no. 7", "Invoice no. 7 (2024)"),
        ("Clients/Mill/offer.pdf", "Price list", "Price list (Clients Mill offer)"),
        ("handbook-2022.txt", "Office handbook 2022", "Office handbook 2022"),
        ("plan.txt", "plan", "plan"),
        ("IMG_20240311_77.txt", "Trip", "Trip (IMG)"),
        ("a1b2c3d4e5/x9.txt", "Trip", "Trip"),
        ("prices/prices.txt", "Trip", "Trip (prices)"),
    ],
)
def test_name_line_adds_what_the_title_lacks(name: str, title: str, line: str) -> None:
    document = text_document("Some text.", name, title)
    assert name_line(document) == line
    passage = Passage(document, Span(0, 10))
    assert embedded_text(passage, view_of(passage, ())) == f"{line}\nSome text."


def test_name_line_is_bounded() -> None:
    """A long path or title must not push the passage out of the embedder's limit."""
    path = "/".join(f"{letter * 5}" for letter in "abcdefghijklmnop")
    line = name_line(text_document("Text.", f"{path}/mill.txt", "T" * 900))
    assert line == f"{'T' * 200} (aaaaa bbbbb ccccc ddddd eeeee fffff ggggg hhhhh)"


def test_to_document_cuts_an_answer_to_the_cell() -> None:
    document = _plans()
    view = _view(document)

    def behind(words: str) -> str | None:
        start = view.text.index(words)
        span = view.to_document(Span(start, start + len(words)))
        return document.text_of(span) if span else None

    assert behind("$12 a") == "$12 a"
    assert behind("Price: $12 a month") == "$12 a month"
    assert behind("Seats") == "20"
    assert behind("Pro; Price: $12 a month") == "$12 a month"


def test_to_document_of_context_is_none() -> None:
    text = "# A\n\n## Leave\n\nOne day.\n\nTwo days.\n"
    view = _view(text_document(text, "a.md", markdown=True), text.index("Two"))
    assert view.context == "A > Leave:\n"
    assert view.to_document(Span(0, 9)) is None


def test_to_view_header_is_none() -> None:
    text = "Name | Age\nBen | 44\n"
    view = _view(text_document(text))
    assert view.text == "Name: Ben; Age: 44.\n"
    assert view.to_view(Span(0, 10)) is None
    assert view.to_view(Span(11, 19)) == Span(0, 18)


@examples(200)
@given(texts, st.booleans(), st.integers(0, 300))
def test_view_pieces_are_verbatim(text: str, markdown: bool, start: int) -> None:
    """Every sentence that may answer is in the view, and is found again in the document."""
    document = text_document(text, markdown=markdown)
    start = min(start, len(text))
    passage = Passage(document, Span(start, len(text)))
    sentences = _inside(passage)
    view = view_of(passage, sentences)
    for piece in view.pieces:
        words = text[piece.document_start : piece.document_end]
        assert view.text[piece.view_start : piece.view_end] == words
    for sentence in sentences:
        view_span = view.to_view(sentence.span)
        assert view_span or not sentence.may_answer
        if view_span and not sentence.header:
            assert view.text[view_span.start : view_span.end] == document.text_of(sentence.span)
            assert view.to_document(view_span) == sentence.span


@examples(100)
@given(st.lists(st.lists(st.text("ab1 ", max_size=5), min_size=2, max_size=4), max_size=5))
def test_view_row_cells_go_both_ways(rows: list[list[str]]) -> None:
    lines = ["| Key | Name | Other |", "|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    document = text_document("\n".join(lines), markdown=True)
    view = _view(document)
    for sentence in segment(document):
        for cell in sentence.cells(document.text):
            view_span = view.to_view(cell.value)
            assert view_span
            name = f"{document.text_of(cell.name)}: " if cell.name else ""
            value = document.text_of(cell.value)
            assert view.text[view_span.start : view_span.end] == f"{name}{value}"
            assert view.to_document(view_span) == cell.value
