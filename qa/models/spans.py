"""A cross-encoder reads question and passage together: where the answer begins and ends.

It is an extractive question-answering model (transformers). Its first token stands for "not here",
so every score is a margin over that (Devlin et al. 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.config import PACKAGED_READER
from qa.models.loading import LENGTH_STEP, ModelSource, load_transformer, packaged_folder

Scores = NDArray[np.float64]
QUESTION_TOKENS = 96
"""A longer question is cut here."""
WINDOW_TOKENS = 320
"""Question and passage together; a longer passage is read in windows."""
STRIDE_TOKENS = 64
"""Tokens that two windows share."""
MAX_SPAN = 30
"""Tokens of an answer."""
BATCH = 4
_NO_TOKENS = -30.0
"""The margin of characters without tokens: as good as never."""


class BestSpan(NamedTuple):
    """The span of a text that answers best, with its score."""

    margin: float
    """The mean log-odds of its start and end against "not here", higher is likelier."""
    start: int
    """Of its characters in the text that the cross-encoder read."""
    end: int


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
        start_odds = _logsumexp(self.starts[inside])
        end_odds = _logsumexp(self.ends[inside])
        return (start_odds + end_odds) / 2

    def without_start(self, length: int) -> "SpanScores":
        """Returns the scores with offsets in the text without its first characters.

        Tokens of these characters keep their scores, at offsets below 0, where no span is looked
        for.
        """
        return replace(self, offsets=self.offsets - length)

    def best_span(self, start: int, end: int) -> BestSpan | None:
        """Returns the best span between these characters; None where no token lies between them."""
        inside = self._inside(start, end)
        indexes = np.flatnonzero(inside)
        size = len(indexes)
        if not size:
            return None

        # (first token, last token): each pair is a span.
        sums = np.add.outer(self.starts[indexes], self.ends[indexes])
        order = np.arange(size)
        length = np.subtract.outer(order, order).T
        sums[length < 0] = -np.inf
        sums[length >= MAX_SPAN] = -np.inf

        best = int(np.argmax(sums))
        first, last = divmod(best, size)
        begin, _ = self.offsets[indexes[first]]
        _, stop = self.offsets[indexes[last]]
        # The mean of two log-odds, as in `margin`.
        margin = float(sums[first, last]) / 2
        return BestSpan(margin, int(begin), int(stop))

    def _inside(self, start: int, end: int | None) -> NDArray[np.bool_]:
        begins, stops = self.offsets.T
        inside = begins >= start
        if end is not None:
            inside &= stops <= end
        return np.asarray(inside)


class SpanModel(Protocol):
    """What the reader needs of a cross-encoder."""

    def score(
        self,
        question: str,
        texts: Sequence[str],
    ) -> list[SpanScores]: ...


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
        types = windows["token_type_ids"]
        # Windows of similar length share a batch, so that little of it is padding.
        lengths = list(map(len, windows["input_ids"]))
        order = sorted(range(len(owners)), key=lambda window: lengths[window])

        tokens: list[_TokenScores] = [{} for _ in texts]
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            starts, ends = self._margins(windows, batch)
            for row, window in enumerate(batch):
                owner = owners[window]
                _collect(
                    tokens[owner],
                    offsets[window],
                    types[window],
                    starts[row],
                    ends[row],
                )
        return list(map(_span_scores, tokens))

    def _windows(self, question: str, texts: Sequence[str]) -> dict[str, Any]:
        """Returns the model's inputs for all windows of all texts."""
        tokens = self._tokenizer(
            question,
            truncation=True,
            max_length=QUESTION_TOKENS,
            return_offsets_mapping=True,
        )
        ends = [end for _, end in tokens["offset_mapping"]]
        # Cut by hand: the tokenizer shortens only the text, never the question.
        question = question[: max(ends)]
        questions = [question] * len(texts)
        windows = self._tokenizer(
            questions,
            list(texts),
            truncation="only_second",
            max_length=WINDOW_TOKENS,
            stride=STRIDE_TOKENS,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_token_type_ids=True,
        )
        return dict(windows)

    def _margins(
        self,
        windows: dict[str, Any],
        indexes: Sequence[int],
    ) -> tuple[Scores, Scores]:
        """Returns the start and end scores of some windows, each (windows, tokens)."""
        import torch

        batch = {}
        for key, values in windows.items():
            batch[key] = [values[index] for index in indexes]
        inputs = self._tokenizer.pad(
            batch,
            return_tensors="pt",
            pad_to_multiple_of=LENGTH_STEP,
        )
        with torch.inference_mode():
            logits = self._model(**inputs)
        return _over_first(logits.start_logits), _over_first(logits.end_logits)


_TokenScores = dict[tuple[int, int], tuple[float, float]]
"""By the offsets of a token: its start and end score."""


def _collect(
    tokens: _TokenScores,
    offsets: Sequence[tuple[int, int]],
    types: Sequence[int],
    starts: Scores,
    ends: Scores,
) -> None:
    """Adds the tokens of a window to those of its text; in two windows the higher score counts."""
    for index, kind in enumerate(types):
        start, end = offsets[index]
        # Type 1 is the text, type 0 the question; special tokens have no characters.
        if kind != 1 or end <= start:
            continue
        start_score = float(starts[index])
        end_score = float(ends[index])
        earlier_start_score, earlier_end_score = tokens.get((start, end), (start_score, end_score))
        best_start_score = max(start_score, earlier_start_score)
        best_end_score = max(end_score, earlier_end_score)
        tokens[start, end] = (best_start_score, best_end_score)


def _span_scores(tokens: _TokenScores) -> SpanScores:
    """Returns the scores of a text's tokens in the order of their offsets."""
    keys = sorted(tokens)
    pairs = [tokens[key] for key in keys]
    offsets = np.array(keys, dtype=np.int64)
    scores = np.array(pairs, dtype=np.float64)
    # A text without tokens too has columns of starts and ends.
    offsets = offsets.reshape(-1, 2)
    starts, ends = scores.reshape(-1, 2).T
    return SpanScores(offsets, starts, ends)


def _over_first(logits: Any) -> Scores:
    """Returns the logits as margins over that of the first token, which means "not here"."""
    values = logits.float().numpy().astype(np.float64)
    first = values[:, :1]
    return np.asarray(values - first)


def _logsumexp(values: Scores) -> float:
    top = values.max()
    total = np.exp(values - top).sum()
    return float(top + np.log(total))
