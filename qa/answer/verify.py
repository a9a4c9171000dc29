"""Checks each claim of a language model against the documents.

First against the passages that the model cited for it. Where those do not support the claim,
against everything that the model saw: small models often cite the wrong passage. A number, date,
quotation or name that the documents do not have settles the matter; for the rest, an entailment
model reads the claim together with the sentences that it rests on.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from qa.answer.align import (
    CoveredSentence,
    EncodedClaim,
    best_cover,
    cover_sentences,
    encode_claim,
)
from qa.answer.citations import cite
from qa.answer.generate import Claim
from qa.documents.context import introduces
from qa.documents.sentences import Sentence
from qa.library.snapshot import Snapshot
from qa.models.embedding import Encoding, EncodingCache
from qa.models.entailment import MIN_WORDS_ALONE, EntailmentModel, asked_claim
from qa.text import facts
from qa.text.numbers import in_digits, numbers_in
from qa.types import AnswerSentence, Citation, Document, Passage, Span, Support


@dataclass(frozen=True, slots=True)
class SupportThresholds:
    """The probabilities, 0 to 1, from which a claim is weakly supported and supported."""

    # Chosen on sentences of a real model (the development split): docs/verifier_card.md.
    weak: float = 0.5
    supported: float = 0.7


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim as a sentence of the answer, with its support and its citations."""

    sentence: AnswerSentence
    probability: float
    """How surely its evidence supports it, 0 to 1."""


@dataclass(slots=True)
class _Evidence:
    """The sentences that a claim rests on, and how surely they support it."""

    claim: str
    sentences: list[CoveredSentence]
    verbatim: bool
    headings: "_Headings" = field(default_factory=dict)
    """Those with a fact that the sentences below them lack: the date of a release, the year."""
    log_odds: float = -math.inf
    """Of the entailment model; -inf: the model was not asked."""

    @property
    def probability(self) -> float:
        if self.verbatim:
            return 1.0
        if self.log_odds == -math.inf:
            return 0.0
        return 1 / (1 + math.exp(-self.log_odds))


