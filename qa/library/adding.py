"""Adds files and folders to a library, and follows the files that were moved or deleted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from qa.documents.load import IsUnchanged, load
from qa.errors import DocumentError
from qa.library.catalog import Entry
from qa.library.index import Index
from qa.library.known_files import KnownFiles
from qa.library.missing_files import MissingFile
from qa.library.writing import Addition, AddResult
from qa.types import Document

ADDED_AT_ONCE = 100_000
"""Characters of the documents that are added in one commit, and the last of them."""
Report = Callable[[str], None]
"""Called with a line for each document, for example "added notes.txt"."""


@dataclass(frozen=True, slots=True)
class AddedFiles:
    """The documents, and an error for each file or path that could not be read."""

    entries: tuple[Entry, ...]
    """As they are in the library, sorted by name."""
    failures: tuple[DocumentError, ...]
    not_pruned: tuple[str, ...] = ()
    """Documents whose file is missing from an added folder, and that were not pruned."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self.entries)


@dataclass(frozen=True, slots=True)
class _Additions:
    """What adding the readable files did."""

    documents: list[Document]
    failures: list[DocumentError]
    missing: list[MissingFile]
    """The missing files that no added document replaced."""


def add_files(
    index: Index,
    paths: Sequence[Path],
    report: Report,
    prune: bool = False,
    verify: bool = False,
) -> AddedFiles:
    """Adds every readable file, and looks for the missing files of the folders.

    A file that has the size and the time of when it was added is not read; `verify` reads it.

    A file that no longer exists, and whose text one of the added files has, was moved: the added
    file takes its place. Other files that are missing from an added folder are reported; `prune`
    removes their documents, except those of a folder in which no file can be read.
    """
    known = index.known_files()
    is_unchanged = _note_only(known) if verify else known.is_unchanged
    loaded = load(paths, is_unchanged=is_unchanged)
    skipped = {str(path.resolve()) for path in loaded.skipped}
    unchanged = index.entries_of(skipped)
    for entry in unchanged:
        report(f"unchanged {entry.name}")
    additions = _add_each(index, loaded.documents, report)
    for document in additions.documents:
        known.remember(document.source)

    missing = [file for file in additions.missing if _was_below_any(file, paths)]
    # A drive that is not mounted looks like a folder without files.
    sources = skipped | {document.source for document in loaded.documents}
    folders = [path for path in paths if prune and _has_any(path, sources)]
    not_pruned = _prune(index, missing, folders, report)

    failures = (*loaded.failures, *additions.failures)
    added = skipped | {document.source for document in additions.documents}
    entries = index.entries_of(added)
    return AddedFiles(tuple(entries), failures, tuple(not_pruned))


def _note_only(known: KnownFiles) -> IsUnchanged:
    """Returns a function that notes the state of each file, and calls none unchanged."""

    def note(file: Path, name: str) -> bool:
        known.is_unchanged(file, name)
        return False

    return note


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
    for group in _groups(documents):
        additions = []
        for document in group:
            replaced = names_of_moved_file(document, missing)
            additions.append(Addition(document, replaced))
            # The new document may keep the name, and a second copy must not replace it.
            missing = [file for file in missing if file.name not in replaced]
        for addition, result in zip(additions, index.add_all(additions), strict=True):
            if isinstance(result, DocumentError):
                # Its text cannot be split; the others are added all the same.
                failures.append(result)
                continue
            _report_addition(addition, result, report)
            added.append(addition.document)
    return _Additions(added, failures, missing)


def _groups(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Yields the documents in groups that are added together."""
    group: list[Document] = []
    size = 0
    for document in documents:
        group.append(document)
        size += len(document.text)
        if size >= ADDED_AT_ONCE:
            yield group
            group = []
            size = 0
    if group:
        yield group


def _report_addition(addition: Addition, result: AddResult, report: Report) -> None:
    document = addition.document
    moved_from = [name for name in addition.replaces if name != result.name]
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


def _has_any(folder: Path, sources: Iterable[str]) -> bool:
    """Returns whether one of the files is in a folder or below it."""
    resolved = folder.resolve()
    return any(Path(source).is_relative_to(resolved) for source in sources)
