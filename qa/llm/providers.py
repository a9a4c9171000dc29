"""The providers of language models: the address, the probe and the llama-index class of each.

To add a provider, write its three functions and its row of `PROVIDERS` here, and add an extra to
`pyproject.toml` that installs the module of the row. No other code depends
on the provider; the `dev` extra and the Dockerfile list the extras too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from qa.errors import LanguageModelError
from qa.llm import error_messages
from qa.llm.bounds import EVENT_STREAM, LINE_STREAM, BodyLimits
from qa.llm.http import KEY_PLACEHOLDER, Request
from qa.llm.server import HOSTED_ADVICE, Advice

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage
    from llama_index.core.llms.function_calling import FunctionCallingLLM
    from llama_index.llms.anthropic import Anthropic
    from llama_index.llms.openai import OpenAI

LARGEST_CONTEXT = 100_000_000
"""Tokens. A larger number that a server sends is not a context."""
MAX_OLLAMA_CONTEXT = 8192
"""Tokens. Ollama reserves memory for the whole context, so no more of it is requested."""
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
    """The tokens that prompt and answer may have together, and the answer alone."""

    context: int
    answer: int


@dataclass(frozen=True, slots=True)
class ProbedModel:
    """What a server reports of the model that it is asked for."""

    context: int | None
    """Tokens; None: the server does not say."""
    listed_instead: tuple[str, ...] = ()
    """The names in the server's list, where the model's own name is not in it."""


@dataclass(frozen=True, slots=True)
class Provider:
    """How the models of a provider are reached."""

    module: str
    """llama-index's package for it."""
    extra: str
    """The extra of this project that installs the package."""
    url: str | None
    """The usual address; None: the person has to set one."""
    key_variable: str | None
    """The environment variable in which its users keep their key; None: it needs no key."""
    probe: Callable[[Request], ProbedModel]
    """Asks the server for the model.

    Raises LanguageModelError if the server cannot be used, or does not have the model.
    """
    build: "Callable[[Request, TokenLimits], FunctionCallingLLM]"
    """Returns llama-index's model for one request. Connects to nothing."""
    is_last: Callable[[Any], bool]
    """Whether a part of an answer, as the provider's library returns it, marks its end."""
    advice: Advice = HOSTED_ADVICE
    """What error messages recommend."""
    stream_limits: BodyLimits = EVENT_STREAM
    """The limits of a streamed answer, whose parts each protocol ends in its own way."""


