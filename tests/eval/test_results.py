"""The files of a run read back, whole and damaged."""

import json
import os
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import eval.dataset
import eval.results
from eval.metrics import scores
from eval.results import (
    QUESTIONS,
    RESULTS,
    SUMMARY,
    differences,
    read_plan,
    read_raw_results,
    read_results,
    read_run,
    read_run_questions,
)
from eval.run_schema import Estimate
from qa.errors import FootnoteError, RunError
from tests.eval.fakes import PETS, cite, document, example, refusal, result, says
from tests.eval.page import ANSWERS, change, make_run

ROOT = Path(__file__).parents[2]
LONG = "[" * 100_000
SECOND = says("Dogs bark at night.", cite(21, 40))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run")


def set_value(file: Path, path: Sequence[str], value: Any) -> None:
    """Sets one value of a file; None removes it."""
    content = json.loads(file.read_text())
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner.pop(path[-1], None)
    if value is not None:
        inner[path[-1]] = value
    file.write_text(json.dumps(content))


def change_row(folder: Path, number: int, changed: Callable[[dict[str, Any]], Any]) -> None:
    """Changes one line of the results, counted from 1."""
    lines = (folder / RESULTS).read_text().splitlines()
    lines[number - 1] = json.dumps(changed(json.loads(lines[number - 1])))
    (folder / RESULTS).write_text("".join(f"{line}\n" for line in lines))


def test_read_run_gives_what_was_measured(folder: Path) -> None:
    """Provenance, estimates, scores and errors come back as they were written."""
    run = read_run(folder)
    assert run.provenance.commit == "0123abc"
    assert run.provenance.documents == {PETS.name: PETS.version}
    assert run.provenance.settings == {"llm": "built-in", "threshold": 0.55}
    assert (run.provenance.questions.file, run.provenance.questions.count) == ("mine.jsonl", 6)
    assert run.finished is not None
    assert run.finished.isoformat() == "2026-01-02T10:00:00+00:00"
    groups = [(group.by, group.name, group.questions) for group in run.groups]
    assert groups[:3] == [("overall", "overall", 6), ("split", "dev", 4), ("split", "test", 2)]
    assert run.groups[0].estimates["answered_right"].n == 5
    assert set(run.ids) == ANSWERS.keys()
    assert run.errors == {"broken": "ValueError: by nought"}


def test_read_run_reads_the_committed_baseline() -> None:
    """A summary.json alone is enough to compare with."""
    run = read_run(ROOT / "eval" / "baseline")
    assert len(run.scores) == 241
    assert isinstance(run.groups[0].estimates["answered_right"], Estimate)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["finished"], "yesterday", "finished: "),
        (
            ["finished"],
            "0001-01-01T00:00:00+05:00",
            "finished: Value error, the time is not in the years",
        ),
        (
            ["finished"],
            "9999-12-31T23:59:59-05:00",
            "finished: Value error, the time is not in the years",
        ),
        (["questions"], [], "questions: "),
        (["questions"], None, "questions: "),
        (["documents"], {"pets.txt": 5}, "documents.pets.txt: "),
        (["settings"], None, "settings: "),
        (["overall"], None, "overall: "),
        (["overall", "figures", "hit_at_1", "n"], -1, "overall.figures.hit_at_1.n: "),
        (["overall", "figures", "hit_at_1", "n"], True, "overall.figures.hit_at_1.n: "),
        (["overall", "figures", "hit_at_1", "value"], "0.5", "overall.figures.hit_at_1.value: "),
        (["overall", "figures", "hit_at_1", "value"], float("nan"), "finite number"),
        (["overall", "figures", "hit_at_1", "low"], None, "overall.figures.hit_at_1.low: "),
        (["overall", "figures", "hit_at_1"], "high", "overall.figures.hit_at_1: "),
        (["by_kind"], [], "by_kind: "),
        (["by_kind", "fact"], [], "by_kind.fact: "),
        (["by_kind", "fact", "errors"], None, "by_kind.fact.errors: "),
        (["scores"], None, "scores: "),
        (["scores", "right"], 1, "scores.right: "),
        (["scores", "right", "answered_right"], "yes", "scores.right.answered_right: "),
        (["scores", "right", "answered_right"], True, "scores.right.answered_right: "),
        (["scores", "right", "seconds"], 1e300, "scores.right.seconds: "),
        (["errors"], {"right": 5}, "errors.right: "),
        (["clusters"], {"right": 5}, "clusters.right: "),
        (["repeats", "count"], "two", "repeats.count: "),
    ],
)
def test_damaged_summary_is_named_with_its_place(
    folder: Path, path: Sequence[str], value: Any, words: str
) -> None:
    """Every wrong type, missing field and impossible number is an error that says where."""
    set_value(folder / SUMMARY, path, value)
    with pytest.raises(RunError, match=r"summary\.json is damaged") as caught:
        read_run(folder)
    assert words in str(caught.value)


def test_value_without_interval_is_damage(folder: Path) -> None:
    """An estimate has all three numbers or none."""
    row = {"n": 1, "unscored": 0, "value": 0.5, "low": None, "high": None}
    change(folder / SUMMARY, lambda summary: summary | {"by_kind": {"fact": group_of(row)}})
    with pytest.raises(RunError, match="a value without an interval"):
        read_run(folder)


