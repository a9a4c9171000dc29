"""Questions over ordinary documents: tables, cards, lists, FAQs, notes, and yes-or-no questions.

They are written from public tables, paragraphs and claims, and read as the views of passages.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

from qa.errors import DocumentError
from qa.training.prose_documents import CLAIM_FILES, prose_documents, yes_no_documents
from qa.training.rewording import reworded
from qa.training.sources import Part, QuestionsBySource, TrainingQuestion
from qa.training.table_claims import TABLE_FILES, read_tables
from qa.training.table_documents import read_table_questions, table_documents
from qa.training.written import WrittenDocument, training_questions

SEED = 30
MAX_REPEATED: Mapping[str, int] = {
    "squad2_half": 2500,
    "squad_train_a": 2500,
    "squad2_train_unanswerable": 1500,
    "squadshifts_new_wiki": 1500,
    "squadshifts_reddit": 300,
    "nq_oracle": 1000,
    "onestop_news": 1000,
    "qadiscourse_wikinews": 500,
    "fairytale": 300,
    "multispan_list": 500,
    "qed": 600,
    "selqa": 300,
    "qamr": 1000,
}
"""Questions over prose that are trained on again, by source, so that prose is not forgotten."""


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


def ordinary_questions(
    data: Path, questions: QuestionsBySource, count_tokens: Callable[[str], int]
) -> dict[str, list[TrainingQuestion]]:
    """Returns the questions to train on over ordinary documents, and some over prose, by source."""
    by_source: dict[str, list[TrainingQuestion]] = {}
    documents = list(written_documents(data, questions, "train"))
    for question in training_questions(documents, count_tokens):
        by_source.setdefault(question.source, []).append(question)

    rng = random.Random(SEED)
    for name, count in MAX_REPEATED.items():
        rows = [row for row in questions[name] if row.part == "train"]
        chosen = rng.sample(rows, min(count, len(rows)))
        repeated = []
        for row in chosen:
            repeated.append(replace(row, question=reworded(row.question, rng)))
        by_source[name] = repeated
    return by_source
