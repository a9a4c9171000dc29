"""Files become documents: the canonical text with a name, a title and a source.

`qa.documents.readers` reads each kind; PDF, DOCX and HTML in a process of their own (`qa.documents.sandbox`).
"""

import json
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from qa.documents.filetypes import MARKDOWN_SUFFIXES, READABLE
from qa.documents.readers import READERS
from qa.errors import DocumentError
from qa.types import Document

SIDECAR_SUFFIX = ".meta.json"
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
LONGEST_TITLE = 120
LONGEST_GIVEN_TITLE = 300
"""Characters of a title that a file's own fields give; a longer one is none."""
LONGEST_NAME = 120
_OF_NO_KIND = f"is of a kind that is not read. These are: {', '.join(READABLE)}."
_DIRECTIONS = re.compile("[\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Marks that turn the direction of writing, with which a name can hide its suffix; and line ends."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The documents that could be read and, for the rest, why not."""

    documents: tuple[Document, ...]
    failures: tuple[DocumentError, ...]


def load(paths: Sequence[Path]) -> Loaded:
    """Reads files and folders (all below them, hidden ones left out), in a stable order.

    A file that cannot be read is a failure in the result and does not keep the others from being read.
    """
    documents: dict[str, Document] = {}
    failures: list[DocumentError] = []
    for path in paths:
        try:
            files = list(_files(path))
        except DocumentError as error:
            failures.append(error)
            continue
        for file, name in files:
            try:
                document = _read(file, name)
                # A link beside the file it leads to is the same source.
                documents.setdefault(document.source, document)
            except DocumentError as error:
                failures.append(error)
    return Loaded(tuple(documents.values()), tuple(failures))


def from_bytes(name: str, data: bytes) -> Document:
    """A document that was uploaded or pasted; nothing is written to disk.

    `name` may be anything: its last component, cleaned, is the document's name, and its source too, so that the
    same name replaces. Raises DocumentError, which calls the document by that name.
    """
    tidy = _tidy_name(name)
    if Path(tidy).suffix.lower() not in READERS:
        raise DocumentError(f"{tidy or 'A file without a name'} {_OF_NO_KIND}")
    return _document(Path(tidy), tidy, f"uploads/{tidy}", {}, data)


def _tidy_name(name: str) -> str:
    """The last component of a name or path, without control characters, cut before its suffix."""
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(letter for letter in last if unicodedata.category(letter) not in ("Cc", "Cs"))
    tidy = Path(" ".join(_DIRECTIONS.sub("", visible).split()).strip(" ."))
    return (
        tidy.stem[: max(1, LONGEST_NAME - len(tidy.suffix))].rstrip()
        + tidy.suffix[: LONGEST_NAME - 1]
    )


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """The readable files at or below a path, each with its name."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise DocumentError(f"{_shown(path)} does not exist. Check the path.") from error
    except (OSError, ValueError) as error:
        raise DocumentError(f"{_shown(path)} cannot be read: {error}. Check the path.") from error
    if not stat.S_ISDIR(mode):
        if path.suffix.lower() not in READERS or not stat.S_ISREG(mode):
            raise DocumentError(f"{_shown(path)} {_OF_NO_KIND}")
        yield path, path.name
        return
    found = False
    for file in sorted(path.rglob("*")):
        below = file.relative_to(path)
        hidden = any(part.startswith((".", "~$")) for part in below.parts)
        outside = not file.resolve().is_relative_to(path.resolve())
        if file.suffix.lower() in READERS and file.is_file() and not hidden and not outside:
            found = True
            yield file, below.as_posix()
    if not found:
        raise DocumentError(
            f"{path} holds no file that can be read. These kinds are: {', '.join(READABLE)}."
        )


def _shown(path: Path) -> str:
    """A path as a message can hold it, whatever bytes it has."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _read(file: Path, name: str) -> Document:
    if _shown(file) != str(file):
        raise DocumentError(f"{_shown(file)} has a name that is not UTF-8. Rename it.")
    return _document(file, name, str(file.resolve()), _sidecar(file))


def _document(
    file: Path, name: str, source: str, meta: dict[str, Any], data: bytes | None = None
) -> Document:
    suffix = file.suffix.lower()
    (found,) = READERS[suffix].load_data(file, data)
    markdown = suffix in MARKDOWN_SUFFIXES
    given = found.metadata.get("title") or ""
    own = given if 0 < len(given) <= LONGEST_GIVEN_TITLE else _own_title(found.text, markdown)
    return Document(
        name=name,
        source=source,
        title=meta.get("title") or own or file.stem,
        text=found.text,
        publisher=meta.get("publisher"),
        markdown=markdown,
        examples=tuple(meta.get("examples", ())),
        pages=tuple(found.metadata.get("pages", ())),
    )


def _sidecar(file: Path) -> dict[str, Any]:
    """What `FILE.meta.json` says of title, publisher and example questions; nothing when there is none."""
    path = file.with_name(file.name + SIDECAR_SUFFIX)
    if not path.is_file():
        return {}
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DocumentError(f"{path} is not valid JSON: {error}. Mend or remove it.") from error
    texts = isinstance(meta, dict) and all(
        isinstance(meta.get(key, ""), str) for key in ("title", "publisher")
    )
    examples = meta.get("examples", []) if texts else None
    if not isinstance(examples, list) or not all(isinstance(example, str) for example in examples):
        raise DocumentError(
            f'{path} must be an object with texts "title" and "publisher" and a list "examples".'
        )
    return dict(meta)


def _own_title(text: str, markdown: bool) -> str | None:
    """The title a text gives itself: a Markdown heading, or a first line too short to be a paragraph."""
    if markdown:
        return next(_markdown_headings(_FRONT_MATTER.sub("", text)), None)
    first = text.strip().split("\n", 1)[0].strip()
    return (
        first if len(first) <= LONGEST_TITLE and not first.endswith((".", ",", ";", ":")) else None
    )


def _markdown_headings(text: str) -> Iterator[str]:
    tokens = MarkdownIt("commonmark").parse(text)
    for token, inline in pairwise(tokens):
        if (
            token.type == "heading_open"
            and token.tag == "h1"
            and inline.content
            and len(inline.content) <= LONGEST_TITLE
        ):
            yield " ".join(inline.content.split())
