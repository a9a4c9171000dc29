"""Our side: the built-in engine, and the generative one with the scripted model in place of a language model."""

from collections.abc import Sequence
from pathlib import Path

from eval.bench.scripted_model import ScriptedModel
from qa.answer.verify import Verifier
from qa.bot import Bot, Engine
from qa.config import Settings
from qa.library.index import Index
from qa.library.search import Library
from qa.models.embedding import Embedder, Encodings
from qa.models.entailment import Entailment
from qa.models.spans import CrossEncoder
from qa.reader.reader import Reader, Weights
from qa.types import Document


def make(documents: Sequence[Document], embedder: Embedder, folder: Path) -> Index:
    """Indexes the documents in a new folder, and does once what a bot does before its first answer."""
    index = Index(folder, embedder)
    for document in documents:
        index.add(document)
    Library.of(index)
    return index


def bots(index: Index, embedder: Embedder, settings: Settings) -> tuple[Bot, Bot]:
    """The built-in engine and the generative one. What one of them remembers is of no use to the other."""
    crossencoder, weights = CrossEncoder(settings.reader), Weights.of(settings.reader)

    def bot(engine: Engine | None, encodings: Encodings) -> Bot:
        return Bot(
            index, embedder, Reader(encodings, crossencoder, weights), settings, engine, encodings
        )

    own = Encodings(embedder)
    scripted = Engine(ScriptedModel(), Verifier(own, Entailment()), settings.strict)
    return bot(None, Encodings(embedder)), bot(scripted, own)
