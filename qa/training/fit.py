"""Fits the weights that combine the features, on public questions that the cross-encoder was not trained on.

Paragraphs of one article are put together to a document of the length of a news article. A question that its own
paragraph does not answer, or that is asked of another document of its article, is one that the document does not
answer.
"""

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from qa.documents.passages import split
from qa.library.search import Nearest, retrieve
from qa.library.snapshot import Snapshot
from qa.models.embedding import Embedder, Encoding, Vectors
from qa.models.spans import SpanModel
from qa.reader.features import (
    CROSS_ENCODER_FEATURES,
    FEATURE_NAMES,
    Row,
    analyse,
    sentence_features,
)
from qa.reader.reader import Weights, reading_features
from qa.training.sources import Asked, Part
from qa.types import Document, Span

SEED = 20
PARAGRAPHS = 12
"""Paragraphs in a document, about as many as in a news article."""
READ = 8
READING = ("squad2_half", "squad_train_a", "squadshifts_new_wiki", "onestop_news")
"""Sources whose passages make up articles."""
TOGETHER = ("squad_train_a", "squadshifts_new_wiki")
TOGETHER_PARAGRAPHS = 240
MOST_TOGETHER = 250
MOST_DOCUMENTS: dict[Part, int] = {"fit": 12, "report": 5}
"""Taken from a source, by part."""
BINS = 10
"""Of confidence, for its calibration error."""
MOST_QUESTIONS = 24
"""Taken from a document."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Case:
    """A question read over a document: a row of features a sentence, and which sentences answer."""

    source: str
    rows: NDArray[np.float64]
    right: NDArray[np.bool_]
    answered: bool


@dataclass(frozen=True, slots=True)
class Models:
    """What reads."""

    embedder: Embedder
    cross_encoder: SpanModel


def fit(cases: Sequence[Case]) -> dict[str, Any]:
    """The weights, as `Weights.from_json` reads them."""
    found = [case for case in cases if case.right.any()]
    every = np.concatenate([case.rows for case in found])
    mean, scale = every.mean(axis=0), _scale(every)
    rank = _conditional_logit([((case.rows - mean) / scale, case.right) for case in found])
    features = np.stack(
        [reading_features(case.rows, ((case.rows - mean) / scale) @ rank) for case in cases]
    )
    sure_mean, sure_scale = features.mean(axis=0), _scale(features)
    model = LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced")
    model.fit((features - sure_mean) / sure_scale, [case.answered for case in cases])
    return {
        "signals": list(FEATURE_NAMES),
        "rank_mean": _rounded(mean),
        "rank_scale": _rounded(scale),
        "rank": _rounded(rank),
        "sure_mean": _rounded(sure_mean),
        "sure_scale": _rounded(sure_scale),
        "sure": _rounded(model.coef_[0]),
        "sure_bias": round(float(model.intercept_[0]), 6),
    }


def ablations(fitted: Sequence[Case], kept: Sequence[Case], weights: Weights) -> dict[str, Any]:
    """Figures over the kept questions: with all features, without the cross-encoder's, and with those alone."""
    pointed = [name in CROSS_ENCODER_FEATURES for name in FEATURE_NAMES]
    sets = {
        "without the cross-encoder": [not one for one in pointed],
        "cross-encoder alone": pointed,
    }
    found = {"all signals": figures(kept, weights)}
    for name, columns in sets.items():
        chosen = Weights.from_json(fit([_only(case, columns) for case in fitted]))
        found[name] = figures([_only(case, columns) for case in kept], chosen)
    return found


def _only(case: Case, columns: Sequence[bool]) -> Case:
    return replace(case, rows=case.rows[:, list(columns)])


def figures(kept: Sequence[Case], weights: Weights) -> dict[str, Any]:
    """By source, with 95% intervals: the right sentence first (unread is wrong), the AUROC of answered against not."""
    by_source: dict[str, Any] = {}
    for source in dict.fromkeys(case.source for case in kept):
        rows = [case for case in kept if case.source == source]
        first = np.array(
            [case.right[np.argmax(weights.scores(case.rows))] for case in rows if case.answered]
        )
        answered = np.array([case.answered for case in rows])
        sure = np.array([weights.confidence(case.rows, weights.scores(case.rows)) for case in rows])
        by_source[source] = {
            "answerable": int(answered.sum()),
            "unanswerable": int((~answered).sum()),
            "read": float(np.mean([case.right.any() for case in rows if case.answered])),
            "right sentence first": _interval(partial(_mean, first), len(first)),
            "AUROC": None
            if answered.all()
            else _interval(partial(_auroc, answered, sure), len(answered)),
        }
        _log.info("%s: %s", source, by_source[source])
    return by_source


