"""A whole run with a bot whose answers are scripted: what is written, and what the figures are."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from eval.dataset import Question
from eval.provenance import code_hash, collect_provenance
from eval.report.terminal import print_tables
from eval.run import create_run_folder, finish, run, start
from eval.run_schema import Estimate, Group
from eval.summary import Outcome, groups
from qa.config import Settings
from qa.errors import FootnoteError, NotWritableError, QuestionFileError, RunError
from qa.types import Answer, Turn
from tests.eval.fakes import (
    PETS,
    ScriptedBot,
    answer,
    cite,
    document,
    question,
    read,
    refusal,
    says,
)

EVIL = "<script>alert('x')</script>&amp;[bold]"
EARLIER = Turn("Which pets?", "Cats and dogs.")
SECOND = says("Dogs bark at night.", cite(21, 40))
THIRD = says(EVIL, cite(41, 60))

QUESTIONS = [
    question("right", kind="fact", split="test"),
    question("wrong", kind=EVIL, history=[EARLIER]),
    question("broken", kind="fact"),
    question("refused", kind="fact"),
    question("absent", evidence=[], kind="absent"),
    question("invented", evidence=[], kind="absent"),
]
SCRIPT: dict[str, Answer | Exception] = {
    "right?": answer(SECOND, passages=[read(0, 20), read(21, 40)], confidence=0.9, seconds=1.0),
    "wrong?": answer(THIRD, passages=[read(21, 40)], confidence=0.6, seconds=2.0),
    "broken?": RuntimeError(f"no luck {EVIL}"),
    "refused?": refusal(confidence=0.2),
    "absent?": refusal(confidence=0.1),
    "invented?": answer(SECOND, confidence=0.6, seconds=4.0),
}


def asked(
    out: Path, bot: ScriptedBot | None = None, questions: Sequence[Question] = QUESTIONS
) -> list[Outcome]:
    """The outcomes of a run that asked each question once."""
    found = run(questions, bot or ScriptedBot(SCRIPT), [PETS], create_run_folder(out))
    assert all(len(own) == 1 for own in found)
    return [own[0] for own in found]


def lines(out: Path) -> list[dict[str, Any]]:
    text = (out / "results.jsonl").read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text[:-1].split("\n")]


def test_run_writes_one_line_a_question(tmp_path: Path) -> None:
    """An error is the line of its question and does not end the run."""
    outcomes = asked(tmp_path)
    rows = lines(tmp_path)
    assert [row["id"] for row in rows] == [each.id for each in QUESTIONS]
    told = f"RuntimeError: no luck {EVIL}"
    assert rows[2] == {"id": "broken", "question": "broken?", "error": told}
    for row, each in zip(rows, QUESTIONS, strict=True):
        given = SCRIPT[each.question]
        if isinstance(given, Answer):
            assert row == {"id": each.id, **given.as_json()}
            assert next(iter(row)) == "id"
    assert [outcome.error for outcome in outcomes] == [None, None, told, None, None, None]
    assert [outcome.failed for outcome in outcomes] == [False, True, True, True, False, True]


def test_run_asks_each_question_once_with_history(tmp_path: Path) -> None:
    """The bot gets the question and the earlier turns."""
    bot = ScriptedBot(SCRIPT)
    asked(tmp_path, bot)
    assert bot.heard == [
        (each.question, (EARLIER,) if each.id == "wrong" else ()) for each in QUESTIONS
    ]


def test_run_writes_a_line_before_the_next_question(tmp_path: Path) -> None:
    """A crash loses no answer."""
    on_disk: list[int] = []

    class Looking(ScriptedBot):
        def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
            on_disk.append((tmp_path / "results.jsonl").read_bytes().count(b"\n"))
            return super().ask(question, history)

    counted: list[int] = []
    run(QUESTIONS, Looking(SCRIPT), [PETS], tmp_path, on_progress=counted.append)
    assert on_disk == [0, 1, 2, 3, 4, 5]
    assert counted == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("bad", [answer(SECOND, confidence=float("nan")), answer(says("\ud800"))])
def test_answer_that_json_cannot_hold_is_an_error(tmp_path: Path, bad: Answer) -> None:
    """A confidence that is not a number breaks one question, not the run."""
    outcomes = asked(tmp_path, ScriptedBot({**SCRIPT, "right?": bad}))
    assert outcomes[0].error
    assert lines(tmp_path)[0] == {"id": "right", "question": "right?", "error": outcomes[0].error}
    assert len(lines(tmp_path)) == len(QUESTIONS)


def test_run_stops_for_an_interrupt(tmp_path: Path) -> None:
    """Ctrl+C is not an outcome of a question."""

    class Interrupted(ScriptedBot):
        def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
            if question == "wrong?":
                raise KeyboardInterrupt
            return super().ask(question, history)

    with pytest.raises(KeyboardInterrupt):
        run(QUESTIONS, Interrupted(SCRIPT), [PETS], tmp_path)
    assert [row["id"] for row in lines(tmp_path)] == ["right"]


def test_missing_evidence_is_reported_before_asking(
    tmp_path: Path,
) -> None:
    """No question is asked and no file is written."""
    bot = ScriptedBot(SCRIPT)
    with pytest.raises(QuestionFileError, match="right: evidence is in no document"):
        run(QUESTIONS, bot, [document("Fish swim.")], tmp_path)
    assert bot.heard == []
    assert list(tmp_path.iterdir()) == []


def test_create_run_folder_refuses_a_folder_in_use(tmp_path: Path) -> None:
    """No run is overwritten."""
    out = tmp_path / "a" / "b"
    assert create_run_folder(out).is_dir()
    assert create_run_folder(out).is_dir()
    (out / "results.jsonl").write_text("precious")
    for taken in (out, out / "results.jsonl"):
        with pytest.raises(FootnoteError, match="is there already") as caught:
            create_run_folder(taken)
        assert caught.value.exit_code == 2
    with pytest.raises(FootnoteError, match="is a file") as below:
        create_run_folder(out / "results.jsonl" / "below")
    assert below.value.exit_code == 2
    assert (out / "results.jsonl").read_text() == "precious"


def test_resumed_run_asks_nothing_twice(tmp_path: Path) -> None:
    """Cut off anywhere, a run ends with the same results and outcomes."""
    whole = asked(tmp_path / "whole")
    results = (tmp_path / "whole" / "results.jsonl").read_bytes()
    for cut in range(0, len(results), 97):
        out = create_run_folder(tmp_path / str(cut))
        (out / "results.jsonl").write_bytes(results[:cut])
        bot = ScriptedBot(SCRIPT)
        counted: list[int] = []
        found = run(QUESTIONS, bot, [PETS], out, on_progress=counted.append)
        done = results[:cut].count(b"\n")
        assert [words for words, _ in bot.heard] == [one.question for one in QUESTIONS[done:]]
        assert (out / "results.jsonl").read_bytes() == results
        assert counted == list(range(done, len(QUESTIONS) + 1))
        assert [own[0].scores for own in found] == [one.scores for one in whole]
        assert [own[0].error for own in found] == [one.error for one in whole]


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[::-1],
        lambda rows: [*rows, rows[0]],
        lambda rows: [{**rows[0], "repeat": 2}],
    ],
)
def test_results_of_other_questions_are_refused(tmp_path: Path, change: Any) -> None:
    """A run is resumed only with its own results, which stay as they are."""
    asked(tmp_path)
    rows = change(lines(tmp_path))
    before = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "results.jsonl").write_text(before)
    bot = ScriptedBot(SCRIPT)
    with pytest.raises(RunError, match="Make a new run"):
        run(QUESTIONS, bot, [PETS], tmp_path)
    assert (bot.heard, (tmp_path / "results.jsonl").read_text()) == ([], before)


def test_resume_names_every_damaged_line(tmp_path: Path) -> None:
    """All of them at once."""
    asked(tmp_path)
    rows = (tmp_path / "results.jsonl").read_bytes().split(b"\n")
    rows[1], rows[3] = b"{", b'{"id": "refused"}'
    (tmp_path / "results.jsonl").write_bytes(b"\n".join(rows))
    with pytest.raises(RunError) as caught:
        run(QUESTIONS, ScriptedBot(SCRIPT), [PETS], tmp_path)
    assert [line[:8] for line in str(caught.value).split("\n")[1:]] == ["  line 2", "  line 4"]


def test_second_process_on_one_run_is_refused(tmp_path: Path) -> None:
    """Two programs cannot write the same results."""

    class Meanwhile(ScriptedBot):
        def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
            with pytest.raises(RunError, match="Another program is at work"):
                run(QUESTIONS, ScriptedBot(SCRIPT), [PETS], tmp_path)
            return super().ask(question, history)

    run(QUESTIONS[:2], Meanwhile(SCRIPT), [PETS], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]


class Wavering(ScriptedBot):
    """Answers right once, then refuses."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        given = super().ask(question, history)
        return given if sum(words == question for words, _ in self.heard) == 1 else refusal()


