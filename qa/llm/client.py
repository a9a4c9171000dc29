"""A language model that a person chose, behind its server: its words as they arrive, until they are complete."""

import os
import threading
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import unquote, urlsplit

from qa.config import Settings
from qa.errors import FootnoteError, LanguageModelError, ModelError, StoppedError
from qa.llm import errors
from qa.llm.errors import Server
from qa.llm.http import TICK, Request
from qa.llm.providers import PROVIDERS, Provider, TokenLimits
from qa.types import Usage

if TYPE_CHECKING:
    import tiktoken
    from llama_index.core.llms import ChatMessage

UNKNOWN_CONTEXT = 4096
"""Tokens that a model takes whose server does not say."""
MESSAGE_TOKENS = 8
"""What a chat template adds to a message, about."""
THINKING_BEGINS, THINKING_ENDS = "<think>", "</think>"
TOKEN_CHARACTERS = 8
"""An answer has at most this many characters a token; more is not read."""
_VOCABULARY = "_static/tiktoken_cache/9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
"""cl100k_base, as llama-index-core ships it."""
_WORDS = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
"""cl100k_base's pattern, but each digit by itself, as Qwen, Gemma and Llama 2 have them."""
_MARGIN = 1.1


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """What a person chose: a model as `provider/model`. The repr shows no key and no address, which may hold one."""

    name: str
    url: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    context: int | None = None
    """Tokens; None: what the server says."""
    timeout: float = 60.0
    """Seconds without a word after which an answer is given up."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "LlmSettings":
        """Those among all settings that are of the language model."""
        return cls(
            settings.llm,
            settings.llm_url,
            settings.llm_key,
            settings.llm_context,
            settings.llm_timeout,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """What a model reads: instructions, a question, or an answer of its own."""

    role: Literal["system", "user", "assistant"]
    content: str


class LanguageModel(Protocol):
    """What an answer needs of a model."""

    @property
    def name(self) -> str: ...

    def context_size(self, stop: threading.Event) -> int:
        """Tokens that prompt and answer may have together; asks the server on first use, until `stop` is set."""

    def count_tokens(self, text: str) -> int:
        """Tokens of a text: never fewer than the model's own count, as far as one can tell."""

    def stream(
        self, messages: Sequence[Message], most: int, stop: threading.Event
    ) -> Iterator[str]:
        """The words of an answer of at most `most` tokens, as they arrive.

        Raises LanguageModelError for whatever goes wrong and StoppedError once `stop` is set, both with the words
        that had arrived.
        """


def language_model(settings: LlmSettings, environ: Mapping[str, str] = os.environ) -> LanguageModel:
    """The model that the settings name. Nothing connects before its first use.

    Raises FootnoteError for a name, address or key that is none, ModelError for a provider that is not installed.
    """
    kind, _, model = settings.name.partition("/")
    provider = PROVIDERS.get(kind)
    if provider is None or not model:
        names = ", ".join(f"{one}/MODEL" for one in PROVIDERS)
        raise FootnoteError(
            f"{settings.name!r} is no language model: set QA_LLM to one of {names}."
        )
    url, login = _address(kind, settings.url or provider.url)
    server = Server(settings.name, url, _key(kind, provider, settings, environ), login)
    try:
        import_module(f"llama_index.llms.{kind.replace('-', '_')}")
    except ImportError as error:
        command = f"pip install -c constraints.txt -e '.[{kind}]'"
        raise ModelError(
            f"What {settings.name} needs is not installed. Install it: {command}"
        ) from error
    return _RemoteModel(server, provider, settings)


class CountingModel:
    """A language model that counts what it is given and gives, for one answer. `asked`: whether anything was."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._given: list[str] = []
        self._got: list[str] = []

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def was_called(self) -> bool:
        return bool(self._given)

    @property
    def usage(self) -> Usage:
        prompt = sum(self.count_tokens(text) + MESSAGE_TOKENS for text in self._given)
        return Usage(prompt, sum(map(self.count_tokens, self._got)))

    def context_size(self, stop: threading.Event) -> int:
        return self._model.context_size(stop)

    def count_tokens(self, text: str) -> int:
        return self._model.count_tokens(text)

    def stream(
        self, messages: Sequence[Message], most: int, stop: threading.Event
    ) -> Iterator[str]:
        self._given += [message.content for message in messages]
        self._got.append("")
        for piece in self._model.stream(messages, most, stop):
            self._got[-1] += piece
            yield piece


def prompt_tokens(model: LanguageModel, messages: Sequence[Message]) -> int:
    """Returns how many tokens of the model's context these messages take."""
    return sum(model.count_tokens(message.content) + MESSAGE_TOKENS for message in messages)


def without_thinking(pieces: Iterable[str]) -> Iterator[str]:
    """Yields a streamed answer without its leading `<think>…</think>`.

    Reasoning models (DeepSeek-R1, QwQ) write their reasoning there; some servers leave it in.
    """
    held_back, answering = "", False
    for piece in pieces:
        if answering:
            yield piece
            continue
        held_back += piece
        opening = held_back.lstrip()[: len(THINKING_BEGINS)]
        if opening == THINKING_BEGINS and THINKING_ENDS in held_back:
            answering = True
            yield held_back.split(THINKING_ENDS, 1)[1].lstrip()
        elif not THINKING_BEGINS.startswith(opening):
            answering = True
            yield held_back
    if not answering and not held_back.lstrip().startswith(THINKING_BEGINS):
        yield held_back


def model_host(settings: LlmSettings) -> tuple[str, bool]:
    """The host that questions and passages go to, and whether it is this machine. Raises FootnoteError."""
    kind, _, _ = settings.name.partition("/")
    provider = PROVIDERS.get(kind)
    address, _ = _address(kind, settings.url or (provider.url if provider else None))
    host = urlsplit(address).hostname or address
    return host, host in ("localhost", "::1") or host.startswith("127.")


