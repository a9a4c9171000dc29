"""`footnote eval convert`: files of ours, whole or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval import __main__ as command_line
from eval.commands import convert
from eval.formats import write as writing
from qa.documents.load import MAX_BYTES
from tests.eval.formats.fixtures import put

SQUAD: dict[str, Any] = {
    "data": [
        {
            "title": "Pets",
            "paragraphs": [
                {
                    "context": "Dogs bark. Cats purr.",
                    "qas": [
                        {
                            "id": "a",
                            "question": "Who barks?",
                            "answers": [{"text": "Dogs", "answer_start": 0}],
                        },
                        {"id": "b", "question": "Who sings?", "answers": [], "is_impossible": True},
                        {"id": "c", "question": "Who?", "answers": [], "is_impossible": False},
                    ],
                }
            ],
        }
    ]
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_line, "COMMANDS", (convert,))
    put(Path("squad.json"), SQUAD)
    return tmp_path


def cli(*arguments: str) -> int:
    return command_line.main(["convert", *arguments])


def test_a_set_is_written_and_told_of(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("squad", "squad.json", "--out", "new/out") == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "documents  1",
        "questions  2, of which 1 are answerable",
        "Questions left out, without an answer, though not marked as impossible: 1 (c).",
        "To ask them: footnote eval run --questions new/out/questions.jsonl --documents new/out/documents",
    ]
    assert printed.err == ""
    files = {
        str(path.relative_to("new")): path.read_text()
        for path in Path("new").rglob("*")
        if path.is_file()
    }
    rows = [json.loads(line) for line in files.pop("out/questions.jsonl").splitlines()]
    assert [row["id"] for row in rows] == ["a", "b"]
    assert files == {
        "out/documents/Pets.txt": "Dogs bark. Cats purr.",
        "out/documents/Pets.txt.meta.json": '{"title": "Pets"}\n',
    }


def test_own_documents_are_written_in_one_folder(here: Path) -> None:
    put(
        Path("own/a/pets.html"),
        "<html><title>My pets</title><body><p>Dogs bark a lot at night.</p></body></html>",
    )
    put(Path("own/a.txt"), "Cats purr.")
    put(Path("own/a.txt.meta.json"), {"title": "Cats", "publisher": "The Purr"})
    put(Path("q.csv"), "Q,A,D\nWho barks?,Dogs,a/pets.html\n")
    assert (
        cli(
            "csv",
            "q.csv",
            "--documents",
            "own",
            "--columns",
            "question=Q,answers=A,documents=D",
            "--out",
            "out",
        )
        == 0
    )
    row = json.loads(Path("out/questions.jsonl").read_text())
    assert row["relevant"] == {"a_pets.html.md": 1}
    names = {path.name for path in Path("out/documents").iterdir()}
    assert names >= {"a.txt", "a_pets.html.md"}
    assert json.loads(Path("out/documents/a.txt.meta.json").read_text()) == {
        "title": "Cats",
        "publisher": "The Purr",
    }


def test_a_folder_that_holds_anything_is_left_as_it_is(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(Path("out/mine.txt"), "Mine.")
    assert cli("squad", "squad.json", "--out", "out") == 2
    assert cli("squad", "squad.json", "--out", "squad.json") == 2
    assert capsys.readouterr().err.count("exists already") == 2
    assert [path.name for path in Path("out").iterdir()] == ["mine.txt"]
    Path("empty").mkdir()
    assert cli("squad", "squad.json", "--out", "empty") == 0
    assert sorted(path.name for path in Path("empty").iterdir()) == ["documents", "questions.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["squad", "none.json"], "none.json cannot be read"),
        (["squad", "squad.json", "--qrels", "test"], "squad does not take --qrels. Leave it out."),
        (["beir", "."], "qrels holds no file of judgements"),
        (["csv", "squad.json", "--columns", "colour=x"], "--columns takes FIELD=COLUMN"),
    ],
)
def test_bad_usage_and_bad_data_give_exit_code_2_and_no_folder(
    here: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(*arguments, "--out", "out") == 2
    assert told in capsys.readouterr().err
    assert not Path("out").exists()


def test_an_unknown_format_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli("xml", "squad.json", "--out", "out")
    assert caught.value.code == 2
    assert "'squad', 'rag-dataset', 'clapnq', 'beir', 'trec', 'csv'" in capsys.readouterr().err


@pytest.mark.slow
def test_what_fails_in_the_middle_leaves_nothing_behind(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(Path("large.json"), json.dumps(SQUAD).replace("Cats purr.", "x" * MAX_BYTES))
    assert cli("squad", "large.json", "--out", "out") == 2
    assert "Pets.txt is larger than 50 MB" in capsys.readouterr().err
    Path("large.json").unlink()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_write_questions", full)
    assert cli("squad", "squad.json", "--out", "out") == 3
    assert "out cannot be written: No space left on device" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["squad.json"]
