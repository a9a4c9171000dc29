"""Settings: one frozen object, read from the environment and flags at the entry points only."""

import math
import os
import re
from collections.abc import Callable, Hashable, Mapping, MutableMapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from qa.errors import FootnoteError
from qa.types import digest

PACKAGED_EMBEDDING = "all-MiniLM-L6-v2"
PACKAGED_READER = "footnote-reader"
PACKAGED_VERIFIER = "footnote-verifier"
BUILT_IN = "built-in"
MIN_CONTEXT = 512


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can choose. Each field is set by its variable (`QA_HOME`) or flag (`--home`).

    The first five fields say what must be loaded, the others how to answer.
    """

    home: Path
    """The folder of the index, conversations, users, and runs."""
    index: Path | None = None
    """The folder of the index, if it is not in `home`."""
    embedding: str = PACKAGED_EMBEDDING
    """The packaged model, or the name or folder of a sentence-transformers model."""
    reader: str = PACKAGED_READER
    """The packaged model, or the name or folder of an extractive question-answering model."""
    chroma_url: str | None = field(default=None, repr=False)
    """A Chroma server (`http://host:port`), which may hold a password; None: a folder."""
    top_k: int = 5
    """How many passages are read."""
    threshold: float = 0.65
    """A question with a lower confidence, 0 to 1, is refused. See `footnote eval threshold`."""
    llm: str = BUILT_IN
    """The engine: `built-in`, or a language model as `provider/model`."""
    llm_url: str | None = field(default=None, repr=False)
    """The address of the model's server, if it is not the provider's; it may hold a password."""
    llm_key: str | None = field(default=None, repr=False)
    """The key of the model's server; None: the value of the provider's own variable."""
    llm_context: int | None = None
    """Tokens that the model takes, prompt and answer together; None: what its server reports."""
    llm_timeout: float = 60.0
    """Seconds without a word after which a call of the model fails."""
    llm_total_timeout: float = 600.0
    """Seconds after which a call of the model fails, however many words arrive."""
    strict: bool = False
    """Whether a model's sentences that the documents do not support are left out."""
    public_hosts: str = ""
    """The names by which browsers may reach a page with users, with commas; empty: any."""

    @property
    def store(self) -> Path | str:
        """Where the index is: a folder, or the address of a server."""
        return self.chroma_url or self.index or self.home / "index"

    @property
    def local_index(self) -> Path | None:
        """The folder of what a server's library keeps on this machine; None: it is in `store`."""
        if self.chroma_url is None:
            return None
        # The address may hold a password, which must not be the name of a folder.
        return self.home / "servers" / digest(self.chroma_url)

    @property
    def loading_key(self) -> Hashable:
        """The settings that decide which index and models are loaded.

        Bots with an equal key share both; all other settings change only how to answer.
        """
        return (self.home, self.index, self.embedding, self.reader, self.chroma_url)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **flags: Any) -> "Settings":
        """Reads `QA_…` variables; a flag that is not None wins over its variable.

        Raises FootnoteError for an invalid value.
        """
        values: dict[str, Any] = {"home": user_data_path("footnote")}
        for setting in fields(cls):
            name = setting.name
            value = flags.get(name)
            if value is None:
                # An empty variable counts as unset.
                value = environ.get(f"QA_{name.upper()}") or None
            if value is not None:
                values[name] = value

        for name in ("home", "index"):
            if name in values:
                values[name] = _folder(values[name])
        for name, rule in _RULES.items():
            if name in values:
                values[name] = _parsed(name, values[name], rule)
        return cls(**values)

    def as_environment(self) -> dict[str, str]:
        """Returns the settings as `QA_…` variables, for a process that this one starts."""
        environ = {}
        for setting in fields(self):
            value = getattr(self, setting.name)
            if value is not None:
                environ[f"QA_{setting.name.upper()}"] = str(value)
        return environ


def share_processors(environ: MutableMapping[str, str] = os.environ) -> None:
    """Lets the models' threads sleep while they wait. Call it before a model is loaded.

    By default they spin, and two programs that spin on two processors starve each other: beside
    another model an answer took 3.2 s instead of 0.2 s; alone it takes no longer.
    """
    environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@dataclass(frozen=True, slots=True)
class _Rule:
    """How the text of a setting is read, and which values are valid."""

    wanted: str
    """What a valid value is, in words."""
    parse: Callable[[Any], Any]
    valid: Callable[[Any], bool] = lambda _: True


def _switch(value: Any) -> bool:
    return _SWITCH[str(value).strip().casefold()]


def _host_names(value: Any) -> str:
    names = [name.strip().lower() for name in str(value).split(",")]
    return ",".join(filter(None, names))


_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*")
_SWITCH = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
_SECONDS = _Rule("a number of seconds above 0", float, lambda x: x > 0 and not math.isnan(x))
_RULES = {
    "top_k": _Rule("a whole number from 1 to 100", int, lambda n: 1 <= n <= 100),
    "threshold": _Rule("a number from 0 to 1", float, lambda x: 0 <= x <= 1),
    "llm_context": _Rule(
        f"a whole number of {MIN_CONTEXT} or more", int, lambda n: n >= MIN_CONTEXT
    ),
    "llm_timeout": _SECONDS,
    "llm_total_timeout": _SECONDS,
    "strict": _Rule("1 or 0", _switch),
    "public_hosts": _Rule(
        "names or addresses without ports, with commas between them",
        _host_names,
        lambda names: all(map(_HOST_NAME.fullmatch, names.split(","))),
    ),
}


def _parsed(name: str, value: Any, rule: _Rule) -> Any:
    """Returns the value of a setting. Raises FootnoteError when it is invalid."""
    message = (
        f"Invalid {name} {str(value)!r}: it must be {rule.wanted}. "
        f"Set QA_{name.upper()} or --{name.replace('_', '-')}."
    )
    try:
        parsed = rule.parse(value)
    except (ValueError, KeyError) as error:
        raise FootnoteError(message) from error
    if not rule.valid(parsed):
        raise FootnoteError(message)
    return parsed


def _folder(path: str | Path) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        # The path begins with `~`, and the system knows no home folder.
        raise FootnoteError(f"{error} Set QA_HOME or QA_INDEX to a folder.") from error
