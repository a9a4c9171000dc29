"""Engines are asked the same questions, by turns."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from eval.bench.metrics import MEASURES, Of
from eval.dataset import Question, check_evidence
from eval.metrics.example import Example
from qa.types import Answer, Document

WARMING = "What is this about?"
"""Asked of each engine first, and not measured: some things are made when they are first needed."""
_log = logging.getLogger(__name__)


class Asked(Protocol):
    """What is asked: `qa.bot.Bot`, a peer, or a fake."""

    def ask(self, question: str, /) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """What is asked, and what it is measured in beside its speed."""

    name: str
    asked: Asked
    measured: tuple[Of, ...]
    beside: str | None = None
    """The engine of ours that it is compared with; None: it is one of ours."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of asking one engine."""

    engine: Engine
    scores: Sequence[Mapping[str, float | None]]
    """By measure, of each question, in order; empty for one that broke."""
    errors: Mapping[str, str]
    """By question id."""


def ask(
    engines: Sequence[Engine],
    questions: Sequence[Question],
    documents: Sequence[Document],
    tell: Callable[[int], None] = lambda _: None,
) -> list[Outcomes]:
    """Asks every engine a question before the next one, in the order of the engines and back by turns.

    So what else the machine does meets them alike. `tell` is given the number of questions asked so far. An exception
    is the outcome of its question and engine. Raises QuestionFileError for evidence that is not in the documents.
    """
    gold = check_evidence(questions, documents)
    library = {document.name: document for document in documents}
    scores: dict[str, list[Mapping[str, float | None]]] = {engine.name: [] for engine in engines}
    errors: dict[str, dict[str, str]] = {engine.name: {} for engine in engines}
    for engine in engines:
        engine.asked.ask(WARMING)
    for number, question in enumerate(questions, start=1):
        for engine in engines if number % 2 else reversed(engines):
            try:
                answer = engine.asked.ask(question.question)
            except Exception as error:  # noqa: BLE001  # an outcome: recorded, counted, and the others go on
                errors[engine.name][question.id] = f"{type(error).__name__}: {error}"
                _log.error("%s broke at %s: %s", engine.name, question.id, error)
                scores[engine.name].append({})
            else:
                example = Example(question, gold[question.id], answer, library)
                scores[engine.name].append(_scores(engine, example))
        tell(number)
    return [Outcomes(engine, scores[engine.name], errors[engine.name]) for engine in engines]


def _scores(engine: Engine, example: Example) -> dict[str, float | None]:
    measured = (*engine.measured, "seconds")
    return {name: measure(example) for name, (of, measure) in MEASURES.items() if of in measured}
