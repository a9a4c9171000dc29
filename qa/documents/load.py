"""Loads files as documents: the canonical text with a name, a title and a source."""

import os
import re
import shlex
import stat
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa.documents.dates import document_date
from qa.documents.encoding import CONTROL, marked_encoding, unix_line_ends
from qa.documents.furniture import PAGE_SUFFIXES, with_furniture
from qa.documents.parsing import ParsedFile, Unreadable, clean, one_line, shorten_blanks
from qa.documents.sandbox import parse_in_sandbox
from qa.documents.sidecar import SUFFIX as SIDECAR_SUFFIX
from qa.documents.sidecar import Sidecar, read_sidecar
from qa.errors import DocumentError
from qa.text.language import detect_language
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


_CODE_SUFFIXES = tuple(
    """.py .js .ts .java .c .h .cpp .cs .go .rs .rb .php .swift .kt .sh .sql .r .lua .css
    .yaml .yml .toml .ini .cfg .log .rst .tex""".split()
)
"""Text that programs and settings are written in. It is its own canonical text."""

_MARKDOWN = FileType("Markdown", (".md", ".markdown"), markdown=True)

FILE_TYPES = (
    FileType("Text", (".txt", ".text")),
    _MARKDOWN,
    FileType("Web page", (".html", ".htm"), parser="html", markdown=True),
    FileType("PDF", (".pdf",), parser="pdf", markdown=True),
    FileType("Word", (".docx",), parser="docx", markdown=True),
    FileType("CSV", (".csv", ".tsv"), parser="csv_file", markdown=True),
    FileType("Excel", (".xlsx",), parser="xlsx", markdown=True),
    FileType("PowerPoint", (".pptx",), parser="pptx", markdown=True),
    FileType("OpenDocument", (".odt",), parser="odt", markdown=True),
    FileType("EPUB", (".epub",), parser="epub", markdown=True),
    FileType("Rich text", (".rtf",), parser="rtf", markdown=True),
    FileType("E-mail", (".eml",), parser="eml", markdown=True),
    FileType("Source code", _CODE_SUFFIXES),
    FileType("JSON", (".json", ".jsonl"), parser="json_file", markdown=True),
)
"""To read another type of file, add its row here and, unless it is text, its parser module."""

READERS = 1
"""Raised with each change of what a file becomes: files that have not changed are read again."""
_TYPE_OF = {suffix: row for row in FILE_TYPES for suffix in row.suffixes}
READABLE_SUFFIXES = tuple(_TYPE_OF)
MARKDOWN_SUFFIXES = tuple(suffix for suffix, row in _TYPE_OF.items() if row.markdown)
"""The types whose text is Markdown: those files, and those that become Markdown when read."""
MAX_BYTES = 50_000_000

