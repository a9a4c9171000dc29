"""Written documents: the answers stand where they are said to, and what is left out is missing."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DocumentError
from qa.training.cases import Models, ordinary_cases
from qa.training.ordinary import reader_questions, written_documents
from qa.training.prose_documents import prose_documents, yes_no_documents
from qa.training.rewording import reworded, yes_no_question
from qa.training.sources import TrainingQuestion
from qa.training.table_claims import read_tables
from qa.training.table_documents import read_table_questions, table_documents
from qa.training.written import WrittenDocument, WrittenQuestion, training_questions
from qa.types import Span
from tests.qa.fakes import WordEmbedder, WordPointer

HEADER = ["Branch", "Manager", "Town", "Staff"]
NAMES = "Alder Birch Cedar Dogwood Elder Fir Ginkgo Hazel".split()
MANAGERS = "Ilse Marco Nadia Otto Priya Quentin Rosa Sven".split()
TOWNS = ["Lyon", "Lyon", "Porto", "Porto", "Lyon", "Porto", "Graz", "Graz"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with 24 tables, questions about them, and claims."""
    tables = []
    questions = []
    for number in range(24):
        rows = []
        for index, name in enumerate(NAMES):
            row = [f"{name} {number}", MANAGERS[index], TOWNS[index], str(100 + index)]
            rows.append(row)
        tables.append(
            {"id": f"t{number}", "title": "Branches", "section": "", "header": HEADER, "rows": rows}
        )
        asked = {
            f"Who is the manager of Birch {number}?": [[1, 1]],
            f"How many branches are in {TOWNS[0]}?": [[2, 3]],
            "Which branch is the largest?": [[7, 0]],
            "Who is it?": [[3, 1]],
        }
        for question, cells in asked.items():
            questions.append({"table": f"t{number}", "question": question, "cells": cells})
    claims = []
    for number in range(24):
        evidence = [{"text": f"The mill was built in {1800 + number}."}]
        others = [{"text": text} for text in ("It rained.", "The town has a church.")]
        claims.append(
            {
                "id": f"c{number}",
                "text": f"The mill was built in {1850 + number}.",
                "gold_evidence": evidence,
                "retrieved_evidence": [*others, *evidence],
            }
        )
    files: dict[str, list[dict[str, Any]]] = {
        "tables/tables.jsonl": tables,
        "tables/questions.jsonl": questions,
        "fm2/dev.jsonl": claims[:12],
        "fm2/test.jsonl": claims[12:],
    }
    for name, rows_of_file in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(map(json.dumps, rows_of_file)), encoding="utf-8")
    return tmp_path


def _prose() -> list[TrainingQuestion]:
    rows = []
    for number, name in enumerate(MANAGERS):
        context = f"The mill of {name} opened in 190{number}. It burnt down in 195{number}."
        for verb, year in (("open", f"190{number}"), ("burn down", f"195{number}")):
            start = context.index(year)
            question = f"When did the mill of {name} {verb}?"
            answers = (Span(start, start + len(year)),)
            rows.append(TrainingQuestion("squad_train_a", "Old_mills", question, context, answers))
    return rows


def _answers(document: WrittenDocument, question: WrittenQuestion) -> list[str]:
    return [document.text[span.start : span.end] for span in question.answers]


def test_only_questions_that_a_row_answers_are_read(data: Path) -> None:
    tables = read_tables(data)
    asked = read_table_questions(data, tables)
    assert set(asked) == set(tables)
    for table, questions in asked.items():
        number = table.removeprefix("t")
        assert [row.question for row in questions] == [f"Who is the manager of Birch {number}?"]


def test_table_documents_answer_with_their_cells(data: Path) -> None:
    tables = read_tables(data)
    made = list(table_documents(tables, read_table_questions(data, tables), seed=1))
    again = list(table_documents(tables, read_table_questions(data, tables), seed=1))
    assert made == again
    assert {document.source for document in made} == {"table", "cards", "list"}
    assert any(not document.markdown for document in made)
    for document in made:
        cells = {cell for row in tables[document.group].rows for cell in row}
        for question in document.questions:
            for answer in _answers(document, question):
                is_list = document.source == "list"
                items = [line.lstrip("-*•. 0123456789") for line in answer.splitlines()]
                assert set(items) <= cells if is_list else answer in cells


