"""The real models, loaded once for the tests that need them."""

from pathlib import Path

import pytest

from qa.bot import Bot
from qa.config import PACKAGED_EMBEDDING, PACKAGED_READER, Settings
from qa.documents.load import load
from qa.library.index import Index
from qa.models.embedding import EncodingCache, SentenceTransformerEmbedder
from qa.models.spans import CrossEncoder
from qa.reader.reader import TrainedReader, Weights

SEEDS = Path(__file__).parents[2] / "seeds"


@pytest.fixture(scope="session")
def embedder() -> SentenceTransformerEmbedder:
    """The packaged model."""
    return SentenceTransformerEmbedder(PACKAGED_EMBEDDING)


@pytest.fixture(scope="session")
def seed_bot(
    embedder: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory
) -> Bot:
    """A bot over `seeds/` that refuses nothing."""
    home = tmp_path_factory.mktemp("home")
    index = Index(home / "index", embedder)
    for document in load([SEEDS]).documents:
        index.add(document)
    return Bot(
        index,
        embedder,
        TrainedReader(EncodingCache(embedder), CrossEncoder(), Weights.load(PACKAGED_READER)),
        Settings(home=home, threshold=0.0),
    )
