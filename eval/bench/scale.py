"""`python -m eval.bench.scale`: what a question costs as the library grows.

The text files of a folder are added, and added again with other names in them, until the library
has so many passages. Their vectors are computed once: those of a copy differ by noise. Each
library is then opened, asked and changed in a process of its own, with the real models.
"""

import argparse
import json
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from time import perf_counter

import numpy as np

from qa.bot import Bot
from qa.config import PACKAGED_EMBEDDING, Settings
from qa.library.index import Index
from qa.models.embedding import Embedder, Encoding, SentenceTransformerEmbedder, Vectors
from qa.terminal import print_line
from qa.types import Document

SEED = 11
QUESTIONS = 40
"""Questions that are timed after the first question."""
CHANGES = 8
"""Documents that are added, each before a question."""
ASKED_WORDS = 6
"""Words of a sentence that a question repeats."""
NOISE = 0.02
"""The standard deviation of what is added to each number of a copied vector, of length 1."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NAME = re.compile(r"\b[A-Z][a-z]{3,}\b")
_CHANGED_NAME = re.compile(r"(?<=[a-z])q[a-z]{2}\b")


@dataclass(frozen=True, slots=True)
class Measurement:
    """A library of one size. Times are in seconds, sizes in bytes."""

    passages: int
    documents: int
    text_bytes: int
    index_bytes: int
    vector_bytes: int
    """Four bytes a number: a part of `index_bytes`."""
    open_and_first_question: float
    question_median: float
    question_p95: float
    question_after_adding: float
    """The median over the first question after each of several added documents."""
    memory: int
    """The most that the process that opened and answered held at once, with the models."""


class RepeatingEmbedder:
    """An embedder that computes the vectors of copies from those of the first text."""

    def __init__(self, embedder: Embedder) -> None:
        self.name = embedder.name
        self.dimension = embedder.dimension
        self.limit = embedder.limit
        self.count_tokens = embedder.count_tokens
        self.knows = embedder.knows
        self._embedder = embedder
        self._vectors: dict[str, Vectors] = {}
        self._noise = np.random.default_rng(SEED)

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Returns encodings without token vectors, which adding does not need."""
        originals = [_CHANGED_NAME.sub("", text) for text in texts]
        new = [original for original in originals if original not in self._vectors]
        for text, encoding in zip(new, self._embedder.encode(new), strict=True):
            self._vectors[text] = encoding.vector
        return [self._copy(self._vectors[original]) for original in originals]

    def _copy(self, vector: Vectors) -> Encoding:
        noisy = vector + self._noise.normal(0, NOISE, len(vector)).astype(np.float32)
        no_tokens = np.zeros((0, self.dimension), dtype=np.float32)
        return Encoding(noisy / np.linalg.norm(noisy), no_tokens, ())


def main() -> int:
    """Measures libraries of the sizes asked for, and prints and writes a row for each."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench.scale")
    parser.add_argument("--texts", type=Path, required=True, help="a folder of .txt files")
    parser.add_argument("--passages", type=int, nargs="+", default=[300, 3_000, 30_000])
    parser.add_argument("--out", type=Path, default=Path("scale.json"))
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    texts = [file.read_text(encoding="utf-8") for file in sorted(options.texts.glob("*.txt"))]
    if options.measure:
        print_line(json.dumps(_measure(options.measure, texts)))
        return 0

    embedder = RepeatingEmbedder(SentenceTransformerEmbedder(PACKAGED_EMBEDDING))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        # The same library grows, so that no passage is added twice.
        for size in sorted(options.passages):
            grown = _grow(home, texts, size, embedder)
            command = [sys.executable, "-m", "eval.bench.scale", "--texts", str(options.texts)]
            # Our own module, in the interpreter that runs this.
            output = subprocess.run(  # noqa: S603
                [*command, "--measure", folder], check=True, capture_output=True, text=True
            )
            index_bytes = bytes_below(home / "index")
            rows.append(Measurement(**grown, index_bytes=index_bytes, **json.loads(output.stdout)))
            print_line(json.dumps(asdict(rows[-1])))
    options.out.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0


def changed_names(text: str, copy: int) -> str:
    """Returns the text with another ending at each name. Copy 0 is the text itself."""
    if copy == 0:
        return text
    ending = f"q{LETTERS[copy // len(LETTERS)]}{LETTERS[copy % len(LETTERS)]}"
    return _NAME.sub(lambda match: match.group() + ending, text)


def _documents(texts: Sequence[str]) -> Iterator[Document]:
    for copy in count():
        for number, text in enumerate(texts):
            changed = changed_names(text, copy)
            name = f"copy-{copy}/article-{number}.txt"
            title = changed.partition("\n")[0]
            yield Document(name, f"uploads/{name}", title, changed, language="en")


def _grow(
    home: Path, texts: Sequence[str], size: int, embedder: RepeatingEmbedder
) -> dict[str, int]:
    """Adds documents until the library has so many passages. Returns its sizes."""
    index = Index(home / "index", embedder)
    there = {entry.name for entry in index.entries()}
    documents = text_bytes = 0
    passages = index.passage_count()
    for document in _documents(texts):
        if document.name not in there and passages >= size:
            break
        documents += 1
        text_bytes += len(document.text.encode())
        if document.name not in there:
            index.add(document)
            passages = index.passage_count()
    return {
        "passages": passages,
        "documents": documents,
        "text_bytes": text_bytes,
        "vector_bytes": 4 * embedder.dimension * passages,
    }


def _measure(home: Path, texts: Sequence[str]) -> dict[str, float]:
    """Opens, asks and changes the library, which is as before afterwards."""
    questions = questions_about(texts, 1 + QUESTIONS + CHANGES)
    start = perf_counter()
    bot = Bot.open(Settings(home=home))
    bot.ask(questions[0])
    opened = perf_counter() - start

    seconds = [_seconds(bot, question) for question in questions[1 : QUESTIONS + 1]]
    after_adding = []
    for number, question in enumerate(questions[QUESTIONS + 1 :]):
        text = changed_names(texts[number], 600 + number)
        document = Document(f"new-{number}.txt", f"uploads/new-{number}.txt", "New", text)
        bot.index.add(document)
        after_adding.append(_seconds(bot, question))
        bot.index.remove(document.name)
    return {
        "open_and_first_question": opened,
        "question_median": statistics.median(seconds),
        "question_p95": float(np.quantile(seconds, 0.95)),
        "question_after_adding": statistics.median(after_adding),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def questions_about(texts: Sequence[str], number: int) -> list[str]:
    """Returns questions that repeat words of the texts, always the same."""
    rng = random.Random(SEED)
    questions = []
    for _ in range(number):
        words = rng.choice(texts).split()
        start = rng.randrange(max(1, len(words) - ASKED_WORDS))
        questions.append(f"What about {' '.join(words[start : start + ASKED_WORDS])}?")
    return questions


def _seconds(bot: Bot, question: str) -> float:
    start = perf_counter()
    bot.ask(question)
    return perf_counter() - start


def bytes_below(folder: Path) -> int:
    """Returns the size of all files in a folder and below it."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    sys.exit(main())
