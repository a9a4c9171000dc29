"""Runs on disk to look at, with figures by the project's own measures over three sentences about pets."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.dataset import Question
from eval.metrics import scores
from eval.summary import Outcome, groups
from qa.types import Answer, Turn
from tests.eval.fakes import PETS, answer, cite, example, question, read, refusal, says

CATS, DOGS, BIRDS = (0, 20), (21, 40), (41, 60)
"""Where the sentences stand; each is a passage."""
EVIL = "<script>alert('x')</script>&amp;\"><img src=x onerror=alert(1)>"
QUESTIONS = (
    question("right"),
    question("wrong", answers=("bark", "barking"), kind="number"),
    question(
        "refused",
        evidence=("Birds sing at dawn.",),
        answers=("sing",),
        history=(Turn("Which pets?", "Birds."),),
    ),
    question("invented", evidence=(), kind="absent"),
    question("absent", evidence=(), kind="absent", split="test"),
    question("broken", kind="number", split="test"),
)


def saying(cited: tuple[int, int], *passages: tuple[int, int], **told: Any) -> Answer:
    """An answer in the words of one sentence, after reading these."""
    start, end = cited
    return answer(
        says(PETS.text[start:end], cite(start, end)),
        passages=[read(*one) for one in passages],
        **told,
    )


ANSWERS: Mapping[str, Answer | str] = {
    "right": saying(DOGS, DOGS),
    "wrong": replace(saying(CATS, CATS, DOGS), standalone_question="What do dogs do?"),
    "refused": refusal(passages=[read(*CATS)]),
    "invented": saying(CATS, CATS, confidence=0.72),
    "absent": refusal(),
    "broken": "ValueError: by nought",
}
"""By question; of the one that broke, its error."""
BETTER = {**ANSWERS, "wrong": saying(DOGS, DOGS), "broken": refusal(passages=[read(*CATS)])}


def make_run(
    folder: Path,
    answers: Mapping[str, Answer | str] = ANSWERS,
    questions: Sequence[Question] = QUESTIONS,
    repeats: Sequence[Mapping[str, Answer | str]] = (),
    **settings: Any,
) -> Path:
    """A run's folder, as `eval.run` writes it. `repeats`: what was answered when asked again."""
    folder.mkdir(parents=True)
    outcomes = [_outcome(one, answers[one.id]) for one in questions]
    found = groups(outcomes)
    summary = {
        "finished": "2026-01-02T10:00:00+00:00",
        "commit": "0123abc",
        "questions": {"file": "mine.jsonl", "sha256": "ab" * 32, "asked": len(questions)},
        "documents": {PETS.name: PETS.version},
        "settings": {"llm": "built-in", "threshold": 0.55, **settings},
        "versions": {"python": "3.11"},
        "repeats": {"count": len(repeats) + 1, "changed": 1 if repeats else 0, "spread": {}},
        "overall": found[0].as_json(),
        "by_split": {group.name: group.as_json() for group in found if group.by == "split"},
        "by_kind": {group.name: group.as_json() for group in found if group.by == "kind"},
        "errors": {one.question.id: one.error for one in outcomes if one.error is not None},
        "scores": {one.question.id: dict(one.scores) for one in outcomes if one.error is None},
    }
    rows = [
        _row(one, given[one.id], at)
        for at, given in enumerate((answers, *repeats), start=1)
        for one in questions
    ]
    _write(folder / "summary.json", [summary])
    _write(folder / "results.jsonl", rows)
    _write(folder / "questions.jsonl", [one.as_json() for one in questions])
    return folder


def change(file: Path, to: Any) -> None:
    """Puts into a summary what `to` makes of it."""
    file.write_text(json.dumps(to(json.loads(file.read_text()))))


def _outcome(asked: Question, given: Answer | str) -> Outcome:
    if isinstance(given, str):
        return Outcome(asked, error=given)
    return Outcome(asked, given, scores=scores(example(given, asked)))


def _row(asked: Question, given: Answer | str, repeat: int) -> dict[str, Any]:
    head = {"id": asked.id} | ({"repeat": repeat} if repeat > 1 else {})
    if isinstance(given, str):
        return {**head, "question": asked.question, "error": given}
    understood = asked.question if given.standalone_question == "?" else given.standalone_question
    return {
        **head,
        **replace(given, question=asked.question, standalone_question=understood).as_json(),
    }


def _write(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
