"""Checks each claim of a language model against the documents.

First against the passages that the model cited for it. Where those do not support the claim,
against everything that the model saw: small models often cite the wrong passage. A number, date or
quotation that the documents do not have settles the matter; for the rest, an entailment model reads
the claim together with the sentences that it rests on.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qa.answer.align import (
    CoveredSentence,
    EncodedClaim,
    best_cover,
    cover_sentences,
    encode_claim,
)
from qa.answer.citations import cite
from qa.answer.generate import Claim
from qa.documents.sentences import Sentence
from qa.library.snapshot import Snapshot
from qa.models.embedding import Encoding, EncodingCache
from qa.models.entailment import EntailmentModel
from qa.text import facts
from qa.text.numbers import in_digits, numbers
from qa.types import AnswerSentence, Passage, Support


@dataclass(frozen=True, slots=True)
class SupportThresholds:
    """The least probability, 0 to 1, of a claim that is weakly supported, and of a supported one."""

    weak: float = 0.4
    supported: float = 0.8


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The sentences that a claim rests on, and the probability that they support it."""

    sentences: tuple[CoveredSentence, ...]
    probability: float
    verbatim: bool = False


@dataclass(frozen=True, slots=True)
class _SeenPassages:
    """All passages that the model saw."""

    encodings: Mapping[Passage, Encoding]
    snapshot: Snapshot

    def citable_sentences(self, passage: Passage) -> list[Sentence]:
        """Returns a passage's sentences without boilerplate and duplicates.

        A duplicate (a pull quote) often hides who spoke: its original is cited, if it was seen.
        """
        citable = []
        for sentence in self.snapshot.sentences_in(passage):
            if not sentence.boilerplate and not self._original_was_seen(passage, sentence):
                citable.append(sentence)
        return citable

    def _original_was_seen(self, passage: Passage, sentence: Sentence) -> bool:
        if sentence.duplicate_of is None:
            return False
        document = passage.document
        original = self.snapshot.sentences[document.id][sentence.duplicate_of].span.start
        for seen in self.encodings:
            same_document = seen.document.name == document.name
            if same_document and seen.span.start <= original < seen.span.end:
                return True
        return False


class Verifier:
    """Checks claims with the token vectors of an embedder and with an entailment model."""

    def __init__(
        self,
        encodings: EncodingCache,
        entailment: EntailmentModel,
        thresholds: SupportThresholds | None = None,
    ) -> None:
        self._encodings = encodings
        self._entailment = entailment
        self._thresholds = thresholds or SupportThresholds()

    def check(
        self, claims: Sequence[Claim], seen: Sequence[Passage], snapshot: Snapshot
    ) -> tuple[AnswerSentence, ...]:
        """Returns each claim as a sentence of the answer, with its support and its citations.

        `seen`: all passages that the model saw. An unsupported claim has no citation.
        """
        if not claims:
            return ()
        passage_encodings = self._encodings.encode([passage.embedded_text for passage in seen])
        passages = _SeenPassages(dict(zip(seen, passage_encodings, strict=True)), snapshot)
        claim_encodings = self._encodings.encode([claim.text for claim in claims])
        encoded = []
        for claim, encoding in zip(claims, claim_encodings, strict=True):
            encoded.append(encode_claim(claim.text, encoding, snapshot.frequencies))

        evidence = self._find_evidence(encoded, [claim.passages for claim in claims], passages)
        doubtful = []
        for number, found in enumerate(evidence):
            if found.probability < self._thresholds.supported:
                doubtful.append(number)
        anywhere = self._find_evidence(
            [encoded[number] for number in doubtful], [seen] * len(doubtful), passages
        )
        for number, elsewhere in zip(doubtful, anywhere, strict=True):
            if elsewhere.probability > evidence[number].probability:
                evidence[number] = elsewhere

        pairs = zip(claims, evidence, strict=True)
        return tuple(self._answer_sentence(claim, found) for claim, found in pairs)

    def _find_evidence(
        self,
        claims: Sequence[EncodedClaim],
        passages_of: Sequence[Sequence[Passage]],
        seen: _SeenPassages,
    ) -> list[_Evidence]:
        """Returns for each claim the evidence in its passages.

        The entailment model reads the pairs of all claims in one call, which is faster.
        """
        chosen: list[list[CoveredSentence]] = []
        for claim, passages in zip(claims, passages_of, strict=True):
            chosen.append(_choose_sentences(claim, passages, seen))

        pairs: dict[int, tuple[str, str]] = {}
        for number, (claim, sentences) in enumerate(zip(claims, chosen, strict=True)):
            if sentences and not _lacks_facts(claim.text, sentences):
                context = _with_sentence_before(sentences, seen.snapshot)
                pairs[number] = in_digits(claim.text), in_digits(context)
        log_odds = self._entailment.log_odds(list(pairs.values()))
        odds_of = dict(zip(pairs, log_odds, strict=True))

        evidence = []
        for number, (claim, sentences) in enumerate(zip(claims, chosen, strict=True)):
            if _is_same_text(claim.text, _joined(sentences)):
                evidence.append(_Evidence(tuple(sentences), 1.0, verbatim=True))
            else:
                odds = odds_of.get(number)
                probability = 0.0 if odds is None else 1 / (1 + math.exp(-odds))
                evidence.append(_Evidence(tuple(sentences), probability))
        return evidence

    def _answer_sentence(self, claim: Claim, evidence: _Evidence) -> AnswerSentence:
        support = self._support(evidence)
        if support == "unsupported":
            return AnswerSentence(claim.text, support, ())
        citations = [cite(sentence.document, sentence.span) for sentence in evidence.sentences]
        return AnswerSentence(claim.text, support, tuple(citations))

    def _support(self, evidence: _Evidence) -> Support:
        if evidence.verbatim:
            return "verbatim"
        if evidence.probability >= self._thresholds.supported:
            return "supported"
        return "weak" if evidence.probability >= self._thresholds.weak else "unsupported"


