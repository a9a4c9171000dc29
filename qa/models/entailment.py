"""A claim and the sentences it is to rest on, read together: how likely they carry it.

A sequence classification model (transformers) with one output, the project's own, trained by `qa.training.support`.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

from qa.config import PACKAGED_VERIFIER
from qa.errors import ModelError
from qa.models.embedding import computes_bfloat16

if TYPE_CHECKING:
    import torch

MOST_TOKENS = 192
"""Claim and sentences together; of longer sentences the end is not read."""
CLAIM_TOKENS = 96
"""A longer claim is not read: nothing carries what was not read whole."""
NEVER = -20.0
"""Log-odds of that."""
BATCH = 8


class EntailmentModel(Protocol):
    """What verification needs of a model."""

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]: ...


class CrossEncoderEntailment:
    """The packaged model on the CPU; bfloat16 where the processor computes in it, else float32.

    `folder`: another of its kind, as `qa.training.support` writes it. Raises ModelError, when made, for one that is
    missing or damaged.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._tokenizer, self._model = _load(
            folder or str(files("qa").joinpath("models", PACKAGED_VERIFIER))
        )

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """For each claim and its evidence, the log-odds that the evidence carries it; `NEVER` for a long claim."""
        import torch

        lengths = [len(self._tokenizer.tokenize(claim)) for claim, _ in pairs]
        whole = [place for place, length in enumerate(lengths) if length <= CLAIM_TOKENS]
        order = sorted(whole, key=lambda place: len(pairs[place][0]) + len(pairs[place][1]))
        found = [NEVER] * len(pairs)
        for first in range(0, len(order), BATCH):
            places = order[first : first + BATCH]
            inputs = self._tokenizer(
                [pairs[place][0] for place in places],
                [pairs[place][1] for place in places],
                truncation="only_second",
                max_length=MOST_TOKENS,
                padding=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                logits = self._model(**inputs).logits[:, 0].float().tolist()
            for place, logit in zip(places, logits, strict=True):
                found[place] = logit
        return found


def _load(folder: str) -> tuple[Any, "torch.nn.Module"]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    dtype = torch.bfloat16 if computes_bfloat16() else torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            folder,
            local_files_only=True,
            output_loading_info=True,
            dtype=dtype,
            attn_implementation="eager",
        )
    except Exception as error:  # transformers and safetensors raise many kinds; told as one
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"The model that checks sentences cannot be loaded: {first_line} {REMEDY}"
        ) from error
    if loaded["missing_keys"] or model.config.num_labels != 1:
        raise ModelError(f"{folder} is no model that checks sentences. {REMEDY}")
    return tokenizer, model.eval()


REMEDY = (
    "Install the project again: pip install --force-reinstall --no-deps -c constraints.txt -e ."
)
