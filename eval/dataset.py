"""Question files: one JSON object a line, checked as a whole before any question is asked."""

from codecs import BOM_UTF8
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from eval.files import (
    MAX_LINE_VALUES,
    MAX_LISTED,
    MAX_PROBLEMS,
    check_values,
    numbered_lines,
    read_file,
)
from qa.errors import QuestionFileError
from qa.terminal import escaped_line
from qa.types import Document, Span, Turn

Split = Literal["dev", "test"]
DocumentSpan = tuple[str, Span]
"""The name of a document and a span of its text."""
Gold = tuple[DocumentSpan, ...]
"""The spans of a gold quote in the documents, at least one. Any of them counts."""
GoldById = dict[str, list[Gold]]
"""The quotes of each question, by question id."""
Problem = tuple[int, str]
"""A line of a question file, and what is wrong with it."""
MAX_QUESTION_FILE = 64 * 2**20
"""Bytes. A larger question file is not read."""
MAX_GOLD_SPANS = 1_000
"""A quote with more spans than this shows nothing, and each measure would compare them all."""
_SHOWN = 80
"""Characters of a quote that an error message shows."""
_MAX_IDS = 5
"""Ids of questions that a note lists."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the answers that are accepted, and its evidence: verbatim quotes.

    An answerable question may have answers without evidence, or evidence without answers. What
    needs the other is then unscored.
    """

    id: str
    question: str
    answerable: bool
    answers: tuple[str, ...]
    evidence: tuple[str, ...]
    kind: str
    history: tuple[Turn, ...] = ()
    split: Split = "dev"
    line: int = 0
    """The line of the question in its file, from 1."""
    relevant: Mapping[str, int] = field(default_factory=dict)
    """Grades from 1 by document name: sets without quotes know only whole relevant documents."""
    group: str = ""
    """What the question shares with others, such as an article: they are not independent."""
    document: str = ""
    """The name of the only document in which evidence counts; empty: it counts in any."""

    def as_json(self) -> dict[str, Any]:
        """Returns the question as a line of a question file has it."""
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
        if self.group:
            row["group"] = self.group
        if self.document:
            row["document"] = self.document
        return row


def read_questions(path: Path) -> list[Question]:
    """Returns the questions of a file, in its order. Blank lines are skipped.

    Raises one QuestionFileError that names every bad line and everything wrong with it.
    """
    questions, problems = scan_questions(path)
    if problems:
        raise QuestionFileError(format_problems(f"{path} has bad lines. Fix them:", problems))
    return questions


def scan_questions(path: Path) -> tuple[list[Question], list[Problem]]:
    """Returns the questions of the good lines, and what is wrong with the bad lines.

    After 100 problems, no more lines are read. An empty file has a problem. Raises
    QuestionFileError for a file that cannot be read, or is too large.
    """
    raw = read_question_file(path)

    questions: list[Question] = []
    problems: list[Problem] = []
    line_of_id: dict[str, int] = {}
    # Some editors start a UTF-8 file with a byte order mark.
    raw = raw.removeprefix(BOM_UTF8)
    for number, line in numbered_lines(raw):
        if len(problems) > MAX_PROBLEMS:
            break
        if not line.strip():
            continue
        try:
            check_values(line, MAX_LINE_VALUES)
            content = from_json(line)
        except ValueError as error:
            words = str(error).replace(" at line 1 column ", " at character ")
            problems.append((number, f"invalid JSON: {words}"))
            continue

        question, wrong = _parse(line, number)
        # Ids are compared in bad lines too: fixing a line must not bring up another problem.
        key = content.get("id") if isinstance(content, dict) else None
        if isinstance(key, str):
            first_line = line_of_id.setdefault(key, number)
            if first_line != number:
                wrong.append(f'the id "{key}" is that of line {first_line} too')
        for words in wrong:
            problems.append((number, words))
        if question is not None and not wrong:
            questions.append(question)

    if not questions and not problems:
        problems.append((1, "there is no question. Write one JSON object a line"))
    return questions, problems


