"""Checks of question files: what is wrong, what is doubtful, and that both are reported."""

import json
from pathlib import Path
from typing import Any

import pytest

import eval.__main__ as entry
from eval.check import CheckResult, check, has_answer, normalized
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


def check_rows(folder: Path, *rows: Any, **others: Any) -> CheckResult:
    """Checks a file of these lines over the pets."""
    path = write(folder, *rows)
    return check(path, others.get("documents", [PETS]), others.get("failures", ()))


def write(folder: Path, *rows: Any) -> Path:
    path = folder / "q.jsonl"
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows),
        encoding="utf-8",
    )
    return path


def findings(result: CheckResult) -> list[tuple[str, int, str]]:
    return [(finding.level, finding.line, finding.words) for finding in result.findings]


def test_check_good_file_has_no_findings(tmp_path: Path) -> None:
    """A file without a problem passes, strictly too."""
    result = check_rows(tmp_path, GOOD, ABSENT)
    assert findings(result) == []
    assert result.passes(strict=True)
    assert result.as_json() == {
        "questions": 2,
        "answerable": 1,
        "splits": {"dev": 2},
        "kinds": {"fact": 2},
        "findings": [],
    }


def test_check_reports_lines_documents_and_evidence_at_once(tmp_path: Path) -> None:
    """A bad line or document hides no other finding."""
    result = check_rows(
        tmp_path,
        "{nonsense",
        GOOD,
        {**GOOD, "id": "dogs", "question": "Who barks?"},
        {**GOOD, "id": "lost", "question": "Who swims?", "evidence": ["Fish swim."]},
        {**GOOD, "id": "loud", "question": "How do dogs sound?", "answers": ["quiet"]},
        ABSENT,
        failures=[DocumentError("more.txt does not exist. Check the path.")],
    )
    assert [(level, line) for level, line, _ in findings(result)] == [
        *(("wrong", 0), ("wrong", 1), ("wrong", 3), ("wrong", 4)),
        *(("warning", 4), ("warning", 5), ("note", 0)),
    ]
    words = [finding.words for finding in result.findings]
    assert words[0] == "more.txt does not exist. Check the path."
    assert words[1].startswith("invalid JSON")
    assert words[2] == 'the id "dogs" is that of line 2 too'
    assert words[3] == "lost: evidence is in no document: 'Fish swim.'"
    assert words[5] == "loud: the answer 'quiet' is not in the evidence"
    assert "may be in a document that could not be read" in words[6]
    assert [question.id for question in result.questions] == ["dogs", "lost", "loud", "fish"]


def test_check_without_documents_skips_evidence(tmp_path: Path) -> None:
    """A set without documents is noted, not condemned quote by quote."""
    result = check_rows(tmp_path, GOOD, ABSENT, documents=[], failures=[DocumentError("gone")])
    assert findings(result) == [
        ("wrong", 0, "gone"),
        ("note", 0, "Evidence was not looked for: there is no document."),
    ]


@pytest.mark.parametrize("content", [None, "", "{", "[]\n{}"])
def test_file_without_a_good_line_is_only_wrong(tmp_path: Path, content: str | None) -> None:
    """Nothing is said about a set that cannot be read."""
    path = tmp_path / "q.jsonl"
    if content is not None:
        path.write_text(content)
    result = check(path, [PETS])
    assert result.questions == ()
    assert not result.passes()
    assert {finding.level for finding in result.findings} == {"wrong"}


