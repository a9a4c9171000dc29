"""Other people's requests cannot fill the server's log."""

import logging

from ui.access.logs import INTERVAL, MAX_MESSAGES, OTHERS_WRITE, RepeatLimit, limit_logs


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(message: str, *args: object, error: type[Exception] | None = None) -> logging.LogRecord:
    exception = (error, error(), None) if error else None
    return logging.LogRecord("server", logging.WARNING, "file", 1, message, args, exception)


def test_repeated_message_passes_once_in_an_interval() -> None:
    """Also with other arguments, which strangers choose."""
    clock = Clock()
    limit = RepeatLimit(clock)
    assert limit.filter(record("size %s", 1))
    assert not limit.filter(record("size %s", 2))
    clock.now += INTERVAL
    assert limit.filter(record("size %s", 3))


def test_other_messages_and_exceptions_pass() -> None:
    limit = RepeatLimit(Clock())
    assert limit.filter(record("failed", error=ValueError))
    assert limit.filter(record("failed", error=KeyError))
    assert limit.filter(record("other"))
    assert not limit.filter(record("failed", error=KeyError))


def test_remembered_messages_are_bounded() -> None:
    limit = RepeatLimit(Clock())
    for number in range(3 * MAX_MESSAGES):
        limit.filter(record(f"message {number}"))
    assert len(limit._next) <= MAX_MESSAGES


def test_loggers_of_requests_are_limited() -> None:
    loggers = [logging.getLogger(name) for name in OTHERS_WRITE]
    filters_before = [list(logger.filters) for logger in loggers]
    try:
        limit_logs()
        for logger in loggers:
            assert isinstance(logger.filters[-1], RepeatLimit)
    finally:
        for logger, filters in zip(loggers, filters_before, strict=True):
            logger.filters = filters
