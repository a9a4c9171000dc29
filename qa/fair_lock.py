"""A lock that threads get in the order in which they asked for it."""

import threading
from collections import deque


class FairLock:
    """Lets one thread work at a time, the one that waits longest first.

    A lock of `threading` may be taken again by the thread that gives it back: work in many parts
    would then keep everybody waiting until its last part.
    """

    def __init__(self) -> None:
        self._queue: deque[object] = deque()
        """The thread that works, then those that wait."""
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        turn = object()
        with self._changed:
            self._queue.append(turn)
            try:
                self._changed.wait_for(lambda: self._queue[0] is turn)
            except BaseException:
                # A thread that Ctrl+C interrupts no longer waits: nobody may wait for it.
                self._queue.remove(turn)
                self._changed.notify_all()
                raise

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._queue.popleft()
            self._changed.notify_all()
