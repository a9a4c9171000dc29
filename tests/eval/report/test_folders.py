"""Folders of runs: which are found, in which order, and what they are called."""

from pathlib import Path

from eval.report.folders import run_folders, run_names
from tests.eval.page import make_run


def test_run_folders_are_the_folder_or_those_in_it(tmp_path: Path) -> None:
    """Hidden folders, files and folders without any file of a run are left out."""
    first, second = make_run(tmp_path / "runs" / "first"), make_run(tmp_path / "runs" / "second")
    (tmp_path / "runs" / ".hidden").mkdir()
    (tmp_path / "runs" / "empty").mkdir()
    (tmp_path / "runs" / "file.jsonl").write_text("{}")
    assert run_folders(tmp_path / "runs") == [first, second]
    assert run_folders(first) == [first]
    assert run_folders(tmp_path / "missing") == []
    assert run_folders(tmp_path / "runs" / "file.jsonl") == []


def test_run_folders_are_found_one_level_deeper(tmp_path: Path) -> None:
    """Several configurations of one command lie together, with the folder of their index."""
    (tmp_path / "sweep" / "home").mkdir(parents=True)
    plain = make_run(tmp_path / "sweep" / "plain")
    strict = make_run(tmp_path / "sweep" / "strict")
    assert run_folders(tmp_path) == [plain, strict]


def test_run_that_did_not_end_is_a_run_folder(tmp_path: Path) -> None:
    """Reading it says what to do with it."""
    folder = make_run(tmp_path / "run")
    (folder / "summary.json").rename(folder / "run.json")
    (folder / "results.jsonl").unlink()
    assert run_folders(tmp_path) == [folder]


def test_runs_of_one_name_are_called_by_their_paths(tmp_path: Path) -> None:
    """A name that cannot be written in UTF-8 is made so."""
    paths = [tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "b" / "other\udcff"]
    assert run_names(paths) == [str(paths[0]), str(paths[1]), "other?"]