def _address(kind: str, url: str | None) -> tuple[str, str | None]:
    """An address without, and by itself, its `user:password`. The address is not shown: it may hold some."""
    if not url:
        raise FootnoteError(
            f"{kind} needs the address of a server: set QA_LLM_URL, for example http://localhost:8000/v1."
        )
    try:
        parts = urlsplit(url.strip() if "://" in url else f"http://{url.strip()}")
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise FootnoteError(
            "QA_LLM_URL is no address of a server. Set it to one like http://localhost:8000/v1."
        )
    login, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=host, query="", fragment="").geturl().rstrip("/"), unquote(
        login
    ) or None


def _key(
    kind: str, provider: Provider, settings: LlmSettings, environ: Mapping[str, str]
) -> str | None:
    key = (
        settings.key or (environ.get(provider.variable) if provider.variable else None) or ""
    ).strip()
    if not key and provider.variable:
        raise FootnoteError(
            f"{settings.name} needs a key: set QA_LLM_KEY (or {provider.variable})."
        )
    if not (key.isascii() and key.isprintable()):
        raise FootnoteError(
            f"The key for {kind} has characters that no key has. Copy it again into QA_LLM_KEY."
        )
    return key or None


class _RemoteModel:
    """A model behind a server. Threads may share it; each request is by itself."""

    def __init__(self, server: Server, provider: Provider, settings: LlmSettings) -> None:
        self._server = server
        self._provider = provider
        self._chosen = settings.context
        self._timeout = settings.timeout
        self._probing = threading.Lock()
        self._found: int | None = None
        self._streams = True

    @property
    def name(self) -> str:
        return self._server.name

    def context_size(self, stop: threading.Event) -> int:
        return self._probed(stop)

    def count_tokens(self, text: str) -> int:
        encoding = _encoding()
        if encoding is None:
            return ceil(len(text.encode("utf-8", "surrogatepass")) / 3)
        return ceil(_MARGIN * len(encoding.encode_ordinary(text)))

    def stream(
        self, messages: Sequence[Message], most: int, stop: threading.Event
    ) -> Iterator[str]:
        room = TokenLimits(self._probed(stop), most)
        chat = _chat(messages)
        if self._streams:
            request = Request(self._server, self._timeout, stop)
            try:
                yield from self._words(request, chat, room)
                return
            except LanguageModelError:
                if not request.unstreamed:
                    raise
            self._streams = False
        yield from self._whole(Request(self._server, self._timeout, stop), chat, room)

    def _probed(self, stop: threading.Event) -> int:
        """The model's context, asked for once; a failure is not remembered."""
        while not self._probing.acquire(timeout=TICK):
            if stop.is_set():
                raise StoppedError(errors.stopped(self._server))
        try:
            if self._found is None:
                with Request(self._server, self._timeout, stop) as request:
                    said = self._provider.probe(request)
                self._found = self._chosen or said or UNKNOWN_CONTEXT
            return self._found
        finally:
            self._probing.release()

    def _words(
        self, request: Request, chat: "list[ChatMessage]", room: TokenLimits
    ) -> Iterator[str]:
        """An answer word by word."""
        with request:
            llm = request.call(lambda: self._provider.build(request, room))
            replies = request.call(lambda: llm.stream_chat(chat))
            begun, ended, pieces = False, False, 0
            while (reply := request.call(lambda: next(replies, None))) is not None:
                begun, ended = True, ended or self._provider.ended(reply.raw)
                if _thinks(reply):
                    request.alive()
                if not reply.delta:
                    continue
                left = TOKEN_CHARACTERS * room.answer - len(request.said)
                if pieces == room.answer or left <= 0:
                    return
                pieces += 1
                yield from request.heard(reply.delta[:left])
            # Of the libraries only openai's stops at an end mark, [DONE], and leaves what may follow unread.
            if begun and not ended and request.exhausted:
                raise LanguageModelError(errors.cut_off(self._server), request.said)
            self._check(request)

    def _whole(
        self, request: Request, chat: "list[ChatMessage]", room: TokenLimits
    ) -> Iterator[str]:
        """An answer in one piece."""
        with request:
            llm = request.call(lambda: self._provider.build(request, room))
            said = request.call(lambda: llm.chat(chat).message.content) or ""
            yield from request.heard(said[: TOKEN_CHARACTERS * room.answer])
            self._check(request)

    def _check(self, request: Request) -> None:
        if not request.said.strip():
            raise LanguageModelError(errors.empty(self._server), request.said)


def _chat(messages: Sequence[Message]) -> "list[ChatMessage]":
    from llama_index.core.llms import ChatMessage, MessageRole

    return [
        ChatMessage(role=MessageRole(message.role), content=message.content) for message in messages
    ]


def _thinks(reply: Any) -> bool:
    """Whether a model sent a part of what it thinks before it answers; it is not shown, but it is a sign of life."""
    return any(
        one.get("thinking_delta")
        for one in (reply.additional_kwargs, reply.message.additional_kwargs)
    )


@cache
def _encoding() -> "tiktoken.Encoding | None":
    """Read from the installed file itself: tiktoken's own loading would download what it does not find."""
    spec = find_spec("llama_index.core")
    places = (spec and spec.submodule_search_locations) or []
    file = next((path for place in places if (path := Path(place, _VOCABULARY)).is_file()), None)
    if file is None:
        return None
    import tiktoken

    ranks = {
        b64decode(word): int(rank)
        for word, rank in (line.split() for line in file.read_bytes().splitlines())
    }
    return tiktoken.Encoding("words", pat_str=_WORDS, mergeable_ranks=ranks, special_tokens={})
