"""Runs for other programs: the table (CSV) and the test results (JUnit XML)."""

import csv
import os
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.report.details import QuestionDetails, RunDetails, read_details
from eval.report.export import COLUMNS, CSV, JUNIT, as_csv, as_junit, write_files
from eval.run_schema import Run
from qa.errors import FootnoteError
from tests.eval.fakes import PROVENANCE, answer, question, refusal, result, says
from tests.eval.page import BETTER, QUESTIONS, change, make_run

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\ufeff=1",
    "\u200b=1",
    "\u00ad=1",
    "\u202e=1",
    '"=1',
    "＝1",
    "-",
    "+48 123 456",
)


def test_csv_has_a_row_for_each_question_and_run(tmp_path: Path) -> None:
    """Cells that are not known are empty; lines end as RFC 4180 has it."""
    runs = [
        read_details(make_run(tmp_path / "one")),
        read_details(make_run(tmp_path / "two", BETTER)),
    ]
    text = as_csv(runs, ["one", "two"])
    rows = read_csv(text)
    assert [(row["run"], row["id"]) for row in rows] == [
        (run, asked.id) for run in ("one", "two") for asked in QUESTIONS
    ]
    first, _, refused, invented, _, broken = rows[:6]
    assert list(first)[: len(COLUMNS)] == list(COLUMNS)
    assert (first["answerable"], first["abstained"], first["answer"]) == (
        "true",
        "false",
        "Dogs bark at night.",
    )
    assert (first["confidence"], first["answered_right"], first["rightly_refused"]) == (
        "0.9",
        "1.0",
        "",
    )
    assert (refused["outcome"], refused["abstained"], refused["kind"]) == (
        "wrongly refused",
        "true",
        "fact",
    )
    assert (invented["answerable"], invented["outcome"]) == ("false", "should have refused")
    assert (broken["error"], broken["outcome"], broken["answer"]) == (
        "ValueError: by nought",
        "error",
        "",
    )
    assert (broken["abstained"], broken["confidence"], broken["answered_right"]) == ("", "", "")
    # RFC 4180: lines end so, within cells they stay.
    assert text.count("\r\n") == len(rows) + 1


def test_write_files_csv_begins_with_byte_order_mark(tmp_path: Path) -> None:
    """A spreadsheet then reads the letters as UTF-8; the table can be written again."""
    path, junit = tmp_path / "all.csv", tmp_path / "all.xml"
    table = as_csv([run_with_answer("Zoë, 16 €")], ["run"])
    for _ in range(2):
        write_files([(path, table, CSV), (junit, as_junit([], []), JUNIT)])
    assert path.read_bytes() == b"\xef\xbb\xbf" + table.encode()
    assert junit.read_bytes().startswith(b"<?xml")


def test_csv_has_a_row_for_each_repeat(tmp_path: Path) -> None:
    """Repeats are numbered from 1."""
    folder = make_run(tmp_path / "run", questions=QUESTIONS[:1], repeats=[{"right": refusal()}])
    rows = read_csv(as_csv([read_details(folder)], ["run"]))
    assert [(row["id"], row["repeat"], row["abstained"]) for row in rows] == [
        ("right", "1", "false"),
        ("right", "2", "true"),
    ]


def test_csv_of_a_run_without_results_has_scores(tmp_path: Path) -> None:
    """The summary has scores and errors."""
    folder = make_run(tmp_path / "run")
    (folder / "results.jsonl").unlink()
    rows = {row["id"]: row for row in read_csv(as_csv([read_details(folder)], ["run"]))}
    assert (
        rows["right"]["answered_right"],
        rows["right"]["confidence"],
        rows["right"]["repeat"],
    ) == ("1.0", "0.9", "")
    assert rows["broken"]["error"] == "ValueError: by nought"


@pytest.mark.parametrize("text", FORMULAS)
def test_csv_has_no_formula(text: str) -> None:
    """A text that a spreadsheet computes has an apostrophe before it."""
    (row,) = read_csv(as_csv([run_with_answer(text)], [text]))
    assert (row["run"], row["answer"], row["kind"]) == (f"'{text}",) * 3


@pytest.mark.parametrize("text", ["x;=1", 'x;"=1', "x\n=1", "x\t-1", "x; \ufeff=1"])
def test_csv_has_no_formula_after_a_separator(text: str) -> None:
    """Where semicolons separate the cells, a text may hold several."""
    (row,) = read_csv(as_csv([run_with_answer(text)], ["run"]))
    assert re.search(r"[;\t\n]'", row["answer"])
    assert row["answer"].replace("'", "") == text