def test_repeats_give_mean_scores_and_their_spread(tmp_path: Path) -> None:
    """A question has the mean of its scores; the summary says how far answers differ."""
    both = [QUESTIONS[0], QUESTIONS[4]]
    found = run(both, Wavering(SCRIPT), [PETS], create_run_folder(tmp_path), repeat=2)
    assert [(row["id"], row.get("repeat")) for row in lines(tmp_path)] == [
        ("right", None),
        ("absent", None),
        ("right", 2),
        ("absent", 2),
    ]
    told = collect_provenance(Settings(home=tmp_path), [PETS], {"sha256": "00"})
    _, summary = finish(found, [PETS], told, tmp_path)
    assert summary["scores"]["right"]["answered_right"] == 0.5
    assert summary["scores"]["absent"]["answered_right"] == 1
    assert (summary["repeats"]["count"], summary["repeats"]["changed"]) == (2, 1)
    # A half of a question that was right once of twice, none of the other.
    assert summary["repeats"]["spread"]["answered_right"] == 0.25


def figure(group: Group, name: str) -> tuple[int, int, float | None]:
    found = group.estimates[name]
    return found.n, found.unscored, None if found.value is None else round(found.value, 4)


def test_estimates_of_all_questions_by_hand(tmp_path: Path) -> None:
    """Each value, its n and its unscored count."""
    overall = groups(asked(tmp_path))[0]
    assert (overall.by, overall.questions, overall.errors) == ("overall", 6, 1)
    expected = {
        # Answerable, and not broken: right, wrong and refused.
        "hit_at_1": (3, 3, 0.3333),
        "hit_at_3": (3, 3, 0.6667),
        "hit_at_5": (3, 3, 0.6667),
        "reciprocal_rank": (3, 3, 0.5),
        "contains_answer": (3, 3, 0.3333),
        "first_sentence_right": (3, 3, 0.3333),
        "answered_right": (5, 1, 0.4),
        "answered": (5, 1, 0.6),
        "wrongly_refused": (3, 3, 0.3333),
        "rightly_refused": (2, 4, 0.5),
        # Six pairs: 0.9, 0.6 and 0.2 against 0.1 and 0.6.
        "confidence_auroc": (5, 1, 0.75),
        # By tenths: 1 - 0.9, then 1 - 0.6 with 0 - 0.6, then 1 - 0.2, then 0 - 0.1.
        "calibration_error": (5, 1, 0.24),
        "citation_precision": (2, 4, 0.5),
        "citation_recall": (3, 3, 0.3333),
        "quotes_exact": (3, 3, 1.0),
        "unsupported_sentences": (3, 3, 0.0),
        # 0.5, 0.5, 1, 2 and 4 seconds.
        "seconds_median": (5, 1, 1.0),
        "seconds_p95": (5, 1, 3.6),
    }
    assert {name: figure(overall, name) for name in expected} == expected
    for found in (overall.estimates[name] for name in expected):
        assert found.low is not None
        assert found.value is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high


