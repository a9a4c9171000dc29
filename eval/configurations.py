"""Configurations: each way to set up the bot that a run measures."""

import os
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError
from qa.llm.client import LlmSettings, language_model, model_server
from qa.types import Document

if TYPE_CHECKING:
    from qa.bot import Bot

PLAIN: Final = "plain"
"""The engine with the plain stack of retrieval and reading, to compare with."""
VARIED: Final = ("llm", "top_k", "threshold", "embedding", "reader")
"""Settings that may have several values."""
_MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class Configuration:
    """A way to set up the bot."""

    name: str
    """Unique among the configurations and fit for a folder; empty for the only one."""
    settings: Settings
    plain: bool = False

    @property
    def engine(self) -> str:
        return PLAIN if self.plain else self.settings.llm

    @property
    def server(self) -> str | None:
        """The server of the language model: host and port, no secret. None: no model is asked."""
        if self.settings.llm == BUILT_IN:
            return None
        return model_server(LlmSettings.from_settings(self.settings)).address


def configurations(
    values: Mapping[str, Sequence[Any]], environ: Mapping[str, str] = os.environ
) -> tuple[Configuration, ...]:
    """Returns a configuration for each combination of the values, given by setting.

    Settings without a value are as the environment has them. Raises FootnoteError for an invalid
    value, and for two configurations with the same name or settings. No model is loaded.
    """
    columns = []
    several = []
    for name in VARIED:
        unique = list(dict.fromkeys(values.get(name) or [None]))
        columns.append(unique)
        if len(unique) > 1:
            several.append(name)

    result = []
    for combination in product(*columns):
        flags = dict(zip(VARIED, combination, strict=True))
        result.append(_configuration(flags, several, environ))
    names = set()
    setups = set()
    for configuration in result:
        names.add(configuration.name)
        # Values may differ while settings do not: 5 and 05.
        setups.add((configuration.settings, configuration.plain))
    if len(names) < len(result) or len(setups) < len(result):
        raise FootnoteError(
            "Two of these configurations would be the same or have one name. Give each value once."
        )
    return tuple(result)


def index_homes(configurations: Sequence[Configuration], out: Path) -> dict[str, Path]:
    """Returns the folder of the index by embedding model: below `out`, never the person's own."""
    homes: dict[str, Path] = {}
    for configuration in configurations:
        homes.setdefault(configuration.settings.embedding, out / f"home-{len(homes) + 1}")
    # The only index has no number.
    return homes if len(homes) > 1 else dict.fromkeys(homes, out / "home")


def open_bots(
    configurations: Sequence[Configuration],
    documents: Sequence[Document],
    homes: Mapping[str, Path],
) -> "Iterator[tuple[Configuration, Bot]]":
    """Yields each configuration with its bot over these documents, in the index of `index_homes`.

    Configurations in a row that need the same models share them.
    """
    shared: Bot | None = None
    loaded: Hashable = None
    for configuration in configurations:
        home = homes[configuration.settings.embedding].absolute()
        settings = replace(configuration.settings, home=home, index=None, chroma_url=None)
        if configuration.plain:
            # The models of the last bot go before others are loaded: memory holds one set.
            shared = loaded = None
            yield configuration, _with_documents(_open_plain(settings), documents)
            continue
        if shared is None or settings.loading_key != loaded:
            shared = None
            shared = _with_documents(_open(settings), documents)
            loaded = settings.loading_key
        yield configuration, shared.answering(settings)


def _configuration(
    flags: Mapping[str, Any], several: Sequence[str], environ: Mapping[str, str]
) -> Configuration:
    """`several`: the settings with several values, which make the name."""
    plain = flags["llm"] == PLAIN
    llm = BUILT_IN if plain else flags["llm"]
    settings = Settings.from_environment(environ, **{**flags, "llm": llm})
    if settings.llm != BUILT_IN:
        # Raises an error for an invalid name; the model is not called.
        language_model(LlmSettings.from_settings(settings))
    parts = []
    for name in several:
        value = str(flags[name])
        parts.append(value if name == "llm" else f"{name}-{value}")
    return Configuration(_folder_name("_".join(parts)), settings, plain)


def _folder_name(name: str) -> str:
    fit = re.sub(r"[^\w.-]", "-", name)
    return fit.lstrip(".-")[:_MAX_NAME]


def _with_documents(bot: "Bot", documents: Sequence[Document]) -> "Bot":
    for document in documents:
        bot.index.add(document)
    return bot


def _open(settings: Settings) -> "Bot":
    # The bot brings PyTorch, which `--help` does not wait for.
    from qa.bot import Bot

    return Bot.open(settings)


def _open_plain(settings: Settings) -> "Bot":
    from eval.plain_reader import PlainReader
    from qa.bot import Bot
    from qa.library.index import Index
    from qa.models.embedding import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder(settings.embedding)
    index = Index(settings.store, embedder, settings.local_index)
    return Bot(index, embedder, PlainReader(embedder), settings)
