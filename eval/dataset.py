"""Question files: one JSON object a line, checked as a whole before anything is asked."""

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from qa.errors import QuestionFileError
from qa.terminal import visible
from qa.types import Document, Span, Turn

Split = Literal["dev", "test"]
Gold = tuple[str, Span]
"""A document's name and the span of a gold quote in its text."""
Problem = tuple[int, str]
"""The line of a question file, and what is wrong with it."""
_SHOWN = 80
"""Characters of a quote that an error message shows."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what a right answer says (`answers`) and rests on (`evidence`, verbatim quotes)."""

    id: str
    question: str
    answerable: bool
    answers: tuple[str, ...]
    evidence: tuple[str, ...]
    kind: str
    history: tuple[Turn, ...] = ()
    split: Split = "dev"
    line: int = 0
    """Where it stands in its file, from 1."""
    relevant: Mapping[str, int] = field(default_factory=dict)
    """Grades, from 1, of the documents that are relevant as a whole, by name: what sets without quotes have."""
    group: str = ""
    """What it shares with others, its article for one: such questions are not independent, and intervals know it."""

    def as_json(self) -> dict[str, Any]:
        """The question as a line of a question file has it."""
        row: dict[str, Any] = {
            "id": self.id,
            "question": self.question,
            "answerable": self.answerable,
            "answers": list(self.answers),
            "evidence": list(self.evidence),
            "kind": self.kind,
            "split": self.split,
        }
        if self.history:
            row["history"] = [
                {"question": turn.question, "answer": turn.answer} for turn in self.history
            ]
        if self.relevant:
            row["relevant"] = dict(self.relevant)
        return row | ({"group": self.group} if self.group else {})


def read_questions(path: Path) -> list[Question]:
    """The questions of a file, in its order; blank lines count as lines and are skipped.

    Raises one QuestionFileError that names every bad line and everything that is wrong with it.
    """
    questions, problems = scan(path)
    if problems:
        raise QuestionFileError(listed(f"{path} has bad lines. Mend them:", problems))
    return questions


