"""Question files looked over: what is wrong, what is doubtful, and that one does not hide the other."""

import json
from pathlib import Path
from typing import Any

import pytest

import eval.__main__ as entry
from eval.check import Checked, Finding, check, has_answer, normalized
from eval.commands import check as command
from eval.commands.shared import QUESTIONS, seeds_folder
from qa.documents.load import load
from qa.errors import DocumentError
from tests.eval.fakes import PETS, TEXT, document

GOOD: dict[str, Any] = {
    "id": "dogs",
    "question": "What do dogs do at night?",
    "answerable": True,
    "answers": ["bark"],
    "evidence": ["Dogs bark at night."],
    "kind": "fact",
}
ABSENT: dict[str, Any] = {
    "id": "fish",
    "question": "Where do fish sleep?",
    "answerable": False,
    "answers": [],
    "evidence": [],
    "kind": "fact",
}


def checked(folder: Path, *rows: Any, **others: Any) -> Checked:
    """What is found in a file of these lines over the pets."""
    return check(_write(folder, *rows), others.get("documents", [PETS]), others.get("failures", ()))


def _write(folder: Path, *rows: Any) -> Path:
    path = folder / "q.jsonl"
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows),
        encoding="utf-8",
    )
    return path


def told(found: Checked) -> list[tuple[str, int, str]]:
    return [(one.level, one.line, one.words) for one in found.findings]


def test_a_good_file_has_nothing_to_tell(tmp_path: Path) -> None:
    found = checked(tmp_path, GOOD, ABSENT)
    assert told(found) == []
    assert found.passes(strict=True)
    assert found.as_json() == {
        "questions": 2,
        "answerable": 1,
        "splits": {"dev": 2},
        "kinds": {"fact": 2},
        "findings": [],
    }


def test_bad_lines_documents_and_evidence_are_told_together(tmp_path: Path) -> None:
    found = checked(
        tmp_path,
        "{nonsense",
        GOOD,
        {**GOOD, "id": "dogs", "question": "Who barks?"},
        {**GOOD, "id": "lost", "question": "Who swims?", "evidence": ["Fish swim."]},
        {**GOOD, "id": "loud", "question": "How do dogs sound?", "answers": ["quiet"]},
        ABSENT,
        failures=[DocumentError("more.txt does not exist. Check the path.")],
    )
    assert [(level, line) for level, line, _ in told(found)] == [
        *(("wrong", 0), ("wrong", 1), ("wrong", 3), ("wrong", 4)),
        *(("warning", 4), ("warning", 5), ("note", 0)),
    ]
    words = [one.words for one in found.findings]
    assert words[0] == "more.txt does not exist. Check the path."
    assert words[1].startswith("invalid JSON")
    assert words[2] == 'the id "dogs" is that of line 2 too'
    assert words[3] == "lost: evidence is in no document: 'Fish swim.'"
    assert words[5] == "loud: the answer 'quiet' is not in the evidence"
    assert "may be in one that could not be read" in words[6]
    assert [question.id for question in found.questions] == ["dogs", "lost", "loud", "fish"]


def test_without_a_document_evidence_is_not_looked_for(tmp_path: Path) -> None:
    found = checked(tmp_path, GOOD, ABSENT, documents=[], failures=[DocumentError("gone")])
    assert told(found) == [
        ("wrong", 0, "gone"),
        ("note", 0, "Evidence was not looked for: there is no document to look in."),
    ]


