"""Makes everything that is compared: two Footnote engines, and the peers of llama-index."""

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
from qa.bot import Bot, ModelEngine
from qa.config import Settings
from qa.library.index import Index
from qa.models.embedding import Embedder, EncodingCache
from qa.models.entailment import CrossEncoderEntailment
from qa.models.spans import CrossEncoder
from qa.reader.reader import TrainedReader, Weights
from qa.types import Document

FOOTNOTE = "Footnote"
FOOTNOTE_SCRIPTED = "Footnote, scripted model"
INDEXING_ROUNDS = 3
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


def make_engines(bench: Workbench) -> list[Engine]:
    """Returns the engines, each with an index of its own below `bench.settings.home`."""
    folder = bench.settings.home
    built_in, scripted = _footnote_bots(bench, folder / "footnote")
    engines = [
        Engine(FOOTNOTE, built_in.ask, outputs=("passages", "answers")),
        # The passages are the same: only what the model makes of them is measured.
        Engine(FOOTNOTE_SCRIPTED, scripted.ask, outputs=("answers",)),
    ]

    # Peers that cut the documents in the same way share an index.
    stacks = {}
    for chunking in llamaindex.CHUNKINGS:
        place = folder / f"peer-{chunking.size}"
        stacks[chunking] = llamaindex.make_stack(bench.documents, chunking, bench.embedding, place)
    for variant in llamaindex.VARIANTS:
        peer = llamaindex.make_peer(stacks[variant.chunking], variant)
        # A peer is compared with the Footnote engine that gives the same output.
        output: Output = "passages"
        reference = FOOTNOTE
        if variant.kind == "citation":
            output = "answers"
            reference = FOOTNOTE_SCRIPTED
        engines.append(Engine(variant.name, peer.ask, (output,), reference))
    return engines


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
    """Returns the built-in bot, and one with the scripted model in place of a language model."""
    settings = bench.settings
    index = _make_footnote_index(bench, folder)
    span_model = CrossEncoder(settings.reader)
    weights = Weights.load(settings.reader)

    def bot(engine: ModelEngine | None, encodings: EncodingCache) -> Bot:
        reader = TrainedReader(encodings, span_model, weights)
        return Bot(index, bench.embedder, reader, settings, engine, encodings)

    # Each has a cache of its own, so that neither profits from what the other computed.
    built_in_encodings = EncodingCache(bench.embedder)
    scripted_encodings = EncodingCache(bench.embedder)
    verifier = Verifier(scripted_encodings, CrossEncoderEntailment())
    engine = ModelEngine(ScriptedModel(), verifier, settings.strict)

    built_in = bot(None, built_in_encodings)
    scripted = bot(engine, scripted_encodings)
    return built_in, scripted
