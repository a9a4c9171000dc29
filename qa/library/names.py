"""The names of documents in a library: no two documents have the same name."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path, PurePosixPath

from qa.types import Document

_NUMBER = re.compile(r" \(\d+\)(\.[^./]*)?$")
"""The number that makes a name unique, before the ending of the file."""


def with_unique_name(
    document: Document, previous: str | None, is_taken: Callable[[str], bool]
) -> Document:
    """Returns the document under a name that no document from another source has.

    A taken name is extended by the folders of its source, and then by a number, until it is unique.
    A document that got such a name before, the `previous` name, keeps it.
    """
    if previous and _extends(previous, document.name) and not is_taken(previous):
        return replace(document, name=previous)

    for name in _names(document):
        if not is_taken(name):
            return replace(document, name=name)
    raise AssertionError("there is always another number")


def _names(document: Document) -> Iterator[str]:
    """Yields the names that a document may have, the best first."""
    yield document.name
    parts = Path(document.source).parts
    longest = document.name
    for depth in range(len(Path(document.name).parts) + 1, len(parts) + 1):
        longest = Path(*parts[-depth:]).as_posix()
        yield longest

    path = PurePosixPath(longest)
    for number in count(2):
        yield path.with_name(f"{path.stem} ({number}){path.suffix}").as_posix()


def _extends(extended: str, name: str) -> bool:
    """Returns whether one name is another with folders or a number."""
    wanted = PurePosixPath(name).parts
    without_number = _NUMBER.sub(r"\1", extended)
    for candidate in (extended, without_number):
        if PurePosixPath(candidate).parts[-len(wanted) :] == wanted:
            return True
    return False
