"""A table of questions, CSV, over the person's own documents; its columns are named by the person."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from eval.dataset import Question
from eval.formats.base import (
    UNANSWERABLE,
    ForeignSet,
    Format,
    Notes,
    Options,
    Problems,
    asking_word,
    foreign_set,
    needed,
    own_documents,
)
from eval.formats.canonical import Taken, canonical, one_line, unique
from eval.formats.parsing import at_line
from eval.formats.quotes import Quotes
from qa.errors import FootnoteError, QuestionFileError
from qa.types import Document

NAME = "csv"
FIELDS = ("question", "answers", "evidence", "documents", "id", "kind", "group")
SEPARATOR = "|"
_DELIMITERS = (",", ";", "\t")
_NEXT_FIELD = re.compile(rf",(?=(?:{'|'.join(FIELDS)})=)")


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]
    """By field of ours; those of columns that were not named are missing."""

    def texts(self, field: str, separator: str) -> tuple[str, ...]:
        parts = (part.strip() for part in self.cells.get(field, "").split(separator))
        return tuple(dict.fromkeys(part for part in parts if part))


def columns(arguments: Sequence[str]) -> dict[str, str]:
    """`question=Q,answers=A` in one argument or several: columns by field. Raises FootnoteError for anything else."""
    found: dict[str, str] = {}
    for part in (part for argument in arguments for part in _NEXT_FIELD.split(argument)):
        field, sign, column = part.partition("=")
        if field not in FIELDS or not sign or not column or field in found:
            raise FootnoteError(
                f"--columns takes FIELD=COLUMN, each field once, not {part!r}: {', '.join(FIELDS)}."
            )
        found[field] = column
    return found


def read(path: Path, options: Options) -> ForeignSet:
    """A question is answerable when it has an answer or evidence."""
    why = f"Say which column of {path} has the questions"
    needed(
        options.columns.get("question"),
        "--columns question=COLUMN,answers=COLUMN,evidence=COLUMN",
        why,
    )
    needed(
        options.documents, "--documents PATH", f"{path} comes without documents. Say where they are"
    )
    problems, notes = Problems(), Notes()
    rows = list(_rows(path, options.columns, problems))
    documents = own_documents(options.documents)
    names = {document.name for document in documents}
    separator = options.separator or SEPARATOR
    for row in rows:
        for name in row.texts("documents", separator):
            if name not in names:
                problems.add(at_line(path, row.line), f"there is no document {name!r}")
    problems.check(path)
    return foreign_set(path, documents, list(_questions(rows, documents, separator, notes)), notes)


FORMAT = Format(
    read,
    "CSV: a table with a line of headings, with --columns and --documents",
    frozenset({"documents", "columns", "separator"}),
)


def _rows(path: Path, named: Mapping[str, str], problems: Problems) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _of_table(path, file, _delimiter(path, file, named), named, problems)
    except OSError as error:
        raise QuestionFileError(
            f"{path} cannot be read: {error.strerror}. Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise QuestionFileError(
            f"{path} is not UTF-8 (byte {error.start + 1}). Save it as UTF-8."
        ) from error


def _delimiter(path: Path, file: TextIO, named: Mapping[str, str]) -> str:
    """The delimiter with which the headings have every column that was named. Raises QuestionFileError if none does."""
    fullest: list[str] = []
    for delimiter in _DELIMITERS:
        file.seek(0)
        headings = next(csv.reader(file, delimiter=delimiter), [])
        if set(named.values()) <= set(headings):
            return delimiter
        fullest = max(fullest, headings, key=len)
    missing = [column for column in named.values() if column not in fullest]
    raise QuestionFileError(
        f"{path} has no column {', '.join(missing)}. It has: {', '.join(fullest)}."
    )


def _of_table(
    path: Path, file: TextIO, delimiter: str, named: Mapping[str, str], problems: Problems
) -> Iterator[_Row]:
    file.seek(0)
    table = csv.reader(file, delimiter=delimiter, strict=True)
    headings = next(table)
    at = {field: headings.index(column) for field, column in named.items()}
    line = table.line_num + 1
    try:
        for cells in table:
            # A cell may have line breaks: the reader counts to the row's last line.
            if any(map(str.strip, cells)):
                yield from _row(path, line, cells, headings, at, problems)
            line = table.line_num + 1
    except csv.Error as error:
        problems.add(at_line(path, line), f"not a table from here on: {error}")


def _row(
    path: Path,
    line: int,
    cells: list[str],
    headings: list[str],
    at: Mapping[str, int],
    problems: Problems,
) -> Iterator[_Row]:
    if len(cells) != len(headings):
        problems.add(at_line(path, line), f"has {len(cells)} cells, the headings {len(headings)}")
    elif not cells[at["question"]].strip():
        problems.add(at_line(path, line), "has no question")
    else:
        yield _Row(line, {field: canonical(cells[place]) for field, place in at.items()})


def _questions(
    rows: Iterable[_Row], documents: Sequence[Document], separator: str, notes: Notes
) -> Iterator[Question]:
    quotes = Quotes(documents)
    taken: Taken = {}
    for row in rows:
        key = unique(one_line(row.cells.get("id", "")) or f"line-{row.line}", taken)
        quoted = row.texts("evidence", separator)
        found = [quotes.verbatim(quote) for quote in quoted]
        evidence = tuple(dict.fromkeys(quote for quote in found if quote))
        answers = row.texts("answers", separator)
        holding = row.texts("documents", separator) or quotes.holding(evidence)
        if not all(found):
            notes.leave_out(key, "its evidence is not in the documents, or more than once")
        elif answers and not holding:
            notes.leave_out(key, "an answer without evidence or document")
        else:
            yield _question(key, row, answers, evidence, holding)


def _question(
    key: str, row: _Row, answers: tuple[str, ...], evidence: tuple[str, ...], holding: Sequence[str]
) -> Question:
    answerable = bool(answers or evidence or holding)
    asked = row.cells["question"].strip()
    kind = one_line(row.cells.get("kind", "")) or (
        asking_word(asked) if answerable else UNANSWERABLE
    )
    return Question(
        id=key,
        question=asked,
        answerable=answerable,
        answers=answers,
        evidence=evidence,
        kind=kind,
        # Without answers or without evidence it is known at least which documents are right.
        relevant={} if answers and evidence else dict.fromkeys(holding, 1),
        group=one_line(row.cells.get("group", "")) or (holding[0] if holding else ""),
    )
