"""Everything that is asked: Footnote's two engines, and the peers."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from llama_index.core.base.embeddings.base import BaseEmbedding

from eval.bench import footnote, llamaindex
from eval.bench.asking import Engine
from eval.bench.indexing import Seconds, index_by_turns
from eval.bench.llamaindex import CHUNKINGS, VARIANTS
from eval.bench.metrics import Of
from qa.config import Settings
from qa.models.embedding import Embedder
from qa.types import Document

FOOTNOTE, SCRIPTED = "Footnote", "Footnote, scripted model"


def made(
    documents: Sequence[Document], embedder: Embedder, embedding: BaseEmbedding, settings: Settings
) -> tuple[list[Engine], Seconds]:
    """The engines, each over an index of its own in `settings.home`, and how long making such an index takes."""
    folder = settings.home
    makers: dict[str, Callable[[Path], object]] = {
        FOOTNOTE: partial(footnote.make, documents, embedder)
    }
    stacks = {}
    for number, chunking in enumerate(CHUNKINGS):
        make = partial(llamaindex.make, documents, chunking, embedding)
        stacks[chunking] = make(folder / f"peer-{number}")
        makers[f"llama-index {chunking.size}"] = make
    index = footnote.make(documents, embedder, folder / "footnote")
    ours, scripted = footnote.bots(index, embedder, settings)
    engines = [
        Engine(FOOTNOTE, ours, ("passages", "answers")),
        Engine(SCRIPTED, scripted, ("answers",)),
    ]
    for variant in VARIANTS:
        asked = llamaindex.peer(stacks[variant.chunking], variant)
        cites = variant.kind == "citation"
        measured: Of = "answers" if cites else "passages"
        engines.append(Engine(variant.name, asked, (measured,), SCRIPTED if cites else FOOTNOTE))
    # Last, so that nothing is made for the first time in it.
    return engines, index_by_turns(makers, folder / "turns")