def read_question_file(path: Path) -> bytes:
    """Returns the content of a question file. Raises QuestionFileError."""
    try:
        return read_file(path, MAX_QUESTION_FILE)
    except OSError as error:
        raise QuestionFileError(
            f"{path} cannot be read: {error.strerror}. Check the path."
        ) from error


def check_evidence(questions: Iterable[Question], documents: Sequence[Document]) -> GoldById:
    """Returns the gold quotes by question id, in their order, each with all its spans.

    Raises one QuestionFileError that names every quote that is in no document, or in too many
    places, and every document that a question names and that is missing.
    """
    gold, problems = find_evidence(questions, documents)
    if problems:
        heading = "Each evidence must be in the documents, verbatim. Fix these:"
        raise QuestionFileError(format_problems(heading, problems))
    return gold


def find_evidence(
    questions: Iterable[Question], documents: Sequence[Document]
) -> tuple[GoldById, list[Problem]]:
    """Returns the quotes that are in the documents, and what is wrong with the others."""
    # A document that was given twice counts once.
    unique = {document.id: document for document in documents}
    names = {document.name for document in documents}
    gold: GoldById = {}
    problems: list[Problem] = []
    for question in questions:
        gold[question.id] = []
        missing = named_documents(question) - names
        for name in sorted(missing):
            words = f"{question.id}: there is no document {name!r}"
            problems.append((question.line, words))
        # Every quote would be reported, and none of the reports would say what is wrong.
        if question.document in missing:
            continue

        for quote in question.evidence:
            spans = _spans_of(quote, question.document, unique.values())
            if 0 < len(spans) <= MAX_GOLD_SPANS:
                gold[question.id].append(spans)
            else:
                words = _quote_problem(quote, question.document, len(spans))
                problems.append((question.line, f"{question.id}: {words}"))
    return gold, problems


def named_documents(question: Question) -> set[str]:
    """Returns the names of the documents that a question names."""
    names = set(question.relevant)
    if question.document:
        names.add(question.document)
    return names


def repeated_quotes_note(gold: GoldById) -> str:
    """Returns a sentence about the quotes that are in several places; empty without any."""
    count = 0
    ids: dict[str, None] = {}
    for key, quotes in gold.items():
        for spans in quotes:
            if len(spans) > 1:
                count += 1
                ids[key] = None
    if not count:
        return ""

    shown = ", ".join(list(ids)[:_MAX_IDS])
    if len(ids) > _MAX_IDS:
        shown += ", …"
    quotes_are = "1 quote of the evidence is" if count == 1 else f"{count:,} quotes are"
    return (
        f"{quotes_are} in several places, and any of these places counts ({shown}). "
        'To count a single document, name it: "document".'
    )


def _quote_problem(quote: str, document: str, span_count: int) -> str:
    """Returns what is wrong with a quote that has no span, or too many.

    `document`: the name of the only document in which the quote counts; empty: it counts in any.
    """
    where = f"not in {document}" if document else "in no document"
    if span_count:
        where = f"in more than {MAX_GOLD_SPANS:,} places. Quote more words"
    shown = quote
    if len(quote) > _SHOWN:
        shown = f"{quote[:_SHOWN]}…"
    return f"evidence is {where}: {shown!r}"


def format_problems(heading: str, problems: Iterable[Problem]) -> str:
    """Returns a message with a line for each problem."""
    lines = [heading]
    for count, (number, words) in enumerate(problems):
        if count == MAX_PROBLEMS:
            lines.append("  and more")
            break
        lines.append(f"  line {number}: {escaped_line(words)}")
    return "\n".join(lines)


def _spans_of(quote: str, name: str, documents: Iterable[Document]) -> Gold:
    """Returns the spans of a quote in the documents of a name; an empty name: in all of them.

    Stops after `MAX_GOLD_SPANS` and one more.
    """
    spans: list[DocumentSpan] = []
    for document in documents:
        if name in ("", document.name):
            remaining = MAX_GOLD_SPANS + 1 - len(spans)
            spans += islice(_spans_in(quote, document), remaining)
    return tuple(spans)


