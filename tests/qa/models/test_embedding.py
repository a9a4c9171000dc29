"""The packaged model: what the index and the reader rely on."""

import numpy as np
import pytest

from qa.errors import ModelError
from qa.models.embedding import SentenceTransformerEmbedder


def test_encode_returns_offsets_and_unit_vectors(
    embedder: SentenceTransformerEmbedder,
) -> None:
    text = "Reko Diq holds 40 million ounces."
    (encoding,) = embedder.encode([text])
    assert encoding.vector.shape == (embedder.dimension,) == (384,)
    assert encoding.tokens.shape == (len(encoding.offsets), 384)
    assert [text[start:end] for start, end in encoding.offsets][-4:] == [
        "million",
        "ounce",
        "s",
        ".",
    ]
    assert np.linalg.norm(encoding.tokens, axis=1) == pytest.approx(1, abs=1e-3)


def test_encode_batch_hardly_changes_a_vector(embedder: SentenceTransformerEmbedder) -> None:
    texts = ["A short one.", "A much longer text about " + "copper and gold " * 30]
    together, alone = embedder.encode(texts), [embedder.encode([text])[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        assert float(one.vector @ other.vector) > 0.995
        assert one.offsets == other.offsets


def test_count_tokens_has_no_limit(
    embedder: SentenceTransformerEmbedder,
) -> None:
    """It does not depend on earlier calls of the tokenizer either."""
    embedder.encode(["short"])
    assert embedder.count_tokens("gold " * 1000) == 1000
    assert embedder.count_tokens("") == 0


def test_encode_odd_texts_is_finite(embedder: SentenceTransformerEmbedder) -> None:
    for encoding in embedder.encode(["", " ", "😀", "日本語", "x" * 9000]):
        assert np.isfinite(encoding.vector).all()
    assert embedder.encode([]) == []


def test_knows_only_whole_words_of_the_model(embedder: SentenceTransformerEmbedder) -> None:
    assert (embedder.knows("copper"), embedder.knows("coppper")) == (True, False)


def test_embedder_missing_model_names_the_setting(tmp_path: object) -> None:
    with pytest.raises(ModelError, match="QA_EMBEDDING"):
        SentenceTransformerEmbedder(f"{tmp_path}/nothing")
