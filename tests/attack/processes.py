"""Memory and processor time of a process with all processes that it started, from /proc."""

import os
import threading
from pathlib import Path
from types import TracebackType

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_GLANCE = 0.02
"""Seconds between two looks."""


class MemoryWatch:
    """Looks at the memory of a process and all below it until the block ends.

    `peak`: bytes of the largest process; `together`: bytes of all of them.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak = self.together = 0
        self._look()

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._end.wait(_GLANCE):
            self._look()

    def _look(self) -> None:
        sizes = resident_bytes(self._process)
        self.peak = max(self.peak, max(sizes))
        self.together = max(self.together, sum(sizes))


def resident_bytes(process: int) -> list[int]:
    """Returns the resident memory of a process and of each below it; 0 for one that has ended."""
    sizes = []
    for number in _family(process):
        fields = _read(number, "statm").split()
        sizes.append(int(fields[1]) * _PAGE if fields else 0)
    return sizes


def children_seconds() -> float:
    """Returns the processor time of the processes that this one has awaited."""
    times = os.times()
    return times.children_user + times.children_system


def _family(process: int) -> list[int]:
    numbers = [process]
    for number in numbers:
        for task in _tasks(number):
            numbers += map(int, _read(number, f"task/{task}/children").split())
    return numbers


def _tasks(process: int) -> list[str]:
    try:
        return os.listdir(_PROC / str(process) / "task")
    except OSError:
        # It has ended.
        return []


def _read(process: int, name: str) -> str:
    try:
        return (_PROC / str(process) / name).read_text()
    except OSError:
        # It has ended.
        return ""
