"""Adds files and folders to a library, and follows the files that were moved or deleted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from qa.documents.load import load
from qa.errors import DocumentError
from qa.library.index import Index
from qa.library.missing_files import MissingFile
from qa.library.writing import AddResult
from qa.types import Document

Report = Callable[[str], None]
"""Called with a line for each document, for example "added notes.txt"."""


@dataclass(frozen=True, slots=True)
class AddedFiles:
    """The documents, and an error for each file or path that could not be read."""

    documents: tuple[Document, ...]
    """Under their names in the library."""
    failures: tuple[DocumentError, ...]
    not_pruned: tuple[str, ...] = ()
    """Documents whose file is missing from an added folder, and that were not pruned."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(document.name for document in self.documents)


@dataclass(frozen=True, slots=True)
class _Additions:
    """What adding the readable files did."""

    documents: list[Document]
    """Under their names in the library."""
    failures: list[DocumentError]
    missing: list[MissingFile]
    """The missing files that no added document replaced."""


def add_files(
    index: Index, paths: Sequence[Path], report: Report, prune: bool = False
) -> AddedFiles:
    """Adds every readable file, and looks for the missing files of the folders.

    A file that no longer exists, and whose text one of the added files has, was moved: the added
    file takes its place. Other files that are missing from an added folder are reported; `prune`
    removes their documents, except those of a folder in which no file can be read.
    """
    loaded = load(paths)
    additions = _add_each(index, loaded.documents, report)

    missing = [file for file in additions.missing if _was_below_any(file, paths)]
    # A drive that is not mounted looks like a folder without files.
    folders = [path for path in paths if prune and _has_any(path, loaded.documents)]
    not_pruned = _prune(index, missing, folders, report)

    failures = (*loaded.failures, *additions.failures)
    return AddedFiles(tuple(additions.documents), failures, tuple(not_pruned))


def names_of_moved_file(document: Document, missing: Sequence[MissingFile]) -> list[str]:
    """Returns the library's names of the missing files that have the text of this document."""
    names = []
    for file in missing:
        # A file that is there again under its path has not moved.
        if file.version == document.version and file.source != document.source:
            names.append(file.name)
    return names


def _add_each(index: Index, documents: Sequence[Document], report: Report) -> _Additions:
    """Adds the documents; each takes the place of the missing files that have its text."""
    missing = index.missing_files()
    added: list[Document] = []
    failures: list[DocumentError] = []
    for document in documents:
        replaced = names_of_moved_file(document, missing)
        try:
            result = index.add(document, replaces=replaced)
        except DocumentError as error:
            # Its text cannot be split; the others are added all the same.
            failures.append(error)
            continue
        _report_addition(document, result, replaced, report)
        added.append(replace(document, name=result.name))
        # The new document may keep the name, and a second copy must not replace it.
        missing = [file for file in missing if file.name not in replaced]
    return _Additions(added, failures, missing)


def _report_addition(
    document: Document, result: AddResult, replaced: Sequence[str], report: Report
) -> None:
    moved_from = [name for name in replaced if name != result.name]
    if result.outcome == "moved" and moved_from:
        report(f"moved {', '.join(moved_from)} to {result.name}")
    else:
        report(f"{result.outcome} {result.name}")
    if document.furniture:
        report(_furniture_notice(result.name, len(document.furniture)))


def _prune(
    index: Index, missing: Sequence[MissingFile], folders: Sequence[Path], report: Report
) -> list[str]:
    """Removes the documents whose missing file was in one of the folders or below it.

    Returns the names of the other documents whose file is missing.
    """
    not_pruned = []
    for file in missing:
        if _was_below_any(file, folders):
            index.remove(file.name)
            report(f"removed {file.name}")
        else:
            report(f"gone {file.name}")
            not_pruned.append(file.name)
    return not_pruned


def _furniture_notice(name: str, count: int) -> str:
    """Returns how many lines of a document are not searched, and how to see them."""
    lines_are = "1 line of page furniture is"
    if count > 1:
        lines_are = f"{count} lines of page furniture are"
    return f"  {lines_are} not searched: footnote show {quote(name)}"


def _was_below_any(file: MissingFile, folders: Sequence[Path]) -> bool:
    return any(folder.is_dir() and file.was_below(folder) for folder in folders)


def _has_any(folder: Path, documents: Sequence[Document]) -> bool:
    """Returns whether one of the documents is in a folder or below it."""
    resolved = folder.resolve()
    return any(Path(document.source).is_relative_to(resolved) for document in documents)
