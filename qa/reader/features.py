"""What speaks for a sentence being the answer to a question: a row of numbers for each sentence read.

They come from the embedder's token vectors (one pass over the question, one over each passage), from words, and
from the cross-encoder's pointing. Nothing is learnt here; `reader` weighs the numbers.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.documents.sentences import Sentence
from qa.library.index import embedded_text
from qa.models.embedding import Encoding, Vectors
from qa.models.spans import Pointing
from qa.reader.kinds import Expected, expected, fitting
from qa.text.words import STOPWORDS, Rarity, terms, words
from qa.types import RankedPassage

Row = NDArray[np.float64]

NAMES = (
    "meaning",  # cosine of the question and the mean of the sentence's tokens, read within its passage
    "late_interaction",  # mean over the question's tokens of the best cosine to a token of the sentence
    "late_interaction_low",  # the same, mean over the question's worst third: a part that nothing answers to
    "late_interaction_around",  # the first, over the whole passage
    "late_interaction_low_around",  # the second, over the whole passage
    "coverage",  # share, by rarity, of the question's terms that the sentence has
    "coverage_around",  # the same, of the passage and its title
    "names",  # share of the question's names and numbers that the sentence has
    "names_around",  # the same, of the passage and its title
    "names_missing",  # share of the question's names and numbers that no document has
    "fits",  # 1: the sentence has something new of the kind asked for; 0: it does not; 0.5: no kind is asked for
    "fits_near",  # late interaction with the words around the best such thing; without a kind, with the sentence
    "passage",  # cosine of the question and the passage, as the index has it
    "rank",  # reciprocal of the passage's fused rank
    "length",  # logarithm of the sentence's number of words
    "span",  # the cross-encoder's margin over "not here" of the best span in the sentence
    "pointed",  # the same, of all that is in the sentence
    "pointed_around",  # the same, of all that is in the passage
)
POINTED = frozenset({"span", "pointed", "pointed_around"})
"""Those that the cross-encoder gives."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the signals need it."""

    text: str
    encoding: Encoding
    weights: Vectors
    """(tokens,): 1 for a token of a word that carries meaning, 0 for the others; all 1 when none does."""
    terms: Counter[str]
    specifics: frozenset[str]
    """Terms of its names and numbers."""
    expected: Expected


_NAME = re.compile(r"(?<![.!?“\"\n] )(?<!^)\b[A-Z][\w’'-]+")


def understand(text: str, encoding: Encoding) -> Question:
    """A question with its terms, its names and numbers, and the kind of thing it asks for."""
    carrying = [
        words(text[start:end]) != [] and _carries(text, start, end)
        for start, end in encoding.offsets
    ]
    weights = np.array(carrying if any(carrying) else [True] * len(carrying), dtype=np.float32)
    return Question(
        text, encoding, weights, Counter(terms(text)), frozenset(_specifics(text)), expected(text)
    )


def signals(
    question: Question,
    ranked: Sequence[RankedPassage],
    encodings: Sequence[Encoding],
    pointings: Sequence[Pointing],
    inside: Sequence[Sequence[Sentence]],
    rarity: Rarity,
) -> list[list[Row]]:
    """For each passage read, a row of `NAMES` for each of its sentences.

    `encodings` are those of the passages' embedded texts, `pointings` those of the passages' own, `inside` the
    sentences of each passage, in order.
    """
    rows = []
    for rank, read in enumerate(zip(ranked, encodings, pointings, inside, strict=True), start=1):
        passage, encoding, pointing, sentences = read
        around = pointing.margin()
        pointed = [_pointed(pointing, passage, sentence) for sentence in sentences]
        own = _passage_rows(question, passage, encoding, sentences, rarity, rank)
        rows.append(
            [np.array([*row, *told, around]) for row, told in zip(own, pointed, strict=True)]
        )
    return rows


