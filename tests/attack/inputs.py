"""Give hostile files, texts and questions to Footnote, and measure what each of them takes.

    python -m tests.attack.inputs [--only file,path,text,question,command] [--every N]

Files are uploaded to the page's worker and, like odd paths, added as the command line adds them.
Texts are uploaded and asked about. Questions are asked through the page's worker over `seeds/`;
each outcome is rendered and exported. A sample goes through the real command line. No input may
end in an error that is not ours, use the processor for more than 10 seconds without news for the
person (an answer, a message, or progress), or take more than 1.5 GB in any process, unless a limit
of which the person is told has stopped it. Processor time, because other work on the machine does
not change it.
"""

import argparse
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.attack.hostile_files import write_files
from tests.attack.hostile_words import QUESTIONS, texts
from tests.attack.processes import MemoryWatch, children_seconds
from tests.attack.target import Case, Result, serve

ROOT = Path(__file__).parents[2]
MAX_SECONDS = 10.0
MAX_BYTES = 1_500_000_000
PATIENCE = 180.0
"""Seconds after which an input counts as endless. The process is then replaced."""
STATED_LIMITS = (
    "has more than",
    "takes more than",
    "holds more than",
    "larger than",
    "unpacks to more than",
)
"""Words of the messages with which a limit of Footnote ends the reading of a file."""
WORST = 12
COMMANDS = 12
_processes = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Measured:
    """An input with its result and its cost."""

    case: Case
    result: Result
    seconds: float
    peak: int
    """Bytes of memory of the largest process."""
    together: int
    """Bytes of memory of all processes."""

    @property
    def fault(self) -> str:
        """What must not be; empty: nothing."""
        if self.result.outcome == "RAW ERROR":
            return "raw error"
        stated = any(words in self.result.words for words in STATED_LIMITS)
        if self.result.stretch > MAX_SECONDS and not stated:
            return "slow"
        return "large" if self.peak > MAX_BYTES else ""


