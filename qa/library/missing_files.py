"""Documents of a library whose file no longer exists: it was deleted, moved or renamed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qa.library.catalog import Entry


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A document of the library whose file no longer exists."""

    name: str
    """The name of the document in the library."""
    source: str
    """The absolute path that its file had."""
    version: str
    """The hash of its text: a document of the same version is the moved file."""

    def was_below(self, folder: Path) -> bool:
        """Returns whether the file was in a folder or below it."""
        return Path(self.source).is_relative_to(folder.resolve())


def missing_files(entries: Iterable[Entry]) -> list[MissingFile]:
    """Returns the documents whose file no longer exists, by name.

    An upload has no file. A file that cannot be looked at, for example in a folder without
    permission, counts as existing.
    """
    missing = []
    for entry in entries:
        path = Path(entry.source)
        if path.is_absolute() and not _may_exist(path):
            missing.append(MissingFile(entry.name, entry.source, entry.version))
    missing.sort(key=lambda file: file.name)
    return missing


def _may_exist(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        # What cannot be looked at may be there: a drive fails, a folder is closed.
        return True
    return True
