"""The language models that programs on this machine serve at their usual ports.

They are offered, never used unless a person chooses one. Nothing is sent but the request for the
list of models: no key, no question.
"""

import logging
import re
import shlex
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from qa.errors import LanguageModelError
from qa.llm.http import Request, TimeLimits
from qa.llm.providers import listed_models, reported_context
from qa.llm.server import Server
from qa.llm.surrogates import encodable

_LOG = logging.getLogger(__name__)

LIMITS = TimeLimits(silence=2.0, total=2.0)
"""For a server to list its models."""
MAX_MODELS = 200
"""Of one server. More of them are not offered."""
MAX_NAME = 200
"""Characters. Models with a longer name are not offered."""
_EMBEDDING = re.compile("embed", re.IGNORECASE)
"""In the name of a model that writes no answers: LM Studio and Ollama list these too."""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A language model that a server on this machine offers."""

    name: str
    """`provider/model`."""
    url: str
    context: int | None = None
    """Tokens; None: the list of the server does not say."""

    @property
    def setting(self) -> str:
        """The settings that choose this model, as a shell reads them."""
        return f"QA_LLM={shlex.quote(self.name)} QA_LLM_URL={shlex.quote(self.url)}"


@dataclass(frozen=True, slots=True)
class LocalModels:
    """What the programs on this machine answered."""

    models: tuple[LocalModel, ...] = ()
    notices: tuple[str, ...] = ()
    """A sentence for each server that answers and cannot list its models yet."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that serves language models, and its usual address."""

    name: str
    provider: str
    url: str
    path: str
    """Of its list of models, below the address."""
    models: Callable[[Any], Iterable[tuple[str, int | None]]]
    """Returns name and context of each model in the list."""
    start_command: str


def find_local_models() -> LocalModels:
    """Returns the models of the programs that run on this machine, in two seconds at most."""
    with ThreadPoolExecutor(len(PROGRAMS)) as threads:
        answers = list(threads.map(_ask, PROGRAMS))
    models = [model for answer in answers for model in answer.models]
    notices = [notice for answer in answers for notice in answer.notices]
    return LocalModels(tuple(models), tuple(notices))


def _ask(program: Program) -> LocalModels:
    server = Server(program.provider, program.url)
    with Request(server, LIMITS, threading.Event()) as request:
        try:
            listed = request.fetch_json("GET", program.path)
        except LanguageModelError:
            return LocalModels(notices=_notices(program, request))

    models = []
    for name, context in program.models(listed):
        name = encodable(name)
        usable = 0 < len(name) <= MAX_NAME and name.isprintable()
        if usable and not _EMBEDDING.search(name):
            models.append(LocalModel(f"{program.provider}/{name}", program.url, context))
    if len(models) > MAX_MODELS:
        _LOG.warning("%s has %d models; %d are offered.", program.url, len(models), MAX_MODELS)
    return LocalModels(tuple(models[:MAX_MODELS]))


def _notices(program: Program, request: Request) -> tuple[str, ...]:
    """Returns why a server of language models does not list them; nothing for other failures."""
    response, address = request.response, request.server.address
    if request.is_silent:
        return (f"The server at {address} does not answer now. It may be busy or starting.",)
    # Other programs use these ports too. They seldom refuse this path with JSON.
    if response is None or not response.content_type.startswith("application/json"):
        return ()
    if response.status == 503:
        return (f"The server at {address} is still starting. Look again in a minute.",)
    if response.status in (401, 403):
        setting = f"QA_LLM={program.provider}/NAME QA_LLM_URL={program.url}"
        return (f"The server at {address} needs a key. Set QA_LLM_KEY, and {setting}.",)
    return ()


def _ollama_models(listed: Any) -> Iterable[tuple[str, int | None]]:
    models = listed.get("models") if isinstance(listed, dict) else None
    for model in models if isinstance(models, list) else ():
        name = model.get("name") if isinstance(model, dict) else None
        if isinstance(name, str):
            yield name, None


def _openai_models(listed: Any) -> Iterable[tuple[str, int | None]]:
    entries = listed_models(listed)
    for name, entry in entries.items():
        is_file = name.endswith(".gguf") and entry.get("owned_by") == "llamacpp"
        if is_file and len(entries) == 1:
            # llama.cpp answers for any name. The name of the file is enough, and does not show
            # its folders to the users of the page.
            name = re.split(r"[/\\]", name)[-1]
        yield name, reported_context(entry)


PROGRAMS = (
    Program(
        "Ollama",
        "ollama",
        "http://127.0.0.1:11434",
        "/api/tags",
        _ollama_models,
        "ollama serve",
    ),
    Program(
        "LM Studio",
        "openai-like",
        "http://127.0.0.1:1234/v1",
        "/models",
        _openai_models,
        "lms server start",
    ),
    Program(
        "llama.cpp",
        "openai-like",
        "http://127.0.0.1:8080/v1",
        "/models",
        _openai_models,
        "llama-server -m MODEL.gguf",
    ),
    Program(
        "vLLM",
        "openai-like",
        "http://127.0.0.1:8000/v1",
        "/models",
        _openai_models,
        "vllm serve MODEL",
    ),
)
"""Addresses of this machine only, as numbers: no name is looked up."""