def test_estimates_by_split_and_kind(tmp_path: Path) -> None:
    """Groups come in the order in which they are met."""
    found = groups(asked(tmp_path))
    assert [(group.by, group.name, group.questions, group.errors) for group in found] == [
        ("overall", "overall", 6, 1),
        ("split", "test", 1, 0),
        ("split", "dev", 5, 1),
        ("kind", "fact", 3, 1),
        ("kind", EVIL, 1, 0),
        ("kind", "absent", 2, 0),
    ]
    assert figure(found[3], "answered_right") == (2, 1, 0.5)
    assert figure(found[5], "hit_at_1") == (0, 2, None)
    # One class only: no pair to put in order.
    assert found[5].estimates["confidence_auroc"] == Estimate(0, 2, None, None, None)


@pytest.mark.parametrize(
    ("given", "wrongly", "rightly"),
    [(refusal(), (1, 1, 1.0), (1, 1, 1.0)), (answer(SECOND), (1, 1, 0.0), (1, 1, 0.0))],
    ids=["all refused", "none refused"],
)
def test_bots_that_refuse_all_or_nothing(
    tmp_path: Path, given: Answer, wrongly: tuple[int, int, float], rightly: tuple[int, int, float]
) -> None:
    """Neither is rewarded."""
    both = [question("a"), question("b", evidence=[])]
    overall = groups(asked(tmp_path, ScriptedBot({"a?": given, "b?": given}), both))[0]
    assert (figure(overall, "wrongly_refused"), figure(overall, "rightly_refused")) == (
        wrongly,
        rightly,
    )
    assert figure(overall, "answered_right") == (2, 0, 0.5)
    assert figure(overall, "confidence_auroc") == (2, 0, 0.5)


