"""What the page says while a question is answered."""

import time

import pytest

from qa.types import Event, Stage
from ui.chat.history import Exchange
from ui.chat.page import SLOW, _stage
from ui.chat.render import SLOW_START, stage_html
from ui.chat.transcript import AnswerOptions
from ui.chat.worker import PendingAnswer


def pending(stage: Stage, seconds: float) -> PendingAnswer:
    """Returns a question that has been at a stage for so long."""
    waiting = PendingAnswer(Exchange("1", "Who?", AnswerOptions()))
    waiting.on_event(Event(stage))
    waiting.stage_since = time.monotonic() - seconds
    return waiting


@pytest.mark.parametrize("stage", ["understand", "answer"])
def test_model_that_starts_slowly_is_said_to_load(stage: Stage) -> None:
    assert _stage(pending(stage, SLOW - 1)) == stage
    assert _stage(pending(stage, SLOW + 1)) == SLOW_START
    assert "may still be loading" in stage_html(SLOW_START)


@pytest.mark.parametrize("stage", ["retrieve", "read", "verify"])
def test_other_stages_may_take_long(stage: Stage) -> None:
    assert _stage(pending(stage, 60)) == stage


def test_stage_time_begins_with_each_stage() -> None:
    waiting = pending("answer", 60)
    waiting.on_event(Event("answer"))
    assert _stage(waiting) == SLOW_START
    waiting.on_event(Event("verify"))
    waiting.on_event(Event("answer"))
    assert _stage(waiting) == "answer"


def test_question_before_its_first_stage_waits() -> None:
    waiting = PendingAnswer(Exchange("1", "Who?", AnswerOptions()))
    assert _stage(waiting) == "waits"