@dataclass(frozen=True, slots=True)
class _SeenPassages:
    """All passages that the model saw."""

    encodings: Mapping[Passage, Encoding]
    """Of the embedded text of each passage."""
    snapshot: Snapshot

    def citable_sentences(self, passage: Passage) -> list[Sentence]:
        """Returns a passage's sentences without boilerplate and duplicates.

        A duplicate (a pull quote) often hides who spoke: its original is cited, if it was seen.
        """
        citable = []
        for sentence in self.snapshot.sentences_in(passage):
            repeats = self._original_was_seen(passage, sentence)
            if not sentence.boilerplate and not repeats:
                citable.append(sentence)
        return citable

    def _original_was_seen(self, passage: Passage, sentence: Sentence) -> bool:
        if sentence.duplicate_of is None:
            return False
        document = passage.document
        original = self.snapshot.sentences_of(document)[sentence.duplicate_of]
        start = original.span.start
        for seen in self.encodings:
            same_document = seen.document.name == document.name
            if same_document and seen.span.start <= start < seen.span.end:
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
    ) -> tuple[CheckedClaim, ...]:
        """Returns each claim as a sentence of the answer, with its support and its citations.

        `seen`: all passages that the model saw. An unsupported claim has no citation.
        """
        if not claims:
            return ()
        passage_texts = [snapshot.embedded_text(passage) for passage in seen]
        passage_encodings = self._encodings.encode(passage_texts)
        encoding_of = dict(zip(seen, passage_encodings, strict=True))
        passages = _SeenPassages(encoding_of, snapshot)

        to_cited = self._with_cited_passages(claims, snapshot)
        evidence = self._find_evidence(to_cited, passages)
        doubtful = []
        for number, in_cited in enumerate(evidence):
            if in_cited.probability < self._thresholds.supported:
                doubtful.append(number)

        # Often the model cited the wrong passage, or none.
        to_all = [replace(to_cited[number], passages=seen) for number in doubtful]
        evidence_anywhere = self._find_evidence(to_all, passages)
        for number, anywhere in zip(doubtful, evidence_anywhere, strict=True):
            if anywhere.probability > evidence[number].probability:
                evidence[number] = anywhere
        checked = []
        for supporting in evidence:
            sentence = self._answer_sentence(supporting)
            checked.append(CheckedClaim(sentence, supporting.probability))
        return tuple(checked)

    def _with_cited_passages(
        self, claims: Sequence[Claim], snapshot: Snapshot
    ) -> list["_ClaimToCheck"]:
        texts = [claim.text for claim in claims]
        encodings = self._encodings.encode(texts)
        to_check = []
        for claim, encoding in zip(claims, encodings, strict=True):
            encoded = encode_claim(claim.text, encoding, snapshot.frequencies)
            to_check.append(_ClaimToCheck(encoded, claim.question, claim.passages))
        return to_check

    def _find_evidence(
        self, claims: Sequence["_ClaimToCheck"], seen: _SeenPassages
    ) -> list[_Evidence]:
        """Returns for each claim the evidence in its passages.

        The entailment model reads the sentences of all claims in one call, which is faster.
        """
        evidence = []
        to_read = []
        pairs = []
        for claim in claims:
            text = claim.encoded.text
            sentences = _choose_sentences(claim.encoded, claim.passages, seen)
            verbatim = _is_same_text(text, _joined(sentences))
            checked = _Evidence(text, sentences, verbatim)
            evidence.append(checked)

            # What lacks a fact is not read: the model may not notice a wrong number.
            if not sentences or _lacks_names(text, seen):
                continue
            if _lacks_facts(text, _joined(sentences)):
                checked.headings = _headings_with_facts(text, sentences)
                if not checked.headings:
                    continue
            # In digits on both sides: "two thousand" and "2,000" are the same words then.
            context = _with_sentence_before(sentences, checked.headings, seen.snapshot)
            pair = (in_digits(claim.as_read), in_digits(context))
            to_read.append(checked)
            pairs.append(pair)

        all_log_odds = self._entailment.log_odds(pairs)
        for checked, log_odds in zip(to_read, all_log_odds, strict=True):
            checked.log_odds = log_odds
        return evidence

    def _answer_sentence(self, evidence: _Evidence) -> AnswerSentence:
        support = self._support(evidence)
        if support == "unsupported":
            return AnswerSentence(evidence.claim, support, ())
        citations: dict[Citation, None] = {}
        for document, span in evidence.headings.values():
            citations[cite(document, span)] = None
        for covered in evidence.sentences:
            # Without the names of its columns a row does not say what a claim says.
            header = covered.sentence.header
            if header:
                citations[cite(covered.document, header)] = None
            citations[cite(covered.document, covered.span)] = None
        return AnswerSentence(evidence.claim, support, tuple(citations))

    def _support(self, evidence: _Evidence) -> Support:
        if evidence.verbatim:
            return "verbatim"
        if evidence.probability >= self._thresholds.supported:
            return "supported"
        return "weak" if evidence.probability >= self._thresholds.weak else "unsupported"


@dataclass(frozen=True, slots=True)
class _ClaimToCheck:
    """A claim, and the passages in which its evidence is looked for."""

    encoded: EncodedClaim
    question: str
    passages: Sequence[Passage]

    @property
    def as_read(self) -> str:
        """The text that the entailment model reads: a bare value comes after its question."""
        text = self.encoded.text
        is_fragment = len(text.split()) < MIN_WORDS_ALONE
        return asked_claim(self.question, text) if is_fragment else text


def _choose_sentences(
    claim: EncodedClaim, passages: Sequence[Passage], seen: _SeenPassages
) -> list[CoveredSentence]:
    """Returns the shortest sentence that contains the claim, or those that cover it best."""
    candidates: list[CoveredSentence] = []
    for passage in passages:
        encoding = seen.encodings[passage]
        sentences = seen.citable_sentences(passage)
        view = seen.snapshot.view_of(passage)
        candidates += cover_sentences(claim, passage, view, encoding, sentences)

    containing = []
    plain_claim = _plain(claim.text)
    for sentence in candidates:
        if _contains_plain(sentence.text, plain_claim):
            containing.append(sentence)
    # The shortest has the fewest words that the claim does not have.
    if containing:
        return [min(containing, key=lambda sentence: len(sentence.text))]
    return best_cover(claim, candidates)


