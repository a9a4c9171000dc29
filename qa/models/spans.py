"""A cross-encoder reads question and passage together: where the answer begins and ends.

It is an extractive question-answering model (transformers). Its first token stands for "not here",
so every score is a margin over that (Devlin et al. 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.config import PACKAGED_READER
from qa.models.loading import ModelSource, load_transformer, packaged_folder

Scores = NDArray[np.float64]
QUESTION_TOKENS = 96
"""A longer question is cut here."""
WINDOW_TOKENS = 320
"""Question and passage together; a longer passage is read in windows."""
STRIDE_TOKENS = 64
"""Tokens that two windows share."""
LONGEST_SPAN = 30
"""Tokens of an answer."""
BATCH = 4
_NO_TOKENS = -30.0
"""The margin of characters without tokens: as good as never."""


@dataclass(frozen=True, slots=True)
class SpanScores:
    """The scores of a passage for a question: log-odds against "not here", higher is likelier."""

    offsets: NDArray[np.int64]
    """(tokens, 2): the offsets of each token's characters in the passage."""
    starts: Scores
    """(tokens,): that the answer begins at this token."""
    ends: Scores
    """(tokens,): that the answer ends at this token."""

    def margin(self, start: int = 0, end: int | None = None) -> float:
        """Returns the mean log-odds that an answer begins and ends between these characters."""
        inside = self._inside(start, end)
        if not inside.any():
            return _NO_TOKENS
        return float(_logsumexp(self.starts[inside]) + _logsumexp(self.ends[inside])) / 2

    def best_span(self, start: int, end: int) -> tuple[float, int, int] | None:
        """Returns score, start and end of the best span between these characters.

        None where no token lies between them.
        """
        places = np.flatnonzero(self._inside(start, end))
        if not len(places):
            return None

        sums = self.starts[places][:, None] + self.ends[places][None, :]
        order = np.arange(len(places))
        length = order[None, :] - order[:, None]
        sums[(length < 0) | (length >= LONGEST_SPAN)] = -np.inf

        first, last = np.unravel_index(int(np.argmax(sums)), sums.shape)
        begin = int(self.offsets[places[first], 0])
        stop = int(self.offsets[places[last], 1])
        return float(sums[first, last]) / 2, begin, stop

    def _inside(self, start: int, end: int | None) -> NDArray[np.bool_]:
        inside = self.offsets[:, 0] >= start
        if end is not None:
            inside &= self.offsets[:, 1] <= end
        return inside


class SpanModel(Protocol):
    """What the reader needs of a cross-encoder."""

    def score(self, question: str, texts: Sequence[str]) -> list[SpanScores]: ...


class CrossEncoder:
    """An extractive question-answering model of transformers.

    `name` is the packaged model, or a name or folder that transformers loads. Raises ModelError,
    when made, if the model is missing, damaged or of another kind.
    """

    def __init__(self, name: str = PACKAGED_READER) -> None:
        from transformers import AutoModelForQuestionAnswering

        folder = packaged_folder(name) if name == PACKAGED_READER else None
        source = ModelSource("reader", name, folder, "QA_READER")
        self.name = name
        self._tokenizer, self._model = load_transformer(AutoModelForQuestionAnswering, source)

    def score(self, question: str, texts: Sequence[str]) -> list[SpanScores]:
        """Returns the scores of each text, in order. A long text is read in windows."""
        if not texts:
            return []

        windows = self._windows(question, texts)
        owners = windows.pop("overflow_to_sample_mapping")
        offsets = windows.pop("offset_mapping")
        # Windows of similar length share a batch, so that little of it is padding.
        order = sorted(range(len(owners)), key=lambda row: len(windows["input_ids"][row]))

        tokens: list[_TokenScores] = [{} for _ in texts]
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            batch = {key: [values[row] for row in rows] for key, values in windows.items()}
            starts, ends = self._margins(batch)
            for place, row in enumerate(rows):
                in_text = np.asarray(windows["token_type_ids"][row]) == 1
                _collect(tokens[owners[row]], offsets[row], in_text, starts[place], ends[place])
        return [_span_scores(text_tokens) for text_tokens in tokens]

    def _windows(self, question: str, texts: Sequence[str]) -> dict[str, Any]:
        """Returns the model's inputs for all windows of all texts."""
        tokens = self._tokenizer(
            question,
            truncation=True,
            max_length=QUESTION_TOKENS,
            return_offsets_mapping=True,
        )
        end = max(end for _, end in tokens["offset_mapping"])
        windows = self._tokenizer(
            [question[:end]] * len(texts),
            list(texts),
            truncation="only_second",
            max_length=WINDOW_TOKENS,
            stride=STRIDE_TOKENS,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_token_type_ids=True,
        )
        return dict(windows)

    def _margins(self, rows: dict[str, Any]) -> tuple[Scores, Scores]:
        """Returns the start and end scores of a batch, each (windows, tokens)."""
        import torch

        inputs = self._tokenizer.pad(rows, return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(**inputs)
        starts = np.asarray(logits.start_logits.float().numpy(), np.float64)
        ends = np.asarray(logits.end_logits.float().numpy(), np.float64)
        return starts - starts[:, :1], ends - ends[:, :1]


_TokenScores = dict[tuple[int, int], tuple[float, float]]
"""By the offsets of a token: its start and end score."""


def _collect(
    tokens: _TokenScores,
    offsets: Sequence[tuple[int, int]],
    in_text: NDArray[np.bool_],
    starts: Scores,
    ends: Scores,
) -> None:
    """Adds the tokens of a window to those of its text; in two windows the higher score counts."""
    for place in np.flatnonzero(in_text).tolist():
        begin, stop = offsets[place]
        if stop <= begin:
            continue
        start, end = float(starts[place]), float(ends[place])
        earlier = tokens.get((begin, stop), (start, end))
        tokens[begin, stop] = (max(start, earlier[0]), max(end, earlier[1]))


def _span_scores(tokens: _TokenScores) -> SpanScores:
    """Returns the scores of a text's tokens in the order of their offsets."""
    keys = sorted(tokens)
    offsets = np.array(keys, dtype=np.int64).reshape(-1, 2)
    scores = np.array([tokens[key] for key in keys], dtype=np.float64).reshape(-1, 2)
    return SpanScores(offsets, scores[:, 0], scores[:, 1])


def _logsumexp(values: Scores) -> float:
    top = values.max()
    return float(top + np.log(np.exp(values - top).sum()))
