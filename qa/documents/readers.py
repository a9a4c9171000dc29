"""Footnote's readers of files for programs that use llama-index.

    SimpleDirectoryReader("folder", file_extractor=READERS)

The other way round, `qa.documents.load.load` takes llama-index readers for further suffixes.
"""

from pathlib import Path
from typing import Any

from llama_index.core.readers.base import BaseReader
from llama_index.core.schema import Document as LlamaDocument

from qa.documents.load import READABLE_SUFFIXES, read_file


class FootnoteFileReader(BaseReader):
    """Reads a file of any type in FILE_TYPES, in a process of its own unless it is text.

    The readers of llama-index parse in the program's process without limits, drop bytes that they
    cannot decode and rewrite Markdown, so their offsets do not fit the file.
    """

    def load_data(
        self, file: Path, extra_info: dict[str, Any] | None = None
    ) -> list[LlamaDocument]:
        """Returns one document, with "title" and "pages" in its metadata. Raises DocumentError."""
        parsed = read_file(Path(file))
        metadata = {**(extra_info or {}), "title": parsed.title, "pages": list(parsed.pages)}
        return [LlamaDocument(text=parsed.text, metadata=metadata)]


READERS: dict[str, BaseReader] = dict.fromkeys(READABLE_SUFFIXES, FootnoteFileReader())
