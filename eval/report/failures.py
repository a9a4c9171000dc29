"""The failed questions of one run or of several, for a template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from eval.dataset import Question
from eval.evidence import EvidenceRank, evidence_rank
from eval.report.details import QuestionDetails
from eval.results import Result
from qa.types import Citation, Support

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
    """The runs that asked it, by name."""

    @property
    def known(self) -> QuestionDetails:
        """The question as a run has it that knows its kind and evidence, if any does."""
        every = list(self.by_run.values())
        return next((details for details in every if details.question), every[0])

    @property
    def outcomes(self) -> list[str]:
        """How it failed, each way once."""
        failed = [details for details in self.by_run.values() if details.failed]
        return list(dict.fromkeys(details.outcome for details in failed))

    @property
    def facts(self) -> str:
        """Outcomes, kind, split and id, in a line."""
        question = self.known.question
        labels = [question.kind, question.split] if question else []
        return " · ".join([*self.outcomes, *labels, self.known.id])

    def outcome_in(self, run: str) -> str:
        return self.by_run[run].outcome if run in self.by_run else "not asked"


@dataclass(frozen=True, slots=True)
class FailuresView:
    """The failed questions, for a template."""

    runs: Sequence[str]
    questions: Sequence[FailedQuestion]
    total: int
    """How many questions the runs asked."""
    not_scored: int
    """Questions for which the run does not measure whether the answer is right."""

    @property
    def kinds(self) -> list[str]:
        kinds = dict.fromkeys(question.known.kind for question in self.questions)
        return [kind for kind in kinds if kind]

    @property
    def outcomes(self) -> list[str]:
        outcomes: dict[str, None] = {}
        for question in self.questions:
            outcomes |= dict.fromkeys(question.outcomes)
        return list(outcomes)


def view_failures(runs: Mapping[str, Sequence[QuestionDetails]]) -> FailuresView:
    """Returns every question that failed in a run, once, in the order asked."""
    by_id: dict[str, dict[str, QuestionDetails]] = {}
    not_scored = 0
    for run, questions in runs.items():
        for details in questions:
            by_id.setdefault(details.id, {})[run] = details
            not_scored += details.outcome == "not scored"

    failed: list[FailedQuestion] = []
    for by_run in by_id.values():
        if any(details.failed for details in by_run.values()):
            failed.append(FailedQuestion(f"q{len(failed) + 1}", by_run))
    return FailuresView(list(runs), failed, len(by_id), not_scored)


def equal_results(results: Sequence[Result]) -> list[tuple[str, Result]]:
    """Returns one result for each stretch of repeats with the same answer.

    With each result comes which repeats it stands for; nothing if the question was asked once.
    """
    if len(results) == 1:
        return [("", results[0])]
    stretches = []
    for _, members in groupby(results, key=lambda r: (r.error, r.answer, r.sentences)):
        stretch = list(members)
        first, last = stretch[0].repeat, stretch[-1].repeat
        label = f"repeat {first}" if first == last else f"repeats {first} to {last}"
        stretches.append((f" ({label})", stretch[0]))
    return stretches


def answer_texts(details: QuestionDetails) -> list[str]:
    """Returns the answers to a question, or its errors, each once for equal repeats."""
    results = [result for _, result in equal_results(details.results)]
    return [result.answer if result.error is None else result.error for result in results]


def place(citation: Citation) -> str:
    """Returns where a quote stands, in words."""
    page = f"page {citation.page}, " if citation.page else ""
    return f"{citation.document}, {page}characters {citation.start}–{citation.end}"


def rank_text(result: Result, question: Question | None) -> str:
    """Returns the rank of the evidence in words; an empty text where it is not known."""
    rank = evidence_rank(result, question) if question else None
    return _rank_in_words(rank) if rank else ""


def _rank_in_words(rank: EvidenceRank) -> str:
    read = f"of the {rank.count} {rank.unit} read"
    return f"{rank.rank} {read}" if rank.rank else f"none {read}"
