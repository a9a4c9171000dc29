"""Questions and documents that are not in English: what is said, and what the words find."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qa.answer.foreign import BY_WORDS, language_notice, read_by_words
from qa.bot import Bot
from qa.config import Settings
from qa.library.index import Index
from qa.library.snapshot import Snapshot
from qa.models.embedding import Encoding
from qa.reader.reader import Reading
from qa.types import Document, RankedPassage, Turn
from tests.qa.fakes import OverlapReader, WordEmbedder, text_document

GERMAN = replace(
    text_document(
        "Das Museum liegt am Hafen. Der Eintritt kostet fünf Euro. Das Museum öffnet um neun Uhr.",
        title="Museum",
    ),
    language="de",
)
JAPANESE = replace(
    text_document("博物館は港にあります。入場料は八百円です。駐車場はありません。", title="案内"),
    language="ja",
)
ENGLISH = replace(text_document("The ferry leaves at nine.", title="Ferry"), language="en")


class LostReader(OverlapReader):
    """Prefers the worst sentence of its parent, as surely as it is set: the language is foreign."""

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence

    def read(
        self, question: str, encoding: Encoding, ranked: Sequence[RankedPassage], snapshot: Snapshot
    ) -> Reading:
        reading = super().read(question, encoding, ranked, snapshot)
        return replace(reading, candidates=reading.candidates[::-1], confidence=self._confidence)


def bot(folder: Path, *documents: Document, confidence: float = 0.1) -> Bot:
    embedder = WordEmbedder()
    index = Index(folder / "index", embedder)
    for document in documents:
        index.add(document)
    settings = Settings(home=folder, threshold=0.55)
    return Bot(index, embedder, LostReader(confidence), settings)


@pytest.mark.parametrize(
    ("document", "question", "sentence"),
    [
        (GERMAN, "Was kostet der Eintritt?", "Der Eintritt kostet fünf Euro."),
        (GERMAN, "Wann öffnet das Museum?", "Das Museum öffnet um neun Uhr."),
        (JAPANESE, "入場料はいくらですか。", "入場料は八百円です。"),
    ],
)
def test_ask_words_of_the_question_find_the_sentence(
    tmp_path: Path, document: Document, question: str, sentence: str
) -> None:
    answer = bot(tmp_path, document).ask(question)
    assert answer.text == sentence
    assert 0.55 <= answer.confidence < 1
    language, by_words = answer.notices
    assert language.startswith("Your question is in ")
    assert "QA_EMBEDDING" in language
    assert "QA_LLM" in language
    assert by_words == BY_WORDS


def test_ask_words_go_before_a_reader_that_is_sure(tmp_path: Path) -> None:
    lost = bot(tmp_path, JAPANESE, confidence=0.9)
    assert lost.ask("入場料はいくらですか。").text == "入場料は八百円です。"


def test_ask_other_words_are_refused_with_the_notice(tmp_path: Path) -> None:
    answer = bot(tmp_path, GERMAN).ask("Wer hat die Brücke gebaut?")
    assert answer.abstained
    (notice,) = answer.notices
    assert notice.startswith("Your question is in German.")


def test_ask_english_question_names_the_document(tmp_path: Path) -> None:
    answer = bot(tmp_path, GERMAN).ask("Where is the museum?")
    (notice,) = answer.notices
    assert notice.startswith("Museum is in German.")


def test_ask_english_has_no_notice_and_no_word_answer(tmp_path: Path) -> None:
    """The reader knows English: what it refuses stays refused."""
    answer = bot(tmp_path, ENGLISH).ask("When does the ferry leave?")
    assert answer.abstained
    assert answer.notices == ()


def test_ask_language_is_said_once_in_a_conversation(tmp_path: Path) -> None:
    history = [Turn("Was kostet der Eintritt?", "Der Eintritt kostet fünf Euro.", ("a.txt",))]
    german_bot = bot(tmp_path, GERMAN)
    assert german_bot.ask("Wann öffnet das Museum?", history).notices == (BY_WORDS,)
    assert german_bot.ask("Where is the museum?", history).notices == ()


@pytest.mark.parametrize(
    ("options", "helps"),
    [
        ({}, ["QA_EMBEDDING", "QA_LLM"]),
        ({"embedding": "multilingual"}, ["QA_LLM"]),
        ({"llm": "ollama/llama3.2"}, ["QA_EMBEDDING"]),
        ({"llm": "ollama/llama3.2", "embedding": "multilingual"}, []),
        ({"reader": "multilingual", "embedding": "multilingual"}, []),
    ],
)
def test_language_notice_names_what_helps(
    tmp_path: Path, options: dict[str, Any], helps: list[str]
) -> None:
    settings = replace(Settings(home=tmp_path), **options)
    notices = language_notice("It is in German.", settings)
    named = [name for name in ("QA_EMBEDDING", "QA_LLM") for words in notices if name in words]
    assert named == helps


def test_read_by_words_of_an_empty_reading_is_the_reading() -> None:
    empty = Reading((), (), 0.0)
    assert read_by_words("Wann öffnet das Museum?", empty) == empty
