"""The reader: how likely each sentence answers the question, and whether any sentence does.

`Reader.read` is the one function between retrieval and answer. `TrainedReader` weighs the features
of `qa.reader.features` with two linear models, fitted on public questions by `qa.training.fit`.
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
from qa.documents.views import View
from qa.errors import ModelError
from qa.library.snapshot import Snapshot
from qa.models.embedding import Encoding, EncodingCache
from qa.models.spans import SpanModel, SpanScores
from qa.reader.features import (
    FEATURE_NAMES,
    Row,
    analyse,
    reading_features,
    sentence_features,
)
from qa.reader.named_views import score_views
from qa.types import Document, Passage, RankedPassage, Span

WEIGHTS = "weights.json"
Rows = NDArray[np.float64]
"""(sentences, features)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that was read."""

    ranked: RankedPassage
    sentence: Sentence
    score: float
    """Log-odds up to a constant of the question: compare only within one reading."""
    span: Span | None = None
    """The words in the sentence that answer, as offsets in the document."""
    margin: float = 0.0
    """The cross-encoder's log-odds of that span over "not here"."""

    @property
    def document(self) -> Document:
        """The document that the sentence stands in."""
        return self.ranked.passage.document

    @property
    def text(self) -> str:
        """The words of the sentence in the document."""
        return self.document.text_of(self.sentence.span)


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading passages for a question."""

    candidates: tuple[Candidate, ...]
    """Best first; only sentences that an answer may be made of."""
    passages: tuple[RankedPassage, ...]
    """Best first. A score is the probability that the answer, if there is one, is in it."""
    confidence: float
    """Probability, 0 to 1, that the best candidate answers."""


class Reader(Protocol):
    """What stands between retrieval and answer."""

    def read(
        self,
        question: str,
        encoding: Encoding,
        ranked_passages: Sequence[RankedPassage],
        snapshot: Snapshot,
    ) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Weights:
    """Two linear models over standardised features: which sentence answers, and whether any."""

    rank_mean: Row
    rank_scale: Row
    rank: Row
    sure_mean: Row
    sure_scale: Row
    sure: Row
    sure_bias: float

    @classmethod
    def load(cls, reader: str) -> "Weights":
        """Reads the weights in the folder of a cross-encoder, or else the packaged weights.

        Raises ModelError for weights that were fitted for other features.
        """
        fitted = Path(reader) / WEIGHTS
        packaged = files("qa").joinpath("models", PACKAGED_READER, WEIGHTS)
        file = fitted if fitted.is_file() else packaged
        raw = json.loads(file.read_text(encoding="utf-8"))
        if raw.get("features") != list(FEATURE_NAMES):
            raise ModelError(
                f"{file} was fitted for other features than this version has. "
                "Fit it again: python -m qa.training, see docs/model_card.md."
            )
        return cls.from_json(raw)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Weights":
        """Returns the weights that `qa.training.fit` wrote."""
        return cls(
            rank_mean=_row(raw["rank_mean"]),
            rank_scale=_row(raw["rank_scale"]),
            rank=_row(raw["rank"]),
            sure_mean=_row(raw["sure_mean"]),
            sure_scale=_row(raw["sure_scale"]),
            sure=_row(raw["sure"]),
            sure_bias=float(raw["sure_bias"]),
        )

    def scores(self, rows: Rows) -> Row:
        """Returns the score of each sentence."""
        standardised = (rows - self.rank_mean) / self.rank_scale
        return np.asarray(standardised @ self.rank)

    def confidence(self, rows: Rows, scores: Row) -> float:
        """Returns the probability that the best of these sentences answers."""
        features = reading_features(rows, scores)
        standardised = (features - self.sure_mean) / self.sure_scale
        log_odds = standardised @ self.sure + self.sure_bias
        return float(1 / (1 + np.exp(-log_odds)))


class TrainedReader:
    """Reads with an embedder's token vectors, a cross-encoder and fitted weights."""

    def __init__(
        self, encodings: EncodingCache, cross_encoder: SpanModel, weights: Weights
    ) -> None:
        self._encodings = encodings
        self._cross_encoder = cross_encoder
        self._weights = weights

    def read(
        self,
        question: str,
        encoding: Encoding,
        ranked_passages: Sequence[RankedPassage],
        snapshot: Snapshot,
    ) -> Reading:
        """Returns every sentence of the passages that may answer, and the confidence.

        Where no sentence may answer, the reading has no candidate and confidence 0.
        """
        passages = [ranked.passage for ranked in ranked_passages]
        sentences = [_candidates_in(passage, snapshot) for passage in passages]
        if not any(sentences):
            return Reading((), tuple(ranked_passages), 0.0)

        views = [snapshot.view_of(passage) for passage in passages]
        scores = score_views(self._cross_encoder, question, passages, views)
        embedded_texts = [snapshot.embedded_text(passage) for passage in passages]
        rows = sentence_features(
            analyse(question, encoding),
            ranked_passages,
            views,
            self._encodings.encode(embedded_texts),
            scores,
            sentences,
            snapshot.frequencies,
        )

        flat_rows = []
        for passage_rows in rows:
            flat_rows += passage_rows
        matrix = np.stack(flat_rows)
        sentence_scores = self._weights.scores(matrix)
        candidates = _candidates(ranked_passages, views, sentences, scores, sentence_scores)
        return Reading(
            candidates=tuple(candidates),
            passages=_reranked(ranked_passages, candidates),
            confidence=self._weights.confidence(matrix, sentence_scores),
        )


