"""Several configurations in one go, and runs that were killed: with the real bot over one small document."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from eval.__main__ import main
from eval.batch import resume
from eval.configurations import configurations
from eval.provenance import collect_provenance
from qa.bot import Bot
from qa.config import Settings
from qa.errors import FootnoteError
from tests.eval.fakes import TEXT

ROWS: list[dict[str, Any]] = [
    {
        "id": "dogs",
        "question": "What do dogs do at night?",
        "answers": ["bark"],
        "evidence": ["Dogs bark at night."],
    },
    {
        "id": "birds",
        "question": "When do birds sing?",
        "answers": ["dawn"],
        "evidence": ["Birds sing at dawn."],
    },
    {
        "id": "cats",
        "question": "How long do cats sleep?",
        "answers": ["16"],
        "evidence": ["Cats sleep 16 hours."],
    },
    {"id": "peru", "question": "What is the capital of Peru?", "answers": [], "evidence": []},
]
SPLITS = {"dogs": "dev", "birds": "test", "cats": "dev", "peru": "test"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = (
        {**row, "answerable": bool(row["answers"]), "kind": "fact", "split": SPLITS[row["id"]]}
        for row in ROWS
    )
    Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("pets.txt").write_text(TEXT)
    return tmp_path


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every question that reaches a bot."""
    found: list[str] = []
    ask = Bot.ask

    def listening(self: Bot, question: str, *rest: Any, **more: Any) -> Any:
        found.append(question)
        return ask(self, question, *rest, **more)

    monkeypatch.setattr(Bot, "ask", listening)
    return found


def run(*arguments: str) -> int:
    return main(["run", "--questions", "q.jsonl", "--documents", "pets.txt", *arguments])


