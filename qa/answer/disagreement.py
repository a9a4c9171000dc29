"""Finds documents that answer a question with different values, and mails that were superseded.

Two documents disagree if sentences of theirs answer about equally well, say it in mostly the same
words, and differ in the value: a number, a date, a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from qa.documents.quotations import quotation_depth
from qa.reader.reader import Candidate
from qa.text.facts import missing_names, months_and_weekdays, names_in
from qa.text.numbers import Number, numbers_in
from qa.text.words import terms

MAX_SCORE_LOSS = 2.0
"""How far below the best sentence's score the sentence of another document may be, in log-odds."""
MIN_SHARED = 0.5
"""The share of the words around the values that two sentences have in common."""
MAX_SENTENCES = 3
MAX_QUOTED_LOSS = 4.0
"""How far below a quoted sentence's score the sentence of the newer mail may be."""

DISAGREE = "Your documents give different answers. Newest first: {sources}."
DISAGREE_UNDATED = (
    "Your documents give different answers: {sources}. Their dates do not show which is newer."
)
SUPERSEDED = (
    "The newest mail in {name} comes first. An older mail that it quotes says something else."
)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Sentences that answer with different values, the newest first, and what to say about it."""

    candidates: tuple[Candidate, ...]
    notice: str


def find_disagreement(question: str, candidates: Sequence[Candidate]) -> Disagreement | None:
    """Returns the sentences that disagree with the best; None if there are none.

    `candidates`: at least one, the best first.
    """
    best = candidates[0]
    newer = _newer_part(best, candidates, question)
    if newer:
        notice = SUPERSEDED.format(name=best.document.name)
        return Disagreement((newer, best), notice)

    question_terms = frozenset(terms(question))
    chosen = [_Statement.of(best, question_terms)]
    for candidate in candidates[1:]:
        if best.score - candidate.score > MAX_SCORE_LOSS or len(chosen) == MAX_SENTENCES:
            break
        statement = _Statement.of(candidate, question_terms)
        if all(statement.contradicts(earlier) for earlier in chosen):
            chosen.append(statement)
    if len(chosen) == 1:
        return None
    return _in_order([statement.candidate for statement in chosen])


@dataclass(frozen=True, slots=True)
class _Values:
    """What can differ between two sentences that say the same: numbers, months and weekdays."""

    numbers: tuple[Number, ...]
    days: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "_Values":
        return cls(numbers_in(text), months_and_weekdays(text))

    def without(self, other_values: "_Values") -> "_Values":
        """Returns these values without those that are among the others."""
        new_numbers = []
        for number in self.numbers:
            if not number.is_among(other_values.numbers):
                new_numbers.append(number)
        return _Values(tuple(new_numbers), self.days - other_values.days)

    def has_any_of(self, other_values: "_Values") -> bool:
        """Returns whether one of these values is among the others."""
        if self.days & other_values.days:
            return True
        return any(number.is_among(other_values.numbers) for number in self.numbers)

    def is_like(self, other_values: "_Values") -> bool:
        """Returns whether both have values, and values of the same kind: a date and a date."""
        both = bool(self) and bool(other_values)
        return both and bool(self.days) == bool(other_values.days)

    def __bool__(self) -> bool:
        return bool(self.numbers or self.days)


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a candidate says: the value that answers, and the words around it."""

    candidate: Candidate
    values: _Values
    """Of the whole sentence."""
    answer_values: _Values
    """Of the words that answer."""
    answer_terms: frozenset[str]
    """Of the words that answer; empty if no words stand out."""
    surrounding_terms: frozenset[str]
    """The terms around the answer, without numbers, and those of the line that introduces it."""
    names: tuple[str, ...]
    """The names in the sentence, without those that answer."""
    covered: frozenset[str]
    """The terms of the question that the sentence has, its headings, title and file name too."""

    @classmethod
    def of(cls, candidate: Candidate, question_terms: frozenset[str]) -> "_Statement":
        document = candidate.document
        sentence = candidate.sentence
        text = candidate.text
        context = [document.text_of(span) for span in sentence.context]
        around = " ".join((*context, document.title, document.name, document.date or ""))
        introduction = context[-1] if context and sentence.kind in ("item", "row") else ""
        words_around = terms(f"{introduction} {text}")
        answer = document.text_of(candidate.span) if candidate.span else ""
        answer_terms = frozenset(terms(answer))
        surrounding_terms = frozenset(term for term in words_around if not _has_digit(term))
        return cls(
            candidate=candidate,
            values=_Values.of(text),
            answer_values=_Values.of(answer or text),
            answer_terms=answer_terms,
            surrounding_terms=surrounding_terms - answer_terms,
            names=tuple(missing_names(names_in(text), answer)),
            covered=question_terms & frozenset(terms(f"{around} {text}")),
        )

    def contradicts(self, better: "_Statement") -> bool:
        """Returns whether this statement gives another value than a better one, as good a fit."""
        if self.candidate.document.id == better.candidate.document.id:
            return False
        if _depth(self.candidate):
            return False
        # "in 2022": a sentence of another year does not answer.
        if not self.covered >= better.covered:
            return False
        if self.has_other_subject(better):
            return False
        return self.differs_from(better) and self.is_worded_as(better)

    def has_other_subject(self, better: "_Statement") -> bool:
        """Returns whether each sentence names something that the other does not, as its subject."""
        own_text, better_text = self.candidate.text, better.candidate.text
        own_names = missing_names(self.names, better_text)
        better_names = missing_names(better.names, own_text)
        return bool(own_names and better_names)

    def differs_from(self, better: "_Statement") -> bool:
        """Returns whether the answering values, or without values the words, differ."""
        if better.answer_values:
            return self._gives_other_value(better)
        return self._gives_other_words(better)

    def _gives_other_value(self, better: "_Statement") -> bool:
        """Returns whether this sentence has another value in place of a value that answers.

        "Annual leave is 28 days" does, where the better sentence is "Annual leave is 25 days".
        """
        new = self.values.without(better.values)
        missing = better.values.without(self.values)
        return bool(new) and better.answer_values.has_any_of(missing)

    def _gives_other_words(self, better: "_Statement") -> bool:
        """Returns whether other words answer. No value may answer, and all values must be the same.

        "The new director is Paul Lund" does, where the better sentence is "The new director is Ann
        Berg".
        """
        new = self.values.without(better.values)
        missing = better.values.without(self.values)
        # With other numbers in it, a sentence says something else: "the Stratos costs 949 dollars".
        if self.answer_values or new or missing:
            return False
        new_words = self.answer_terms.difference(terms(better.candidate.text))
        missing_words = better.answer_terms.difference(terms(self.candidate.text))
        return bool(new_words and missing_words)

    def is_worded_as(self, better: "_Statement") -> bool:
        """Returns whether the words around the answers are mostly the same."""
        # The reader may take a surrounding word into one answer and not into the other.
        answers = self.answer_terms | better.answer_terms
        shared = (self.surrounding_terms & better.surrounding_terms) - answers
        all_terms = (self.surrounding_terms | better.surrounding_terms) - answers
        return bool(shared) and len(shared) / len(all_terms) >= MIN_SHARED


