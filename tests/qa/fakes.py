"""An embedder whose results can be worked out by hand, and the bot that uses it."""

import re
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from qa.bot import Bot
from qa.config import Settings
from qa.crossencoder import Pointing
from qa.embedding import Encoding
from qa.index import Index
from qa.lexical import terms
from qa.reader import Candidate, Reading
from qa.retrieval import Library
from qa.sentences import Sentence
from qa.types import Document, RankedPassage

_TOKEN = re.compile(r"\w+|[^\w\s]")
DIMENSION = 64


class WordEmbedder:
    """A token is a word or a mark; its vector has a 1 in a place that its letters decide. A text is their sum."""

    def __init__(self, name: str = "words") -> None:
        self.name = name
        self.dimension = DIMENSION
        self.limit = 256
        self.encoded: list[str] = []
        """Every text that was ever embedded, in order."""

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        self.encoded += texts
        return [self._encoding(text) for text in texts]

    def count_tokens(self, text: str) -> int:
        return len(_TOKEN.findall(text))

    def knows(self, word: str) -> bool:
        return False

    def _encoding(self, text: str) -> Encoding:
        found = list(_TOKEN.finditer(text))
        tokens = np.zeros((len(found), DIMENSION), dtype=np.float32)
        for row, match in enumerate(found):
            tokens[row, crc32(match.group(0).casefold().encode()) % DIMENSION] = 1
        total = tokens.sum(axis=0)
        vector = total / max(float(np.linalg.norm(total)), 1e-12)
        return Encoding(vector, tokens, tuple(match.span() for match in found))


class WordPointer:
    """Points at every word: 1 for one that the question has too, -1 for the others."""

    def point(self, question: str, texts: Sequence[str]) -> list[Pointing]:
        asked = set(terms(question))
        return [self._pointing(asked, text) for text in texts]

    def _pointing(self, asked: set[str], text: str) -> Pointing:
        found = list(_TOKEN.finditer(text))
        scores = np.array([1.0 if set(terms(match.group(0))) & asked else -1.0 for match in found])
        return Pointing(np.array([match.span() for match in found], dtype=np.int64).reshape(-1, 2), scores, scores)


class OverlapReader:
    """Scores a sentence by how many of the question's terms it has; certain as soon as one has any."""

    def read(self, question: str, encoding: Encoding, ranked: Sequence[RankedPassage], library: Library) -> Reading:
        asked = set(terms(question))
        candidates = [
            Candidate(one, sentence, float(len(asked & set(terms(_words(one, sentence))))))
            for one in ranked
            for sentence in library.inside(one.passage)
            if sentence.answers
        ]
        candidates.sort(key=lambda candidate: -candidate.score)
        confidence = 0.9 if candidates and candidates[0].score else 0.1
        return Reading(tuple(candidates), tuple(ranked), confidence if candidates else 0.0)


def _words(one: RankedPassage, sentence: Sentence) -> str:
    return one.passage.document.text[sentence.span.start : sentence.span.end]


def text_document(text: str, name: str = "a.txt", title: str = "A title", markdown: bool = False) -> Document:
    """A document that no file holds."""
    return Document(name=name, source=f"/somewhere/{name}", title=title, text=text, markdown=markdown)


def word_bot(folder: Path, *documents: Document, threshold: float = 0.0, top_k: int = 8) -> Bot:
    """A bot over these documents that counts words; it refuses nothing unless told to."""
    embedder = WordEmbedder()
    index = Index(folder / "index", embedder)
    for document in documents:
        index.add(document)
    settings = Settings(home=folder, threshold=threshold, top_k=top_k)
    return Bot(index, embedder, OverlapReader(), settings)
