"""The command line: exit codes, what goes where, and one run with the real bot."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eval.__main__ import main
from qa.bot import Bot
from qa.errors import ModelError
from tests.eval.fakes import TEXT

ROW: dict[str, Any] = {
    "id": "dogs",
    "question": "What do dogs do at night?",
    "answerable": True,
    "answers": ["bark"],
    "evidence": ["Dogs bark at night."],
    "kind": "fact",
}
ABSENT = {
    "id": "peru",
    "question": "What is the capital of Peru?",
    "answerable": False,
    "answers": [],
    "evidence": [],
}
FOLLOW = {
    **ROW,
    "id": "birds",
    "question": "And at dawn?",
    "answers": ["sing"],
    "evidence": ["Birds sing at dawn."],
    "kind": "follow-up",
    "split": "test",
    "history": [{"question": "What do birds do?", "answer": "They sing."}],
}
ROWS = [ROW, FOLLOW, {**ABSENT, "kind": "absent"}]
MODEL_FREE = ("torch", "numpy", "scipy", "sklearn", "rich", "chromadb", "llama_index", "qa.bot")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with questions and one document."""
    monkeypatch.chdir(tmp_path)
    Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    Path("pets.txt").write_text(TEXT)
    return tmp_path


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a model fails the test: what is wrong must be told before."""

    def opened(*_: Any) -> None:
        pytest.fail("the bot was opened")

    monkeypatch.setattr(Bot, "open", opened)


def cli(*arguments: str) -> int:
    return main(["run", "--questions", "q.jsonl", "--documents", "pets.txt", *arguments])


def test_run_with_the_real_bot(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files are written, in an index of the run's own, and a second run is refused."""
    # A run has an index of its own, also where the environment names that of a person or a server.
    monkeypatch.setenv("QA_INDEX", str(here / "mine"))
    monkeypatch.setenv("QA_CHROMA_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("QA_HOME", str(here / "mine"))
    assert cli("--out", "out", "--json", "--top-k", "3") == 0
    printed = capsys.readouterr()
    assert printed.out == Path("out/summary.json").read_text(encoding="utf-8")
    assert "Written to out" in printed.err
    summary = json.loads(printed.out)
    assert summary["settings"]["top_k"] == 3
    assert summary["questions"]["asked"] == summary["overall"]["questions"] == 3
    assert summary["overall"]["figures"]["quotes_exact"]["value"] == 1
    assert summary["overall"]["figures"]["hit_at_1"] == pytest.approx(
        {"n": 2, "unscored": 1, "value": 1, "low": 0.3424, "high": 1}, abs=1e-4
    )
    rows = [
        json.loads(line)
        for line in Path("out/results.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [row["id"] for row in rows] == ["dogs", "birds", "peru"]
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "home",
        "questions.jsonl",
        "report.html",
        "results.jsonl",
        "run.json",
        "summary.json",
    ]
    assert not (here / "mine").exists()
    before = Path("out/results.jsonl").read_bytes()
    assert cli("--out", "out") == 2
    assert Path("out/results.jsonl").read_bytes() == before


def test_broken_question_gives_exit_code_3(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other questions are asked and the tables printed."""
    ask = Bot.ask

    def breaking(self: Bot, question: str, *rest: Any) -> Any:
        if question == FOLLOW["question"]:
            raise ModelError("the model is gone")
        return ask(self, question, *rest)

    monkeypatch.setattr(Bot, "ask", breaking)
    assert cli() == 3
    printed = capsys.readouterr()
    (out,) = Path("runs").iterdir()
    assert json.loads((out / "summary.json").read_text())["errors"] == {
        "birds": "ModelError: the model is gone"
    }
    assert "1 of 3 questions broke" in printed.err
    assert "Traceback" not in printed.err
    assert "Retrieval" in printed.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--questions", "none.jsonl"], "none.jsonl cannot be read"),
        (["--documents", "none.txt"], "none.txt does not exist"),
        (["--kind", "fact", "colour"], "no kind colour. It has: absent, fact, follow-up"),
        (["--kind", "fact", "--split", "test"], "no question left by --split test and --kind fact"),
        (["--filter", "zebra"], "no question left by --filter zebra"),
        (
            ["--top-k", "many"],
            "Invalid top_k 'many': it must be a whole number from 1 to 100. Set QA_TOP_K or --top-k.",
        ),
        (["--threshold", "7"], "Invalid threshold '7': it must be a number from 0 to 1"),
        (["--engine", "none/such"], "none/such"),
        (["--out", "."], "is there already"),
    ],
)
@pytest.mark.usefixtures("here", "no_models")
def test_bad_usage_is_reported_without_a_traceback(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before a model is loaded."""
    assert cli(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("footnote: ")
    assert told in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert not Path("runs").exists()


@pytest.mark.usefixtures("here", "no_models")
def test_empty_question_file_is_reported_with_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A missing document is named too."""
    Path("q.jsonl").write_text("\n")
    assert cli("--documents", "none.txt") == 2
    told = capsys.readouterr().err
    assert "line 1: there is no question" in told
    assert "none.txt does not exist" in told


@pytest.mark.usefixtures("here", "no_models")
def test_run_evidence_in_several_places_is_noted_once(capsys: pytest.CaptureFixture[str]) -> None:
    """It does not stop the run: this run stops because its filter leaves no question."""
    Path("copy.txt").write_text(f"A copy. {TEXT}")
    assert cli("--documents", "pets.txt", "copy.txt", "--filter", "nothing has this") == 2
    printed = capsys.readouterr().err
    assert printed.count("2 quotes are in several places") == 1
    assert "has no question left" in printed


@pytest.mark.usefixtures("here", "no_models")
def test_bad_lines_and_evidence_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each with its line number."""
    Path("q.jsonl").write_text("\n".join(["{", json.dumps({**ROW, "color": 1})]))
    assert cli() == 2
    assert [line[:8] for line in capsys.readouterr().err.splitlines()[1:]] == [
        "  line 1",
        "  line 2",
    ]
    rows = [ROW, {**ROW, "id": "b", "evidence": ["Fish swim."]}]
    Path("q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert cli("--limit", "1") == 2
    assert "  line 2: b: evidence is in no document: 'Fish swim.'" in capsys.readouterr().err


@pytest.mark.usefixtures("here", "no_models")
def test_lines_documents_and_evidence_in_one_error(capsys: pytest.CaptureFixture[str]) -> None:
    """One error names everything."""
    lines = [json.dumps(ROW), "{", json.dumps({**ROW, "id": "b", "evidence": ["Fish swim."]})]
    Path("q.jsonl").write_text("\n".join(lines))
    assert cli("none.txt", "--out", "out") == 2
    told = capsys.readouterr().err.splitlines()
    assert [line[:9] for line in told[1:3]] == ["  line 2:", "  line 3:"]
    assert "none.txt does not exist" in told[3]
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "arguments", [["--limit", "0"], ["--limit", "x"], ["--split", "train"], ["--nonsense"]]
)
@pytest.mark.usefixtures("here", "no_models")
def test_invalid_argument_gives_exit_code_2(arguments: list[str]) -> None:
    """argparse uses the same code as our errors."""
    with pytest.raises(SystemExit) as caught:
        cli(*arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize("error", [ModelError("no model"), ZeroDivisionError("a defect")])
@pytest.mark.usefixtures("here")
def test_failure_gives_exit_code_3(
    error: Exception,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python's own code would be 1, which means a failed gate."""

    def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Bot, "open", broken)
    assert cli() == 3
    if isinstance(error, ModelError):
        assert capsys.readouterr().err == "footnote: no model\n"
    else:
        assert "a defect" in caplog.text


def test_split_kind_and_limit_choose_questions(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The questions keep their order."""
    heard: list[str] = []

    class Library:
        def __init__(self) -> None:
            self.held: list[Any] = []

        def add(self, added: Any) -> None:
            self.held.append(added)

        def documents(self) -> list[Any]:
            return self.held

    class Silent:
        def __init__(self) -> None:
            self.index = Library()

        def answering(self, _: Any) -> "Silent":
            return self

        def ask(self, question: str, history: Any = ()) -> Any:
            heard.append(question)
            raise ValueError("silent")

    monkeypatch.setattr(Bot, "open", lambda _: Silent())
    for number, (arguments, expected) in enumerate(
        [
            ([], ROWS),
            (["--split", "dev"], [ROW, ROWS[2]]),
            (["--split", "test"], [FOLLOW]),
            (["--kind", "absent", "--kind", "fact"], [ROW, ROWS[2]]),
            (["--kind", "absent", "fact", "--limit", "1"], [ROW]),
        ]
    ):
        heard.clear()
        cli("--out", str(number), *arguments)
        assert heard == [row["question"] for row in expected]


@pytest.mark.usefixtures("here")
def test_run_with_model_prints_its_server_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address of a server may hold a password, and its query a key."""
    url = "http://ann:hidden@127.0.0.1:1/v1?key=hidden"
    monkeypatch.setenv("QA_LLM_URL", url)
    monkeypatch.setenv("QA_LLM_KEY", "hidden")
    # Nothing listens there, so the question breaks.
    assert cli("--engine", "openai-like/tiny", "--limit", "1", "--out", "out") == 3
    printed = capsys.readouterr()
    assert "Language model: openai-like/tiny at 127.0.0.1:1\n" in printed.out
    assert "hidden" not in printed.out + printed.err


@pytest.mark.slow
@pytest.mark.parametrize("command", ["show {0} dogs", "compare {0} {0}"])
@pytest.mark.usefixtures("here")
def test_closed_output_gives_exit_code_141(command: str) -> None:
    """It is neither a verdict nor a traceback."""
    assert cli("--out", "out", "--limit", "1") == 0
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-m", "eval", *command.format("out").split()]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        program, stdout=write, stderr=subprocess.PIPE, text=True, env=environ, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.usefixtures("here")
def test_question_file_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters are printed as escapes."""
    row = {**ROW, "id": "\x1b[31mred", "kind": "\x1b[2Jkind"}
    Path("q.jsonl").write_text(json.dumps(row))
    assert cli("--out", "out") == 0
    Path("q.jsonl").write_text(json.dumps({**row, "evidence": ["\x1b[2J"]}))
    assert cli("--out", "other") == 2
    printed = capsys.readouterr()
    assert "kind" in printed.out
    assert "red: evidence is in no document" in printed.err
    assert "\x1b" not in printed.out + printed.err


def test_help_loads_nothing_heavy() -> None:
    """`--help` answers at once."""
    program = (
        "import sys; from eval.__main__ import main\n"
        "try: main(['run', '--help'])\n"
        f"except SystemExit: print([name for name in {MODEL_FREE!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "--threshold" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
