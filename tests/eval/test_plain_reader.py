"""The plain stack that the reader is compared with."""

from pathlib import Path

import pytest

from eval.plain_reader import PlainReader
from qa.bot import Bot
from qa.config import Settings
from qa.library.index import Index
from tests.qa.fakes import WordEmbedder, text_document


def _bot(folder: Path, text: str) -> Bot:
    embedder = WordEmbedder()
    index = Index(folder / "index", embedder)
    index.add(text_document(text))
    return Bot(index, embedder, PlainReader(embedder), Settings(home=folder, threshold=0.0))


def test_plain_reader_ranks_by_meaning_and_words(tmp_path: Path) -> None:
    """The confidence is the cosine of the best sentence."""
    text = (
        "The ferry stops in May.\nThe bridge cost 48 million euros.\nThe mayor spoke on Tuesday.\n"
    )
    question, sentence = "The bridge cost what?", "The bridge cost 48 million euros."
    answer = _bot(tmp_path, text).ask(question)
    assert answer.text == sentence
    asked, found = (encoding.vector for encoding in WordEmbedder().encode([question, sentence]))
    assert answer.confidence == pytest.approx(float(asked @ found))


def test_plain_reader_without_candidates_is_unsure(tmp_path: Path) -> None:
    """A document without a sentence that may answer is refused."""
    answer = _bot(tmp_path, "Subscribe to our newsletter\n").ask("What now?")
    assert (answer.confidence, answer.abstained) == (0.0, True)
