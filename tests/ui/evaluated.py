"""Runs as `footnote eval run` writes them, over three sentences and a scripted bot."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from eval.dataset import read_questions
from eval.provenance import collect_provenance
from eval.run import finish, run
from qa.config import Settings
from qa.types import Answer
from tests.eval.fakes import PETS, ScriptedBot, answer, cite, read, refusal, says

CATS, DOGS, BIRDS = (0, 20), (21, 40), (41, 60)
"""Where the sentences stand; each is a passage."""
Span = tuple[int, int]
Script = Mapping[str, Answer | Exception]
ROWS: Sequence[dict[str, Any]] = (
    {
        "id": "q1",
        "question": "Who barks?",
        "answers": ["dogs"],
        "evidence": ["Dogs bark at night."],
        "kind": "fact",
    },
    {
        "id": "q2",
        "question": "How long do cats sleep?",
        "answers": ["16 hours"],
        "evidence": ["Cats sleep 16 hours."],
        "kind": "number",
        "split": "test",
    },
    {
        "id": "q3",
        "question": "Do fish swim?",
        "answers": [],
        "evidence": [],
        "kind": "absent",
        "split": "dev",
    },
    {
        "id": "q4",
        "question": "When do birds sing?",
        "answers": ["dawn"],
        "evidence": ["Birds sing at dawn."],
        "kind": "fact",
    },
)


def saying(cited: Span, *passages: Span) -> Answer:
    """An answer in the words of one sentence, after reading these."""
    start, end = cited
    return answer(
        says(PETS.text[start:end], cite(start, end)),
        passages=[read(*passage) for passage in passages or (cited,)],
    )


def refusing(*passages: Span) -> Answer:
    return refusal(passages=[read(*passage) for passage in passages])


FAILING: Script = {
    "Who barks?": saying(DOGS),
    "How long do cats sleep?": saying(BIRDS, BIRDS, CATS),
    "Do fish swim?": saying(DOGS),
    "When do birds sing?": refusing(CATS, DOGS),
}
"""Right; wrong, the evidence second; to be refused; refused, the evidence not read."""
BETTER: Script = {
    "Who barks?": saying(DOGS),
    "How long do cats sleep?": saying(CATS),
    "Do fish swim?": refusing(DOGS),
    "When do birds sing?": refusing(CATS, DOGS),
}
"""Two questions better than `FAILING`."""
BREAKING: Script = {**FAILING, "Who barks?": ValueError("by nought")}


def make_run(
    folder: Path,
    script: Script = FAILING,
    rows: Sequence[Mapping[str, Any]] = ROWS,
    finished: str | None = None,
    **settings: Any,
) -> Path:
    """Returns the folder of a run that ended."""
    folder.mkdir(parents=True)
    file = folder / "questions.jsonl"
    lines = [json.dumps({"answerable": bool(row["evidence"]), **row}) for row in rows]
    file.write_text("".join(f"{line}\n" for line in lines))
    outcomes = run(read_questions(file), ScriptedBot(_with_questions(script)), [PETS], folder)
    source = {
        "file": "mine.jsonl",
        "sha256": sha256(file.read_bytes()).hexdigest(),
        "asked": len(rows),
        "split": "all",
        "kinds": None,
        "limit": None,
    }
    provenance = collect_provenance(Settings(home=folder, **settings), [PETS], source)
    _, summary = finish(outcomes, [PETS], provenance, folder)
    if finished:
        (folder / "summary.json").write_text(json.dumps({**summary, "finished": finished}))
    return folder


def _with_questions(script: Script) -> Script:
    """Returns the script with the question in each answer."""
    answers: dict[str, Answer | Exception] = {}
    for question, given in script.items():
        if isinstance(given, Exception):
            answers[question] = given
        else:
            answers[question] = replace(given, question=question, standalone_question=question)
    return answers
