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
from qa.library.frequencies import SentenceFrequencies
from qa.models.embedding import Encoding, Vectors
from qa.models.spans import SpanScores
from qa.reader.kinds import AnswerKind, expected_kind, spans_of_kind
from qa.text.english import STOP_WORDS
from qa.text.words import terms, words
from qa.types import Passage, RankedPassage, Span

Row = NDArray[np.float64]
UNKNOWN = 0.5
"""The value of a feature that does not apply to this question, as `names` if it has none."""
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
        passage_input = _passage_input(
            question,
            ranked.passage,
            view,
            encoding,
            span_scores,
            frequencies,
            rank,
        )
        rows.append([_row(_sentence_input(passage_input, sentence)) for sentence in inside])
    return rows


@dataclass(frozen=True, slots=True)
class _LateInteraction:
    """How well the question's tokens match (Khattab and Zaharia 2020), zero-shot."""

    mean: float
    """Mean, over the question's meaningful tokens, of the best cosine to a token of the text."""
    mean_of_lowest_third: float
    """Mean of the lowest third of these cosines: a part of the question that the text lacks."""


@dataclass(frozen=True, slots=True)
class _PassageInput:
    """What the features of a passage's sentences are computed from, besides the sentence."""

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
        """Returns the indexes of the tokens between two offsets in the view."""
        embedded_start = start + self.shift
        embedded_end = end + self.shift
        indexes = []
        for index, (token_start, token_end) in enumerate(self.encoding.offsets):
            if token_start >= embedded_start and token_end <= embedded_end:
                indexes.append(index)
        return indexes

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

    def specifics_in(self, own_terms: frozenset[str]) -> float:
        """Returns the share of the question's names and numbers that a text has."""
        specifics = self.question.specifics
        if not specifics:
            return UNKNOWN
        return len(specifics & own_terms) / len(specifics)

    def specifics_missing(self) -> float:
        """Returns the share of the question's names and numbers that no document has."""
        specifics = self.question.specifics
        if not specifics:
            return UNKNOWN
        missing = [term for term in specifics if self.frequencies.count(term) == 0]
        return len(missing) / len(specifics)

    def similarity(self) -> float:
        """Returns the cosine of the question and the passage."""
        vector = self.question.encoding.vector
        return float(vector @ self.encoding.vector)


@dataclass(frozen=True, slots=True)
class _SentenceInput:
    """What the features of a sentence are computed from."""

    passage_input: _PassageInput
    text: str
    terms: frozenset[str]
    tokens: list[int]
    late: _LateInteraction
    has_asked_kind: float
    """1: it has a new thing of the kind asked for; 0: it has not; 0.5: any kind will do."""
    kind_nearby: float
    """The best late interaction around such a thing; for any kind, that of the sentence."""
    margin: float
    best_margin: float
    is_structured: bool

    def meaning(self) -> float:
        """Returns the cosine of the question and the mean of the sentence's tokens."""
        if not self.tokens:
            return 0.0
        vector = self.passage_input.question.encoding.vector
        tokens = self.passage_input.encoding.tokens[self.tokens]
        mean = tokens.mean(axis=0)
        norm = max(float(np.linalg.norm(mean)), 1e-12)
        return float(vector @ mean / norm)


_Feature = tuple[str, Callable[[_SentenceInput], float]]
FEATURES: tuple[_Feature, ...] = (
    # Embedder: the sentence, read within its passage, and the passage around it.
    ("meaning", lambda s: s.meaning()),
    ("late_interaction", lambda s: s.late.mean),
    ("late_interaction_low", lambda s: s.late.mean_of_lowest_third),
    ("late_interaction_around", lambda s: s.passage_input.late.mean),
    ("late_interaction_low_around", lambda s: s.passage_input.late.mean_of_lowest_third),
    # Words: the question's terms in the sentence, and in the passage with its title.
    ("coverage", lambda s: s.passage_input.coverage(s.terms)),
    ("coverage_around", lambda s: s.passage_input.coverage(s.passage_input.terms)),
    # The question's names and numbers: in the sentence, in the passage, in no document at all.
    ("names", lambda s: s.passage_input.specifics_in(s.terms)),
    ("names_around", lambda s: s.passage_input.specifics_in(s.passage_input.terms)),
    ("names_missing", lambda s: s.passage_input.specifics_missing()),
    # The kind of thing asked for: a date, a sum, a name, …
    ("has_asked_kind", lambda s: s.has_asked_kind),
    ("kind_nearby", lambda s: s.kind_nearby),
    # A row, an item, or a line that is read with the line that introduces it.
    ("structured", lambda s: float(s.is_structured)),
    # The passage: its cosine to the question as in the index, and the reciprocal of its rank.
    ("passage", lambda s: s.passage_input.similarity()),
    ("rank", lambda s: 1 / s.passage_input.rank),
    ("length", lambda s: math.log(1 + len(s.text.split()))),
    # Cross-encoder, over "not here": best span, whole sentence, whole passage.
    ("span_margin", lambda s: s.best_margin),
    ("sentence_margin", lambda s: s.margin),
    ("passage_margin", lambda s: s.passage_input.margin),
)
"""One row a feature: its name and its function. The order is that of the fitted weights."""
FEATURE_NAMES = tuple(name for name, _ in FEATURES)
CROSS_ENCODER_FEATURES = frozenset({"span_margin", "sentence_margin", "passage_margin"})
_MARGINS = [name in CROSS_ENCODER_FEATURES for name in FEATURE_NAMES]
"""(features,): whether the feature is a margin of the cross-encoder."""


