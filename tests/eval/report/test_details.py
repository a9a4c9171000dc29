"""The questions of a run, read back: the outcome of each, and what the folder lacks."""

from pathlib import Path

import pytest

from eval.report.details import failed_count, read_details
from tests.eval.page import ANSWERS, QUESTIONS, change, make_run

OUTCOMES = ("right", "wrong answer", "wrongly refused", "should have refused", "right", "error")


def outcomes(folder: Path) -> tuple[str, ...]:
    return tuple(question.outcome for question in read_details(folder).questions)


def test_read_details_gives_each_outcome_in_order(tmp_path: Path) -> None:
    """The order is the one in which the questions were asked, errors included."""
    run = read_details(make_run(tmp_path / "run"))
    assert [question.id for question in run.questions] == [asked.id for asked in QUESTIONS]
    assert tuple(question.outcome for question in run.questions) == OUTCOMES
    assert [question.id for question in run.failed] == ["wrong", "refused", "invented", "broken"]
    assert failed_count(run.run) == len(run.failed)
    assert run.missing == ()


@pytest.mark.parametrize("missing", ["results.jsonl", "questions.jsonl"])
def test_run_without_a_file_still_has_outcomes(tmp_path: Path, missing: str) -> None:
    """The summary alone is enough for the outcomes; what is missing is said."""
    folder = make_run(tmp_path / "run")
    (folder / missing).unlink()
    run = read_details(folder)
    by_id = {question.id: question.outcome for question in run.questions}
    assert by_id == dict(zip((asked.id for asked in QUESTIONS), OUTCOMES, strict=True))
    assert len(run.missing) == 1
    assert f"There is no {missing}" in run.missing[0]


def test_summary_alone_shows_ids_as_questions(tmp_path: Path) -> None:
    """Without the other files, the metrics tell which questions are answerable."""
    folder = make_run(tmp_path / "run")
    (folder / "results.jsonl").unlink()
    (folder / "questions.jsonl").unlink()
    run = read_details(folder)
    assert {question.text for question in run.questions} == {asked.id for asked in QUESTIONS}
    assert len(run.missing) == 2
    unanswerable = {question.id for question in run.questions if question.answerable is False}
    assert unanswerable == {"invented", "absent"}
    # A question with an error has no score from which it could be known.
    assert [q.id for q in run.questions if q.answerable is None] == ["broken"]


def test_files_that_lack_questions_are_named(tmp_path: Path) -> None:
    """A file that is incomplete is no reason to hide the run."""
    folder = make_run(tmp_path / "run")
    for name in ("results.jsonl", "questions.jsonl"):
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(lines[:-1]))
    assert read_details(folder).missing == (
        "results.jsonl lacks 1 of the 6 questions.",
        "questions.jsonl lacks 1 of the 6 questions.",
    )


def test_question_fails_if_one_repeat_does(tmp_path: Path) -> None:
    """A mean below 1 means that the answer was wrong at least once."""
    folder = make_run(tmp_path / "run", repeats=[ANSWERS])
    half_right = {"answered_right": 0.5, "wrongly_refused": 0.0}
    change(
        folder / "summary.json",
        lambda summary: summary | {"scores": summary["scores"] | {"right": half_right}},
    )
    assert outcomes(folder)[0] == "wrong answer"
    assert [result.repeat for result in read_details(folder).questions[0].results] == [1, 2]


def test_question_without_the_metric_has_not_failed(tmp_path: Path) -> None:
    """What is not measured is not scored, and is not a failure."""
    folder = make_run(tmp_path / "run")
    unmeasured = {"answered_right": None, "wrongly_refused": 0.0}
    change(
        folder / "summary.json",
        lambda summary: summary | {"scores": summary["scores"] | {"wrong": unmeasured}},
    )
    run = read_details(folder)
    assert (run.questions[1].outcome, run.questions[1].failed) == ("not scored", False)
    assert failed_count(run.run) == len(run.failed)
