"""Relevance judgements, which BEIR and TREC share: no quotes and no answers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.dataset import Question, Split
from eval.formats.base import Notes, Problems
from eval.formats.canonical import TakenNames, canonical, one_line, unique
from eval.formats.paragraphs import ArticleBuilder
from eval.formats.parsing import at_line
from qa.types import Document

ONE_DOCUMENT, SEVERAL_DOCUMENTS = "one-document", "several-documents"
"""The kinds of questions, by the number of relevant documents."""

Grades = Mapping[str, Mapping[str, int]]
"""By query id and document name, the grade; only positive grades."""
Documents = tuple[Document, ...]
DocumentNames = dict[str, str | None]
"""Our names by the names that judgements use; None: a blank document, which was left out."""


@dataclass(frozen=True, slots=True)
class RelevanceJudgement:
    """A line of a file of judgements, with the ids of the file."""

    line: int
    query: str
    document: str
    grade: str


class Corpus:
    """The records of a corpus. Each becomes a document; judgements name it by its key."""

    def __init__(self, format_name: str, notes: Notes) -> None:
        self._articles = ArticleBuilder(format_name, notes)
        self._notes = notes
        self._numbers: dict[str, int | None] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._numbers

    def add(self, key: str, title: str, text: str) -> None:
        """Adds a record. A blank text becomes no document, but its key is known."""
        paragraph_span = self._articles.add(key, title or key, text)
        if paragraph_span is None:
            self._notes.count("Blank documents, left out")
            self._numbers[key] = None
        else:
            self._numbers[key] = paragraph_span.document

    def documents(self, taken_by: Iterable[Document] = ()) -> tuple[Documents, DocumentNames]:
        """Returns the documents, and their names by key.

        taken_by: documents whose names are not used again.
        """
        documents = self._articles.documents(by_key=True, taken_by=taken_by)
        names: DocumentNames = {}
        for key, number in self._numbers.items():
            names[key] = None if number is None else documents[number].name
        return documents, names


def positive_judgements(
    path: Path, judgements: Iterable[RelevanceJudgement], problems: Problems
) -> Iterator[RelevanceJudgement]:
    """Yields the judgements with a positive grade. A grade must be a whole number."""
    for judgement in judgements:
        try:
            # Some exports write whole numbers as 1.0.
            grade = float(judgement.grade)
            is_whole = grade == int(grade)
        except (ValueError, OverflowError):
            grade, is_whole = 0, False

        if not is_whole:
            where = at_line(path, judgement.line)
            shown = judgement.grade[:80]
            problems.add(where, f"the grade must be a whole number, not {shown!r}")
        elif grade > 0:
            yield judgement


def relevant_documents(
    path: Path,
    positive: Iterable[RelevanceJudgement],
    names: DocumentNames,
    problems: Problems,
    notes: Notes,
) -> dict[str, dict[str, int]]:
    """Returns for each query the grades of its relevant documents, by our document names.

    A name that is not in `names` is added to the problems.
    """
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for judgement in positive:
        if judgement.document not in names:
            shown = one_line(judgement.document)
            problems.add(at_line(path, judgement.line), f"there is no document {shown!r}")
            continue

        name = names[judgement.document]
        if not name:
            notes.count("Judgements of blank documents, left out")
            continue

        grade = int(float(judgement.grade))
        earlier = grades[judgement.query].get(name, 0)
        grades[judgement.query][name] = max(grade, earlier)
    return grades


def judged_questions(
    queries: Mapping[str, str], grades: Grades, split: Split, notes: Notes
) -> list[Question]:
    """Returns a question for each query that has a relevant document.

    For a query without one, nobody knows whether a document answers it: it is left out.
    """
    for _ in grades.keys() - queries.keys():
        notes.count("Queries with judgements that the file of queries lacks")

    taken: TakenNames = {}
    questions = []
    for key, query in queries.items():
        relevant = grades.get(key)
        if not relevant:
            notes.leave_out(
                one_line(key), "no document is judged relevant, so the answer is unknown"
            )
            continue
        question = Question(
            id=unique(one_line(key) or "query", taken),
            question=canonical(query).strip(),
            answerable=True,
            answers=(),
            evidence=(),
            kind=ONE_DOCUMENT if len(relevant) == 1 else SEVERAL_DOCUMENTS,
            split=split,
            relevant=relevant,
        )
        questions.append(question)
    return questions
