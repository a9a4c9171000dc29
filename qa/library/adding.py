"""Adds files and folders to a library, and follows the files that were moved or deleted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from qa.documents.load import load
from qa.errors import DocumentError
from qa.library.gone import GoneFile
from qa.library.index import Index
from qa.types import Document

Report = Callable[[str], None]
"""Called with a line for each document, for example "added notes.txt"."""


@dataclass(frozen=True, slots=True)
class AddedFiles:
    """The documents, and an error for each file or path that could not be read."""

    documents: tuple[Document, ...]
    """Under their names in the library."""
    failures: tuple[DocumentError, ...]
    gone: tuple[str, ...] = ()
    """The names of documents whose file is gone from an added folder, and that are still there."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(document.name for document in self.documents)


def add_files(
    index: Index, paths: Sequence[Path], report: Report, prune: bool = False
) -> AddedFiles:
    """Adds every readable file, and looks for the earlier files of the folders.

    A file that no longer exists, and whose text one of the added files has, was moved: the added
    file takes its place. Other files that are gone from an added folder are reported; `prune`
    removes their documents, except those of a folder in which no file can be read.
    """
    loaded = load(paths)
    failures = list(loaded.failures)
    gone = index.gone_files()
    documents = []
    for document in loaded.documents:
        earlier = earlier_places(document, gone)
        try:
            added = index.add(document, replaces=earlier)
        except DocumentError as error:
            # Its text cannot be split; the others are added all the same.
            failures.append(error)
            continue
        moved_from = [name for name in earlier if name != added.name]
        if added.outcome == "moved" and moved_from:
            report(f"moved {', '.join(moved_from)} to {added.name}")
        else:
            report(f"{added.outcome} {added.name}")
        if document.furniture:
            report(_furniture_notice(added.name, len(document.furniture)))
        documents.append(replace(document, name=added.name))
        gone = [file for file in gone if file.name not in earlier]

    may_remove = []
    for folder in paths:
        # A drive that is not mounted looks like a folder without files.
        if prune and _has_any(folder, loaded.documents):
            may_remove.append(folder)
    still_there = []
    for file in gone:
        if _was_below_any(file, may_remove):
            index.remove(file.name)
            report(f"removed {file.name}")
        elif _was_below_any(file, paths):
            report(f"gone {file.name}")
            still_there.append(file.name)
    return AddedFiles(tuple(documents), tuple(failures), tuple(still_there))


def earlier_places(document: Document, gone: Sequence[GoneFile]) -> list[str]:
    """Returns the names of the files without a place that have the text of this document."""
    earlier = []
    for file in gone:
        # A file that is there again under its path has not moved.
        if file.version == document.version and file.source != document.source:
            earlier.append(file.name)
    return earlier


def _furniture_notice(name: str, count: int) -> str:
    """Returns how many lines of a document are not searched, and how to see them."""
    lines_are = "1 line of page furniture is"
    if count > 1:
        lines_are = f"{count} lines of page furniture are"
    return f"  {lines_are} not searched: footnote show {quote(name)}"


def _was_below_any(file: GoneFile, folders: Sequence[Path]) -> bool:
    return any(folder.is_dir() and file.was_below(folder) for folder in folders)


def _has_any(folder: Path, documents: Sequence[Document]) -> bool:
    """Returns whether one of the documents is in a folder or below it."""
    place = folder.resolve()
    return any(Path(document.source).is_relative_to(place) for document in documents)
