"""Loads files as documents: the canonical text with a name, a title and a source."""

import codecs
import json
import re
import shlex
import stat
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.documents.parsing import ParsedFile, Unreadable, clean, one_line
from qa.documents.sandbox import parse_in_sandbox
from qa.errors import DocumentError
from qa.types import Document

if TYPE_CHECKING:
    from llama_index.core.readers.base import BaseReader


@dataclass(frozen=True, slots=True)
class FileType:
    """The name and the suffixes of a type of file, and how such a file is read."""

    label: str
    """What a person calls it."""
    suffixes: tuple[str, ...]
    parser: str | None = None
    """The module of `qa.documents` whose `parse` reads it in the sandbox; None: it is text."""
    markdown: bool = False


FILE_TYPES = (
    FileType("Text", (".txt", ".text")),
    FileType("Markdown", (".md", ".markdown"), markdown=True),
    FileType("Web page", (".html", ".htm"), parser="html"),
    FileType("PDF", (".pdf",), parser="pdf"),
    FileType("Word", (".docx",), parser="docx"),
)
"""To read another type of file, add its row here and, unless it is text, its parser module."""

_TYPE_OF = {suffix: row for row in FILE_TYPES for suffix in row.suffixes}
READABLE_SUFFIXES = tuple(_TYPE_OF)
MARKDOWN_SUFFIXES = tuple(suffix for suffix, row in _TYPE_OF.items() if row.markdown)
MAX_BYTES = 50_000_000

