"""The Evaluation page: what it shows of the runs on disk, and what follows from each selection."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from eval.__main__ import main
from tests.ui.evaluated import BETTER, BREAKING, FAILING, ROWS, make_run, refusing
from ui.evaluation import AT_ONCE

OpenPage = Callable[[], AppTest]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    runs.mkdir()
    return runs


@pytest.fixture
def open_page(folder: Path) -> OpenPage:
    def script(runs: str) -> None:
        from pathlib import Path

        from ui.evaluation import show

        show([Path(runs), Path(runs) / "missing"])

    def open_one() -> AppTest:
        page = AppTest.from_function(script, args=(str(folder),), default_timeout=30).run()
        assert not page.exception
        return page

    return open_one


def shown(page: AppTest) -> str:
    """The HTML of the page: Streamlit's own, and the pieces of the report in our component."""
    assert not page.exception
    pieces = [json.loads(element.proto.json)["html"] for element in page.get("bidi_component")]
    return "\n".join([*(element.proto.body for element in page.get("html")), *pieces])


def headings(page: AppTest) -> list[str]:
    return [heading.value for heading in page.header]


def choose(page: AppTest, label: str, option: str) -> str:
    """The HTML of the page after the selection."""
    (box,) = (box for box in page.selectbox if box.label == label)
    return shown(box.select_index(box.options.index(option)).run())


def failed(html: str) -> list[str]:
    """The ids of the failed questions on the page."""
    facts = re.findall(r'<article.*?<span class="small">(.*?)</span>', html, re.S)
    return [text.rpartition(" · ")[2] for text in facts]


def row(html: str, heading: str) -> str:
    """The text of the first row with this heading."""
    match = re.search(rf'<th scope="row">{re.escape(heading)}<.*?</tr>', html, re.S)
    assert match is not None, heading
    return " ".join(re.sub("<[^>]*>", " ", match.group()).split())


def test_page_without_a_run_says_how_to_make_one(open_page: OpenPage, folder: Path) -> None:
    """Also where there is no folder for runs."""
    assert "footnote eval run" in shown(open_page())
    folder.rmdir()
    assert "footnote eval run" in shown(open_page())


def test_damaged_run_is_named_and_hides_no_other(open_page: OpenPage, folder: Path) -> None:
    """With the reason, and what to do."""
    make_run(folder / "good")
    make_run(folder / "cut")
    (folder / "cut" / "summary.json").unlink()
    (folder / "bad").mkdir()
    (folder / "bad" / "summary.json").write_text("{")
    page = open_page()
    html = shown(page)
    damaged = html[html.index("Without estimates") :]
    assert "<dt>cut</dt>" in damaged
    assert "is a run that did not end. Resume it: footnote eval run --resume" in damaged
    assert "<dt>bad</dt>" in damaged
    assert "summary.json is damaged" in damaged
    assert row(html, "answered right") == "answered right 0.25 [0.05, 0.70] 4 of 4"
    assert headings(page) == ["Runs", "A metric over the runs", "One run", "Failed questions"]


def test_newest_run_is_first(open_page: OpenPage, folder: Path) -> None:
    """By the time it finished, in whatever zone that is written."""
    make_run(folder / "z", finished="2026-01-01T10:00:00+00:00")
    make_run(folder / "a", finished="2026-01-01T11:30:00+02:00")
    make_run(folder / "m", finished="2026-01-01T10:00:01+00:00")
    page = open_page()
    (box,) = (box for box in page.selectbox if box.label == "Run")
    assert box.options == ["m", "z", "a"]
    assert "1 Jan 2026, 09:30 UTC" in row(shown(page), "a")


