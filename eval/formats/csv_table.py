"""CSV: a table of questions over the person's own documents. The person names the columns."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from eval.dataset import Question
from eval.files import open_regular
from eval.formats.base import (
    REPEATED_EVIDENCE,
    UNANSWERABLE,
    Format,
    ImportedSet,
    ImportOptions,
    Notes,
    Problems,
    imported_set,
    load_documents,
    question_kind,
    require,
)
from eval.formats.canonical import TakenNames, canonical, one_line, unique
from eval.formats.parsing import at_line
from eval.formats.quotes import QuoteFinder
from qa.errors import FootnoteError, QuestionFileError
from qa.terminal import escaped_line
from qa.types import Document

NAME = "csv"
FIELDS = ("question", "answers", "evidence", "documents", "id", "kind", "group")
SEPARATOR = "|"
_DELIMITERS = (",", ";", "\t")
_NEXT_FIELD = re.compile(rf",(?=(?:{'|'.join(FIELDS)})=)")


@dataclass(frozen=True, slots=True)
class _TableRow:
    line: int
    cells: Mapping[str, str]
    """By field; a field without a column is missing."""

    def values(self, field: str, separator: str) -> tuple[str, ...]:
        """Returns the values of a cell, each once."""
        values: dict[str, None] = {}
        for part in self.cells.get(field, "").split(separator):
            if part.strip():
                values[part.strip()] = None
        return tuple(values)


def columns(arguments: Sequence[str]) -> dict[str, str]:
    """Returns the columns by field, from arguments such as `question=Q,answers=A`.

    Raises FootnoteError for anything else.
    """
    columns: dict[str, str] = {}
    for argument in arguments:
        for part in _NEXT_FIELD.split(argument):
            field, _, column = part.partition("=")
            if field not in FIELDS or not column or field in columns:
                known = ", ".join(FIELDS)
                raise FootnoteError(
                    f"--columns takes FIELD=COLUMN, each field once, not {part!r}. Fields: {known}."
                )
            columns[field] = column
    return columns


def read(path: Path, options: ImportOptions) -> ImportedSet:
    """Reads a question from each row. It is answerable if the row has an answer or evidence.

    A row with a document alone asks what that document does not answer. With evidence and a single
    document, the evidence counts in that document only.
    """
    require(
        options.columns.get("question"),
        "--columns question=COLUMN,answers=COLUMN,evidence=COLUMN",
        f"Name the column of {path} that has the questions",
    )
    require(options.documents, "--documents PATH", f"{path} has no documents. Name their folder")
    problems, notes = Problems(), Notes()
    rows = list(_rows(path, options.columns, problems))
    documents = load_documents(options.documents)
    names = {document.name for document in documents}
    separator = options.separator or SEPARATOR
    for row in rows:
        for name in row.values("documents", separator):
            if name not in names:
                problems.add(at_line(path, row.line), f"there is no document {name!r}")
    problems.check(path)

    questions = list(_questions(rows, documents, separator, notes))
    return imported_set(path, documents, questions, notes)


FORMAT = Format(
    read,
    "CSV: a table with a line of headings, with --columns and --documents",
    frozenset({"documents", "columns", "separator"}),
)


def _rows(path: Path, columns: Mapping[str, str], problems: Problems) -> Iterator[_TableRow]:
    try:
        with TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
            delimiter = _delimiter(path, file, columns)
            yield from _table_rows(path, file, delimiter, columns, problems)
    except OSError as error:
        raise QuestionFileError(
            f"{path} cannot be read: {error.strerror}. Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise QuestionFileError(
            f"{path} is not UTF-8 (byte {error.start + 1}). Save it as UTF-8."
        ) from error


def _delimiter(path: Path, file: TextIO, columns: Mapping[str, str]) -> str:
    """Returns the delimiter by which the headings have every named column.

    Raises QuestionFileError if no delimiter does.
    """
    most_headings: list[str] = []
    for delimiter in _DELIMITERS:
        file.seek(0)
        headings = next(csv.reader(file, delimiter=delimiter), [])
        if set(columns.values()) <= set(headings):
            return delimiter
        most_headings = max(most_headings, headings, key=len)

    missing = [column for column in columns.values() if column not in most_headings]
    shown = ", ".join(map(escaped_line, most_headings))
    raise QuestionFileError(
        f"{path} has no column {', '.join(missing)}. Its columns: {shown}. "
        "Name the right ones with --columns FIELD=COLUMN."
    )


def _table_rows(
    path: Path, file: TextIO, delimiter: str, columns: Mapping[str, str], problems: Problems
) -> Iterator[_TableRow]:
    file.seek(0)
    table = csv.reader(file, delimiter=delimiter, strict=True)
    headings = next(table)
    positions = {field: headings.index(column) for field, column in columns.items()}

    # A cell may have line breaks, and the reader counts to the last line of a row.
    line = table.line_num + 1
    try:
        for cells in table:
            is_blank = not any(cell.strip() for cell in cells)
            where = at_line(path, line)
            if is_blank:
                pass
            elif len(cells) != len(headings):
                problems.add(where, f"has {len(cells)} cells, the headings {len(headings)}")
            elif not cells[positions["question"]].strip():
                problems.add(where, "has no question")
            else:
                row = {field: canonical(cells[at]) for field, at in positions.items()}
                yield _TableRow(line, row)
            line = table.line_num + 1
    except csv.Error as error:
        problems.add(at_line(path, line), f"not a table from here on: {error}")


def _questions(
    rows: Iterable[_TableRow], documents: Sequence[Document], separator: str, notes: Notes
) -> Iterator[Question]:
    finder = QuoteFinder(documents)
    taken: TakenNames = {}
    for row in rows:
        key = unique(one_line(row.cells.get("id", "")) or f"line-{row.line}", taken)
        named = row.values("documents", separator)
        document = named[0] if len(named) == 1 else ""
        quotes = [finder.verbatim(quote, document) for quote in row.values("evidence", separator)]
        if not all(quotes):
            notes.leave_out(key, f"its evidence is not in {document or 'the documents'}")
            continue

        evidence = tuple(dict.fromkeys(quote for quote in quotes if quote))
        if finder.stands_in_several(evidence, document):
            notes.count(REPEATED_EVIDENCE)
        relevant = named or finder.documents_with(evidence)
        question = _question(key, row, row.values("answers", separator), evidence, relevant)
        yield replace(question, document=document) if evidence else question


def _question(
    key: str,
    row: _TableRow,
    answers: tuple[str, ...],
    evidence: tuple[str, ...],
    relevant: Sequence[str],
) -> Question:
    question = row.cells["question"].strip()
    answerable = bool(answers or evidence)
    kind = one_line(row.cells.get("kind", ""))
    if not kind:
        kind = question_kind(question) if answerable else UNANSWERABLE
    group = one_line(row.cells.get("group", ""))
    if not group and relevant:
        group = relevant[0]

    # Without answers or evidence, at least the right documents are known.
    needs_documents = answerable and not (answers and evidence)
    return Question(
        id=key,
        question=question,
        answerable=answerable,
        answers=answers,
        evidence=evidence,
        kind=kind,
        relevant=dict.fromkeys(relevant, 1) if needs_documents else {},
        group=group,
    )
