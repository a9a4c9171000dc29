"""One question on the terminal and as JSON: everything known of it, and no text obeyed."""

import argparse
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.commands import show as command
from eval.report.details import read_details
from eval.report.question_text import print_question
from qa.errors import RunError
from qa.types import Usage
from tests.eval.fakes import answer, cite, question, refusal, says
from tests.eval.page import ANSWERS, CATS, DOGS, QUESTIONS, make_run, saying

STEERING = "\x1b[2J\x07\u202eevil\x9b1m"


def cli(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
    options = parser.parse_args(["show", *arguments])
    code: int = options.command(options)
    return code


def shown(folder: Path, key: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli(str(folder), key) == 0
    return capsys.readouterr().out


def test_print_question_shows_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No trailing space and no colour outside a terminal."""
    text = shown(make_run(tmp_path / "run"), "wrong", capsys)
    before, scores = text.split("\nScores\n")
    # No trailing space, no colour: it is not a terminal.
    assert before == (
        "wrong · number · dev · wrong answer\n"
        "Question\n"
        "  wrong?\n"
        "Accepted\n"
        "  bark\n"
        "  barking\n"
        "Understood as\n"
        "  What do dogs do?\n"
        "Answered\n"
        "  Cats sleep 16 hours.\n"
        "  confidence 0.900, fake, 0.500 seconds\n"
        "Sentence 1: the document's words\n"
        "  Cats sleep 16 hours.\n"
        "  [pets.txt, characters 0–20] “Cats sleep 16 hours.”\n"
        "Gold 1: passage 2 of the 2 read\n"
        "  “Dogs bark at night.”\n"
        "\n"
        "Read: 2 passages, best first\n"
        "rank  dense  lexical   fused  reader  score  gold  passage\n"
        f"{'─' * 72}\n"
        "   1      1        -  0.5000       -  1.000     -  pets.txt 0–20\n"
        f"{' ' * 51}Cats sleep 16 hours.\n"
        "   2      1        -  0.5000       -  1.000     1  pets.txt 21–40\n"
        f"{' ' * 51}Dogs bark at night.\n"
    )
    told = dict(line.rsplit(maxsplit=1) for line in scores.splitlines())
    assert {name.strip(): value for name, value in told.items()}.items() >= {
        "passage hit@1": "0.00",
        "passage MRR": "0.50",
        "first sentence right": "0.00",
        "wrongly refused (v)": "0.00",
        "rightly refused": "-",
        "seconds (v)": "0.500",
    }.items()


def test_citation_names_the_gold_it_agrees_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the rule of the metrics."""
    text = shown(make_run(tmp_path / "run"), "right", capsys)
    assert "[pets.txt, characters 21–40; gold 1] “Dogs bark at night.”" in text


def test_print_question_shows_history_and_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what would have been right."""
    folder = make_run(tmp_path / "run")
    refused = shown(folder, "refused", capsys)
    assert "Earlier\n  Which pets?\n  Birds.\n" in refused
    assert (
        "Refused (not_in_documents)\n  The documents do not answer this.\n  confidence 0.100"
        in refused
    )
    assert "Gold 1: in none of the 1 passages read\n  “Birds sing at dawn.”\n" in refused
    invented = shown(folder, "invented", capsys)
    assert "Right\n  a refusal: the documents do not answer it\n" in invented
    assert "invented · absent · dev · should have refused\n" in invented


def test_print_question_shows_the_nearest_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    near = replace(refusal(), nearest=says("Dogs bark at night.", cite(*DOGS)))
    text = shown(make_run(tmp_path / "run", {**ANSWERS, "refused": near}), "refused", capsys)
    assert "Nearest, not an answer\n  Dogs bark at night.\n" in text


def test_print_question_with_an_error_has_no_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the results, or from the summary alone."""
    folder = make_run(tmp_path / "run")
    text = shown(folder, "broken", capsys)
    assert text.endswith("Error\n  ValueError: by nought\n")
    assert "Scores" not in text
    (folder / "results.jsonl").unlink()
    assert shown(folder, "broken", capsys).endswith("Error\n  ValueError: by nought\n")


def test_print_question_shows_tokens_and_notices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a language model."""
    said = replace(
        answer(says("They bark.", support="unsupported")),
        notices=("Left out.",),
        usage=Usage(120, 8),
    )
    text = shown(make_run(tmp_path / "run", {"right": said}, QUESTIONS[:1]), "right", capsys)
    assert "0.500 seconds, 120 + 8 tokens\n" in text
    assert "Note\n  Left out.\n" in text
    assert "Sentence 1: not supported\n  They bark.\n" in text


def test_print_question_shows_each_repeat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scores are means of the repeats."""
    folder = make_run(tmp_path / "run", repeats=[{**ANSWERS, "right": refusal()}])
    text = shown(folder, "right", capsys)
    first, second = text.split("\nRepeat 1\n")[1].split("\nRepeat 2\n")
    assert first.startswith("Answered\n")
    assert second.startswith("Refused (not_in_documents)\n")
    assert "\nScores (mean of the repeats)\n" in second


def test_json_has_the_lines_of_the_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the gold quotes that each passage holds."""
    folder = make_run(tmp_path / "run", repeats=[ANSWERS])
    told = json.loads(shown_json(folder, "wrong", capsys))
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert [
        {key: value for key, value in row.items() if key != "gold_in_passages"}
        for row in told["results"]
    ] == [row for row in rows if row["id"] == "wrong"]
    assert [row["gold_in_passages"] for row in told["results"]] == [[[], [1]]] * 2
    assert (told["id"], told["outcome"], told["error"]) == ("wrong", "wrong answer", None)
    assert told["question"] == QUESTIONS[1].as_json()
    assert told["scores"]["reciprocal_rank"] == 0.5
    (folder / "results.jsonl").unlink()
    (folder / "questions.jsonl").unlink()
    bare = json.loads(shown_json(folder, "wrong", capsys))
    assert (bare["question"], bare["results"], bare["scores"]["reciprocal_rank"]) == (None, [], 0.5)


def shown_json(folder: Path, key: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli(str(folder), key, "--json") == 0
    return capsys.readouterr().out


def test_missing_file_is_named_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The question is still printed."""
    folder = make_run(tmp_path / "run")
    (folder / "questions.jsonl").unlink()
    assert cli(str(folder), "wrong") == 0
    printed = capsys.readouterr()
    assert "There is no questions.jsonl" in printed.err
    assert printed.out.startswith("wrong · wrong answer\nQuestion\n  wrong?\nUnderstood as")


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("wrnog", "Similar: wrong."),
        ("inv", "Similar: invented."),
        ("zzz", "It has: right, wrong, refused, "),
    ],
)
def test_unknown_id_names_similar_ids(tmp_path: Path, key: str, told: str) -> None:
    """And repeats no more than a line of it."""
    folder = make_run(tmp_path / "run")
    with pytest.raises(RunError, match=f"has no question {key}") as caught:
        cli(str(folder), key)
    assert told in str(caught.value)
    assert caught.value.exit_code == 2
    with pytest.raises(RunError, match=r"has no question z{80}…") as long:
        cli(str(folder), "z" * 3_000)
    assert len(str(long.value)) < 500


def test_no_text_steers_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters are shown as escapes."""
    asked = replace(question("right", answers=(STEERING,), kind=STEERING), question=STEERING)
    said = replace(saying(DOGS, CATS), text=STEERING, notices=(STEERING,))
    folder = make_run(tmp_path / "run", {"right": said}, [asked])
    for text in (shown(folder, "right", capsys), shown_json(folder, "right", capsys)):
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(text)
        assert text.count("evil") >= 4


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_headings_are_bold_on_a_terminal_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file has no escape sequences."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    (details, *_) = read_details(make_run(tmp_path / "run")).questions
    written: list[Any] = [io.StringIO(), Terminal()]
    for file in written:
        print_question(details, file)
    plain, bold = (file.getvalue() for file in written)
    assert "\x1b" not in plain
    assert "\x1b[1mQuestion\x1b[0m" in bold
