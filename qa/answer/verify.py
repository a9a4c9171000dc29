"""Each sentence that a model wrote is checked against the documents: which words it rests on, and whether they say it.

Against the passages that it was marked with; where those do not carry it, against all that the model saw. A number,
date or quotation that they do not have settles it; for the rest a model reads claim and sentences together.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from qa.answer.align import CoveredSentence, EncodedClaim, best_cover, cover_sentences, encode_claim
from qa.answer.citations import cite
from qa.answer.generate import Claim
from qa.documents.sentences import Sentence
from qa.library.snapshot import Snapshot
from qa.models.embedding import Encoding, EncodingCache
from qa.models.entailment import EntailmentModel
from qa.text import facts
from qa.types import AnswerSentence, Passage, Support


@dataclass(frozen=True, slots=True)
class SupportThresholds:
    """Probabilities that the documents carry a claim, 0 to 1, from which on it is weakly supported, and supported."""

    weak: float = 0.4
    supported: float = 0.8


@dataclass(frozen=True, slots=True)
class _Judged:
    """The sentences of some passages that a claim rests on best, and how far they carry it."""

    units: tuple[CoveredSentence, ...]
    probability: float
    verbatim: bool = False


class Verifier:
    """Checks claims with an embedder's token vectors and a model that reads claim and evidence together."""

    def __init__(
        self,
        encodings: EncodingCache,
        entailment: EntailmentModel,
        bounds: SupportThresholds | None = None,
    ) -> None:
        self._encodings = encodings
        self._entailment = entailment
        self._bounds = bounds or SupportThresholds()

    def check(
        self, claims: Sequence[Claim], seen: Sequence[Passage], snapshot: Snapshot
    ) -> tuple[AnswerSentence, ...]:
        """Each claim as a sentence of the answer, with what it rests on and how well that carries it.

        `seen`: all passages that the model saw. A claim that nothing in them carries has no citation.
        """
        if not claims:
            return ()
        known = dict(
            zip(
                seen,
                self._encodings.encode([passage.embedded_text for passage in seen]),
                strict=True,
            )
        )
        encoded = self._encodings.encode([claim.text for claim in claims])
        said = [
            encode_claim(claim.text, own, snapshot.frequencies)
            for claim, own in zip(claims, encoded, strict=True)
        ]
        marked = self._judged(said, [claim.passages for claim in claims], known, snapshot)
        doubtful = [
            place for place, one in enumerate(marked) if one.probability < self._bounds.supported
        ]
        anywhere = self._judged(
            [said[place] for place in doubtful], [tuple(seen)] * len(doubtful), known, snapshot
        )
        judged = dict(enumerate(marked))
        for place, other in zip(doubtful, anywhere, strict=True):
            judged[place] = max(marked[place], other, key=lambda one: one.probability)
        return tuple(self._sentence(claim, judged[place]) for place, claim in enumerate(claims))

    def _sentence(self, claim: Claim, judged: _Judged) -> AnswerSentence:
        support = self._support(judged)
        citations = tuple(cite(unit.document, unit.span) for unit in judged.units)
        return AnswerSentence(claim.text, support, citations if support != "unsupported" else ())

    def _support(self, judged: _Judged) -> Support:
        if judged.verbatim:
            return "verbatim"
        if judged.probability >= self._bounds.supported:
            return "supported"
        return "weak" if judged.probability >= self._bounds.weak else "unsupported"

    def _judged(
        self,
        said: Sequence[EncodedClaim],
        passages: Sequence[Sequence[Passage]],
        known: Mapping[Passage, Encoding],
        snapshot: Snapshot,
    ) -> list[_Judged]:
        """What each claim rests on in its own passages; one reading for all claims together."""
        chosen = [
            _evidence(claim, [
                unit
                for passage in own
                for unit in cover_sentences(claim, passage, known[passage], _telling(passage, known, snapshot))
            ])
            for claim, own in zip(said, passages, strict=True)
        ]  # fmt: skip
        read = [
            place
            for place, units in enumerate(chosen)
            if units and not _objects(said[place].text, units)
        ]
        texts = [(said[place].text, _context(chosen[place], snapshot)) for place in read]
        pairs = [(facts.in_digits(text), facts.in_digits(context)) for text, context in texts]
        odds = dict(zip(read, self._entailment.log_odds(pairs), strict=True))
        return [
            _Judged(tuple(units), 1.0, verbatim=True)
            if _plain(" ".join(unit.text for unit in units)) == _plain(said[place].text)
            else _Judged(tuple(units), 1 / (1 + math.exp(-odds[place])) if place in odds else 0.0)
            for place, units in enumerate(chosen)
        ]


def _evidence(said: EncodedClaim, units: Sequence[CoveredSentence]) -> list[CoveredSentence]:
    """The shortest sentence that has the claim word for word, or else those that cover it best."""
    whole = [unit for unit in units if _says(unit.text, said.text)]
    return [min(whole, key=lambda unit: len(unit.text))] if whole else best_cover(said, units)


def _objects(claim: str, units: Sequence[CoveredSentence]) -> bool:
    """Whether the claim has a number, a month, a weekday or a quotation that the sentences do not have."""
    text = " ".join(unit.text for unit in units)
    numbers = facts.numbers(text, ones=True)
    return (
        not all(number.is_among(numbers) for number in facts.numbers(claim))
        or not facts.months_and_weekdays(claim) <= facts.months_and_weekdays(text)
        or not all(_says(text, words) for words in facts.quotations(claim))
    )


def _says(text: str, words: str) -> bool:
    """Whether a text has these words one after the other, however they are written."""
    plain = _plain(words)
    return bool(plain) and bool(re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", _plain(text)))


def _plain(text: str) -> str:
    """Words without how they are written: Markdown, and the marks at their ends."""
    return re.sub(r"[*_`]", "", facts.folded(text)).strip(" .,;:!?\"'")


def _telling(passage: Passage, seen: Collection[Passage], snapshot: Snapshot) -> list[Sentence]:
    """Without what the publisher says of itself, and what only repeats another sentence that was seen."""
    sentences = snapshot.sentences[passage.document.id]
    begun = [one.span for one in seen if one.document.name == passage.document.name]

    def repeats(sentence: Sentence) -> bool:
        if sentence.duplicate_of is None:
            return False
        start = sentences[sentence.duplicate_of].span.start
        return any(span.start <= start < span.end for span in begun)

    return [
        one for one in snapshot.sentences_in(passage) if not one.boilerplate and not repeats(one)
    ]


def _context(units: Sequence[CoveredSentence], snapshot: Snapshot) -> str:
    """The sentences, each after the one before it, which may say whom it speaks of."""
    parts: dict[tuple[str, int], str] = {}
    for unit in units:
        sentences = snapshot.sentences[unit.document.id]
        place = sentences.index(unit.sentence)
        for other in sentences[max(0, place - 1) : place + 1]:
            parts[unit.document.id, other.span.start] = unit.document.text[
                other.span.start : other.span.end
            ]
    return " ".join(" ".join(part.split()) for part in parts.values())
