"""Documents that disagree are all cited, the newest first, and only where they disagree."""

from pathlib import Path

import pytest

from qa.answer.content import extract_answer
from qa.answer.disagreement import Disagreement, find_disagreement
from qa.documents.sentences import segment
from qa.reader.reader import Candidate, Reading
from qa.types import Answer, Document, Passage, RankedPassage, Span, Why
from tests.qa.fakes import text_document, word_bot

OLD = Document("old.txt", "/old.txt", "Handbook", "Annual leave is 25 days.", date="2022")
NEW = Document("new.txt", "/new.txt", "Handbook", "Annual leave is 28 days.", date="2024-03")


def _candidate(document: Document, answer: str = "", score: float = 5.0) -> Candidate:
    """The sentence of a document that has the answer, or its first sentence."""
    start = document.text.index(answer)
    span = Span(start, start + len(answer)) if answer else None
    sentences = [sentence for sentence in segment(document) if sentence.span.end > start]
    passage = Passage(document, Span(0, len(document.text)))
    ranked = RankedPassage(passage, 1.0, Why(None, None, 1.0))
    return Candidate(ranked, sentences[0], score, span)


def _find(question: str, *candidates: Candidate) -> Disagreement | None:
    return find_disagreement(question, candidates)


def _names(disagreement: Disagreement | None) -> list[str]:
    assert disagreement
    return [candidate.document.name for candidate in disagreement.candidates]


def _ask(folder: Path, question: str, *documents: Document) -> Answer:
    return word_bot(folder, *documents).ask(question)


@pytest.mark.parametrize("best", [OLD, NEW])
def test_ask_gives_both_sentences_newest_first(tmp_path: Path, best: Document) -> None:
    """In whichever order the documents were added."""
    rival = NEW if best is OLD else OLD
    answer = _ask(tmp_path, "How many days is annual leave?", best, rival)
    assert answer.text == "Annual leave is 28 days. Annual leave is 25 days."
    cited = [sentence.citations[0] for sentence in answer.sentences]
    assert [(citation.document, citation.date) for citation in cited] == [
        ("new.txt", "2024-03"),
        ("old.txt", "2022"),
    ]
    assert answer.notices == (
        "Your documents give different answers. Newest first: new.txt (2024-03), old.txt (2022).",
    )


def test_ask_in_a_plural_gives_both_sentences(tmp_path: Path) -> None:
    """ "Which days are" asks for several things, and each document has one sentence about them."""
    old = Document("old.txt", "/old.txt", "Rules", "Guests are welcome on Sundays.", date="2022")
    new = Document("new.txt", "/new.txt", "Rules", "Guests are welcome on Mondays.", date="2024")
    answer = _ask(tmp_path, "Which days are guests welcome?", old, new)
    assert answer.text == "Guests are welcome on Mondays. Guests are welcome on Sundays."


def test_ask_same_value_in_two_documents_cites_one(tmp_path: Path) -> None:
    copy = Document("copy.txt", "/copy.txt", "Handbook", "Annual leave is 28 days here.")
    answer = _ask(tmp_path, "How many days is annual leave?", NEW, copy)
    assert len(answer.sentences) == 1
    assert answer.notices == ()


def test_extract_answer_steps_stay_together(tmp_path: Path) -> None:
    """All steps are one answer: another value for one of them does not replace the list."""
    steps = text_document(
        "Cleaning the filter:\n\n1. Rinse it for 5 minutes.\n2. Dry it for 3 hours.\n", "steps.txt"
    )
    rival = text_document("Cleaning the filter: rinse it for 6 minutes.", "rival.txt")
    snapshot = word_bot(tmp_path, steps, rival).index.snapshot()
    candidates = []
    for document, words in ((steps, "Rinse"), (rival, "rinse")):
        sentences = snapshot.sentences_of(document)
        sentence = next(
            sentence for sentence in sentences if words in document.text_of(sentence.span)
        )
        ranked = RankedPassage(snapshot.passage_at(document, 0), 1.0, Why(None, None, 1.0))
        candidates.append(Candidate(ranked, sentence, 5.0))
    question = "How do I do the cleaning of the filter?"
    assert find_disagreement(question, candidates)

    reading = Reading(tuple(candidates), (), 0.9)
    content = extract_answer(question, reading, snapshot)
    assert "Dry it for 3 hours" in content.text
    assert content.notices == ()


def test_find_disagreement_in_other_words() -> None:
    """Half of the words around the values are the same."""
    text = "Employees have 28 days of annual leave a year."
    longer = _candidate(text_document(text, "new.txt"), "28 days")
    assert _find("How many days of annual leave?", _candidate(OLD, "25 days"), longer)
    text = "Employees have 28 days of leave if they work shifts at night and on holidays."
    other = _candidate(text_document(text, "new.txt"), "28 days")
    assert _find("How many days of leave?", _candidate(OLD, "25 days"), other) is None


