"""SQuAD 1.1 and 2.0 and XQuAD, one JSON file of one shape (Rajpurkar et al. 2016, 2018; Artetxe et al. 2020)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

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
)
from eval.formats.canonical import Taken, canonical, one_line, unique
from eval.formats.paragraphs import Articles, Place
from eval.formats.parsing import ANY_TEXT, FLAG, ID, LIST, NUMBER, TEXT, fits, whole_json
from eval.formats.quotes import Quotes
from qa.types import Document, Span

NAME = "squad"
_ARTICLE = {"paragraphs": LIST}
_TITLE = {"title": ANY_TEXT}
_PARAGRAPH = {"context": TEXT, "qas": LIST}
_QUESTION = {"id": ID, "question": TEXT, "answers": LIST, "is_impossible": FLAG}
_ANSWER = {"text": ANY_TEXT, "answer_start": NUMBER}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with its paragraph, as far as the file has them right."""

    id: str
    question: str
    answers: tuple[str, ...]
    spans: tuple[Span, ...]
    """Where the answers stand in the document, of those that stand where the file says."""
    place: Place


def read(path: Path, _options: Options) -> ForeignSet:
    """One document for each title. The evidence: the sentences that hold the annotators' answers."""
    problems, notes = Problems(), Notes()
    articles = Articles(NAME, notes)
    asked = list(_asked(whole_json(path), articles, problems, notes))
    problems.check(path)
    documents = articles.documents()
    quotes = Quotes(documents)
    taken: Taken = {}
    questions = [_question(each, quotes, documents, notes, taken) for each in asked]
    return foreign_set(path, documents, [question for question in questions if question], notes)


FORMAT = Format(read, "SQuAD 1.1, SQuAD 2.0 or XQuAD: a JSON file")


def _asked(root: Any, articles: Articles, problems: Problems, notes: Notes) -> Iterator[_Asked]:
    if not fits(root, {"data": LIST}, "the file", problems):
        return
    for number, article in enumerate(root["data"]):
        where = f"data[{number}]"
        if not fits(article, _ARTICLE, where, problems):
            continue
        # What is below a bad title is looked at too, so that all that is wrong is told at once.
        title = article.get("title") if fits(article, _TITLE, where, problems) else None
        title = unquote(title or "").replace("_", " ")
        key = title or number
        for place, paragraph in enumerate(article["paragraphs"]):
            here = f"{where}.paragraphs[{place}]"
            if fits(paragraph, _PARAGRAPH, here, problems):
                yield from _of_paragraph(
                    paragraph, articles.add(key, title, paragraph["context"]), here, problems, notes
                )


def _of_paragraph(
    paragraph: dict[str, Any], place: Place | None, where: str, problems: Problems, notes: Notes
) -> Iterator[_Asked]:
    for number, row in enumerate(paragraph["qas"]):
        here = f"{where}.qas[{number}]"
        if not fits(row, _QUESTION, here, problems):
            continue
        answers = [
            answer
            for each, answer in enumerate(row["answers"])
            if fits(answer, _ANSWER, f"{here}.answers[{each}]", problems)
            and canonical(answer.get("text") or "").strip()
        ]
        key = one_line(str(row["id"])) or "question"
        if row.get("is_impossible") and answers:
            problems.add(here, '"is_impossible", but with "answers"')
        elif row.get("is_impossible") is False and not answers:
            notes.leave_out(key, "without an answer, though not marked as impossible")
        elif place:
            yield _one(key, row["question"], paragraph["context"], answers, place, notes)


def _one(
    key: str, question: str, context: str, answers: list[dict[str, Any]], place: Place, notes: Notes
) -> _Asked:
    spans = filter(None, (_span(context, answer, place, notes) for answer in answers))
    texts = tuple(dict.fromkeys(canonical(answer["text"]).strip() for answer in answers))
    return _Asked(key, canonical(question).strip(), texts, tuple(dict.fromkeys(spans)), place)


def _span(context: str, answer: dict[str, Any], place: Place, notes: Notes) -> Span | None:
    """Where an answer stands in the document; None for one that the context has elsewhere or not at all."""
    start, text = answer["answer_start"], answer["text"]
    if context[start : start + len(text)] != text:
        notes.count(
            "Answers that are not where the file says, so that no evidence was taken from there"
        )
        return None
    first, last = (
        place.span.start + len(canonical(context[:end])) for end in (start, start + len(text))
    )
    return Span(first, last)


def _question(
    asked: _Asked, quotes: Quotes, documents: tuple[Document, ...], notes: Notes, taken: Taken
) -> Question | None:
    found = [quotes.evidence(span, asked.place) for span in asked.spans]
    evidence = _outermost([quote for quote in found if quote])
    if asked.answers and not asked.spans:
        notes.leave_out(asked.id, "no answer is where the file says")
        return None
    if asked.answers and not evidence:
        notes.leave_out(asked.id, "the paragraph stands in the documents more than once")
        return None
    return Question(
        id=unique(asked.id, taken),
        question=asked.question,
        answerable=bool(asked.answers),
        answers=asked.answers,
        evidence=evidence,
        kind=asking_word(asked.question) if asked.answers else UNANSWERABLE,
        group=documents[asked.place.document].title,
    )


def _outermost(quotes: list[str]) -> tuple[str, ...]:
    """Each quote once, without those that another one holds."""
    distinct = list(dict.fromkeys(quotes))
    return tuple(
        one for one in distinct if not any(one != other and one in other for other in distinct)
    )