def scan(path: Path) -> tuple[list[Question], list[Problem]]:
    """The questions of the good lines, and what is wrong with the others.

    Raises QuestionFileError for a file that cannot be read. One that holds nothing has that problem.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise QuestionFileError(
            f"{path} cannot be read: {error.strerror}. Check the path."
        ) from error
    questions: list[Question] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    # Some editors begin a file of UTF-8 with a mark.
    raw = raw.removeprefix(BOM_UTF8)
    # Cut as bytes: lines of a str also end at characters, U+2028 for one, that JSON allows inside a text.
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _parsed(line)
        except ValueError as error:
            problems.append((number, str(error)))
            continue
        found = [*_field_problems(row), *_repeated(row, number, seen)]
        problems += [(number, problem) for problem in found]
        if not found:
            questions.append(_question(row, number))
    if not (questions or problems):
        problems.append((1, "there is no question. Write one JSON object a line"))
    return questions, problems


def check_evidence(
    questions: Iterable[Question], documents: Sequence[Document]
) -> dict[str, list[Gold]]:
    """By question id, where its gold quotes stand, in the order of the quotes; an empty list for those without.

    Raises one QuestionFileError that names every quote that the documents do not hold, or hold more than once,
    so that it would not be known which of them is meant, and every relevant document that is not there.
    """
    gold, problems = locate(questions, documents)
    if problems:
        heading = (
            "Each evidence must be found, verbatim, exactly once in the documents. Mend these:"
        )
        raise QuestionFileError(listed(heading, problems))
    return gold


def locate(
    questions: Iterable[Question], documents: Sequence[Document]
) -> tuple[dict[str, list[Gold]], list[Problem]]:
    """By question id, where the gold quotes stand that stand in one place, and what is wrong with the others."""
    texts = list({document.id: document for document in documents}.values())
    names = {document.name for document in texts}
    gold: dict[str, list[Gold]] = {}
    problems: list[Problem] = []
    for question in questions:
        gold[question.id] = []
        lacking = question.relevant.keys() - names
        problems += [
            (question.line, f"{question.id}: there is no document {name!r}")
            for name in sorted(lacking)
        ]
        for quote in question.evidence:
            found = [place for document in texts for place in _places(quote, document)]
            if len(found) == 1:
                gold[question.id].append(found[0])
            else:
                told = f"is in the documents {len(found)} times" if found else "is in no document"
                shown = quote if len(quote) <= _SHOWN else f"{quote[:_SHOWN]}…"
                problems.append((question.line, f"{question.id}: evidence {told}: {shown!r}"))
    return gold, problems


def listed(heading: str, problems: Iterable[Problem]) -> str:
    """A message with a line for each problem."""
    return "\n".join(
        [heading, *(f"  line {number}: {visible(problem)}" for number, problem in problems)]
    )


def _places(quote: str, document: Document) -> Iterator[Gold]:
    """Every place of a quote in a document, also where two of them overlap."""
    start = document.text.find(quote)
    while start >= 0:
        yield document.name, Span(start, start + len(quote))
        start = document.text.find(quote, start + 1)


def _parsed(line: bytes) -> dict[str, Any]:
    """Raises ValueError for a line that is not a JSON object in UTF-8."""
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"invalid UTF-8 (byte {error.start + 1} of the line)") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"invalid JSON: {error.msg} (character {error.colno})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"invalid JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    return row


def _is_text(value: Any) -> bool:
    # JSON can spell half of a surrogate pair, which no file and no model takes.
    return (
        isinstance(value, str)
        and bool(value.strip())
        and not any("\ud800" <= c <= "\udfff" for c in value)
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_turns(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(turn, dict)
        and set(turn) == {"question", "answer"}
        and all(map(_is_text, turn.values()))
        for turn in value
    )


def _are_grades(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _is_text(name) and isinstance(grade, int) and not isinstance(grade, bool) and grade > 0
        for name, grade in value.items()
    )


@dataclass(frozen=True, slots=True)
class _Field:
    fits: Callable[[Any], bool]
    words: str
    required: bool = True


_FIELDS = {
    "id": _Field(_is_text, "a text that is not empty"),
    "question": _Field(_is_text, "a text that is not empty"),
    "answerable": _Field(lambda value: isinstance(value, bool), "true or false"),
    "answers": _Field(_are_texts, "a list of texts that are not empty"),
    "evidence": _Field(_are_texts, "a list of texts that are not empty"),
    "kind": _Field(_is_text, "a text that is not empty"),
    "history": _Field(
        _are_turns, 'a list of objects with the texts "question" and "answer"', required=False
    ),
    "split": _Field(lambda value: value in ("dev", "test"), '"dev" or "test"', required=False),
    "relevant": _Field(
        _are_grades, "an object of document names, each with a whole number from 1", required=False
    ),
    "group": _Field(_is_text, "a text that is not empty", required=False),
}


def _field_problems(row: dict[str, Any]) -> Iterator[str]:
    yield from (f'unknown field "{name}"' for name in row if name not in _FIELDS)
    for name, needed in _FIELDS.items():
        if name in row and not needed.fits(row[name]):
            yield f'"{name}" must be {needed.words}'
        if name not in row and needed.required:
            yield f'"{name}" is missing'
    answerable = row.get("answerable")
    for name in ("answers", "evidence"):
        # Of relevant documents it need not be known what they answer, nor where.
        if answerable is True and row.get(name) == [] and not row.get("relevant"):
            yield f'answerable, but without "{name}"'
    for name in ("answers", "evidence", "relevant"):
        if answerable is False and row.get(name):
            yield f'not answerable, but with "{name}"'


def _repeated(row: dict[str, Any], number: int, seen: dict[str, int]) -> Iterator[str]:
    """Notes the line of each id; tells of one that an earlier line has."""
    key = row.get("id")
    if isinstance(key, str) and seen.setdefault(key, number) != number:
        yield f'the id "{key}" is that of line {seen[key]} too'


def _question(row: dict[str, Any], number: int) -> Question:
    return Question(
        id=row["id"],
        question=row["question"],
        answerable=row["answerable"],
        answers=tuple(row["answers"]),
        evidence=tuple(row["evidence"]),
        kind=row["kind"],
        history=tuple(Turn(**turn) for turn in row.get("history", ())),
        split=row.get("split", "dev"),
        line=number,
        relevant=row.get("relevant", {}),
        group=row.get("group", ""),
    )
