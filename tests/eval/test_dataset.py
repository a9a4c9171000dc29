"""Question files: what is read, and that all that is wrong is told at once."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from eval.dataset import Question, check_evidence, read_questions
from qa.errors import QuestionFileError
from qa.types import Span, Turn
from tests.eval.fakes import PETS, document, question

GOOD: dict[str, Any] = {
    "id": "a",
    "question": "Who barks?",
    "answerable": True,
    "answers": ["Dogs"],
    "evidence": ["Dogs bark at night."],
    "kind": "fact",
}
ABSENT: dict[str, Any] = {**GOOD, "answerable": False, "answers": [], "evidence": []}


def write(folder: Path, *lines: Any) -> Path:
    """A file of these lines; what is not bytes yet becomes JSON."""
    path = folder / "questions.jsonl"
    path.write_bytes(
        b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    )
    return path


def told(path: Path) -> list[tuple[int, str]]:
    """What the error for a file tells, line by line."""
    with pytest.raises(QuestionFileError) as caught:
        read_questions(path)
    heading, *rest = str(caught.value).split("\n")
    assert str(path) in heading
    return [
        (int(number), words)
        for line in rest
        for number, words in re.findall(r"^  line (\d+): (.*)$", line)
    ]


def test_every_field_is_read(tmp_path: Path) -> None:
    earlier = [{"question": "What do cats do?", "answer": "Sleep."}]
    path = write(tmp_path, {**ABSENT, "id": "b"}, {**GOOD, "history": earlier, "split": "test"})
    turn = Turn("What do cats do?", "Sleep.")
    assert read_questions(path) == [
        Question("b", "Who barks?", False, (), (), "fact", (), "dev", 1),
        Question(
            "a", "Who barks?", True, ("Dogs",), ("Dogs bark at night.",), "fact", (turn,), "test", 2
        ),
    ]


def test_blank_lines_and_windows_line_ends_count_but_do_not_matter(tmp_path: Path) -> None:
    path = write(
        tmp_path, b"\r", json.dumps(GOOD).encode() + b"\r", b"  ", {**GOOD, "id": "b"}, b""
    )
    assert [(each.id, each.line) for each in read_questions(path)] == [("a", 2), ("b", 4)]


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path: Path) -> None:
    row = {**GOOD, "question": "Who\u2028barks\x85?"}
    path = write(tmp_path, json.dumps(row, ensure_ascii=False).encode(), {**GOOD, "id": "b"})
    assert [(each.question, each.line) for each in read_questions(path)] == [
        (row["question"], 1),
        ("Who barks?", 2),
    ]


def test_all_bad_lines_are_told_at_once_with_their_numbers(tmp_path: Path) -> None:
    without_kind = {key: value for key, value in GOOD.items() if key != "kind"}
    path = write(
        tmp_path,
        GOOD,
        b"{nonsense",
        b"",
        b"[1]",
        {**without_kind, "id": "c", "color": "red"},
        {**GOOD, "id": 7, "answerable": 1, "answers": "Dogs", "evidence": [""], "split": "train"},
        {**GOOD, "id": "a"},
        {**GOOD, "id": "d", "question": " \n"},
        {**GOOD, "id": "e", "answers": [], "evidence": []},
        {**ABSENT, "id": "f", "answers": ["x"], "evidence": ["y"]},
        b'{"id": "\xff"}',
        {**GOOD, "id": "g", "history": [{"question": "Who?"}]},
        {**GOOD, "id": "h", "question": "\ud800"},
        b"[" * 100_000,
    )
    found = told(path)
    expected = [
        (2, "invalid JSON: Expecting property name"),
        (4, "not a JSON object"),
        (5, 'unknown field "color"'),
        (5, '"kind" is missing'),
        (6, '"id" must be a text'),
        (6, '"answerable" must be true or false'),
        (6, '"answers" must be a list'),
        (6, '"evidence" must be a list of texts that are not empty'),
        (6, '"split" must be "dev" or "test"'),
        (7, 'the id "a" is that of line 1 too'),
        (8, '"question" must be a text that is not empty'),
        (9, 'answerable, but without "answers"'),
        (9, 'answerable, but without "evidence"'),
        (10, 'not answerable, but with "answers"'),
        (10, 'not answerable, but with "evidence"'),
        (11, "invalid UTF-8 (byte 9 of the line)"),
        (12, '"history" must be a list'),
        (13, '"question" must be a text'),
        (14, "invalid JSON"),
    ]
    assert [number for number, _ in found] == [number for number, _ in expected]
    for (number, words), (_, start) in zip(found, expected, strict=True):
        assert words.startswith(start), (number, words)


@pytest.mark.parametrize("field", list(GOOD))
def test_each_field_of_the_contract_is_required(tmp_path: Path, field: str) -> None:
    row = {key: value for key, value in GOOD.items() if key != field}
    assert told(write(tmp_path, row)) == [(1, f'"{field}" is missing')]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_a_question_is_an_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(QuestionFileError, match="line 1: there is no question"):
        read_questions(write(tmp_path, content))


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert [question.id for question in read_questions(path)] == [GOOD["id"]]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        QuestionFileError, match=re.escape(f"{tmp_path / 'no.jsonl'} cannot be read")
    ):
        read_questions(tmp_path / "no.jsonl")


def test_gold_quotes_are_located_in_their_documents() -> None:
    fish = document("Fish swim.", "fish.txt")
    asked = [
        question("a", ["Dogs bark", "Fish swim."]),
        question("b", []),
    ]
    gold = check_evidence(asked, [PETS, fish])
    assert gold == {"a": [("pets.txt", Span(21, 30)), ("fish.txt", Span(0, 10))], "b": []}


def test_a_document_given_twice_holds_its_quotes_once() -> None:
    assert check_evidence([question()], [PETS, document()])["q1"] == [("pets.txt", Span(21, 40))]


def test_quotes_not_found_exactly_once_are_told_at_once() -> None:
    twice = document("Fish swim. Fish swim. aaa", "fish.txt")
    copy = document("Dogs bark at night.", "copy.txt")
    asked = [
        question("case", ["dogs bark"], line=3),
        question("fine", ["Cats sleep"], line=4),
        question("two", ["Fish swim.", "Birds  sing"], line=5),
        question("copied", ["Dogs bark at night."], line=8),
        question("overlapping", ["aa"], line=9),
    ]
    with pytest.raises(QuestionFileError) as caught:
        check_evidence(asked, [PETS, twice, copy])
    assert str(caught.value).split("\n")[1:] == [
        "  line 3: case: evidence is in no document: 'dogs bark'",
        "  line 5: two: evidence is in the documents 2 times: 'Fish swim.'",
        "  line 5: two: evidence is in no document: 'Birds  sing'",
        "  line 8: copied: evidence is in the documents 2 times: 'Dogs bark at night.'",
        "  line 9: overlapping: evidence is in the documents 2 times: 'aa'",
    ]
