"""The wheel: what is in it, and that its commands work from a folder that has nothing else."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
SOURCES = ("qa", "ui", "eval", "seeds", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy of the sources so that the checkout stays clean."""
    sources = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, sources / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, sources / name)

    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    built = subprocess.run([*build, str(sources)], capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


def test_wheel_holds_weights_templates_and_seeds(wheel: Path) -> None:
    """Everything that the commands read at run time is in the wheel."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "qa/models/footnote-reader/model.safetensors",
        "qa/models/footnote-reader/weights.json",
        "qa/models/footnote-verifier/model.safetensors",
        "qa/py.typed",
        "ui/.streamlit/config.toml",
        "ui/static/page.css",
        "eval/questions.jsonl",
        "eval/claims.jsonl",
        "eval/model_claims.jsonl",
        "eval/ordinary/questions.jsonl",
        "eval/ordinary/documents/lease.md",
        "seeds/us-pakistan-critical-minerals.txt",
    ):
        assert name in names

    for folder in ("ui/static", "ui/templates", "eval/report"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in names


def test_wheel_leaves_out_the_projects_own_tools(wheel: Path) -> None:
    """Tests, training and the benchmark against other programs stay in the repository."""
    names = zipfile.ZipFile(wheel).namelist()
    left_out = ("tests/", "qa/training/", "eval/bench/", "docs/")
    assert not [name for name in names if name.startswith(left_out)]


def test_wheel_names_the_command_footnote(wheel: Path) -> None:
    """Installing the wheel makes the command `footnote`."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "footnote = qa.cli:main" in archive.read(name).decode()


@pytest.mark.model
def test_wheel_commands_run_from_an_unrelated_folder(wheel: Path, tmp_path: Path) -> None:
    """Documents are added and asked, and the evaluation runs, with the wheel's files alone."""
    installed = tmp_path / "site-packages"
    zipfile.ZipFile(wheel).extractall(installed)
    here = tmp_path / "unrelated"
    here.mkdir()
    (here / "bridge.txt").write_text("The bridge over the bay cost 48 million euros.\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(installed),
        "QA_HOME": str(tmp_path / "home"),
        # The checkout's own packages come after PYTHONPATH; where qa was loaded from is checked.
        "PYTHONSAFEPATH": "1",
    }

    def run(command: Sequence[str]) -> str:
        process = subprocess.run(
            [sys.executable, *command], cwd=here, env=environment, capture_output=True, text=True
        )
        assert process.returncode == 0, process.stderr
        return process.stdout

    where = "import qa, ui, eval; print(qa.__file__, ui.__file__, eval.__file__)"
    assert all(path.startswith(str(installed)) for path in run(["-c", where]).split())
    assert run(["-m", "qa", "add", "bridge.txt"]) == "added bridge.txt\n"
    assert "48 million euros" in run(["-m", "qa", "ask", "What did the bridge cost?"])
    assert "run" in run(["-m", "qa", "eval", "--help"])

    questions = here / "questions.jsonl"
    questions.write_text(
        '{"id": "1", "question": "What did the bridge cost?", "answerable": true,'
        ' "answers": ["48 million euros"], "evidence": ["48 million euros"], "kind": "cost"}\n'
    )
    arguments = ["--questions", str(questions), "--documents", "bridge.txt", "--out", "first"]
    run(["-m", "qa", "eval", "run", *arguments])
    assert (here / "first" / "report.html").is_file()
