"""Chooses among the forms of a follow-up by their readings.

The reader's confidence alone is a bad judge: a form that has the last question in it is answered
surely, with the last answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from qa.reader.reader import Candidate, Reading
from qa.text.facts import folded
from qa.types import Turn

MARGIN = 0.15
"""How much surer the reader must be of a later form than of the first, which is likelier meant."""
REPEATED = 0.5
"""The confidence of an earlier answer, given again to another question, is multiplied by this."""
MAX_TURNS = 3
"""How many of the last answers are looked at."""


@dataclass(frozen=True, slots=True)
class ReadForm:
    """A form of the question with its reading."""

    question: str
    reading: Reading


def choose_form(
    forms: Sequence[ReadForm], history: Sequence[Turn], read_turn: Callable[[int], Reading]
) -> ReadForm:
    """Returns the form that the answer comes from; `forms` has the likeliest first.

    If the likeliest form only repeats an earlier answer, its confidence is lowered. Another form
    that does so is not taken.
    read_turn: reads the question of the turn at an index again. It is called only if a form's
    answer seems to be in the answer of that turn.
    """
    chosen = forms[0]
    margin = MARGIN
    if _repeats(chosen.reading, history, read_turn, is_likeliest=True):
        confidence = chosen.reading.confidence * REPEATED
        chosen = ReadForm(chosen.question, replace(chosen.reading, confidence=confidence))
        margin = 0.0

    for form in forms[1:]:
        if form.reading.confidence <= chosen.reading.confidence + margin:
            continue
        if not _repeats(form.reading, history, read_turn, is_likeliest=False):
            chosen = form
    return chosen


def _repeats(
    reading: Reading,
    history: Sequence[Turn],
    read_turn: Callable[[int], Reading],
    is_likeliest: bool,
) -> bool:
    """Returns whether a reading gives the answer of one of the last turns again.

    One sentence may answer two questions, so the words that answer are compared. A form that is
    not the likeliest has no such excuse.
    """
    if not reading.candidates:
        return False
    best = reading.candidates[0]
    first_turn = max(0, len(history) - MAX_TURNS)
    for index in reversed(range(first_turn, len(history))):
        answer = folded(history[index].answer)
        if not is_likeliest and folded(best.text) in answer:
            return True
        if _is_in(best, answer) and _answer_alike(reading, read_turn(index)):
            return True
    return False


def _is_in(candidate: Candidate, answer: str) -> bool:
    """Returns whether a folded answer has the candidate's sentence or its answering words."""
    if folded(candidate.text) in answer:
        return True
    span = candidate.span
    if span is None:
        return False
    document = candidate.document
    return folded(document.text_of(span)) in answer


def _answer_alike(reading: Reading, earlier_reading: Reading) -> bool:
    """Returns whether the same words answer in two readings."""
    if not earlier_reading.candidates:
        return False
    best = reading.candidates[0]
    earlier = earlier_reading.candidates[0]
    if best.document.id != earlier.document.id:
        return False
    span = best.span or best.sentence.span
    earlier_span = earlier.span or earlier.sentence.span
    return span.overlap(earlier_span) > 0
