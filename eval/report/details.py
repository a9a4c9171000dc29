"""The questions of a run one by one: what was asked, what is right, and what the bot answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval.dataset import Question
from eval.results import QUESTIONS, RESULTS, read_results, read_run, read_run_questions
from eval.run_schema import Result, Run, Scores

OutcomeName = Literal[
    "right", "wrong answer", "wrongly refused", "should have refused", "error", "not scored"
]
"""Not scored: the run does not measure whether the answer is right, for example without quotes."""


@dataclass(frozen=True, slots=True)
class QuestionDetails:
    """A question of a run. A part is missing where the folder of the run does not have it."""

    id: str
    question: Question | None
    results: tuple[Result, ...]
    """One for each time the question was asked."""
    scores: Scores
    """Means over the repeats; empty for a question with an error."""
    error: str | None

    @property
    def text(self) -> str:
        """The words of the question, or its id where they are not known."""
        if self.question is not None:
            return self.question.question
        for result in self.results:
            if result.question:
                return result.question
        return self.id

    @property
    def kind(self) -> str:
        return self.question.kind if self.question else ""

    @property
    def split(self) -> str:
        return self.question.split if self.question else ""

    @property
    def answerable(self) -> bool | None:
        """None: not known."""
        if self.question is not None:
            return self.question.answerable
        # Each of these metrics applies to one of the two sorts of question only.
        if self.scores.get("wrongly_refused") is not None:
            return True
        if self.scores.get("rightly_refused") is not None:
            return False
        return None

    @property
    def outcome(self) -> OutcomeName:
        """Right only if every repeat is right; an error if any repeat is an error."""
        if self.error is not None or any(result.error is not None for result in self.results):
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
        """Whether a person would have been left without a right answer."""
        return self.outcome not in ("right", "not scored")


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with its questions."""

    run: Run
    questions: tuple[QuestionDetails, ...]
    """In the order asked."""
    missing: tuple[str, ...]
    """What the folder of the run does not have, as sentences."""

    @property
    def failed(self) -> list[QuestionDetails]:
        return [question for question in self.questions if question.failed]


def read_details(folder: Path) -> RunDetails:
    """Returns the run of a folder with its questions.

    results.jsonl and questions.jsonl may be absent. Raises RunError for a run that did not end or
    is damaged, and QuestionFileError.
    """
    run = read_run(folder)
    has_results = (folder / RESULTS).is_file()
    has_questions = (folder / QUESTIONS).is_file()
    results = _by_question(read_results(folder)) if has_results else {}
    questions = read_run_questions(folder) if has_questions else {}

    details = _details(run, results, questions)
    return RunDetails(run, details, tuple(_missing(details, has_results, has_questions)))


def details_of_summary(run: Run) -> RunDetails:
    """Returns what the summary alone says of the questions: their scores and errors."""
    return RunDetails(run, _details(run, {}, {}), ())


def failed_count(run: Run) -> int:
    """Returns how many questions of a run failed, without reading its results."""
    failed = len(run.errors)
    for scores in run.scores.values():
        right = scores.get("answered_right")
        if right is not None and right < 1:
            failed += 1
    return failed


def _details(
    run: Run, results: Mapping[str, Sequence[Result]], questions: Mapping[str, Question]
) -> tuple[QuestionDetails, ...]:
    # The results are in the order asked; the summary lists the questions with an error apart.
    known_ids = set(run.ids)
    in_order = [key for key in results if key in known_ids]
    return tuple(
        QuestionDetails(
            id=key,
            question=questions.get(key),
            results=tuple(results.get(key, ())),
            scores=run.scores.get(key, {}),
            error=run.errors.get(key),
        )
        for key in dict.fromkeys((*in_order, *run.ids))
    )


def _by_question(results: Sequence[Result]) -> Mapping[str, Sequence[Result]]:
    by_id: dict[str, list[Result]] = {}
    for result in results:
        by_id.setdefault(result.id, []).append(result)
    return by_id


def _missing(
    details: Sequence[QuestionDetails], has_results: bool, has_questions: bool
) -> list[str]:
    sentences = []
    # Both files may also lack some of the questions.
    unanswered = sum(not question.results for question in details)
    unknown = sum(question.question is None for question in details)
    if not has_results:
        sentences.append(f"There is no {RESULTS}: the answers are not known.")
    elif unanswered:
        sentences.append(f"{RESULTS} lacks {unanswered} of the {len(details)} questions.")
    if not has_questions:
        sentences.append(
            f"There is no {QUESTIONS}: kinds, accepted answers and gold evidence are not known."
        )
    elif unknown:
        sentences.append(f"{QUESTIONS} lacks {unknown} of the {len(details)} questions.")
    return sentences