def test_what_is_left_out_is_in_no_row(data: Path) -> None:
    tables = read_tables(data)
    made = list(table_documents(tables, {}, seed=2))
    absent = 0
    for document in made:
        if document.source == "list":
            continue
        for question in document.questions:
            folded = question.question.casefold()
            if question.answers:
                continue
            absent += 1
            # The row or the column that is asked for is not in the document.
            names = [f"{name} {document.group.removeprefix('t')}".casefold() for name in NAMES]
            shown_names = [name for name in names if name in document.text.casefold()]
            columns = [name.casefold() for name in HEADER if name in document.text]
            has_row = any(name in folded for name in shown_names)
            has_column = any(name in folded for name in columns)
            assert not (has_row and has_column)
    assert absent > 20


def test_prose_documents_have_the_answers_of_their_paragraphs() -> None:
    questions = {"squad_train_a": _prose()}
    questions |= {name: [] for name in ("squad2_half", "squad_train_d", "onestop_news", "qed")}
    made = list(prose_documents(questions, "train", seed=1))
    assert {document.source for document in made} == {"faq", "notes"}
    answered = 0
    for document in made:
        for question in document.questions:
            for answer in _answers(document, question):
                answered += 1
                assert answer.isdigit()
                assert len(answer) == 4
    assert answered > 10
    assert list(prose_documents(questions, "fit", seed=1)) == []


def test_claims_become_questions_that_their_evidence_decides(data: Path) -> None:
    made = list(yes_no_documents(data, "train", seed=1))
    assert made
    for document in made:
        for question in document.questions:
            (answer,) = _answers(document, question)
            assert answer.startswith("The mill was built in ")


@pytest.mark.parametrize(
    ("statement", "question"),
    [
        ("The mill was built in 1850.", "Was the mill built in 1850?"),
        ("Ada Lovelace is a composer", "Is Ada Lovelace a composer?"),
        ("It has been closed since May.", "Has it been closed since May?"),
        ("The mill burnt down.", None),
        ("When asked, the owner of the mill that stood in the town was silent.", None),
    ],
)
def test_statement_as_a_question(statement: str, question: str | None) -> None:
    assert yes_no_question(statement) == question


def test_reworded_questions_keep_their_rare_words() -> None:
    asked = "What is the extension of Sven Jansen?"
    seen = {reworded(asked, random.Random(seed)) for seed in range(200)}
    assert asked in seen
    assert len(seen) > 10
    for question in seen:
        # A slip of the keyboard changes one word at most.
        kept = sum(word in question.casefold() for word in ("extension", "sven", "jansen"))
        assert kept >= 2


def test_questions_come_with_the_view_that_answers(data: Path) -> None:
    empty: dict[str, list[TrainingQuestion]] = {name: [] for name in _SOURCES}
    questions = {**empty, "squad_train_a": _prose()}
    made = reader_questions(data, questions, _count_words)
    assert {"table", "cards", "list", "faq", "notes", "yes or no"} <= set(made)
    for rows in made.values():
        for row in rows:
            assert row.part == "train"
            assert all(text.strip() for text in row.answer_texts)
    # Questions over prose come too, on the passage that they were asked about.
    to_train = [row.context for row in questions["squad_train_a"] if row.part == "train"]
    assert [row.context for row in made["squad_train_a"]] == to_train
    # A row is read with the names of its columns, and a card below its heading.
    managers = [row for row in made["table"] if "manager of Birch" in row.question]
    assert managers
    assert all("Manager: Marco" in row.context for row in managers if row.answers)


def test_nearest_view_is_that_of_the_question() -> None:
    text = "# Tea\n\n" + "tea is grown here. " * 60 + "\n\n# Mills\n\n" + "mills grind corn. " * 60
    question = WrittenQuestion("Who owns the mills?", ())
    document = WrittenDocument("notes", "g", text, (question,), "train")
    (row,) = training_questions([document], _count_words)
    assert "mills grind" in row.context
    assert row.answers == ()


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"tables/tables\.jsonl"):
        list(written_documents(tmp_path, {}, "train"))


def test_ordinary_cases_read_a_library_of_many_forms(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa.training.cases.LIBRARY_DOCUMENTS", 6)
    tables = read_tables(data)
    documents = list(table_documents(tables, read_table_questions(data, tables), seed=1))
    found = list(ordinary_cases(documents, Models(WordEmbedder(), WordPointer()), 1))
    assert {case.source for case in found} == {"table", "cards", "list"}
    answered = [case for case in found if case.answered]
    assert len(answered) < len(found)
    assert any(case.right.any() for case in answered)
    assert not any(case.right.any() for case in found if not case.answered)


_SOURCES = (
    "squad2_half squad_train_d onestop_news qed squad2_train_unanswerable squadshifts_new_wiki"
    " squadshifts_reddit nq_oracle qadiscourse_wikinews fairytale multispan_list selqa qamr"
).split()


def _count_words(text: str) -> int:
    return len(text.split())
