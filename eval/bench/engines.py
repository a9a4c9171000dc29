"""Makes everything that is compared: two Footnote engines, and the peers of llama-index.

With a language model only the engines that ask it are made, and Footnote's built-in engine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from llama_index.core.base.embeddings.base import BaseEmbedding

from eval.bench import llamaindex
from eval.bench.comparison import Engine, Output
from eval.bench.scripted_model import ScriptedModel
from qa.answer.verify import Verifier
from qa.bot import Bot
from qa.chain import ModelEngine
from qa.config import Settings
from qa.library.index import Index
from qa.llm.model import LanguageModel
from qa.models.embedding import Embedder, EncodingCache
from qa.models.entailment import CrossEncoderEntailment
from qa.models.spans import CrossEncoder
from qa.reader.reader import TrainedReader, Weights
from qa.types import Document

FOOTNOTE = "Footnote"
FOOTNOTE_SCRIPTED = "Footnote, scripted model"
INDEXING_ROUNDS = 3
MODEL_CONTEXT = 8192
"""Tokens. With a language model, no engine is asked whose prompt may need more."""
IndexMaker = Callable[[Path], object]
"""Indexes the documents in a new, empty folder."""
IndexingSeconds = Mapping[str, Sequence[float]]
"""The seconds of each round, by name."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """The documents and models that both sides have in common."""

    documents: Sequence[Document]
    embedder: Embedder
    embedding: BaseEmbedding
    """The same model as llama-index loads it."""
    settings: Settings
    model: LanguageModel | None = None
    """What answers on both sides; None: the scripted model."""


def make_engines(bench: Workbench) -> list[Engine]:
    """Returns the engines, each with an index of its own below `bench.settings.home`.

    Raises LanguageModelError if the server of the language model cannot be used.
    """
    folder = bench.settings.home
    built_in, with_model = _footnote_bots(bench, folder / "footnote")
    name_with_model = f"{FOOTNOTE}, {bench.model.name}" if bench.model else FOOTNOTE_SCRIPTED
    engines = [
        Engine(FOOTNOTE, built_in.ask, outputs=("passages", "answers")),
        # The passages are the same: only what the model makes of them is measured.
        Engine(name_with_model, with_model.ask, outputs=("answers",), asks_model=True),
    ]

    # Peers that cut the documents in the same way share an index.
    stacks = {}
    for chunking in llamaindex.CHUNKINGS:
        stacks[chunking] = llamaindex.make_stack(
            bench.documents, chunking, bench.embedding, folder / f"peer-{chunking.size}"
        )
    for variant in variants(bench.model):
        peer = llamaindex.make_peer(stacks[variant.chunking], variant, bench.model)
        # A peer is compared with the Footnote engine that gives the same output.
        output: Output = "passages"
        reference = FOOTNOTE
        asks_model = variant.kind == "citation"
        if asks_model:
            output = "answers"
            reference = name_with_model
        engines.append(Engine(variant.name, peer.ask, (output,), reference, asks_model))
    return engines


def variants(model: LanguageModel | None) -> list[llamaindex.Variant]:
    """Returns the peers; with a language model those that ask it, if their prompt fits."""
    if model is None:
        return list(llamaindex.VARIANTS)
    citing = [variant for variant in llamaindex.VARIANTS if variant.kind == "citation"]
    return [variant for variant in citing if variant.fits(MODEL_CONTEXT)]


def measure_indexing(bench: Workbench) -> IndexingSeconds:
    """Returns how long each side takes until the documents can be asked."""
    makers: dict[str, IndexMaker] = {FOOTNOTE: partial(_make_footnote_index, bench)}
    for chunking in llamaindex.CHUNKINGS:
        makers[f"llama-index {chunking.size}"] = partial(
            llamaindex.make_stack, bench.documents, chunking, bench.embedding
        )
    return time_in_turns(makers, bench.settings.home / "indexing")


def time_in_turns(makers: Mapping[str, IndexMaker], folder: Path) -> IndexingSeconds:
    """Returns the seconds of each maker, called in alternating order, each time in a new folder."""
    seconds: dict[str, list[float]] = {name: [] for name in makers}
    for turn in range(INDEXING_ROUNDS):
        # In alternating order, so that other work of the machine affects all alike.
        names = list(makers)
        if turn % 2:
            names.reverse()
        for name in names:
            new_folder = folder / f"{turn}-{name}"
            new_folder.mkdir(parents=True)
            make = makers[name]
            start = perf_counter()
            make(new_folder)
            end = perf_counter()
            seconds[name].append(end - start)
    return seconds


def _make_footnote_index(bench: Workbench, folder: Path) -> Index:
    index = Index(folder, bench.embedder)
    for document in bench.documents:
        index.add(document)
    # A bot makes the snapshot before its first answer.
    index.snapshot()
    return index


def _footnote_bots(bench: Workbench, folder: Path) -> tuple[Bot, Bot]:
    """Returns the built-in bot, and one with the language model, or the scripted model."""
    settings = bench.settings
    index = _make_footnote_index(bench, folder)
    span_model = CrossEncoder(settings.reader)
    weights = Weights.load(settings.reader)

    def bot(engine: ModelEngine | None, encodings: EncodingCache) -> Bot:
        reader = TrainedReader(encodings, span_model, weights)
        return Bot(index, bench.embedder, reader, settings, engine, encodings)

    # Each has a cache of its own, so that neither profits from what the other computed.
    built_in_encodings = EncodingCache(bench.embedder)
    model_encodings = EncodingCache(bench.embedder)
    verifier = Verifier(model_encodings, CrossEncoderEntailment())
    engine = ModelEngine(bench.model or ScriptedModel(), verifier, settings.strict)

    built_in = bot(None, built_in_encodings)
    with_model = bot(engine, model_encodings)
    return built_in, with_model
