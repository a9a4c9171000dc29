"""A model reads a claim and its evidence together: how likely the evidence supports the claim.

It is a sequence classification model (transformers) with one output, the project's own, trained by
`qa.training.support`.
"""

import threading
from collections.abc import Sequence
from typing import Protocol

from qa.config import PACKAGED_VERIFIER
from qa.models.loading import ModelSource, load_transformer, packaged_folder

MAX_TOKENS = 192
"""Claim and evidence together; longer evidence is cut."""
CLAIM_TOKENS = 96
"""A longer claim is not read: nothing supports a claim that was not read whole."""
NEVER = -20.0
"""The log-odds of such a claim."""
BATCH = 8


class EntailmentModel(Protocol):
    """What verification needs of a model."""

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]: ...


class CrossEncoderEntailment:
    """The packaged model, or another of its kind in a folder.

    Raises ModelError, when made, if the model is missing, damaged or of another kind.
    """

    def __init__(self, folder: str | None = None) -> None:
        from transformers import AutoModelForSequenceClassification

        source = ModelSource(
            "model that checks sentences",
            folder or PACKAGED_VERIFIER,
            folder or packaged_folder(PACKAGED_VERIFIER),
        )
        self._tokenizer, model = load_transformer(AutoModelForSequenceClassification, source)
        if model.config.num_labels != 1:
            raise source.error("it has more than one output")
        self._model = model

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Returns, for each claim and its evidence, the log-odds that the evidence supports it."""
        import torch

        short = []
        for place, (claim, _) in enumerate(pairs):
            if len(self._tokenizer.tokenize(claim)) <= CLAIM_TOKENS:
                short.append(place)
        # Pairs of similar length share a batch, so that little of it is padding.
        short.sort(key=lambda place: len(pairs[place][0]) + len(pairs[place][1]))

        odds = [NEVER] * len(pairs)
        for first in range(0, len(short), BATCH):
            places = short[first : first + BATCH]
            batch = [pairs[place] for place in places]
            claims, evidence = zip(*batch, strict=True)
            inputs = self._tokenizer(
                list(claims),
                list(evidence),
                truncation="only_second",
                max_length=MAX_TOKENS,
                padding=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                logits = self._model(**inputs).logits
            # The model has one output: (pairs, 1).
            values = logits[:, 0].float().tolist()
            for place, value in zip(places, values, strict=True):
                odds[place] = value
        return odds


class SharedEntailment:
    """The packaged model for several bots. It takes 44 MB, so it is loaded once, when needed."""

    def __init__(self) -> None:
        self._model: EntailmentModel | None = None
        self._lock = threading.Lock()

    def load(self) -> EntailmentModel:
        """Returns the model, the same one in every thread. Raises ModelError."""
        with self._lock:
            if self._model is None:
                self._model = CrossEncoderEntailment()
            return self._model
