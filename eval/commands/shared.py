"""What several commands share: arguments, the documents of the project, and progress."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import DocumentError

if TYPE_CHECKING:
    from rich.progress import TaskID

    from qa.types import Document

EVAL = Path(__file__).parents[1]
QUESTIONS = EVAL / "questions.jsonl"
Commands = argparse._SubParsersAction  # argparse has no public name for it


def positive_integer(text: str) -> int:
    """Parses an argument that is a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text}")
    return int(text)


def load_documents(paths: Sequence[Path]) -> "tuple[Document, ...]":
    """Returns all documents. Raises DocumentError if any cannot be read: a part would not do."""
    documents, failures = read_documents(paths)
    if failures:
        raise DocumentError("\n".join(map(str, failures)))
    return documents


def read_documents(
    paths: Sequence[Path],
) -> "tuple[tuple[Document, ...], tuple[DocumentError, ...]]":
    """Returns the documents, and why others could not be read."""
    # Reading documents brings llama-index, which `--help` does not wait for.
    from qa.documents.load import load

    loaded = load(paths)
    return loaded.documents, tuple(loaded.failures)


def seeds_folder() -> Path:
    """Returns the folder of the documents that come with the project."""
    for folder in (EVAL.parent / "seeds", Path("seeds")):
        if folder.is_dir():
            return folder
    raise DocumentError("There is no folder seeds here. Name documents: --documents PATH")


def progress() -> Callable[[str, int, int], None]:
    """Returns a function that shows progress: on a terminal a bar, otherwise a line each tenth.

    It gets the name of a configuration, how many answers it has, and how many it will have.
    """
    if not sys.stderr.isatty():
        return _print_progress
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks: dict[str, TaskID] = {}

    def show(name: str, count: int, total: int) -> None:
        if name not in tasks:
            bar.start()
            tasks[name] = bar.add_task(name or "asked", total=total)
        bar.update(tasks[name], completed=count)
        if count == total:
            bar.stop()

    return show


def _print_progress(name: str, count: int, total: int) -> None:
    if count == total or count % max(1, total // 10) == 0:
        print(f"{name or 'asked'}: {count} of {total}", file=sys.stderr)