def test_run_of_errors_only_has_no_estimates(tmp_path: Path) -> None:
    """Errors are counted and nothing is scored."""
    only = groups(asked(tmp_path, ScriptedBot({"a?": ValueError("no")}), [question("a")]))[0]
    assert only.errors == 1
    assert set(only.estimates.values()) == {Estimate(0, 1, None, None, None)}


def summarised(out: Path, script: dict[str, Answer | Exception]) -> dict[str, Any]:
    outcomes = [[outcome] for outcome in asked(out, ScriptedBot(script))]
    told = collect_provenance(Settings(home=out / "home"), [PETS], {"file": EVIL, "sha256": "00"})
    rows = (json.dumps(each.as_json()) + "\n" for each in QUESTIONS)
    start(out, {**told, "repeat": 1}, "".join(rows).encode())
    _, summary = finish(outcomes, [PETS], told, out)
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == summary
    return summary


def test_summary_has_provenance_and_scores(tmp_path: Path) -> None:
    """What estimates depend on stands beside them."""
    summary = summarised(tmp_path, SCRIPT)
    assert summary["overall"]["figures"]["answered_right"] == {
        "n": 5,
        "unscored": 1,
        "value": 0.4,
        "low": pytest.approx(0.1176, abs=1e-4),
        "high": pytest.approx(0.7693, abs=1e-4),
    }
    assert list(summary["by_split"]) == ["test", "dev"]
    assert list(summary["by_kind"]) == ["fact", EVIL, "absent"]
    assert summary["errors"] == {"broken": f"RuntimeError: no luck {EVIL}"}
    assert list(summary["scores"]) == ["right", "wrong", "refused", "absent", "invented"]
    assert summary["scores"]["absent"]["hit_at_1"] is None
    assert summary["scores"]["refused"]["answered_right"] == 0
    assert summary["documents"] == {"pets.txt": PETS.version}
    assert summary["settings"]["threshold"] == Settings(tmp_path).threshold
    assert not {"home", "index", "llm_key"} & summary["settings"].keys()
    assert summary["questions"] == {"file": EVIL, "sha256": "00"}
    assert re.fullmatch(r"3\.\d+\.\d+.*", summary["versions"]["python"])
    assert summary["versions"]["numpy"]
    assert summary["intervals"] == {"level": 0.95, "seed": 20, "resamples": 2000}