def _candidates_in(passage: Passage, snapshot: Snapshot) -> list[Sentence]:
    return [sentence for sentence in snapshot.sentences_in(passage) if sentence.is_candidate]


def _candidates(
    ranked_passages: Sequence[RankedPassage],
    views: Sequence[View],
    sentences: Sequence[Sequence[Sentence]],
    span_scores: Sequence[SpanScores],
    sentence_scores: Row,
) -> list[Candidate]:
    """Returns a candidate for each sentence, best first."""
    # The scores are in the order of the passages and, within each, of its sentences.
    remaining = iter(sentence_scores.tolist())
    candidates = []
    passages = zip(ranked_passages, views, sentences, span_scores, strict=True)
    for ranked, view, inside, scores in passages:
        for sentence in inside:
            span, margin = _best_span(view, sentence, scores)
            score = next(remaining)
            candidates.append(Candidate(ranked, sentence, score, span, margin))
    candidates.sort(key=lambda candidate: -candidate.score)
    return candidates


def _best_span(
    view: View,
    sentence: Sentence,
    scores: SpanScores,
) -> tuple[Span | None, float]:
    """Returns the words of a sentence that answer best, by the cross-encoder, and their margin."""
    view_span = view.to_view(sentence.span)
    best = scores.best_span(view_span.start, view_span.end) if view_span else None
    if best is None:
        return None, 0.0
    answer = Span(best.start, best.end)
    return view.to_document(answer), best.margin


def _reranked(
    ranked_passages: Sequence[RankedPassage],
    candidates: Sequence[Candidate],
) -> tuple[RankedPassage, ...]:
    """Returns the passages by the probability of their candidates, equal ones in fused order."""
    top = candidates[0].score
    total = sum(math.exp(candidate.score - top) for candidate in candidates)

    reranked = []
    for ranked in ranked_passages:
        scores = [candidate.score for candidate in candidates if candidate.ranked is ranked]
        mass = sum(math.exp(score - top) for score in scores)
        probability = mass / total
        why = replace(ranked.why, reader=max(scores, default=None))
        reranked.append(RankedPassage(ranked.passage, probability, why))
    reranked.sort(key=lambda ranked: -ranked.score)
    return tuple(reranked)


def _row(values: Sequence[float]) -> Row:
    return np.array(values, dtype=np.float64)
