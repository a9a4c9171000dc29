"""Answers that fit their kind: rows with names, lists with their lead-in, answers with a question."""

import pytest

from qa.answer.extractive import compose
from qa.documents.sentences import segment
from qa.reader.reader import Candidate, Reading
from qa.types import AnswerSentence, Passage, RankedPassage, Span, Why
from tests.qa.fakes import snapshot_of, text_document

POLICY = """# Travel

The following expenses are not refunded:

- Alcohol
- Parking fines
- Minibar.

## Can I fly?

No.

## Who pays?

The office pays the whole of the trip.
"""
PLANS = """| Plan | Price per month | Storage | Support of the customers |
|---|---|---|---|
| Pro | $12 | 100 GB | e-mail and phone on every day of the week except Sundays and holidays |
| Free | $0 | 1 GB | none |
"""


def _show(question: str, text: str, sentence_words: str, answer: str) -> AnswerSentence:
    """Returns the answer with the sentence that has these words, and these words of it in bold."""
    document = text_document(text, "a.md", "Travel", markdown=True)
    passage = Passage(document, Span(0, len(text)))
    snapshot = snapshot_of([passage], [document])
    (sentence,) = [s for s in segment(document) if sentence_words in document.text_of(s.span)]
    start = text.index(answer, sentence.span.start)
    ranked = RankedPassage(passage, 1.0, Why(1, 1, 1.0))
    candidate = Candidate(ranked, sentence, 1.0, Span(start, start + len(answer)))
    (given,) = compose(question, Reading((candidate,), (ranked,), 1.0), snapshot)
    quoted = " ".join(citation.quote for citation in given.citations)
    for word in given.text.replace(": ", " ").replace("; ", " ").split():
        assert word in quoted
    return given


def _bold(sentence: AnswerSentence) -> str:
    span = sentence.bold_span
    return sentence.text[span.start : span.end] if span else ""


def test_row_short_is_shown_with_names() -> None:
    given = _show("What does it cost?", PLANS, "Free", "$0")
    assert given.text == (
        "Plan: Free; Price per month: $0; Storage: 1 GB; Support of the customers: none"
    )
    assert [citation.quote[:6] for citation in given.citations] == ["| Plan", "| Free"]
    assert _bold(given) == "$0"


def test_row_long_is_shown_by_key_and_answer() -> None:
    given = _show("What does Pro cost?", PLANS, "Pro", "$12")
    assert given.text == "Plan: Pro; Price per month: $12"
    assert _bold(given) == "$12"


def test_list_question_gets_lead_in_and_all_items() -> None:
    given = _show("Which expenses are not refunded?", POLICY, "Parking", "Parking fines")
    assert given.text == (
        "The following expenses are not refunded: Alcohol; Parking fines; Minibar."
    )
    quotes = [citation.quote for citation in given.citations]
    assert quotes[1:] == ["Alcohol", "Parking fines", "Minibar."]
    assert _bold(given) == "Parking fines"


def test_lead_in_never_answers_without_its_items() -> None:
    given = _show("Is the minibar paid?", POLICY, "The following", "not refunded")
    assert given.text.endswith("Alcohol; Parking fines; Minibar.")


def test_short_item_is_shown_with_its_lead_in() -> None:
    given = _show("Is a fine refunded?", POLICY, "Parking", "Parking fines")
    assert given.text == "The following expenses are not refunded: Parking fines"


def test_short_answer_is_shown_with_its_question() -> None:
    given = _show("May I fly?", POLICY, "No.", "No")
    assert given.text == "Can I fly? No."
    assert [citation.quote for citation in given.citations] == ["Can I fly?", "No."]
    assert _bold(given) == "No"


def test_long_answer_is_shown_alone() -> None:
    given = _show("Who pays?", POLICY, "The office", "The office")
    assert given.text == "The office pays the whole of the trip."


GUIDE = """# Grinder

## Cleaning the grinder

1. Switch the machine off. Wait.
2. Turn the ring
   to the left.
3. Vacuum the hopper.
"""


def _parts(sentence: AnswerSentence) -> list[tuple[str, str]]:
    return [(part.role, sentence.text[part.start : part.end]) for part in sentence.parts]


def test_row_has_parts_for_names_and_values() -> None:
    given = _show("What does Pro cost?", PLANS, "Pro", "$12")
    assert _parts(given) == [
        ("name", "Plan"),
        ("value", "Pro"),
        ("name", "Price per month"),
        ("value", "$12"),
    ]
    assert given.as_json()["parts"][0] == {"role": "name", "start": 0, "end": 4}


def test_list_has_parts_for_lead_in_and_items() -> None:
    given = _show("Which expenses are not refunded?", POLICY, "Parking", "Parking fines")
    assert _parts(given)[:2] == [
        ("lead-in", "The following expenses are not refunded:"),
        ("item", "Alcohol"),
    ]


def test_prose_has_no_parts() -> None:
    given = _show("Who pays?", POLICY, "The office", "The office")
    assert given.parts == ()
    assert "parts" not in given.as_json()


@pytest.mark.parametrize(
    ("question", "is_whole"),
    [
        ("How do I clean the grinder?", True),
        ("What should I do for cleaning?", True),
        ("How do I vacuum the hopper?", False),
        ("Where is the ring?", False),
    ],
)
def test_how_to_gets_all_steps_if_it_is_about_the_list(question: str, is_whole: bool) -> None:
    """A question about what a single step names gets this step. A step is cited whole."""
    given = _show(question, GUIDE, "Vacuum", "hopper")
    if not is_whole:
        assert given.text == "Cleaning the grinder: Vacuum the hopper."
        return
    assert _parts(given) == [
        ("lead-in", "Cleaning the grinder"),
        ("step", "Switch the machine off. Wait."),
        ("step", "Turn the ring to the left."),
        ("step", "Vacuum the hopper."),
    ]
    quotes = [citation.quote for citation in given.citations]
    assert quotes[1] == "Switch the machine off. Wait."
    assert len(quotes) == 4
