"""ClapNQ: long answers over passages of Wikipedia, one JSON object a line (Rosenthal et al. 2024, arXiv:2404.02103)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from eval.formats.parsing import ANY_TEXT, ID, LIST, OBJECT, TEXT, TEXTS, at_line, fits, json_lines
from eval.formats.quotes import Quotes
from qa.types import Document

NAME = "clapnq"
_ROW = {"id": ID, "input": TEXT, "passages": LIST, "output": LIST}
_PASSAGE = {"title": ANY_TEXT, "text": TEXT}
_OUTPUT = {"answer": ANY_TEXT, "selected_sentences": TEXTS, "meta": OBJECT}


@dataclass(frozen=True, slots=True)
class _Asked:
    id: str
    question: str
    answers: tuple[str, ...]
    selected: tuple[str, ...]
    places: tuple[Place, ...]
    """Where its passages stand."""


def read(path: Path, _options: Options) -> ForeignSet:
    """One document for each title. The evidence: the sentences that any annotator made the answer of."""
    problems, notes = Problems(), Notes()
    articles = Articles(NAME, notes)
    asked = list(_asked(path, articles, problems, notes))
    problems.check(path)
    documents = articles.documents()
    quotes = Quotes(documents)
    taken: Taken = {}
    questions = [_question(each, quotes, documents, notes, taken) for each in asked]
    return foreign_set(path, documents, [question for question in questions if question], notes)


FORMAT = Format(read, "ClapNQ: a file of JSON lines")


def _asked(path: Path, articles: Articles, problems: Problems, notes: Notes) -> Iterator[_Asked]:
    for number, row in json_lines(path, problems):
        where = at_line(path, number)
        if not fits(row, _ROW, where, problems):
            continue
        parts = [("passages", _PASSAGE), ("output", _OUTPUT)]
        # A list, so that all that is wrong is told and not the first of it only.
        right = [
            fits(part, shape, f"{where}: {name}[{at}]", problems)
            for name, shape in parts
            for at, part in enumerate(row[name])
        ]
        if all(right):
            yield from _one(row, number, articles, notes)


def _one(row: dict[str, Any], number: int, articles: Articles, notes: Notes) -> Iterator[_Asked]:
    key = one_line(str(row["id"])) or "question"
    outputs = [output for output in row["output"] if not (output.get("meta") or {}).get("skip")]
    places = []
    for passage in row["passages"]:
        title = one_line(passage.get("title") or "")
        places.append(articles.add(title or number, title, passage["text"]))
    if not outputs or not places:
        notes.leave_out(key, "every annotator skipped it" if places else "without a passage")
        return
    answers = [canonical(output.get("answer") or "").strip() for output in outputs]
    selected = [
        sentence for output in outputs for sentence in output.get("selected_sentences") or ()
    ]
    yield _Asked(
        key,
        canonical(row["input"]).strip(),
        tuple(dict.fromkeys(filter(None, answers))),
        tuple(dict.fromkeys(filter(None, (canonical(sentence).strip() for sentence in selected)))),
        tuple(place for place in places if place),
    )


def _question(
    asked: _Asked, quotes: Quotes, documents: tuple[Document, ...], notes: Notes, taken: Taken
) -> Question | None:
    answerable = bool(asked.answers or asked.selected)
    found = list(_evidence(asked, quotes)) if answerable else []
    if not all(found):
        notes.leave_out(
            asked.id,
            "a selected sentence is not in its passage, or the passage is there more than once",
        )
        return None
    evidence = tuple(dict.fromkeys(quote for quote in found if quote))
    names = [documents[place.document].name for place in asked.places]
    return Question(
        id=unique(asked.id, taken),
        question=asked.question,
        answerable=answerable,
        answers=asked.answers,
        evidence=evidence,
        kind=asking_word(asked.question) if answerable else UNANSWERABLE,
        relevant={} if asked.answers or not answerable else dict.fromkeys(names, 1),
        group=documents[asked.places[0].document].title,
    )


def _evidence(asked: _Asked, quotes: Quotes) -> Iterator[str | None]:
    """Each selected sentence, or the passage where none was selected; None for one that cannot be used."""
    if not asked.selected:
        yield from (quotes.widened(place.span, place) for place in asked.places)
    for sentence in asked.selected:
        found = ((span, place) for place in asked.places if (span := quotes.span(sentence, place)))
        at = next(found, None)
        yield quotes.widened(*at) if at else None
