"""What BEIR and TREC share: which documents are relevant to a query, without quotes and without answers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.dataset import Question, Split
from eval.formats.base import Notes, Problems
from eval.formats.canonical import Taken, canonical, one_line, unique
from eval.formats.parsing import at_line

ONE, SEVERAL = "one-document", "several-documents"
"""The kinds: of how many documents are relevant."""
Grades = Mapping[str, Mapping[str, int]]
"""By query and document, as the files call them, the grade; only positive ones."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A line of a file of judgements."""

    line: int
    query: str
    document: str
    grade: str


def grades(path: Path, judgements: Iterable[Judgement], problems: Problems) -> Iterator[Judgement]:
    """The judgements that are positive; a grade that is not a whole number is a problem."""
    for judgement in judgements:
        try:
            # Some exports write whole numbers as 1.0.
            grade = float(judgement.grade)
            positive, whole = grade > 0, grade == int(grade)
        except (ValueError, OverflowError):
            whole = positive = False
        if not whole:
            problems.add(
                at_line(path, judgement.line),
                f"the grade must be a whole number, not {judgement.grade[:80]!r}",
            )
        elif positive:
            yield judgement


def relevant(
    path: Path,
    positive: Iterable[Judgement],
    names: Mapping[str, str | None],
    problems: Problems,
    notes: Notes,
) -> dict[str, dict[str, int]]:
    """By query, the grades of its relevant documents, by our names.

    `names`: ours, by those of the file; None for a document that was left out. One that is not there is a problem.
    """
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for judgement in positive:
        if judgement.document not in names:
            shown = one_line(judgement.document)
            problems.add(at_line(path, judgement.line), f"there is no document {shown!r}")
        elif name := names[judgement.document]:
            grade = int(float(judgement.grade))
            found[judgement.query][name] = max(grade, found[judgement.query].get(name, 0))
        else:
            notes.count("Judgements of documents without a word, left out")
    return found


def questions(
    queries: Mapping[str, str], found: Grades, split: Split, notes: Notes
) -> list[Question]:
    """One for each query that has a relevant document; of the others it is not known whether one answers."""
    for _ in found.keys() - queries.keys():
        notes.count("Queries that are judged, but not in the file of queries")
    taken: Taken = {}
    asked = []
    for key, query in queries.items():
        if not found.get(key):
            notes.leave_out(
                one_line(key),
                "no document is judged relevant, so that it is not known whether one answers",
            )
            continue
        kind = ONE if len(found[key]) == 1 else SEVERAL
        asked.append(
            Question(
                id=unique(one_line(key) or "query", taken),
                question=canonical(query).strip(),
                answerable=True,
                answers=(),
                evidence=(),
                kind=kind,
                split=split,
                relevant=found[key],
            )
        )
    return asked
