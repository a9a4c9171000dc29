"""Claims about the documents written for training, with the evidence that the check finds.

The documents' files have two claims for each question: one that the document supports, and one that
it does not. The check itself chooses the evidence, so the checking model is trained on what it
reads in use.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from qa.answer.generate import Claim
from qa.answer.verify import Verifier
from qa.library.snapshot import Snapshot
from qa.models.embedding import Embedder, EncodingCache
from qa.models.entailment import MIN_WORDS_ALONE, NEVER
from qa.text.numbers import in_digits
from qa.text.words import terms
from qa.training.claims import TrainingClaim
from qa.training.handmade import FOLDER, SOURCE, HandmadeQuestion, read_handmade
from qa.training.sources import Part
from qa.types import Document

ASKED_SHARE = 0.45
"""How often a claim is read after its question."""
OTHER_QUESTION_SHARE = 0.1
"""How often a claim is read after another question about its document: not every sentence of an
answer answers the question."""
SEED = 50
MIN_ANSWER_COVERAGE = 0.8
"""The share of the answer's terms that the evidence of a supported claim has, at least.

With less, the check chose other sentences, which do not support the claim.
"""


def handmade_claims(part: Part, embedder: Embedder, folder: Path = FOLDER) -> list[TrainingClaim]:
    """Returns the claims of a part, in a fixed order.

    Claims with a number, date, quotation or name that their document lacks are left out: rules
    settle them, and the model never reads them. Raises DocumentError as `read_handmade` does.
    """
    rng = random.Random(SEED)
    claims: list[TrainingClaim] = []
    for handmade, document in read_handmade(part, folder):
        finder = _EvidenceFinder(document, embedder)
        finder.encode_together(handmade.questions)
        for question in handmade.questions:
            for claim in _of_question(question, finder, part):
                question_text = _question_before(claim, question, handmade.questions, rng)
                claims.append(replace(claim, question=question_text))
    return claims


def _question_before(
    claim: TrainingClaim,
    question: HandmadeQuestion,
    of_document: Sequence[HandmadeQuestion],
    rng: random.Random,
) -> str:
    """Returns the question that a claim is read after; empty: it is read alone."""
    is_fragment = len(claim.claim.split()) < MIN_WORDS_ALONE
    draw = rng.random()
    if is_fragment or draw < ASKED_SHARE:
        return question.question
    if draw < ASKED_SHARE + OTHER_QUESTION_SHARE:
        return rng.choice(of_document).question
    return ""


def _of_question(
    question: HandmadeQuestion, finder: "_EvidenceFinder", part: Part
) -> Iterator[TrainingClaim]:
    right = finder.pair(question.right_claim)
    if right and _has_answer(right[1], question):
        claim, evidence = right
        yield TrainingClaim(SOURCE, claim, (evidence,), supported=True, part=part)
    wrong = finder.pair(question.wrong_claim)
    if wrong:
        claim, evidence = wrong
        yield TrainingClaim(SOURCE, claim, (evidence,), supported=False, part=part)


def _has_answer(evidence: str, question: HandmadeQuestion) -> bool:
    answer_terms = set()
    for answer in question.answers:
        answer_terms.update(terms(in_digits(answer.words)))
    shared = answer_terms & set(terms(evidence))
    return len(shared) >= MIN_ANSWER_COVERAGE * len(answer_terms)


class _EvidenceFinder:
    """Finds, in one document, what the checking model reads together with a claim."""

    def __init__(self, document: Document, embedder: Embedder) -> None:
        self._snapshot = Snapshot.in_memory([document], embedder.count_tokens)
        self._recorder = _Recorder()
        self._encodings = EncodingCache(embedder)
        self._verifier = Verifier(self._encodings, self._recorder)

    def encode_together(self, questions: Sequence[HandmadeQuestion]) -> None:
        """Encodes all claims in one batch, which is five times as fast as one after another."""
        claims = []
        for question in questions:
            claims += [question.right_claim, question.wrong_claim]
        self._encodings.encode(claims)

    def pair(self, claim: str) -> tuple[str, str] | None:
        """Returns a claim and its evidence as the model reads them; None: it does not read them."""
        self._recorder.pairs.clear()
        if claim:
            passages = self._snapshot.all_passages()
            self._verifier.check([Claim(claim, ())], passages, self._snapshot)
        return self._recorder.pairs[0] if self._recorder.pairs else None


class _Recorder:
    """Keeps what it is given to read, and supports nothing."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        self.pairs += pairs
        return [NEVER] * len(pairs)