def listed_models(listed: Any) -> dict[str, Mapping[str, Any]]:
    """Returns the entries of a list of models in OpenAI's protocol, by the model's name."""
    data = listed.get("data") if isinstance(listed, dict) else None
    entries: dict[str, Mapping[str, Any]] = {}
    for entry in data if isinstance(data, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            entries[entry["id"]] = entry
    return entries


def reported_context(entry: Mapping[str, Any]) -> int | None:
    """Returns the tokens of context in an entry of a list; each server has its own key for it."""
    for keys in _CONTEXT_KEYS:
        value: Any = entry
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        if _is_size(value):
            return int(value)
    return None


def _probe_ollama(request: Request) -> ProbedModel:
    shown = request.fetch_json("POST", "/api/show", {"model": request.server.model})
    info = shown.get("model_info") if isinstance(shown, dict) else None
    for key, value in info.items() if isinstance(info, dict) else ():
        if key.endswith(".context_length"):
            return ProbedModel(min(value, MAX_OLLAMA_CONTEXT) if _is_size(value) else None)
    return ProbedModel(None)


def _probe_openai_like(request: Request) -> ProbedModel:
    entries = listed_models(request.fetch_json("GET", "/models"))
    model = request.server.model
    for name in (model, f"{model}:latest", f"models/{model}"):  # as Ollama and Gemini list them
        if name in entries:
            return ProbedModel(reported_context(entries[name]))
    if len(entries) == 1:
        # llama.cpp answers for any name, and lists its model by an alias or the path of a file.
        # A server that does insist on the name refuses the prompt.
        ((name, entry),) = entries.items()
        return ProbedModel(reported_context(entry), (name,))
    if entries:
        raise LanguageModelError(error_messages.model_missing(request.server, list(entries)))
    return ProbedModel(None)


def _probe_openai(request: Request) -> ProbedModel:
    from llama_index.llms.openai.utils import openai_modelname_to_contextsize

    return _known_model(openai_modelname_to_contextsize, request)


def _probe_anthropic(request: Request) -> ProbedModel:
    from llama_index.llms.anthropic.utils import anthropic_modelname_to_contextsize

    return _known_model(anthropic_modelname_to_contextsize, request)


def _known_model(context_size: Callable[[str], int], request: Request) -> ProbedModel:
    try:
        return ProbedModel(context_size(request.server.model))
    except ValueError:
        return ProbedModel(HOSTED_CONTEXT)


def _is_size(value: Any) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and 0 < value <= LARGEST_CONTEXT


def _build_ollama(request: Request, limits: TokenLimits) -> "FunctionCallingLLM":
    import httpx
    from llama_index.llms.ollama import Ollama
    from ollama import Client

    headers = {"authorization": f"Bearer {KEY_PLACEHOLDER}"}
    client = Client(request.server.url, headers=headers, **request.client_options(httpx))
    llm: FunctionCallingLLM = Ollama(
        model=request.server.model,
        base_url=request.server.url,
        client=request.close_later(client),
        temperature=0.0,
        context_window=limits.context,
        additional_kwargs={"num_predict": limits.answer},
    )
    return llm


def _build_openai_like(request: Request, limits: TokenLimits) -> "FunctionCallingLLM":
    from llama_index.llms.openai_like import OpenAILike

    options = _openai_options(request, limits)
    context = limits.context
    llm: FunctionCallingLLM = OpenAILike(**options, is_chat_model=True, context_window=context)
    return llm


def _build_openai(request: Request, limits: TokenLimits) -> "FunctionCallingLLM":
    return _openai_class()(**_openai_options(request, limits))


def _openai_options(request: Request, limits: TokenLimits) -> dict[str, Any]:
    import httpx

    client = httpx.Client(**request.client_options(httpx))
    return {
        "model": request.server.model,
        "api_base": request.server.url,
        "api_key": KEY_PLACEHOLDER,
        "max_retries": 0,
        "temperature": 0.0,
        "max_tokens": limits.answer,
        "http_client": request.close_later(client),
    }


def _build_anthropic(request: Request, limits: TokenLimits) -> "FunctionCallingLLM":
    import anthropic
    import httpx2

    options: dict[str, Any] = {
        "api_key": KEY_PLACEHOLDER,
        "base_url": request.server.url,
        "max_retries": 0,
    }
    client = request.close_later(httpx2.Client(**request.client_options(httpx2)))
    llm = _anthropic_class()(model=request.server.model, max_tokens=limits.answer, **options)
    # The class has no argument for an HTTP client.
    llm._client = anthropic.Anthropic(http_client=client, **options)
    return llm


@cache
def _openai_class() -> "type[OpenAI]":
    """Returns llama-index's class without its table of models: it raises for any newer model."""
    from llama_index.core.llms import LLMMetadata
    from llama_index.llms.openai import OpenAI

    class AnyOpenAI(OpenAI):
        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(is_chat_model=True, model_name=self.model)

    return AnyOpenAI


@cache
def _anthropic_class() -> "type[Anthropic]":
    """Returns llama-index's class without its table of models, and for version 2 of anthropic.

    llama-index-llms-anthropic 0.12 was written for an older one: it calls `MessageParam`, which is
    a union of types now, and passes a temperature, which `create` no longer takes. Messages and
    temperature go into `extra_body` instead, which becomes part of the request as it is.
    """
    from llama_index.core.llms import LLMMetadata, MessageRole
    from llama_index.llms.anthropic import Anthropic, utils

    class AnyAnthropic(Anthropic):
        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(is_chat_model=True, model_name=self.model)

        @property
        def _model_kwargs(self) -> dict[str, Any]:
            return {"model": self.model, "max_tokens": self.max_tokens}

        def chat(self, messages: "Sequence[ChatMessage]", **options: Any) -> Any:
            return super().chat(_system_only(messages), **self._request(messages), **options)

        def stream_chat(self, messages: "Sequence[ChatMessage]", **options: Any) -> Any:
            return super().stream_chat(_system_only(messages), **self._request(messages), **options)

        def _request(self, messages: "Sequence[ChatMessage]") -> dict[str, Any]:
            turns = []
            for message in messages:
                if message.role != MessageRole.SYSTEM:
                    content = [{"type": "text", "text": message.content}]
                    turns.append({"role": message.role.value, "content": content})
            body: dict[str, Any] = {"messages": turns}
            # Newer models refuse a temperature, and so do some that the table names.
            newer = self.model not in utils.CLAUDE_MODELS
            if not newer and not any(name in self.model for name in utils.ANTHROPIC_NO_TEMP_MODELS):
                body["temperature"] = 0.0
            return {"extra_body": body}

    def _system_only(messages: "Sequence[ChatMessage]") -> "list[ChatMessage]":
        return [message for message in messages if message.role == MessageRole.SYSTEM]

    return AnyAnthropic


def _is_last_ollama(raw: Any) -> bool:
    return bool(raw.get("done"))


def _is_last_openai(raw: Any) -> bool:
    return any(getattr(choice, "finish_reason", None) for choice in raw.choices)


def _is_last_anthropic(raw: Any) -> bool:
    return bool(getattr(raw.get("delta"), "stop_reason", None))


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        "ollama": Provider(
            module="llama_index.llms.ollama",
            extra="ollama",
            url="http://localhost:11434",
            key_variable=None,
            probe=_probe_ollama,
            build=_build_ollama,
            is_last=_is_last_ollama,
            stream_limits=LINE_STREAM,
            advice=Advice(
                "Ollama at {at} does not have {name}. Get it with: ollama pull {model}",
                start_command="ollama serve",
                setting="QA_LLM_URL",
            ),
        ),
        "openai": Provider(
            module="llama_index.llms.openai",
            extra="openai",
            url="https://api.openai.com/v1",
            key_variable="OPENAI_API_KEY",
            probe=_probe_openai,
            build=_build_openai,
            is_last=_is_last_openai,
        ),
        "anthropic": Provider(
            module="llama_index.llms.anthropic",
            extra="anthropic",
            url="https://api.anthropic.com",
            key_variable="ANTHROPIC_API_KEY",
            probe=_probe_anthropic,
            build=_build_anthropic,
            is_last=_is_last_anthropic,
        ),
        "openai-like": Provider(
            module="llama_index.llms.openai_like",
            extra="openai-like",
            url=None,
            key_variable=None,
            probe=_probe_openai_like,
            build=_build_openai_like,
            is_last=_is_last_openai,
            advice=Advice(
                "{at} does not have {name} (status 404). "
                "Check the model in QA_LLM, and QA_LLM_URL, which usually ends in /v1.",
                setting="QA_LLM_URL",
            ),
        ),
    }
)
