"""A run's questions read back: what became of each, what is missing, what is damaged, and where its gold stands."""

from pathlib import Path

import pytest

from eval.report.cases import read_seen
from tests.eval.page import ANSWERS, QUESTIONS, change, make_run

ENDINGS = ("right", "wrong answer", "wrongly refused", "should have refused", "right", "error")


def endings(folder: Path) -> tuple[str, ...]:
    return tuple(case.ending for case in read_seen(folder).cases)


def test_what_became_of_each_question_in_the_order_asked(tmp_path: Path) -> None:
    seen = read_seen(make_run(tmp_path / "run"))
    assert [case.id for case in seen.cases] == [one.id for one in QUESTIONS]
    assert tuple(case.ending for case in seen.cases) == ENDINGS
    assert [case.failed for case in seen.cases] == [False, True, True, True, False, True]
    assert seen.lacking == ()
    assert [(group.by, group.name, group.questions) for group in seen.groups] == [
        ("overall", "overall", 6),
        ("split", "dev", 4),
        ("split", "test", 2),
        ("kind", "fact", 2),
        ("kind", "number", 2),
        ("kind", "absent", 2),
    ]


@pytest.mark.parametrize("lost", ["results.jsonl", "questions.jsonl"])
def test_without_one_of_its_files_a_run_still_says_what_became_of_each_question(
    tmp_path: Path, lost: str
) -> None:
    folder = make_run(tmp_path / "run")
    (folder / lost).unlink()
    seen = read_seen(folder)
    by_id = {case.id: case.ending for case in seen.cases}
    assert by_id == dict(zip((one.id for one in QUESTIONS), ENDINGS, strict=True))
    assert len(seen.lacking) == 1
    assert f"There is no {lost}" in seen.lacking[0]


def test_of_a_bare_summary_the_ids_are_the_questions(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (folder / "results.jsonl").unlink()
    (folder / "questions.jsonl").unlink()
    seen = read_seen(folder)
    assert {case.text for case in seen.cases} == {one.id for one in QUESTIONS}
    assert len(seen.lacking) == 2
    assert {case.id for case in seen.cases if case.answerable is False} == {"invented", "absent"}
    # What broke has no score that would tell.
    assert [case.id for case in seen.cases if case.answerable is None] == ["broken"]


def test_files_that_lack_questions_are_told(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    for name in ("results.jsonl", "questions.jsonl"):
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(lines[:-1]))
    assert read_seen(folder).lacking == (
        "results.jsonl lacks 1 of the 6 questions.",
        "questions.jsonl lacks 1 of the 6 questions.",
    )


def test_a_question_failed_if_one_of_its_repeats_did(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", repeats=[ANSWERS])
    halved = {"answered_right": 0.5, "wrongly_refused": 0.0}
    change(
        folder / "summary.json",
        lambda summary: summary | {"scores": summary["scores"] | {"right": halved}},
    )
    assert endings(folder)[0] == "wrong answer"
    assert [reply.repeat for reply in read_seen(folder).cases[0].replies] == [1, 2]


def test_without_a_measure_of_being_right_a_question_has_not_failed(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    unmeasured = {"answered_right": None, "wrongly_refused": 0.0}
    change(
        folder / "summary.json",
        lambda summary: summary | {"scores": summary["scores"] | {"wrong": unmeasured}},
    )
    case = read_seen(folder).cases[1]
    assert (case.ending, case.failed) == ("not scored", False)
