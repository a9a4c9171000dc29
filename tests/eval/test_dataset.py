"""Question files: what is read, and that everything wrong is reported at once."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.dataset import Question, check_evidence, read_questions, repeated_quotes_note
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
    """Writes a file of these lines; what is not bytes becomes JSON."""
    path = folder / "questions.jsonl"
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(encoded))
    return path


def problems_of(path: Path) -> list[tuple[int, str]]:
    """Returns the lines that the error for a file names, each with its words."""
    with pytest.raises(QuestionFileError) as caught:
        read_questions(path)
    heading, *lines = str(caught.value).split("\n")
    assert str(path) in heading
    problems = []
    for line in lines:
        match = re.fullmatch(r"  line (\d+): (.*)", line)
        assert match, line
        problems.append((int(match[1]), match[2]))
    return problems


def test_read_questions_reads_every_field(tmp_path: Path) -> None:
    """Optional fields have their defaults; the line is counted from 1."""
    optional = {
        "history": [{"question": "What do cats do?", "answer": "Sleep."}],
        "split": "test",
        "relevant": {"pets.txt": 2},
        "group": "pets",
        "document": "pets.txt",
    }
    path = write(tmp_path, {**ABSENT, "id": "b"}, {**GOOD, **optional})
    first, second = read_questions(path)
    assert first == Question("b", "Who barks?", False, (), (), "fact", (), "dev", 1)
    assert second == Question(
        id="a",
        question="Who barks?",
        answerable=True,
        answers=("Dogs",),
        evidence=("Dogs bark at night.",),
        kind="fact",
        history=(Turn("What do cats do?", "Sleep."),),
        split="test",
        line=2,
        relevant={"pets.txt": 2},
        group="pets",
        document="pets.txt",
    )
    assert second.as_json() == {**GOOD, **optional}


def test_blank_lines_and_windows_line_ends_are_skipped(tmp_path: Path) -> None:
    """Blank lines count as lines, so that messages name the right one."""
    encoded = json.dumps(GOOD).encode()
    path = write(tmp_path, b"\r", encoded + b"\r", b"  ", {**GOOD, "id": "b"}, b"")
    assert [(each.id, each.line) for each in read_questions(path)] == [("a", 2), ("b", 4)]


def test_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    """U+2028 and U+0085 may stand in a JSON text."""
    row = {**GOOD, "question": "Who\u2028barks\x85?"}
    path = write(tmp_path, json.dumps(row, ensure_ascii=False).encode(), {**GOOD, "id": "b"})
    questions = [(each.question, each.line) for each in read_questions(path)]
    assert questions == [(row["question"], 1), ("Who barks?", 2)]


def test_all_bad_lines_are_reported_at_once(tmp_path: Path) -> None:
    """Each bad line is named with its number and everything wrong with it."""
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
        {**GOOD, "id": "a", "evidence": [" ", 3]},
        {**GOOD, "id": "i", "relevant": {"pets.txt": 0}, "group": ""},
        {**GOOD, "id": "j", "relevant": {"pets.txt": True}, "history": None},
    )
    expected = [
        (2, "invalid JSON: key must be a string at character 2"),
        (4, "not a JSON object"),
        (5, '"kind" is missing'),
        (5, 'unknown field "color"'),
        (6, '"id" must be a text that is not empty'),
        (6, '"answerable" must be true or false'),
        (6, '"answers" must be a list of texts that are not empty'),
        (6, '"evidence" must be a list of texts that are not empty'),
        (6, '"split" must be "dev" or "test"'),
        (7, 'the id "a" is that of line 1 too'),
        (8, '"question" must be a text that is not empty'),
        (9, 'answerable, but without "answers" and "evidence": give one of them'),
        (10, 'not answerable, but with "answers"'),
        (10, 'not answerable, but with "evidence"'),
        (11, "invalid JSON: "),
        (12, '"history" must be a list of objects with the texts "question" and "answer"'),
        (13, "invalid JSON: "),
        (14, "invalid JSON: "),
        (15, '"evidence" must be a list of texts that are not empty'),
        (15, 'the id "a" is that of line 1 too'),
        (16, '"relevant" must be an object of document names, each with a whole number from 1'),
        (16, '"group" must be a text that is not empty'),
        (17, '"history" must be a list of objects with the texts "question" and "answer"'),
        (17, '"relevant" must be an object of document names, each with a whole number from 1'),
    ]
    problems = problems_of(path)
    assert [number for number, _ in problems] == [number for number, _ in expected]
    for (number, words), (_, start) in zip(problems, expected, strict=True):
        assert words.startswith(start), (number, words)


@pytest.mark.parametrize("field", ["id", "question", "answerable", "kind"])
def test_read_questions_missing_field_is_reported(tmp_path: Path, field: str) -> None:
    """These four fields have no default."""
    row = {key: value for key, value in GOOD.items() if key != field}
    assert problems_of(write(tmp_path, row)) == [(1, f'"{field}" is missing')]


@pytest.mark.parametrize("field", ["answers", "evidence"])
@pytest.mark.parametrize("empty", [True, False])
def test_read_questions_answers_or_evidence_suffice(
    tmp_path: Path, field: str, empty: bool
) -> None:
    """An answerable question may lack one of them, as an empty list or without the field."""
    row = {key: value for key, value in GOOD.items() if key != field}
    if empty:
        row[field] = []
    (read,) = read_questions(write(tmp_path, row))
    assert read.as_json() == {**GOOD, field: [], "split": "dev"}


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_file_without_a_question_is_an_error(tmp_path: Path, content: bytes) -> None:
    """An empty set measures nothing."""
    with pytest.raises(QuestionFileError, match="line 1: there is no question"):
        read_questions(write(tmp_path, content))


def test_file_may_start_with_a_byte_order_mark(tmp_path: Path) -> None:
    """Some editors write one."""
    path = tmp_path / "q.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert [each.id for each in read_questions(path)] == [GOOD["id"]]


def test_missing_file_is_named(tmp_path: Path) -> None:
    """The error names the path."""
    path = tmp_path / "no.jsonl"
    with pytest.raises(QuestionFileError, match=re.escape(f"{path} cannot be read")):
        read_questions(path)


def test_check_evidence_returns_the_spans_of_quotes() -> None:
    """Each quote is found in its document, in the order of the quotes."""
    fish = document("Fish swim.", "fish.txt")
    questions = [question("a", ["Dogs bark", "Fish swim."]), question("b", [])]
    gold = check_evidence(questions, [PETS, fish])
    assert gold == {"a": [(("pets.txt", Span(21, 30)),), (("fish.txt", Span(0, 10)),)], "b": []}


def test_document_given_twice_holds_its_quotes_once() -> None:
    """The same document does not hold the quote a second time."""
    assert check_evidence([question()], [PETS, document()])["q1"] == [(("pets.txt", Span(21, 40)),)]


COPY = document("So: Dogs bark at night. aaa", "copy.txt")


def test_check_evidence_quote_in_several_places_has_them_all() -> None:
    """Spans in one document and in several count, also those that overlap."""
    questions = [question("copied"), question("overlapping", ["aa"])]
    gold = check_evidence(questions, [PETS, COPY])
    assert gold["copied"] == [(("pets.txt", Span(21, 40)), ("copy.txt", Span(4, 23)))]
    assert gold["overlapping"] == [(("copy.txt", Span(24, 26)), ("copy.txt", Span(25, 27)))]


def test_check_evidence_named_document_has_the_only_spans() -> None:
    """A question that names its document has evidence there and nowhere else."""
    asked = replace(question(), document="copy.txt")
    assert check_evidence([asked], [PETS, COPY])["q1"] == [(("copy.txt", Span(4, 23)),)]


def test_repeated_quotes_note_counts_quotes_once() -> None:
    """One sentence says how many quotes are in several places; without any it is empty."""
    questions = [question("once", ["Cats sleep"]), question("copied"), question("twice", ["aa"])]
    gold = check_evidence(questions, [PETS, COPY])
    assert repeated_quotes_note(gold).startswith(
        "2 quotes are in several places, and any of these places counts (copied, twice). "
    )
    assert repeated_quotes_note({"once": gold["once"]}) == ""


def test_check_evidence_missing_quotes_are_reported() -> None:
    """Quotes in no document, or in a thousand places, and missing documents are named at once."""
    letters = document("e" * 1_002, "letters.txt")
    questions = [
        question("case", ["dogs bark"], line=3),
        question("fine", ["Cats sleep"], line=4),
        question("two", ["Fish swim.", "Birds  sing"], line=5),
        replace(question("elsewhere", line=6), document="letters.txt"),
        question("letter", ["e"], line=9),
        question("lost", [], line=10, relevant={"gone.txt": 1}),
        replace(question("named", line=11), document="gone.txt"),
    ]
    with pytest.raises(QuestionFileError) as caught:
        check_evidence(questions, [PETS, letters])
    assert str(caught.value).split("\n")[1:] == [
        "  line 3: case: evidence is in no document: 'dogs bark'",
        "  line 5: two: evidence is in no document: 'Fish swim.'",
        "  line 5: two: evidence is in no document: 'Birds  sing'",
        "  line 6: elsewhere: evidence is not in letters.txt: 'Dogs bark at night.'",
        "  line 9: letter: evidence is in more than 1,000 places. Quote more words: 'e'",
        "  line 10: lost: there is no document 'gone.txt'",
        "  line 11: named: there is no document 'gone.txt'",
    ]