MAX_FIRST_LINE_TITLE = 120
MAX_BEFORE_HEADING = 50_000
"""Characters of a Markdown text in which its main heading is looked for."""
MAX_METADATA_TITLE = 300
"""Characters. A longer title in a file's metadata is ignored."""
MAX_NAME = 120
_PART_SEPARATOR = "\n\n"
"""Between the documents that a llama-index reader makes of one file."""

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_DIRECTION_MARKS = re.compile("[\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""They turn the direction of writing, so a name can hide its suffix behind them; and line ends."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The documents that could be read, and an error for each file or path that could not."""

    documents: tuple[Document, ...]
    failures: tuple[DocumentError, ...]
    skipped: tuple[Path, ...] = ()
    """The files that were not read because they have not changed."""


@dataclass(frozen=True, slots=True)
class _FoundFile:
    """A file of a type that can be read."""

    path: Path
    name: str
    """What the library calls it."""
    folder: Path
    """The folder that was added, or the one around a file that was added by itself."""


IsUnchanged = Callable[[Path, str], bool]
"""Returns whether a file, given with its name for the library, need not be read."""


def load(
    paths: Sequence[Path],
    file_extractor: Mapping[str, "BaseReader"] | None = None,
    is_unchanged: IsUnchanged | None = None,
) -> LoadResult:
    """Reads files, and all files below folders except hidden ones, in a stable order.

    A file or folder that cannot be read is a failure in the result; the others are read all the
    same.
    `file_extractor`: llama-index readers by suffix (".mobi"), as SimpleDirectoryReader takes them,
    for types that Footnote does not read or to replace its own reader of a type. They run in this
    process, without limits. The documents that a reader makes of a file become one document.
    Lines that the pages of a site repeat are marked (`Document.furniture`).
    `is_unchanged` says which files are skipped. Without it, all are read.
    """
    readers = file_extractor or {}
    suffixes = {*READABLE_SUFFIXES, *readers}
    documents: dict[str, Document] = {}
    failures: list[DocumentError] = []
    files: list[_FoundFile] = []
    for path in paths:
        try:
            files += _find_files(path, suffixes, failures)
        except DocumentError as error:
            failures.append(error)

    skipped = _unchanged(files, is_unchanged) if is_unchanged else {}
    for file in files:
        if file.path in skipped:
            continue
        try:
            document = _load_file(file, readers)
        except DocumentError as error:
            failures.append(error)
            continue
        # A link next to the file that it points to has the same source.
        documents.setdefault(document.source, document)

    marked = with_furniture(tuple(documents.values()))
    return LoadResult(marked, tuple(failures), tuple(skipped))


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
    return _document(file, clean_name, source, parsed, _is_markdown(file))


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


def _find_files(path: Path, suffixes: set[str], failures: list[DocumentError]) -> list[_FoundFile]:
    """Returns the readable files at or below a path; appends what cannot be read to `failures`."""
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
        return [_FoundFile(path, path.name, path.parent)]

    files: list[_FoundFile] = []
    unreadable: list[DocumentError] = []
    for file in _files_below(path, unreadable):
        try:
            # A sidecar says something about a document, and is not a document itself.
            is_sidecar = file.name.endswith(SIDECAR_SUFFIX)
            if is_sidecar or _suffix(file) not in suffixes or not file.is_file():
                continue
            # A link must not bring in files that were not added.
            if file.resolve().is_relative_to(path.resolve()):
                files.append(_FoundFile(file, file.relative_to(path).as_posix(), path))
        except OSError as error:
            unreadable.append(_unreadable(file, error))
    if not files and not unreadable:
        raise DocumentError(
            f"{path} holds no file that can be read. Supported types: {_SUPPORTED}."
        )
    failures += unreadable
    return files


def _unchanged(files: Sequence[_FoundFile], is_unchanged: IsUnchanged) -> dict[Path, None]:
    """Returns the files that need not be read, in their order."""
    skipped: dict[Path, None] = {}
    for file in files:
        name = file.name
        if _suffix(file.path) in PAGE_SUFFIXES:
            # A page that was added by itself has to be compared with the other pages of its folder.
            name = f"{file.folder} {name}"
        if is_unchanged(file.path, name):
            skipped[file.path] = None
    pages = [file.path for file in files if _suffix(file.path) in PAGE_SUFFIXES]
    if all(page in skipped for page in pages):
        return skipped
    # The furniture of a new page shows only beside the other pages of its site.
    return {path: None for path in skipped if path not in pages}


def _files_below(folder: Path, failures: list[DocumentError]) -> list[Path]:
    """Returns all files below a folder, sorted, without those that are hidden.

    A folder below it that cannot be read is a failure. Links to folders are not followed.
    """
    files: list[Path] = []
    folders = [folder]
    while folders:
        current = folders.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    # Word marks an open document with a file whose name begins with "~$".
                    if entry.name.startswith((".", "~$")):
                        continue
                    is_folder = entry.is_dir(follow_symlinks=False)
                    (folders if is_folder else files).append(current / entry.name)
        except OSError as error:
            failures.append(_unreadable(current, error))
    return sorted(files)


def _load_file(found_file: _FoundFile, readers: Mapping[str, "BaseReader"]) -> Document:
    file = found_file.path
    if _printable(file) != str(file):
        raise DocumentError(f"{_printable(file)} has a name that is not UTF-8. Rename it.")

    sidecar = read_sidecar(file, found_file.folder)
    source = str(file.resolve())
    reader = readers.get(_suffix(file))
    if reader is None:
        parsed = read_file(file)
        is_markdown = _is_markdown(file)
    else:
        parsed = _read_with(reader, file)
        # Only the reader knows what its text is written in, so it is read as plain text.
        is_markdown = _TYPE_OF.get(_suffix(file)) == _MARKDOWN
    return _document(file, found_file.name, source, parsed, is_markdown, sidecar)


def _read_with(reader: "BaseReader", file: Path) -> ParsedFile:
    """Joins the documents that a llama-index reader makes of a file, for example one a page."""
    parts = []
    offsets = []
    size = 0
    documents = reader.load_data(file)
    for document in documents:
        part = clean(unix_line_ends(document.get_content()))
        offsets.append(size)
        parts.append(part)
        size += len(part) + len(_PART_SEPARATOR)
    text = _PART_SEPARATOR.join(parts)
    if not text.strip():
        raise _empty(file)

    # The readers of llama-index give the label of a page to what they read from pages.
    has_pages = all("page_label" in document.metadata for document in documents)
    return ParsedFile(text, pages=tuple(offsets) if has_pages else ())


def _document(
    file: Path,
    name: str,
    source: str,
    parsed: ParsedFile,
    markdown: bool,
    sidecar: Sidecar | None = None,
) -> Document:
    sidecar = sidecar or Sidecar()
    # The offsets of pages count in the text, and the parser of PDF leaves no long white space.
    text = parsed.text if parsed.pages else shorten_blanks(parsed.text)
    title = parsed.title or ""
    if not 0 < len(title) <= MAX_METADATA_TITLE:
        title = _title_in_text(text, markdown) or file.stem

    return Document(
        name=name,
        source=source,
        title=sidecar.title or one_line(title) or file.stem,
        text=text,
        publisher=sidecar.publisher,
        markdown=markdown,
        examples=sidecar.examples,
        pages=parsed.pages,
        date=document_date(name, text, sidecar.date),
        language=detect_language(text),
    )


def _is_markdown(file: Path) -> bool:
    return _suffix(file) in MARKDOWN_SUFFIXES


def _suffix(file: Path) -> str:
    return file.suffix.lower()


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
        content = _start_of(file) if data is None else data
    except OSError as error:
        raise _unreadable(file, error) from error
    if len(content) > MAX_BYTES:
        raise _too_large(file)
    return content


def _start_of(file: Path) -> bytes:
    """Reads a file, but not more than one byte too many: it may grow meanwhile."""
    with file.open("rb") as stream:
        # The size first: a file that is too large is not read into memory.
        if os.fstat(stream.fileno()).st_size > MAX_BYTES:
            raise _too_large(file)
        return stream.read(MAX_BYTES + 1)


def _decoded_text(file: Path, content: bytes) -> str:
    """Returns a text file's own text; only its line ends become `\\n`."""
    try:
        text = content.decode(marked_encoding(content))
    except UnicodeDecodeError as error:
        if b"\0" in content:
            raise _binary(file) from error
        convert = f"iconv -f WINDOWS-1252 -t UTF-8 {shlex.quote(str(file))} > utf8{file.suffix}"
        raise DocumentError(
            f"{file} is not valid UTF-8 (byte {error.start}). "
            f"Save it as UTF-8, for example: {convert}"
        ) from error

    if CONTROL.search(text):
        raise _binary(file)
    if not text.strip():
        raise _empty(file)
    return unix_line_ends(text)


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


_SUPPORTED = ", ".join(f"{row.label} ({row.suffixes[0]})" for row in FILE_TYPES)


def _unsupported(name: str) -> DocumentError:
    return DocumentError(
        f"Footnote cannot read files of this type: {name}. Supported types: {_SUPPORTED}."
    )


def _unreadable(path: Path, error: OSError) -> DocumentError:
    return DocumentError(f"{_printable(path)} cannot be read: {error.strerror}.")


def _too_large(file: Path) -> DocumentError:
    limit = f"{MAX_BYTES // 1_000_000} MB"
    return DocumentError(f"{file} is larger than {limit}. Split it into smaller files.")


def _empty(file: Path) -> DocumentError:
    return DocumentError(f"{file} is empty. Add a file with text in it.")


def _binary(file: Path) -> DocumentError:
    return DocumentError(f"{file} is not text: it holds binary data. Add a text or Markdown file.")
