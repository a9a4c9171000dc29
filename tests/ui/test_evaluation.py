"""The page of the evaluation runs: what it shows of what is on disk, and what follows from each choice."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.evaluated import BETTER, BREAKING, FAILING, ROWS, Script, make_run, refusing
from ui.evaluation import AT_ONCE

Open = Callable[[], AppTest]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "runs"
    found.mkdir()
    return found


@pytest.fixture
def open_page(folder: Path) -> Open:
    def script(runs: str) -> None:
        from pathlib import Path

        from ui.evaluation import show

        show([Path(runs), Path(runs) / "missing"])

    def open_one() -> AppTest:
        page = AppTest.from_function(script, args=(str(folder),), default_timeout=30).run()
        assert not page.exception
        return page

    return open_one


def html(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(element.proto.body for element in page.get("html"))


def choose(page: AppTest, label: str, option: str) -> str:
    """The page's HTML after the choice."""
    box = next(box for box in page.selectbox if box.label == label)
    return html(box.select_index(box.options.index(option)).run())


def failed(shown: str) -> list[str]:
    """The ids of the failed questions on the page."""
    parts = shown.split('<details class="failed">')[1:]
    return [part.partition("</span>")[0].rpartition(" · ")[2] for part in parts]


def test_without_a_run_the_page_says_how_to_make_one(open_page: Open, folder: Path) -> None:
    assert "python -m eval run" in html(open_page())
    folder.rmdir()
    assert "python -m eval run" in html(open_page())


def test_a_folder_that_is_damaged_does_not_hide_the_others(open_page: Open, folder: Path) -> None:
    make_run(folder / "good")
    (folder / "cut").mkdir()
    (folder / "cut" / "results.jsonl").write_text("{}\n{}\n")
    (folder / "bad").mkdir()
    (folder / "bad" / "summary.json").write_text("{")
    shown = html(open_page())
    assert "<b>cut</b> It was cut off after 2 questions" in shown
    assert "<b>bad</b> summary.json is damaged" in shown
    assert '<th scope="row">answered right</th><td>0.25' in shown
    assert "side by side" not in shown


def test_the_chart_and_its_table_follow_the_figure_and_the_questions_chosen(
    open_page: Open, folder: Path
) -> None:
    make_run(folder / "first", top_k=3)
    make_run(folder / "second", BETTER)
    page = open_page()
    assert "<caption>answered right, by run</caption>" in html(page)
    assert "<caption>wrongly refused" in choose(page, "Figure", "wrongly refused")
    shown = choose(page, "Questions", "kind: fact")
    table = shown[shown.index("The chart as a table") :].partition("</table>")[0]
    # Of the two questions of that kind one is refused, in either run.
    assert table.count("<td>0.50 ") == 2
    assert "top_k 3" in table
    chart = page.get("vega_lite_chart")[0].proto.spec
    assert (
        '"description": "wrongly refused, kind: fact: a point and its interval for each run.'
        in chart
    )


def test_failed_questions_are_filtered_by_outcome_kind_and_split(
    open_page: Open, folder: Path
) -> None:
    make_run(folder / "run", BREAKING)
    page = open_page()
    assert failed(html(page)) == ["q1", "q2", "q3", "q4"]
    assert failed(choose(page, "Outcome", "error")) == ["q1"]
    assert failed(choose(page, "Kind", "number")) == []
    assert failed(choose(page, "Outcome", "all")) == ["q2"]
    assert failed(choose(page, "Kind", "all")) == ["q1", "q2", "q3", "q4"]
    shown = choose(page, "Split", "dev")
    assert failed(shown) == ["q1", "q3", "q4"]
    assert "3 of the 4 questions that failed; 4 were asked." in shown


def test_many_failed_questions_are_shown_a_few_at_a_time(open_page: Open, folder: Path) -> None:
    rows = [
        {**ROWS[0], "id": f"q{at}", "question": f"Who barks ({at})?"} for at in range(AT_ONCE + 3)
    ]
    make_run(folder / "run", {str(row["question"]): refusing() for row in rows}, rows)
    page = open_page()
    assert len(failed(html(page))) == AT_ONCE
    [more] = page.button
    assert more.label == "Show 3 more"
    assert len(failed(html(more.click().run()))) == AT_ONCE + 3
    assert not page.button
    assert len(failed(choose(page, "Outcome", "wrongly refused"))) == AT_ONCE


def test_without_the_question_file_the_page_says_what_is_not_known(
    open_page: Open, folder: Path
) -> None:
    # An answer that no other test has: what is known by its hash stays known to the server.
    make_run(
        folder / "run", rows=[*ROWS[:3], {**ROWS[3], "answers": ["at dawn, known to nobody else"]}]
    )
    (folder / "run.jsonl").unlink()
    page = open_page()
    shown = html(page)
    assert "Kinds, splits and expected answers are not known" in shown
    assert failed(shown) == ["q2", "q3", "q4"]
    assert {"Kind", "Split"}.isdisjoint(box.label for box in page.selectbox)


def test_without_its_results_a_run_still_has_its_figures(open_page: Open, folder: Path) -> None:
    (make_run(folder / "run") / "results.jsonl").unlink()
    shown = html(open_page())
    assert "results.jsonl cannot be read" in shown
    assert '<th scope="row">answered right</th><td>0.25' in shown


def test_two_runs_are_compared_the_newest_second(open_page: Open, folder: Path) -> None:
    make_run(folder / "old", FAILING, finished="2026-01-01T00:00:00+00:00")
    make_run(folder / "new", BETTER, finished="2026-01-02T00:00:00+00:00")
    page = open_page()
    shown = html(page)
    assert "First: old. Second: new." in shown
    assert "<h3>Won (2)</h3><details><summary>How long do cats sleep?</summary>" in shown
    assert "<h3>Lost (0)</h3><p>None.</p>" in shown
    assert "<h3>Won (0)</h3>" in choose(page, "Questions by", "passage hit@3")
    assert "same run twice" in choose(page, "First run", "new")
    assert "<h3>Lost (2)</h3>" in (
        choose(page, "Second run", "old") and choose(page, "Questions by", "answered right")
    )


def test_runs_over_other_questions_are_not_compared(open_page: Open, folder: Path) -> None:
    make_run(folder / "few", FAILING, ROWS[:2], "2026-01-01T00:00:00+00:00")
    make_run(folder / "all", FAILING, ROWS, "2026-01-02T00:00:00+00:00")
    shown = html(open_page())
    assert "These two cannot be paired." in shown
    assert "<p>few did not ask 2 of the other&#x27;s questions: q3, q4." in shown
    assert "<h3>Won" not in shown


def test_a_run_that_is_made_again_is_read_again(
    open_page: Open, folder: Path, tmp_path: Path
) -> None:
    make_run(folder / "run")
    page = open_page()
    assert '<th scope="row">answered right</th><td>0.25' in html(page)
    better: Script = BETTER
    made = make_run(tmp_path / "elsewhere" / "run", better)
    for name in ("summary.json", "results.jsonl"):
        (made / name).replace(folder / "run" / name)
    assert '<th scope="row">answered right</th><td>0.75' in html(page.run())


def test_questions_and_kinds_are_escaped(open_page: Open, folder: Path) -> None:
    evil = "<script>alert(1)</script>"
    rows = [{**ROWS[0], "question": evil, "kind": evil, "answers": [evil]}]
    make_run(folder / "run", {evil: ValueError(evil)}, rows)
    page = open_page()
    assert "<script" not in html(page)
    assert failed(choose(page, "Kind", evil)) == ["q1"]
