"""A run's questions read back: what became of each, what is missing, what is damaged, and where its gold stands."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.report.cases import holds, rank_of_gold, read_seen
from qa.errors import RunError
from qa.types import Span
from tests.eval.fakes import PETS, question, read
from tests.eval.page import ANSWERS, CATS, QUESTIONS, change, make_run, saying

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


@pytest.mark.parametrize(
    "broken",
    [
        {"sentences": [{"text": "no support"}]},
        {"sentences": [{"text": "odd", "support": "proven", "citations": []}]},
        {"passages": [{"document": "pets.txt"}]},
        {"confidence": float(10**308) * 10},
        {"timings": {"total": "long"}},
    ],
)
def test_a_result_that_is_damaged_within_is_named(tmp_path: Path, broken: dict[str, Any]) -> None:
    folder = make_run(tmp_path / "run")
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    text = "".join(json.dumps(row | broken if row["id"] == "wrong" else row) + "\n" for row in rows)
    # JSON has no word for what is not finite, but numbers that are too large to be.
    (folder / "results.jsonl").write_text(text.replace("Infinity", "1e999"))
    with pytest.raises(RunError, match=r"results\.jsonl is damaged at wrong: "):
        read_seen(folder)


@pytest.mark.parametrize("figures", [{"hit_at_1": {"n": 1}}, {"hit_at_1": None}, []])
def test_figures_that_are_damaged_are_named(tmp_path: Path, figures: Any) -> None:
    folder = make_run(tmp_path / "run")
    group = {"questions": 1, "errors": 0, "figures": figures}
    change(folder / "summary.json", lambda summary: summary | {"by_kind": {"fact": group}})
    with pytest.raises(RunError, match="damaged at kind fact"):
        read_seen(folder)


@pytest.mark.parametrize("kinds", [{"fact": None}, []])
def test_groups_that_are_damaged_are_named(tmp_path: Path, kinds: Any) -> None:
    folder = make_run(tmp_path / "run")
    change(folder / "summary.json", lambda summary: summary | {"by_kind": kinds})
    with pytest.raises(RunError, match="is damaged"):
        read_seen(folder)


def test_figures_that_are_not_finite_are_damaged(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    text = (folder / "summary.json").read_text()
    (folder / "summary.json").write_text(text.replace('"value": 0.0', '"value": 1e999', 1))
    with pytest.raises(RunError, match="not finite"):
        read_seen(folder)


@given(st.data())
def test_a_passage_holds_a_quote_by_its_words_as_the_measures_have_it_by_its_place(
    data: st.DataObject,
) -> None:
    # No character twice: words stand where they stand, and nowhere else.
    text = "".join(map(chr, range(0x4E00, 0x4E00 + data.draw(st.integers(1, 60)))))
    ends = st.integers(0, len(text))
    start, end = sorted((data.draw(ends), data.draw(ends)))
    gold_start = data.draw(st.integers(0, len(text) - 1))
    gold_end = data.draw(st.integers(gold_start + 1, len(text)))
    passage, gold = Span(start, end), Span(gold_start, gold_end)
    assert holds(text[start:end], text[gold_start:gold_end]) == (
        2 * passage.overlap(gold) >= len(gold)
    )


def test_the_rank_of_the_gold_passage(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    ranks = {
        case.id: rank_of_gold(case.replies[0], case.question)
        for case in read_seen(folder).cases
        if case.question and case.question.answerable
    }
    assert ranks == {"right": 1, "wrong": 2, "refused": None, "broken": None}


def test_a_document_that_is_relevant_as_a_whole_is_gold(tmp_path: Path) -> None:
    asked = replace(
        question("right", evidence=(), answers=()), answerable=True, relevant={PETS.name: 2}
    )
    folder = make_run(tmp_path / "run", {"right": saying(CATS, CATS)}, [asked])
    case = read_seen(folder).cases[0]
    assert rank_of_gold(case.replies[0], asked) == 1
    assert rank_of_gold(case.replies[0], replace(asked, relevant={"other.txt": 1})) is None
    assert read(*CATS).passage.document.name == PETS.name