def group_of(row: dict[str, Any]) -> dict[str, Any]:
    return {"questions": 1, "errors": 0, "figures": {"hit_at_1": row}}


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", LONG.encode(), b'{"overall": 1e999}'])
def test_summary_that_is_not_json_is_damage(folder: Path, text: bytes) -> None:
    """Whatever the bytes are, the error is ours."""
    (folder / SUMMARY).write_bytes(text)
    with pytest.raises(RunError, match=r"summary\.json is damaged"):
        read_run(folder)


def test_all_problems_are_named_and_steer_no_terminal(folder: Path) -> None:
    """Problems are listed, the first twenty of them; control characters are shown as escapes."""
    row = {**read_raw_results(folder)[0], "timings": {"\x1b[31m": "long"}}
    (folder / RESULTS).write_text(f"{json.dumps(row)}\n" * 30)
    with pytest.raises(RunError) as caught:
        read_results(folder)
    lines = str(caught.value).splitlines()
    assert (len(lines), lines[-1]) == (22, "  and 10 more")
    assert "\x1b" not in str(caught.value)


def test_run_without_summary_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    """The error tells an interrupted run from a folder that never was a run."""
    (folder / SUMMARY).unlink()
    with pytest.raises(RunError, match=r"did not end\. Resume it: footnote eval run --resume"):
        read_run(folder)
    (folder / RESULTS).unlink()
    with pytest.raises(RunError, match=r"is not a run: there is no summary\.json"):
        read_run(folder)
    with pytest.raises(RunError, match="there is no such folder"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(RunError, match="is a file"):
        read_run(folder / QUESTIONS)


def test_read_results_gives_answers_and_errors(folder: Path) -> None:
    """Each line is a result, in order; an answer can be scored again over the documents."""
    results = read_results(folder, {PETS.name: PETS})
    assert [result.id for result in results] == list(ANSWERS)
    assert results[-1].error == "ValueError: by nought"
    answer = results[0].to_answer({PETS.name: PETS})
    assert answer.sentences[0].text == "Dogs bark at night."
    assert answer.passages[0].passage.text == "Dogs bark at night."


def test_refusal_with_a_nearest_sentence_is_read_as_a_refusal(folder: Path) -> None:
    """Its nearest sentence is kept, and counts as neither answer nor citation."""
    refused = result(replace(refusal(), nearest=SECOND))
    row = {"id": "q1", **refused.to_answer({}).as_json()}
    (folder / RESULTS).write_text(json.dumps(row) + "\n")
    (read,) = read_results(folder, {PETS.name: PETS})
    assert (read.abstained, read.sentences, read.nearest) == (True, (), SECOND)
    answer = read.to_answer({PETS.name: PETS})
    assert answer.nearest == SECOND
    assert scores(example(answer)) == scores(example(refusal()))


def test_results_over_other_documents_are_named(folder: Path) -> None:
    """Passages must lie in the documents of the run."""
    with pytest.raises(RunError, match=r"line 1: there is no document 'pets\.txt'"):
        read_results(folder, {})
    short = document("Cats.")
    with pytest.raises(RunError, match=r"line 1: there is no passage 21 to 40 of 'pets\.txt'"):
        read_results(folder, {PETS.name: short})


@pytest.mark.parametrize(
    "broken",
    [
        {"id": ["wrong"]},
        {"answer": None},
        {"abstained": "no"},
        {"reason": "tired"},
        {"sentences": [{"text": "no support"}]},
        {"sentences": [{"text": "odd", "support": "proven", "citations": []}]},
        {"passages": [{"document": "pets.txt"}]},
        {"confidence": float("inf")},
        {"confidence": "0.5"},
        {"timings": {"total": "long"}},
        {"repeat": 0},
        {"error": 5},
    ],
)
def test_damaged_result_is_named_with_its_line(folder: Path, broken: dict[str, Any]) -> None:
    """A wrong type anywhere in a line is an error that names the line."""
    change_row(folder, 2, lambda row: row | broken)
    with pytest.raises(RunError, match=r"results\.jsonl is damaged[^\n]*\n  line 2: "):
        read_results(folder)


@pytest.mark.parametrize("key", ["id", "question", "answer", "abstained", "reason", "passages"])
def test_result_without_a_field_is_damage(folder: Path, key: str) -> None:
    """An answer is whole or damaged."""
    change_row(folder, 1, lambda row: {name: row[name] for name in row if name != key})
    with pytest.raises(RunError, match=f"line 1: {key}: Field required"):
        read_results(folder)


def test_every_damaged_line_is_named(folder: Path) -> None:
    """Lines that are not JSON, not objects or not UTF-8, and an incomplete last line."""
    lines = (folder / RESULTS).read_bytes().splitlines()
    lines[0], lines[1], lines[2], lines[3] = b"{", b"[]", b"\xff", LONG.encode()
    (folder / RESULTS).write_bytes(b"\n".join(lines))
    with pytest.raises(RunError) as caught:
        read_results(folder)
    named = [line.split(":")[0] for line in str(caught.value).splitlines()[1:]]
    assert named == ["  line 1", "  line 2", "  line 3", "  line 4", "  line 6"]


def test_incomplete_last_line_is_left_out_to_resume(folder: Path) -> None:
    """A run that was killed while it wrote a line can be resumed."""
    whole = (folder / RESULTS).read_bytes()
    (folder / RESULTS).write_bytes(whole[:-5])
    assert len(read_results(folder, resumable=True)) == len(ANSWERS) - 1
    with pytest.raises(RunError, match="line 6: the line is incomplete"):
        read_results(folder)


def test_two_results_of_one_question_are_damage(folder: Path) -> None:
    """A question has one result for each repeat."""
    first = (folder / RESULTS).read_bytes().splitlines(keepends=True)[0]
    (folder / RESULTS).write_bytes((folder / RESULTS).read_bytes() + first)
    with pytest.raises(RunError, match="line 7: line 1 is a result of 'right' too"):
        read_results(folder)


@pytest.mark.parametrize("name", [SUMMARY, RESULTS, QUESTIONS])
def test_file_that_is_too_large_is_not_read(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may come from anywhere: a file larger than any run of ours is refused."""
    monkeypatch.setattr(eval.results, "MAX_BYTES", dict.fromkeys(eval.results.MAX_BYTES, 10))
    monkeypatch.setattr(eval.dataset, "MAX_QUESTION_FILE", 10)
    readers = {SUMMARY: read_run, RESULTS: read_results, QUESTIONS: read_run_questions}
    with pytest.raises(FootnoteError, match="is too large"):
        readers[name](folder)  # type: ignore[operator]  # a function of a folder


def test_file_that_is_missing_is_named(folder: Path) -> None:
    """The error names the file that cannot be read."""
    (folder / RESULTS).unlink()
    with pytest.raises(RunError, match=r"results\.jsonl cannot be read"):
        read_results(folder)
    with pytest.raises(RunError, match=r"run\.json cannot be read"):
        read_plan(folder)


def test_differences_say_why_runs_cannot_be_compared(folder: Path, tmp_path: Path) -> None:
    """Other documents, other question files and other questions are each named."""
    first = read_run(folder)
    assert differences(first, first) == []
    other = make_run(tmp_path / "other")
    set_value(other / SUMMARY, ["documents"], {"cats.txt": "1"})
    set_value(other / SUMMARY, ["questions", "sha256"], "0")
    set_value(other / SUMMARY, ["scores", "right"], None)
    documents, questions, missing = differences(first, read_run(other))
    assert documents == "Their documents differ: cats.txt, pets.txt."
    assert questions == "Their question files differ: the hashes are not the same."
    assert missing == f"{other} did not ask 1 of the other's questions: right."


MANY = 60_000
BOMBS: dict[str, tuple[str, bytes]] = {
    "list of lists": (SUMMARY, b'{"settings": {"x": [%s[]]}}' % (b"[]," * MANY)),
    "bad scores": (
        SUMMARY,
        b'{"scores": {"%s": 1}}' % b'": 1, "'.join(b"%d" % n for n in range(MANY)),
    ),
    "too many values": (SUMMARY, b"[%s1]" % (b"1," * 600_000)),
    "sentences": (RESULTS, b'{"id": "a", "sentences": [%s{}]}\n' % (b"{}," * MANY)),
    "blank results": (RESULTS, b"\n" * MANY),
    "long line": (RESULTS, b'{"id": [%s1]}\n' % (b"1," * 200_000)),
    "empty questions": (QUESTIONS, b"{}\n" * MANY),
    "answers": (QUESTIONS, b'{"id": "a", "answers": [%s1]}\n' % (b"1," * MANY)),
    "unknown fields": (
        QUESTIONS,
        b'{"%s": 1}' % b'": 1, "'.join(b"%d" % n for n in range(MANY)),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_in_file_is_refused_in_little_memory(folder: Path, name: str) -> None:
    """A file with many problems costs no more than its size, and the error stays short."""
    file, content = BOMBS[name]
    (folder / file).write_bytes(content)
    readers = {SUMMARY: read_run, RESULTS: read_results, QUESTIONS: read_run_questions}
    tracemalloc.start()
    try:
        with pytest.raises(FootnoteError) as caught:
            readers[file](folder)  # type: ignore[operator]  # a function of a folder
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50_000_000
    assert len(str(caught.value)) < 30_000


@pytest.mark.parametrize("name", [SUMMARY, RESULTS, QUESTIONS])
@pytest.mark.parametrize("kind", ["device", "pipe", "folder"])
def test_file_that_is_not_regular_is_refused(folder: Path, name: str, kind: str) -> None:
    """A device has no end, and a pipe nobody writes to would hold the reader forever."""
    path = folder / name
    path.unlink()
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    readers = {SUMMARY: read_run, RESULTS: read_results, QUESTIONS: read_run_questions}
    with pytest.raises(FootnoteError):
        readers[name](folder)  # type: ignore[operator]  # a function of a folder
