"""Questions over ordinary documents: tables, cards, lists, FAQs, notes, and yes-or-no questions.

They are written from public tables, paragraphs and claims, and read as the views of passages.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from qa.errors import DocumentError
from qa.training.handmade import SOURCE as HANDMADE
from qa.training.handmade import handmade_documents
from qa.training.prose_documents import CLAIM_FILES, prose_documents, yes_no_documents
from qa.training.rewording import reworded
from qa.training.sources import Part, QuestionsBySource, TrainingQuestion, of_part
from qa.training.table_claims import TABLE_FILES, read_tables
from qa.training.table_documents import read_table_questions, table_documents
from qa.training.written import WrittenDocument, training_questions

SEED = 30
SHARE_OFFERED = 0.5
"""Questions over prose that may be asked as people type, see `qa/training/rewording.py`."""


def written_documents(
    data: Path, questions: QuestionsBySource, part: Part
) -> Iterator[WrittenDocument]:
    """Yields the written documents of a part, in a fixed order.

    Raises DocumentError where files are missing below `data`.
    """
    for file in (*TABLE_FILES, *CLAIM_FILES):
        if not (data / file).is_file():
            raise DocumentError(f"Missing below {data}: {file}. See docs/model_card.md.")
    tables = read_tables(data)
    table_questions = read_table_questions(data, tables)
    from_tables = table_documents(tables, table_questions, SEED)
    from_prose = prose_documents(questions, part, SEED)
    from_claims = yes_no_documents(data, part, SEED)
    for document in chain(from_tables, from_prose, from_claims):
        if document.part == part:
            yield document


def reader_questions(
    data: Path, questions: QuestionsBySource, count_tokens: Callable[[str], int]
) -> dict[str, list[TrainingQuestion]]:
    """Returns the questions to train on, by source: over prose, then over ordinary documents."""
    rng = random.Random(SEED)
    by_source: dict[str, list[TrainingQuestion]] = {}
    for name, rows in of_part(questions, "train").items():
        asked_as_typed = []
        for row in rows:
            if rng.random() < SHARE_OFFERED:
                row = replace(row, question=reworded(row.question, rng))
            asked_as_typed.append(row)
        by_source[name] = asked_as_typed

    documents = list(written_documents(data, questions, "train"))
    for question in training_questions(documents, count_tokens):
        by_source.setdefault(question.source, []).append(question)
    return by_source


def handmade_questions(count_tokens: Callable[[str], int]) -> dict[str, list[TrainingQuestion]]:
    """Returns the questions to train on over the documents that were written by hand."""
    documents = list(handmade_documents("train"))
    return {HANDMADE: list(training_questions(documents, count_tokens))}