def _pointed(pointing: Pointing, ranked: RankedPassage, sentence: Sentence) -> tuple[float, float]:
    """The margins of the best span of a sentence and of all of it."""
    begin = ranked.passage.span.start
    start, end = sentence.span.start - begin, sentence.span.end - begin
    whole = pointing.margin(start, end)
    best = pointing.best_span(start, end)
    return best[0] if best else whole, whole


def _passage_rows(
    question: Question,
    ranked: RankedPassage,
    encoding: Encoding,
    sentences: Sequence[Sentence],
    rarity: Rarity,
    rank: int,
) -> list[Row]:
    passage = ranked.passage
    head = len(embedded_text(passage)) - len(passage.text)
    cosines = question.encoding.tokens @ encoding.tokens.T
    around = set(terms(f"{passage.document.title}\n{passage.text}"))
    missing = _share(question.specifics, lambda term: rarity.counts[term] == 0)
    late_around, late_low_around = _late(question, cosines, None)
    coverage_around = _coverage(question, around, rarity)
    names_around = _share(question.specifics, around.__contains__)
    similarity = float(question.encoding.vector @ encoding.vector)
    rows = []
    for sentence in sentences:
        text = passage.document.text[sentence.span.start : sentence.span.end]
        own = set(terms(text))
        begin = sentence.span.start - passage.span.start + head
        places = _places(encoding, begin, begin + len(text))
        late, late_low = _late(question, cosines, places)
        meaning = _cosine(question.encoding.vector, encoding.tokens[places]) if places else 0.0
        found = fitting(question.text, question.expected, text)
        near = [
            _late(question, cosines, _places(encoding, begin + low, begin + high))[0]
            for low, high in found
        ]
        fits = 0.5 if question.expected == "any" else float(bool(found))
        rows.append(
            np.array([
                meaning, late, late_low, late_around, late_low_around,
                _coverage(question, own, rarity), coverage_around,
                _share(question.specifics, own.__contains__), names_around, missing,
                fits, max(near, default=late if fits else 0.0), similarity, 1 / rank, math.log(1 + len(text.split())),
            ])
        )  # fmt: skip
    return rows


def _places(encoding: Encoding, begin: int, end: int) -> list[int]:
    """The tokens that lie between two characters."""
    return [
        place
        for place, (start, stop) in enumerate(encoding.offsets)
        if start >= begin and stop <= end
    ]


def _carries(text: str, start: int, end: int) -> bool:
    """Whether the token at these offsets is of a word that carries meaning."""
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[start:end].casefold() not in STOPWORDS


def _specifics(text: str) -> list[str]:
    """Terms of the words that are written as names (capitals inside the text) or hold a digit."""
    found = [match.group(0) for match in _NAME.finditer(text)]
    found += [word for word in text.split() if any(letter.isdigit() for letter in word)]
    return [term for word in found for term in terms(word)]


def _late(question: Question, cosines: Vectors, places: list[int] | None) -> tuple[float, float]:
    """Late interaction (Khattab and Zaharia 2020), zero-shot: weighted mean of each question token's best cosine.

    Gives that over all tokens that carry meaning, and over the third of them with the lowest.
    """
    chosen = cosines if places is None else cosines[:, places]
    if not chosen.size:
        return 0.0, 0.0
    best = np.sort(chosen.max(axis=1)[question.weights > 0])
    return float(best.mean()), float(best[: math.ceil(len(best) / 3)].mean())


def _coverage(question: Question, own: set[str], rarity: Rarity) -> float:
    total = sum(rarity.of(term) for term in question.terms)
    return sum(rarity.of(term) for term in question.terms if term in own) / total if total else 0.0


def _share(wanted: frozenset[str], test: Callable[[str], bool]) -> float:
    """The share of the terms that pass; 0.5 when there are none."""
    return sum(map(test, wanted)) / len(wanted) if wanted else 0.5


def _cosine(vector: Vectors, tokens: Vectors) -> float:
    mean = tokens.mean(axis=0)
    return float(vector @ mean / max(float(np.linalg.norm(mean)), 1e-12))
