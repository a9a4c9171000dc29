"""A model reads a claim and its evidence together: how likely the evidence supports the claim.

It is a cross-encoder of sentence-transformers with one output, the project's own, trained by
`qa.training.support`.
"""

import threading
from collections.abc import Sequence
from typing import Protocol

from qa.config import PACKAGED_VERIFIER
from qa.models.loading import ModelSource, load_cross_encoder, packaged_folder

MAX_TOKENS = 192
"""Claim and evidence together; longer evidence is cut."""
CLAIM_TOKENS = 96
"""A longer claim is not read: nothing supports a claim that was not read whole."""
NEVER = -20.0
"""The log-odds of such a claim."""
MIN_WORDS_ALONE = 4
"""A claim of fewer words is a bare value, which says nothing without its question."""
MAX_QUESTION_WORDS = 40
"""A longer question is left out before its claim: it would leave too few tokens for the claim."""
BATCH = 8
_ONLY_EVIDENCE_IS_CUT = {"truncation": "only_second", "max_length": MAX_TOKENS}


class EntailmentModel(Protocol):
    """What verification needs of a model."""

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]: ...


def asked_claim(question: str, claim: str) -> str:
    """Returns a claim after the question that it answers, as the model reads it.

    A question that is empty or has more than MAX_QUESTION_WORDS words is left out.
    """
    words = question.split()
    if not words or len(words) > MAX_QUESTION_WORDS:
        return claim
    return " ".join((*words, claim))


class CrossEncoderEntailment:
    """The packaged model, or another of its kind in a folder.

    Raises ModelError, when made, if the model is missing, damaged or of another kind.
    """

    def __init__(self, folder: str | None = None) -> None:
        source = ModelSource(
            "model that checks sentences",
            folder or PACKAGED_VERIFIER,
            folder or packaged_folder(PACKAGED_VERIFIER),
        )
        self._model = load_cross_encoder(source)

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Returns, for each claim and its evidence, the log-odds that the evidence supports it."""
        short_indexes = []
        for index, (claim, _) in enumerate(pairs):
            # Without `verbose=False` the tokenizer warns that the model cannot read a long claim.
            tokens = self._model.tokenizer.tokenize(claim, verbose=False)
            if len(tokens) <= CLAIM_TOKENS:
                short_indexes.append(index)

        # Pairs of similar length share a batch: the library sorts them.
        values = self._model.predict(
            [pairs[index] for index in short_indexes],
            batch_size=BATCH,
            show_progress_bar=False,
            processing_kwargs={"text": _ONLY_EVIDENCE_IS_CUT},
        )
        odds = [NEVER] * len(pairs)
        for index, value in zip(short_indexes, values.tolist(), strict=True):
            odds[index] = value
        return odds


class SharedEntailment:
    """The packaged model for several bots. It takes 51 MB, so it is loaded once, when needed."""

    def __init__(self) -> None:
        self._model: EntailmentModel | None = None
        self._lock = threading.Lock()

    def load(self) -> EntailmentModel:
        """Returns the model, the same one in every thread. Raises ModelError."""
        with self._lock:
            if self._model is None:
                self._model = CrossEncoderEntailment()
            return self._model
