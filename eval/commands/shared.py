"""What the commands share: the arguments that several take, and the documents that come with the project."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import DocumentError

if TYPE_CHECKING:
    from qa.types import Document

EVAL = Path(__file__).parents[1]
QUESTIONS = EVAL / "questions.jsonl"
Commands = argparse._SubParsersAction  # argparse has no public name for it


def positive_integer(text: str) -> int:
    """An argument that is a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"takes a whole number from 1, not {text}")
    return int(text)


def load_documents(paths: Sequence[Path]) -> "tuple[Document, ...]":
    """The documents; figures over a part of them would not be what was asked for, so any failure is an error."""
    documents, failures = read_documents(paths)
    if failures:
        raise DocumentError("\n".join(map(str, failures)))
    return documents


def read_documents(
    paths: Sequence[Path],
) -> "tuple[tuple[Document, ...], tuple[DocumentError, ...]]":
    """The documents, and why others could not be read."""
    from qa.documents.load import load

    found = load(paths)
    return found.documents, tuple(found.failures)


def seeds_folder() -> Path:
    """The documents that come with the project."""
    for folder in (EVAL.parent / "seeds", Path("seeds")):
        if folder.is_dir():
            return folder
    raise DocumentError(
        "There is no folder seeds here. Say which documents to ask: --documents PATH"
    )