def _choose_sentences(
    claim: EncodedClaim, passages: Sequence[Passage], seen: _SeenPassages
) -> list[CoveredSentence]:
    """Returns the shortest sentence that contains the claim, or the sentences that cover it best."""
    candidates: list[CoveredSentence] = []
    for passage in passages:
        sentences = seen.citable_sentences(passage)
        candidates += cover_sentences(claim, passage, seen.encodings[passage], sentences)
    containing = [sentence for sentence in candidates if _contains(sentence.text, claim.text)]
    if containing:
        return [min(containing, key=lambda sentence: len(sentence.text))]
    return best_cover(claim, candidates)


def _lacks_facts(claim: str, sentences: Sequence[CoveredSentence]) -> bool:
    """Whether the claim has a number, month, weekday or quotation that the sentences lack."""
    text = _joined(sentences)
    available = numbers(text, ones=True)
    if not all(number.is_among(available) for number in numbers(claim)):
        return True
    if not facts.months_and_weekdays(claim) <= facts.months_and_weekdays(text):
        return True
    return not all(_contains(text, quotation) for quotation in facts.quotations(claim))


def _with_sentence_before(sentences: Sequence[CoveredSentence], snapshot: Snapshot) -> str:
    """Returns the sentences, each after the one before it, which may say whom a pronoun means."""
    parts: dict[tuple[str, int], str] = {}
    for covered in sentences:
        document = covered.document
        all_sentences = snapshot.sentences[document.id]
        position = all_sentences.index(covered.sentence)
        for sentence in all_sentences[max(0, position - 1) : position + 1]:
            start, end = sentence.span.start, sentence.span.end
            parts[document.id, start] = " ".join(document.text[start:end].split())
    return " ".join(parts.values())


def _contains(text: str, words: str) -> bool:
    """Whether a text has these words one after the other, whatever their case and Markdown."""
    plain_words = _plain(words)
    if not plain_words:
        return False
    return bool(re.search(rf"(?<!\w){re.escape(plain_words)}(?!\w)", _plain(text)))


def _is_same_text(first: str, second: str) -> bool:
    return _plain(first) == _plain(second)


def _plain(text: str) -> str:
    """Returns the text folded, without Markdown, and without punctuation at its ends."""
    return re.sub(r"[*_`]", "", facts.folded(text)).strip(" .,;:!?\"'")


def _joined(sentences: Sequence[CoveredSentence]) -> str:
    return " ".join(sentence.text for sentence in sentences)
