"""The page of one run and of several: what it shows, and that no text in it is obeyed."""

import argparse
import json
import re
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from eval.commands import report
from eval.comparison import comparison_tables
from eval.metrics import ARROW, metric_named, tables
from eval.report.details import read_details
from eval.report.estimates import table_over_runs
from eval.report.html import (
    TEMPLATES,
    changes_html,
    comparison_html,
    failures_html,
    page,
    runs_html,
    table_html,
    write_report,
)
from eval.report.values import interval_text, value_text
from eval.results import read_run
from qa.errors import FootnoteError, NotWritableError, RunError
from qa.types import Turn
from tests.eval.fakes import PETS, answer, document, question, refusal, says
from tests.eval.page import ANSWERS, BETTER, CATS, DOGS, EVIL, QUESTIONS, change, make_run, saying

CITED_DOGS = saying(DOGS).sentences[0].citations[0]


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

    def values(self, attribute: str) -> list[str]:
        return [str(attrs[attribute]) for _, attrs in self.found if attribute in attrs]


def page_of(*folders: Path) -> str:
    return page([read_details(folder) for folder in folders])


def article(html: str, key: str) -> Elements:
    """What the page shows of one failed question."""
    articles = re.findall(r"<article.*?</article>", html, re.S)
    (match,) = (part for part in articles if f" · {key}</span>" in part)
    return Elements(match)


def rows_of(html: str, heading: str) -> list[Elements]:
    """The rows of tables with this heading."""
    rows = re.findall(r"<tr>.*?</tr>", html, re.S)
    return [Elements(row) for row in rows if f'<th scope="row">{heading}<' in row]


def row_texts(html: str) -> list[str]:
    return [Elements(row).text for row in re.findall(r"<tr>.*?</tr>", html, re.S)]


def between(html: str, start: str, end: str) -> str:
    match = re.search(f"{start}(.*?){end}", html, re.S)
    assert match is not None
    return match.group(1)


