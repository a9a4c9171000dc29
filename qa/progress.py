"""The progress of a question: which stage begins, what a model writes, and how long each takes."""

import time

from qa.types import TIMED_AS, TIMED_STAGES, Event, OnEvent, Stage


class Progress:
    """Reports the stages of a question as they begin, and measures how long each takes."""

    def __init__(self, on_event: OnEvent | None) -> None:
        self._on_event = on_event
        self._start = self._stage_start = time.perf_counter()
        self._first_words: float | None = None
        self._seconds: dict[str, float] = dict.fromkeys(TIMED_STAGES, 0.0)
        # Before the first stage the snapshot is made: that belongs to finding passages.
        self._measured: Stage = "retrieve"

    def begin(self, stage: Stage) -> None:
        """Ends the stage before, and begins this one."""
        self._end_stage()
        self._measured = TIMED_AS.get(stage, stage)
        self.hear(Event(stage))

    def hear(self, event: Event) -> None:
        """Reports an event, and remembers when the first words came."""
        if event.words and self._first_words is None:
            self._first_words = time.perf_counter() - self._start
        if self._on_event:
            self._on_event(event)

    def timings(self) -> dict[str, float]:
        """Ends the last stage and returns the seconds of all."""
        self._end_stage()
        timings = dict(self._seconds)
        if self._first_words is not None:
            timings["first_words"] = self._first_words
        timings["total"] = self._stage_start - self._start
        return timings

    def _end_stage(self) -> None:
        now = time.perf_counter()
        self._seconds[self._measured] += now - self._stage_start
        self._stage_start = now
