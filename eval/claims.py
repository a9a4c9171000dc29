"""Measures how well the sentence check recognises claims that the documents do not support.

The claims are labelled: each is known to be supported by its evidence or not. Each is checked as a
sentence of a language model that cites the passages with its evidence.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic_core import from_json

from eval.dataset import MAX_QUESTION_FILE
from eval.files import (
    MAX_LINE_VALUES,
    MAX_PROBLEMS,
    check_values,
    numbered_lines,
    read_file,
)
from eval.stats.intervals import wilson
from qa.answer.align import MAX_CITED_SENTENCES
from qa.answer.generate import Claim
from qa.answer.verify import Verifier
from qa.errors import QuestionFileError
from qa.library.snapshot import Snapshot
from qa.types import Document, Passage, Span, Support

_Parsed = TypeVar("_Parsed")
SUPPORTS: tuple[Support, ...] = get_args(Support)


@dataclass(frozen=True, slots=True)
class LabelledClaim:
    """A claim of which it is known whether the documents support it."""

    id: str
    text: str
    supported: bool
    kind: str
    evidence: tuple[str, ...]
    """Verbatim quotes of the documents that the claim is about."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share from 0 to 1 of `n` claims, with its 95% interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Detection:
    """How well unsupported claims are recognised. A share of nothing is None."""

    counts: Mapping[tuple[str, Support], int]
    """Claims by kind and support."""
    precision: Share | None
    """Of the claims that the check calls unsupported, the share that is."""
    recall: Share | None
    """Of the unsupported claims, the share that the check calls unsupported."""


def read_claims(path: Path, documents: Sequence[Document]) -> tuple[LabelledClaim, ...]:
    """Returns the claims of a file, one JSON object a line.

    Raises QuestionFileError that names every bad line.
    """
    texts = [document.text for document in documents]

    def parse(raw: Any) -> LabelledClaim:
        try:
            claim = _parse_claim(raw)
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidLine("not a claim with id, claim, supported, kind and evidence") from error
        # Without its evidence a claim would cite nothing, and always be unsupported.
        for quote in claim.evidence:
            if not any(quote in text for text in texts):
                raise InvalidLine("its evidence is not in the documents")
        return claim

    return read_lines(path, parse)


class InvalidLine(Exception):
    """A line that cannot be used. The message says why, and follows the number of the line."""


def read_lines(path: Path, parse: Callable[[Any], _Parsed]) -> tuple[_Parsed, ...]:
    """Returns what `parse` makes of the JSON of each line; it raises InvalidLine.

    Raises QuestionFileError that names every bad line.
    """
    try:
        content = read_file(path, MAX_QUESTION_FILE)
    except OSError as error:
        raise QuestionFileError(
            f"{path} cannot be read: {error.strerror}. Check the path."
        ) from error

    parsed: list[_Parsed] = []
    problems: list[str] = []
    for number, line in numbered_lines(content):
        if len(problems) > MAX_PROBLEMS:
            break
        try:
            check_values(line, MAX_LINE_VALUES)
            # Unlike `json`, it accepts neither deep nesting nor half a surrogate pair.
            raw = from_json(line)
        except ValueError:
            problems.append(f"line {number}: not valid JSON")
            continue
        try:
            parsed.append(parse(raw))
        except InvalidLine as reason:
            problems.append(f"line {number}: {reason}")

    if not content:
        problems.append("it is empty")
    if problems:
        raise QuestionFileError("\n".join([f"{path} has invalid lines:", *problems]))
    return tuple(parsed)


def check_claims(
    claims: Sequence[LabelledClaim], verifier: Verifier, snapshot: Snapshot
) -> list[Support]:
    """Returns the support of each claim, in order.

    A claim cites the passages with its evidence, and the model is taken to have seen no others.
    """
    supports = []
    for claim in claims:
        # A quote may reach into several passages, and several quotes into one.
        cited: dict[Passage, None] = {}
        for quote in claim.evidence:
            cited |= dict.fromkeys(_passages_with(quote, snapshot))
        passages = tuple(cited)
        cited_claim = Claim(claim.text, passages)
        # One by one, since the model is taken to have seen other passages for each.
        (checked,) = verifier.check([cited_claim], passages, snapshot)
        supports.append(checked.sentence.support)
    return supports


def detection(claims: Sequence[LabelledClaim], supports: Sequence[Support]) -> Detection:
    """Returns the counts by kind and support, and precision and recall of "unsupported"."""
    counts: Counter[tuple[str, Support]] = Counter()
    called_unsupported = actually_unsupported = both = 0
    for claim, support in zip(claims, supports, strict=True):
        counts[claim.kind, support] += 1
        if support == "unsupported":
            called_unsupported += 1
        if not claim.supported:
            actually_unsupported += 1
        if support == "unsupported" and not claim.supported:
            both += 1
    return Detection(
        counts=counts,
        precision=share(both, called_unsupported),
        recall=share(both, actually_unsupported),
    )


def _parse_claim(raw: Any) -> LabelledClaim:
    """Raises ValueError, KeyError or TypeError for something that is not a claim."""
    text, supported, evidence = raw["claim"], raw["supported"], raw["evidence"]
    if not isinstance(text, str) or not isinstance(supported, bool):
        raise TypeError(text)
    if not isinstance(evidence, list) or not evidence:
        raise ValueError(evidence)
    return LabelledClaim(
        id=str(raw["id"]),
        text=text,
        supported=supported,
        kind=str(raw["kind"]),
        evidence=tuple(map(str, evidence)),
    )


def _passages_with(quote: str, snapshot: Snapshot) -> list[Passage]:
    """Returns the passages that a quote reaches into, at most as many as a claim may cite."""
    for stored in snapshot.stored_documents():
        document = stored.document
        start = document.text.find(quote)
        if start < 0:
            continue
        # Its first span is enough: the words are the same in every other.
        span = Span(start, start + len(quote))
        passages = []
        for passage in stored.passages:
            if passage.span.overlap(span):
                passages.append(passage)
        return passages[:MAX_CITED_SENTENCES]
    return []


def share(successes: int, n: int) -> Share | None:
    """Returns the share with its interval; None for a share of nothing."""
    interval = wilson(successes, n)
    if interval is None:
        return None
    low, high = interval
    return Share(successes / n, low, high, n)
