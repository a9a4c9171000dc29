"""Claims of questions and sentences: statements by rule, and one change that makes them wrong."""

import json
import random
from pathlib import Path

import pytest

from qa.training import changes, claims
from qa.training.claims import (
    claims_of_questions,
    joined_claims,
    read_begin,
    read_fool_me_twice,
    statement,
)
from qa.training.sources import TrainingQuestion
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
def test_statement_of_question_and_answer(question: str, answer: str, stated: str) -> None:
    assert statement(question, answer) == stated


@pytest.mark.parametrize(
    ("change", "claim"),
    [
        (changes._with_other_number, "It cost 48 million euros."),
        (changes._with_other_name, "The Harbor Bridge was opened by Ines Prado."),
        (changes._with_other_date, "The bridge was opened in May."),
        (changes._denied, "The bridge was opened."),
        (changes._denied, "The port demanded a bridge."),
        (changes._with_opposite, "The price will rise before summer."),
        (changes._with_detail, "The bridge was opened."),
    ],
)
def test_change_makes_another_claim(change: object, claim: str) -> None:
    for seed in range(20):
        wrong = change(claim, TEXT, random.Random(seed))  # type: ignore[operator]  # one of the module's own
        assert wrong
        assert wrong != claim
        assert wrong.endswith(".")


def test_denied_claim_is_affirmed() -> None:
    assert changes._denied("It was not opened.", TEXT, random.Random(0)) == "It was opened."


def test_claims_of_questions_are_labelled_and_have_evidence() -> None:
    """Of each question a supported claim and wrong ones, over the sentences at its answer."""
    start = TEXT.index("48 million")
    question = TrainingQuestion(
        "s", "g", "How much did it cost?", TEXT, (Span(start, start + 16),), part="fit"
    )
    made = claims_of_questions([question] * 50, seed=1)
    assert made == claims_of_questions([question] * 50, seed=1)
    supported = [claim for claim in made if claim.supported]
    unsupported = [claim for claim in made if not claim.supported]
    assert len(supported) >= 50
    assert len(unsupported) >= 50
    assert {claim.part for claim in made} == {"fit"}
    assert all(sentence in TEXT for claim in made for sentence in claim.evidence)
    assert any("48 million" in " ".join(claim.evidence) for claim in supported)


def test_unanswered_question_makes_no_claim() -> None:
    assert (
        claims_of_questions(
            [
                TrainingQuestion("s", "g", "Why?", TEXT, ()),
                TrainingQuestion("s", "g", "Why?", TEXT, (Span(0, 9),), region=True),
            ],
            1,
        )
        == []
    )


def test_fool_me_twice_and_begin_are_read(tmp_path: Path) -> None:
    fm2, tsv = tmp_path / "dev.jsonl", tmp_path / "begin.tsv"
    rows = [
        {"text": "A.", "gold_evidence": [{"text": "B."}], "label": label}
        for label in ("SUPPORTS", "REFUTES")
    ]
    fm2.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [(one.claim, one.evidence, one.supported) for one in read_fool_me_twice(fm2)] == [
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
    assert [(one.claim, one.evidence, one.supported) for one in read_begin(tsv)] == [
        ("He did.", ('He said "',), True),
        ("X", ("K",), False),
    ]


def test_joined_claim_is_supported_when_both_are() -> None:
    right = claims.TrainingClaim("s", "It opened.", ("A.",), True)
    other = claims.TrainingClaim("s", "It cost little.", ("B.",), True)
    wrong = claims.TrainingClaim("s", "It closed.", ("C.",), False)
    joined = joined_claims([right, other, wrong], seed=1)
    assert [(claim.supported, claim.evidence) for claim in joined] == [
        (True, ("A.", "B.")),
        (False, ("A.", "C.")),
    ]
    assert all(claim.claim.startswith("It opened") for claim in joined)
