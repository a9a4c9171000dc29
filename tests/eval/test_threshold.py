"""The refusal threshold: what each would lead to, and which runs it may be chosen on."""

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


def test_threshold_results_between_all_confidences() -> None:
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


def test_best_has_lowest_cost() -> None:
    """A wrong answer counts as two refusals, whether or not the documents answer."""
    found = threshold_results(ASKED)
    costs = [choice.cost for choice in found]
    assert costs == pytest.approx([4 / 3, 5 / 6, 1, 0.5, 1 / 3, 0.5])
    assert best(found).threshold == pytest.approx(0.75)


@pytest.mark.parametrize("of", [[], [ScoredAnswer(0.5, True)], [ScoredAnswer(0.5, None)]])
def test_threshold_results_one_class_raises(of: list[ScoredAnswer]) -> None:
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


def test_scored_answers_of_a_run(tmp_path: Path) -> None:
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
def test_scored_answers_unsuitable_run_raises(
    tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    """Neither the test split nor a run that refused questions may choose a threshold."""
    with pytest.raises(FootnoteError, match=words):
        scored_answers(read_run(_run(tmp_path, **changed)))


def test_read_run_empty_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(FootnoteError, match="is not a run"):
        read_run(tmp_path)
