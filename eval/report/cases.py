"""The questions of a run one by one: what was asked, what is so, and what came of it. Read from disk, not trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval.dataset import Question
from eval.results import (
    QUESTIONS,
    RESULTS,
    Group,
    Result,
    Run,
    Scores,
    read_results,
    read_run,
    read_run_questions,
)

Ending = Literal[
    "right", "wrong answer", "wrongly refused", "should have refused", "error", "not scored"
]
"""What came of a question. Not scored: whether it was answered right is not measured, as of a set without quotes."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question of a run; what the run's folder does not hold is missing."""

    id: str
    question: Question | None
    replies: tuple[Result, ...]
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
    rows: dict[str, list[Result]] = {}
    for result in read_results(folder) if has_rows else []:
        rows.setdefault(result.id, []).append(result)
    asked = read_run_questions(folder) if has_asked else {}
    # The results are in the order asked; the summary has the broken questions apart.
    ids = dict.fromkeys(
        (*(key for key in rows if key in run.scores or key in run.errors), *run.ids)
    )
    cases = tuple(
        Case(
            key,
            asked.get(key),
            tuple(rows.get(key, ())),
            run.scores.get(key, {}),
            run.errors.get(key),
        )
        for key in ids
    )
    return Seen(run, run.groups, cases, tuple(_lacking(cases, has_rows, has_asked)))


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
