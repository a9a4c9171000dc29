"""Which form of a follow-up the answer comes from."""

from qa.answer.choose import MARGIN, REPEATED, ReadForm, choose_form
from qa.documents.sentences import Sentence
from qa.reader.reader import Candidate, Reading
from qa.types import Passage, RankedPassage, Span, Turn, Why
from tests.qa.fakes import text_document

OPENED = "Mayor Prado opened it in May."
COST = "It cost 48 million euros."
DOCUMENT = text_document(f"{OPENED} {COST}")
WHO = "Mayor Prado"
WHEN = "in May"
HISTORY = [Turn("When was the bridge opened?", OPENED)]


def _reading(confidence: float, sentence: str, answer: str) -> Reading:
    text = DOCUMENT.text
    start = text.index(sentence)
    span_start = text.index(answer)
    passage = RankedPassage(Passage(DOCUMENT, Span(0, len(text))), 1.0, Why(1, 1, 1.0))
    candidate = Candidate(
        passage,
        Sentence(Span(start, start + len(sentence)), "prose", 0),
        1.0,
        Span(span_start, span_start + len(answer)),
    )
    return Reading((candidate,), (passage,), confidence)


def _read_turn(index: int) -> Reading:
    assert index == 0
    return _reading(0.9, OPENED, WHEN)


def _never(index: int) -> Reading:
    raise AssertionError("no answer is that of an earlier turn")


def test_choose_form_needs_a_margin_over_the_likeliest() -> None:
    first = ReadForm("first", _reading(0.6, COST, "48 million euros"))
    slightly = ReadForm("second", _reading(0.6 + MARGIN / 2, COST, "48 million euros"))
    much = ReadForm("second", _reading(0.6 + MARGIN * 2, COST, "48 million euros"))
    assert choose_form([first, slightly], HISTORY, _never) == first
    assert choose_form([first, much], HISTORY, _never) == much


def test_choose_form_that_repeats_the_last_answer_is_less_sure() -> None:
    repeats = ReadForm("why?", _reading(0.8, OPENED, WHEN))
    chosen = choose_form([repeats], HISTORY, _read_turn)
    assert chosen.reading.confidence == 0.8 * REPEATED


def test_choose_form_accepts_other_words_of_the_same_sentence() -> None:
    """One sentence may answer two questions: "Who opened it?" after "When was it opened?"."""
    likeliest = ReadForm("Who opened the bridge?", _reading(0.8, OPENED, WHO))
    assert choose_form([likeliest], HISTORY, _read_turn) == likeliest


def test_choose_form_with_the_last_question_must_not_cite_the_last_sentence() -> None:
    plain = ReadForm("Who paid?", _reading(0.6, COST, "It"))
    mixed = ReadForm("Who paid? (When was …?)", _reading(0.95, OPENED, WHO))
    assert choose_form([plain, mixed], HISTORY, _read_turn) == plain


def test_choose_form_that_repeats_has_no_margin() -> None:
    repeats = ReadForm("first", _reading(0.8, OPENED, WHEN))
    other = ReadForm("second", _reading(0.8 * REPEATED + MARGIN / 2, COST, "48 million euros"))
    assert choose_form([repeats, other], HISTORY, _read_turn) == other
