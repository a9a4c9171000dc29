"""`python -m eval.bench.word_search`: three ways to keep BM25 on disk, beside each other.

tantivy (the word index of a library), FTS5 of SQLite, and bm25s with arrays that are mapped into
memory. Each has the same terms of the same passages, and is asked the same questions. The text
files of a folder are repeated with other names until there are so many passages.
"""

import argparse
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from time import perf_counter

import bm25s
import numpy as np

from eval.bench.scale import bytes_below, changed_names, questions_about
from qa.library.search import DEPTH
from qa.library.word_index import PassageTerms, WordIndex
from qa.terminal import print_line
from qa.text.words import terms

Search = Callable[[Sequence[str]], object]
Passages = Sequence[list[str]]
"""The terms of each passage."""
Make = Callable[[Passages, Path], Search]
_FTS5 = "CREATE VIRTUAL TABLE words USING fts5(terms, content='')"
_MATCH = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"


def main() -> int:
    """Makes the three indexes, asks them, and prints a row for each."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench.word_search")
    parser.add_argument("--texts", type=Path, required=True, help="a folder of .txt files")
    parser.add_argument("--passages", type=int, default=30_000)
    options = parser.parse_args()
    texts = [file.read_text(encoding="utf-8") for file in sorted(options.texts.glob("*.txt"))]
    passages = list(islice(_passages(texts), options.passages))
    questions = [terms(question) for question in questions_about(texts, 100)]

    print_line("index    made in  question, median and p95  on disk")
    makers: dict[str, Make] = {"tantivy": _tantivy, "FTS5": _fts5, "bm25s": _bm25s}
    for name, make in makers.items():
        with tempfile.TemporaryDirectory() as folder:
            start = perf_counter()
            search = make(passages, Path(folder))
            build_seconds = perf_counter() - start
            seconds = [_seconds(search, question) for question in questions]
            size = bytes_below(Path(folder)) / 1e6
        median = 1000 * statistics.median(seconds)
        p95 = 1000 * float(np.quantile(seconds, 0.95))
        print_line(
            f"{name:8} {build_seconds:6.1f} s {median:11.1f} ms {p95:9.1f} ms {size:9.1f} MB"
        )
    return 0


def _passages(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yields the terms of each paragraph, first of the texts and then of their copies."""
    for copy in count():
        for text in texts:
            for paragraph in changed_names(text, copy).split("\n\n"):
                yield terms(paragraph)


def _seconds(search: Search, question: Sequence[str]) -> float:
    start = perf_counter()
    search(question)
    return perf_counter() - start


def _tantivy(passages: Passages, folder: Path) -> Search:
    index = WordIndex(folder)
    changes = []
    for number, passage in enumerate(passages):
        changes.append((str(number), [PassageTerms(str(number), "", 0, " ".join(passage))]))
    index.update(changes)
    return lambda question: index.search(question, DEPTH)


def _fts5(passages: Passages, folder: Path) -> Search:
    database = sqlite3.connect(folder / "words.sqlite3")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(_FTS5)
    with database:
        rows = ((number, " ".join(passage)) for number, passage in enumerate(passages))
        database.executemany("INSERT INTO words (rowid, terms) VALUES (?, ?)", rows)

    def search(question: Sequence[str]) -> object:
        query = " OR ".join(f'"{term}"' for term in question)
        return database.execute(_MATCH, (query, DEPTH)).fetchall()

    return search


def _bm25s(passages: Passages, folder: Path) -> Search:
    index = bm25s.BM25(method="lucene")
    index.index(list(passages), show_progress=False)
    index.save(folder)
    mapped = bm25s.BM25.load(folder, mmap=True)

    def search(question: Sequence[str]) -> object:
        known = [term for term in question if term in mapped.vocab_dict]
        if not known:
            return []
        return mapped.retrieve([known], k=DEPTH, show_progress=False)

    return search


if __name__ == "__main__":
    sys.exit(main())
