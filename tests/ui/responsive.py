"""How long a question takes while a long document is added: `python -m tests.ui.responsive [PAGES]`.

A text PDF is made of sentences of the article, drawn by a seeded generator, and goes through the page's intake; a
question is asked a second after the last one was answered. No test: seconds are asserted nowhere.
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
from ui.library.worker import Intake
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
        intake = Intake(lambda: bot.index, asking.is_set)
        begun = time.perf_counter()
        intake.submit("long.pdf", _pdf(documents[0].text.split(), pages))
        spent: dict[str, list[float]] = {}
        while (job := intake.jobs()[0]).under_way:
            asking.set()
            spent.setdefault(job.state, []).append(_seconds(lambda: bot.ask(QUESTION)))
            asking.clear()
            time.sleep(1)
        _tell(
            f"{pages} pages, {job.total} passages: {job.state} in {time.perf_counter() - begun:.0f} s"
        )
        spent["first after"] = [_seconds(lambda: bot.ask(QUESTION))]
    for state, seconds in spent.items():
        median, high = np.percentile(seconds, (50, 95))
        _tell(
            f"{state:12} n {len(seconds):3}  median {median:.2f}  p95 {high:.2f}  max {max(seconds):.2f}"
        )
    _tell(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most")


def _seconds(ask: Callable[[], object]) -> float:
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun


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


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
