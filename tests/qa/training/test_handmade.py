"""Documents written by hand: each answer stands in its document, and parts do not overlap."""

import json
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DocumentError
from qa.training.cases import MAX_QUESTIONS_OF_WRITTEN, Models, ordinary_cases
from qa.training.handmade import handmade_documents
from qa.training.sources import Part
from qa.training.written import training_questions
from tests.qa.fakes import WordEmbedder, WordPointer

PARTS: tuple[Part, ...] = ("train", "fit", "report")
TEXT = "The lift stops at 22:00.\n\nThe bar closes at 22:00.\n"


def _write(folder: Path, *questions: dict[str, Any], name: str = "house.txt") -> Path:
    line = json.dumps({"name": name, "text": TEXT, "questions": questions})
    with (folder / "home.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    return folder


def test_answers_are_found_in_the_document(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {"question": "When does the bar close?", "answers": [{"words": "22:00", "occurrence": 2}]},
        {
            "question": "Is the lift on all night?",
            "answers": [{"words": "The lift  stops at\n22:00."}],
            "kind": "yesno",
        },
        {"question": "When does the bar open?", "answers": []},
    )
    (document,) = handmade_documents("report", tmp_path)
    by_question = {question.question: question for question in document.questions}
    close = by_question["When does the bar close?"]
    assert [span.start for span in close.answers] == [TEXT.rindex("22:00")]
    assert not close.region
    assert by_question["Is the lift on all night?"].region
    assert by_question["When does the bar open?"].answers == ()
    assert document.as_document().name == "house.txt"


def test_each_document_is_in_one_part(tmp_path: Path) -> None:
    for number in range(16):
        _write(
            tmp_path,
            {"question": "When?", "answers": [{"words": "lift"}]},
            name=f"n{number:02}.txt",
        )
    groups = {part: [d.group for d in handmade_documents(part, tmp_path)] for part in PARTS}
    assert {part: len(names) for part, names in groups.items()} == {
        "train": 12,
        "fit": 2,
        "report": 2,
    }
    assert len({name for names in groups.values() for name in names}) == 16


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({"question": "When?", "answers": [{"words": "23:00"}]}, "'23:00' 0 times"),
        ({"question": "When?", "answers": [{"words": "22:00", "occurrence": 3}]}, "place 3"),
        ({"question": "When?"}, "line 1 is not a document"),
    ],
)
def test_a_wrong_line_is_an_error(tmp_path: Path, question: dict[str, Any], reason: str) -> None:
    _write(tmp_path, question)
    with pytest.raises(DocumentError, match=reason):
        list(handmade_documents("report", tmp_path))


def test_a_file_is_read_below_its_name(tmp_path: Path) -> None:
    """As the reader reads it: the question has a term that only the name has."""
    question = {"question": "When does the bar in the house close?"}
    _write(tmp_path, {**question, "answers": [{"words": "22:00", "occurrence": 2}]})
    documents = list(handmade_documents("report", tmp_path))
    (row,) = training_questions(documents, lambda text: len(text.split()))
    assert row.context.startswith("house:\n")
    assert row.answer_texts == ["22:00"]


def test_all_questions_of_a_file_become_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa.training.cases.LIBRARY_DOCUMENTS", 1)
    count = MAX_QUESTIONS_OF_WRITTEN + 2
    question = {"question": "When does the bar close?", "answers": [{"words": "bar closes"}]}
    _write(tmp_path, *[question] * count)
    documents = list(handmade_documents("report", tmp_path))
    cases = list(ordinary_cases(documents, Models(WordEmbedder(), WordPointer()), 1))
    assert len(cases) == count


def test_the_documents_of_the_project_are_valid() -> None:
    """Of the part that is reported on; the training reads them all."""
    documents = list(handmade_documents("report"))
    assert len(documents) >= 40
    questions = [question for document in documents for question in document.questions]
    unanswered = [question for question in questions if not question.answers]
    assert 0.2 < len(unanswered) / len(questions) < 0.5
