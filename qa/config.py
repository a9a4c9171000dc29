"""Settings: one frozen object, read from the environment and flags at the entry points only."""

import os
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from qa.errors import FootnoteError

PACKAGED_EMBEDDING = "all-MiniLM-L6-v2"
PACKAGED_READER = "footnote-reader"
PACKAGED_VERIFIER = "footnote-verifier"
BUILT_IN = "built-in"
SMALLEST_CONTEXT = 512


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can choose. `QA_HOME=…` sets `home`, `--home` the same; so for each field.

    Raises FootnoteError, from `from_environment`, for a value out of range.
    """

    home: Path
    """Holds the index, conversations, users, and runs."""
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
    """What answers: `built-in`, or a language model as `provider/model` (`qa.llm.client` knows the providers)."""
    llm_url: str | None = field(default=None, repr=False)
    """The address of the model's server, where it is not the provider's usual one; it may hold a password."""
    llm_key: str | None = field(default=None, repr=False)
    """Its key; unset: what the provider's own variable says."""
    llm_context: int | None = None
    """Tokens that the model takes, prompt and answer together; None: what its server says."""
    llm_timeout: float = 60.0
    """Seconds without a word from the model after which it is given up."""
    strict: bool = False
    """Whether sentences of the model that the documents do not support are left out."""

    @property
    def store(self) -> Path | str:
        """Where the index is: a folder or a server's address."""
        return self.chroma_url or self.index or self.home / "index"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **flags: Any) -> "Settings":
        """Settings from `QA_…` variables, overridden by the flags that are not None."""
        raw: dict[str, Any] = {"home": user_data_path("footnote")}
        for one in fields(cls):
            value = flags.get(one.name)
            if value is None:
                value = environ.get(f"QA_{one.name.upper()}") or None
            if value is not None:
                raw[one.name] = value
        return _checked(cls, raw)

    def as_environment(self) -> dict[str, str]:
        """Returns the settings as `QA_…` variables, for a process that this one starts."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            f"QA_{name.upper()}": str(value) for name, value in values.items() if value is not None
        }


def share_processors(environ: MutableMapping[str, str] = os.environ) -> None:
    """Lets the models' threads sleep while they wait for each other; to be called before a model is loaded.

    As they come they spin, and two programs that do so on two processors starve each other: beside another model an
    answer took 3.2 s, and takes 0.2 s; alone it takes no longer.
    """
    environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _checked(cls: type[Settings], raw: dict[str, Any]) -> Settings:
    try:
        raw.update(
            {key: Path(raw[key]).expanduser().absolute() for key in ("home", "index") if key in raw}
        )
    except RuntimeError as error:
        raise FootnoteError(f"{error} Set QA_HOME or QA_INDEX to a folder.") from error
    for key, (kind, words) in _KINDS.items():
        try:
            raw.update({key: kind(raw[key])} if key in raw else {})
        except (ValueError, KeyError) as error:
            raise FootnoteError(f"{key} takes {words}, not {raw[key]}: {_set(key)}.") from error
    settings = cls(**raw)
    if not 1 <= settings.top_k <= 100:
        raise FootnoteError(f"top_k must be from 1 to 100, not {settings.top_k}: {_set('top_k')}.")
    if not 0 <= settings.threshold <= 1:
        raise FootnoteError(
            f"threshold must be from 0 to 1, not {settings.threshold}: {_set('threshold')}."
        )
    if settings.llm_context is not None and settings.llm_context < SMALLEST_CONTEXT:
        raise FootnoteError(
            f"llm_context must be {SMALLEST_CONTEXT} or more: {_set('llm_context')}."
        )
    if not settings.llm_timeout > 0:
        raise FootnoteError(f"llm_timeout must be more than 0 seconds: {_set('llm_timeout')}.")
    return settings


def _set(key: str) -> str:
    """Where a person sets it."""
    return f"set QA_{key.upper()} or --{key.replace('_', '-')}"


def _switch(value: Any) -> bool:
    return _SWITCH[str(value).strip().casefold()]


_SWITCH = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(
    ("0", "false", "no", "off"), False
)
_KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "top_k": (int, "a whole number"),
    "threshold": (float, "a number"),
    "llm_context": (int, "a whole number"),
    "llm_timeout": (float, "a number of seconds"),
    "strict": (_switch, "1 or 0"),
}