def test_metric_over_the_runs_follows_the_selection(open_page: OpenPage, folder: Path) -> None:
    """Each run has a point, its interval and the settings in which the runs differ."""
    make_run(folder / "first", top_k=3)
    make_run(folder / "second", BETTER)
    page = open_page()
    assert "<caption>answered right, all questions</caption>" in shown(page)
    assert "<caption>wrongly refused" in choose(page, "Metric", "wrongly refused")
    html = choose(page, "Questions", "kind: fact")
    table = html[html.index("<caption>wrongly refused\u00a0↓, kind: fact") :].partition("</table>")[
        0
    ]
    # Of the two questions of that kind one is refused, in either run.
    assert table.count("<td>0.50 <") == 2
    assert table.count('<svg class="strip"') == 2
    assert "top_k 3" in table


def test_failed_questions_are_filtered(open_page: OpenPage, folder: Path) -> None:
    """By outcome, kind and split together."""
    make_run(folder / "run", BREAKING)
    page = open_page()
    assert failed(shown(page)) == ["q1", "q2", "q3", "q4"]
    assert failed(choose(page, "Outcome", "error")) == ["q1"]
    assert failed(choose(page, "Kind", "number")) == []
    assert failed(choose(page, "Outcome", "all")) == ["q2"]
    assert failed(choose(page, "Kind", "all")) == ["q1", "q2", "q3", "q4"]
    html = choose(page, "Split", "dev")
    assert failed(html) == ["q1", "q3", "q4"]
    assert "3 of the 4 failed questions; 4 were asked." in html


def test_failed_question_shows_gold_and_rank(open_page: OpenPage, folder: Path) -> None:
    """As the report does, since the report renders it."""
    make_run(folder / "run")
    html = shown(open_page())
    text = " ".join(re.sub("<[^>]*>", " ", html).split())
    assert "wrong answer · number · test · q2 Accepted 16 hours Gold evidence" in text
    assert "Rank of the evidence 2 of the 2 passages read" in text
    assert "Rank of the evidence none of the 2 passages read" in text


def test_many_failed_questions_are_shown_in_steps(open_page: OpenPage, folder: Path) -> None:
    """A selection begins at the first ones again."""
    rows = [
        {**ROWS[0], "id": f"q{at}", "question": f"Who barks ({at})?"} for at in range(AT_ONCE + 3)
    ]
    make_run(folder / "run", {str(row["question"]): refusing() for row in rows}, rows)
    page = open_page()
    assert len(failed(shown(page))) == AT_ONCE
    [more] = page.button
    assert more.label == "Show 3 more"
    assert len(failed(shown(more.click().run()))) == AT_ONCE + 3
    assert not page.button
    assert len(failed(choose(page, "Outcome", "wrongly refused"))) == AT_ONCE


def test_run_without_questions_says_what_is_unknown(open_page: OpenPage, folder: Path) -> None:
    """What failed is known from the summary; kinds and splits cannot be selected."""
    (make_run(folder / "run") / "questions.jsonl").unlink()
    page = open_page()
    html = shown(page)
    assert "kinds, accepted answers and gold evidence are not known" in html
    assert failed(html) == ["q2", "q3", "q4"]
    assert {"Kind", "Split"}.isdisjoint(box.label for box in page.selectbox)


@pytest.mark.parametrize("content", [None, "{}\n", "[]\n", '{"id": "q1"'])
def test_run_with_damaged_results_has_estimates(
    open_page: OpenPage, folder: Path, content: str | None
) -> None:
    """What is wrong with the results is said, and the summary is shown."""
    results = make_run(folder / "run") / "results.jsonl"
    if content is None:
        results.unlink()
    else:
        results.write_text(content)
    html = shown(open_page())
    assert ("There is no results.jsonl" if content is None else "results.jsonl is damaged") in html
    assert row(html, "answered right") == "answered right 0.25 [0.05, 0.70] 4 of 4"
    assert failed(html) == ["q2", "q3", "q4"]


