"""llama-index reads files with our readers, and Footnote reads files with readers of llama-index."""

from pathlib import Path
from typing import Any

from llama_index.core import SimpleDirectoryReader
from llama_index.core.readers.base import BaseReader
from llama_index.core.schema import Document as LlamaDocument

from qa.documents.load import load
from qa.documents.readers import READERS
from tests.qa.files import lines, pdf


class LinePerDocument(BaseReader):
    def load_data(self, file: Path, *args: Any, **options: Any) -> list[LlamaDocument]:
        return [LlamaDocument(text=line) for line in file.read_text().splitlines()]


def test_readers_in_llama_index_read_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Rules\n\nRead *this*.\n")
    (tmp_path / "b.pdf").write_bytes(pdf([lines("One page."), lines("Another page.")]))
    text, paper = SimpleDirectoryReader(tmp_path, file_extractor=READERS).load_data()
    assert text.get_content() == "# Rules\n\nRead *this*.\n"
    assert paper.get_content() == "One page.\n\nAnother page."
    assert paper.metadata["pages"] == [0, 11]


def test_load_llama_index_reader_for_a_suffix(tmp_path: Path) -> None:
    """The documents that the reader makes of a file are one document, separated by blank lines."""
    (tmp_path / "a.log").write_text("First line\nSecond line\n")
    (tmp_path / "empty.log").write_text("")
    (tmp_path / "b.txt").write_text("Text.")
    result = load([tmp_path], file_extractor={".log": LinePerDocument()})
    assert [document.name for document in result.documents] == ["a.log", "b.txt"]
    assert result.documents[0].text == "First line\n\nSecond line"
    assert "empty.log is empty" in str(result.failures[0])
