"""How long a question takes while a long document is added: `python -m tests.ui.responsive [PAGES]`.

A text PDF is made of sentences of the article, drawn by a seeded generator, and goes through the
page's queue; a question is asked a second after the last answer. Not a test: no seconds are asserted.
"""

import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from qa.config import Settings
from qa.documents.load import load
from tests.qa import files
from ui.library.worker import JobQueue
from ui.state import open_bot

SEEDS = Path(__file__).parents[2] / "seeds"
QUESTION = "How many participants attended the forum?"
PARAGRAPHS, WORDS, WORDS_A_LINE = 9, 55, 11
"""Of a page: about what a printed page holds."""


def main(pages: int) -> None:
    """Prints the seconds of the questions by what was going on."""
    documents = load([SEEDS]).documents
    asking = threading.Event()
    with tempfile.TemporaryDirectory() as home:
        bot = open_bot(Settings(home=Path(home)))
        for document in documents:
            bot.index.add(document)
        bot.ask(QUESTION)
        queue = JobQueue(lambda: bot.index, asking.is_set)
        start = time.perf_counter()
        queue.submit("long.pdf", _pdf(documents[0].text.split(), pages))
        spent: dict[str, list[float]] = {}
        while (job := queue.jobs()[0]).active:
            asking.set()
            spent.setdefault(job.state, []).append(_seconds(lambda: bot.ask(QUESTION)))
            asking.clear()
            time.sleep(1)
        took = time.perf_counter() - start
        _print(f"{pages} pages, {job.total} passages: {job.state} in {took:.0f} s")
        spent["first after"] = [_seconds(lambda: bot.ask(QUESTION))]
    for state, seconds in spent.items():
        median, high = np.percentile(seconds, (50, 95))
        figures = f"median {median:.2f}  p95 {high:.2f}  max {max(seconds):.2f}"
        _print(f"{state:12} n {len(seconds):3}  {figures}")
    _print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most")


def _seconds(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def _pdf(words: Sequence[str], pages: int) -> bytes:
    rng = random.Random(20)
    return files.pdf([files.lines(*_lines(words, rng), size=9) for _ in range(pages)])


def _lines(words: Sequence[str], rng: random.Random) -> list[str]:
    lines = []
    for _ in range(PARAGRAPHS):
        first = rng.randrange(len(words) - WORDS)
        drawn = words[first : first + WORDS]
        lines += [" ".join(drawn[at : at + WORDS_A_LINE]) for at in range(0, WORDS, WORDS_A_LINE)]
    return lines


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