@pytest.mark.parametrize("content", [None, "", "{", "[]\n{}"])
def test_a_file_without_a_good_line_is_wrong_and_no_more_is_told(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "q.jsonl"
    if content is not None:
        path.write_text(content)
    found = check(path, [PETS])
    assert found.questions == ()
    assert not found.passes()
    assert {one.level for one in found.findings} == {"wrong"}


def test_what_can_be_told_of_a_question_by_itself(tmp_path: Path) -> None:
    found = checked(
        tmp_path,
        {**GOOD, "answers": ["bark", "make noise"]},
        {**GOOD, "id": "loud", "question": "Do dogs bark or sing?"},
        {
            **GOOD,
            "id": "both",
            "question": "Who is up late?",
            "evidence": ["Dogs bark", "bark at night"],
        },
        {
            **GOOD,
            "id": "hours",
            "question": "How long do cats sleep?",
            "answers": ["6"],
            "evidence": [TEXT[:20]],
        },
        ABSENT,
    )
    assert told(found) == [
        ("warning", 1, "dogs: the answer 'make noise' is not in the evidence"),
        ("warning", 2, "loud: the question has its answer 'bark' in it"),
        ("warning", 3, "both: two pieces of evidence share 4 characters"),
        ("warning", 4, "hours: the answer '6' is not in the evidence"),
    ]
    assert found.passes()
    assert not found.passes(strict=True)


def test_the_same_question_twice_is_wrong_and_with_other_evidence_doubtful(tmp_path: Path) -> None:
    again = {**GOOD, "question": "what do dogs do, at NIGHT"}
    found = checked(
        tmp_path,
        GOOD,
        {**again, "id": "b"},
        {**again, "id": "c", "evidence": ["Dogs bark"], "split": "test"},
        {**again, "id": "d", "history": [{"question": "What do cats do?", "answer": "Sleep."}]},
        {**again, "id": "e", "group": "another article"},
        {**ABSENT, "split": "test"},
    )
    assert [one for one in told(found) if "same question" in one[2]] == [
        ("wrong", 2, "b: the same question as line 1"),
        (
            "warning",
            3,
            "c: the same question as line 1, which is of the split dev, with other evidence",
        ),
    ]


def _leaks(folder: Path, dev: dict[str, Any], test: dict[str, Any]) -> list[str]:
    found = checked(folder, dev, {**test, "id": "other", "split": "test"})
    return [one.words for one in found.findings if "much like" in one.words]


def test_a_test_question_after_the_fact_of_a_development_question_is_a_leak(tmp_path: Path) -> None:
    assert _leaks(tmp_path, GOOD, {**GOOD, "question": "At night, what do the dogs do?"}) == [
        "other: much like dogs (line 1: 'What do dogs do at night?'), of the other split"
    ]


@pytest.mark.parametrize(
    "test",
    [
        {**GOOD, "question": "What do dogs do by night?", "answers": ["night"]},
        {
            **GOOD,
            "question": "What do birds do at dawn?",
            "answers": ["sing"],
            "evidence": ["Birds sing at dawn."],
        },
        {**GOOD, "question": "Which animal is loud?"},
        {**ABSENT, "question": "What do hogs do at night?"},
    ],
    ids=["another answer", "another place", "no word in common", "its near miss"],
)
def test_what_is_only_like_a_development_question_is_no_leak(
    tmp_path: Path, test: dict[str, Any]
) -> None:
    assert _leaks(tmp_path, GOOD, test) == []


@pytest.mark.parametrize(
    ("question", "leaks"),
    [
        ("Where do the fish in the pond sleep in 1990?", True),
        ("Where do the fish in the pond sleep in 1991?", False),
        ("When do the fish in the pond sleep in 1990?", False),
        ("Where do the fish in the pond not sleep in 1990?", False),
        ("Where do the pigs in the barn sleep in 1990?", False),
    ],
)
def test_questions_without_a_place_leak_in_the_same_words_only(
    tmp_path: Path, question: str, leaks: bool
) -> None:
    dev = {**ABSENT, "question": "Where do fish in the pond sleep in 1990?"}
    assert bool(_leaks(tmp_path, dev, {**ABSENT, "question": question})) == leaks


def test_notes_tell_what_the_set_cannot_show(tmp_path: Path) -> None:
    def row(number: int, **changes: Any) -> dict[str, Any]:
        absent = changes.pop("answerable", True) is False
        return {
            **(ABSENT if absent else GOOD),
            "id": str(number),
            "question": f"Thing {'x' * number}?",
            **changes,
        }

    rows = [row(number) for number in range(1, 9)]
    assert [one.words for one in checked(tmp_path, *rows).at("note")] == [
        "Every question is answerable: whether the bot refuses what it should is not measured."
    ]
    rows += [row(9, split="test", answerable=False), row(10, kind="rare")]
    assert [one.words for one in checked(tmp_path, *rows).at("note")] == [
        "The kind 'rare' has a single question.",
        "The split test has 1 of 10 questions.",
        "The splits differ in how many questions are answerable: 1.00 of dev, 0.00 of test.",
    ]
    rows += [row(11, kind="rare")]
    assert "The kind 'rare' is in the split dev only." in [
        one.words for one in checked(tmp_path, *rows).at("note")
    ]


def test_answers_are_compared_as_the_measure_compares_them() -> None:
    assert has_answer("It cost “5 million” euros.", '"5 MILLION"')
    assert not has_answer("It opened in 2025.", "5")


def test_questions_are_the_same_but_for_case_and_marks() -> None:
    assert normalized("  What, exactly, is   AI? ") == normalized("what exactly is ai")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(entry, "COMMANDS", (command,))
    Path("pets.txt").write_text(TEXT)
    return tmp_path


def cli(*arguments: str) -> int:
    return entry.main(["check", "q.jsonl", "--documents", "pets.txt", *arguments])


def test_the_command_exits_with_2_where_something_is_wrong(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(here, {**GOOD, "answers": ["make noise"]}, ABSENT)
    assert cli() == 0
    printed = capsys.readouterr().out
    assert "  line 1: dogs: the answer 'make noise' is not in the evidence" in printed
    assert "Nothing is wrong." in printed
    assert cli("--strict") == 2
    _write(here, "{", GOOD)
    assert cli() == 2
    printed = capsys.readouterr().out
    assert "  line 1: invalid JSON" in printed.split("Wrong:")[1]
    assert "Nothing is wrong." not in printed.split("Wrong:")[1]


def test_the_command_tells_a_missing_document_with_the_rest(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(here, "{", GOOD)
    assert cli("none.txt", "--json") == 2
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is False
    assert [(one["level"], one["line"]) for one in found["findings"]][:3] == [
        ("wrong", 0),
        ("wrong", 1),
        ("note", 0),
    ]
    assert "none.txt does not exist" in found["findings"][0]["words"]


def test_words_of_the_file_reach_the_terminal_as_words(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(here, {**GOOD, "id": "\x1b[2Jdogs", "answers": ["\x1b[31mred"]}, ABSENT)
    cli()
    assert "\x1b" not in capsys.readouterr().out


def test_a_copy_of_a_document_makes_evidence_ambiguous(tmp_path: Path) -> None:
    found = checked(tmp_path, GOOD, ABSENT, documents=[PETS, document(name="copy.txt")])
    assert found.at("wrong") == [
        Finding("wrong", 1, "dogs: evidence is in the documents 2 times: 'Dogs bark at night.'")
    ]


def test_nothing_is_wrong_with_the_projects_own_questions() -> None:
    assert check(QUESTIONS, load([seeds_folder()]).documents).at("wrong") == []