@pytest.mark.parametrize(
    "text", ["-5", "+5", "-0.25", "5", "1=1", "a-b", "", "16 hours", "'quoted"]
)
def test_csv_leaves_numbers_and_texts_alone(text: str) -> None:
    """Only a formula is changed."""
    (row,) = read_csv(as_csv([run_with_answer(text)], ["run"]))
    assert row["answer"] == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_csv_of_any_text_is_read_back(text: str) -> None:
    """No text breaks the table, and none is a formula."""
    (row,) = read_csv(as_csv([run_with_answer(text)], ["run"]))
    assert row["answer"].replace("'", "") == text.replace("'", "")
    assert not re.search(r"(\A|[;|\t\r\n])\s*[=@＝＋－＠]", row["answer"])


def test_junit_has_suites_and_cases(tmp_path: Path) -> None:
    """A suite for each run, a case for each question, failures with their account."""
    runs = [
        read_details(make_run(tmp_path / "one")),
        read_details(make_run(tmp_path / "two", BETTER)),
    ]
    root = parsed(as_junit(runs, ["one", "two"]))
    counts = [
        (suite.get("name"), *map(suite.get, ("tests", "failures", "errors", "skipped")))
        for suite in root
    ]
    assert counts == [("one", "6", "3", "1", "0"), ("two", "6", "3", "0", "0")]
    assert (root.tag, *map(root.get, ("tests", "failures", "errors"))) == (
        "testsuites",
        "12",
        "6",
        "1",
    )
    cases = {case.get("name"): case for case in root[0]}
    assert [(case.tag, case.get("classname"), case.get("time")) for case in root[0]] == [
        ("testcase", asked.kind, "0.000" if asked.id == "broken" else "0.500")
        for asked in QUESTIONS
    ]
    assert [child.tag for case in root[0] for child in case] == [
        "failure",
        "failure",
        "failure",
        "error",
    ]
    assert not list(cases["right"])
    failure, error = cases["wrong"][0], cases["broken"][0]
    assert failure.get("message") == "wrong answer"
    assert str(failure.text).split("\n") == [
        "Question: wrong?",
        "Answered (confidence 0.90): Cats sleep 16 hours.",
        "Accepted: bark",
        "Accepted: barking",
        "Gold: Dogs bark at night.",
    ]
    assert error.get("message") == "ValueError: by nought"
    assert root[0].get("time") == "2.500"


def test_junit_skips_a_question_without_score(tmp_path: Path) -> None:
    """Not measured is not failed."""
    folder = make_run(tmp_path / "run", questions=QUESTIONS[:1])
    change(
        folder / "summary.json",
        lambda summary: summary | {"scores": {"right": {"answered_right": None}}},
    )
    root = parsed(as_junit([read_details(folder)], ["run"]))
    assert [child.tag for child in root[0][0]] == ["skipped"]
    assert root[0].get("skipped") == "1"


@given(st.text())
def test_junit_of_any_text_is_xml(text: str) -> None:
    """Characters that XML cannot hold are replaced."""
    root = parsed(as_junit([run_with_answer(text)], [text]))
    account = str(root[0][0][0].text)
    valid = re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
    # XML has one line end.
    assert (
        f"Answered (confidence 0.50): {valid}".replace("\r\n", "\n").replace("\r", "\n") in account
    )


def run_with_answer(text: str) -> RunDetails:
    """A run of one wrong answer with this text, to a question of this kind."""
    asked = replace(question("q1"), kind=text)
    scores = {"answered_right": 0.0, "wrongly_refused": 0.0}
    results = (result(answer(says(text), confidence=0.5)),)
    details = QuestionDetails("q1", asked, results, scores, None)
    return RunDetails(Run(Path("run"), PROVENANCE, {"q1": scores}), (details,), ())


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode("utf-8"))  # noqa: S314  # our own words


@pytest.mark.parametrize("target", ["missing", "empty", "same kind"])
def test_write_files_link_is_never_written_through(tmp_path: Path, target: str) -> None:
    """A run may come with a link as its report: what it leads to stays as it is."""
    outside = tmp_path / "outside"
    text = f"{','.join(COLUMNS)}\n"
    if target == "empty":
        outside.touch()
    elif target == "same kind":
        outside.write_text(text)
    before = outside.read_text() if outside.exists() else None
    link = tmp_path / "run.csv"
    link.symlink_to(outside)
    if target == "empty":
        with pytest.raises(FootnoteError, match="is not a table of questions"):
            write_files([(link, text, CSV)])
    else:
        write_files([(link, f"{text}new", CSV)])
        assert link.read_text(CSV.encoding) == f"{text}new"
    assert (outside.read_text() if outside.exists() else None) == before


def test_write_files_device_is_left_alone(tmp_path: Path) -> None:
    link = tmp_path / "run.csv"
    link.symlink_to(os.devnull)
    with pytest.raises(FootnoteError, match="is not a regular file"):
        write_files([(link, "text", CSV)])
    assert link.is_symlink()
