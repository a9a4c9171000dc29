"""Measures: each gives one question exactly one value, 0 to 1 unless said otherwise.

None: the measure does not apply to the question. It is counted as unscored and never as zero. All but `hit`,
`reciprocal_rank` and `confidence` look at what the person is given; those three at what was read or felt before the
decision to refuse. Refusing is what the answers can be wrong about, so a refusal of an answerable question scores 0.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite

from eval.dataset import Gold, Question
from qa.types import Answer, AnswerSentence, Citation, Document, RankedPassage, Span

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)


@dataclass(frozen=True, slots=True)
class Example:
    """A question, where its gold quotes stand (empty: not answerable), and what the bot made of it."""

    question: Question
    gold: Sequence[Gold]
    answer: Answer
    documents: Mapping[str, Document]
    """The library, by name."""


def scores(example: Example) -> dict[str, float | None]:
    """Every measure's value, by its name in `MEASURES`."""
    return {name: measure(example) for name, measure in MEASURES.items()}


def hit(example: Example, depth: int) -> float | None:
    """Whether one of the first `depth` passages holds at least half of a gold quote (success@k of ir_measures)."""
    if not example.gold:
        return None
    return float(any(_holds(passage, example.gold) for passage in example.answer.passages[:depth]))


def reciprocal_rank(example: Example) -> float | None:
    """1 by the rank of the first passage that holds a gold quote, 0 without one (Voorhees 1999, TREC-8 QA track)."""
    if not example.gold:
        return None
    ranks = (rank for rank, passage in enumerate(example.answer.passages, start=1) if _holds(passage, example.gold))
    return next((1 / rank for rank in ranks), 0.0)


def contains_answer(example: Example) -> float | None:
    """Whether an accepted answer is in the answer's text (as Mallen et al. 2023 score PopQA).

    Case, white space and the shapes of quotes and dashes do not matter. The words of a refusal are not searched. A
    number is not found inside another: 5 is neither in 2025 nor in 1.5.
    """
    if not example.question.answerable:
        return None
    text = _normalised(example.answer.text)
    accepted = map(_normalised, example.question.answers)
    return float(not example.answer.abstained and any(_is_in(answer, text) for answer in accepted))


def first_sentence_right(example: Example) -> float | None:
    """Whether a citation of the first sentence and a gold quote share at least half of the shorter of the two."""
    if not example.gold:
        return None
    cited = [place for sentence in _sentences(example.answer)[:1] for place in _places(sentence)]
    return float(any(_agree(place, gold) for place in cited for gold in example.gold))


def citation_precision(example: Example) -> float | None:
    """The share of cited characters that are gold; None where nothing is cited (DeYoung et al. 2020, by character)."""
    cited, gold = _characters(_cited(example.answer)), _characters(example.gold)
    return len(cited & gold) / len(cited) if cited and gold else None


def citation_recall(example: Example) -> float | None:
    """The share of gold characters that are cited (DeYoung et al. 2020, by character)."""
    cited, gold = _characters(_cited(example.answer)), _characters(example.gold)
    return len(cited & gold) / len(gold) if gold else None


def quotes_exact(example: Example) -> float | None:
    """The share of citations that quote the document to the letter, in its version; None without any citation."""
    citations = [citation for sentence in example.answer.sentences for citation in sentence.citations]
    exact = [_is_exact(citation, example.documents.get(citation.document)) for citation in citations]
    return sum(exact) / len(exact) if exact else None


def unsupported_sentences(example: Example) -> float | None:
    """The share of the answer's sentences that the documents do not support; None for a refusal. Less is better."""
    states = [sentence.support == "unsupported" for sentence in _sentences(example.answer)]
    return sum(states) / len(states) if states else None


def answered(example: Example) -> float:
    """Whether the question was answered rather than refused, rightly or not."""
    return float(not example.answer.abstained)


def wrongly_refused(example: Example) -> float | None:
    """Whether an answerable question was refused. Less is better."""
    return float(example.answer.abstained) if example.question.answerable else None


def rightly_refused(example: Example) -> float | None:
    """Whether a question that is not answerable was refused (the no-answer accuracy of Rajpurkar et al. 2018)."""
    return None if example.question.answerable else float(example.answer.abstained)


