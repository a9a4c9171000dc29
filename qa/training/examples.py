"""Makes what the cross-encoder is trained on: a question, its passage, and passages without answer.

Six kinds of negatives are made: the passage of the same article (or source) that BM25 ranks best
without an answer in it (hard), a random passage (easy), the question's own passage without the
sentences that answer (cut), the question with a name or number exchanged for another one of its
article (swapped), the question with a word exchanged for its opposite (opposed), and the question
with the noun that it asks for exchanged for the noun of another question (other noun).
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qa.library.bm25 import Bm25
from qa.text.english import AUXILIARIES
from qa.text.words import terms, words
from qa.training.changes import with_opposites
from qa.training.sources import QuestionsBySource, TrainingQuestion
from qa.types import Span

WINDOW = 800
"""Characters of a passage that are read, about 180 tokens; a longer passage is cut."""
MIN_GROUP_PASSAGES = 8
"""An article with fewer passages takes its negatives from the whole source."""
MAX_TRIES = 6
"""Passages that are tried to find one without an answer."""
MAX_SWAP_PASSAGES = 4
"""Passages that are searched for a name or number to swap in."""
_YES_OR_NO = re.compile(rf"(?:{'|'.join(sorted(AUXILIARIES))})\b", re.IGNORECASE)
"""The first word of a yes-or-no question."""
_NOUN = r"(?P<noun>[a-z][a-z-]{3,}(?: [a-z][a-z-]{3,})?)"
_ASKED_NOUNS = (
    re.compile(
        rf"(?P<before>(?:what|who) (?:is|are|was|were) the ){_NOUN} (?:of|for|in|at|on|to)\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?P<before>how many |how much |which |what ){_NOUN}"
        r" (?:is|are|was|were|did|does|do|has|have|had|can|will)\b",
        re.IGNORECASE,
    ),
)
"""Questions that name what they ask for: "what is the population of", "how many seats does"."""
STEM_LETTERS = 5
"""Words that begin alike are taken for forms of one word."""
_NAME_OR_NUMBER = re.compile(r"(?<!^)\b[A-Z][\w’'-]+(?:\s+[A-Z][\w’'-]+)*|\b\d[\d.,]*\b")


@dataclass(frozen=True, slots=True)
class NegativeShares:
    """How often each kind of negative is made, as a share of the questions with an answer."""

    hard: float = 0.45
    easy: float = 0.08
    cut: float = 0.15
    swapped: float = 0.1
    opposed: float = 0.0
    other_noun: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A question and a passage. Without `answers` the passage does not answer."""

    question: str
    context: str
    answers: tuple[Span, ...]
    """Offsets in `context`."""
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
    questions: QuestionsBySource,
    shares: NegativeShares,
    seed: int,
    *,
    min_group_passages: int = MIN_GROUP_PASSAGES,
) -> list[Example]:
    """Returns one or two examples for each question, in a random order fixed by the seed.

    `min_group_passages`: an article with fewer passages takes its negatives from the whole source.
    """
    rng = random.Random(seed)
    examples: list[Example] = []
    for name, rows in questions.items():
        chosen = list(rows)
        rng.shuffle(chosen)
        passages = ArticlePassages(rows, min_group_passages)
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
        target = pair.answers[0]
    else:
        offset = rng.randrange(len(text))
        target = Span(offset, offset)
    window = _window_around(target, text, rng)

    answers = []
    for answer in pair.answers:
        if window.start <= answer.start and answer.end <= window.end:
            start = answer.start - window.start
            answers.append(Span(start, start + len(answer)))
    context = text[window.start : window.end]
    return replace(pair, context=context, answers=tuple(answers))


def _window_around(target: Span, text: str, rng: random.Random) -> Span:
    """Returns a span of about `WINDOW` characters with the target somewhere in it."""
    room = max(0, WINDOW - len(target))
    characters_before = rng.randint(0, room)
    last_start = len(text) - WINDOW
    start = max(0, min(target.start - characters_before, last_start))
    end = max(start + WINDOW, target.end)
    end = min(len(text), end)

    # Moved to the next space, but not into the target.
    if start > 0:
        next_word = text.find(" ", start) + 1
        start = min(target.start, next_word)
    if end < len(text):
        last_space = text.rfind(" ", 0, end)
        end = max(target.end, last_space)
    return Span(start, end)


def _examples_of(
    question: TrainingQuestion,
    passages: "ArticlePassages",
    shares: NegativeShares,
    rng: random.Random,
) -> list[Example]:
    text = question.question

    def pair_without_answer(question_text: str, context: str) -> TrainingPair:
        pair = TrainingPair(question_text, context, ())
        return cut_to_window(pair, rng)

    positive = TrainingPair(text, question.context, question.answers, question.region)
    pairs = [cut_to_window(positive, rng)]
    if not question.answers:
        return [tuple(pairs)]

    # Each chance is drawn in this order: another order would change every example after it.
    if rng.random() < shares.hard:
        hard = passages.best_without_answer(question)
        if hard:
            pairs.append(pair_without_answer(text, hard))
    if rng.random() < shares.easy:
        easy = passages.random_without_answer(question, rng)
        pairs.append(pair_without_answer(text, easy))
    if rng.random() < shares.cut:
        rest = _without_answers(question)
        if rest:
            pairs.append(pair_without_answer(text, rest))
    examples: list[Example] = [tuple(pairs)]

    if rng.random() < shares.swapped:
        other_question = _swapped(question, passages, rng)
        if other_question:
            # By itself: its passage belongs to another question than the other pairs.
            swapped = pair_without_answer(other_question, question.context)
            examples.append((swapped,))
    if shares.opposed and rng.random() < shares.opposed:
        opposed_question = _opposed(question, rng)
        if opposed_question:
            opposed = pair_without_answer(opposed_question, question.context)
            examples.append((opposed,))
    if shares.other_noun and rng.random() < shares.other_noun:
        noun_question = _with_other_noun(question, passages, rng)
        if noun_question:
            examples.append((pair_without_answer(noun_question, question.context),))
    return examples


