"""Our side: the built-in engine, and the generative one with the scripted model in place of a language model."""

from collections.abc import Sequence
from pathlib import Path

from eval.bench.scripted_model import ScriptedModel
from qa.answer.verify import Verifier
from qa.bot import Bot, ModelEngine
from qa.config import Settings
from qa.library.index import Index
from qa.models.embedding import Embedder, EncodingCache
from qa.models.entailment import CrossEncoderEntailment
from qa.models.spans import CrossEncoder
from qa.reader.reader import TrainedReader, Weights
from qa.types import Document


def make(documents: Sequence[Document], embedder: Embedder, folder: Path) -> Index:
    """Indexes the documents in a new folder, and does once what a bot does before its first answer."""
    index = Index(folder, embedder)
    for document in documents:
        index.add(document)
    index.snapshot()
    return index


def bots(index: Index, embedder: Embedder, settings: Settings) -> tuple[Bot, Bot]:
    """The built-in engine and the generative one. What one of them remembers is of no use to the other."""
    crossencoder, weights = CrossEncoder(settings.reader), Weights.load(settings.reader)

    def bot(engine: ModelEngine | None, encodings: EncodingCache) -> Bot:
        return Bot(
            index,
            embedder,
            TrainedReader(encodings, crossencoder, weights),
            settings,
            engine,
            encodings,
        )

    own = EncodingCache(embedder)
    scripted = ModelEngine(
        ScriptedModel(), Verifier(own, CrossEncoderEntailment()), settings.strict
    )
    return bot(None, EncodingCache(embedder)), bot(scripted, own)