class Target:
    """The process that reads the inputs; a new one where the last was endless or has ended."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: BaseProcess | None = None
        self._wire: Connection | None = None
        self.started_with = 0
        """Bytes of memory of the process once it could answer."""

    def measure(self, case: Case) -> Measured:
        """Gives an input to the process, and returns what became of it."""
        process, wire = self._running()
        with MemoryWatch(process.pid or 0) as watch:
            start = time.monotonic()
            wire.send(case)
            try:
                result = wire.recv() if wire.poll(PATIENCE) else None
            except EOFError:
                result = Result("RAW ERROR", "the process ended")
            seconds = time.monotonic() - start
        if result is None:
            result = Result("RAW ERROR", f"no end after {PATIENCE:.0f} seconds")
            self.stop()
        return Measured(case, result, seconds, watch.peak, watch.together)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.join()
        self._process = self._wire = None

    def _running(self) -> tuple[BaseProcess, Connection]:
        if self._process and self._wire and self._process.is_alive():
            return self._process, self._wire
        self._wire, far_end = _processes.Pipe()
        self._process = _processes.Process(
            target=serve, args=(self._home, ROOT / "seeds", far_end), daemon=False
        )
        self._process.start()
        far_end.close()
        self._wire.recv()
        with MemoryWatch(self._process.pid or 0) as watch:
            pass
        self.started_with = watch.peak
        return self._process, self._wire


def main() -> int:
    """Measures and prints. Returns 1 if an input did what it must not."""
    options = _options()
    groups = options.only.split(",")
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder) / "files")
        cases = [case for case in _cases(paths) if case.group in groups][:: options.every]
        with _stopped(Target(Path(folder) / "home")) as target:
            for number, case in enumerate(cases, start=1):
                measured.append(target.measure(case))
                _show_progress(number, len(cases), measured[-1])
            base = target.started_with
        if "command" in groups:
            measured += _commands(Path(folder) / "commands", paths)
    _print(measured, base)
    return int(any(row.fault for row in measured))


def _cases(paths: Sequence[Path]) -> Iterator[Case]:
    for path in paths:
        # A pipe or an endless device cannot be uploaded: a browser sends bytes.
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 10**9:
            yield Case("file", path.name, path.read_bytes())
    for path in paths:
        yield Case("path", path.name, str(path))
    for name, text in texts().items():
        yield Case("text", name, text)
    for place, question in enumerate(QUESTIONS):
        yield Case("question", f"{place:02} {question[:20]!a}", question)


def _commands(home: Path, paths: Sequence[Path]) -> list[Measured]:
    """Gives a sample to the real command line, of which each call loads the models."""
    sample: list[tuple[Case, list[str]]] = []
    for path in paths[:: len(paths) // COMMANDS + 1]:
        sample.append((Case("path", f"footnote add {path.name}", ""), ["add", "--", str(path)]))
    # An argument cannot hold a NUL, and none is longer than 128 kB.
    questions = [question for question in QUESTIONS if "\x00" not in question]
    for question in questions[:: len(questions) // COMMANDS + 1]:
        name = f"footnote ask {question[:20]!a}"
        sample.append((Case("question", name, ""), ["ask", "--", question]))
    return [_run_command(home, case, words) for case, words in sample]


def _run_command(home: Path, case: Case, words: Sequence[str]) -> Measured:
    start, processor = time.monotonic(), children_seconds()
    command = [sys.executable, "-m", "qa", words[0], f"--home={home}", *words[1:]]
    process = subprocess.Popen(
        [word.encode("utf-8", "surrogatepass") for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with MemoryWatch(process.pid) as watch:
        _, errors = process.communicate()
    message = errors.decode("utf-8", "replace").strip()
    lines = message.splitlines()
    if "Traceback" in message or process.returncode not in (0, 2):
        result = Result("RAW ERROR", "\n".join(lines[-2:]))
    else:
        result = Result("error" if process.returncode else "answer", message)
    seconds = time.monotonic() - start
    result = replace(result, stretch=children_seconds() - processor)
    return Measured(case, result, seconds, watch.peak, watch.together)


@contextmanager
def _stopped(target: Target) -> Iterator[Target]:
    try:
        yield target
    finally:
        target.stop()


def _show_progress(number: int, total: int, row: Measured) -> None:
    if row.fault or number == total:
        case = row.case
        print(
            f"{number} of {total}: {case.group} {case.name!a} {row.fault} {row.seconds:.1f} s, "
            f"{row.result.stretch:.1f} s without news",
            file=sys.stderr,
        )


def _print(measured: Sequence[Measured], base: int) -> None:
    print(f"{'input':60}{'seconds':>8}{'CPU':>7}{'MB':>7}{'all MB':>7}  outcome")
    slowest = sorted(measured, key=lambda row: -row.result.stretch)[:WORST]
    largest = sorted(measured, key=lambda row: -row.peak)[:WORST]
    faulty = [row for row in measured if row.fault]
    shown: list[Measured] = []
    for row in (*faulty, *slowest, *largest):
        if row not in shown:
            shown.append(row)
            _print_row(row)

    outcomes = Counter((row.case.group, row.result.outcome) for row in measured)
    for (group, outcome), count in sorted(outcomes.items()):
        print(f"{group:10}{outcome:12}{count:5}")
    faults = Counter(row.fault for row in faulty)
    print(
        f"{len(measured)} inputs: {faults['raw error']} raw errors, {faults['slow']} over "
        f"{MAX_SECONDS:.0f} s without news, {faults['large']} over {MAX_BYTES / 1e9} GB "
        f"(the process alone has {base / 1e6:.0f} MB)"
    )


def _print_row(row: Measured) -> None:
    name = f"{row.case.group} {row.case.name!a}"[:59]
    words = " ".join(row.result.words.split())[-110:]
    print(
        f"{name:60}{row.seconds:8.1f}{row.result.stretch:7.1f}{row.peak / 1e6:7.0f}"
        f"{row.together / 1e6:7.0f}  "
        f"{row.result.outcome} {row.fault} {words!a}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack.inputs")
    parser.add_argument(
        "--only", default="file,path,text,question,command", help="give only these kinds of input"
    )
    parser.add_argument("--every", type=int, default=1, help="give only each Nth input")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
