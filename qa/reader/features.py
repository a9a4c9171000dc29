"""Features of a sentence: numbers that say how likely it answers a question.

They come from the embedder's token vectors, from words, and from the cross-encoder's scores.
Nothing is learnt here; `qa.reader.reader` weighs the numbers.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.documents.context import introduces
from qa.documents.sentences import Sentence
from qa.documents.views import View, embedded_text
from qa.library.bm25 import SentenceFrequencies
from qa.models.embedding import Encoding, Vectors
from qa.models.spans import SpanScores
from qa.reader.kinds import AnswerKind, expected_kind, spans_of_kind
from qa.text.english import STOP_WORDS
from qa.text.words import terms, words
from qa.types import Passage, RankedPassage, Span

Row = NDArray[np.float64]
UNKNOWN = 0.5
"""The value of a feature that the question gives no occasion for: neither yes nor no."""
FEW_WORDS = 6
"""A sentence of at most so many words says little without the heading above it."""
_NAME = re.compile(r"(?<![.!?“\"\n] )(?<!^)\b[A-Z][\w’'-]+")


@dataclass(frozen=True, slots=True)
class AnalysedQuestion:
    """A question with what the features need of it."""

    text: str
    encoding: Encoding
    weights: Vectors
    """(tokens,): 1 for a token of a word that carries meaning, else 0; all 1 if no token is."""
    terms: Counter[str]
    specifics: frozenset[str]
    """The terms of its names and numbers."""
    kind: AnswerKind
    """The kind of thing it asks for."""


def analyse(text: str, encoding: Encoding) -> AnalysedQuestion:
    """Returns a question with its terms, names and numbers, and the kind of thing it asks for."""
    meaningful = []
    for start, end in encoding.offsets:
        token_words = words(text[start:end])
        word = _word_around(text, start, end)
        meaningful.append(bool(token_words) and word not in STOP_WORDS)
    if not any(meaningful):
        meaningful = [True] * len(meaningful)

    return AnalysedQuestion(
        text=text,
        encoding=encoding,
        weights=np.array(meaningful, dtype=np.float32),
        terms=Counter(terms(text)),
        specifics=frozenset(_specifics(text)),
        kind=expected_kind(text),
    )


def sentence_features(
    question: AnalysedQuestion,
    ranked_passages: Sequence[RankedPassage],
    views: Sequence[View],
    encodings: Sequence[Encoding],
    scores: Sequence[SpanScores],
    sentences: Sequence[Sequence[Sentence]],
    frequencies: SentenceFrequencies,
) -> list[list[Row]]:
    """Returns, for each passage read, a row of `FEATURES` for each of its sentences.

    `encodings` belong to the passages' embedded texts, `scores` to the texts of their views, and
    `sentences` are those of each passage, in order.
    """
    rows = []
    passages = zip(ranked_passages, views, encodings, scores, sentences, strict=True)
    for rank, (ranked, view, encoding, span_scores, inside) in enumerate(passages, start=1):
        around = _passage(
            question,
            ranked.passage,
            view,
            encoding,
            span_scores,
            frequencies,
            rank,
        )
        rows.append([_row(_sentence(around, sentence)) for sentence in inside])
    return rows


@dataclass(frozen=True, slots=True)
class _LateInteraction:
    """How well the question's tokens match (Khattab and Zaharia 2020), zero-shot."""

    mean: float
    """Mean, over the question's meaningful tokens, of the best cosine to a token of the text."""
    low: float
    """The same over the third with the lowest: a part that nothing in the text answers to."""


