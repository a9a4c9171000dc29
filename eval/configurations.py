"""What is to be measured: each way to set the bot up, by name; models are loaded once for all that share them."""

import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError
from qa.llm.client import LlmSettings, language_model
from qa.types import Document

if TYPE_CHECKING:
    from qa.bot import Bot

PLAIN: Final = "plain"
"""The engine that is the plain stack, to compare with."""
VARIED: Final = ("llm", "top_k", "threshold", "embedding", "reader")
"""Settings that may have several values in one go."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A way to set the bot up."""

    name: str
    """What tells it from the others of one go, fit for a folder's name; empty for the only one."""
    settings: Settings
    plain: bool = False

    @property
    def engine(self) -> str:
        return PLAIN if self.plain else self.settings.llm


def configurations(
    chosen: Mapping[str, Sequence[Any]], environ: Mapping[str, str] = os.environ
) -> tuple[Configuration, ...]:
    """One for each combination of the values chosen, by setting; one that is not named is as the environment has it.

    Raises FootnoteError for a value that is none, before anything is loaded.
    """
    values = {name: list(dict.fromkeys(chosen.get(name) or [None])) for name in VARIED}
    several = [name for name in VARIED if len(values[name]) > 1]
    found = [
        _configuration(dict(zip(values, combination, strict=True)), several, environ)
        for combination in product(*values.values())
    ]
    if len({one.name for one in found}) < len(found) or len(
        {(one.settings, one.plain) for one in found}
    ) < len(found):
        raise FootnoteError(
            "Two of these configurations would be the same or have one name. Give each value once."
        )
    return tuple(found)


def _configuration(
    flags: Mapping[str, Any], several: Sequence[str], environ: Mapping[str, str]
) -> Configuration:
    plain = flags["llm"] == PLAIN
    settings = Settings.from_environment(
        environ, **{**flags, "llm": BUILT_IN if plain else flags["llm"]}
    )
    if settings.llm != BUILT_IN:
        language_model(LlmSettings.from_settings(settings))
    parts = [str(flags[name]) if name == "llm" else f"{name}-{flags[name]}" for name in several]
    return Configuration(_safe("_".join(parts)), settings, plain)


def _safe(name: str) -> str:
    """The name as that of one folder."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)
    return kept.lstrip(".-")[:120]


def homes(found: Sequence[Configuration], out: Path) -> dict[str, Path]:
    """By embedding model, the folder of its index: never the person's own library."""
    models = dict.fromkeys(one.settings.embedding for one in found)
    return {
        model: out / ("home" if len(models) == 1 else f"home-{at}")
        for at, model in enumerate(models, start=1)
    }


def opened(
    found: Sequence[Configuration], documents: Sequence[Document], places: Mapping[str, Path]
) -> "Iterator[tuple[Configuration, Bot]]":
    """Each configuration with its bot over these documents, in the index of `homes`, whatever the environment says."""
    bots: dict[Hashable, Bot] = {}
    for one in found:
        home = places[one.settings.embedding].absolute()
        settings = replace(one.settings, home=home, index=None, chroma_url=None)
        key = settings.library
        bot = None if one.plain else bots.get(key)
        if bot is None:
            bots.clear()  # one set of models at a time
            bot = _plain(settings) if one.plain else _open(settings)
            for document in documents:
                bot.index.add(document)
            bots |= {} if one.plain else {key: bot}
        yield one, bot if one.plain else bot.answering(settings)


def _open(settings: Settings) -> "Bot":
    from qa.bot import Bot

    return Bot.open(settings)


def _plain(settings: Settings) -> "Bot":
    from eval.plain_reader import PlainReader
    from qa.bot import Bot
    from qa.library.index import Index
    from qa.models.embedding import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder(settings.embedding)
    return Bot(Index(settings.store, embedder), embedder, PlainReader(embedder), settings)