def test_check_warns_about_single_questions(tmp_path: Path) -> None:
    """Answers outside the evidence or inside the question, and overlapping quotes."""
    result = check_rows(
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
    assert findings(result) == [
        ("warning", 1, "dogs: the answer 'make noise' is not in the evidence"),
        ("warning", 2, "loud: the question contains its answer 'bark'"),
        ("warning", 3, "both: two quotes of the evidence share 4 characters"),
        ("warning", 4, "hours: the answer '6' is not in the evidence"),
    ]
    assert result.passes()
    assert not result.passes(strict=True)


def test_same_question_twice_is_wrong(tmp_path: Path) -> None:
    """With other evidence it is a warning; after another question it is another question."""
    again = {**GOOD, "question": "what do dogs do, at NIGHT"}
    result = check_rows(
        tmp_path,
        GOOD,
        {**again, "id": "b"},
        {**again, "id": "c", "evidence": ["Dogs bark"], "split": "test"},
        {**again, "id": "d", "history": [{"question": "What do cats do?", "answer": "Sleep."}]},
        {**again, "id": "e", "group": "another article"},
        {**ABSENT, "split": "test"},
    )
    assert [row for row in findings(result) if "same question" in row[2]] == [
        ("wrong", 2, "b: the same question as line 1"),
        (
            "warning",
            3,
            "c: the same question as line 1, which is of the split dev, with other evidence",
        ),
    ]


def _leaks(folder: Path, dev: dict[str, Any], test: dict[str, Any]) -> list[str]:
    result = check_rows(folder, dev, {**test, "id": "other", "split": "test"})
    return [finding.words for finding in result.findings if "of the other split" in finding.words]


def test_same_fact_in_both_splits_is_a_leak(tmp_path: Path) -> None:
    """A test question with the quote and answer of a development question."""
    assert _leaks(tmp_path, GOOD, {**GOOD, "question": "At night, what do the dogs do?"}) == [
        "other: like dogs (line 1: 'What do dogs do at night?'), of the other split"
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
def test_similar_question_is_not_a_leak(tmp_path: Path, test: dict[str, Any]) -> None:
    """Words in common do not make the same fact."""
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
def test_leak_without_evidence_needs_the_same_words(
    tmp_path: Path, question: str, leaks: bool
) -> None:
    """Another number, question word or denial is another question."""
    dev = {**ABSENT, "question": "Where do fish in the pond sleep in 1990?"}
    assert bool(_leaks(tmp_path, dev, {**ABSENT, "question": question})) == leaks


def test_notes_say_what_the_set_cannot_show(tmp_path: Path) -> None:
    """Missing refusals, single questions, kinds of one split and unlike splits."""

    def row(number: int, **changes: Any) -> dict[str, Any]:
        absent = changes.pop("answerable", True) is False
        return {
            **(ABSENT if absent else GOOD),
            "id": str(number),
            "question": f"Thing {'x' * number}?",
            **changes,
        }

    rows = [row(number) for number in range(1, 9)]
    assert [finding.words for finding in check_rows(tmp_path, *rows).at("note")] == [
        "Every question is answerable: whether the bot refuses what it should is not measured."
    ]
    rows += [row(9, split="test", answerable=False), row(10, kind="rare")]
    assert [finding.words for finding in check_rows(tmp_path, *rows).at("note")] == [
        "The kind 'rare' has a single question.",
        "The split test has 1 of 10 questions.",
        "The splits differ in how many questions are answerable: 1.00 of dev, 0.00 of test.",
    ]
    rows += [row(11, kind="rare")]
    assert "The kind 'rare' is only in the split dev." in [
        finding.words for finding in check_rows(tmp_path, *rows).at("note")
    ]


def test_has_answer_compares_as_the_metric_does() -> None:
    """Case and quotation marks do not count; parts of words do not match."""
    assert has_answer("It cost “5 million” euros.", '"5 MILLION"')
    assert not has_answer("It opened in 2025.", "5")


def test_normalized_ignores_case_and_punctuation() -> None:
    """Two questions with the same normalized text are the same."""
    assert normalized("  What, exactly, is   AI? ") == normalized("what exactly is ai")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(entry, "COMMANDS", (command,))
    Path("pets.txt").write_text(TEXT)
    return tmp_path


def cli(*arguments: str) -> int:
    return entry.main(["check", "q.jsonl", "--documents", "pets.txt", *arguments])


def test_command_exits_with_2_if_something_is_wrong(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Warnings count with --strict."""
    write(here, {**GOOD, "answers": ["make noise"]}, ABSENT)
    assert cli() == 0
    printed = capsys.readouterr().out
    assert "  line 1: dogs: the answer 'make noise' is not in the evidence" in printed
    assert "Nothing is wrong." in printed
    assert cli("--strict") == 2
    write(here, "{", GOOD)
    assert cli() == 2
    printed = capsys.readouterr().out
    assert "  line 1: invalid JSON" in printed.split("Wrong:")[1]
    assert "Nothing is wrong." not in printed.split("Wrong:")[1]


def test_command_reports_missing_document_with_the_rest(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A document that cannot be read is a finding."""
    write(here, "{", GOOD)
    assert cli("none.txt", "--json") == 2
    printed = json.loads(capsys.readouterr().out)
    assert printed["passed"] is False
    assert [(one["level"], one["line"]) for one in printed["findings"]][:3] == [
        ("wrong", 0),
        ("wrong", 1),
        ("note", 0),
    ]
    assert "none.txt does not exist" in printed["findings"][0]["words"]


def test_command_prints_no_control_characters(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A question file cannot steer the terminal."""
    write(here, {**GOOD, "id": "\x1b[2Jdogs", "answers": ["\x1b[31mred"]}, ABSENT)
    cli()
    assert "\x1b" not in capsys.readouterr().out


def test_check_evidence_in_two_documents_is_a_note(tmp_path: Path) -> None:
    """Any place counts. It is said once, and not of a question that names its document."""
    copy = document(name="copy.txt")
    named = {**GOOD, "id": "named", "question": "What is heard after dark?", "document": "copy.txt"}
    result = check_rows(tmp_path, GOOD, named, ABSENT, documents=[PETS, copy])
    assert findings(result) == [
        (
            "note",
            0,
            "1 quote of the evidence is in several places, and any of these places counts (dogs). "
            'To count a single document, name it: "document".',
        )
    ]


def test_check_finds_nothing_wrong_in_the_own_set() -> None:
    """The project's own questions pass."""
    assert check(QUESTIONS, load([seeds_folder()]).documents).at("wrong") == []