@dataclass(frozen=True, slots=True)
class _PassageView:
    """A passage as it is read for a question: what all of its sentences share."""

    question: AnalysedQuestion
    passage: Passage
    view: View
    rank: int
    encoding: Encoding
    scores: SpanScores
    frequencies: SentenceFrequencies
    cosines: Vectors
    """(question tokens, passage tokens)."""
    shift: int
    """The characters of the embedded text before the view."""
    terms: frozenset[str]
    """The terms of the embedded text: of the view, the title and the name."""
    late: _LateInteraction
    margin: float

    def tokens(self, start: int, end: int) -> list[int]:
        """Returns the tokens between two offsets in the view."""
        first = start + self.shift
        last = end + self.shift
        places = []
        for place, (begin, stop) in enumerate(self.encoding.offsets):
            if begin >= first and stop <= last:
                places.append(place)
        return places

    def coverage(self, own_terms: frozenset[str]) -> float:
        """Returns the share of the question's terms that a text has, weighted by rarity."""
        total = 0.0
        shared = 0.0
        for term in self.question.terms:
            idf = self.frequencies.idf(term)
            total += idf
            if term in own_terms:
                shared += idf
        return shared / total if total else 0.0

    def share_of_specifics(self, test: Callable[[str], bool]) -> float:
        """Returns the share of the question's names and numbers that pass a test."""
        specifics = self.question.specifics
        if not specifics:
            return UNKNOWN
        passing = sum(map(test, specifics))
        return passing / len(specifics)

    def similarity(self) -> float:
        """Returns the cosine of the question and the passage."""
        vector = self.question.encoding.vector
        return float(vector @ self.encoding.vector)

    def is_missing(self, term: str) -> bool:
        """Returns whether no document of the library has a term."""
        return self.frequencies.counts[term] == 0


@dataclass(frozen=True, slots=True)
class _SentenceView:
    """A sentence as it is read for a question, within its passage."""

    around: _PassageView
    text: str
    terms: frozenset[str]
    tokens: list[int]
    late: _LateInteraction
    fits: float
    """1: it has a new thing of the kind asked for; 0: it has not; 0.5: any kind will do."""
    fits_near: float
    """The best late interaction around such a thing; for any kind, that of the sentence."""
    margin: float
    best_margin: float
    is_structured: bool

    def meaning(self) -> float:
        """Returns the cosine of the question and the mean of the sentence's tokens."""
        if not self.tokens:
            return 0.0
        vector = self.around.question.encoding.vector
        tokens = self.around.encoding.tokens[self.tokens]
        mean = tokens.mean(axis=0)
        norm = max(float(np.linalg.norm(mean)), 1e-12)
        return float(vector @ mean / norm)


_Feature = tuple[str, Callable[[_SentenceView], float]]
FEATURES: tuple[_Feature, ...] = (
    # Embedder: the sentence, read within its passage, and the passage around it.
    ("meaning", lambda s: s.meaning()),
    ("late_interaction", lambda s: s.late.mean),
    ("late_interaction_low", lambda s: s.late.low),
    ("late_interaction_around", lambda s: s.around.late.mean),
    ("late_interaction_low_around", lambda s: s.around.late.low),
    # Words: the question's terms in the sentence, and in the passage with its title.
    ("coverage", lambda s: s.around.coverage(s.terms)),
    ("coverage_around", lambda s: s.around.coverage(s.around.terms)),
    # The question's names and numbers: in the sentence, in the passage, in no document at all.
    ("names", lambda s: s.around.share_of_specifics(s.terms.__contains__)),
    ("names_around", lambda s: s.around.share_of_specifics(s.around.terms.__contains__)),
    ("names_missing", lambda s: s.around.share_of_specifics(s.around.is_missing)),
    # The kind of thing asked for: a date, a sum, a name, …
    ("fits", lambda s: s.fits),
    ("fits_near", lambda s: s.fits_near),
    # A row, an item, or a line that is read with the line that introduces it.
    ("structured", lambda s: float(s.is_structured)),
    # The passage: its cosine to the question as in the index, and the reciprocal of its rank.
    ("passage", lambda s: s.around.similarity()),
    ("rank", lambda s: 1 / s.around.rank),
    ("length", lambda s: math.log(1 + len(s.text.split()))),
    # Cross-encoder, over "not here": best span, whole sentence, whole passage.
    ("span", lambda s: s.best_margin),
    ("pointed", lambda s: s.margin),
    ("pointed_around", lambda s: s.around.margin),
)
"""One row a feature: its name and its function. The order is that of the fitted weights."""
FEATURE_NAMES = tuple(name for name, _ in FEATURES)
CROSS_ENCODER_FEATURES = frozenset({"span", "pointed", "pointed_around"})


def _row(view: _SentenceView) -> Row:
    return np.array([feature(view) for _, feature in FEATURES])


