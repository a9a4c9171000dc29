"""Questions and outcomes that a full disk did not take, kept in memory until the server ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ui.chat.transcript import ExchangeOutcome

if TYPE_CHECKING:
    from ui.chat.history import Exchange

MAX_UNSTORED = 100
"""Questions, and outcomes, that are kept; the oldest go first."""
NOT_STORED = (
    "The disk is full: this answer is not stored and ends with the server. Free some space, then "
    "ask again."
)
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class NewQuestion:
    """A question that is to be stored, and the conversation that it belongs to."""

    conversation: str
    owner: str
    exchange: Exchange


class Unstored:
    """What a full disk did not take, by exchange. Threads may share it."""

    def __init__(self) -> None:
        self._questions: dict[str, NewQuestion] = {}
        self._outcomes: dict[str, ExchangeOutcome] = {}

    def add(self, question: NewQuestion) -> None:
        """Keeps a question."""
        _keep(self._questions, question.exchange.id, question)

    def question(self, exchange: str) -> NewQuestion | None:
        """Returns the question of an exchange, if it is not stored."""
        return self._questions.get(exchange)

    def settle(self, exchange: str, outcome: ExchangeOutcome | None) -> None:
        """Keeps the outcome of a question, with a word that it is not stored."""
        self._outcomes.pop(exchange, None)
        if outcome:
            _keep(self._outcomes, exchange, _not_stored(outcome))

    def forget(self, exchange: str) -> None:
        """Forgets an exchange that is stored now."""
        self._questions.pop(exchange, None)
        self._outcomes.pop(exchange, None)

    def owners(self, conversation: str) -> set[str]:
        """Returns who has asked in a conversation."""
        return {question.owner for question in self._in(conversation)}

    def exchanges(self, conversation: str, owner: str) -> list[Exchange]:
        """Returns the unstored questions of an owner's conversation, in order."""
        exchanges = []
        for question in self._in(conversation):
            if question.owner == owner:
                exchanges.append(question.exchange)
        return exchanges

    def with_outcomes(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Returns the exchanges with the outcomes that are kept here."""
        changed = []
        for exchange in exchanges:
            outcome = self._outcomes.get(exchange.id, exchange.outcome)
            changed.append(replace(exchange, outcome=outcome))
        return changed

    def _in(self, conversation: str) -> list[NewQuestion]:
        # A copy, because another thread may add a question meanwhile.
        questions = list(self._questions.values())
        return [question for question in questions if question.conversation == conversation]


def _not_stored(outcome: ExchangeOutcome) -> ExchangeOutcome:
    answer, failure = outcome.answer, outcome.failure
    if answer:
        answer = replace(answer, notices=(*answer.notices, NOT_STORED))
    if failure:
        failure = replace(failure, message=f"{failure.message} {NOT_STORED}")
    return ExchangeOutcome(answer, failure)


def _keep(store: dict[str, Kept], key: str, value: Kept) -> None:
    """Keeps a value, and of the values before it the newest."""
    while len(store) >= MAX_UNSTORED:
        oldest = next(iter(store))
        store.pop(oldest, None)
    store[key] = value
