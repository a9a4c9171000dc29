"""Sentences are read against the question: how likely each answers, and how sure it is that any does.

`Reader.read` is the one function between retrieval and answer. It weighs the rows of `signals`, the cross-encoder's
among them, with two linear models, fitted on public questions by `qa.training.fit`.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.config import PACKAGED_READER
from qa.documents.sentences import Sentence
from qa.library.snapshot import Snapshot
from qa.models.embedding import Encoding, EncodingCache
from qa.models.spans import SpanModel, SpanScores
from qa.reader.features import Row, analyse, sentence_features
from qa.types import Passage, RankedPassage, Span

WEIGHTS = "weights.json"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that was read."""

    passage: RankedPassage
    sentence: Sentence
    score: float
    """Log-odds up to a constant of the question: comparable inside one reading only."""
    span: Span | None = None
    """The words in it that answer, in the document's offsets."""
    margin: float = 0.0
    """The cross-encoder's log-odds for that span over "not here"."""

    @property
    def text(self) -> str:
        """Its words in the document."""
        span = self.sentence.span
        return self.passage.passage.document.text[span.start : span.end]


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading found."""

    candidates: tuple[Candidate, ...]
    """Best first; only sentences that an answer may be made of."""
    passages: tuple[RankedPassage, ...]
    """What was read, best first; a passage's score is the probability that the answer, if there is one, is in it."""
    confidence: float
    """Probability, 0 to 1, that the best candidate answers."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Two linear models over standardised features: which sentence answers, and whether any does."""

    rank_mean: Row
    rank_scale: Row
    rank: Row
    sure_mean: Row
    sure_scale: Row
    sure: Row
    sure_bias: float

    @classmethod
    def load(cls, reader: str) -> "Weights":
        """Those that were fitted for this cross-encoder, where its folder has them; else the packaged ones."""
        own = Path(reader) / WEIGHTS
        found = own if own.is_file() else files("qa").joinpath("models", PACKAGED_READER, WEIGHTS)
        return cls.from_json(json.loads(found.read_text(encoding="utf-8")))

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Weights":
        """The inverse of what `qa.training.fit` writes."""
        arrays = {
            key: np.array(raw[key], dtype=np.float64)
            for key in cls.__dataclass_fields__
            if key in _ARRAYS
        }
        return cls(**arrays, sure_bias=float(raw["sure_bias"]))

    def scores(self, rows: NDArray[np.float64]) -> Row:
        """(sentences, sentence_features) to (sentences,)."""
        return np.asarray(((rows - self.rank_mean) / self.rank_scale) @ self.rank)

    def confidence(self, rows: NDArray[np.float64], scores: Row) -> float:
        """Probability that the best of these sentences answers."""
        features = (reading_features(rows, scores) - self.sure_mean) / self.sure_scale
        return float(1 / (1 + np.exp(-(features @ self.sure + self.sure_bias))))


_ARRAYS = frozenset({"rank_mean", "rank_scale", "rank", "sure_mean", "sure_scale", "sure"})


def reading_features(rows: NDArray[np.float64], scores: Row) -> Row:
    """The features of a whole reading: the best sentence's score, lead and sentence_features, and the best of each signal."""
    order = np.argsort(-scores)
    best = order[0]
    lead = scores[best] - scores[order[1]] if len(order) > 1 else 0.0
    odds = np.exp(scores - scores[best])
    return np.concatenate([[scores[best], lead, 1 / odds.sum()], rows[best], rows.max(axis=0)])


def _answer(
    passage: Passage, sentence: Sentence, pointing: SpanScores
) -> tuple[Span | None, float]:
    """The words of a sentence that the cross-encoder points at, and their margin."""
    begin = passage.span.start
    best = pointing.best_span(sentence.span.start - begin, sentence.span.end - begin)
    return (Span(begin + best[1], begin + best[2]), best[0]) if best else (None, 0.0)


def _reranked(
    ranked: Sequence[RankedPassage], candidates: Sequence[Candidate]
) -> tuple[RankedPassage, ...]:
    """The passages by the probability mass of their candidates; of equal ones the fused order stays."""
    total = sum(math.exp(candidate.score - candidates[0].score) for candidate in candidates)
    rescored = []
    for one in ranked:
        own = [candidate.score for candidate in candidates if candidate.passage is one]
        mass = sum(math.exp(score - candidates[0].score) for score in own) / total
        rescored.append(
            RankedPassage(one.passage, mass, replace(one.why, reader=max(own, default=None)))
        )
    return tuple(sorted(rescored, key=lambda one: -one.score))


class Reader(Protocol):
    """What stands between retrieval and answer."""

    def read(
        self, question: str, encoding: Encoding, ranked: Sequence[RankedPassage], snapshot: Snapshot
    ) -> Reading: ...


class TrainedReader:
    """Reads with an embedder's token vectors, a cross-encoder and the given weights."""

    def __init__(
        self, encodings: EncodingCache, cross_encoder: SpanModel, weights: Weights
    ) -> None:
        self._encodings = encodings
        self._cross_encoder = cross_encoder
        self._weights = weights

    def read(
        self, question: str, encoding: Encoding, ranked: Sequence[RankedPassage], snapshot: Snapshot
    ) -> Reading:
        """Every sentence of the passages that may answer, best first, and the confidence that the best one does.

        No such sentence: an empty reading of confidence 0.
        """
        passages = [one.passage for one in ranked]
        inside = [
            [s for s in snapshot.sentences_in(passage) if s.may_answer] for passage in passages
        ]
        if not any(inside):
            return Reading((), tuple(ranked), 0.0)
        pointings = self._cross_encoder.score(question, [passage.text for passage in passages])
        understood = analyse(question, encoding)
        rows = sentence_features(
            understood,
            ranked,
            self._encodings.encode([passage.embedded_text for passage in passages]),
            pointings,
            inside,
            snapshot.frequencies,
        )
        pairs = [
            (one, sentence, pointing)
            for one, own, pointing in zip(ranked, inside, pointings, strict=True)
            for sentence in own
        ]
        matrix = np.stack([row for own in rows for row in own])
        scores = self._weights.scores(matrix)
        candidates = [
            Candidate(one, sentence, float(score), *_answer(one.passage, sentence, pointing))
            for (one, sentence, pointing), score in zip(pairs, scores, strict=True)
        ]
        candidates.sort(key=lambda candidate: -candidate.score)
        confidence = self._weights.confidence(matrix, scores)
        return Reading(tuple(candidates), _reranked(ranked, candidates), confidence)
