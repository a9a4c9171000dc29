"""The questions of a run one by one: what was asked, what is so, and what came of it. Read from disk, not trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from eval.dataset import Question
from eval.results import (
    QUESTIONS,
    RESULTS,
    SUMMARY,
    Row,
    Run,
    Scores,
    read_asked,
    read_rows,
    read_run,
)
from eval.summary import By, Figure, Group
from qa.errors import RunError
from qa.types import AnswerSentence, Usage, Why

Ending = Literal[
    "right", "wrong answer", "wrongly refused", "should have refused", "error", "not scored"
]
"""What came of a question. Not scored: whether it was answered right is not measured, as of a set without quotes."""


@dataclass(frozen=True, slots=True)
class Read:
    """A passage as it was read, best first."""

    document: str
    start: int
    end: int
    text: str
    score: float
    why: Why


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of asking a question once: a line of results.jsonl."""

    question: str = ""
    repeat: int = 1
    error: str | None = None
    """All that follows says nothing where there is one."""
    standalone_question: str = ""
    answer: str = ""
    abstained: bool = False
    reason: str | None = None
    confidence: FiniteFloat = 0.0
    sentences: tuple[AnswerSentence, ...] = ()
    passages: tuple[Read, ...] = ()
    engine: str = ""
    timings: Mapping[str, FiniteFloat] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A question of a run; what the run's folder does not hold is missing."""

    id: str
    question: Question | None
    replies: tuple[Reply, ...]
    """One for each repeat."""
    scores: Scores
    """Empty for an error."""
    error: str | None

    @property
    def text(self) -> str:
        """What was asked, or the id where that is not known."""
        if self.question is not None:
            return self.question.question
        return next((reply.question for reply in self.replies if reply.question), self.id)

    @property
    def answerable(self) -> bool | None:
        """None: not known."""
        if self.question is not None:
            return self.question.answerable
        refused = [
            self.scores.get(name) is not None for name in ("wrongly_refused", "rightly_refused")
        ]
        return refused[0] if any(refused) else None

    @property
    def ending(self) -> Ending:
        """Of repeats: right if all of them are, an error if one is."""
        if self.error is not None or any(reply.error is not None for reply in self.replies):
            return "error"
        right = self.scores.get("answered_right")
        if right is None:
            return "not scored"
        if right >= 1:
            return "right"
        if self.answerable is False:
            return "should have refused"
        return "wrongly refused" if self.scores.get("wrongly_refused") else "wrong answer"

    @property
    def failed(self) -> bool:
        """Whether a person would not have been served."""
        return self.ending not in ("right", "not scored")


@dataclass(frozen=True, slots=True)
class Seen:
    """A run to look at."""

    run: Run
    groups: tuple[Group, ...]
    """Figures, first of all questions, then by split, then by kind."""
    cases: tuple[Case, ...]
    """In the order asked."""
    lacking: tuple[str, ...]
    """What its folder does not hold, in sentences."""


def read_seen(folder: Path) -> Seen:
    """The run of a folder. Raises RunError for one that did not end or is damaged, and QuestionFileError."""
    run = read_run(folder)
    has_rows, has_asked = ((folder / name).is_file() for name in (RESULTS, QUESTIONS))
    rows = read_rows(folder) if has_rows else {}
    asked = read_asked(folder) if has_asked else {}
    # The results are in the order asked; the summary has the broken questions apart.
    ids = dict.fromkeys(
        (*(key for key in rows if key in run.scores or key in run.errors), *run.asked)
    )
    cases = tuple(
        Case(
            key,
            asked.get(key),
            _replies(folder, rows.get(key, ())),
            run.scores.get(key, {}),
            run.errors.get(key),
        )
        for key in ids
    )
    return Seen(run, tuple(_groups(run)), cases, tuple(_lacking(cases, has_rows, has_asked)))


def gold_in(passage: Read, question: Question) -> list[int]:
    """Which gold quotes a passage holds, at least half of each, as the measures have it; counted from 1.

    By the words, since a run's folder has no documents; words that stand in several places count in each. A document
    that is relevant as a whole counts as quote 1.
    """
    if question.relevant:
        return [1] if passage.document in question.relevant else []
    return [
        number
        for number, quote in enumerate(question.evidence, start=1)
        if holds(passage.text, quote)
    ]


def holds(text: str, quote: str) -> bool:
    """Whether a text holds at least half of a quote: the whole of it, or where the text was cut, its begin or end."""
    if quote in text:
        return True
    if 2 * len(text) >= len(quote) and text in quote:
        return True
    lengths = range(len(quote) - 1, (len(quote) - 1) // 2, -1)
    return any(
        text.endswith(quote[:length]) or text.startswith(quote[-length:]) for length in lengths
    )


def rank_of_gold(reply: Reply, question: Question) -> int | None:
    """The rank of the first passage that holds a gold quote, counted from 1; None: none that was read."""
    return next(
        (
            rank
            for rank, passage in enumerate(reply.passages, start=1)
            if gold_in(passage, question)
        ),
        None,
    )


_REPLY = TypeAdapter(Reply)
_GROUP = TypeAdapter(Group)


def _replies(folder: Path, rows: Sequence[Row]) -> tuple[Reply, ...]:
    try:
        return tuple(_REPLY.validate_python(row) for row in rows)
    except ValidationError as error:
        told = f"{folder / RESULTS} is damaged at {rows[0]['id']}: {_first(error)}."
        raise RunError(f"{told} Go on with it (--resume), or make it again.") from error


def _groups(run: Run) -> list[Group]:
    found = [_group(run, "overall", "overall", run.about["overall"])]
    for by in get_args(By)[1:]:
        groups = run.about.get(f"by_{by}", {})
        if not isinstance(groups, dict):
            raise RunError(
                f'{run.folder / SUMMARY} is damaged: "by_{by}" is no object. Make the run again.'
            )
        found += [_group(run, by, name, group) for name, group in groups.items()]
    return found


def _group(run: Run, by: str, name: str, given: Any) -> Group:
    try:
        group = _GROUP.validate_python({**given, "by": by, "name": name})
    except (TypeError, ValidationError) as error:
        told = _first(error) if isinstance(error, ValidationError) else "no object"
        raise RunError(
            f"{run.folder / SUMMARY} is damaged at {by} {name}: {told}. Make the run again."
        ) from error
    if not all(map(_is_finite, group.figures.values())):
        raise RunError(
            f"{run.folder / SUMMARY} is damaged at {by} {name}: not finite. Make the run again."
        )
    return group


def _is_finite(figure: Figure) -> bool:
    return all(
        value is None or isfinite(value) for value in (figure.value, figure.low, figure.high)
    )


def _first(error: ValidationError) -> str:
    """Where the first thing is wrong, and what."""
    found = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"


def _lacking(cases: Sequence[Case], has_rows: bool, has_asked: bool) -> list[str]:
    found = []
    if not has_rows:
        found.append(f"There is no {RESULTS}: what was answered is not known.")
    elif unanswered := sum(not case.replies for case in cases):
        found.append(f"{RESULTS} lacks {unanswered} of the {len(cases)} questions.")
    if not has_asked:
        found.append(
            f"There is no {QUESTIONS}: kinds, accepted answers and gold evidence are not known."
        )
    elif unknown := sum(case.question is None for case in cases):
        found.append(f"{QUESTIONS} lacks {unknown} of the {len(cases)} questions.")
    return found