def cli(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    report.add(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
    options = parser.parse_args(["report", *arguments])
    code: int = options.command(options)
    return code


def test_every_estimate_has_its_interval_and_n(tmp_path: Path) -> None:
    """Every metric with a value is shown by section; the rest is named as not measured."""
    folder = make_run(tmp_path / "run")
    html = page_of(folder)
    overall = read_run(folder).groups[0]
    measured = [name for name, row in overall.estimates.items() if row.value is not None]
    assert len(measured) > 10
    for name in measured:
        estimate = overall.estimates[name]
        assert estimate.value is not None
        interval = interval_text(estimate.low, estimate.high, name)
        n = f"{estimate.n} of {estimate.n + estimate.unscored}"
        (row, *_) = rows_of(html, metric_named(name).marked(ARROW))
        assert row.text.endswith(f" {value_text(estimate.value, name)} {interval} {n}"), name
    # Of the five questions without an error, two were right.
    assert rows_of(html, "answered right")[0].text == "answered right 0.40 [0.12, 0.77] 5 of 6"

    unmeasured = set(overall.estimates) - set(measured)
    listed = between(html, "Nothing to measure: ", "</p>")
    assert unmeasured
    assert all(metric_named(name).label in listed for name in unmeasured)
    titles = [
        title
        for title, metrics in tables().items()
        if any(metric.name in measured for metric in metrics)
    ]
    assert re.findall(r"<h3>(.*?)</h3>", html)[: len(titles)] == titles


def test_splits_and_kinds_have_a_chart_and_all_estimates(tmp_path: Path) -> None:
    """The main metric of each group is drawn, and all its metrics can be unfolded."""
    html = page_of(make_run(tmp_path / "run"))
    table = between(html, "<h3>By split and kind</h3>", "</table>")
    assert row_texts(table)[1:] == [
        "split: dev (4) 0.25 [0.05, 0.70] 4 of 4",
        "split: test (2) 1.00 [0.21, 1.00] 1 of 2",
        "kind: fact (2) 0.50 [0.09, 0.91] 2 of 2",
        "kind: number (2) 0.00 [0.00, 0.79] 1 of 2",
        "kind: absent (2) 0.50 [0.09, 0.91] 2 of 2",
    ]
    assert table.count('<svg class="strip"') == 5
    assert html.count("<summary>kind: absent (2)</summary>") == 1


def test_point_stands_at_its_value_with_its_interval(tmp_path: Path) -> None:
    """Positions are per cent of the scale."""
    html = page_of(make_run(tmp_path / "run"))
    table = between(html, "<h3>By split and kind</h3>", "</table>")
    row = between(table, r"kind: absent \(2\)", "</tr>")
    elements = Elements(row).found
    (whisker,) = (attrs for _, attrs in elements if attrs.get("class") == "whisker")
    (point,) = (attrs for tag, attrs in elements if tag == "circle")
    assert point["cx"] == "50%"
    low, high = (float(str(whisker[end]).rstrip("%")) for end in ("x1", "x2"))
    # Wilson's interval of one in two.
    assert (low, high) == pytest.approx((9.45, 90.55), abs=0.01)


def test_confidence_is_a_chart_and_a_table(tmp_path: Path) -> None:
    """Answerable questions are drawn upwards, the rest downwards, with the threshold."""
    html = page_of(make_run(tmp_path / "run"))
    assert "Upwards: 3 that the documents answer; downwards: 2 that they do not." in html
    assert "Dashed: the threshold, 0.55." in html
    rows = row_texts(between(html, '<table class="counts">', "</table>"))
    assert rows[2] == "0.1 to 0.2 1 1"
    assert rows[8] == "0.7 to 0.8 – 1"
    assert rows[10] == "0.9 to 1.0 2 –"


def test_every_failed_question_is_shown_in_full(tmp_path: Path) -> None:
    """And no other question is."""
    html = page_of(make_run(tmp_path / "run"))
    assert re.findall(r'<article.*?<h3 dir="auto">(.*?)</h3>', html, re.S) == [
        "wrong?",
        "refused?",
        "invented?",
        "broken?",
    ]
    assert "Failed questions (4 of 6)" in html
    assert article(html, "wrong").text == (
        "wrong? wrong answer · number · dev · wrong Accepted bark barking "
        "Gold evidence Dogs bark at night. Understood as What do dogs do? "
        "Answered, confidence 0.90 Cats sleep 16 hours. the document's words "
        "pets.txt, characters 0–20 Rank of the evidence 2 of the 2 passages read"
    )
    assert article(html, "refused").text == (
        "refused? wrongly refused · fact · dev · refused Earlier: Which pets? Birds. "
        "Accepted sing Gold evidence Birds sing at dawn. Refused, confidence 0.10 "
        "The documents do not answer this. Rank of the evidence none of the 1 passages read"
    )
    expected = "Right A refusal: the documents do not answer it. Answered, confidence 0.72"
    assert expected in article(html, "invented").text
    assert article(html, "broken").text.endswith("Error ValueError: by nought")


def test_rank_of_evidence_agrees_with_the_metric(tmp_path: Path) -> None:
    """The rank on the page is the one of the run's own hit@5 and reciprocal rank."""
    folder = make_run(tmp_path / "run")
    html, scores = page_of(folder), read_run(folder).scores
    for key in ("wrong", "refused"):
        rank = between(article(html, key).text, "Rank of the evidence ", " of the")
        reciprocal = scores[key]["reciprocal_rank"]
        assert reciprocal == (0.0 if rank == "none" else 1 / int(rank))
        assert scores[key]["hit_at_5"] == float(rank != "none")


def test_wrong_answer_with_an_accepted_answer_is_noted(tmp_path: Path) -> None:
    """A reader would otherwise wonder why it failed."""
    asked = question("wrong", answers=("sleep",))
    html = page_of(make_run(tmp_path / "run", {"wrong": saying(CATS, CATS)}, [asked]))
    assert "contains an accepted answer, but its first sentence" in article(html, "wrong").text


def test_quote_that_differs_from_the_sentence_is_shown(tmp_path: Path) -> None:
    """A sentence in the document's words is not repeated as its quote."""
    given = answer(
        says("Cats doze.", CITED_DOGS, support="weak"), says("Fish swim.", support="unsupported")
    )
    html = page_of(make_run(tmp_path / "run", {"refused": given}, QUESTIONS[2:3]))
    assert (
        "Cats doze. weakly supported Dogs bark at night. pets.txt, characters 21–40 "
        "Fish swim. not supported"
    ) in article(html, "refused").text


def test_page_without_a_failure_says_none(tmp_path: Path) -> None:
    """There is nothing to filter then."""
    html = page_of(make_run(tmp_path / "run", questions=QUESTIONS[:1]))
    assert "<h2>Failed questions (0 of 1)</h2>" in html
    assert html.count("<p>None.</p>") == 1
    assert "<article" not in html
    assert "<form" not in html


def evil_run(folder: Path) -> Path:
    """A run in which every text that comes from elsewhere is markup."""
    named = document(f"{PETS.text} {EVIL}", EVIL)
    asked = replace(
        question(EVIL, evidence=(EVIL,), answers=(EVIL,), kind=EVIL, history=(Turn(EVIL, EVIL),)),
        question=EVIL,
    )
    cited = replace(CITED_DOGS, document=EVIL, title=EVIL, quote=EVIL)
    given = replace(
        answer(says(f"{EVIL} too", cited)), standalone_question=EVIL + "?", notices=(EVIL,)
    )
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
        {"id": EVIL, **given.as_json(), "question": EVIL},
        {"id": "broken", "question": EVIL, "error": EVIL},
    ]
    write_lines(folder / "results.jsonl", rows)
    write_lines(folder / "questions.jsonl", [asked.as_json(), broken.as_json()])
    return folder


def check_nothing_is_markup(html: str) -> Elements:
    elements = Elements(html)
    assert not {"img", "b", "iframe", "link", "object"} & set(elements.tags)
    handlers = [name for _, attrs in elements.found for name in attrs if name.startswith("on")]
    assert not handlers
    assert EVIL not in html
    return elements


def test_no_text_on_the_page_is_markup(tmp_path: Path) -> None:
    """Questions, answers, names of documents, folders and settings are untrusted."""
    evil = evil_run(tmp_path / "<img src=x>" / "<b>one")
    harmless = make_run(tmp_path / "<b>two", llm="built-in")
    for html in (page_of(evil), page_of(evil, harmless)):
        elements = check_nothing_is_markup(html)
        assert elements.tags.count("script") == 1
        # Title, question, history, answer, quote and its document, note, gold and more.
        assert elements.text.count("<script>alert('x')</script>&amp;\">") >= 15


def test_no_text_of_a_piece_is_markup(tmp_path: Path) -> None:
    """The app shows pieces of the report: each escapes by itself, and can be sent as UTF-8."""
    details = read_details(evil_run(tmp_path / "run"))
    run, name = details.run, f"{EVIL}\ud800"
    (rows,) = comparison_tables(run, run, ["answered_right"]).get("Deciding", [])
    won = replace(rows, metric=name, won=(EVIL,), lost=("broken",))
    pieces = [
        runs_html({name: run}, {name: name}),
        table_html(table_over_runs(name, "all questions", {name: run}, {name: name})),
        failures_html(name, details.questions),
        comparison_html(name, name, {name: [won]}),
        changes_html(won, details, details),
    ]
    for html in pieces:
        html.encode("utf-8")
        elements = check_nothing_is_markup(html)
        assert "script" not in elements.tags
        assert "<script>alert('x')</script>" in elements.text


def test_page_requests_nothing_and_its_policy_allows_nothing(tmp_path: Path) -> None:
    """Only its own style and script, known by their hashes, may apply."""
    html = page_of(make_run(tmp_path / "one"), make_run(tmp_path / "two", BETTER))
    assert not re.search(r"https?:|\bsrc=|@import|url\(|javascript:", html)
    elements = Elements(html)
    assert elements.values("style") == []
    links = set(elements.values("href"))
    assert links == {f"#{anchor}" for anchor in elements.values("id")}

    css, script = ((TEMPLATES / f"report.{kind}").read_text() for kind in ("css", "js"))
    style_hash, script_hash = (
        b64encode(sha256(text.encode()).digest()).decode() for text in (css, script)
    )
    policy = (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; "
        f"script-src 'sha256-{script_hash}'; base-uri 'none'"
    )
    assert policy in elements.values("content")
    assert f"<style>{css}</style>" in html
    assert f"<script>{script}</script>" in html


def test_headings_are_in_order_and_tables_have_scopes(tmp_path: Path) -> None:
    """What a screen reader needs."""
    elements = Elements(page_of(make_run(tmp_path / "one"), make_run(tmp_path / "two", BETTER)))
    levels = [int(tag[1]) for tag in elements.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    scopes = {attrs.get("scope") for tag, attrs in elements.found if tag == "th"}
    assert scopes == {"col", "row", "rowgroup"}
    counts = Counter(elements.tags)
    assert counts["caption"] == counts["table"]


@pytest.mark.parametrize("missing", ["results.jsonl", "questions.jsonl"])
def test_page_of_an_incomplete_run_says_what_is_missing(tmp_path: Path, missing: str) -> None:
    """The estimates do not depend on the missing file."""
    folder = make_run(tmp_path / "run")
    complete = page_of(folder)
    (folder / missing).unlink()
    html = page_of(folder)
    assert f"There is no {missing}" in html
    estimates = (r"<h2>Estimates</h2>", "<h3>Confidence</h3>")
    assert between(html, *estimates) == between(complete, *estimates)
    assert "Failed questions (4 of 6)" in html
    assert len(re.findall("<article", html)) == 4


def test_several_runs_show_the_settings_that_differ(tmp_path: Path) -> None:
    """Settings that are the same are folded."""
    html = page_of(
        make_run(tmp_path / "one", top_k=5),
        make_run(tmp_path / "two", BETTER, threshold=0.25, top_k=5),
    )
    assert "<h1>An evaluation of 2 runs</h1>" in html
    first, second = (rows_of(html, name)[0] for name in ("A · one", "B · two"))
    engine = "engine built-in · threshold"
    assert first.text == f"A · one 2 Jan 2026, 10:00 UTC {engine} 0.55 6 4 1"
    assert second.text == f"B · two 2 Jan 2026, 10:00 UTC {engine} 0.25 6 3 0"
    same = between(html, "same in all runs</summary>", "</details>")
    assert "top_k 5" in Elements(same).text
    assert "threshold" not in same
    block = between(html, ">answered right</th></tr>", "</tbody>")
    assert Elements(block).text == (
        "A · one 0.40 [0.12, 0.77] 5 of 6 B · two 0.50 [0.19, 0.81] 6 of 6"
    )


def test_two_runs_over_the_same_questions_are_compared(tmp_path: Path) -> None:
    """With the verdict of `compare`, and the questions won and lost."""
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two", BETTER)
    html = page_of(one, two)
    compared = between(html, "<h2>The two runs compared</h2>", "<h2>")
    (row,) = rows_of(compared, "answered right")
    assert row.text == (
        "answered right n 5, 1 unscored 0.40 0.60 +0.20 [−0.46, +0.79] "
        "no detectable difference p 1.000, detectable none 1 · 4 · 0"
    )
    assert "First: A · one. Second: B · two." in compared
    assert Elements(between(compared, r"<h3>Won \(1\)</h3>", "<h3>")).text == (
        "wrong? First Cats sleep 16 hours. Second Dogs bark at night."
    )
    assert "<h3>Lost (0)</h3>" in compared
    assert "compared</h2>" not in page_of(one)
    fewer = make_run(tmp_path / "fewer", questions=QUESTIONS[1:])
    assert "compared</h2>" not in page_of(one, fewer)


def test_table_shows_which_questions_failed_in_which_runs(tmp_path: Path) -> None:
    """Runs over other questions stand side by side, with a remark."""
    html = page_of(make_run(tmp_path / "one"), make_run(tmp_path / "two", BETTER, QUESTIONS[1:]))
    assert row_texts(between(html, '<table class="matrix">', "</table>")) == [
        "Question A · one B · two",
        "wrong? wrong answer right",
        "refused? wrongly refused wrongly refused",
        "invented? should have refused should have refused",
        "broken? error wrongly refused",
    ]
    text = article(html, "wrong").text
    assert "A · one: wrong answer Understood as" in text
    assert "B · two: right Answered, confidence 0.90 Dogs bark at night." in text
    assert "cannot be compared with A · one question by question." in html
    assert "did not ask 1 of the other&#39;s questions: right." in html


def test_equal_repeats_are_shown_once(tmp_path: Path) -> None:
    """With the number of the repeats that they stand for."""
    second = {
        **ANSWERS,
        "wrong": saying(CATS, CATS, DOGS, confidence=0.8),
        "refused": saying(DOGS, DOGS),
    }
    third = {**second, "wrong": refusal()}
    html = page_of(make_run(tmp_path / "run", repeats=[second, third]))
    text = article(html, "wrong").text
    assert text.count("Answered (repeats 1 to 2), confidence 0.90") == 1
    assert text.count("Refused (repeat 3), confidence 0.10") == 1
    assert (
        "Each question was asked 3 times; 1 were not answered in the same words each time." in html
    )


def test_same_run_gives_the_same_page(tmp_path: Path) -> None:
    """So that two reports can be compared as files."""
    folder = make_run(tmp_path / "run")
    assert page_of(folder) == page_of(folder)


def test_report_overwrites_only_reports(tmp_path: Path) -> None:
    """A file that somebody else wrote is not lost."""
    folder = make_run(tmp_path / "run")
    path = write_report(folder)
    assert path == folder / "report.html"
    assert path.read_text(encoding="utf-8") == page_of(folder)
    assert write_report(folder) == path
    # As an earlier version began it.
    path.write_text("<!doctype html>\n<title>Footnote: an evaluation run</title>")
    write_report(folder)
    assert path.read_text(encoding="utf-8") == page_of(folder)
    path.write_text("<!doctype html>\n<title>My holidays</title>")
    with pytest.raises(FootnoteError, match="exists and is not a report of Footnote"):
        write_report(folder)
    assert "holidays" in path.read_text()


def test_report_command_writes_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By default into the run, for several runs into the current folder."""
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two", BETTER)
    monkeypatch.chdir(tmp_path)
    assert cli("one") == 0
    assert (one / "report.html").read_text(encoding="utf-8") == page_of(one)
    assert not (tmp_path / "report.html").exists()
    assert cli("one", "two", "--csv", "a.csv", "--junit", "a.xml") == 0
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page_of(one, two)
    assert capsys.readouterr().err.splitlines()[1:] == [
        f"Written to {name}" for name in ("report.html", "a.csv", "a.xml")
    ]
    assert cli("two", "--out", "other.html", "--csv", "a.csv", "--junit", "a.xml") == 0
    assert (tmp_path / "other.html").exists()
    _, *rows = (tmp_path / "a.csv").read_text().splitlines()
    assert {row.partition(",")[0] for row in rows} == {"two"}


def test_report_of_a_folder_is_of_all_its_runs(tmp_path: Path) -> None:
    """A run that did not end is an error, not left out without a word."""
    one, two = make_run(tmp_path / "all" / "one"), make_run(tmp_path / "all" / "two", BETTER)
    assert cli(str(tmp_path / "all")) == 0
    assert (tmp_path / "all" / "report.html").read_text(encoding="utf-8") == page_of(one, two)
    (two / "summary.json").rename(two / "run.json")
    with pytest.raises(RunError, match="did not end"):
        cli(str(tmp_path / "all"))
    (tmp_path / "none").mkdir()
    with pytest.raises(RunError, match="is not a run"):
        cli(str(tmp_path / "none"))


def test_no_file_is_written_if_another_would_be_lost(tmp_path: Path) -> None:
    """All files are checked before the first is written."""
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

    csv = tmp_path / "out.csv"
    nowhere = tmp_path / "nowhere" / "out.html"
    with pytest.raises(FootnoteError, match="there is no folder") as missing:
        cli(str(folder), "--out", str(nowhere), "--csv", str(csv))
    assert missing.value.exit_code == 2
    assert not csv.exists()
    with pytest.raises(NotWritableError) as unwritable:
        cli(str(folder), "--out", str(tmp_path))
    assert unwritable.value.exit_code == 3


def test_run_that_did_not_end_has_no_report(tmp_path: Path) -> None:
    """Its estimates would be of a part of the questions."""
    folder = make_run(tmp_path / "run")
    (folder / "summary.json").unlink()
    with pytest.raises(RunError, match="did not end"):
        cli(str(folder))
    assert not (folder / "report.html").exists()


def write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