def calibration(kept: Sequence[Case], weights: Weights) -> dict[str, Any]:
    """By source, how far confidence is from the share that is answered: fitted, and of the best margin as it comes.

    Expected calibration error over ten bins (Guo et al. 2017), 0 to 1, with 95% intervals; sources with both classes.
    """
    found: dict[str, Any] = {}
    for source in dict.fromkeys(case.source for case in kept):
        rows = [case for case in kept if case.source == source]
        answered = np.array([case.answered for case in rows])
        if answered.all():
            continue
        fitted = np.array(
            [weights.confidence(case.rows, weights.scores(case.rows)) for case in rows]
        )
        margins = np.array([case.rows[:, FEATURE_NAMES.index("pointed")].max() for case in rows])
        found[source] = {
            name: _interval(partial(_calibration_error, answered, sure), len(rows))
            for name, sure in (("fitted", fitted), ("margin alone", expit(margins)))
        }
    return found


def _calibration_error(
    answered: NDArray[np.bool_], sure: NDArray[np.float64], at: NDArray[np.intp]
) -> float:
    bins = np.minimum((sure[at] * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=answered[at] - sure[at], minlength=BINS)
    return float(np.abs(gaps).sum() / len(at))


def _mean(values: NDArray[np.bool_], at: NDArray[np.intp]) -> float:
    return float(values[at].mean())


def _auroc(answered: NDArray[np.bool_], sure: NDArray[np.float64], at: NDArray[np.intp]) -> float:
    return float(roc_auc_score(answered[at], sure[at]))


def _interval(figure: Callable[[NDArray[np.intp]], float], size: int) -> list[float]:
    """The figure, and the ends of its bootstrap interval over questions (1,000 resamples)."""
    rng = np.random.default_rng(SEED)
    drawn = [figure(rng.integers(0, size, size)) for _ in range(1000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return [round(float(one), 4) for one in (figure(np.arange(size)), low, high)]


def _scale(rows: NDArray[np.float64]) -> Row:
    """The standard deviation of each column; 1 for one that is always the same."""
    spread = np.asarray(rows.std(axis=0))
    return np.where(spread < 1e-4, 1.0, spread)


def _rounded(values: Row) -> list[float]:
    return [round(float(value), 6) for value in values]


def _conditional_logit(
    cases: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]], l2: float = 1e-3
) -> Row:
    """Weights under which the right sentences hold most of the probability among those read (McFadden 1974)."""
    rows = np.concatenate([case for case, _ in cases])
    right = np.concatenate([labels for _, labels in cases]).astype(float)
    sizes = [len(case) for case, _ in cases]
    begins = np.cumsum([0, *sizes[:-1]])

    def loss(weights: Row) -> tuple[float, Row]:
        scores = rows @ weights
        odds = np.exp(scores - np.repeat(np.maximum.reduceat(scores, begins), sizes))
        total, good = np.add.reduceat(odds, begins), np.add.reduceat(odds * right, begins)
        slope = odds / np.repeat(total, sizes) - odds * right / np.repeat(good + 1e-12, sizes)
        value = -(np.log(good + 1e-12) - np.log(total)).mean() + l2 * weights @ weights
        return float(value), rows.T @ slope / len(cases) + 2 * l2 * weights

    return np.asarray(minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x)


def cases(
    found: Mapping[str, Sequence[Asked]],
    part: Part,
    models: Models,
    most: Mapping[Part, int] = MOST_DOCUMENTS,
) -> Iterator[Case]:
    """The questions of one part read over their documents, source by source, in a fixed order.

    `most`: documents taken from a source, by part.
    """
    rng = random.Random(SEED)
    for source in READING:
        pieces = list(_pieces([asked for asked in found[source] if asked.part == part], PARAGRAPHS))
        rng.shuffle(pieces)
        chosen = pieces[: most.get(part)]
        for piece in chosen:
            others = [
                other for other in pieces if other.article == piece.article and other is not piece
            ]
            shelf = _shelf([piece], models)
            for question, gold in _questions(piece, others, rng):
                yield from _case(source, question, [(0, span) for span in gold], shelf, models)
        _log.info("%s, %s: %d documents", source, part, len(chosen))


def together(found: Mapping[str, Sequence[Asked]], part: Part, models: Models) -> Iterator[Case]:
    """Questions over paragraphs of many encyclopedia articles in one library."""
    rows = [asked for name in TOGETHER for asked in found[name] if asked.part == part]
    pieces = list(_pieces(rows, TOGETHER_PARAGRAPHS // len({row.group for row in rows})))
    firsts = list({piece.article: piece for piece in reversed(pieces)}.values())
    shelf = _shelf(firsts, models)
    asked = [
        (row.question, at, spans)
        for at, piece in enumerate(firsts)
        for row, spans in piece.asked
        if spans
    ]
    for question, at, spans in random.Random(SEED).sample(asked, min(MOST_TOGETHER, len(asked))):
        yield from _case(
            "paragraphs together", question, [(at, span) for span in spans], shelf, models
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Consecutive paragraphs of an article, with the questions asked of them in the joined text's offsets."""

    article: str
    text: str
    asked: tuple[tuple[Asked, tuple[Span, ...]], ...]


def _pieces(rows: Sequence[Asked], paragraphs_each: int) -> Iterator[_Piece]:
    articles: dict[str, dict[str, list[Asked]]] = {}
    for row in rows:
        articles.setdefault(row.group, {}).setdefault(row.context.replace("\n", " "), []).append(
            row
        )
    for article, paragraphs in sorted(articles.items()):
        contexts = list(paragraphs)
        for first in range(0, len(contexts), paragraphs_each):
            yield _piece(
                article,
                {
                    context: paragraphs[context]
                    for context in contexts[first : first + paragraphs_each]
                },
            )


def _piece(article: str, paragraphs: Mapping[str, Sequence[Asked]]) -> _Piece:
    asked: list[tuple[Asked, tuple[Span, ...]]] = []
    begin = 0
    for context, rows in paragraphs.items():
        asked += [
            (row, tuple(Span(begin + a.start, begin + a.end) for a in row.answers)) for row in rows
        ]
        begin += len(context) + 1
    return _Piece(article, "\n".join(paragraphs), tuple(asked))


def _questions(
    piece: _Piece, others: Sequence[_Piece], rng: random.Random
) -> list[tuple[str, tuple[Span, ...]]]:
    """Questions of a document, and half as many of others of its article that it does not answer."""
    asked = [(row.question, gold) for row, gold in piece.asked]
    absent: list[tuple[str, tuple[Span, ...]]] = [
        (row.question, ())
        for other in others
        for row, _ in other.asked
        if row.answers
        and not any(_words(row, answer) in piece.text.casefold() for answer in row.answers)
    ]
    rng.shuffle(asked)
    rng.shuffle(absent)
    return [*asked[:MOST_QUESTIONS], *absent[: MOST_QUESTIONS // 2]]


def _words(asked: Asked, answer: Span) -> str:
    return asked.context[answer.start : answer.end].casefold()


@dataclass(frozen=True, slots=True)
class _Shelf:
    """A library with the encodings of its passages."""

    documents: tuple[Document, ...]
    snapshot: Snapshot
    encodings: dict[str, Encoding]


def _shelf(pieces: Sequence[_Piece], models: Models) -> _Shelf:
    documents = tuple(
        Document(
            name=piece.article,
            source=f"{piece.article} {piece.text[:40]}",
            title=piece.article.split(":")[-1].replace("_", " "),
            text=piece.text,
        )
        for piece in pieces
    )
    passages = [
        passage
        for document in documents
        for passage in split(document, models.embedder.count_tokens)
    ]
    encoded = models.embedder.encode([passage.embedded_text for passage in passages])
    encodings = {passage.id: encoding for passage, encoding in zip(passages, encoded, strict=True)}
    return _Shelf(documents, Snapshot.of(passages, documents, ""), encodings)


def _case(
    source: str, question: str, gold: Sequence[tuple[int, Span]], shelf: _Shelf, models: Models
) -> Iterator[Case]:
    """The question read; none where no sentence was. `gold`: places of documents on the shelf, with spans."""
    (encoding,) = models.embedder.encode([question])
    ranked = retrieve(question, encoding.vector, shelf.snapshot, _nearest(shelf.encodings), READ)
    inside = [
        [s for s in shelf.snapshot.sentences_in(one.passage) if s.may_answer] for one in ranked
    ]
    pointings = models.cross_encoder.score(question, [one.passage.text for one in ranked])
    read = [shelf.encodings[one.passage.id] for one in ranked]
    rows = sentence_features(
        analyse(question, encoding), ranked, read, pointings, inside, shelf.snapshot.frequencies
    )
    flat = [row for own in rows for row in own]
    spans = [(shelf.documents[at].id, span) for at, span in gold]
    right = [
        any(one.passage.document.id == key and _answers(sentence.span, span) for key, span in spans)
        for one, own in zip(ranked, inside, strict=True)
        for sentence in own
    ]
    if flat:
        yield Case(source, np.stack(flat), np.array(right), bool(gold))


def _answers(sentence: Span, gold: Span) -> bool:
    """Whether at least half of the gold span, or of the sentence, is shared."""
    return 2 * sentence.overlap(gold) >= max(1, min(len(sentence), len(gold)))


def _nearest(encodings: dict[str, Encoding]) -> Nearest:
    keys = list(encodings)
    matrix = np.stack([encodings[key].vector for key in keys])

    def nearest(vector: Vectors, count: int, _: Any) -> list[tuple[str, float]]:
        cosines = matrix @ vector
        return [(keys[place], float(cosines[place])) for place in np.argsort(-cosines)[:count]]

    return nearest
