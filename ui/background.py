"""Work in a thread of its own, so that a rerun of the page neither blocks on it nor starts it again."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def in_background(work: Callable[[], T]) -> Future[T]:
    """Starts the work. The future holds its result, or what it raised."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed on: raised again by whoever asks for the result
            future.set_exception(error)

    # A daemon: Ctrl-C ends the server at once, also while a model loads or a language model is silent.
    Thread(target=run, daemon=True).start()
    return future
