"""ClapNQ: long answers over passages of Wikipedia, one JSON object a line.

Rosenthal et al. 2024, arXiv:2404.02103.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.dataset import Question
from eval.formats.base import (
    UNANSWERABLE,
    Format,
    ImportedSet,
    ImportOptions,
    Notes,
    Problems,
    imported_set,
    question_kind,
)
from eval.formats.canonical import TakenNames, canonical, one_line, unique
from eval.formats.paragraphs import ArticleBuilder, ParagraphSpan
from eval.formats.parsing import (
    ANY_TEXT,
    ID,
    LIST,
    OBJECT,
    TEXT,
    TEXTS,
    at_line,
    is_valid,
    json_lines,
)
from eval.formats.quotes import QuoteFinder
from qa.types import Document

NAME = "clapnq"
_ROW = {"id": ID, "input": TEXT, "passages": LIST, "output": LIST}
_PASSAGE = {"title": ANY_TEXT, "text": TEXT}
_OUTPUT = {"answer": ANY_TEXT, "selected_sentences": TEXTS, "meta": OBJECT}


@dataclass(frozen=True, slots=True)
class _ClapnqQuestion:
    """A question of the file, its passages already added to the articles."""

    id: str
    question: str
    answers: tuple[str, ...]
    selected: tuple[str, ...]
    """The sentences that annotators selected."""
    passages: tuple[ParagraphSpan, ...]


def read(path: Path, _options: ImportOptions) -> ImportedSet:
    """Reads a document for each title. Evidence: the sentences that any annotator selected."""
    problems, notes = Problems(), Notes()
    articles = ArticleBuilder(NAME, notes)
    rows = list(_rows(path, articles, problems, notes))
    problems.check(path)

    documents = articles.documents()
    finder = QuoteFinder(documents)
    taken: TakenNames = {}
    questions = []
    for row in rows:
        question = _question(row, finder, documents, notes, taken)
        if question:
            questions.append(question)
    return imported_set(path, documents, questions, notes)


FORMAT = Format(read, "ClapNQ: a file of JSON lines")


def _rows(
    path: Path, articles: ArticleBuilder, problems: Problems, notes: Notes
) -> Iterator[_ClapnqQuestion]:
    for line, row in json_lines(path, problems):
        where = at_line(path, line)
        if not is_valid(row, _ROW, where, problems):
            continue

        # All parts are checked, also after an invalid part: one error lists all problems.
        valid = True
        for name, fields in (("passages", _PASSAGE), ("output", _OUTPUT)):
            for number, part in enumerate(row[name]):
                valid &= is_valid(part, fields, f"{where}: {name}[{number}]", problems)
        if valid:
            yield from _row(row, line, articles, notes)


def _row(
    row: dict[str, Any], line: int, articles: ArticleBuilder, notes: Notes
) -> Iterator[_ClapnqQuestion]:
    """Yields the question of a valid row, unless it has no annotation or no passage."""
    key = one_line(str(row["id"])) or "question"
    outputs = []
    for output in row["output"]:
        meta = output.get("meta") or {}
        if not meta.get("skip"):
            outputs.append(output)

    passages = []
    for passage in row["passages"]:
        title = one_line(passage.get("title") or "")
        passages.append(articles.add(title or line, title, passage["text"]))

    if not passages:
        notes.leave_out(key, "without a passage")
        return
    if not outputs:
        notes.leave_out(key, "every annotator skipped it")
        return

    answers: dict[str, None] = {}
    selected: dict[str, None] = {}
    for output in outputs:
        answers[canonical(output.get("answer") or "").strip()] = None
        for sentence in output.get("selected_sentences") or ():
            selected[canonical(sentence).strip()] = None
    yield _ClapnqQuestion(
        id=key,
        question=canonical(row["input"]).strip(),
        answers=tuple(answer for answer in answers if answer),
        selected=tuple(sentence for sentence in selected if sentence),
        passages=tuple(passage for passage in passages if passage),
    )


def _question(
    row: _ClapnqQuestion,
    finder: QuoteFinder,
    documents: tuple[Document, ...],
    notes: Notes,
    taken: TakenNames,
) -> Question | None:
    answerable = bool(row.answers or row.selected)
    quotes = list(_evidence(row, finder)) if answerable else []
    if not all(quotes):
        notes.leave_out(
            row.id, "a selected sentence is not in its passage, or the passage is repeated"
        )
        return None

    relevant = {}
    if answerable and not row.answers:
        # Without an answer to compare with, the documents are still known to be relevant.
        names = [documents[passage.document].name for passage in row.passages]
        relevant = dict.fromkeys(names, 1)
    return Question(
        id=unique(row.id, taken),
        question=row.question,
        answerable=answerable,
        answers=row.answers,
        evidence=tuple(dict.fromkeys(quote for quote in quotes if quote)),
        kind=question_kind(row.question) if answerable else UNANSWERABLE,
        relevant=relevant,
        group=documents[row.passages[0].document].title,
    )


def _evidence(row: _ClapnqQuestion, finder: QuoteFinder) -> Iterator[str | None]:
    """Yields each selected sentence; without any, each passage. None: it cannot be used."""
    if not row.selected:
        for passage in row.passages:
            yield finder.widened(passage.span, passage)

    for sentence in row.selected:
        quote = None
        for passage in row.passages:
            span = finder.span(sentence, passage)
            if span:
                quote = finder.widened(span, passage)
                break
        yield quote
