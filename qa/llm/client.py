"""The language model that a person chose, behind its server.

An answer arrives as a stream of words. Whatever goes wrong is a LanguageModelError that keeps the
words that had arrived.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from qa.config import Settings
from qa.errors import FootnoteError, LanguageModelError, ModelError, StoppedError
from qa.llm import error_messages
from qa.llm.bounds import MODEL_LIST, WHOLE_ANSWER, BodyLimits
from qa.llm.http import CHECK_SECONDS, Request, TimeLimits, invalid_proxy_variable
from qa.llm.model import LanguageModel, Message
from qa.llm.providers import PROVIDERS, Provider, TokenLimits
from qa.llm.server import Server, parse_url
from qa.llm.surrogates import SurrogateJoiner, encodable
from qa.llm.tokens import estimate_tokens

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage

UNKNOWN_CONTEXT = 4096
"""Tokens of context for a model whose server does not report any."""
MAX_TOKEN_CHARACTERS = 8
"""Characters a token, at most, before the rest of an answer is ignored: some servers ignore the
limit of tokens."""


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """The language model that a person chose. The repr hides the key and the URL."""

    name: str
    """`provider/model`."""
    url: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    context: int | None = None
    """Tokens; None: what the server reports."""
    timeout: float = 60.0
    """Seconds without words after which an answer has failed."""
    total_timeout: float = 600.0
    """Seconds after which an answer that has not ended has failed."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "LlmSettings":
        """Returns the part of all settings that is about the language model."""
        return cls(
            settings.llm,
            settings.llm_url,
            settings.llm_key,
            settings.llm_context,
            settings.llm_timeout,
            settings.llm_total_timeout,
        )


def language_model(settings: LlmSettings, environ: Mapping[str, str] = os.environ) -> LanguageModel:
    """Returns the model that the settings name. Connects to nothing before its first use.

    Raises FootnoteError for an invalid name, address or key, and ModelError for a provider that is
    not installed.
    """
    provider_name, _, model = settings.name.partition("/")
    provider = PROVIDERS.get(provider_name)
    if provider is None or not model:
        names = ", ".join(f"{name}/MODEL" for name in PROVIDERS)
        raise FootnoteError(
            f"Invalid language model {settings.name!r}. Set QA_LLM to one of {names}."
        )
    url, login = parse_url(provider_name, settings.url or provider.url)
    key = _checked_key(provider, settings, environ)
    server = Server(settings.name, url, key, login, provider.advice)
    _import_library(server, provider)
    return _RemoteModel(server, provider, settings)


def _import_library(server: Server, provider: Provider) -> None:
    try:
        import_module(provider.module)
        return
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{server.name} needs an extra that is not installed. "
            f"Install it with: {_install_command(provider)}"
        ) from error
    except Exception as error:  # noqa: BLE001  # of any kind; raised as ours below
        # ollama makes a client when it is imported, which fails for a proxy that it cannot use.
        variable = invalid_proxy_variable()
        failure = error_messages.cannot_load(server, error)
        if variable:
            failure = error_messages.invalid_proxy(server, variable)
    # Outside the handler: the library's error may quote the proxy's password.
    raise ModelError(failure)


def missing_extra(name: str) -> str | None:
    """Returns the command that installs what a model needs; None if it is installed."""
    provider = PROVIDERS.get(name.partition("/")[0])
    if provider is None:
        return None
    try:
        installed = find_spec(provider.module) is not None
    except ModuleNotFoundError:
        # The packages above the module are missing too.
        installed = False
    return None if installed else _install_command(provider)


def _install_command(provider: Provider) -> str:
    return f"pip install -c constraints.txt -e '.[{provider.extra}]'"


def model_server(settings: LlmSettings) -> Server:
    """Returns the server that questions and passages are sent to, without key and login.

    Raises FootnoteError for an address that is missing or invalid.
    """
    provider_name, _, _ = settings.name.partition("/")
    provider = PROVIDERS.get(provider_name)
    usual_url = provider.url if provider else None
    url, _ = parse_url(provider_name, settings.url or usual_url)
    return Server(settings.name, url)


def _checked_key(
    provider: Provider, settings: LlmSettings, environ: Mapping[str, str]
) -> str | None:
    """Returns the key of the settings, or of the environment variable that the provider uses."""
    variable = provider.key_variable
    key = settings.key or (environ.get(variable) if variable else None) or ""
    key = key.strip()
    if not key and variable:
        raise FootnoteError(f"{settings.name} needs a key. Set QA_LLM_KEY or {variable}.")
    if not (key.isascii() and key.isprintable()):
        raise FootnoteError(
            f"The key for {settings.name} has invalid characters. Copy it again into QA_LLM_KEY."
        )
    return key or None


