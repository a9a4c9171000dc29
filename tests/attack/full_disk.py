"""Fills a small disk and uses a library, conversations and users on it: `python -m tests.attack.full_disk`.

Needs root and tmpfs. Each step runs in a process of its own, at each stage of fullness. Nothing may
be lost, and each failure must say that the disk is full. Prints a line for each step.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from qa.errors import DiskFullError, FootnoteError
from qa.library.index import Index
from qa.users import Users
from tests.qa.fakes import WordEmbedder, text_document, word_bot
from ui.chat.history import History
from ui.chat.transcript import AnswerOptions

SIZE = 48 << 20
FREE = (0, 8, 32, 128, 512, 1024, 2048, 4096, 8192, 32768)
"""Kilobytes left free at each stage."""
PARAGRAPHS = 300
_HOLDS_DISK = "filler"


def _text(name: str, paragraphs: int) -> str:
    """Returns a text whose paragraphs are passages, each with words of its own."""
    parts = []
    for number in range(paragraphs):
        rare = " ".join(f"{name}{number}word{place}" for place in range(40))
        parts.append(f"The bridge {number} of {name} opened. {rare} " + "of many words " * 30)
    return "\n\n".join(parts)


def _make(home: Path) -> str:
    index = Index(home / "index", WordEmbedder())
    for name in ("first", "second"):
        index.add(text_document(_text(name, PARAGRAPHS), name))
    history = History(home)
    history.ask("talk", "ann", "Who opened it?", AnswerOptions())
    Users(home).add("ann", "correct horse")
    return "made"


def _list(home: Path) -> str:
    return " ".join(document.name for document in Index(home / "index").documents())


def _ask(home: Path) -> str:
    answer = word_bot(home).ask("Which bridge opened?")
    return answer.text[:30]


def _add(home: Path) -> str:
    document = text_document(_text("third", PARAGRAPHS), "third")
    return Index(home / "index", WordEmbedder()).add(document).outcome


def _add_small(home: Path) -> str:
    return Index(home / "index", WordEmbedder()).add(text_document("Small.", "small")).outcome


def _remove(home: Path) -> str:
    return str(Index(home / "index").remove("second"))


def _history_write(home: Path) -> str:
    exchange = History(home).ask("talk", "ann", "x" * 20_000, AnswerOptions())
    return "stored" if exchange else "refused"


def _history_read(home: Path) -> str:
    questions = History(home).exchanges("talk", "ann")
    return f"{len(questions)} questions"


def _users_write(home: Path) -> str:
    Users(home).add("bob", "battery staple")
    return "stored"


def _users_read(home: Path) -> str:
    users = Users(home)
    return f"{len(users.names())} users {users.password_matches('ann', 'correct horse')}"


def _check(home: Path) -> str:
    """Compares the library with what was added: each text, each passage, each vector."""
    embedder = WordEmbedder()
    index = Index(home / "index", embedder)
    documents = index.documents()
    expected = {name: _text(name, PARAGRAPHS) for name in ("first", "second", "third")}
    expected["small"] = "Small."
    for document in documents:
        if document.text != expected[document.name]:
            raise AssertionError(f"the text of {document.name} differs")
    snapshot = index.snapshot()
    passages = snapshot.all_passages()
    for passage in passages:
        vector = embedder.encode([snapshot.embedded_text(passage)])[0].vector
        nearest = index.nearest(vector, 10)
        if max(hit.score for hit in nearest) < 0.999:
            raise AssertionError(f"passage {passage.id} of {passage.document.name} has no vector")
    return f"{len(documents)} documents and {len(passages)} passages are whole"


STEPS: dict[str, Callable[[Path], str]] = {
    "make": _make,
    "list": _list,
    "ask": _ask,
    "add": _add,
    "add small": _add_small,
    "remove": _remove,
    "conversation: write": _history_write,
    "conversation: read": _history_read,
    "users: write": _users_write,
    "users: read": _users_read,
    "check": _check,
}
READING = ("list", "ask", "conversation: read", "users: read")
ORDER = (
    *READING, "add", *READING, "add small", "list", "conversation: write", "users: write",
    *READING, "remove", "list", "ask",
)  # fmt: skip


def _step(home: Path, name: str) -> str:
    """Runs a step in this process and returns what came out of it."""
    try:
        return "ok: " + STEPS[name](home)
    except DiskFullError as error:
        return f"full: {error}"
    except FootnoteError as error:
        return f"WRONG: {type(error).__name__}: {error}"


def _in_process(home: Path, name: str) -> str:
    command = [sys.executable, "-m", "tests.attack.full_disk", str(home), name]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    lines = process.stdout.strip().splitlines()
    return lines[-1] if lines else f"WRONG: {process.stderr.strip()[-300:]}"


def _fill(home: Path, kilobytes: int) -> None:
    """Writes a file that leaves so much free."""
    disk = os.statvfs(home)
    free = disk.f_bavail * disk.f_frsize
    with (home / _HOLDS_DISK).open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, max(1, free - (kilobytes << 10)))


def _stage(disk: Path, kilobytes: int) -> int:
    """Goes through all steps with so much free space and returns how many went wrong."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", disk], check=True)
    try:
        results = [("make", _in_process(disk, "make"))]
        _fill(disk, kilobytes)
        results += [(name, _in_process(disk, name)) for name in ORDER]
        (disk / _HOLDS_DISK).unlink()
        results += [(name, _in_process(disk, name)) for name in ("check", *READING)]
    finally:
        subprocess.run(["umount", disk], check=True)

    wrong = 0
    for name, outcome in results:
        must_work = name in READING or name in ("make", "check")
        is_wrong = outcome.startswith("WRONG") or (must_work and not outcome.startswith("ok"))
        wrong += is_wrong
        print(f"{kilobytes:>6} kB free  {name:<20} {outcome}{'   <--' if is_wrong else ''}")
    return wrong


def main() -> int:
    """Runs all stages; 1 if a step went wrong."""
    if len(sys.argv) == 3:
        print(_step(Path(sys.argv[1]), sys.argv[2]))
        return 0
    if os.geteuid() != 0 or sys.platform != "linux":
        print("This attack mounts a small disk: run it on Linux as root.")
        return 2

    with tempfile.TemporaryDirectory() as folder:
        wrong = sum(_stage(Path(folder), kilobytes) for kilobytes in FREE)
    print(f"{len(FREE)} stages, {wrong} steps went wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
