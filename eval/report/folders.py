"""The folders of runs: which there are, and what to call each."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from eval.report.values import with_valid_unicode
from eval.results import RESULTS, RUN, SUMMARY


def run_folders(folder: Path) -> list[Path]:
    """Returns the folder if it is a run, else the runs in it or one level deeper, by path.

    A command with several configurations writes its runs into one folder. A run that did not end
    is returned too, and so is a folder that cannot be listed: reading it says what is wrong.
    """
    if _is_run(folder):
        return [folder]
    runs = []
    for inner in _subfolders(folder):
        if _is_run(inner) or not _can_be_listed(inner):
            runs.append(inner)
        else:
            runs += filter(_is_run, _subfolders(inner))
    return runs


def run_names(folders: Sequence[Path]) -> list[str]:
    """Returns a name for each folder: its own, or its path where two have the same name."""
    counts = Counter(folder.resolve().name for folder in folders)
    names = []
    for folder in folders:
        name = folder.resolve().name
        if counts[name] > 1:
            name = str(folder)
        names.append(with_valid_unicode(name))
    return names


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (SUMMARY, RUN, RESULTS))


def _subfolders(folder: Path) -> list[Path]:
    if not folder.is_dir() or not _can_be_listed(folder):
        return []
    inner = []
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith("."):
            inner.append(path)
    return sorted(inner)


def _can_be_listed(folder: Path) -> bool:
    # Listing is the only way to know: a folder may be readable and closed.
    try:
        next(folder.iterdir(), None)
    except OSError:
        return False
    return True