def timeless(path: Path) -> list[dict[str, Any]]:
    return [{**json.loads(line), "timings": None} for line in path.read_bytes().splitlines()]


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_each_combination_is_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Each has a folder, a table and a row; they share one index."""
    assert run("--engine", "plain", "built-in", "--top-k", "1", "3", "--out", "out") == 0
    names = ["built-in_top_k-1", "built-in_top_k-3", "plain_top_k-1", "plain_top_k-3"]
    assert sorted(path.name for path in Path("out").iterdir()) == [*names[:2], "home", *names[2:]]
    for name in names:
        summary = json.loads(Path("out", name, "summary.json").read_text())
        engine, top_k = name.split("_top_k-")
        assert (summary["settings"]["llm"], summary["settings"]["top_k"]) == (engine, int(top_k))
        read = [len(row["passages"]) for row in timeless(Path("out", name, "results.jsonl"))]
        assert len(read) == len(ROWS)
    printed = capsys.readouterr().out
    assert all(
        printed.count(name) == 2 for name in names
    )  # its own table, and a row in the last one
    assert main(["run", "--resume", "out"]) == 2


@pytest.mark.parametrize(
    "values", [{"top_k": ["3", "x"]}, {"llm": ["built-in", "none/such"]}, {"threshold": ["2"]}]
)
def test_invalid_value_is_reported_before_loading(
    values: dict[str, list[str]],
) -> None:
    """No model is loaded for an invalid setting."""
    with pytest.raises(FootnoteError):
        configurations(values, {"QA_HOME": "/nowhere"})


def test_configuration_names_are_fit_for_folders() -> None:
    """Two configurations that cannot be told apart are refused."""
    found = configurations(
        {"embedding": ["../../etc", "a/b"], "top_k": ["3"]}, {"QA_HOME": "/nowhere"}
    )
    assert [one.name for one in found] == ["embedding-..-..-etc", "embedding-a-b"]
    with pytest.raises(FootnoteError, match="have one name"):
        configurations({"embedding": ["a/b", "a:b"]}, {"QA_HOME": "/nowhere"})
    with pytest.raises(FootnoteError, match="would be the same"):
        configurations({"top_k": ["5", "05"]}, {"QA_HOME": "/nowhere"})


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_killed_run_resumes_without_asking_twice(heard: list[str]) -> None:
    """SIGKILL at any moment; the results are those of an undisturbed run."""
    assert run("--out", "whole", "--top-k", "1", "3") == 0
    command = [
        sys.executable,
        "-m",
        "eval",
        "run",
        "--questions",
        "q.jsonl",
        "--documents",
        "pets.txt",
    ]
    results = Path("cut", "top_k-1", "results.jsonl")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([*command, "--out", "cut", "--top-k", "1", "3"], env=environ) as killed:
        end = time.monotonic() + 120
        while not (results.is_file() and results.read_bytes()) and time.monotonic() < end:
            time.sleep(0.005)
        killed.send_signal(signal.SIGKILL)
    there = [path.read_bytes().count(b"\n") for path in sorted(Path("cut").glob("*/results.jsonl"))]
    assert 1 <= sum(there) < 2 * len(ROWS)
    assert not list(Path("cut").glob("top_k-3/summary.json"))
    heard.clear()
    assert main(["run", "--resume", "cut"]) == 0
    assert len(heard) == 2 * len(ROWS) - sum(there)
    for name in ("top_k-1", "top_k-3"):
        whole, cut = (timeless(Path(out, name, "results.jsonl")) for out in ("whole", "cut"))
        assert whole == cut
        assert Path("cut", name, "summary.json").is_file()


@pytest.mark.slow
def test_answer_does_not_depend_on_earlier_questions(tmp_path: Path) -> None:
    """A question alone has the answer that it has in the whole run."""
    found: list[dict[str, Any]] = []
    for chosen in ("^fact-0[12]$", "^fact-02$"):
        out = tmp_path / str(len(found))
        assert main(["run", "--filter", chosen, "--out", str(out)]) == 0
        found.append(timeless(out / "results.jsonl")[-1])
    assert found[0]["id"] == "fact-02"
    assert found[0] == found[1]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "damage",
    ["questions", "no questions", "no index", "documents", "plan", "ids", "settings", "code"],
)
def test_changed_run_is_not_resumed(
    damage: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    heard: list[str],
) -> None:
    """Other questions, documents, settings or code make another run."""
    assert run("--out", "out") == 0
    out = Path("out")
    (out / "summary.json").unlink()
    (out / "results.jsonl").unlink()
    plan = json.loads((out / "run.json").read_text())
    if damage == "questions":
        (out / "questions.jsonl").write_text(
            (out / "questions.jsonl").read_text().replace("dogs", "hogs")
        )
    elif damage == "no questions":
        (out / "questions.jsonl").unlink()
    elif damage == "no index":
        shutil.rmtree(out / "home")
    elif damage == "ids":
        (out / "run.json").write_text(json.dumps({**plan, "ids": ["nobody"]}))
    elif damage == "documents":
        (out / "run.json").write_text(json.dumps({**plan, "documents": {"pets.txt": "0"}}))
    elif damage == "plan":
        (out / "run.json").write_text("{")
    elif damage == "settings":
        monkeypatch.setenv("QA_STRICT", "1")
    else:
        (out / "run.json").write_text(json.dumps({**plan, "code": "0123"}))
    heard.clear()
    assert main(["run", "--resume", "out"]) == 2
    assert "ake a new run" in capsys.readouterr().err
    assert heard == []
    assert not (out / "results.jsonl").exists()
    assert (out / "home").exists() == (damage != "no index")


@pytest.mark.parametrize(
    "change",
    [
        {"questions": 3},
        {"settings": {}},
        {"repeat": "x"},
        {"repeat": 0},
        {"ids": []},
        {"documents": ["a"]},
    ],
)
@pytest.mark.usefixtures("here")
def test_damaged_plan_is_named_with_its_problems(
    change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """run.json is not trusted."""
    assert run("--out", "out") == 0
    Path("out/summary.json").unlink()
    plan = json.loads(Path("out/run.json").read_text())
    Path("out/run.json").write_text(json.dumps({**plan, **change}))
    capsys.readouterr()
    assert main(["run", "--resume", "out"]) == 2
    heading, *wrong = capsys.readouterr().err.splitlines()
    assert "run.json is damaged. Make a new run:" in heading
    assert all(line.startswith(f"  {next(iter(change))}") for line in wrong)
    assert wrong


@pytest.mark.usefixtures("here")
def test_damaged_results_are_named_with_their_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All of them, and the file is left as it is."""
    assert run("--out", "out") == 0
    Path("out/summary.json").unlink()
    results = Path("out/results.jsonl")
    rows = [json.loads(line) for line in results.read_bytes().splitlines()]
    rows[0]["confidence"] = "hi"
    rows[1]["passages"][0]["end"] = 999_999
    rows[2]["passages"][0]["document"] = "elsewhere.txt"
    del rows[3]["reason"]
    results.write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = results.read_bytes()
    capsys.readouterr()
    assert main(["run", "--resume", "out"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line[:9] for line in told[1:]] == [f"  line {number}:" for number in (1, 2, 3, 4)]
    assert "there is no passage 0 to 999999 of 'pets.txt'" in told[2]
    assert results.read_bytes() == before
    assert not Path("out/results.jsonl.lock").exists()


@pytest.mark.usefixtures("here")
def test_resume_takes_no_other_argument(capsys: pytest.CaptureFixture[str]) -> None:
    """A run is resumed with what it was started with."""
    assert main(["run", "--resume", "out", "--top-k", "9", "--limit", "1"]) == 2
    assert "Leave out --limit, --top-k." in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_interrupted_run_prints_how_to_resume(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command is on standard error."""

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Bot, "ask", interrupted)
        assert run("--out", "out") == 130
    assert "Resume: footnote eval run --resume out" in capsys.readouterr().err
    assert main(["run", "--resume", "out"]) == 0


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_resumed_runs_are_printed_with_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """Runs that had ended before are in the JSON and count for the exit code."""
    assert run("--out", "a go", "--top-k", "1", "3", "--json") == 0
    whole = json.loads(capsys.readouterr().out)
    assert list(whole) == ["top_k-1", "top_k-3"]
    for name in ("summary.json", "results.jsonl"):
        Path("a go/top_k-3", name).unlink()
    broken = json.loads(Path("a go/top_k-1/summary.json").read_text())
    broken["errors"] = {"dogs": broken["scores"].pop("dogs") and "gone"}
    Path("a go/top_k-1/summary.json").write_text(json.dumps(broken))
    assert main(["report", "a go"]) == 2
    assert "Resume it: footnote eval run --resume 'a go/top_k-3'" in capsys.readouterr().err
    assert main(["run", "--resume", "a go", "--json"]) == 3
    again = json.loads(capsys.readouterr().out)
    assert again["top_k-1"] == broken
    assert again["top_k-3"]["scores"].keys() == whole["top_k-3"]["scores"].keys()


@pytest.mark.usefixtures("here")
def test_name_that_is_not_utf8_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is written: run.json could not hold the name."""
    Path(os.fsdecode(b"q\xff.jsonl")).write_bytes(Path("q.jsonl").read_bytes())
    for arguments in (
        ["--questions", os.fsdecode(b"q\xff.jsonl")],
        ["--out", os.fsdecode(b"o\xff")],
    ):
        assert run("--out", "out", *arguments) == 2
        assert "\\udcff" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_run_asks_only_failing_or_matching_questions(
    heard: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A run of other questions says so."""
    assert run("--out", "all", "--threshold", "1") == 0  # refuses everything: only Peru is right
    heard.clear()
    assert run("--out", "failing", "--failing", "all", "--filter", "^d|birds") == 0
    assert heard == [ROWS[0]["question"], ROWS[1]["question"]]
    assert run("--filter", "(") == 2
    assert "--filter takes a regular expression" in capsys.readouterr().err
    assert run("--failing", "nowhere") == 2
    assert run("--filter", "zebra") == 2
    assert run("--out", "right", "--threshold", "0", "--filter", "dogs") == 0
    capsys.readouterr()
    assert run("--failing", "right") == 2
    assert "No question of right failed." in capsys.readouterr().err
    rows = [
        {**json.loads(line), "question": "Whose?"}
        for line in Path("q.jsonl").read_text().splitlines()
    ]
    Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("--failing", "all") == 2
    assert "(birds, cats, dogs) are not in this question file" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_sweep_chooses_on_dev_and_asks_test_once(
    heard: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The best is reported with what it is not detectably better than."""
    sweep = ["sweep", "--questions", "q.jsonl", "--documents", "pets.txt"]
    assert main([*sweep, "--threshold", "1", "0.1", "--out", "out", "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert chosen["chosen"] == "threshold-0.1"
    assert chosen["dev"]["threshold-1"]["value"] == 0
    assert chosen["not_detectably_better_than"] == ["threshold-1"]  # on two questions
    assert main(["report", "out"]) == 0
    assert "threshold-0.1" in Path("out/report.html").read_text()
    assert main(["run", "--resume", "out"]) == 2
    assert "Resume one: out/dev" in capsys.readouterr().err
    asked = {key: next(row["question"] for row in ROWS if row["id"] == key) for key in SPLITS}
    assert heard == [*2 * [asked["dogs"], asked["cats"]], asked["birds"], asked["peru"]]
    for arguments in (
        [*sweep, "--threshold", "1"],
        [*sweep, "--top-k", "1", "3", "--measure", "beauty"],
    ):
        assert main(arguments) == 2
    assert {path.name for path in Path().iterdir()} == {"out", "pets.txt", "q.jsonl"}


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_run_of_another_format_resumes_without_it(
    heard: list[str],
) -> None:
    """The run keeps the questions in our format."""
    asked = {
        "id": "squad-1",
        "question": ROWS[0]["question"],
        "answers": [{"text": "bark", "answer_start": 26}],
    }
    article = {"title": "Pets", "paragraphs": [{"context": TEXT, "qas": [asked]}]}
    Path("dev.json").write_text(json.dumps({"version": "1.1", "data": [article]}))
    assert main(["run", "--format", "squad", "--questions", "dev.json", "--out", "out"]) == 0
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary["clusters"] == {"squad-1": "Pets"}
    assert summary["questions"]["format"] == "squad"
    assert summary["scores"]["squad-1"]["first_sentence_right"] == 1
    for name in ("summary.json", "results.jsonl", "../dev.json"):
        Path("out", name).unlink()
    assert main(["run", "--resume", "out"]) == 0
    assert (
        json.loads(Path("out/summary.json").read_text())["scores"].keys()
        == summary["scores"].keys()
    )
    assert heard == 2 * [ROWS[0]["question"]]
    assert main(["run", "--format", "squad", "--questions", "dev.json"]) == 2
    assert main(["run", "--format", "squad", "--questions", "q.jsonl", "--library"]) == 2
    assert main(["run", "--questions", "q.jsonl", "--columns", "question=Q"]) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_sweep_lower_is_better_chooses_the_lowest(capsys: pytest.CaptureFixture[str]) -> None:
    """The best configuration of a metric such as `wrongly_refused` has the lowest value."""
    sweep = ["sweep", "--questions", "q.jsonl", "--documents", "pets.txt"]
    settings = ["--threshold", "1", "0.1", "--measure", "wrongly_refused"]
    assert main([*sweep, *settings, "--out", "out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["chosen"] == "threshold-0.1"


@pytest.mark.parametrize("name", ["results.jsonl.lock", "home/index", "top_k-1"])
def test_resume_link_in_folder_is_refused(tmp_path: Path, name: str) -> None:
    """A run of somebody else must not be written outside its folder."""
    outside = tmp_path / "outside"
    outside.mkdir()
    out = tmp_path / "run"
    (out / "home").mkdir(parents=True)
    (out / "run.json").write_text("{}")
    (out / name).symlink_to(outside)
    with pytest.raises(FootnoteError, match="is a link"):
        list(resume(out))
    assert not list(outside.iterdir())


def test_resume_index_elsewhere_is_refused(tmp_path: Path) -> None:
    """Opening an index writes to it."""
    out = tmp_path / "run"
    out.mkdir()
    plan = collect_provenance(Settings.from_environment({}), [], {"sha256": "0"})
    plan |= {"home": str(tmp_path / "outside"), "repeat": 1, "ids": ["a"]}
    (out / "run.json").write_text(json.dumps(plan))
    with pytest.raises(FootnoteError, match=r"home: .*outside is not in"):
        list(resume(out, {}))
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    ("name", "flag"), [("llm", "engine"), ("embedding", "embedding"), ("reader", "reader")]
)
def test_resume_model_only_in_plan_is_refused(
    tmp_path: Path, name: str, flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of somebody else must not load their model, or spend the person's key."""
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    plan = collect_provenance(Settings.from_environment({}), [], {"sha256": "0"})
    plan["settings"][name] = "openai/other"
    plan |= {"home": "home", "repeat": 1, "ids": ["a"]}
    (tmp_path / "run.json").write_text(json.dumps(plan))
    with pytest.raises(FootnoteError, match=f"If you trust the run, add: --{flag} openai/other"):
        list(resume(tmp_path, {}))
    configured = {f"QA_{name.upper()}": "openai/other"}
    for confirmed, environ in (({name: ["openai/other"]}, {}), ({}, configured)):
        # The next check is reached: there is no index.
        with pytest.raises(FootnoteError, match=r"there is no .*index"):
            list(resume(tmp_path, environ, confirmed=confirmed))
