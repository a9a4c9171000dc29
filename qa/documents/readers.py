"""llama-index readers, one for each kind of file: bytes to canonical text, or one clear reason why not."""

import codecs
import re
import shlex
from pathlib import Path

from llama_index.core.readers.base import BaseReader
from llama_index.core.schema import Document as LlamaDocument

from qa.documents.extracted import Unreadable
from qa.documents.filetypes import EXTRACTED, MAX_BYTES, TEXT_SUFFIXES
from qa.documents.sandbox import extract
from qa.errors import DocumentError

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class TextReader(BaseReader):
    """Reads text and Markdown and keeps the file's own text; only line ends become `\\n`.

    llama-index's own readers drop undecodable bytes and rewrite Markdown, so their offsets fit no file.
    """

    def load_data(self, file: Path, data: bytes | None = None) -> list[LlamaDocument]:
        """One document. Raises DocumentError for a file that is too large, binary, empty or not UTF-8.

        `data`: the content of a file that is not on disk, `file` then only names it.
        """
        text = _decoded(file, _content(file, data)).replace("\r\n", "\n").replace("\r", "\n")
        if _CONTROL.search(text):
            raise DocumentError(
                f"{file} is not text: it holds binary data. Add a text or Markdown file."
            )
        if not text.strip():
            raise _empty(file)
        return [LlamaDocument(text=text)]


class ExtractingReader(BaseReader):
    """Reads HTML, PDF and DOCX, in a process of its own; `metadata` has their "title" and "pages".

    llama-index's own readers read in the server's process, without limits, and give a PDF as many documents.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def load_data(self, file: Path, data: bytes | None = None) -> list[LlamaDocument]:
        """One document. Raises DocumentError for a file that is too large, empty, damaged, encrypted or hostile."""
        content = _content(file, data)
        if not content.strip():
            raise _empty(file)
        try:
            found = extract(self._kind, content)
        except Unreadable as reason:
            raise DocumentError(f"{file} {reason}") from reason
        return [
            LlamaDocument(text=found.text, metadata={"title": found.title, "pages": found.pages})
        ]


READERS: dict[str, TextReader | ExtractingReader] = {
    **{suffix: TextReader() for suffix in TEXT_SUFFIXES},
    **{suffix: ExtractingReader(kind) for suffix, kind in EXTRACTED.items()},
}


def _content(file: Path, data: bytes | None) -> bytes:
    try:
        if (file.stat().st_size if data is None else len(data)) > MAX_BYTES:
            raise DocumentError(
                f"{file} is larger than {MAX_BYTES // 1_000_000} MB. Split it into smaller files."
            )
        return file.read_bytes() if data is None else data
    except OSError as error:
        raise DocumentError(f"{file} cannot be read: {error.strerror}.") from error


def _empty(file: Path) -> DocumentError:
    return DocumentError(f"{file} is empty: there is nothing to ask it.")


def _decoded(file: Path, raw: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in raw:
            raise DocumentError(
                f"{file} is not text: it holds binary data. Add a text or Markdown file."
            ) from error
        raise DocumentError(
            f"{file} is not valid UTF-8 (byte {error.start}). Save it as UTF-8, "
            f"for instance: iconv -f WINDOWS-1252 -t UTF-8 {shlex.quote(str(file))} > utf8{file.suffix}"
        ) from error