class _RemoteModel:
    """A language model behind a server. Threads may share it: each request is on its own."""

    def __init__(self, server: Server, provider: Provider, settings: LlmSettings) -> None:
        self._server = server
        self._provider = provider
        self._chosen_context = settings.context
        self._time_limits = TimeLimits(settings.timeout, settings.total_timeout)
        self._probe_lock = threading.Lock()
        self._context: int | None = None
        self._can_stream = True

    @property
    def name(self) -> str:
        return self._server.name

    def context_size(self, stop: threading.Event) -> int:
        """Asks the server once, on first use; a failure is not remembered."""
        while not self._probe_lock.acquire(timeout=CHECK_SECONDS):
            if stop.is_set():
                raise StoppedError(error_messages.stopped(self._server))
        try:
            if self._context is None:
                # Also with a chosen context: the probe finds a missing model before the prompt.
                with self._request(stop) as request:
                    probed = self._provider.probe(request)
                # A refusal of the prompt then lists these names.
                self._server = replace(self._server, listed_instead=probed.listed_instead)
                self._context = self._chosen_context or probed.context or UNKNOWN_CONTEXT
            return self._context
        finally:
            self._probe_lock.release()

    def count_tokens(self, text: str) -> int:
        return estimate_tokens(text)

    def stream(
        self, messages: Sequence[Message], max_tokens: int, stop: threading.Event
    ) -> Iterator[str]:
        limits = TokenLimits(self.context_size(stop), max_tokens)
        chat = _chat_messages(messages)
        if self._can_stream:
            request = self._request(stop, self._provider.stream_limits)
            try:
                yield from self._streamed(request, chat, limits)
                return
            except LanguageModelError:
                if not request.cannot_stream:
                    raise
            self._can_stream = False
        yield from self._whole(self._request(stop, WHOLE_ANSWER), chat, limits)

    def _request(self, stop: threading.Event, body_limits: BodyLimits = MODEL_LIST) -> Request:
        return Request(self._server, self._time_limits, stop, body_limits)

    def _streamed(
        self, request: Request, chat: "list[ChatMessage]", limits: TokenLimits
    ) -> Iterator[str]:
        """Yields an answer word by word."""
        max_characters = MAX_TOKEN_CHARACTERS * limits.answer
        with request:
            llm = request.run(lambda: self._provider.build(request, limits))
            replies = request.run(lambda: llm.stream_chat(chat))
            joiner = SurrogateJoiner()
            any_reply, complete, pieces = False, False, 0
            while (reply := request.run(lambda: next(replies, None))) is not None:
                any_reply = True
                complete = complete or self._provider.is_last(reply.raw)
                if _is_thinking(reply):
                    request.restart_wait()
                if not reply.delta:
                    continue
                remaining = max_characters - len(request.words)
                # A server sends about one token per piece. Some servers ignore the limit of tokens
                # in the request: their answers are cut here.
                if pieces == limits.answer or remaining <= 0:
                    return
                pieces += 1
                words = joiner.feed(reply.delta[:remaining])
                yield from request.deliver(words)
            yield from request.deliver(joiner.finish())
            # openai's library stops reading at the end mark [DONE]; for the others, a body that
            # was read to its end without an end mark was cut.
            if any_reply and not complete and request.body_ended:
                raise LanguageModelError(error_messages.cut_off(self._server), request.words)
            self._check_not_empty(request)

    def _whole(
        self, request: Request, chat: "list[ChatMessage]", limits: TokenLimits
    ) -> Iterator[str]:
        """Yields an answer in one piece."""
        with request:
            llm = request.run(lambda: self._provider.build(request, limits))
            answer = request.run(lambda: llm.chat(chat).message.content) or ""
            words = encodable(answer)[: MAX_TOKEN_CHARACTERS * limits.answer]
            yield from request.deliver(words)
            self._check_not_empty(request)

    def _check_not_empty(self, request: Request) -> None:
        if not request.words.strip():
            raise LanguageModelError(error_messages.empty(self._server), request.words)


def _chat_messages(messages: Sequence[Message]) -> "list[ChatMessage]":
    from llama_index.core.llms import ChatMessage, MessageRole

    return [
        ChatMessage(role=MessageRole(message.role), content=message.content) for message in messages
    ]


def _is_thinking(reply: Any) -> bool:
    """Returns whether a reply is part of a model's reasoning: a sign of life, never shown."""
    # llama-index's classes keep it with the reply (OpenAI, Ollama) or its message (Anthropic).
    in_reply = reply.additional_kwargs.get("thinking_delta")
    in_message = reply.message.additional_kwargs.get("thinking_delta")
    return bool(in_reply or in_message)