def reading_features(rows: NDArray[np.float64], scores: Row) -> Row:
    """Returns the features of a whole reading, from its (sentences, features).

    They are the margins of the best sentence and the highest of each margin. Whether any sentence
    answers is for the cross-encoder alone to say: other features depend on the kind of document.
    """
    margins = rows[:, _MARGINS]
    best = np.argmax(scores)
    return np.concatenate([margins[best], margins.max(axis=0)])


def _row(sentence_input: _SentenceInput) -> Row:
    return np.array([feature(sentence_input) for _, feature in FEATURES])


def _passage_input(
    question: AnalysedQuestion,
    passage: Passage,
    view: View,
    encoding: Encoding,
    scores: SpanScores,
    frequencies: SentenceFrequencies,
    rank: int,
) -> _PassageInput:
    cosines = question.encoding.tokens @ encoding.tokens.T
    return _PassageInput(
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


def _sentence_input(passage_input: _PassageInput, sentence: Sentence) -> _SentenceInput:
    view = passage_input.view
    # The view may leave a sentence out: then its text is empty.
    view_span = view.to_view(sentence.span) or Span(0, 0)
    text = view.text[view_span.start : view_span.end]
    tokens = passage_input.tokens(view_span.start, view_span.end)
    context = _context(passage_input, sentence, text)
    context_words = passage_input.passage.document.text_of(context) if context else ""
    if context:
        tokens = _context_tokens(passage_input, context) + tokens
    late = _late_interaction(passage_input.question, passage_input.cosines[:, tokens])
    has_asked_kind, kind_nearby = _fit(passage_input, view_span, text, late)

    margin = passage_input.scores.margin(view_span.start, view_span.end)
    best = passage_input.scores.best_span(view_span.start, view_span.end)
    return _SentenceInput(
        passage_input=passage_input,
        text=text,
        terms=frozenset(terms(f"{context_words}\n{text}")),
        tokens=tokens,
        late=late,
        has_asked_kind=has_asked_kind,
        kind_nearby=kind_nearby,
        margin=margin,
        best_margin=best.margin if best else margin,
        is_structured=context is not None or sentence.kind in ("item", "row"),
    )


def _context(passage_input: _PassageInput, sentence: Sentence, text: str) -> Span | None:
    """Returns the line that a sentence is read together with, if any.

    A question or a lead-in belongs to all that it introduces; the heading above to what says
    little by itself.
    """
    if not sentence.context:
        return None
    document = passage_input.passage.document
    nearest = sentence.context[-1]
    words = document.text_of(nearest)
    if introduces(words):
        return nearest
    says_little = sentence.kind in ("item", "row") or len(text.split()) <= FEW_WORDS
    return nearest if says_little and words != document.title else None


def _context_tokens(passage_input: _PassageInput, context: Span) -> list[int]:
    """Returns the indexes of the tokens of a line that a sentence is read with."""
    view_span = passage_input.view.to_view(context)
    if view_span:
        return passage_input.tokens(view_span.start, view_span.end)
    # It stands before the passage.
    return passage_input.tokens(0, len(passage_input.view.context))


def _fit(
    passage_input: _PassageInput, view_span: Span, text: str, late: _LateInteraction
) -> tuple[float, float]:
    """Returns "has_asked_kind" and "kind_nearby" of a sentence with this span in the view."""
    question = passage_input.question
    if question.kind == "any":
        return UNKNOWN, late.mean

    near = []
    for start, end in spans_of_kind(question.text, question.kind, text):
        tokens = passage_input.tokens(view_span.start + start, view_span.start + end)
        cosines = passage_input.cosines[:, tokens]
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
        mean_of_lowest_third=float(best[:third].mean()),
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
