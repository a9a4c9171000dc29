"""Who serves language models: for each, where, with which llama-index class, and what its server says of a model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from qa.errors import LanguageModelError
from qa.llm import errors
from qa.llm.http import KEY, Request

if TYPE_CHECKING:
    from llama_index.core.llms.function_calling import FunctionCallingLLM
    from llama_index.llms.anthropic import Anthropic
    from llama_index.llms.openai import OpenAI

LOCAL_SECONDS = 0.5
"""How long an Ollama on this machine may take to say what it has."""
OLLAMA_CONTEXT = 8192
"""Tokens. More of a model's context is not asked for: Ollama reserves memory for all of it."""
HOSTED_CONTEXT = 8192
"""Tokens of a hosted model that llama-index does not know."""
_CONTEXT_KEYS = (
    ("max_model_len",),  # vLLM
    ("meta", "n_ctx"),  # llama.cpp
    ("meta", "n_ctx_train"),
    ("context_length",),  # LM Studio, OpenRouter
    ("max_context_length",),
)


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """Tokens: what prompt and answer may have together, and what the answer."""

    context: int
    answer: int


@dataclass(frozen=True, slots=True)
class Provider:
    """How a provider's models are reached."""

    url: str | None
    """The usual address; None: there is none."""
    variable: str | None
    """Where its users keep its key; None: it takes none, mostly."""
    probe: Callable[[Request], int | None]
    """Asks the server for the model; its context in tokens, None if the server does not say.

    Raises LanguageModelError where the server cannot be used, or lacks the model.
    """
    build: "Callable[[Request, TokenLimits], FunctionCallingLLM]"
    """llama-index's model for one request. Connects to nothing."""
    ended: Callable[[Any], bool]
    """Whether a part of an answer, as the provider's own library gives it, says that the answer is complete."""


