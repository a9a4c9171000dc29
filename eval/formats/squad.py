"""SQuAD 1.1, SQuAD 2.0 and XQuAD: a JSON file of the same structure.

Rajpurkar et al. 2016 and 2018; Artetxe et al. 2020.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

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
from eval.formats.parsing import ANY_TEXT, FLAG, ID, LIST, NUMBER, TEXT, is_valid, read_json
from eval.formats.quotes import QuoteFinder
from qa.types import Document, Span

NAME = "squad"
_ARTICLE = {"paragraphs": LIST}
_TITLE = {"title": ANY_TEXT}
_PARAGRAPH = {"context": TEXT, "qas": LIST}
_QUESTION = {"id": ID, "question": TEXT, "answers": LIST, "is_impossible": FLAG}
_ANSWER = {"text": ANY_TEXT, "answer_start": NUMBER}


@dataclass(frozen=True, slots=True)
class _SquadQuestion:
    """A valid question of the file, its paragraph already added to the articles."""

    id: str
    question: str
    answers: tuple[str, ...]
    spans: tuple[Span, ...]
    """The answers in the document; only those that are where the file says."""
    paragraph: ParagraphSpan


def read(path: Path, _options: ImportOptions) -> ImportedSet:
    """Reads a document for each title. Evidence: the sentences of the annotators' answers."""
    problems, notes = Problems(), Notes()
    articles = ArticleBuilder(NAME, notes)
    rows = list(_rows(read_json(path), articles, problems, notes))
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


FORMAT = Format(read, "SQuAD 1.1, SQuAD 2.0 or XQuAD: a JSON file")


def _rows(
    root: Any, articles: ArticleBuilder, problems: Problems, notes: Notes
) -> Iterator[_SquadQuestion]:
    if not is_valid(root, {"data": LIST}, "the file", problems):
        return
    for article_index, article in enumerate(root["data"]):
        where = f"data[{article_index}]"
        if not is_valid(article, _ARTICLE, where, problems):
            continue

        # The paragraphs are checked even if the title is invalid: one error lists all problems.
        has_title = is_valid(article, _TITLE, where, problems)
        title = article.get("title") if has_title else None
        title = unquote(title or "").replace("_", " ")
        # Each article without a title is a document of its own.
        key = title or article_index
        for paragraph_index, paragraph in enumerate(article["paragraphs"]):
            here = f"{where}.paragraphs[{paragraph_index}]"
            if is_valid(paragraph, _PARAGRAPH, here, problems):
                paragraph_span = articles.add(key, title, paragraph["context"])
                yield from _paragraph_rows(paragraph, paragraph_span, here, problems, notes)


def _paragraph_rows(
    paragraph: dict[str, Any],
    paragraph_span: ParagraphSpan | None,
    where: str,
    problems: Problems,
    notes: Notes,
) -> Iterator[_SquadQuestion]:
    """Yields the valid questions of a paragraph that can be used.

    `paragraph_span`: None for a blank paragraph, of which no question can be used.
    """
    for question_index, row in enumerate(paragraph["qas"]):
        here = f"{where}.qas[{question_index}]"
        if not is_valid(row, _QUESTION, here, problems):
            continue

        answers = []
        for answer_index, answer in enumerate(row["answers"]):
            valid = is_valid(answer, _ANSWER, f"{here}.answers[{answer_index}]", problems)
            if valid and canonical(answer.get("text") or "").strip():
                answers.append(answer)

        key = one_line(str(row["id"])) or "question"
        impossible = row.get("is_impossible")
        if impossible and answers:
            problems.add(here, '"is_impossible", but with "answers"')
        elif impossible is False and not answers:
            notes.leave_out(key, "without an answer, though not marked as impossible")
        elif paragraph_span:
            context = paragraph["context"]
            yield _row(key, row["question"], context, answers, paragraph_span, notes)


def _row(
    key: str,
    question: str,
    context: str,
    answers: list[dict[str, Any]],
    paragraph: ParagraphSpan,
    notes: Notes,
) -> _SquadQuestion:
    texts: dict[str, None] = {}
    spans: dict[Span, None] = {}
    for answer in answers:
        texts[canonical(answer["text"]).strip()] = None
        span = _document_span(context, answer, paragraph, notes)
        if span:
            spans[span] = None
    return _SquadQuestion(key, canonical(question).strip(), tuple(texts), tuple(spans), paragraph)


def _document_span(
    context: str, answer: dict[str, Any], paragraph: ParagraphSpan, notes: Notes
) -> Span | None:
    """Returns an answer's span in the document; None if the answer is not where the file says."""
    start = answer["answer_start"]
    end = start + len(answer["text"])
    if context[start:end] != answer["text"]:
        notes.count("Answers that are not where the file says, not used as evidence")
        return None

    offset = paragraph.span.start
    first = offset + len(canonical(context[:start]))
    last = offset + len(canonical(context[:end]))
    return Span(first, last)


def _question(
    row: _SquadQuestion,
    finder: QuoteFinder,
    documents: tuple[Document, ...],
    notes: Notes,
    taken: TakenNames,
) -> Question | None:
    quotes: dict[str, None] = {}
    for span in row.spans:
        quote = finder.evidence(span, row.paragraph)
        if quote:
            quotes[quote] = None

    if row.answers and not row.spans:
        notes.leave_out(row.id, "no answer is where the file says")
        return None
    if row.answers and not quotes:
        notes.leave_out(row.id, "the documents have the paragraph more than once")
        return None
    return Question(
        id=unique(row.id, taken),
        question=row.question,
        answerable=bool(row.answers),
        answers=row.answers,
        evidence=_outermost(list(quotes)),
        kind=question_kind(row.question) if row.answers else UNANSWERABLE,
        group=documents[row.paragraph.document].title,
    )


def _outermost(quotes: list[str]) -> tuple[str, ...]:
    """Returns the distinct quotes that no longer quote holds."""
    outermost = []
    for quote in quotes:
        holders = [longer for longer in quotes if quote != longer and quote in longer]
        if not holders:
            outermost.append(quote)
    return tuple(outermost)