def _passage(
    question: AnalysedQuestion,
    passage: Passage,
    view: View,
    encoding: Encoding,
    scores: SpanScores,
    frequencies: SentenceFrequencies,
    rank: int,
) -> _PassageView:
    cosines = question.encoding.tokens @ encoding.tokens.T
    return _PassageView(
        question=question,
        passage=passage,
        view=view,
        rank=rank,
        encoding=encoding,
        scores=scores,
        frequencies=frequencies,
        cosines=cosines,
        shift=len(embedded_text(passage, view)) - len(view.text),
        terms=frozenset(terms(embedded_text(passage, view))),
        late=_late_interaction(question, cosines),
        margin=scores.margin(),
    )


def _sentence(around: _PassageView, sentence: Sentence) -> _SentenceView:
    view = around.view
    place = view.to_view(sentence.span) or Span(0, 0)
    text = view.text[place.start : place.end]
    tokens = around.tokens(place.start, place.end)
    context = _context(around, sentence, text)
    context_words = around.passage.document.text_of(context) if context else ""
    if context:
        tokens = _context_tokens(around, context) + tokens
    late = _late_interaction(around.question, around.cosines[:, tokens])
    fits, fits_near = _fit(around, place, text, late)

    margin = around.scores.margin(place.start, place.end)
    best = around.scores.best_span(place.start, place.end)
    return _SentenceView(
        around=around,
        text=text,
        terms=frozenset(terms(f"{context_words}\n{text}")),
        tokens=tokens,
        late=late,
        fits=fits,
        fits_near=fits_near,
        margin=margin,
        best_margin=best[0] if best else margin,
        is_structured=context is not None or sentence.kind in ("item", "row"),
    )


def _context(around: _PassageView, sentence: Sentence, text: str) -> Span | None:
    """Returns the line that a sentence is read together with, if any.

    A question or a lead-in belongs to all that it introduces; the heading above to what says
    little by itself.
    """
    if not sentence.context:
        return None
    document = around.passage.document
    nearest = sentence.context[-1]
    words = document.text_of(nearest)
    if introduces(words):
        return nearest
    says_little = sentence.kind in ("item", "row") or len(text.split()) <= FEW_WORDS
    return nearest if says_little and words != document.title else None


def _context_tokens(around: _PassageView, context: Span) -> list[int]:
    """Returns the tokens of a line that a sentence is read with, wherever the view has it."""
    place = around.view.to_view(context)
    if place:
        return around.tokens(place.start, place.end)
    # It stands before the passage.
    return around.tokens(0, len(around.view.context))


def _fit(
    around: _PassageView, place: Span, text: str, late: _LateInteraction
) -> tuple[float, float]:
    """Returns the features "fits" and "fits_near" of a sentence at a place in the view."""
    question = around.question
    if question.kind == "any":
        return UNKNOWN, late.mean

    near = []
    for low, high in spans_of_kind(question.text, question.kind, text):
        tokens = around.tokens(place.start + low, place.start + high)
        cosines = around.cosines[:, tokens]
        near.append(_late_interaction(question, cosines).mean)
    if not near:
        return 0.0, 0.0
    return 1.0, max(near)


def _late_interaction(question: AnalysedQuestion, cosines: Vectors) -> _LateInteraction:
    """Returns the late interaction over cosines of shape (question tokens, tokens of a text)."""
    if not cosines.size:
        return _LateInteraction(0.0, 0.0)
    meaningful = question.weights > 0
    best = cosines.max(axis=1)[meaningful]
    best.sort()
    third = math.ceil(len(best) / 3)
    return _LateInteraction(
        mean=float(best.mean()),
        low=float(best[:third].mean()),
    )


def _word_around(text: str, start: int, end: int) -> str:
    """Returns the whole word that a token is part of, case-folded."""
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[start:end].casefold()


def _specifics(text: str) -> list[str]:
    """Returns the terms of the words with a capital inside the text, or with a digit."""
    specific = [match.group(0) for match in _NAME.finditer(text)]
    for word in text.split():
        if any(letter.isdigit() for letter in word):
            specific.append(word)

    specific_terms = []
    for word in specific:
        specific_terms += terms(word)
    return specific_terms