def local_models() -> tuple[str, ...]:
    """The models of an Ollama at its usual place on this machine, as `ollama/MODEL`; none where none answers."""
    import httpx

    try:
        with httpx.Client(timeout=LOCAL_SECONDS, trust_env=False) as client:
            found = client.get(f"{PROVIDERS['ollama'].url}/api/tags").json()
        return tuple(f"ollama/{one['name']}" for one in found["models"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ()


def _probe_ollama(request: Request) -> int | None:
    found = request.ask("POST", "/api/show", {"model": request.server.model})
    info = found.get("model_info") if isinstance(found, dict) else None
    items = info.items() if isinstance(info, dict) else ()
    lengths = [value for key, value in items if key.endswith(".context_length")]
    return min(lengths[0], OLLAMA_CONTEXT) if lengths and _is_size(lengths[0]) else None


def _probe_openai_like(request: Request) -> int | None:
    found = request.ask("GET", "/models")
    data = found.get("data") if isinstance(found, dict) else None
    listed = data if isinstance(data, list) else []
    entries = {
        one["id"]: one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)
    }
    model = request.server.model
    for name in (model, f"{model}:latest", f"models/{model}"):  # as listed by Ollama and by Gemini
        if name in entries:
            return _context(entries[name])
    if entries:
        raise LanguageModelError(errors.lacking(request.server, list(entries)))
    return None


def _probe_openai(request: Request) -> int | None:
    from llama_index.llms.openai.utils import openai_modelname_to_contextsize

    return _known(openai_modelname_to_contextsize, request)


def _probe_anthropic(request: Request) -> int | None:
    from llama_index.llms.anthropic.utils import anthropic_modelname_to_contextsize

    return _known(anthropic_modelname_to_contextsize, request)


def _known(size: Callable[[str], int], request: Request) -> int:
    try:
        return size(request.server.model)
    except ValueError:
        return HOSTED_CONTEXT


def _context(entry: Mapping[str, Any]) -> int | None:
    """The context that a server's list has for a model: vLLM, llama.cpp and LM Studio each have their own word."""
    for keys in _CONTEXT_KEYS:
        value: Any = entry
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        if _is_size(value):
            return int(value)
    return None


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def _build_ollama(request: Request, room: TokenLimits) -> "FunctionCallingLLM":
    import httpx
    from llama_index.llms.ollama import Ollama
    from ollama import Client

    client = Client(
        request.server.url, headers={"authorization": f"Bearer {KEY}"}, **request.options(httpx)
    )
    llm: FunctionCallingLLM = Ollama(
        model=request.server.model,
        base_url=request.server.url,
        client=request.owned(client),
        temperature=0.0,
        context_window=room.context,
        additional_kwargs={"num_predict": room.answer},
    )
    return llm


def _build_openai_like(request: Request, room: TokenLimits) -> "FunctionCallingLLM":
    from llama_index.llms.openai_like import OpenAILike

    options = _openai_options(request, room)
    llm: FunctionCallingLLM = OpenAILike(**options, is_chat_model=True, context_window=room.context)
    return llm


def _build_openai(request: Request, room: TokenLimits) -> "FunctionCallingLLM":
    return _openai()(**_openai_options(request, room))


def _openai_options(request: Request, room: TokenLimits) -> dict[str, Any]:
    import httpx

    return {
        "model": request.server.model,
        "api_base": request.server.url,
        "api_key": KEY,
        "max_retries": 0,
        "temperature": 0.0,
        "max_tokens": room.answer,
        "http_client": request.owned(httpx.Client(**request.options(httpx))),
    }


def _build_anthropic(request: Request, room: TokenLimits) -> "FunctionCallingLLM":
    import anthropic
    import httpx2

    options: dict[str, Any] = {"api_key": KEY, "base_url": request.server.url, "max_retries": 0}
    llm = _anthropic()(model=request.server.model, max_tokens=room.answer, **options)
    client = request.owned(httpx2.Client(**request.options(httpx2)))
    llm._client = anthropic.Anthropic(http_client=client, **options)  # the class takes no client
    return llm


@cache
def _openai() -> "type[OpenAI]":
    """llama-index's class, but for models too that its table lacks: asked about those, it raises."""
    from llama_index.core.llms import LLMMetadata
    from llama_index.llms.openai import OpenAI

    class AnyOpenAI(OpenAI):
        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(is_chat_model=True, model_name=self.model)

    return AnyOpenAI


@cache
def _anthropic() -> "type[Anthropic]":
    """The same; and as anthropic 2 wants it, which llama-index-llms-anthropic 0.12 was not written for.

    There `create` takes no temperature, and what llama-index calls for a message's dict is a union.
    """
    from llama_index.core.llms import LLMMetadata
    from llama_index.llms.anthropic import Anthropic, utils

    class AnyAnthropic(Anthropic):
        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(is_chat_model=True, model_name=self.model)

        @property
        def _model_kwargs(self) -> dict[str, Any]:
            newer = self.model not in utils.CLAUDE_MODELS
            refuses = newer or any(name in self.model for name in utils.ANTHROPIC_NO_TEMP_MODELS)
            extra = {} if refuses else {"extra_body": {"temperature": 0.0}}
            return {"model": self.model, "max_tokens": self.max_tokens, **extra}

    vars(utils)["MessageParam"] = dict
    return AnyAnthropic


def _ended_ollama(raw: Any) -> bool:
    return bool(raw.get("done"))


def _ended_openai(raw: Any) -> bool:
    return any(getattr(choice, "finish_reason", None) for choice in raw.choices)


def _ended_anthropic(raw: Any) -> bool:
    return bool(getattr(raw.get("delta"), "stop_reason", None))


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        "ollama": Provider(
            "http://localhost:11434", None, _probe_ollama, _build_ollama, _ended_ollama
        ),
        "openai": Provider(
            "https://api.openai.com/v1",
            "OPENAI_API_KEY",
            _probe_openai,
            _build_openai,
            _ended_openai,
        ),
        "anthropic": Provider(
            "https://api.anthropic.com",
            "ANTHROPIC_API_KEY",
            _probe_anthropic,
            _build_anthropic,
            _ended_anthropic,
        ),
        "openai-like": Provider(None, None, _probe_openai_like, _build_openai_like, _ended_openai),
    }
)
