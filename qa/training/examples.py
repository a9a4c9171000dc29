"""Makes what the cross-encoder is trained on: a question, its passage, and passages without answer.

Four kinds of negatives are made: the passage of the same article (or source) that BM25 ranks best
without an answer in it (hard), a random passage (easy), the question's own passage without the
sentences that answer (cut), and the question with a name or number exchanged for another one of its
article (swapped).
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qa.documents.sentences import segment
from qa.library.bm25 import Bm25
from qa.text.words import terms
from qa.training.sources import QuestionsBySource, TrainingQuestion
from qa.types import Document, Span

WINDOW = 1000
"""Characters of a passage that are read, about 220 tokens; a longer passage is cut."""
MIN_GROUP_PASSAGES = 8
"""An article with fewer passages takes its negatives from the whole source."""
MAX_TRIES = 6
"""Passages that are tried to find one without an answer."""
_NAME_OR_NUMBER = re.compile(r"(?<!^)\b[A-Z][\w’'-]+(?:\s+[A-Z][\w’'-]+)*|\b\d[\d.,]*\b")


@dataclass(frozen=True, slots=True)
class NegativeShares:
    """How often each kind of negative is made, as a share of the questions with an answer."""

    hard: float = 0.45
    easy: float = 0.08
    cut: float = 0.15
    swapped: float = 0.1


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A question and a passage. Without `answers` the passage does not answer."""

    question: str
    context: str
    answers: tuple[Span, ...]
    region: bool = False


Example = tuple[TrainingPair, ...]
"""The pairs of one question, ranked against each other: the first has its own passage."""

MAX_QUESTIONS: Mapping[str, int] = {
    "squadshifts_reddit": 1500,
    "qadiscourse_wikinews": 2500,
    "qamr": 5000,
    "fairytale": 1500,
    "selqa": 1800,
}
"""How many questions of a source are taken; of the other sources all are."""


def training_examples(
    questions: QuestionsBySource, shares: NegativeShares, seed: int
) -> list[Example]:
    """Returns one or two examples for each question, in a random order fixed by the seed."""
    rng = random.Random(seed)
    examples: list[Example] = []
    for name, rows in questions.items():
        chosen = list(rows)
        rng.shuffle(chosen)
        passages = _Passages(rows)
        for question in chosen[: MAX_QUESTIONS.get(name, len(chosen))]:
            examples += _examples_of(question, passages, shares, rng)
    rng.shuffle(examples)
    return examples


def cut_to_window(pair: TrainingPair, rng: random.Random) -> TrainingPair:
    """Returns the pair with about `WINDOW` characters of its passage, cut between words.

    The window is around the first answer, or at random where there is none.
    """
    text = pair.context
    if len(text) <= WINDOW:
        return pair

    if pair.answers:
        first = pair.answers[0]
    else:
        place = rng.randrange(len(text))
        first = Span(place, place)
    room = max(0, WINDOW - len(first))
    start = max(0, min(first.start - rng.randint(0, room), len(text) - WINDOW))
    end = min(len(text), max(start + WINDOW, first.end))

    # Moved to the next space, but not into the answer.
    if start > 0:
        start = min(first.start, text.find(" ", start) + 1)
    if end < len(text):
        end = max(first.end, text.rfind(" ", 0, end))

    answers = []
    for answer in pair.answers:
        if start <= answer.start and answer.end <= end:
            answers.append(Span(answer.start - start, answer.end - start))
    return replace(pair, context=text[start:end], answers=tuple(answers))


def _examples_of(
    question: TrainingQuestion, passages: "_Passages", shares: NegativeShares, rng: random.Random
) -> list[Example]:
    def pair_with(context: str) -> TrainingPair:
        return cut_to_window(TrainingPair(question.question, context, ()), rng)

    positive = TrainingPair(question.question, question.context, question.answers, question.region)
    pairs = [cut_to_window(positive, rng)]
    if not question.answers:
        return [tuple(pairs)]

    # Each chance is drawn in this order: another order would change every example after it.
    if rng.random() < shares.hard:
        hard = passages.best_without_answer(question)
        if hard:
            pairs.append(pair_with(hard))
    if rng.random() < shares.easy:
        pairs.append(pair_with(passages.random_without_answer(question, rng)))
    if rng.random() < shares.cut:
        rest = _without_answers(question)
        if rest:
            pairs.append(pair_with(rest))
    examples: list[Example] = [tuple(pairs)]

    if rng.random() < shares.swapped:
        other_question = _swapped(question, passages, rng)
        if other_question:
            pair = TrainingPair(other_question, question.context, ())
            examples.append((cut_to_window(pair, rng),))
    return examples


