"""The refusal threshold: what each one comes to, by hand, and which runs it may be chosen on."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.results import read_run
from eval.threshold import ScoredAnswer, best, scored_answers, threshold_results
from qa.errors import FootnoteError

ASKED = [
    ScoredAnswer(0.9, True),
    ScoredAnswer(0.6, False),
    ScoredAnswer(0.4, True),
    ScoredAnswer(0.5, None),
    ScoredAnswer(0.2, None),
]


def test_every_place_between_two_confidences_is_a_choice() -> None:
    found = threshold_results(ASKED)
    assert [choice.threshold for choice in found] == pytest.approx(
        [0.1, 0.3, 0.45, 0.55, 0.75, 0.95]
    )
    assert [choice.answered_right for choice in found] == pytest.approx(
        [2 / 3, 2 / 3, 1 / 3, 1 / 3, 1 / 3, 0]
    )
    assert [choice.wrongly_refused for choice in found] == pytest.approx(
        [0, 0, 1 / 3, 1 / 3, 2 / 3, 1]
    )
    assert [choice.rightly_refused for choice in found] == pytest.approx([0, 0.5, 0.5, 1, 1, 1])


def test_the_best_has_the_highest_balance() -> None:
    found = threshold_results(ASKED)
    assert best(found).balance == pytest.approx(2 / 3)
    assert best(found).threshold == pytest.approx(0.75)


@pytest.mark.parametrize("of", [[], [ScoredAnswer(0.5, True)], [ScoredAnswer(0.5, None)]])
def test_one_class_alone_gives_no_threshold(of: list[ScoredAnswer]) -> None:
    with pytest.raises(FootnoteError, match="some that they do not"):
        threshold_results(of)


def _run(folder: Path, threshold: float = 0, split: str = "dev") -> Path:
    scores: dict[str, Any] = {
        "a": {"confidence": 0.7, "first_sentence_right": 1.0},
        "b": {"confidence": 0.3, "first_sentence_right": None, "rightly_refused": 0.0},
        "known by document only": {
            "confidence": 0.2,
            "first_sentence_right": None,
            "rightly_refused": None,
        },
    }
    summary = {
        "settings": {"threshold": threshold},
        "questions": {"split": split, "sha256": "0"},
        "scores": scores,
    }
    summary |= {
        "documents": {},
        "errors": {},
        "overall": {"questions": 3, "errors": 0, "figures": {}},
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_a_run_is_read(tmp_path: Path) -> None:
    assert scored_answers(read_run(_run(tmp_path))) == [
        ScoredAnswer(0.7, True),
        ScoredAnswer(0.3, None),
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"split": "test"}, "--split dev"),
        ({"split": "all"}, "--split dev"),
        ({"threshold": 0.5}, "--threshold 0"),
    ],
)
def test_no_threshold_is_chosen_on_the_test_split_nor_on_a_run_that_refused(
    tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(FootnoteError, match=words):
        scored_answers(read_run(_run(tmp_path, **changed)))


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FootnoteError, match="is not a run"):
        read_run(tmp_path)
