"""Threads work in the order in which they asked."""

import threading
import time

import pytest

from qa.fair_lock import FairLock


def _wait_for_queue(lock: FairLock, length: int) -> None:
    while len(lock._queue) < length:
        time.sleep(0.001)


def test_thread_that_comes_back_waits_for_those_before_it() -> None:
    """A thread that works in many parts lets another in after the part that it is at."""
    lock = FairLock()
    order: list[str] = []

    def work(name: str) -> None:
        with lock:
            order.append(name)

    with lock:
        waiting = []
        for index, name in enumerate(["first", "second"]):
            waiting.append(threading.Thread(target=work, args=(name,)))
            waiting[-1].start()
            _wait_for_queue(lock, index + 2)
    work("back again")
    for thread in waiting:
        thread.join()
    assert order == ["first", "second", "back again"]


def test_interrupted_wait_leaves_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C while waiting: the thread is not waited for."""
    lock = FairLock()

    def interrupt(_predicate: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lock._changed, "wait_for", interrupt)
        with pytest.raises(KeyboardInterrupt), lock:
            pass
    with lock:
        assert len(lock._queue) == 1
