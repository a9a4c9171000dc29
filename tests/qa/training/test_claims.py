"""Claims made from questions and sentences: statements by rule, and one change that makes them wrong."""

import json
import random
from pathlib import Path

import pytest

from qa.training import claims
from qa.training.claims import begin, fool_me_twice, made, statement
from qa.training.sources import Asked
from qa.types import Span

TEXT = (
    "Ines Prado opened the Harbor Bridge in May. It cost 48 million euros, according to the port. "
    "Mayor Lena Roth thanked 300 workers on Monday."
)


@pytest.mark.parametrize(
    ("question", "answer", "stated"),
    [
        ("Who opened the Harbor Bridge?", "Ines Prado", "Ines Prado opened the Harbor Bridge."),
        ("Which river floods the port?", "The Ems", "The Ems floods the port."),
        ("Who was the mayor?", "Lena Roth", "The mayor was Lena Roth."),
        ("How many workers were thanked?", "300", "300 workers were thanked."),
        ("When did the bridge open?", "May", "The bridge open did May."),
        ("Name the mayor.", "Lena Roth", "Name the mayor: Lena Roth."),
    ],
)
def test_a_question_and_its_answer_become_a_statement(
    question: str, answer: str, stated: str
) -> None:
    assert statement(question, answer) == stated


@pytest.mark.parametrize(
    ("change", "claim"),
    [
        (claims._other_number, "It cost 48 million euros."),
        (claims._other_name, "The Harbor Bridge was opened by Ines Prado."),
        (claims._other_date, "The bridge was opened in May."),
        (claims._denied, "The bridge was opened."),
        (claims._denied, "The port demanded a bridge."),
        (claims._opposite, "The price will rise before summer."),
        (claims._detailed, "The bridge was opened."),
    ],
)
def test_each_change_makes_another_claim(change: object, claim: str) -> None:
    for seed in range(20):
        wrong = change(claim, TEXT, random.Random(seed))  # type: ignore[operator]  # one of the module's own
        assert wrong
        assert wrong != claim
        assert wrong.endswith(".")


def test_a_denial_is_taken_back() -> None:
    assert claims._denied("It was not opened.", TEXT, random.Random(0)) == "It was opened."


def test_of_a_question_a_right_claim_and_wrong_ones_are_made_over_the_sentences_around_its_answer() -> (
    None
):
    start = TEXT.index("48 million")
    asked = Asked("s", "g", "How much did it cost?", TEXT, (Span(start, start + 16),), part="fit")
    found = made([asked] * 50, seed=1)
    assert found == made([asked] * 50, seed=1)
    right = [one for one in found if one.supported]
    wrong = [one for one in found if not one.supported]
    assert len(right) >= 50
    assert len(wrong) >= 50
    assert {one.part for one in found} == {"fit"}
    assert all(sentence in TEXT for one in found for sentence in one.evidence)
    assert any("48 million" in " ".join(one.evidence) for one in right)


def test_questions_without_an_answer_make_no_claim() -> None:
    assert (
        made(
            [
                Asked("s", "g", "Why?", TEXT, ()),
                Asked("s", "g", "Why?", TEXT, (Span(0, 9),), region=True),
            ],
            1,
        )
        == []
    )


def test_the_two_public_sets_are_read(tmp_path: Path) -> None:
    fm2, tsv = tmp_path / "dev.jsonl", tmp_path / "begin.tsv"
    rows = [
        {"text": "A.", "gold_evidence": [{"text": "B."}], "label": label}
        for label in ("SUPPORTS", "REFUTES")
    ]
    fm2.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [(one.claim, one.evidence, one.supported) for one in fool_me_twice(fm2)] == [
        ("A.", ("B.",), True),
        ("A.", ("B.",), False),
    ]
    lines = [
        "knowledge\tresponse\tbegin_label",
        'He said "\tHe did.\tFully attributable',
        "K\tR\tGeneric",
        "K\tX\tNot fully attributable",
    ]
    tsv.write_text("\n".join(lines), encoding="utf-8")
    assert [(one.claim, one.evidence, one.supported) for one in begin(tsv)] == [
        ("He did.", ('He said "',), True),
        ("X", ("K",), False),
    ]
