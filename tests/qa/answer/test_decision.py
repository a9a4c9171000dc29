"""Reader, language model and check count together; none has a veto."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer.decision import MIN_NEAREST, can_reach, confidence, find_signals, is_near
from qa.answer.verify import CheckedClaim
from qa.reader.reader import Candidate, Reading
from qa.types import (
    AnswerSentence,
    Citation,
    Passage,
    RankedPassage,
    Signals,
    Span,
    Support,
    Why,
)
from tests.properties import examples
from tests.qa.fakes import snapshot_of, text_document

DOCUMENT = text_document("The bridge cost 48 million euros. The ferry stops in May.")
PASSAGE = Passage(DOCUMENT, Span(0, len(DOCUMENT.text)))
BRIDGE, FERRY = snapshot_of([PASSAGE], [DOCUMENT]).sentences_in(PASSAGE)
probabilities = st.floats(0, 1)


def _reading(sureness: float = 0.7) -> Reading:
    ranked = RankedPassage(PASSAGE, 1.0, Why(1, 1, 1.0))
    return Reading((Candidate(ranked, BRIDGE, 1.0),), (ranked,), sureness)


def _claim(support: Support, probability: float, span: Span = BRIDGE.span) -> CheckedClaim:
    quote = DOCUMENT.text_of(span)
    citation = Citation(DOCUMENT.name, "A title", DOCUMENT.version, span.start, span.end, quote)
    citations = () if support == "unsupported" else (citation,)
    return CheckedClaim(AnswerSentence("It cost 48.", support, citations), probability)


def test_signals_of_a_supported_answer() -> None:
    claims = [_claim("weak", 0.5), _claim("supported", 0.9), _claim("unsupported", 0.1)]
    assert find_signals(_reading(), claims) == Signals(0.7, True, 0.9, agrees=True)


def test_signals_of_an_answer_from_elsewhere() -> None:
    """The model rests on another sentence than the reader's best."""
    signals = find_signals(_reading(), [_claim("supported", 0.9, FERRY.span)])
    assert signals == Signals(0.7, True, 0.9, agrees=False)


@pytest.mark.parametrize("claims", [[], [_claim("unsupported", 0.3)]])
def test_signals_without_a_supported_claim(claims: list[CheckedClaim]) -> None:
    assert find_signals(_reading(), claims) == Signals(0.7, answered=False)


def test_signals_of_a_reading_without_candidates() -> None:
    """The model may answer where the reader has no sentence."""
    ranked = RankedPassage(PASSAGE, 1.0, Why(1, 1, 1.0))
    signals = find_signals(Reading((), (ranked,), 0.0), [_claim("supported", 0.9)])
    assert signals == Signals(0.0, True, 0.9, agrees=False)


@examples(200)
@given(probabilities, probabilities, probabilities, st.booleans(), st.booleans())
def test_confidence_grows_with_each_signal(
    reader: float, more: float, support: float, agrees: bool, answered: bool
) -> None:
    low, high = sorted((reader, more))
    signals = [Signals(value, answered, support, agrees) for value in (low, high)]
    assert 0 < confidence(signals[0]) <= confidence(signals[1]) < 1
    if answered:
        supported = [Signals(reader, True, value, agrees) for value in sorted((more, support))]
        assert confidence(supported[0]) <= confidence(supported[1])
        agreeing = [Signals(reader, True, support, value) for value in (False, True)]
        assert confidence(agreeing[0]) <= confidence(agreeing[1])


@examples(200)
@given(probabilities, probabilities, probabilities, st.booleans())
def test_no_answer_is_surer_than_can_reach_says(
    threshold: float, reader: float, support: float, agrees: bool
) -> None:
    """Where the model is not asked, no answer of it would have been given."""
    if not can_reach(threshold, reader):
        assert confidence(Signals(reader, True, support, agrees)) < threshold


def test_model_is_asked_far_below_the_threshold() -> None:
    """At the default threshold, a reader that is fairly sure of a refusal is not enough."""
    assert can_reach(0.6, 0.12)


@examples(200)
@given(probabilities, probabilities)
def test_is_near_from_the_lower_bound_to_the_threshold(sureness: float, threshold: float) -> None:
    """A confidence that is enough for an answer is never near; nor is any below the bound."""
    near = is_near(sureness, threshold)
    assert near == (sureness >= MIN_NEAREST and sureness < threshold)
    assert not is_near(threshold, threshold)
    assert not is_near(sureness, MIN_NEAREST)


def test_no_signal_has_a_veto() -> None:
    """A sure reader answers when the model declines, and a good check when the reader doubts."""
    assert confidence(Signals(0.95, answered=False)) > 0.6
    assert confidence(Signals(0.35, True, 0.98, agrees=True)) > 0.6
    assert confidence(Signals(0.1, answered=False)) < 0.6
    assert confidence(Signals(0.02, True, 0.45, agrees=False)) < 0.6