@pytest.mark.parametrize(
    ("script", "commit"),
    [
        ("echo 0123abc-dirty", "0123abc-dirty"),
        ("echo no repository >&2; exit 128", None),
        (None, None),
    ],
    ids=["in a repository", "outside one", "without the program"],
)
def test_commit_is_recorded_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, commit: str | None
) -> None:
    """Outside a repository, or without git, it is None."""
    if script:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert collect_provenance(Settings(home=tmp_path), [], {})["commit"] == commit


@pytest.mark.parametrize("changed", ["bot.py", "training/fit.py", "models/reader/weights.json"])
def test_code_hash_covers_sources_and_models(tmp_path: Path, changed: str) -> None:
    """A file that changes no answer does not change it."""
    folders = (tmp_path / "one" / "qa", tmp_path / "two" / "qa")
    for folder in folders:
        for name in (
            "bot.py",
            "training/fit.py",
            "models/reader/weights.json",
            "baseline/summary.json",
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
    (folders[1] / "baseline/summary.json").write_text("another")
    assert code_hash(folders[:1]) == code_hash(folders[1:])
    (folders[1] / changed).write_text("another")
    code_hash.cache_clear()
    assert code_hash(folders[:1]) != code_hash(folders[1:])


def test_two_runs_differ_only_in_times(tmp_path: Path) -> None:
    """The same answers give the same files."""
    slower = {
        key: replace(given, timings={"total": 9.0}) if isinstance(given, Answer) else given
        for key, given in SCRIPT.items()
    }
    one, two = summarised(tmp_path / "one", SCRIPT), summarised(tmp_path / "two", slower)

    def timeless(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: timeless(inner) for key, inner in value.items() if key not in timed}
        return [timeless(inner) for inner in value] if isinstance(value, list) else value

    timed = {"timings", "seconds", "seconds_median", "seconds_p95", "finished", "home"}
    assert timeless(one) == timeless(two)
    assert one["overall"] != two["overall"]
    assert timeless(lines(tmp_path / "one")) == timeless(lines(tmp_path / "two"))


def test_tables_fit_and_hold_every_estimate(tmp_path: Path) -> None:
    """No line is wider than 100 columns, and kinds cannot style the terminal."""
    found = groups(asked(tmp_path))
    file = StringIO()
    print_tables(found, file)
    text = file.getvalue()
    assert max(map(len, text.split("\n"))) <= 100
    assert "\x1b" not in text
    assert text.count("\noverall ") == 6
    assert text.count("\ndev ") == 6
    assert text.count("0.40 (5)") == 1
    assert text.count("[0.12, 0.77]") == 1
    assert "[bold]" in "".join(text.split())
    assert "1 of 6 questions ended with an error" in text


def test_single_split_has_no_row(tmp_path: Path) -> None:
    """It would repeat the row of all questions."""
    file = StringIO()
    print_tables(groups(asked(tmp_path, questions=QUESTIONS[1:])), file)
    assert "\noverall " in file.getvalue()
    assert "\ndev " not in file.getvalue()


@pytest.mark.parametrize("name", ["results.jsonl", "summary.json.new"])
def test_run_link_in_folder_is_never_written_through(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    out = tmp_path / "run"
    out.mkdir()
    (out / name).symlink_to(outside)
    with suppress(NotWritableError):
        outcomes = run(QUESTIONS, ScriptedBot(SCRIPT), [PETS], out)
        finish(
            outcomes, [PETS], collect_provenance(Settings(home=out), [PETS], {"sha256": "0"}), out
        )
    assert not outside.exists()
