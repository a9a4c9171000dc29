"""Bounds what other people can write into the server's log."""

import logging
import time
from collections.abc import Callable, Hashable

INTERVAL = 60.0
"""Seconds between two equal messages."""
MAX_MESSAGES = 1_000
"""Messages that are remembered."""
OTHERS_WRITE = (
    "uvicorn.error",
    "streamlit.web.server.starlette.starlette_routes",
    "streamlit.web.server.starlette.starlette_websocket",
)
"""The loggers of messages about invalid requests, uploads and websocket messages."""


class RepeatLimit(logging.Filter):
    """Passes each message, with each kind of exception, once in an interval."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._next: dict[Hashable, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        # The message before its arguments are filled in, since strangers choose the arguments.
        exception = record.exc_info[0] if record.exc_info else None
        key = (str(record.msg), exception)
        now = self._clock()
        if now < self._next.get(key, 0.0):
            return False
        if len(self._next) >= MAX_MESSAGES:
            self._next.clear()
        self._next[key] = now + INTERVAL
        return True


def limit_logs() -> None:
    """Limits the loggers to which a stranger's request can write."""
    for name in OTHERS_WRITE:
        logging.getLogger(name).addFilter(RepeatLimit())


def log_access() -> None:
    """Writes logins and refused requests to the server's log."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("ui.access")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