class _Passages:
    """The passages of a source, by article, each article with a BM25 ranking."""

    def __init__(self, rows: Sequence[TrainingQuestion]) -> None:
        self._all = list(dict.fromkeys(row.context for row in rows))
        self._groups: dict[str, list[str]] = {}
        # A dictionary keeps each passage once, in order.
        by_group: dict[str, dict[str, None]] = {}
        for row in rows:
            by_group.setdefault(row.group, {})[row.context] = None
        for group, contexts in by_group.items():
            if len(contexts) >= MIN_GROUP_PASSAGES:
                self._groups[group] = list(contexts)
        self._rankings: dict[str, Bm25] = {}

    def near(self, question: TrainingQuestion) -> list[str]:
        """Returns the passages of the question's article, or of the source if they are few."""
        return self._groups.get(question.group, self._all)

    def best_without_answer(self, question: TrainingQuestion) -> str | None:
        """Returns the passage that BM25 ranks best of those without an answer.

        None where all of the few best hold an answer.
        """
        passages = self.near(question)
        key = question.group if question.group in self._groups else ""
        if key not in self._rankings:
            self._rankings[key] = Bm25(passages)
        scores = np.array(self._rankings[key].scores(question.question))

        for place in np.argsort(-scores, kind="stable")[:MAX_TRIES]:
            passage = passages[int(place)]
            if scores[place] > 0 and not _may_answer(passage, question):
                return passage
        return None

    def random_without_answer(self, question: TrainingQuestion, rng: random.Random) -> str:
        """Returns a random passage of the source."""
        drawn = rng.choices(self._all, k=MAX_TRIES)
        for context in drawn:
            if not _may_answer(context, question):
                return context
        return drawn[-1]


def _may_answer(context: str, question: TrainingQuestion) -> bool:
    """Returns whether a passage is the question's own, or has the words of one of its answers.

    Of an answer that is a sentence, half of its terms count.
    """
    if context == question.context:
        return True
    answers = [question.context[span.start : span.end] for span in question.answers]
    if not question.region:
        return any(answer.casefold() in context.casefold() for answer in answers)

    context_terms = set(terms(context))
    for answer in answers:
        words = set(terms(answer))
        if 2 * len(words & context_terms) >= len(words):
            return True
    return False


def _without_answers(question: TrainingQuestion) -> str | None:
    """Returns the passage without the sentences that answer.

    None where less than two sentences are left, or an answer is still in them.
    """
    sentences = segment(Document("", "", "", question.context))
    remaining = []
    for sentence in sentences:
        if not any(sentence.span.overlap(answer) for answer in question.answers):
            remaining.append(question.context[sentence.span.start : sentence.span.end])
    rest = " ".join(remaining)
    if len(remaining) < 2 or len(remaining) == len(sentences) or _may_answer(rest, question):
        return None
    return rest


def _swapped(question: TrainingQuestion, passages: _Passages, rng: random.Random) -> str | None:
    """Returns the question with a name or number exchanged for one that its passage lacks."""
    text = question.question
    matches = list(_NAME_OR_NUMBER.finditer(text))
    if not matches:
        return None
    match = rng.choice(matches)
    is_number = match[0][0].isdigit()

    near = passages.near(question)
    replacements: set[str] = set()
    for context in rng.sample(near, min(4, len(near))):
        for candidate in _NAME_OR_NUMBER.findall(context):
            if candidate[0].isdigit() == is_number and candidate not in question.context:
                replacements.add(candidate)
    if not replacements:
        return None
    # Sorted, as the order of a set differs from run to run.
    replacement = rng.choice(sorted(replacements))
    return text[: match.start()] + replacement + text[match.end() :]
