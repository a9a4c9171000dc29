"""The file next to a document: its title, publisher and date, and example questions."""

import errno
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.documents.dates import read_date
from qa.documents.parsing import one_line
from qa.errors import DocumentError

SUFFIX = ".meta.json"
MAX_BYTES = 1_000_000
MAX_TEXT = 300
"""Characters of a title, a publisher or an example: the title is read with each passage."""
MAX_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a file next to a document says about it; empty without such a file."""

    title: str = ""
    publisher: str | None = None
    date: str | None = None
    examples: tuple[str, ...] = ()


def sidecar_of(file: Path) -> Path:
    """Returns where the sidecar of a file is, if it has one."""
    return file.with_name(file.name + SUFFIX)


def read_sidecar(file: Path, folder: Path) -> Sidecar:
    """Returns what `FILE.meta.json` says.

    A link that leads out of the folder is not read. Raises DocumentError for a file that cannot be
    read or holds something else.
    """
    path = sidecar_of(file)
    content = _content(path, folder)
    if content is None:
        return Sidecar()
    if len(content) > MAX_BYTES:
        raise DocumentError(f"{path} is larger than 1 MB. Shorten or remove it.")
    try:
        values = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{path} is not valid JSON: {error}. Fix or remove it.") from error

    if not _is_valid(values):
        raise DocumentError(
            f'{path} must contain a JSON object with texts "title" and "publisher", a "date" such '
            f'as "2024-03-11" and a list of at most {MAX_EXAMPLES} texts "examples", each of at '
            f"most {MAX_TEXT} characters. Fix or remove it."
        )
    return _sidecar(values)


def _content(path: Path, folder: Path) -> bytes | None:
    """Returns the start of a file; None where there is no file, or a link out of the folder."""
    try:
        # A pipe has no end that could be read to.
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            return None
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            # The document has the longest name that there can be.
            return None
        raise DocumentError(
            f"{path} cannot be read: {error.strerror}. Make it readable or remove it."
        ) from error


def _is_valid(values: Any) -> bool:
    if not isinstance(values, dict):
        return False
    examples = values.get("examples", [])
    if not isinstance(examples, list) or len(examples) > MAX_EXAMPLES:
        return False

    title = values.get("title", "")
    publisher = values.get("publisher", "")
    date = values.get("date", "")
    texts = [title, publisher, date, *examples]
    if not all(isinstance(text, str) and len(text) <= MAX_TEXT for text in texts):
        return False
    return not date or read_date(date) is not None


def _sidecar(values: Mapping[str, Any]) -> Sidecar:
    # JSON can escape half a character, which no index and no model accepts.
    examples = map(one_line, values.get("examples", []))
    return Sidecar(
        title=one_line(values.get("title", "")),
        publisher=one_line(values.get("publisher", "")) or None,
        date=read_date(values.get("date", "")),
        examples=tuple(examples),
    )