def _newer_part(
    best: Candidate, candidates: Sequence[Candidate], question: str
) -> Candidate | None:
    """Returns the best sentence of a newer mail with another value, if `best` is in a quotation."""
    document = best.document
    depth = _depth(best)
    if not depth:
        return None
    topic = frozenset(terms(f"{question} {best.text}"))
    old = _Statement.of(best, topic)
    for candidate in candidates[1:]:
        if best.score - candidate.score > MAX_QUOTED_LOSS:
            break
        if candidate.document.id != document.id or _depth(candidate) >= depth:
            continue
        new = _Statement.of(candidate, topic)
        # A reply has words of its own: the same kind of value, about the same topic.
        has_same_kind = new.answer_values.is_like(old.answer_values)
        replies = has_same_kind and bool(new.surrounding_terms & topic)
        if new.differs_from(old) and (replies or new.is_worded_as(old)):
            return candidate
    return None


def _depth(candidate: Candidate) -> int:
    """Returns how many mails quote a sentence; 0: its document says it itself."""
    return quotation_depth(candidate.document.text, candidate.sentence.span.start)


def _in_order(candidates: Sequence[Candidate]) -> Disagreement:
    """Returns the candidates by the dates of their documents, if the dates show an order."""
    dates = [candidate.document.date or "" for candidate in candidates]
    # "2024" and "2024-03" have no order: both are compared by their years.
    exactness = min(map(len, dates))
    comparable = {date[:exactness] for date in dates}
    if len(comparable) < len(dates):
        notice = DISAGREE_UNDATED.format(sources=_sources(candidates))
        return Disagreement(tuple(candidates), notice)

    newest_first = sorted(
        candidates, key=lambda candidate: candidate.document.date or "", reverse=True
    )
    return Disagreement(tuple(newest_first), DISAGREE.format(sources=_sources(newest_first)))


def _sources(candidates: Sequence[Candidate]) -> str:
    """Returns the names of the documents, each with its date."""
    names = []
    for candidate in candidates:
        document = candidate.document
        names.append(f"{document.name} ({document.date or 'no date'})")
    return ", ".join(names)


def _has_digit(term: str) -> bool:
    return any(letter.isdigit() for letter in term)
