"""What speaks for a sentence being the answer to a question: a row of numbers for each sentence read.

They come from the embedder's token vectors (one pass over the question, one over each passage), from words, and
from the cross-encoder's pointing. Nothing is learnt here; `reader` weighs the numbers.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qa.documents.sentences import Sentence
from qa.library.bm25 import SentenceFrequencies
from qa.models.embedding import Encoding, Vectors
from qa.models.spans import SpanScores
from qa.text.english import STOP_WORDS
from qa.text.words import terms, words
from qa.types import RankedPassage

Row = NDArray[np.float64]

FEATURE_NAMES = (
    "meaning",  # cosine of the question and the mean of the sentence's tokens, read within its passage
    "late_interaction",  # mean over the question's tokens of the best cosine to a token of the sentence
    "late_interaction_low",  # the same, mean over the question's worst third: a part that nothing answers to
    "late_interaction_around",  # the first, over the whole passage
    "late_interaction_low_around",  # the second, over the whole passage
    "coverage",  # share, by frequencies, of the question's terms that the sentence has
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
CROSS_ENCODER_FEATURES = frozenset({"span", "pointed", "pointed_around"})
"""Those that the cross-encoder gives."""


Kind = Literal["money", "share", "count", "date", "time", "reason", "name", "any"]


@dataclass(frozen=True, slots=True)
class AnalysedQuestion:
    """A question as the sentence_features need it."""

    text: str
    encoding: Encoding
    weights: Vectors
    """(tokens,): 1 for a token of a word that carries meaning, 0 for the others; all 1 when none does."""
    terms: Counter[str]
    specifics: frozenset[str]
    """Terms of its names and numbers."""
    kind: Kind


_NAME = re.compile(r"(?<![.!?“\"\n] )(?<!^)\b[A-Z][\w’'-]+")


def analyse(text: str, encoding: Encoding) -> AnalysedQuestion:
    """A question with its terms, its names and numbers, and the kind of thing it asks for."""
    carrying = [
        words(text[start:end]) != [] and _carries(text, start, end)
        for start, end in encoding.offsets
    ]
    weights = np.array(carrying if any(carrying) else [True] * len(carrying), dtype=np.float32)
    return AnalysedQuestion(
        text,
        encoding,
        weights,
        Counter(terms(text)),
        frozenset(_specifics(text)),
        expected_kind(text),
    )


def sentence_features(
    question: AnalysedQuestion,
    ranked: Sequence[RankedPassage],
    encodings: Sequence[Encoding],
    pointings: Sequence[SpanScores],
    inside: Sequence[Sequence[Sentence]],
    frequencies: SentenceFrequencies,
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
        own = _passage_rows(question, passage, encoding, sentences, frequencies, rank)
        rows.append(
            [np.array([*row, *told, around]) for row, told in zip(own, pointed, strict=True)]
        )
    return rows


def _pointed(
    pointing: SpanScores, ranked: RankedPassage, sentence: Sentence
) -> tuple[float, float]:
    """The margins of the best span of a sentence and of all of it."""
    begin = ranked.passage.span.start
    start, end = sentence.span.start - begin, sentence.span.end - begin
    whole = pointing.margin(start, end)
    best = pointing.best_span(start, end)
    return best[0] if best else whole, whole


def _passage_rows(
    question: AnalysedQuestion,
    ranked: RankedPassage,
    encoding: Encoding,
    sentences: Sequence[Sentence],
    frequencies: SentenceFrequencies,
    rank: int,
) -> list[Row]:
    passage = ranked.passage
    head = len(passage.embedded_text) - len(passage.text)
    cosines = question.encoding.tokens @ encoding.tokens.T
    around = set(terms(f"{passage.document.title}\n{passage.text}"))
    missing = _share(question.specifics, lambda term: frequencies.counts[term] == 0)
    late_around, late_low_around = _late(question, cosines, None)
    coverage_around = _coverage(question, around, frequencies)
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
        found = spans_of_kind(question.text, question.kind, text)
        near = [
            _late(question, cosines, _places(encoding, begin + low, begin + high))[0]
            for low, high in found
        ]
        fits = 0.5 if question.kind == "any" else float(bool(found))
        rows.append(
            np.array([
                meaning, late, late_low, late_around, late_low_around,
                _coverage(question, own, frequencies), coverage_around,
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
    return text[start:end].casefold() not in STOP_WORDS


def _specifics(text: str) -> list[str]:
    """Terms of the words that are written as names (capitals inside the text) or hold a digit."""
    found = [match.group(0) for match in _NAME.finditer(text)]
    found += [word for word in text.split() if any(letter.isdigit() for letter in word)]
    return [term for word in found for term in terms(word)]


def _late(
    question: AnalysedQuestion, cosines: Vectors, places: list[int] | None
) -> tuple[float, float]:
    """Late interaction (Khattab and Zaharia 2020), zero-shot: weighted mean of each question token's best cosine.

    Gives that over all tokens that carry meaning, and over the third of them with the lowest.
    """
    chosen = cosines if places is None else cosines[:, places]
    if not chosen.size:
        return 0.0, 0.0
    best = np.sort(chosen.max(axis=1)[question.weights > 0])
    return float(best.mean()), float(best[: math.ceil(len(best) / 3)].mean())


def _coverage(question: AnalysedQuestion, own: set[str], frequencies: SentenceFrequencies) -> float:
    total = sum(frequencies.idf(term) for term in question.terms)
    return (
        sum(frequencies.idf(term) for term in question.terms if term in own) / total
        if total
        else 0.0
    )


def _share(wanted: frozenset[str], test: Callable[[str], bool]) -> float:
    """The share of the terms that pass; 0.5 when there are none."""
    return sum(map(test, wanted)) / len(wanted) if wanted else 0.5


def _cosine(vector: Vectors, tokens: Vectors) -> float:
    mean = tokens.mean(axis=0)
    return float(vector @ mean / max(float(np.linalg.norm(mean)), 1e-12))


_ASKS: dict[Kind, str] = {
    "money": r"""\bhow[ ]much[ ](?:money|cash|funding|did|does|do|is|was|will|has|have|would)\b.*
        \b(?:money|cost|pa(?:y|id)|invest\w*|worth|spen[dt]|price|earn\w*|fund\w*|loan|lend|budget)\b |
        \bhow[ ]much[ ]money\b | \b(?:cost|price|worth|salary|budget|fee)\b""",
    "share": r"\bpercent(?:age)?\b | \bwhat[ ](?:share|proportion|fraction)\b | \bat[ ]what[ ]rate\b",
    "count": r"""\bhow[ ](?:many|much|large|big|long|old|far|tall|often|deep|high|fast|heavy)\b | \bnumber[ ]of\b |
        \bwhat[ ](?:number|amount)\b""",
    "date": r"\b(?:what|which)[ ](?:year|month|date|decade|century)\b | \bdate\b",
    "time": r"\bwhen\b | \b(?:what|which)[ ](?:day|time|weekday)\b",
    "reason": r"""\bwhy\b | \bwhat[ ]for\b | \breasons?\b | \bhow[ ]come\b | \bfor[ ]what[ ]purpose\b |
        \bwhat[ ](?:causes|caused|led|made)\b""",
    "name": r"""\bwho(?:m|se)?\b | \bwhere\b | \b(?:what|which)[ ](?:\w+[ ])?(?:countr|cit|person|place|compan|state|
        town|region|province|organi[sz]ation|official|nation|agency|team|band|universit|bank|minister)""",
}
"""What a question says when it asks for something of a kind; the first that fits counts."""
_LOOSE = re.IGNORECASE | re.VERBOSE
_NUMBER = r"""(?:\d[\d.,]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|
    thousands?|millions?|billions?|trillions?|half|twice|once|several|third|quarter)\b)"""
_DATE = r"""\b(?:1\d|20)\d\d s?\b | \b(?:January|February|March|April|May|June|July|August|September|October|November|
    December)\b | \b(?:century|centuries)\b"""
_FITS: dict[Kind, re.Pattern[str]] = {
    "money": re.compile(
        rf"[$€£¥]\s?\d[\d.,]* | {_NUMBER}[ ](?:\w+[ ])?(?:dollars?|euros?|pounds?|yen|rupees|cents)\b",
        _LOOSE,
    ),
    "share": re.compile(
        rf"{_NUMBER}\s?(?:%|per[ ]?cent) | \b(?:half|third|quarter|majority|most)\b", _LOOSE
    ),
    "count": re.compile(_NUMBER, _LOOSE),
    "date": re.compile(_DATE, re.VERBOSE),
    "time": re.compile(
        rf"""{_DATE} | \b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b | \b(?:yesterday|today|tomorrow|tonight|
            decades?|years?|months?|weeks?|days?|morning|evening|night|noon|ago|era|BC|AD|recent(?:ly)?|spring|summer|
            autumn|winter)\b""",
        re.VERBOSE,
    ),
    "reason": re.compile(
        r"""\b(?:because|since|due|so[ ]that|in[ ]order|owing|thanks[ ]to|therefore|hence|result\w*|caus\w+|
            reason\w*|aim\w*|meant|to[ ][a-z]{3,}|for[ ][a-z]+ing|by[ ][a-z]+ing|as|given|amid|driv\w+|lead\w*|led|
            allow\w*|help\w*|could|would|goal|purpose|intend\w*)\b""",
        _LOOSE,
    ),
    "name": re.compile(r"(?<![.!?“\"\n][ ])(?<!^)\b[A-Z][\w’'-]+", re.VERBOSE),
}
WINDOW = 40
"""Characters on either side of a thing of the kind asked for in which the question's other words should stand."""


def expected_kind(question: str) -> Kind:
    """What a question asks for; "any" when its words do not tell."""
    lowered = question.casefold()
    return next(
        (kind for kind, pattern in _ASKS.items() if re.search(pattern, lowered, re.VERBOSE)), "any"
    )


def spans_of_kind(question: str, kind: Kind, sentence: str) -> list[tuple[int, int]]:
    """Where the sentence has something of the kind that the question does not have: offsets, with what is around."""
    if kind == "any":
        return []
    asked = set(words(question))
    return [
        (max(0, match.start() - WINDOW), min(len(sentence), match.end() + WINDOW))
        for match in _FITS[kind].finditer(sentence)
        if not set(words(match.group(0))) & asked
    ]