def test_two_runs_are_compared_newest_second(open_page: OpenPage, folder: Path) -> None:
    """The questions won and lost follow the metric and the runs selected."""
    make_run(folder / "old", FAILING, finished="2026-01-01T00:00:00+00:00")
    make_run(folder / "new", BETTER, finished="2026-01-02T00:00:00+00:00")
    page = open_page()
    html = shown(page)
    assert "First: old. Second: new." in html
    assert re.search(
        r"<h3>Won \(2\)</h3>\s*<details>\s*<summary dir=\"auto\">How long do cats sleep\?", html
    )
    assert re.search(r"<h3>Lost \(0\)</h3>\s*<p>None.</p>", html)
    assert "<h3>Won (0)</h3>" in choose(page, "Questions by", "passage hit@3")
    assert "same run twice" in choose(page, "First run", "new")
    choose(page, "Second run", "old")
    assert "<h3>Lost (2)</h3>" in choose(page, "Questions by", "answered right")


def test_page_has_the_verdicts_of_compare(
    open_page: OpenPage, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Page and command compare by the same code."""
    first = make_run(folder / "first", finished="2026-01-01T00:00:00+00:00")
    second = make_run(folder / "second", BETTER, finished="2026-01-02T00:00:00+00:00")
    assert main(["compare", str(first), str(second), "--json"]) == 0
    measures = json.loads(capsys.readouterr().out)["measures"]
    html = shown(open_page())
    compared = html[html.index('<table class="paired">') :]
    for measure in measures:
        counts = f"{len(measure['won'])} · {measure['ties']} · {len(measure['lost'])}"
        assert f"<td>{counts}</td>" in compared
        assert measure["verdict"] in compared
    assert compared.count("</tbody>") == 3
    (right,) = (measure for measure in measures if measure["measure"] == "answered_right")
    assert row(compared, "answered right") == (
        f"answered right n 4 0.25 0.75 +0.50 [−{-right['low']:.2f}, +{right['high']:.2f}] "
        "no detectable difference p 0.500, detectable none 2 · 2 · 0"
    )
    assert "<td>×1.00 " in compared


def test_runs_over_other_questions_are_not_compared(open_page: OpenPage, folder: Path) -> None:
    """The page says why."""
    make_run(folder / "few", FAILING, ROWS[:2], "2026-01-01T00:00:00+00:00")
    make_run(folder / "all", FAILING, ROWS, "2026-01-02T00:00:00+00:00")
    html = shown(open_page())
    assert "These two runs cannot be compared." in html
    assert "did not ask 2 of the other&#39;s questions: q3, q4." in html
    assert "<h3>Won" not in html


def test_run_that_is_made_again_is_read_again(
    open_page: OpenPage, folder: Path, tmp_path: Path
) -> None:
    """A cache knows a run by the times and sizes of its files."""
    make_run(folder / "run")
    page = open_page()
    assert row(shown(page), "answered right").startswith("answered right 0.25")
    better = make_run(tmp_path / "elsewhere" / "run", BETTER)
    for name in ("summary.json", "results.jsonl"):
        (better / name).replace(folder / "run" / name)
    assert row(shown(page.run()), "answered right").startswith("answered right 0.75")


def test_runs_of_one_name_are_called_by_their_paths(open_page: OpenPage, folder: Path) -> None:
    """Each stays selectable."""
    paths = [make_run(folder / sweep / "run") for sweep in ("a", "b")]
    page = open_page()
    (box,) = (box for box in page.selectbox if box.label == "Run")
    assert sorted(box.options) == [str(path) for path in paths]


def test_questions_and_kinds_are_escaped(open_page: OpenPage, folder: Path) -> None:
    """Nothing in a run is markup on the page."""
    evil = "<script>alert(1)</script>"
    rows = [{**ROWS[0], "question": evil, "kind": evil, "answers": [evil]}]
    make_run(folder / "run", {evil: ValueError(evil)}, rows)
    page = open_page()
    assert "<script" not in shown(page)
    assert failed(choose(page, "Kind", evil)) == ["q1"]
