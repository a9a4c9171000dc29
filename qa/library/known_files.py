"""The files that are as they were when they were added, by their sizes and times of change."""

from collections.abc import Sequence
from pathlib import Path

from qa.documents.load import READERS
from qa.documents.sidecar import sidecar_of
from qa.library.catalog import Catalog
from qa.library.missing_files import MissingFile
from qa.types import digest


class KnownFiles:
    """Finds the files that need not be read again."""

    def __init__(self, catalog: Catalog, missing: Sequence[MissingFile]) -> None:
        self._catalog = catalog
        self._missing = {file.version for file in missing}
        self._signatures: dict[str, str] = {}
        """By source, from before the file was read: it may change while it is read."""

    def is_unchanged(self, file: Path, name: str) -> bool:
        """Returns whether the library has this file as it is, under a name that was made of `name`.

        The file itself is not read. A file with the text of a missing file counts as changed: it
        takes the place of the missing file.
        """
        try:
            source = str(file.resolve())
            signature = f"{name} {READERS} {_state(file)} {_state(sidecar_of(file))}"
        except (OSError, ValueError):
            # Reading the file gives the reason.
            return False
        self._signatures[source] = signature
        key = digest(source)
        if self._catalog.file_signature(key) != signature:
            return False
        # Another process may have removed it by now.
        _, version = self._catalog.names([key]).get(key, ("", None))
        return version is not None and version not in self._missing

    def remember(self, source: str) -> None:
        """Takes note that the library has the file of this path as `is_unchanged` saw it."""
        signature = self._signatures.get(source)
        if signature:
            self._catalog.set_file_signature(digest(source), signature)


def _state(file: Path) -> str:
    """Returns what changes when a file changes; "-" where there is no file."""
    try:
        state = file.stat()
    except FileNotFoundError:
        return "-"
    return f"{state.st_size} {state.st_mtime_ns} {state.st_ino}"
