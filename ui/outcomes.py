"""What became of each question of an evaluation run: its answer, and what would have been right."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from qa.errors import FootnoteError
from ui.figures import Run, sound
from ui.runs import RESULTS

QUESTIONS: Final = "questions.jsonl"
LARGEST: Final = 64 * 2**20
"""Bytes of a question file: a summary may name any file, and it is read to be known by its hash."""
Outcome = Literal["wrong answer", "wrongly refused", "should have refused", "error"]
OUTCOMES: Final[tuple[Outcome, ...]] = (
    "wrong answer",
    "wrongly refused",
    "should have refused",
    "error",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A line of results.jsonl."""

    id: str
    question: str
    answer: str
    abstained: bool
    confidence: float | None
    cited: tuple[tuple[str, str], ...]
    """Document and quote, each once."""
    read: int
    """How many passages were read."""
    error: str | None


@dataclass(frozen=True, slots=True)
class Gold:
    """What a question file says of a question."""

    kind: str
    split: str
    answers: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """A question that a person would not have been served on."""

    reply: Reply
    outcome: Outcome
    gold: Gold | None
    """None: the question file is not to be had."""
    rank: int | None
    """Where the first passage that holds gold evidence ranked, from 1; 0: nowhere; None: it holds none, or it broke."""
    accepted: bool
    """Whether an accepted answer is among the words of a wrong answer."""


def replies(folder: Path) -> dict[str, Reply]:
    """The lines of a run's results, by question id. Raises FootnoteError that names the line that is no result."""
    file = folder / RESULTS
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise FootnoteError(
            f"{file} cannot be read: {error.strerror}. Make the run again."
        ) from error
    found = {}
    for number, line in enumerate(lines, start=1):
        try:
            reply = _reply(json.loads(line.decode("utf-8")))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise FootnoteError(
                f"{file} is damaged at line {number}. Make the run again."
            ) from error
        found[reply.id] = reply
    return found


def gold(run: Run) -> dict[str, Gold]:
    """What the run's question file says, by question id. Raises FootnoteError if that very file is not to be had."""
    for file in (run.folder / QUESTIONS, Path(run.file)):
        raw = _content(file)
        if raw is not None and sha256(raw).hexdigest() == run.sha256:
            return _gold(raw, file)
    raise FootnoteError(
        f"Kinds, splits and expected answers are not known: {run.file} is not there, or has changed since the run. "
        f"Put the file as it was into {run.folder} as {QUESTIONS}."
    )


def failed(run: Run, said: Mapping[str, Reply], known: Mapping[str, Gold]) -> list[Failed]:
    """The failed questions, in the run's order. Raises FootnoteError if the results are not of the summary's run."""
    missing = [key for key in (*run.errors, *run.scores) if key not in said]
    if missing:
        raise FootnoteError(
            f"{run.folder / RESULTS} lacks {len(missing)} questions of the summary, {missing[0]} for one. "
            "Make the run again."
        )
    outcomes = ((reply, _outcome(run, reply)) for reply in said.values())
    return [
        _failed(run, reply, outcome, known.get(reply.id)) for reply, outcome in outcomes if outcome
    ]


def _content(file: Path) -> bytes | None:
    """None: there is no such file, or none that could be a question file."""
    try:
        return file.read_bytes() if file.is_file() and file.stat().st_size <= LARGEST else None
    except (OSError, ValueError):
        return None


def _gold(raw: bytes, file: Path) -> dict[str, Gold]:
    try:
        rows = [json.loads(line.decode("utf-8")) for line in raw.split(b"\n") if line.strip()]
        return {
            str(row["id"]): Gold(
                sound(row["kind"]),
                sound(row.get("split", "dev")),
                _all(row["answers"]),
                _all(row["evidence"]),
            )
            for row in rows
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FootnoteError(f"{file} is damaged. Put the file as it was in its place.") from error


def _all(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(sound, texts))


def _reply(row: Any) -> Reply:
    """Raises ValueError, TypeError, KeyError or AttributeError for what is not a result."""
    key = row["id"]
    if not isinstance(key, str):
        raise TypeError(f"an id is a text, not {key}")
    if "error" in row:
        return Reply(key, sound(row["question"]), "", False, None, (), 0, sound(row["error"]))
    citations = [citation for sentence in row["sentences"] for citation in sentence["citations"]]
    cited = dict.fromkeys(
        (sound(citation["document"]), sound(citation["quote"])) for citation in citations
    )
    return Reply(
        id=key,
        question=sound(row["question"]),
        answer=sound(row["answer"]),
        abstained=bool(row["abstained"]),
        confidence=float(row["confidence"]),
        cited=tuple(cited),
        read=len(row["passages"]),
        error=None,
    )


def _outcome(run: Run, reply: Reply) -> Outcome | None:
    """None: it went well, or it is not known to have failed."""
    if reply.error is not None:
        return "error"
    scores = run.scores.get(reply.id, {})
    if scores.get("answered_right") != 0:
        return None
    if scores.get("rightly_refused") is not None:
        return "should have refused"
    return "wrongly refused" if reply.abstained else "wrong answer"


def _failed(run: Run, reply: Reply, outcome: Outcome, known: Gold | None) -> Failed:
    scores = run.scores.get(reply.id, {})
    reciprocal = scores.get("reciprocal_rank")
    rank = None if reciprocal is None else round(1 / reciprocal) if reciprocal > 0 else 0
    return Failed(reply, outcome, known, rank, accepted=scores.get("contains_answer") == 1)
