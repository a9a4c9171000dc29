"""Question and passage read together: where in the passage the answer begins and ends, and whether it is there.

An extractive question-answering model (transformers), the project's own or any other of that kind. Its first token
stands for "not here", so every score is a margin over that (Devlin et al. 2019).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.config import PACKAGED_READER
from qa.errors import ModelError
from qa.models.embedding import computes_bfloat16

if TYPE_CHECKING:
    import torch

Scores = NDArray[np.float64]
QUESTION_TOKENS = 96
"""Of a longer question the beginning is read."""
WINDOW_TOKENS = 320
"""Question and passage together; a longer passage is read in windows."""
STRIDE_TOKENS = 64
"""What two windows share."""
LONGEST_SPAN = 30
"""Tokens of an answer."""
BATCH = 4
_NONE = -30.0
"""The margin of a stretch without tokens: as good as never."""


@dataclass(frozen=True, slots=True)
class SpanScores:
    """A passage as read for a question. The scores are log-odds against "not here", higher: more likely."""

    offsets: NDArray[np.int64]
    """(tokens, 2): the characters that each token stands for."""
    starts: Scores
    """(tokens,): that the answer begins at this token."""
    ends: Scores
    """(tokens,): that it ends there."""

    def margin(self, start: int = 0, end: int | None = None) -> float:
        """The log-odds that an answer begins and ends between these characters, mean of the two."""
        inside = self._inside(start, end)
        if not inside.any():
            return _NONE
        return float(_logsumexp(self.starts[inside]) + _logsumexp(self.ends[inside])) / 2

    def best_span(self, start: int, end: int) -> tuple[float, int, int] | None:
        """The best span between these characters: its score, and its own characters; None where no token is."""
        places = np.flatnonzero(self._inside(start, end))
        if not len(places):
            return None
        sums = self.starts[places][:, None] + self.ends[places][None, :]
        length = np.arange(len(places))[None, :] - np.arange(len(places))[:, None]
        sums[(length < 0) | (length >= LONGEST_SPAN)] = -np.inf
        first, last = np.unravel_index(int(np.argmax(sums)), sums.shape)
        characters = int(self.offsets[places[first], 0]), int(self.offsets[places[last], 1])
        return float(sums[first, last]) / 2, *characters

    def _inside(self, start: int, end: int | None) -> NDArray[np.bool_]:
        inside = self.offsets[:, 0] >= start
        return inside if end is None else inside & (self.offsets[:, 1] <= end)


class SpanModel(Protocol):
    """What the reader needs of a cross-encoder."""

    def score(self, question: str, texts: Sequence[str]) -> list[SpanScores]: ...


class CrossEncoder:
    """An extractive question-answering model on the CPU; bfloat16 where the processor computes in it, else float32.

    `name`: the packaged model, or a name or folder that transformers loads. Raises ModelError, when made, for one
    that is missing, damaged or of another kind.
    """

    def __init__(self, name: str = PACKAGED_READER) -> None:
        self.name = name
        self._tokenizer, self._model = _load(name)

    def score(self, question: str, texts: Sequence[str]) -> list[SpanScores]:
        """One reading a text, in order. Read in batches of like length; a long text in overlapping windows."""
        if not texts:
            return []
        windows = self._windows(question, texts)
        owners = windows.pop("overflow_to_sample_mapping")
        offsets = windows.pop("offset_mapping")
        order = sorted(range(len(owners)), key=lambda row: len(windows["input_ids"][row]))
        found: list[list[tuple[int, int, float, float]]] = [[] for _ in texts]
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            starts, ends = self._margins(
                {key: [values[row] for row in rows] for key, values in windows.items()}
            )
            for place, row in enumerate(rows):
                kinds = windows["token_type_ids"][row]
                found[owners[row]] += [
                    (*offsets[row][at], float(starts[place, at]), float(ends[place, at]))
                    for at, kind in enumerate(kinds)
                    if kind == 1 and offsets[row][at][1] > offsets[row][at][0]
                ]
        return [_merged(tokens) for tokens in found]

    def _windows(self, question: str, texts: Sequence[str]) -> dict[str, Any]:
        asked = self._tokenizer(
            question, truncation=True, max_length=QUESTION_TOKENS, return_offsets_mapping=True
        )
        kept = question[: max(end for _, end in asked["offset_mapping"])]
        return dict(
            self._tokenizer(
                [kept] * len(texts),
                list(texts),
                truncation="only_second",
                max_length=WINDOW_TOKENS,
                stride=STRIDE_TOKENS,
                return_overflowing_tokens=True,
                return_offsets_mapping=True,
                return_token_type_ids=True,
            )
        )

    def _margins(self, rows: dict[str, Any]) -> tuple[Scores, Scores]:
        import torch

        inputs = self._tokenizer.pad(rows, return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(**inputs)
        starts, ends = (
            np.asarray(one.float().numpy(), np.float64)
            for one in (logits.start_logits, logits.end_logits)
        )
        return starts - starts[:, :1], ends - ends[:, :1]


def _merged(tokens: Sequence[tuple[int, int, float, float]]) -> SpanScores:
    """The tokens of a text's windows, in order; of one that two windows have, the higher scores."""
    best: dict[tuple[int, int], tuple[float, float]] = {}
    for begin, stop, start, end in tokens:
        other = best.get((begin, stop), (start, end))
        best[begin, stop] = (max(start, other[0]), max(end, other[1]))
    keys = sorted(best)
    offsets = np.array(keys, dtype=np.int64).reshape(-1, 2)
    return SpanScores(
        offsets, *(np.array([best[key][side] for key in keys], dtype=np.float64) for side in (0, 1))
    )


def _logsumexp(values: Scores) -> float:
    top = values.max()
    return float(top + np.log(np.exp(values - top).sum()))


def _load(name: str) -> tuple[Any, "torch.nn.Module"]:
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    dtype = torch.bfloat16 if computes_bfloat16() else torch.float32
    packaged = name == PACKAGED_READER
    source = str(files("qa").joinpath("models", PACKAGED_READER)) if packaged else name
    local = packaged or os.environ.get("HF_HUB_OFFLINE") == "1"
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=local)
        model, loaded = AutoModelForQuestionAnswering.from_pretrained(
            source,
            local_files_only=local,
            output_loading_info=True,
            dtype=dtype,
            attn_implementation="eager",
        )
    except (
        Exception
    ) as error:  # transformers, safetensors and the hub raise many kinds; told as one
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"The reader {name} cannot be loaded: {first_line} {_remedy(packaged)}"
        ) from error
    if loaded["missing_keys"] or not tokenizer.is_fast:
        raise ModelError(f"{name} is no extractive question-answering model. {_remedy(packaged)}")
    return tokenizer, model.eval()


def _remedy(packaged: bool) -> str:
    if packaged:
        return "Install the project again: pip install --force-reinstall --no-deps -c constraints.txt -e ."
    return "Set QA_READER to a folder or name of such a model, or unset it."
