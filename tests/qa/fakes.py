"""An embedder whose results can be worked out by hand, and the bot that uses it."""

import re
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from qa.answer.verify import SupportThresholds, Verifier
from qa.bot import Bot
from qa.chain import ModelEngine
from qa.config import Settings
from qa.documents.sentences import Sentence, segment
from qa.errors import StoppedError
from qa.library.catalog import Entry
from qa.library.index import Index
from qa.library.snapshot import Snapshot
from qa.library.spelling import Vocabulary
from qa.library.stored_document import StoredDocument
from qa.llm.model import Message
from qa.models.embedding import Encoding, EncodingCache
from qa.models.spans import SpanScores
from qa.reader.reader import Candidate, Reading
from qa.text.words import terms
from qa.types import Document, Passage, RankedPassage, Span

_TOKEN = re.compile(r"\w+|[^\w\s]")
DIMENSION = 64


class WordEmbedder:
    """A token is a word or a mark; its vector has a 1 at an index that its letters decide. A text is their sum."""

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

    def score(self, question: str, texts: Sequence[str]) -> list[SpanScores]:
        asked = set(terms(question))
        return [self._pointing(asked, text) for text in texts]

    def _pointing(self, asked: set[str], text: str) -> SpanScores:
        found = list(_TOKEN.finditer(text))
        scores = np.array([1.0 if set(terms(match.group(0))) & asked else -1.0 for match in found])
        return SpanScores(
            np.array([match.span() for match in found], dtype=np.int64).reshape(-1, 2),
            scores,
            scores,
        )


class OverlapReader:
    """Scores a sentence by how many of the question's terms it has; certain as soon as one has any."""

    def read(
        self, question: str, encoding: Encoding, ranked: Sequence[RankedPassage], snapshot: Snapshot
    ) -> Reading:
        asked = set(terms(question))
        candidates = [
            Candidate(one, sentence, float(len(asked & set(terms(_words(one, sentence))))))
            for one in ranked
            for sentence in snapshot.sentences_in(one.passage)
            if sentence.is_candidate
        ]
        candidates.sort(key=lambda candidate: -candidate.score)
        confidence = 0.9 if candidates and candidates[0].score else 0.1
        return Reading(tuple(candidates), tuple(ranked), confidence if candidates else 0.0)


class ScriptedModel:
    """A language model that says what its script says, a piece at a time, and fails when the script runs out.

    `{ID}` in the script stands for the id of the passage that has these words: `{ID:the bridge cost}`.
    """

    name = "scripted/model"

    def __init__(self, *script: str, context: int = 4096, fails: Exception | None = None) -> None:
        self._context = context
        self.prompts: list[list[Message]] = []
        """The messages of every call, in order."""
        self._script = list(script)
        self._fails = fails

    def context_size(self, stop: threading.Event) -> int:
        return self._context

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def stream(
        self, messages: Sequence[Message], most: int, stop: threading.Event
    ) -> Iterator[str]:
        self.prompts.append(list(messages))
        words = _ID_REFERENCE.sub(lambda match: self._id(match[1]), self._script.pop(0))
        for start in range(0, len(words), 7):
            if stop.is_set():
                raise StoppedError("stopped", words[:start])
            yield words[start : start + 7]
        if self._fails:
            raise self._fails

    def _id(self, words: str) -> str:
        blocks: list[tuple[str, str]] = _PASSAGE.findall(self.prompts[-1][-1].content)
        return next(key for key, text in blocks if words in " ".join(text.split()))


_ID_REFERENCE = re.compile(r"\{ID:([^{}]+)\}")
_PASSAGE = re.compile(r'<passage id="(\w+)" title="[^"\n]*">\n(.*?)\n</passage>', re.DOTALL)


class CoverEntailment:
    """Log-odds of 3 where every term and number of the claim is in the evidence and neither denies alone; else -3."""

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [3.0 if self._carries(claim, evidence) else -3.0 for claim, evidence in pairs]

    def _carries(self, claim: str, evidence: str) -> bool:
        return set(terms(claim)) <= set(terms(evidence)) and (" not " in claim) == (
            " not " in evidence
        )


def scripted_bot(folder: Path, model: ScriptedModel, *documents: Document, **options: Any) -> Bot:
    """A bot over these documents that counts words and answers with the scripted model."""
    strict = bool(options.pop("strict", False))
    plain = word_bot(folder, *documents, **options)
    verifier = Verifier(
        EncodingCache(plain._embedder), CoverEntailment(), SupportThresholds(0.2, 0.5)
    )
    return Bot(
        plain.index,
        plain._embedder,
        plain._reader,
        plain._settings,
        ModelEngine(model, verifier, strict),
    )


def _words(one: RankedPassage, sentence: Sentence) -> str:
    return one.passage.document.text[sentence.span.start : sentence.span.end]


def text_document(
    text: str, name: str = "a.txt", title: str = "A title", markdown: bool = False
) -> Document:
    """A document that no file holds."""
    return Document(
        name=name, source=f"/somewhere/{name}", title=title, text=text, markdown=markdown
    )


def with_furniture_lines(document: Document, *lines: str) -> Document:
    """The document with these lines as page furniture, each of which it has once."""
    starts = sorted((document.text.index(line), len(line)) for line in lines)
    spans = tuple(Span(start, start + length) for start, length in starts)
    return replace(document, furniture=spans)


def snapshot_of(passages: Sequence[Passage], documents: Sequence[Document]) -> Snapshot:
    """The snapshot of a library with these passages that is not stored anywhere."""
    stored = []
    for document in documents:
        inside = [passage for passage in passages if passage.document.id == document.id]
        stored.append(StoredDocument(document, tuple(segment(document)), tuple(inside)))
    return Snapshot.of(stored)


def entry_of(document: Document) -> Entry:
    """The document as a library lists it."""
    (entry,) = snapshot_of([], [document]).entries
    return entry


def vocabulary_of(words: Collection[str]) -> Vocabulary:
    """The vocabulary of a library with these words."""

    def of_shape(initial: str, length: int) -> list[str]:
        return [word for word in words if word[0] == initial and len(word) == length]

    return Vocabulary(words.__contains__, of_shape)


def word_bot(folder: Path, *documents: Document, threshold: float = 0.0, top_k: int = 8) -> Bot:
    """A bot over these documents that counts words; it refuses nothing unless told to."""
    embedder = WordEmbedder()
    index = Index(folder / "index", embedder)
    for document in documents:
        index.add(document)
    settings = Settings(home=folder, threshold=threshold, top_k=top_k)
    return Bot(index, embedder, OverlapReader(), settings)
