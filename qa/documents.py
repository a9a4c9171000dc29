"""Files become documents: the canonical text, exactly as the file has it, with a name, a title and a source."""

import codecs
import json
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from llama_index.core.readers.base import BaseReader
from llama_index.core.schema import Document as LlamaDocument
from markdown_it import MarkdownIt

from qa.errors import DocumentError
from qa.types import Document

MAX_BYTES = 50_000_000
SIDECAR_SUFFIX = ".meta.json"
MARKDOWN_SUFFIXES = frozenset({".md", ".markdown"})
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
LONGEST_TITLE = 120
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class TextReader(BaseReader):
    """A llama-index reader of text and Markdown that keeps the file's own text; only line ends become `\\n`.

    llama-index's own readers drop undecodable bytes and rewrite Markdown, so their offsets fit no file.
    """

    def load_data(self, file: Path) -> list[LlamaDocument]:
        """One document. Raises DocumentError for a file that is too large, binary, empty or not UTF-8."""
        text = _decode(file).replace("\r\n", "\n").replace("\r", "\n")
        if _CONTROL.search(text):
            raise DocumentError(f"{file} is not text: it holds binary data. Add a text or Markdown file.")
        if not text.strip():
            raise DocumentError(f"{file} is empty: there is nothing to ask it.")
        return [LlamaDocument(text=text)]


READERS: dict[str, BaseReader] = {suffix: TextReader() for suffix in (".txt", ".text", *MARKDOWN_SUFFIXES)}


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
            raise DocumentError(f"{_shown(path)} is of a kind that is not read. These are: {', '.join(READERS)}.")
        yield path, path.name
        return
    found = False
    for file in sorted(path.rglob("*")):
        below = file.relative_to(path)
        hidden = any(part.startswith(".") for part in below.parts)
        outside = not file.resolve().is_relative_to(path.resolve())
        if file.suffix.lower() in READERS and file.is_file() and not hidden and not outside:
            found = True
            yield file, below.as_posix()
    if not found:
        raise DocumentError(f"{path} holds no file that can be read. These kinds are: {', '.join(READERS)}.")


def _shown(path: Path) -> str:
    """A path as a message can hold it, whatever bytes it has."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _read(file: Path, name: str) -> Document:
    if _shown(file) != str(file):
        raise DocumentError(f"{_shown(file)} has a name that is not UTF-8. Rename it.")
    suffix = file.suffix.lower()
    text = READERS[suffix].load_data(file)[0].text
    markdown = suffix in MARKDOWN_SUFFIXES
    meta = _sidecar(file)
    return Document(
        name=name,
        source=str(file.resolve()),
        title=meta.get("title") or _own_title(text, markdown) or file.stem,
        text=text,
        publisher=meta.get("publisher"),
        markdown=markdown,
        examples=tuple(meta.get("examples", ())),
    )


def _decode(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise DocumentError(f"{file} is larger than {MAX_BYTES // 1_000_000} MB. Split it into smaller files.")
        raw = file.read_bytes()
    except OSError as error:
        raise DocumentError(f"{file} cannot be read: {error.strerror}.") from error
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in raw:
            raise DocumentError(f"{file} is not text: it holds binary data. Add a text or Markdown file.") from error
        raise DocumentError(
            f"{file} is not valid UTF-8 (byte {error.start}). Save it as UTF-8, "
            f"for instance: iconv -f WINDOWS-1252 -t UTF-8 '{file}' > utf8{file.suffix}"
        ) from error


def _sidecar(file: Path) -> dict[str, Any]:
    """What `FILE.meta.json` says of title, publisher and example questions; nothing when there is none."""
    path = file.with_name(file.name + SIDECAR_SUFFIX)
    if not path.is_file():
        return {}
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DocumentError(f"{path} is not valid JSON: {error}. Mend or remove it.") from error
    texts = isinstance(meta, dict) and all(isinstance(meta.get(key, ""), str) for key in ("title", "publisher"))
    examples = meta.get("examples", []) if texts else None
    if not isinstance(examples, list) or not all(isinstance(example, str) for example in examples):
        raise DocumentError(f'{path} must be an object with texts "title" and "publisher" and a list "examples".')
    return dict(meta)


def _own_title(text: str, markdown: bool) -> str | None:
    """The title a text gives itself: a Markdown heading, or a first line too short to be a paragraph."""
    if markdown:
        return next(_markdown_headings(_FRONT_MATTER.sub("", text)), None)
    first = text.strip().split("\n", 1)[0].strip()
    return first if len(first) <= LONGEST_TITLE and not first.endswith((".", ",", ";", ":")) else None


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