_Headings = dict[tuple[str, int], tuple[Document, Span]]
"""Headings by document id and offset, in the order of the sentences below them."""


def _headings_with_facts(claim: str, sentences: Sequence[CoveredSentence]) -> _Headings:
    """Returns the fewest headings that have the facts of a claim that its sentences lack.

    Empty: not even all headings together have them.
    """
    headings: _Headings = {}
    for covered in sentences:
        document = covered.document
        for span in covered.sentence.context:
            headings[document.id, span.start] = (document, span)
    if _lacks_facts(claim, _below_headings(headings, sentences)):
        return {}
    for key in list(headings):
        fewer = dict(headings)
        del fewer[key]
        if not _lacks_facts(claim, _below_headings(fewer, sentences)):
            headings = fewer
    return headings


def _below_headings(headings: _Headings, sentences: Sequence[CoveredSentence]) -> str:
    texts = [document.text_of(span) for document, span in headings.values()]
    return "\n".join((*texts, _joined(sentences)))


def _lacks_facts(claim: str, text: str) -> bool:
    """Returns whether the claim has a number, date word or quotation that the text lacks."""
    available = numbers_in(text, include_ones=True)
    for number in numbers_in(claim):
        if not number.is_among(available):
            return True
    for quotation in facts.quotations_in(claim):
        if not _contains(text, quotation):
            return True
    claim_days = facts.months_and_weekdays(claim)
    text_days = facts.months_and_weekdays(text)
    return not claim_days <= text_days


def _lacks_names(claim: str, seen: _SeenPassages) -> bool:
    """Returns whether the claim has a name that no passage has which the model saw.

    Not only the cited sentences are searched: a name may stand in a title, or sentences before the
    pronoun that means it.
    """
    texts = [seen.snapshot.embedded_text(passage) for passage in seen.encodings]
    return bool(facts.missing_names(facts.names_in(claim), "\n".join(texts)))


def _with_sentence_before(
    sentences: Sequence[CoveredSentence], headings: "_Headings", snapshot: Snapshot
) -> str:
    """Returns headings and sentences, each sentence after what it may need: its lead-in or
    question, and the sentence before it, which may say whom a pronoun means.
    """
    parts: dict[tuple[str, int], str] = {}
    for key, (heading_document, heading) in headings.items():
        parts[key] = " ".join(heading_document.text_of(heading).split())
    for covered in sentences:
        document = covered.document
        all_sentences = snapshot.sentences_of(document)
        start = covered.sentence.span.start
        index = bisect_left(all_sentences, start, key=attrgetter("start"))
        first = max(0, index - 1)
        spans = [sentence.span for sentence in all_sentences[first:index]]
        for span in covered.sentence.context[-1:]:
            if introduces(document.text_of(span)):
                spans.insert(0, span)
        for span in spans:
            words = document.text_of(span).split()
            parts.setdefault((document.id, span.start), " ".join(words))
        parts[document.id, start] = " ".join(covered.text.split())
    return " ".join(parts.values())


def _contains(text: str, words: str) -> bool:
    """Returns whether a text has these words in a row, whatever their case and Markdown."""
    return _contains_plain(text, _plain(words))


def _contains_plain(text: str, plain_words: str) -> bool:
    if not plain_words:
        return False
    whole_words = rf"(?<!\w){re.escape(plain_words)}(?!\w)"
    return re.search(whole_words, _plain(text)) is not None


def _is_same_text(first: str, second: str) -> bool:
    return _plain(first) == _plain(second)


def _plain(text: str) -> str:
    """Returns the text folded, without Markdown, and without punctuation at its ends."""
    return re.sub(r"[*_`]", "", facts.folded(text)).strip(" .,;:!?\"'")


def _joined(sentences: Sequence[CoveredSentence]) -> str:
    return " ".join(sentence.text for sentence in sentences)