def test_find_disagreement_year_of_the_question_decides() -> None:
    """Only the old handbook is of 2022."""
    best, rival = _candidate(OLD, "25"), _candidate(NEW, "28", score=4.0)
    assert _find("How many days of leave in 2022?", best, rival) is None
    assert _find("How many days of leave?", best, rival)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("28 days", "25 days"),
        ("28 days", "twenty-five days"),
        ("10 May", "10 June"),
        ("Monday", "Thursday"),
        ("Ann Berg", "Paul Lund"),
    ],
)
def test_find_disagreement_kinds_of_values(first: str, second: str) -> None:
    one = _candidate(text_document(f"The new limit is {first}.", "one.txt"), first)
    two = _candidate(text_document(f"The new limit is {second}.", "two.txt"), second)
    disagreement = _find("What is the new limit?", one, two)
    assert _names(disagreement) == ["one.txt", "two.txt"]
    assert disagreement
    assert "one.txt (no date), two.txt (no date)" in disagreement.notice


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The limit is 2,000 euros.", "The limit is two thousand euros."),
        ("The limit is 28 days.", "Bring 25 towels for the sauna."),
        ("The limit is 28 days.", "Since May the limit is 28 days, and it was 25 days."),
        ("The limit is 28 days.", "The limit is high."),
        ("The limit of Anna is 28 days.", "The limit of Paul is 25 days."),
        ("The long term limit for Bo is 28 days.", "The long term limit for Cy is 25 days."),
    ],
)
def test_find_disagreement_other_sentences_are_none(first: str, second: str) -> None:
    one = _candidate(text_document(first, "one.txt"))
    two = _candidate(text_document(second, "two.txt"))
    assert _find("What is the limit of Anna?", one, two) is None


def test_find_disagreement_names_with_other_values_are_none() -> None:
    """Each sentence says something about a thing of its own."""
    one = _candidate(text_document("The Stratos costs 949 dollars.", "one.txt"), "Stratos")
    two = _candidate(text_document("The Nimbus costs 799 dollars.", "two.txt"), "Nimbus")
    assert _find("Which laptop is cheap?", one, two) is None


def test_find_disagreement_needs_a_near_tie_in_another_document() -> None:
    best = _candidate(OLD, "25")
    assert _find("How many days of leave?", best, _candidate(NEW, "28", score=1.0)) is None
    same = text_document("Leave is 25 days.\n\nLeave is 28 days.")
    both = _candidate(same, "25"), _candidate(same, "28")
    assert _find("How many days of leave?", *both) is None


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (("2022", "2024-03"), ["two", "one"]),
        (("2024-03-11", "2024-03-10"), ["one", "two"]),
        (("2024", "2024-03"), None),
        ((None, "2024"), None),
    ],
)
def test_find_disagreement_orders_by_comparable_dates(
    dates: tuple[str | None, str | None], order: list[str] | None
) -> None:
    """Without an order, the best sentence stays first, and the notice says so."""
    one = Document("one", "/one", "T", "Leave is 25 days.", date=dates[0])
    two = Document("two", "/two", "T", "Leave is 28 days.", date=dates[1])
    disagreement = _find("How many days is leave?", _candidate(one), _candidate(two))
    assert _names(disagreement) == (order or ["one", "two"])
    assert disagreement
    assert ("Newest first" in disagreement.notice) == (order is not None)


THREAD = """From: Ann
Subject: Re: Re: Tour

Hi,

the hall is taken, so the tour moves to Friday, 18 April. I bring 12 chairs.

> From: Bo
> Good idea.
>> The tour takes place on Thursday, 17 April. Mail tour@x.example.
"""


def test_find_disagreement_newest_mail_before_its_quotation() -> None:
    thread = text_document(THREAD)
    quoted = _candidate(thread, "Thursday, 17 April", score=9.0)
    newest = _candidate(thread, "Friday, 18 April", score=6.0)
    disagreement = _find("When is the tour?", quoted, newest)
    assert disagreement
    assert disagreement.candidates == (newest, quoted)
    assert "newest mail in a.txt" in disagreement.notice


@pytest.mark.parametrize(
    ("quoted", "newest"), [("Thursday, 17 April", "12"), ("tour@x.example", "chairs")]
)
def test_find_disagreement_mail_about_something_else_is_none(quoted: str, newest: str) -> None:
    """A number is not a date, and other words are not another address."""
    thread = text_document(THREAD)
    candidates = _candidate(thread, quoted, 9.0), _candidate(thread, newest, 8.0)
    assert _find("When is the tour?", *candidates) is None


def test_find_disagreement_quotation_does_not_rival_a_document() -> None:
    """The date of the thread is not the date of what it quotes."""
    plan = text_document("The tour takes place on Monday, 14 April.", "plan.txt")
    quoted = _candidate(text_document(THREAD), "Thursday, 17 April")
    assert _find("When is the tour?", _candidate(plan, "Monday, 14 April"), quoted) is None
