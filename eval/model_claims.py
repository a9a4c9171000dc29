"""Measures the sentence check on sentences that real language models wrote.

Each sentence is labelled by a person's reading: do the passages that the model saw support it? It
is checked again as in an answer, with the passages that the model cited and all that it saw.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from eval.claims import InvalidLine, Share, read_lines, share
from qa.answer.empty_words import repeats_question, says_nothing
from qa.answer.generate import Claim
from qa.answer.verify import CheckedClaim, Verifier
from qa.library.snapshot import Snapshot
from qa.types import Document, Passage, Span, Support

Label = Literal["supported", "partly", "unsupported", "empty"]
"""What the passages say of a sentence. "partly": some of it; "empty": it states nothing."""
PassageBounds = tuple[str, int, int]
"""A document's name, and the offsets in it at which a passage starts and ends."""
LABELS: tuple[Label, ...] = ("supported", "partly", "unsupported", "empty")
Outcome = Support | Literal["left out"]
"""What a person sees of a sentence; "left out": it was recognised as empty."""
OUTCOMES: tuple[Outcome, ...] = ("verbatim", "supported", "weak", "unsupported", "left out")


@dataclass(frozen=True, slots=True)
class ModelClaim:
    """A sentence of a language model, with what the model saw, and its label."""

    id: str
    model: str
    question: str
    claim: str
    label: Label
    cited: tuple[PassageBounds, ...]
    """The passages that the model cited for it, a part of `seen`."""
    seen: tuple[PassageBounds, ...]
    """All passages that were in the prompt."""
    split: Literal["dev", "test"]


@dataclass(frozen=True, slots=True)
class CheckMetrics:
    """How well the check's marks agree with the labels. A share of nothing is None.

    Sentences that are labelled "empty" count in `counts` and in `empty_left_out` only.
    """

    counts: Mapping[tuple[Label, Outcome], int]
    unsupported_recall: Share | None
    """Of the unsupported sentences, the share that is marked so."""
    unsupported_precision: Share | None
    """Of the sentences marked unsupported, the share that is unsupported or partly supported."""
    supported_precision: Share | None
    """Of the sentences without a warning (verbatim or supported), the share that is supported."""
    supported_recall: Share | None
    """Of the supported sentences, the share without a warning."""
    weak: Share | None
    """Of all sentences, the share that is marked weak."""
    empty_left_out: Share | None
    """Of the empty sentences, the share that is left out."""


_CLAIMS = TypeAdapter(ModelClaim)


def read_model_claims(path: Path, documents: Sequence[Document]) -> tuple[ModelClaim, ...]:
    """Returns the sentences of a file, one JSON object a line.

    Raises QuestionFileError that names every bad line.
    """
    lengths = {document.name: len(document.text) for document in documents}

    def parse(raw: Any) -> ModelClaim:
        try:
            claim = _CLAIMS.validate_python(raw)
        except ValidationError as error:
            fields = "id, model, question, claim, label, cited, seen and split"
            raise InvalidLine(f"not a sentence with {fields}") from error
        if not set(claim.cited) <= set(claim.seen):
            raise InvalidLine("it cites a passage that the model did not see")
        for name, start, end in claim.seen:
            if not 0 <= start < end <= lengths.get(name, 0):
                raise InvalidLine(f"{name} has no passage from {start} to {end}")
        return claim

    return read_lines(path, parse)


def check_model_claims(
    claims: Sequence[ModelClaim], verifier: Verifier, snapshot: Snapshot
) -> list[CheckedClaim | None]:
    """Returns each sentence as it was checked; None where it was recognised as empty."""

    def passages(bounds: Sequence[PassageBounds]) -> tuple[Passage, ...]:
        bounded = []
        for name, start, end in bounds:
            bounded.append(Passage(snapshot.document_named(name), Span(start, end)))
        return tuple(bounded)

    checked: list[CheckedClaim | None] = []
    for claim in claims:
        if says_nothing(claim.claim) or repeats_question(claim.claim, claim.question):
            checked.append(None)
            continue
        written = Claim(claim.claim, passages(claim.cited), claim.question)
        # One by one, since the model saw other passages for each.
        (result,) = verifier.check([written], passages(claim.seen), snapshot)
        checked.append(result)
    return checked


def outcome(checked: CheckedClaim | None) -> Outcome:
    """Returns what a person sees of a sentence."""
    return checked.sentence.support if checked else "left out"


def check_metrics(claims: Sequence[ModelClaim], outcomes: Sequence[Outcome]) -> CheckMetrics:
    """Returns how well the outcomes agree with the labels of the claims, in the same order."""
    counts: Counter[tuple[Label, Outcome]] = Counter()
    for claim, seen in zip(claims, outcomes, strict=True):
        counts[claim.label, seen] += 1

    def count(labels: Sequence[Label], chosen: Sequence[Outcome]) -> int:
        return sum(counts[label, name] for label in labels for name in chosen)

    stated = LABELS[:3]
    unmarked: tuple[Outcome, ...] = ("verbatim", "supported")
    wrong: tuple[Label, ...] = ("partly", "unsupported")
    return CheckMetrics(
        counts=counts,
        unsupported_recall=share(
            count(["unsupported"], ["unsupported"]), count(["unsupported"], OUTCOMES)
        ),
        unsupported_precision=share(count(wrong, ["unsupported"]), count(stated, ["unsupported"])),
        supported_precision=share(count(["supported"], unmarked), count(stated, unmarked)),
        supported_recall=share(count(["supported"], unmarked), count(["supported"], OUTCOMES)),
        weak=share(count(stated, ["weak"]), count(stated, OUTCOMES)),
        empty_left_out=share(count(["empty"], ["left out"]), count(["empty"], OUTCOMES)),
    )
