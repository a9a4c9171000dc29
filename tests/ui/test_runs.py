"""Evaluation runs read back: what `python -m eval run` wrote, and what is made of folders that hold something else."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eval.__main__ import main
from eval.comparison import PairedComparison, comparison_tables
from eval.metrics import DECIDING
from eval.results import differences
from qa.errors import FootnoteError
from tests.ui.evaluated import BETTER, BREAKING, DOGS, FAILING, ROWS, make_run, saying
from ui.charts import across
from ui.figures import Damaged, Figure, Run, label
from ui.outcomes import failed, gold, replies
from ui.render_runs import (
    across_html,
    changed_html,
    damaged_html,
    failed_html,
    figures_html,
    interval,
    number,
    paired_html,
    runs_html,
)
from ui.runs import (
    RESULTS,
    SUMMARY,
    configuration,
    differing,
    find,
    names,
    newest_first,
    read,
    stamp,
)

EVIL = "\"><script>alert('x')</script>&amp;\ud800"


def ended(folder: Path) -> Run:
    run = read(folder)
    assert isinstance(run, Run), run
    return run


def reason(folder: Path) -> str:
    damaged = read(folder)
    assert isinstance(damaged, Damaged)
    return damaged.reason


def changed(folder: Path, path: Sequence[str], value: Any) -> Path:
    """The run with one value of its summary set, or taken out where it is None."""
    summary = json.loads((folder / SUMMARY).read_text())
    inner = summary
    for key in path[:-1]:
        inner = inner[key]
    inner.pop(path[-1], None)
    if value is not None:
        inner[path[-1]] = value
    (folder / SUMMARY).write_text(json.dumps(summary))
    return folder


def compared(first: Run, second: Run) -> dict[str, list[PairedComparison]]:
    return comparison_tables(first.measured, second.measured, [DECIDING])


def row(first: Run, second: Run, measure: str = DECIDING) -> PairedComparison:
    return next(
        one for rows in compared(first, second).values() for one in rows if one.metric == measure
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_run(tmp_path / "runs" / "first")


@pytest.fixture
def run(folder: Path) -> Run:
    return ended(folder)


def test_a_run_comes_back_with_its_figures(run: Run) -> None:
    overall = run.groups[0]
    assert (overall.by, overall.questions, overall.errors) == ("overall", 4, 0)
    # One of four: the interval is Wilson's.
    right = overall.figures["answered_right"]
    assert (right.n, right.unscored, right.value) == (4, 0, 0.25)
    assert (right.low, right.high) == pytest.approx((0.0456, 0.6994), abs=1e-4)
    # Gold passages at ranks 1, 2 and none; the question without gold has no rank.
    ranks = overall.figures["reciprocal_rank"]
    assert (ranks.n, ranks.unscored, ranks.value) == (3, 1, 0.5)
    assert [(group.by, group.name, group.questions) for group in run.groups[1:]] == [
        *(("split", "dev", 3), ("split", "test", 1)),
        *(("kind", "fact", 2), ("kind", "number", 1), ("kind", "absent", 1)),
    ]


def test_a_measure_that_is_not_known_is_called_by_its_name() -> None:
    assert label("hit_at_1") == "passage hit@1"
    assert label("a_new_measure\ud800") == "a new measure?"


def test_runs_are_found_below_the_folders_and_are_those_themselves(
    folder: Path, tmp_path: Path
) -> None:
    other = make_run(tmp_path / "runs" / "second")
    (tmp_path / "runs" / ".hidden").mkdir()
    runs = [tmp_path / "runs"]
    assert find(runs) == [folder, other]
    assert find([other, *runs, tmp_path / "missing", tmp_path / "runs" / "first.jsonl"]) == [
        other,
        folder,
    ]


def test_runs_made_in_one_go_are_found_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "go" / "home").mkdir(parents=True)
    one, two = make_run(tmp_path / "go" / "plain"), make_run(tmp_path / "go" / "built-in")
    (tmp_path / "begun" / "home").mkdir(parents=True)
    assert find([tmp_path]) == [tmp_path / "begun", two, one]


def test_the_newest_run_is_first(tmp_path: Path) -> None:
    old = make_run(tmp_path / "z", finished="2026-01-01T10:00:00+00:00")
    new = make_run(tmp_path / "a", finished="2026-01-01T11:30:00+02:00")
    newest = make_run(tmp_path / "m", finished="2026-01-01T10:00:01+00:00")
    (tmp_path / "none").mkdir()
    runs, damaged = newest_first(map(read, find([tmp_path])))
    assert [one.folder for one in runs] == [newest, old, new]
    assert [one.folder.name for one in damaged] == ["none"]


def test_a_run_that_was_cut_off_says_after_how_many_questions(folder: Path) -> None:
    (folder / SUMMARY).unlink()
    assert "after 4 questions" in reason(folder)
    (folder / RESULTS).write_text("{}\n{")
    assert "after 1 question," in reason(folder)
    (folder / RESULTS).unlink()
    assert "before the first question" in reason(folder)
    assert datetime.now(UTC).year == read(folder).changed.year  # type: ignore[union-attr] # seen above to be damaged


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["finished"], "yesterday", "isoformat"),
        (["finished"], None, "finished is missing"),
        (["questions"], [], "questions is not an object"),
        (["overall", "figures", "hit_at_1", "n"], -1, "overall.hit_at_1.n is not a count"),
        (["overall", "figures", "hit_at_1", "n"], True, "overall.hit_at_1.n is not a count"),
        (
            ["overall", "figures", "hit_at_1", "value"],
            "0.5",
            "overall.hit_at_1.value is not a number",
        ),
        (["overall", "figures", "hit_at_1", "value"], float("nan"), "NaN is not a number"),
        (
            ["overall", "figures", "hit_at_1", "low"],
            None,
            "overall.hit_at_1 has a value without an interval",
        ),
        (["by_kind", "fact", "errors"], None, "by_kind.fact.errors is missing"),
        (["scores", "q1"], 1, "scores.q1 is not an object"),
        (["scores", "q1", "answered_right"], "yes", "scores.q1.answered_right is not a number"),
        (["scores", "q1", "seconds"], 1e300, "scores.q1.seconds is not a number"),
        (["errors"], {"q1": 5}, "errors.q1 is not a text"),
        (["documents"], {EVIL: 5}, "documents."),
    ],
)
def test_a_damaged_summary_says_what_is_wrong_with_it(
    folder: Path, path: Sequence[str], value: Any, told: str
) -> None:
    found = reason(changed(folder, path, value))
    assert found.startswith("summary.json is damaged: ")
    assert told in found


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"overall": 1e999}'])
def test_a_summary_that_is_no_summary_is_damaged(folder: Path, text: bytes) -> None:
    (folder / SUMMARY).write_bytes(text)
    assert reason(folder).startswith("summary.json is damaged: ")


def test_a_file_that_changed_has_another_stamp(folder: Path) -> None:
    before = stamp(folder)
    assert stamp(folder) == before
    (folder / SUMMARY).unlink()
    assert stamp(folder) != before


def test_settings_that_differ_are_told_and_places_are_not(tmp_path: Path) -> None:
    first = ended(make_run(tmp_path / "first"))
    second = ended(make_run(tmp_path / "second", top_k=3, strict=True, chroma_url="http://here"))
    assert differing([first, second]) == ["top_k", "strict"]
    assert configuration(first, ["engine", "top_k", "threshold", "strict"]) == (
        "engine built-in · top_k 5 · threshold 0.55 · strict off"
    )
    assert "home" not in first.settings
    assert first.settings["prompt"] == "1"
    assert differing([first]) == []


def test_folders_of_one_name_are_called_by_their_paths(tmp_path: Path) -> None:
    one, two, three = tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "b" / "other\udcff"
    assert names([one, two, three]) == {one: str(one), two: str(two), three: "other?"}


def test_each_failed_question_has_its_outcome_and_the_rank_of_its_evidence(run: Run) -> None:
    found = failed(run, replies(run.folder), gold(run))
    assert [(one.reply.id, one.outcome, one.rank, one.reply.read) for one in found] == [
        ("q2", "wrong answer", 2, 2),
        ("q3", "should have refused", None, 1),
        ("q4", "wrongly refused", 0, 2),
    ]
    assert found[0].reply.cited == (("pets.txt", "Birds sing at dawn."),)
    assert found[0].gold
    assert (found[0].gold.kind, found[0].gold.split, found[0].gold.answers) == (
        "number",
        "test",
        ("16 hours",),
    )


def test_a_question_that_broke_is_an_error_and_nothing_else(tmp_path: Path) -> None:
    run = ended(make_run(tmp_path / "broken", BREAKING))
    first = failed(run, replies(run.folder), gold(run))[0]
    assert (first.outcome, first.reply.error, first.rank) == (
        "error",
        "ValueError: by nought",
        None,
    )
    assert "Not known: the question broke." in failed_html([first])


def test_a_wrong_answer_may_hold_an_accepted_one(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "answers": ["sing"]}]
    run = ended(make_run(tmp_path / "run", {"Who barks?": saying((41, 60), DOGS)}, rows))
    [one] = failed(run, replies(run.folder), gold(run))
    assert (one.outcome, one.rank, one.accepted) == ("wrong answer", 1, True)
    assert "An accepted answer is in it" in failed_html([one])


def test_without_its_question_file_a_run_still_tells_what_failed(run: Run) -> None:
    Path(run.file).write_text("{}\n")
    with pytest.raises(
        FootnoteError, match=r"first\.jsonl is not there, or has changed since the run"
    ):
        gold(run)
    found = failed(run, replies(run.folder), {})
    assert [one.outcome for one in found] == [
        "wrong answer",
        "should have refused",
        "wrongly refused",
    ]
    html = failed_html(found)
    assert "Expected" not in html
    assert "2 of the 2 passages read." in html


def test_a_question_file_kept_in_the_runs_folder_will_do(run: Run) -> None:
    Path(run.file).rename(run.folder / "questions.jsonl")
    assert list(gold(run)) == ["q1", "q2", "q3", "q4"]


def test_results_that_are_damaged_or_of_another_run_are_told(run: Run) -> None:
    file = run.folder / RESULTS
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]))
    with pytest.raises(FootnoteError, match="lacks 2 questions of the summary, q3 for one"):
        failed(run, replies(run.folder), {})
    for bad in (
        b"{}",
        b"[]",
        b'{"id": ["q"], "question": "?", "error": "x"}',
        lines[0][:50],
        b"\xff",
    ):
        file.write_bytes(lines[0] + bad + b"\n")
        with pytest.raises(FootnoteError, match="damaged at line 2"):
            replies(run.folder)
    file.unlink()
    with pytest.raises(FootnoteError, match="cannot be read"):
        replies(run.folder)


def test_code_that_is_not_committed_is_told_apart(run: Run) -> None:
    assert re.fullmatch(r"[0-9a-f]{7}", run.settings["code"])
    for commit, told in (
        ("0" * 40, "0000000"),
        ("0" * 40 + "-dirty", "0000000-dirty"),
        (None, "none"),
    ):
        assert ended(changed(run.folder, ["commit"], commit)).settings["commit"] == told


def test_two_runs_are_paired_by_question(tmp_path: Path, run: Run) -> None:
    better = ended(make_run(tmp_path / "better", BETTER))
    # Each has its own file, of the same content.
    assert not differences(run.measured, better.measured)
    right = row(run, better)
    assert (right.n, right.left_out, right.first, right.second) == (4, 0, 0.25, 0.75)
    assert (right.won, right.ties, right.lost) == (("q2", "q3"), 2, ())
    # Cited in both runs: q1 and q2. The refusals of q3 and q4 have no precision.
    assert (
        row(run, better, "citation_precision").n,
        row(run, better, "citation_precision").left_out,
    ) == (2, 2)


def test_the_page_says_what_the_command_says(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    better = ended(make_run(tmp_path / "better", BETTER))
    assert main(["compare", str(run.folder), str(better.folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = compared(run, better)
    assert list(found) == ["Deciding", "Also measured", "Times and tokens"]
    assert told["measures"] == [one.as_json() for rows in found.values() for one in rows]
    html = paired_html(found, "first", "second")
    (cell,) = re.findall(r'answered right<span class="small">n 4</span></th>(.*?)</tr>', html)
    (right,) = found["Deciding"]
    assert right.minimum_detectable is None
    assert cell == (
        "<td>0.25</td><td>0.75</td>"
        f'<td>+0.50 <span class="interval">[−{-right.low:.2f}, +{right.high:.2f}]</span>'
        '<span class="verdict">no detectable difference</span><span class="small">p 0.500, shows none</span></td>'
        "<td>2 · 2 · 0</td>"
    )
    assert "<td>×1.00 " in html[html.index("Times and tokens") :]


def test_runs_over_other_questions_or_documents_are_not_paired(tmp_path: Path, run: Run) -> None:
    fewer = ended(make_run(tmp_path / "fewer", FAILING, ROWS[:3]))
    assert len(differences(run.measured, fewer.measured)) == 2
    assert len(differences(run.measured, replace(run, documents={"pets.txt": "0"}).measured)) == 1


def test_a_question_that_broke_is_left_out_of_the_pairs(tmp_path: Path, run: Run) -> None:
    broken = ended(make_run(tmp_path / "broken", BREAKING))
    assert not differences(run.measured, broken.measured)
    right = row(run, broken)
    assert (right.n, right.left_out, right.lost) == (3, 1, ())


def test_numbers_have_their_decimals_and_a_true_minus() -> None:
    assert number(0.123456, "answered_right") == "0.12"
    assert number(0.123456, "seconds_p95") == "0.123"
    assert number(-0.25, "answered_right", sign=True) == "−0.25"
    assert number(0.25, "answered_right", sign=True) == "+0.25"
    assert number(-0.001, "answered_right", sign=True) == "0.00"
    assert number(None, "answered_right") == "–"
    assert interval(Figure(0, 4, None, None, None), "answered_right") == ""


def test_what_has_nothing_to_measure_says_so(run: Run) -> None:
    html = figures_html(run)
    assert '<th scope="row">confidence AUROC</th><td>0.67' not in html
    absent = html[html.index("<summary>kind: absent") :]
    assert (
        '<th scope="row">passage hit@1</th><td>nothing to measure</td><td>0</td><td>1</td>'
        in absent
    )
    assert "not in this run" in across_html("hit_at_1", [("run", "", None)])


def test_a_chart_has_a_point_and_a_bar_for_each_run_and_says_what_it_is() -> None:
    figures = (Figure(4, 0, 0.25, 0.05, 0.7), Figure(0, 4, None, None, None), None)
    rows = [(f"run {place}", f"top_k {place}", figure) for place, figure in enumerate(figures)]
    chart: Mapping[str, Any] = across("wrongly_refused", rows, "What it shows").to_dict()
    assert chart["description"] == "What it shows"
    assert chart["usermeta"] == {"embedOptions": {"actions": False}}
    told = chart["datasets"][chart["data"]["name"]]
    assert [one["told"] for one in told] == [
        "0.25 [0.05, 0.70]",
        "nothing to measure",
        "nothing to measure",
    ]
    assert (told[2]["name"], told[2]["settings"]) == ("run 2", "top_k 2")
    assert [one.get("low") for one in told] == [0.05, None, None]
    bar, point = chart["layer"][0]["encoding"], chart["layer"][1]["encoding"]
    assert (bar["x"]["field"], bar["x2"]["field"], point["x"]["field"]) == ("low", "high", "value")
    assert point["x"]["scale"] == {"domain": [0, 1]}
    assert point["x"]["title"] == "wrongly refused (less is better)"
    assert "url" not in json.dumps(chart)


def test_every_text_is_escaped_and_can_be_shown(run: Run) -> None:
    evil = replace(
        run,
        folder=Path(EVIL.replace("/", "")),
        settings={EVIL: EVIL},
        groups=tuple(
            replace(group, name=EVIL, figures={EVIL: group.figures["hit_at_1"]})
            for group in run.groups
        ),
    )
    reply = next(iter(replies(run.folder).values()))
    reply = replace(reply, id=EVIL, question=EVIL, answer=EVIL, cited=((EVIL, EVIL),))
    [one, *_] = failed(run, replies(run.folder), gold(run))
    assert one.gold
    wrong = replace(
        one,
        reply=reply,
        gold=replace(one.gold, kind=EVIL, split=EVIL, answers=(EVIL,), evidence=(EVIL,)),
    )
    broken = replace(wrong, outcome="error", reply=replace(reply, error=EVIL))
    called = {evil.folder: EVIL}
    pages = [
        runs_html([evil, evil], called, [EVIL]),
        damaged_html([Damaged(evil.folder, evil.finished, EVIL)], called),
        figures_html(evil),
        across_html(EVIL, [(EVIL, EVIL, evil.groups[0].figures[EVIL])]),
        failed_html([wrong, broken]),
        changed_html("Won", [EVIL], {EVIL: reply}, {EVIL: replace(reply, error=EVIL)}),
        paired_html({EVIL: [replace(row(run, run), metric=EVIL)]}, EVIL, EVIL),
    ]
    for html in pages:
        html.encode("utf-8")
        assert "<script" not in html
        assert "&lt;script&gt;" in html
