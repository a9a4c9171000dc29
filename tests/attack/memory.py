"""Ask many questions in one process, and measure its memory and its time.

    python -m tests.attack.memory [--questions 1500]

The questions of `eval/questions.jsonl` are asked over `seeds/`, round after round, as one server
would answer them. The memory grows while the processor's code for texts of each length is made,
then it must be flat: at the end at most 1.1 times what it was at the 300th question, and the last
hundred answers at most 1.3 times as slow as the hundred before the 300th.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from qa.bot import Bot
from qa.config import Settings, share_processors
from qa.documents.load import load
from tests.attack.processes import resident_bytes

ROOT = Path(__file__).parents[2]
SETTLED = 300
"""Questions after which memory must be flat."""
AT_ONCE = 100
"""Questions whose mean time is printed."""
MAX_GROWTH = 1.1
MAX_SLOWDOWN = 1.3


def main() -> int:
    """Asks and prints. Returns 1 if memory or time grew after the 300th question."""
    options = _options()
    share_processors()
    print(f"{'':24}{'MB':>6}  processor seconds a question, over the last {AT_ONCE}")
    with tempfile.TemporaryDirectory() as home:
        bot = Bot.open(Settings(home=Path(home)))
        for document in load([ROOT / "seeds"]).documents:
            bot.index.add(document)
        _print_row("opened", _memory())
        memory, seconds = _ask(bot, options.questions)

    growth = memory[-1] / memory[min(SETTLED, len(memory)) - 1]
    before = sum(seconds[SETTLED - AT_ONCE : SETTLED])
    slowdown = sum(seconds[-AT_ONCE:]) / before if before else 0.0
    print(f"end against the {SETTLED}th: {growth:.3f} times the memory, {slowdown:.2f} the time")
    return int(growth > MAX_GROWTH or slowdown > MAX_SLOWDOWN)


def _ask(bot: Bot, count: int) -> tuple[list[float], list[float]]:
    """Returns the megabytes after each question, and the processor seconds of each."""
    lines = (ROOT / "eval" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = itertools.cycle(_question(line) for line in lines)
    memory, seconds = [], []
    for number, question in enumerate(itertools.islice(questions, count), start=1):
        # Processor time, because other work on the machine does not change it.
        start = time.process_time()
        bot.ask(question)
        seconds.append(time.process_time() - start)
        memory.append(_memory())
        if number in (1, 10, 100, count) or number % SETTLED == 0:
            recent = seconds[-AT_ONCE:]
            _print_row(f"question {number}", memory[-1], sum(recent) / len(recent))
    return memory, seconds


def _question(line: str) -> str:
    return str(json.loads(line)["question"])


def _memory() -> float:
    (size, *_) = resident_bytes(os.getpid())
    return size / 1e6


def _print_row(name: str, memory: float, seconds: float | None = None) -> None:
    mean = "" if seconds is None else f"{seconds:8.3f}"
    print(f"{name:24}{memory:6.0f}{mean}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack.memory")
    parser.add_argument("--questions", type=int, default=1_500, help="ask this many")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
