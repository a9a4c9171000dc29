"""What goes wrong between here and a language model's server, each as a sentence or two: what happened, what to do.

Libraries raise many kinds of errors, with texts that a server wrote: those are quoted without secrets, or not at all.
"""

import json
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil, isfinite
from typing import Any
from urllib.parse import quote, urlsplit

QUOTED = 200
"""Characters of a server's own words."""
_CONTEXT = re.compile(
    r"context[ _-]?(?:length|window|size|limit)|(?:maximum|available) (?:context|(?:number of )?tokens)"
    r"|(?:prompt|input|request) (?:is )?too (?:long|large)|too many tokens|exceeds?\b.{0,40}\b(?:context|tokens)\b",
    re.IGNORECASE | re.DOTALL,
)
_UNREADABLE = {
    "JSONDecodeError": "it is not valid JSON",
    "UnicodeDecodeError": "it is not valid UTF-8",
}
_TRANSPORTS = ("httpx", "httpcore")
"""Also httpx2's and httpcore2's names."""
_STATUSES = {
    401: "{at} does not accept the key for {name}. Set QA_LLM_KEY to a valid one.",
    403: "{at} does not let this key use {name}. Set QA_LLM_KEY to one that may.",
    408: "{at} waited too long for the request to {name}. Ask again.",
    413: "The request is larger than {at} takes for {name}. Lower QA_TOP_K.",
    500: "{name} failed at {at} (status 500). Ask again; if it stays so, look into the server's log.",
    502: "The gateway at {at} does not reach {name} (status 502). Ask again in a minute.",
    503: "{name} at {at} is busy or still being loaded (status 503). Ask again in a minute.",
    504: "The gateway at {at} waited too long for {name} (status 504). Ask again in a minute.",
    529: "{name} at {at} is overloaded (status 529). Ask again in a minute.",
}
_UNKNOWN_MODEL = {
    "ollama": "Ollama at {at} does not have the model of {name}. Get it: ollama pull {model}",
    "openai-like": "{at} answers that it does not have {name} (status 404). "
    "Check the model in QA_LLM, and QA_LLM_URL, which mostly ends in /v1.",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A model and where it is. No repr shows its secrets."""

    name: str
    """As the person wrote it: `provider/model`."""
    url: str
    """Without user and password."""
    key: str | None = field(default=None, repr=False)
    login: str | None = field(default=None, repr=False)
    """`user:password`, where the address had them."""

    @property
    def provider(self) -> str:
        return self.name.partition("/")[0]

    @property
    def model(self) -> str:
        return self.name.partition("/")[2]

    @property
    def address(self) -> str:
        """Host and port, as far as the address has one."""
        return urlsplit(self.url).netloc

    def clean(self, text: str) -> str:
        """A server's words in one short line, without secrets that it echoes."""
        for secret in self._secrets():
            text = text.replace(secret, "…")
        text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        return text if len(text) <= QUOTED else text[:QUOTED] + "…"

    def _secrets(self) -> Iterator[str]:
        """Longest forms first, so that none leaves a piece of another."""
        plain = [one for one in (self.key, self.login, (self.login or "").partition(":")[2]) if one]
        forms = {
            form
            for one in plain
            for form in (one, quote(one, safe=""), b64encode(one.encode()).decode())
        }
        return iter(sorted(forms, key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """What a server answered before the words of a model."""

    status: int
    kind: str = ""
    """The content type."""
    retry_after: str = ""
    location: str = ""
    body: str = ""
    """Of an error; else empty."""

    @property
    def failed(self) -> bool:
        return self.status >= 300


def fault(server: Server, head: ResponseHead | None, error: BaseException) -> str:
    """What a library's error means. `head`: as far as an answer had come when it was raised."""
    if head is None:
        return _unreached(server, error)
    if head.failed:
        return refused(server, head)
    kinds = {type(one).__name__ for one in _chain(error)}
    if kinds & {"RemoteProtocolError", "ReadError", "ConnectionResetError"}:
        return cut_off(server)
    told = _told(error)
    if told is None:
        why = _UNREADABLE.get(type(error).__name__, "it has another form than expected")
        return (
            f"{server.name} at {server.address} sent an answer that cannot be read: {why}. "
            f"Ask again; if it stays so, check {_setting(server)}."
        )
    if _CONTEXT.search(told):
        return _overflow(server)
    return f'{server.name} at {server.address} broke off with an error: "{server.clean(told)}". Ask again.'


def refused(server: Server, head: ResponseHead) -> str:
    """An answer that is an error, by its status."""
    told = _message(head.body)
    words = {"name": server.name, "model": server.model, "at": server.address}
    if head.status < 400:
        elsewhere = server.clean(
            urlsplit(head.location).netloc.rpartition("@")[2] or "another path"
        )
        return (
            f"{server.address} sends requests for {server.name} on to {elsewhere}; they are not sent there. "
            "If that is right, set QA_LLM_URL to its address."
        )
    if head.status in (400, 413, 422, 500) and _CONTEXT.search(told + head.body):
        return _overflow(server)
    if head.status == 404:
        unknown = "{at} answers that it does not have {name} (status 404). Check the model's name in QA_LLM."
        return _UNKNOWN_MODEL.get(server.provider, unknown).format(**words)
    if head.status == 429:
        return f"{server.address} takes no more requests for {server.name} for now. {_again(head.retry_after)}"
    if head.status in _STATUSES:
        return _STATUSES[head.status].format(**words)
    quoted = f': "{server.clean(told)}"' if told.strip() else ""
    return f"{server.address} refused the request for {server.name} (status {head.status}){quoted}. Check QA_LLM."


def refuses_streaming(head: ResponseHead) -> bool:
    """Whether a server says that it cannot answer word by word."""
    return head.status in (400, 422) and "stream" in head.body.casefold()


def cut_off(server: Server) -> str:
    """A connection that ended before the answer did."""
    return f"{server.address} closed the connection before {server.name} had finished. Ask again."


def empty(server: Server) -> str:
    """An answer without a word."""
    return f"{server.name} at {server.address} gave an empty answer. Ask again, or check {_setting(server)}."


def slow(server: Server, timeout: float, begun: bool) -> str:
    """Nothing came for as long as we wait; `begun`: after the first words."""
    seconds = _seconds(timeout)
    if begun:
        return (
            f"{server.name} at {server.address} stopped in the middle of its answer: no word for {seconds}. "
            "Ask again, or set QA_LLM_TIMEOUT to wait longer."
        )
    return (
        f"{server.name} at {server.address} did not begin to answer within {seconds}. "
        "If it is still being loaded, ask again; or set QA_LLM_TIMEOUT to wait longer."
    )


def stopped(server: Server) -> str:
    """The person did not want the rest."""
    return f"{server.name} was stopped before it had finished."


def lacking(server: Server, models: list[str]) -> str:
    """A model that the server's own list has not."""
    some = ", ".join(server.clean(one) for one in models[:5])
    more = f" and {len(models) - 5} more" if len(models) > 5 else ""
    return f"{server.address} does not have the model of {server.name}. It has {some}{more}: set QA_LLM to one of them."


def _unreached(server: Server, error: BaseException) -> str:
    causes = list(_chain(error))
    names = {type(one).__name__ for one in causes}

    def caused(kind: type[BaseException]) -> bool:
        return any(isinstance(one, kind) for one in causes)

    if caused(ConnectionRefusedError):
        start = (
            "Start it: ollama serve"
            if server.provider == "ollama"
            else f"Start it, or check {_setting(server)}."
        )
        return f"Nothing answers at {server.address}, where {server.name} should be. {start}"
    if caused(socket.gaierror):
        return f"The host of {server.name}, {server.address}, is not known. Check QA_LLM_URL and the network."
    if caused(ssl.SSLError):
        return (
            f"The connection to {server.name} at {server.address} is not secure: its certificate is not accepted. "
            "Check QA_LLM_URL, or set SSL_CERT_FILE to the file of your own authority."
        )
    if names & {"RemoteProtocolError", "ReadError", "ConnectionResetError"}:
        return f"{server.address} closed the connection before {server.name} had begun. Ask again."
    if not any(type(one).__module__.startswith(_TRANSPORTS) for one in causes):
        told = server.clean(str(error)) or type(error).__name__
        return f"{server.name} at {server.address} cannot be asked: {told.rstrip('.')}. Check the model in QA_LLM."
    why = "it did not answer in time" if caused(TimeoutError) else type(error).__name__
    return f"{server.name} cannot be reached at {server.address} ({why}). Check QA_LLM_URL and the network."


def _overflow(server: Server) -> str:
    return (
        f"The question and its passages are more than {server.name} at {server.address} takes. "
        "Lower QA_TOP_K, or set QA_LLM_CONTEXT to the number of tokens that it takes."
    )


def _again(retry_after: str) -> str:
    wait: float | None
    try:
        wait = float(retry_after)
    except ValueError:
        wait = _until(retry_after)
    if wait is None or not isfinite(wait) or wait < 0:
        return "Try again in a minute; if it stays so, see what the key's account allows."
    return f"Try again in {_seconds(ceil(wait))}."


def _until(date: str) -> float | None:
    try:
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None


def _seconds(number: float) -> str:
    return f"{number:g} second" + ("" if number == 1 else "s")


def _setting(server: Server) -> str:
    return "QA_LLM_URL" if server.provider in ("ollama", "openai-like") else "QA_LLM"


def _told(error: BaseException) -> str | None:
    """The server's words in an error that came in the stream; None for an error of the library's own."""
    for attribute in ("body", "error"):  # of openai's and anthropic's errors, and of ollama's
        value = getattr(error, attribute, None)
        if value:
            return _message(value)
    return None


def _message(body: Any) -> str:
    """The words inside an error's JSON, whose shape each server chooses; what is no JSON as it is."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return str(body)
    while isinstance(body, dict):
        inner = next((body[key] for key in ("error", "message", "detail") if body.get(key)), None)
        if inner is None:
            break
        body = inner
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
