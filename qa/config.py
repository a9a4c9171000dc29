"""Settings: one frozen object, read from the environment and flags at the entry points only."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from qa.errors import FootnoteError

PACKAGED_EMBEDDING = "all-MiniLM-L6-v2"
PACKAGED_READER = "footnote-reader"
BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can choose. `QA_HOME=…` sets `home`, `--home` the same; so for each field.

    Raises FootnoteError, from `from_environment`, for a value out of range.
    """

    home: Path
    """Holds the index, and later conversations and runs."""
    index: Path | None = None
    """The folder of the index, if it is not that of `home`."""
    embedding: str = PACKAGED_EMBEDDING
    """A sentence-transformers model: the packaged one, or any name or folder that the library can load."""
    reader: str = PACKAGED_READER
    """An extractive question-answering model: the packaged one, or any name or folder that transformers can load."""
    chroma_url: str | None = None
    """A Chroma server (`http://host:port`); None: a folder."""
    top_k: int = 5
    """How many passages are read."""
    threshold: float = 0.55
    """Confidence, 0 to 1, under which a question is refused; `python -m eval threshold` chose the default."""
    llm: str = BUILT_IN

    @property
    def store(self) -> Path | str:
        """Where the index is: a folder or a server's address."""
        return self.chroma_url or self.index or self.home / "index"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **flags: Any) -> "Settings":
        """Settings from `QA_…` variables, overridden by the flags that are not None."""
        raw: dict[str, Any] = {"home": user_data_path("footnote")}
        for field in fields(cls):
            value = flags.get(field.name)
            if value is None:
                value = environ.get(f"QA_{field.name.upper()}") or None
            if value is not None:
                raw[field.name] = value
        return _checked(cls, raw)


def _checked(cls: type[Settings], raw: dict[str, Any]) -> Settings:
    try:
        raw.update({key: Path(raw[key]).expanduser().absolute() for key in ("home", "index") if key in raw})
    except RuntimeError as error:
        raise FootnoteError(f"{error} Set QA_HOME or QA_INDEX to a folder.") from error
    for key, kind, words in (("top_k", int, "a whole number"), ("threshold", float, "a number")):
        try:
            raw.update({key: kind(raw[key])} if key in raw else {})
        except ValueError as error:
            raise FootnoteError(f"{key} takes {words}, not {raw[key]}: set QA_{key.upper()}.") from error
    settings = cls(**raw)
    if not 1 <= settings.top_k <= 100:
        raise FootnoteError(f"top_k must be from 1 to 100, not {settings.top_k}: set QA_TOP_K or --top-k.")
    if not 0 <= settings.threshold <= 1:
        raise FootnoteError(f"threshold must be from 0 to 1, not {settings.threshold}: set QA_THRESHOLD.")
    if settings.llm != BUILT_IN:
        raise FootnoteError(f"This version answers with the built-in engine only, not {settings.llm}: unset QA_LLM.")
    return settings