def answered_right(example: Example) -> float | None:
    """The total: the first sentence right where there is an answer, a refusal where there is none."""
    return first_sentence_right(example) if example.question.answerable else float(example.answer.abstained)


def confidence(example: Example) -> float | None:
    """The answer's confidence, of refusals too; `auroc` measures it over a set."""
    return example.answer.confidence if isfinite(example.answer.confidence) else None


def seconds(example: Example) -> float | None:
    """Seconds that the answer took, by the bot's own clock."""
    return example.answer.timings.get("total")


MEASURES: dict[str, Callable[[Example], float | None]] = {
    "hit_at_1": partial(hit, depth=1),
    "hit_at_3": partial(hit, depth=3),
    "hit_at_5": partial(hit, depth=5),
    "reciprocal_rank": reciprocal_rank,
    "contains_answer": contains_answer,
    "first_sentence_right": first_sentence_right,
    "answered_right": answered_right,
    "answered": answered,
    "wrongly_refused": wrongly_refused,
    "rightly_refused": rightly_refused,
    "citation_precision": citation_precision,
    "citation_recall": citation_recall,
    "quotes_exact": quotes_exact,
    "unsupported_sentences": unsupported_sentences,
    "confidence": confidence,
    "seconds": seconds,
}


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """How often an answerable question has more confidence than one that is not, ties counting half.

    The area under the ROC curve (Hanley and McNeil 1982); None when one of the two is missing.
    """
    if not positive or not negative:
        return None
    from sklearn.metrics import roc_auc_score  # a second to import

    labels = [1] * len(positive) + [0] * len(negative)
    return float(roc_auc_score(labels, [*positive, *negative]))


BINS = 10


def calibration_error(confidences: Sequence[float], answerable: Sequence[bool]) -> float | None:
    """How far confidence is from the share of questions that are answerable; 0 to 1, less is better.

    Expected calibration error over ten bins of equal width (Guo et al. 2017); None without a question.
    """
    if not confidences:
        return None
    gaps = [0.0] * BINS
    for value, label in zip(confidences, answerable, strict=True):
        gaps[bin_of(value)] += label - value
    return sum(map(abs, gaps)) / len(confidences)


def bin_of(value: float) -> int:
    """The bin of a confidence, 0 to 9; 1 is in the last one."""
    return min(int(value * BINS), BINS - 1)


def _holds(ranked: RankedPassage, gold: Iterable[Gold]) -> bool:
    passage = ranked.passage
    return any(
        passage.document.name == document and 2 * passage.span.overlap(span) >= len(span) for document, span in gold
    )


def _agree(one: Gold, other: Gold) -> bool:
    shorter = min(len(one[1]), len(other[1]))
    return one[0] == other[0] and 2 * one[1].overlap(other[1]) >= max(1, shorter)


def _cited(answer: Answer) -> list[Gold]:
    return [place for sentence in _sentences(answer) for place in _places(sentence)]


def _sentences(answer: Answer) -> Sequence[AnswerSentence]:
    """A refusal has none; were it to carry some, they would not count as an answer."""
    return () if answer.abstained else answer.sentences


def _places(sentence: AnswerSentence) -> list[Gold]:
    return [(citation.document, Span(citation.start, citation.end)) for citation in sentence.citations]


def _characters(places: Iterable[Gold]) -> set[tuple[str, int]]:
    """The union of the spans, so that what is cited twice counts once."""
    return {(document, at) for document, span in places for at in range(span.start, span.end)}


def _is_exact(citation: Citation, document: Document | None) -> bool:
    if document is None or citation.version != document.version:
        return False
    # A negative offset would count from the text's end.
    return citation.start >= 0 and document.text[citation.start : citation.end] == citation.quote != ""


def _is_in(accepted: str, text: str) -> bool:
    before = r"(?<!\d)(?<!\d[.,])" if accepted[0].isdecimal() else ""
    after = r"(?![.,]?\d)" if accepted[-1].isdecimal() else ""
    return re.search(before + re.escape(accepted) + after, text) is not None


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().translate(_PLAIN).split())