SIDECAR_SUFFIX = ".meta.json"
MAX_SIDECAR_BYTES = 1_000_000
MAX_FIRST_LINE_TITLE = 120
MAX_BEFORE_HEADING = 50_000
"""Characters of a Markdown text in which its main heading is looked for."""
MAX_METADATA_TITLE = 300
"""Characters. A longer title in a file's metadata is ignored."""
MAX_NAME = 120

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_DIRECTION_MARKS = re.compile("[\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""They turn the direction of writing, so a name can hide its suffix behind them; and line ends."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The documents that could be read, and an error for each file or path that could not."""

    documents: tuple[Document, ...]
    failures: tuple[DocumentError, ...]


def load(paths: Sequence[Path], readers: Mapping[str, "BaseReader"] | None = None) -> LoadResult:
    """Reads files, and all files below folders except hidden ones, in a stable order.

    A file that cannot be read is a failure in the result; the others are read all the same.
    `readers`: llama-index readers by suffix (".epub"), for types that Footnote does not read or to
    replace its own reader of a type. They run in this process, without limits.
    """
    readers = readers or {}
    suffixes = {*READABLE_SUFFIXES, *readers}
    documents: dict[str, Document] = {}
    failures: list[DocumentError] = []

    for path in paths:
        try:
            files = _find_files(path, suffixes)
        except DocumentError as error:
            failures.append(error)
            continue

        for file, name in files:
            try:
                document = _load_file(file, name, readers)
            except DocumentError as error:
                failures.append(error)
                continue
            # A link next to the file that it points to has the same source.
            documents.setdefault(document.source, document)

    return LoadResult(tuple(documents.values()), tuple(failures))


def from_bytes(name: str, data: bytes) -> Document:
    """Returns a document that was uploaded or pasted; nothing is written to disk.

    `name` may be any text: its last component, cleaned, is the document's name and makes up its
    source, so that a second upload of the name replaces the first. Raises DocumentError.
    """
    clean_name = _clean_name(name)
    file = Path(clean_name)
    if _suffix(file) not in _TYPE_OF:
        raise _unsupported(clean_name or "A file without a name")

    parsed = read_file(file, data)
    source = f"uploads/{clean_name}"
    return _document(file, clean_name, source, parsed)


def read_file(file: Path, data: bytes | None = None) -> ParsedFile:
    """Returns the text of a file of a type in FILE_TYPES.

    `data`: the content of a file that is not on disk, which `file` then only names. Raises
    DocumentError for a file that is too large, empty, damaged, encrypted, hostile or not UTF-8.
    """
    content = _content(file, data)
    parser = _TYPE_OF[_suffix(file)].parser
    if parser is None:
        text = _decoded_text(file, content)
        return ParsedFile(text)

    if not content.strip():
        raise _empty(file)
    try:
        return parse_in_sandbox(parser, content)
    except Unreadable as reason:
        raise DocumentError(f"{file} {reason}") from reason


def _find_files(path: Path, suffixes: set[str]) -> list[tuple[Path, str]]:
    """Returns the readable files at or below a path, each with its name for the library."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise DocumentError(f"{_printable(path)} does not exist. Check the path.") from error
    except (OSError, ValueError) as error:
        reason = f"{_printable(path)} cannot be read: {error}. Check the path."
        raise DocumentError(reason) from error

    if not stat.S_ISDIR(mode):
        # A pipe or a device has no end that could be read to.
        is_readable = _suffix(path) in suffixes and stat.S_ISREG(mode)
        if not is_readable:
            raise _unsupported(_printable(path))
        return [(path, path.name)]

    folder = path.resolve()
    files: list[tuple[Path, str]] = []
    for file in sorted(path.rglob("*")):
        if _suffix(file) not in suffixes or not file.is_file():
            continue
        below = file.relative_to(path)
        # A link must not bring in files that were not added.
        is_inside = file.resolve().is_relative_to(folder)
        if is_inside and not _is_hidden(below):
            files.append((file, below.as_posix()))
    if not files:
        raise DocumentError(
            f"{path} holds no file that can be read. Supported types: {_SUPPORTED}."
        )
    return files


def _is_hidden(below: Path) -> bool:
    """Returns whether a file, or a folder around it, is hidden."""
    # Word marks an open document with a file whose name begins with "~$".
    return any(part.startswith((".", "~$")) for part in below.parts)


def _load_file(file: Path, name: str, readers: Mapping[str, "BaseReader"]) -> Document:
    if _printable(file) != str(file):
        raise DocumentError(f"{_printable(file)} has a name that is not UTF-8. Rename it.")

    sidecar = _sidecar(file)
    source = str(file.resolve())
    reader = readers.get(_suffix(file))
    parsed = read_file(file) if reader is None else _read_with(reader, file)
    return _document(file, name, source, parsed, sidecar)


def _read_with(reader: "BaseReader", file: Path) -> ParsedFile:
    """Joins the documents that a llama-index reader makes of a file, for example one a page."""
    documents = reader.load_data(file)
    texts = [document.get_content() for document in documents]
    text = clean(_unix_line_ends("\n\n".join(texts)))
    if not text.strip():
        raise _empty(file)
    return ParsedFile(text)


def _document(
    file: Path, name: str, source: str, parsed: ParsedFile, sidecar: dict[str, Any] | None = None
) -> Document:
    sidecar = sidecar or {}
    markdown = _suffix(file) in MARKDOWN_SUFFIXES
    title = parsed.title or ""
    if not 0 < len(title) <= MAX_METADATA_TITLE:
        title = _title_in_text(parsed.text, markdown) or file.stem

    examples = sidecar.get("examples", ())
    return Document(
        name=name,
        source=source,
        title=sidecar.get("title") or one_line(title) or file.stem,
        text=parsed.text,
        publisher=sidecar.get("publisher"),
        markdown=markdown,
        examples=tuple(examples),
        pages=parsed.pages,
    )


def _suffix(file: Path) -> str:
    return file.suffix.lower()


def _sidecar(file: Path) -> dict[str, Any]:
    """Returns title, publisher and examples from `FILE.meta.json`, or nothing without it."""
    path = file.with_name(file.name + SIDECAR_SUFFIX)
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > MAX_SIDECAR_BYTES:
            raise DocumentError(f"{path} is larger than 1 MB. Shorten or remove it.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DocumentError(
            f"{path} cannot be read: {error.strerror}. Make it readable or remove it."
        ) from error
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{path} is not valid JSON: {error}. Fix or remove it.") from error
    if not _is_sidecar(content):
        raise DocumentError(
            f'{path} must contain a JSON object with texts "title" and "publisher" '
            'and a list of texts "examples".'
        )

    # JSON can escape half a character, which no index and no model accepts.
    examples = [one_line(example) for example in content.get("examples", [])]
    return {
        "title": one_line(content.get("title", "")),
        "publisher": one_line(content.get("publisher", "")) or None,
        "examples": examples,
    }


def _is_sidecar(content: Any) -> bool:
    if not isinstance(content, dict):
        return False
    examples = content.get("examples", [])
    if not isinstance(examples, list):
        return False

    title = content.get("title", "")
    publisher = content.get("publisher", "")
    texts = [title, publisher, *examples]
    return all(isinstance(text, str) for text in texts)


def _title_in_text(text: str, markdown: bool) -> str | None:
    """Returns a Markdown text's first main heading, or a first line that is not a sentence."""
    if markdown:
        body = _FRONT_MATTER.sub("", text)
        return _main_heading(body)

    lines = text.strip().split("\n", 1)
    first_line = lines[0].strip()
    if len(first_line) > MAX_FIRST_LINE_TITLE:
        return None
    # A line with one of these at its end belongs to a paragraph.
    if first_line.endswith((".", ",", ";", ":")):
        return None
    return first_line


def _main_heading(text: str) -> str | None:
    """Returns the first main heading in the beginning of a Markdown text."""
    # Imported here because commands that load no file would wait for it too.
    from qa.documents.markdown_blocks import main_headings

    for heading in main_headings(text[:MAX_BEFORE_HEADING]):
        if 0 < len(heading) <= MAX_FIRST_LINE_TITLE:
            return " ".join(heading.split())
    return None


def _content(file: Path, data: bytes | None) -> bytes:
    try:
        # The size first: a file that is too large is not read into memory.
        size = file.stat().st_size if data is None else len(data)
        if size > MAX_BYTES:
            limit = f"{MAX_BYTES // 1_000_000} MB"
            raise DocumentError(f"{file} is larger than {limit}. Split it into smaller files.")
        return file.read_bytes() if data is None else data
    except OSError as error:
        raise DocumentError(f"{file} cannot be read: {error.strerror}.") from error


def _decoded_text(file: Path, content: bytes) -> str:
    """Returns a text file's own text; only its line ends become `\\n`."""
    encoding = "utf-8"
    for mark, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            encoding = name
            break

    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in content:
            raise _binary(file) from error
        convert = f"iconv -f WINDOWS-1252 -t UTF-8 {shlex.quote(str(file))} > utf8{file.suffix}"
        raise DocumentError(
            f"{file} is not valid UTF-8 (byte {error.start}). "
            f"Save it as UTF-8, for example: {convert}"
        ) from error

    if _CONTROL.search(text):
        raise _binary(file)
    if not text.strip():
        raise _empty(file)
    return _unix_line_ends(text)


def _unix_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _clean_name(name: str) -> str:
    """Returns the last component of a name or path without control characters, cut to MAX_NAME."""
    # A browser can send a path, of Windows too.
    last = re.split(r"[/\\]", name)[-1]
    last = _DIRECTION_MARKS.sub("", last)
    letters = []
    for letter in last:
        # No control characters and no halves of characters.
        if unicodedata.category(letter) not in ("Cc", "Cs"):
            letters.append(letter)

    words = "".join(letters).split()
    visible_name = " ".join(words).strip(" .")
    path = Path(visible_name)
    # The suffix stays when a name is cut: it says how the file is read.
    suffix = path.suffix
    room = max(1, MAX_NAME - len(suffix))
    stem = path.stem[:room].rstrip()
    return stem + suffix[: MAX_NAME - 1]


def _printable(path: Path) -> str:
    """Returns a path as a message can hold it, even if its bytes are not valid UTF-8."""
    encoded = str(path).encode("utf-8", "backslashreplace")
    return encoded.decode("utf-8")


_SUPPORTED = ", ".join(READABLE_SUFFIXES)


def _unsupported(name: str) -> DocumentError:
    return DocumentError(
        f"Footnote cannot read files of this type: {name}. Supported types: {_SUPPORTED}."
    )


def _empty(file: Path) -> DocumentError:
    return DocumentError(f"{file} is empty. Add a file with text in it.")


def _binary(file: Path) -> DocumentError:
    return DocumentError(f"{file} is not text: it holds binary data. Add a text or Markdown file.")
