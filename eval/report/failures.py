"""The failed questions of one run or of several, for a template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.report.details import QuestionDetails
from eval.run_schema import Result
from qa.types import Support

SUPPORT: Mapping[Support, str] = {
    "verbatim": "the document's words",
    "supported": "supported",
    "weak": "weakly supported",
    "unsupported": "not supported",
}


@dataclass(frozen=True, slots=True)
class FailedQuestion:
    """A question that failed in at least one run, with what each run made of it."""

    anchor: str
    """Where it is on the page."""
    by_run: Mapping[str, QuestionDetails]
    """By run name: what that run made of the question."""

    @property
    def known(self) -> QuestionDetails:
        """The question as a run has it that knows its kind and evidence, if any does."""
        every = list(self.by_run.values())
        for details in every:
            if details.question:
                return details
        return every[0]

    @property
    def outcomes(self) -> list[str]:
        """How it failed, each way once."""
        outcomes: dict[str, None] = {}
        for details in self.by_run.values():
            if details.failed:
                outcomes[details.outcome] = None
        return list(outcomes)


@dataclass(frozen=True, slots=True)
class FailuresView:
    """The failed questions, for a template."""

    runs: Sequence[str]
    questions: Sequence[FailedQuestion]
    total: int
    """How many questions the runs asked."""
    not_scored: int
    """Questions for which the run does not measure whether the answer is right."""


@dataclass(frozen=True, slots=True)
class EqualResults:
    """Consecutive repeats of a question with the same answer."""

    result: Result
    """The first of them."""
    last: int
    """The number of the last of them."""


def view_failures(runs: Mapping[str, Sequence[QuestionDetails]]) -> FailuresView:
    """Returns every question that failed in a run, once, in the order asked."""
    by_id: dict[str, dict[str, QuestionDetails]] = {}
    not_scored = 0
    for run, questions in runs.items():
        for details in questions:
            in_runs = by_id.setdefault(details.id, {})
            in_runs[run] = details
            if details.outcome == "not scored":
                not_scored += 1

    failed: list[FailedQuestion] = []
    # All results of a question are shown, also those of the runs in which it did not fail.
    for in_runs in by_id.values():
        question = FailedQuestion(
            anchor=f"q{len(failed) + 1}",
            by_run=in_runs,
        )
        if question.outcomes:
            failed.append(question)
    return FailuresView(
        runs=list(runs),
        questions=failed,
        total=len(by_id),
        not_scored=not_scored,
    )


def equal_results(results: Sequence[Result]) -> list[EqualResults]:
    """Returns the repeats of a question, those with the same answer in a row as one."""
    stretches: list[EqualResults] = []
    for result in results:
        first = result
        # A result that only repeats the last stretch extends it.
        if stretches and _are_equal(stretches[-1].result, result):
            first = stretches.pop().result
        stretches.append(EqualResults(first, result.repeat))
    return stretches


def _are_equal(first: Result, second: Result) -> bool:
    if first.error is not None or second.error is not None:
        return first.error == second.error
    # The same words may rest on other citations.
    same_words = first.answer == second.answer
    return same_words and first.sentences == second.sentences