def _spans_in(quote: str, document: Document) -> Iterator[DocumentSpan]:
    """Yields every span of a quote in a document, also spans that overlap."""
    start = document.text.find(quote)
    while start >= 0:
        yield document.name, Span(start, start + len(quote))
        start = document.text.find(quote, start + 1)


_Text = Annotated[str, Field(pattern=r"\S")]
_Texts = Annotated[tuple[_Text, ...], FailFast()]


class _TurnRow(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: _Text
    answer: _Text


class _QuestionRow(BaseModel):
    """A line of a question file."""

    model_config = ConfigDict(extra="forbid")

    id: _Text
    question: _Text
    answerable: bool
    answers: _Texts = ()
    evidence: _Texts = ()
    kind: _Text
    history: Annotated[tuple[_TurnRow, ...], FailFast()] = ()
    split: Split = "dev"
    relevant: Annotated[dict[_Text, Annotated[int, Field(ge=1)]], FailFast()] = {}
    group: _Text = ""
    document: _Text = ""


_ROW = TypeAdapter(_QuestionRow)
_NOT_EMPTY = "a text that is not empty"
_WANTED: Mapping[str | int, str] = {
    "id": _NOT_EMPTY,
    "question": _NOT_EMPTY,
    "answerable": "true or false",
    "answers": "a list of texts that are not empty",
    "evidence": "a list of texts that are not empty",
    "kind": _NOT_EMPTY,
    "history": 'a list of objects with the texts "question" and "answer"',
    "split": '"dev" or "test"',
    "relevant": "an object of document names, each with a whole number from 1",
    "group": _NOT_EMPTY,
    "document": _NOT_EMPTY,
}
"""What each field must be, for messages."""


def _parse(line: bytes, number: int) -> tuple[Question | None, list[str]]:
    """Returns the question of a line, or everything that is wrong with the line."""
    try:
        row = _ROW.validate_json(line, strict=True)
    except ValidationError as error:
        if error.error_count() > MAX_LISTED:
            return None, [f"more than {MAX_LISTED:,} fields are not what they must be"]
        # A list with three bad items is one problem.
        problems: dict[str, None] = {}
        for details in error.errors():
            problem = _problem(details["type"], details["loc"])
            problems[problem] = None
        return None, list(problems)

    history = []
    for turn in row.history:
        history.append(Turn(turn.question, turn.answer))
    question = Question(
        id=row.id,
        question=row.question,
        answerable=row.answerable,
        answers=row.answers,
        evidence=row.evidence,
        kind=row.kind,
        history=tuple(history),
        split=row.split,
        line=number,
        relevant=row.relevant,
        group=row.group,
        document=row.document,
    )
    return question, list(_contradictions(question))


def _problem(error: str, field_path: tuple[str | int, ...]) -> str:
    """Returns what is wrong with a field, in words.

    `error`, `field_path`: the type and the location of an error, as pydantic has them.
    """
    if not field_path:
        return "not a JSON object"
    name = field_path[0]
    is_whole_field = len(field_path) == 1
    if is_whole_field and error == "missing":
        return f'"{name}" is missing'
    if is_whole_field and error == "extra_forbidden":
        return f'unknown field "{name}"'
    return f'"{name}" must be {_WANTED[name]}'


def _contradictions(question: Question) -> Iterator[str]:
    """Yields which fields do not fit whether the question is answerable."""
    fields: dict[str, Collection[str]] = {
        "answers": question.answers,
        "evidence": question.evidence,
        "relevant": question.relevant,
    }
    if question.answerable:
        if not any(fields.values()):
            yield 'answerable, but without "answers" and "evidence": give one of them'
        return
    for name, values in fields.items():
        if values:
            yield f'not answerable, but with "{name}"'