class ArticlePassages:
    """The passages of a source, by article, each article with a BM25 ranking."""

    def __init__(
        self, rows: Sequence[TrainingQuestion], min_group_passages: int = MIN_GROUP_PASSAGES
    ) -> None:
        # Dictionaries keep each passage once, in order.
        every_context: dict[str, None] = {}
        contexts_of: dict[str, dict[str, None]] = {}
        for row in rows:
            every_context[row.context] = None
            contexts_of.setdefault(row.group, {})[row.context] = None

        self.asked_nouns = _asked_nouns(rows)
        self._all = list(every_context)
        self._groups: dict[str, list[str]] = {}
        for group, contexts in contexts_of.items():
            if len(contexts) >= min_group_passages:
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
        # The small groups share one ranking, that of the whole source.
        key = question.group if question.group in self._groups else ""
        if key not in self._rankings:
            self._rankings[key] = Bm25(passages)
        ranking = self._rankings[key]
        scores = np.array(ranking.scores(question.question))

        best_first = np.argsort(-scores, kind="stable")
        for index in best_first[:MAX_TRIES]:
            passage = passages[int(index)]
            if scores[index] > 0 and not _may_answer(passage, question):
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

    folded_context = context.casefold()
    context_terms = set(terms(context)) if question.region else set()
    for answer in question.answer_texts:
        if not question.region:
            if answer.casefold() in folded_context:
                return True
            continue
        answer_terms = set(terms(answer))
        shared_terms = answer_terms & context_terms
        if 2 * len(shared_terms) >= len(answer_terms):
            return True
    return False


def _without_answers(question: TrainingQuestion) -> str | None:
    """Returns the passage without the sentences that answer.

    None where less than two sentences are left, or an answer is still in them.
    """
    sentences = question.sentences()
    remaining = []
    for sentence in sentences:
        span = sentence.span
        answers_it = any(span.overlap(answer) for answer in question.answers)
        if not answers_it:
            remaining.append(question.text_of(span))

    # With all sentences left, no sentence was recognised as the one that answers.
    if len(remaining) < 2 or len(remaining) == len(sentences):
        return None
    rest = " ".join(remaining)
    return None if _may_answer(rest, question) else rest


def _opposed(question: TrainingQuestion, rng: random.Random) -> str | None:
    """Returns the question with a word exchanged for its opposite, which its passage lacks.

    None where it has no such word, and for a yes-or-no question: its passage decides it all the
    same.
    """
    text = question.question
    if _YES_OR_NO.match(text):
        return None
    passage_words = set(words(question.context))
    opposed = with_opposites(text, left_out=passage_words)
    return rng.choice(opposed) if opposed else None


def _asked_noun(question: str) -> re.Match[str] | None:
    """Returns the match of the noun that a question asks for."""
    for form in _ASKED_NOUNS:
        match = form.search(question)
        if match:
            return match
    return None


def _asked_nouns(rows: Sequence[TrainingQuestion]) -> dict[str, list[str]]:
    """Returns the nouns that questions ask for, by the words before them: "how many"."""
    nouns: dict[str, dict[str, None]] = {}
    for row in rows:
        match = _asked_noun(row.question)
        if match:
            before = match["before"].casefold()
            nouns.setdefault(before, {})[match["noun"].casefold()] = None
    return {before: list(of_form) for before, of_form in nouns.items()}


def _with_other_noun(
    question: TrainingQuestion, passages: ArticlePassages, rng: random.Random
) -> str | None:
    """Returns the question with another noun as what it asks for, which its passage lacks.

    None where no noun is found in the question, or none among some that other questions ask for.
    """
    text = question.question
    match = _asked_noun(text)
    if not match:
        return None
    nouns = passages.asked_nouns[match["before"].casefold()]
    folded_context = question.context.casefold()
    for noun in rng.choices(nouns, k=MAX_TRIES):
        stems = [word[:STEM_LETTERS] for word in noun.split()]
        is_new = not any(stem in folded_context or stem in text.casefold() for stem in stems)
        if is_new:
            return text[: match.start("noun")] + noun + text[match.end("noun") :]
    return None


def _swapped(
    question: TrainingQuestion, passages: ArticlePassages, rng: random.Random
) -> str | None:
    """Returns the question with a name or number exchanged for one that its passage lacks."""
    text = question.question
    matches = list(_NAME_OR_NUMBER.finditer(text))
    if not matches:
        return None
    match = rng.choice(matches)
    is_number = match[0][0].isdigit()

    near = passages.near(question)
    sample_size = min(MAX_SWAP_PASSAGES, len(near))
    replacements: set[str] = set()
    for context in rng.sample(near, sample_size):
        for candidate in _NAME_OR_NUMBER.findall(context):
            same_kind = candidate[0].isdigit() == is_number
            if same_kind and candidate not in question.context:
                replacements.add(candidate)
    if not replacements:
        return None
    # Sorted, as the order of a set differs from run to run.
    replacement = rng.choice(sorted(replacements))
    before = text[: match.start()]
    after = text[match.end() :]
    return before + replacement + after
