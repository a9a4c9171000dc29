"""The page of one run and of several: what is in it, that nothing in it is obeyed; the table, and the test results."""

import argparse
import csv
import json
import re
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.commands import report
from eval.metrics import ARROW, metric_named, tables
from eval.report.cases import Case, Seen, read_seen
from eval.report.export import COLUMNS, as_csv, as_junit
from eval.report.html import page, write_report
from eval.report.stylesheet import SCRIPT, STYLE
from eval.report.values import interval_text, value_text
from eval.results import Run
from qa.errors import FootnoteError, NotWritableError, RunError
from qa.types import Turn
from tests.eval.fakes import PETS, PROVENANCE, answer, document, question, refusal, result, says
from tests.eval.page import ANSWERS, BETTER, CATS, DOGS, EVIL, QUESTIONS, change, make_run, saying

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1",
    "-",
    "+48 123 456",
)


class Elements(HTMLParser):
    """The elements of a page, their texts and attributes, and the text of all."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """With one space for each white space."""
        return " ".join(" ".join(self.words).split())

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.found]


def looked(*folders: Path) -> str:
    return page([read_seen(folder) for folder in folders])


def article(html: str, key: str) -> Elements:
    """What the page says of one failed question."""
    (found,) = (
        one for one in re.findall(r"<article.*?</article>", html, re.S) if f" · {key}</span>" in one
    )
    return Elements(found)


def rows_of(html: str, heading: str) -> list[Elements]:
    """The rows of tables that this heads."""
    rows = re.findall(r"<tr>.*?</tr>", html, re.S)
    return [Elements(row) for row in rows if f'<th scope="row">{heading}<' in row]


def cli(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    report.add(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
    options = parser.parse_args(["report", *arguments])
    code: int = options.command(options)
    return code


def test_every_figure_that_has_a_value_is_there_with_its_n_and_interval(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    html = looked(folder)
    text = Elements(html).text
    (overall,) = (group for group in read_seen(folder).groups if group.by == "overall")
    measured = [name for name, figure in overall.estimates.items() if figure.value is not None]
    assert len(measured) > 10
    for name in measured:
        figure = overall.estimates[name]
        assert figure.value is not None
        value = f"{value_text(figure.value, name)} ({figure.n})"
        interval = interval_text(figure.low, figure.high, name)
        (row, *_) = rows_of(html, metric_named(name).marked(ARROW))
        *_, told, low, high, n = row.text.split()
        assert (value, interval) == (f"{told} ({n})", f"{low} {high}"), name
    # Of the five that did not break, two were right.
    assert rows_of(html, "answered right")[0].text == "answered right 0.40 [0.12, 0.77] 5"
    unmeasured = [name for name, figure in overall.estimates.items() if figure.value is None]
    assert unmeasured
    assert all(
        metric_named(name).label in text.split("Nothing to measure:")[1] for name in unmeasured
    )
    titles = [
        title
        for title, metrics in tables().items()
        if {metric.name for metric in metrics} & set(measured)
    ]
    headings = re.findall(r"<h3>(.*?)</h3>", html)
    assert headings[: len(titles)] == titles


def test_splits_and_kinds_have_a_chart_and_all_their_figures(tmp_path: Path) -> None:
    html = looked(make_run(tmp_path / "run"))
    drawn = re.search(r"<h2>By split and kind</h2>(.*?)</table>", html, re.S)
    assert drawn is not None
    found = [Elements(row).text for row in re.findall(r"<tr>.*?</tr>", drawn.group(1), re.S)][1:]
    assert found == [
        "split: dev (4) 0.25 [0.05, 0.70] 4",
        "split: test (2) 1.00 [0.21, 1.00] 1",
        "kind: fact (2) 0.50 [0.09, 0.91] 2",
        "kind: number (2) 0.00 [0.00, 0.79] 1",
        "kind: absent (2) 0.50 [0.09, 0.91] 2",
    ]
    assert drawn.group(1).count('<svg class="strip"') == 5
    assert html.count("<summary>kind: absent (2)</summary>") == 1


def test_a_point_stands_at_its_value_and_its_interval_around_it(tmp_path: Path) -> None:
    (row,) = re.findall(
        r'<tr><th scope="row">kind: absent \(2\)</th>.*?</tr>',
        looked(make_run(tmp_path / "run")),
        re.S,
    )
    ((_, whisker),) = (
        (tag, told) for tag, told in Elements(row).found if told.get("class") == "whisker"
    )
    ((_, point),) = ((tag, told) for tag, told in Elements(row).found if tag == "circle")
    assert point["cx"] == "50%"
    low, high = (float(str(whisker[end]).rstrip("%")) for end in ("x1", "x2"))
    # Wilson's, of one in two.
    assert (low, high) == pytest.approx((9.45, 90.55), abs=0.01)


def test_confidence_is_drawn_and_told(tmp_path: Path) -> None:
    html = looked(make_run(tmp_path / "run"))
    assert (
        "Upwards: 3 that the documents answer; downwards: 2 that they do not. Dashed: the threshold, 0.55."
        in html
    )
    counts = re.search(r'<table class="counts">.*?</table>', html, re.S)
    assert counts is not None
    told = [Elements(row).text for row in re.findall(r"<tr>.*?</tr>", counts.group(), re.S)]
    assert told[2] == "0.1 to 0.2 1 1"
    assert told[8] == "0.7 to 0.8 – 1"
    assert told[10] == "0.9 to 1.0 2 –"


def test_every_failed_question_is_told_in_full_and_no_other(tmp_path: Path) -> None:
    html = looked(make_run(tmp_path / "run"))
    assert re.findall(r'<article.*?<h3 dir="auto">(.*?)</h3>', html, re.S) == [
        "wrong?",
        "refused?",
        "invented?",
        "broken?",
    ]
    assert "Failed questions (4 of 6)" in html
    assert article(html, "wrong").text == (
        "wrong? wrong answer · number · dev · wrong Accepted bark barking Gold evidence Dogs bark at night. "
        "Understood as What do dogs do? Answered, confidence 0.90 Cats sleep 16 hours. the document's words "
        "pets.txt, characters 0–20 Rank of the gold evidence 2 of the 2 passages read"
    )
    assert article(html, "refused").text == (
        "refused? wrongly refused · fact · dev · refused Earlier: Which pets? Birds. Accepted sing "
        "Gold evidence Birds sing at dawn. Refused, confidence 0.10 The documents do not answer this. "
        "Rank of the gold evidence in none of the 1 passages read"
    )
    assert (
        "Right A refusal: the documents do not answer it. Answered, confidence 0.72"
        in article(html, "invented").text
    )
    assert article(html, "broken").text.endswith("Error ValueError: by nought")


def test_a_quote_in_other_words_than_the_sentence_is_told_beside_it(tmp_path: Path) -> None:
    said = answer(
        says("Cats doze.", PETS_CITED, support="weak"), says("Fish swim.", support="unsupported")
    )
    html = looked(make_run(tmp_path / "run", {"refused": said}, QUESTIONS[2:3]))
    assert (
        "Cats doze. weakly supported Dogs bark at night. pets.txt, characters 21–40 Fish swim. not supported"
        in article(html, "refused").text
    )


def test_where_nothing_failed_it_says_so(tmp_path: Path) -> None:
    html = looked(make_run(tmp_path / "run", questions=QUESTIONS[:1]))
    assert "<h2>Failed questions (0 of 1)</h2>" in html
    assert html.count("<p>None.</p>") == 1
    assert "<article" not in html


def evil_run(folder: Path) -> Path:
    """Every text that comes from elsewhere is markup."""
    named = document(f"{PETS.text} {EVIL}", EVIL)
    asked = replace(
        question(EVIL, evidence=(EVIL,), answers=(EVIL,), kind=EVIL, history=(Turn(EVIL, EVIL),)),
        question=EVIL,
    )
    cited = replace(PETS_CITED, document=EVIL, title=EVIL, quote=EVIL)
    said = replace(answer(says(EVIL, cited)), standalone_question=EVIL + "?", notices=(EVIL,))
    broken = replace(question("broken", kind=EVIL), question=EVIL)
    make_run(folder, {"right": saying(DOGS, DOGS)}, QUESTIONS[:1])
    change(
        folder / "summary.json",
        lambda summary: (
            summary
            | {
                "documents": {named.name: named.version},
                "commit": EVIL,
                "settings": {"llm": EVIL, EVIL: EVIL},
                "scores": {EVIL: {"answered_right": 0.0, EVIL: 1.0}},
                "errors": {"broken": EVIL},
                "by_kind": {
                    EVIL: summary["overall"]
                    | {"figures": {EVIL: summary["overall"]["figures"]["hit_at_1"]}}
                },
            }
        ),
    )
    rows = [
        {"id": EVIL, **said.as_json(), "question": EVIL},
        {"id": "broken", "question": EVIL, "error": EVIL},
    ]
    write_lines(folder / "results.jsonl", rows)
    write_lines(folder / "questions.jsonl", [asked.as_json(), broken.as_json()])
    return folder


def test_no_text_from_elsewhere_is_markup(tmp_path: Path) -> None:
    one, other = (
        evil_run(tmp_path / "<img src=x>" / "<b>one"),
        make_run(tmp_path / "<b>other", llm="built-in"),
    )
    for html in (looked(one), looked(one, other)):
        elements = Elements(html)
        assert not {"img", "b", "iframe", "link", "object"} & set(elements.tags)
        assert elements.tags.count("script") == 1
        assert not [name for _, told in elements.found for name in told if name.startswith("on")]
        assert html.count(EVIL) == 0
        # Title, question, history, understood, answer, quote and its document, note, gold, accepted and more.
        assert elements.text.count("<script>alert('x')</script>&amp;\">") >= 15


def test_the_page_asks_for_nothing_and_its_policy_forbids_all_but_its_own_style_and_script(
    tmp_path: Path,
) -> None:
    html = looked(make_run(tmp_path / "one"), make_run(tmp_path / "two", BETTER))
    assert not re.search(r"https?:|\bsrc=|@import|url\(|javascript:", html)
    found = Elements(html).found
    assert {str(told["href"])[0] for _, told in found if "href" in told} == {"#"}
    assert not [told for _, told in found if "style" in told]
    anchors = {told["id"] for _, told in found if "id" in told}
    assert {str(told["href"])[1:] for _, told in found if "href" in told} == anchors
    (policy,) = (
        told["content"] for _, told in found if told.get("http-equiv") == "Content-Security-Policy"
    )
    style, script = (b64encode(sha256(one.encode()).digest()).decode() for one in (STYLE, SCRIPT))
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'"
    )
    assert f"<style>{STYLE}</style>" in html
    assert f"<script>{SCRIPT}</script>" in html


def test_headings_are_in_order_and_tables_have_scopes(tmp_path: Path) -> None:
    found = Elements(looked(make_run(tmp_path / "one"), make_run(tmp_path / "two", BETTER))).found
    levels = [int(tag[1]) for tag, _ in found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert all(
        told.get("scope") in ("col", "row", "rowgroup") for tag, told in found if tag == "th"
    )
    counts = Counter(tag for tag, _ in found)
    assert counts["caption"] == counts["table"]


@pytest.mark.parametrize("lost", ["results.jsonl", "questions.jsonl"])
def test_a_run_without_one_of_its_files_has_its_figures_and_says_what_is_missing(
    tmp_path: Path, lost: str
) -> None:
    folder = make_run(tmp_path / "run")
    whole = looked(folder)
    (folder / lost).unlink()
    html = looked(folder)
    assert f"There is no {lost}" in html
    figures = r"<h2>Figures</h2>.*?<h2>Confidence</h2>"
    assert re.findall(figures, html, re.S) == re.findall(figures, whole, re.S) != []
    assert "Failed questions (4 of 6)" in html
    assert len(re.findall("<article", html)) == 4


def test_several_runs_stand_side_by_side_with_the_settings_that_differ(tmp_path: Path) -> None:
    one, two = (
        make_run(tmp_path / "one", top_k=5),
        make_run(tmp_path / "two", BETTER, threshold=0.25, top_k=5),
    )
    html = looked(one, two)
    assert "<h1>An evaluation of 2 runs</h1>" in html
    first, second = (rows_of(html, name)[0] for name in ("A · one", "B · two"))
    assert first.text == "A · one 2 Jan 2026, 10:00 UTC threshold 0.55 6 4 1"
    assert second.text == "B · two 2 Jan 2026, 10:00 UTC threshold 0.25 6 3 0"
    (same,) = re.findall(r"same in all</summary>(.*?)</details>", html, re.S)
    assert "top_k 5" in Elements(same).text
    assert "threshold" not in same
    right, *_ = re.findall(
        r'<tbody><tr><th scope="rowgroup" colspan="4">answered right</th></tr>(.*?)</tbody>', html
    )
    assert Elements(right).text == "A · one 0.40 [0.12, 0.77] 5 B · two 0.50 [0.19, 0.81] 6"


def test_which_questions_failed_in_which_runs(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two", BETTER, QUESTIONS[1:])
    html = looked(one, two)
    matrix = re.search(r'<table class="matrix">.*?</table>', html, re.S)
    assert matrix is not None
    assert [Elements(row).text for row in re.findall(r"<tr>.*?</tr>", matrix.group(), re.S)] == [
        "Question A · one B · two",
        "wrong? wrong answer right",
        "refused? wrongly refused wrongly refused",
        "invented? should have refused should have refused",
        "broken? error wrongly refused",
    ]
    told = article(html, "wrong").text
    assert "A · one: wrong answer Understood as" in told
    assert "B · two: right Answered, confidence 0.90 Dogs bark at night." in told
    assert "cannot be compared with A · one question by question." in html
    assert "did not ask 1 of the other&#x27;s questions: right." in html


def test_repeats_that_said_the_same_are_told_once(tmp_path: Path) -> None:
    other = {
        **ANSWERS,
        "wrong": saying(CATS, CATS, DOGS, confidence=0.8),
        "refused": saying(DOGS, DOGS),
    }
    third = {**other, "wrong": refusal()}
    html = looked(make_run(tmp_path / "run", repeats=[other, third]))
    told = article(html, "wrong").text
    assert told.count("Answered (repeats 1 to 2), confidence 0.90") == 1
    assert told.count("Refused (repeat 3), confidence 0.10") == 1
    assert (
        "Each question was asked 3 times; 1 were not answered in the same words each time." in html
    )


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    assert looked(folder) == looked(folder)


def test_a_report_is_written_over_and_nothing_else_is(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    path = write_report(folder)
    assert path == folder / "report.html"
    assert path.read_text(encoding="utf-8") == looked(folder)
    assert write_report(folder) == path
    # As the version before had it.
    path.write_text("<!doctype html>\n<title>Footnote: an evaluation run</title>")
    write_report(folder)
    assert path.read_text(encoding="utf-8") == looked(folder)
    path.write_text("<!doctype html>\n<title>My holidays</title>")
    with pytest.raises(FootnoteError, match="is there already and is not a report of ours"):
        write_report(folder)
    assert "holidays" in path.read_text()


def test_the_command_writes_where_it_is_told_and_by_itself_into_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two", BETTER)
    monkeypatch.chdir(tmp_path)
    assert cli("one") == 0
    assert (one / "report.html").read_text(encoding="utf-8") == looked(one)
    assert not (tmp_path / "report.html").exists()
    assert cli("one", "two", "--csv", "a.csv", "--junit", "a.xml") == 0
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == looked(one, two)
    assert capsys.readouterr().err.splitlines()[1:] == [
        f"Written to {name}" for name in ("report.html", "a.csv", "a.xml")
    ]
    assert cli("two", "--out", "other.html", "--csv", "a.csv", "--junit", "a.xml") == 0
    assert (tmp_path / "other.html").exists()
    assert {row["run"] for row in read_csv((tmp_path / "a.csv").read_bytes().decode())} == {"two"}


def test_a_folder_of_runs_is_all_of_them(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "all" / "one"), make_run(tmp_path / "all" / "two", BETTER)
    assert cli(str(tmp_path / "all")) == 0
    assert (tmp_path / "all" / "report.html").read_text(encoding="utf-8") == looked(one, two)
    # One of them was cut off: its figures would be missing without a word.
    (two / "summary.json").rename(two / "run.json")
    with pytest.raises(RunError, match="did not end"):
        cli(str(tmp_path / "all"))
    (tmp_path / "none").mkdir()
    with pytest.raises(RunError, match="is not a run"):
        cli(str(tmp_path / "none"))


def test_of_several_files_none_is_written_if_one_would_be_lost(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    before = (folder / "results.jsonl").read_bytes()
    out = tmp_path / "out.html"
    for wrong in (
        ("--csv", str(folder / "results.jsonl")),
        ("--junit", str(out)),
        ("--junit", str(folder / "summary.json")),
    ):
        with pytest.raises(FootnoteError) as caught:
            cli(str(folder), "--out", str(out), *wrong)
        assert caught.value.exit_code == 2
        assert not out.exists()
    assert (folder / "results.jsonl").read_bytes() == before
    with pytest.raises(FootnoteError, match="there is no folder") as missing:
        cli(
            str(folder),
            "--out",
            str(tmp_path / "nowhere" / "out.html"),
            "--csv",
            str(tmp_path / "out.csv"),
        )
    assert missing.value.exit_code == 2
    assert not (tmp_path / "out.csv").exists()
    with pytest.raises(NotWritableError) as unwritable:
        cli(str(folder), "--out", str(tmp_path))
    assert unwritable.value.exit_code == 3


def test_a_run_that_did_not_end_has_no_report(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (folder / "summary.json").unlink()
    with pytest.raises(RunError, match="did not end"):
        cli(str(folder))
    assert not (folder / "report.html").exists()


def test_the_table_has_a_row_for_each_question_and_run(tmp_path: Path) -> None:
    seen = [read_seen(make_run(tmp_path / "one")), read_seen(make_run(tmp_path / "two", BETTER))]
    text = as_csv(seen, ["one", "two"])
    rows = read_csv(text)
    assert [(row["run"], row["id"]) for row in rows] == [
        (run, one.id) for run in ("one", "two") for one in QUESTIONS
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


def test_the_table_has_a_row_for_each_repeat(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", questions=QUESTIONS[:1], repeats=[{"right": refusal()}])
    rows = read_csv(as_csv([read_seen(folder)], ["run"]))
    assert [(row["id"], row["repeat"], row["abstained"]) for row in rows] == [
        ("right", "1", "false"),
        ("right", "2", "true"),
    ]


def test_the_table_of_a_run_without_answers_has_its_scores(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (folder / "results.jsonl").unlink()
    rows = {row["id"]: row for row in read_csv(as_csv([read_seen(folder)], ["run"]))}
    assert (
        rows["right"]["answered_right"],
        rows["right"]["confidence"],
        rows["right"]["repeat"],
    ) == ("1.0", "0.9", "")
    assert rows["broken"]["error"] == "ValueError: by nought"


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_in_the_table_is_a_formula(text: str) -> None:
    (row,) = read_csv(as_csv([one_answer(text)], [text]))
    assert (row["run"], row["answer"], row["kind"]) == (f"'{text}",) * 3


@pytest.mark.parametrize(
    "text", ["-5", "+5", "-0.25", "5", "1=1", "a-b", "", "16 hours", "'quoted"]
)
def test_numbers_and_other_texts_stay_as_they_are(text: str) -> None:
    (row,) = read_csv(as_csv([one_answer(text)], ["run"]))
    assert row["answer"] == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_whatever_is_said_is_read_again_and_is_no_formula(text: str) -> None:
    (row,) = read_csv(as_csv([one_answer(text)], ["run"]))
    assert row["answer"].removeprefix("'") == text.removeprefix("'")
    assert not re.match(r"\s*[=@＝＋－＠]", row["answer"])


def test_the_results_have_a_suite_for_each_run_and_a_case_for_each_question(tmp_path: Path) -> None:
    seen = [read_seen(make_run(tmp_path / "one")), read_seen(make_run(tmp_path / "two", BETTER))]
    root = parsed(as_junit(seen, ["one", "two"]))
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
        ("testcase", one.kind, "0.000" if one.id == "broken" else "0.500") for one in QUESTIONS
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


def test_a_question_that_is_not_scored_is_skipped(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", questions=QUESTIONS[:1])
    change(
        folder / "summary.json",
        lambda summary: summary | {"scores": {"right": {"answered_right": None}}},
    )
    root = parsed(as_junit([read_seen(folder)], ["run"]))
    assert [child.tag for child in root[0][0]] == ["skipped"]
    assert root[0].get("skipped") == "1"


@given(st.text())
def test_whatever_is_said_the_results_are_xml(text: str) -> None:
    root = parsed(as_junit([one_answer(text)], [text]))
    told = str(root[0][0][0].text)
    kept = re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
    # XML has one line end.
    assert f"Answered (confidence 0.50): {kept}".replace("\r\n", "\n").replace("\r", "\n") in told


PETS_CITED = saying(DOGS).sentences[0].citations[0]


def one_answer(text: str) -> Seen:
    """A run of one wrong answer that says this, to a question of that kind."""
    asked = replace(question("q1"), kind=text)
    scores = {"answered_right": 0.0, "wrongly_refused": 0.0}
    case = Case("q1", asked, (result(answer(says(text), confidence=0.5)),), scores, None)
    return Seen(Run(Path("run"), PROVENANCE, {"q1": scores}), (), (case,), ())


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode("utf-8"))  # noqa: S314  # our own words


def write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
