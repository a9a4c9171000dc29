"""How well unsupported sentences are found: claims over the documents, labelled by construction, each checked as a
language model's sentence is that cites the passages with its evidence.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.stats.intervals import Interval, wilson
from qa.answer.align import MAX_CITED_SENTENCES
from qa.answer.generate import Claim
from qa.answer.verify import Verifier
from qa.errors import QuestionFileError
from qa.library.snapshot import Snapshot
from qa.types import Document, Passage, Span, Support

STATES: tuple[Support, ...] = ("verbatim", "supported", "weak", "unsupported")


@dataclass(frozen=True, slots=True)
class LabelledClaim:
    """A claim with its label."""

    id: str
    text: str
    supported: bool
    kind: str
    evidence: tuple[str, ...]
    """Verbatim quotes of the documents: what it is about."""


@dataclass(frozen=True, slots=True)
class Found:
    """What checking came to for some claims. The shares are None where there is nothing to share."""

    counts: Mapping[tuple[str, Support], int]
    """By kind and state."""
    precision: tuple[float, Interval, int] | None
    """Of the claims found unsupported, the share that are: with its 95% interval and their number."""
    recall: tuple[float, Interval, int] | None
    """Of those that are, the share found."""


def read_claims(path: Path, documents: Sequence[Document]) -> tuple[LabelledClaim, ...]:
    """The claims of a file, one JSON object a line. Raises QuestionFileError for bad lines, all of them named."""
    texts = [document.text for document in documents]
    found, wrong = [], []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionFileError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        try:
            claim = _labelled(json.loads(line))
        except (ValueError, KeyError, TypeError):
            wrong.append(f"line {number}: no claim with id, claim, supported, kind and evidence")
            continue
        if not all(any(quote in text for text in texts) for quote in claim.evidence):
            wrong.append(f"line {number}: its evidence is in no document")
        found.append(claim)
    if wrong or not found:
        raise QuestionFileError(
            "\n".join([f"{path} has no good claims:", *(wrong or ["it is empty"])])
        )
    return tuple(found)


def _labelled(raw: Any) -> LabelledClaim:
    text, supported, evidence = raw["claim"], raw["supported"], raw["evidence"]
    if not (
        isinstance(text, str)
        and isinstance(supported, bool)
        and isinstance(evidence, list)
        and evidence
    ):
        raise ValueError(text)
    return LabelledClaim(
        str(raw["id"]), text, supported, str(raw["kind"]), tuple(map(str, evidence))
    )


def check(claims: Sequence[LabelledClaim], verifier: Verifier, snapshot: Snapshot) -> list[Support]:
    """The state of each claim, in order. What it cites: the passages with its evidence; what was seen: no more."""
    states = []
    for claim in claims:
        cited = tuple(
            dict.fromkeys(p for quote in claim.evidence for p in _holding(quote, snapshot))
        )
        (sentence,) = verifier.check([Claim(claim.text, cited)], cited, snapshot)
        states.append(sentence.support)
    return states


def _holding(quote: str, snapshot: Snapshot) -> list[Passage]:
    """The passages that a quote reaches into, at most as many as a claim may rest on."""
    for document in snapshot.documents:
        start = document.text.find(quote)
        if start >= 0:
            span = Span(start, start + len(quote))
            own = (p for p in snapshot.passages.values() if p.document.id == document.id)
            return [passage for passage in own if passage.span.overlap(span)][:MAX_CITED_SENTENCES]
    return []


def figures(claims: Sequence[LabelledClaim], states: Sequence[Support]) -> Found:
    """Counts by kind and state; precision and recall of "unsupported"."""
    counts: dict[tuple[str, Support], int] = {}
    for claim, state in zip(claims, states, strict=True):
        counts[claim.kind, state] = counts.get((claim.kind, state), 0) + 1
    flagged = [
        not claim.supported
        for claim, state in zip(claims, states, strict=True)
        if state == "unsupported"
    ]
    wrong = [
        state == "unsupported"
        for claim, state in zip(claims, states, strict=True)
        if not claim.supported
    ]
    return Found(counts, _share(flagged), _share(wrong))


def _share(hits: Sequence[bool]) -> tuple[float, Interval, int] | None:
    interval = wilson(sum(hits), len(hits))
    return (sum(hits) / len(hits), interval, len(hits)) if interval else None
