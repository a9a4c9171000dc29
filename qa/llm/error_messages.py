"""The texts of the errors for everything that can go wrong with a language model's server.

Libraries raise many kinds of errors, some with text that a server wrote. That text is quoted
without secrets, or not at all. Each message says what failed and what to do next.
"""

import json
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from shlex import quote as quote_for_shell
from typing import Any
from urllib.parse import urlsplit

from qa.llm.server import ResponseHead, Server

LONGEST_WAIT = 24 * 60 * 60
"""Seconds that a message passes on from a server; it may say any number."""

_CONTEXT_OVERFLOW = re.compile(
    r"context[ _-]?(?:length|window|size|limit)"
    r"|(?:maximum|available) (?:context|(?:number of )?tokens)"
    r"|(?:prompt|input|request) (?:is )?too (?:long|large)|too many tokens"
    r"|exceeds?\b.{0,40}\b(?:context|tokens)\b",
    re.IGNORECASE | re.DOTALL,
)
"""Every server has its own words for a prompt that is too long."""
_UNREADABLE = {
    "JSONDecodeError": "it is not valid JSON",
    "UnicodeDecodeError": "it is not valid UTF-8",
}
_DISCONNECTED = {"RemoteProtocolError", "ReadError", "ConnectionResetError"}
_TRANSPORT_MODULES = ("httpx", "httpcore")
"""The beginnings of the names of httpx2 and httpcore2 too."""
_STATUSES = {
    401: "{at} rejected the key for {name}. Set QA_LLM_KEY to a valid key.",
    403: "{at} does not let this key use {name}. Set QA_LLM_KEY to a key that may use it.",
    408: "{at} timed out waiting for the request to {name}. Ask again.",
    413: "The request is too large for {name} at {at}. Lower QA_TOP_K.",
    500: "{name} failed at {at} (status 500). Ask again; if it fails again, read the server's log.",
    502: "The gateway at {at} cannot reach {name} (status 502). Ask again in a minute.",
    503: "{name} at {at} is busy or still loading (status 503). Ask again in a minute.",
    504: "The gateway at {at} timed out waiting for {name} (status 504). Ask again in a minute.",
    529: "{name} at {at} is overloaded (status 529). Ask again in a minute.",
}


def describe_error(server: Server, response: ResponseHead | None, error: BaseException) -> str:
    """Returns the message for a library's error; `response`: None if none had arrived."""
    if response is None:
        return _unreachable(server, error)
    if response.failed:
        return describe_status(server, response)
    if _kinds(error) & _DISCONNECTED:
        return cut_off(server)

    server_text = _error_in_stream(error)
    if server_text is None:
        cause = _UNREADABLE.get(type(error).__name__, "its form is unexpected")
        return (
            f"{server.name} at {server.address} sent an answer that cannot be read: {cause}. "
            f"Ask again; if it fails again, check {server.advice.setting}."
        )
    if _CONTEXT_OVERFLOW.search(server_text):
        return _too_long(server)
    quoted = server.clean(server_text)
    return f'{server.name} at {server.address} stopped with an error: "{quoted}". Ask again.'


def describe_status(server: Server, response: ResponseHead) -> str:
    """Returns the message for a response that is an error or a redirect."""
    status = response.status
    server_text = _message_in(response.body)
    words = {"name": server.name, "model": server.model, "at": server.address}
    if status < 400:
        return _redirected(server, response.location)
    if status in (400, 413, 422, 500) and _CONTEXT_OVERFLOW.search(server_text + response.body):
        return _too_long(server)
    if server.listed_instead and _refuses_model(server, status, server_text):
        return model_missing(server, server.listed_instead)
    if status == 404:
        return server.advice.model_not_found.format(**words)
    if status == 429:
        advice = _when_to_retry(response.retry_after)
        return f"{server.address} accepts no more requests for {server.name} now. {advice}"
    if status in _STATUSES:
        return _STATUSES[status].format(**words)
    quoted = f': "{server.clean(server_text)}"' if server_text.strip() else ""
    return (
        f"{server.address} rejected the request for {server.name} (status {status}){quoted}. "
        "Check QA_LLM."
    )


def _refuses_model(server: Server, status: int, server_text: str) -> bool:
    """Returns whether the status and text of an error say that the model's name is wrong."""
    if status not in (400, 422):
        return status == 404
    # Servers use these statuses for other faults of a request too.
    text = server_text.casefold()
    name = server.model.casefold()
    if any(f"{mark}{name}{mark}" in text for mark in "'\"`"):
        return True
    return "model" in text and (name in text or "not found" in text)


def refuses_streaming(response: ResponseHead) -> bool:
    """Returns whether a server says that it cannot answer word by word."""
    return response.status in (400, 422) and "stream" in response.body.casefold()


def cut_off(server: Server) -> str:
    """Returns the message for a connection that ended before the answer did."""
    return f"{server.address} closed the connection before {server.name} had finished. Ask again."


def empty(server: Server) -> str:
    """Returns the message for an answer without words."""
    return (
        f"{server.name} at {server.address} returned an empty answer. "
        f"Ask again, or check {server.advice.setting}."
    )


def timed_out(server: Server, timeout: float, started: bool) -> str:
    """Returns the message for a server that sent no words for `timeout` seconds."""
    if started:
        return (
            f"{server.name} at {server.address} stopped in the middle of its answer: "
            f"no words for {_seconds(timeout)}. Ask again, or raise QA_LLM_TIMEOUT."
        )
    return (
        f"{server.name} at {server.address} did not start to answer within {_seconds(timeout)}. "
        "If it is still loading, ask again; or raise QA_LLM_TIMEOUT."
    )


def took_too_long(server: Server, limit: float) -> str:
    """Returns the message for an answer that had not ended after `limit` seconds."""
    return (
        f"{server.name} at {server.address} had not finished its answer after {_seconds(limit)}. "
        "Ask again, or raise QA_LLM_TOTAL_TIMEOUT."
    )


def too_large(server: Server, amount: str) -> str:
    """Returns the message for a response over a limit of its size; `amount`: "more than 4 MB"."""
    return (
        f"{server.name} at {server.address} sent {amount}. The rest was not read. "
        f"Ask again; if it fails again, check {server.advice.setting}."
    )


def compressed(server: Server) -> str:
    """Returns the message for a compressed response, which could become any size."""
    return (
        f"{server.name} at {server.address} sent a compressed answer, which Footnote does not "
        f"read. Turn compression off there, or check {server.advice.setting}."
    )


def invalid_proxy(server: Server, variable: str) -> str:
    """Returns the message for a proxy in the environment that the libraries cannot use.

    The proxy itself is not quoted: it may have a password.
    """
    return (
        f"Can't use {server.name}: the proxy in the environment variable {variable} is not valid, "
        f"or of a kind that is not supported. Set {variable} to an address like "
        "http://proxy.example:8080, or unset it."
    )


def cannot_load(server: Server, error: Exception) -> str:
    """Returns the message for a provider's library that is installed and cannot be loaded."""
    reason = server.clean(str(error)) or type(error).__name__
    return (
        f"Can't use {server.name}: its library cannot be loaded: {reason.rstrip('.')}. "
        "Install Footnote's extras again."
    )


def stopped(server: Server) -> str:
    """Returns the message for an answer that the person stopped."""
    return f"{server.name} was stopped before it had finished."


def model_missing(server: Server, available: Sequence[str]) -> str:
    """Returns the message for a model that a server does not have, with those that it has.

    Each name is as `QA_LLM=` takes it in a shell.
    """
    provider = server.name.partition("/")[0]
    names = [quote_for_shell(f"{provider}/{server.clean(model)}") for model in available[:5]]
    more = f" or one of {len(available) - 5} more" if len(available) > 5 else ""
    return (
        f"{server.address} does not have {server.name}. "
        f"Set QA_LLM to a model that it has: {', '.join(names)}{more}."
    )


def _unreachable(server: Server, error: BaseException) -> str:
    """Returns the message for a request that got no response."""
    causes = list(_chain(error))

    def caused_by(kind: type[BaseException]) -> bool:
        return any(isinstance(cause, kind) for cause in causes)

    failed = f"Can't reach the language model {server.name} ({server.address})"
    if caused_by(ConnectionRefusedError):
        if server.advice.start_command:
            return f"{failed}. Start it with: {server.advice.start_command}"
        return f"{failed}. Start its server, or check {server.advice.setting}."
    if caused_by(socket.gaierror):
        return f"{failed}: the host is unknown. Check QA_LLM_URL and the network."
    if caused_by(ssl.SSLError):
        return (
            f"{failed} securely: its certificate is not accepted. "
            "Check QA_LLM_URL, or set SSL_CERT_FILE to the file of your certificate authority."
        )
    if _kinds(error) & _DISCONNECTED:
        return (
            f"{server.address} closed the connection before {server.name} had started. Ask again."
        )

    # A library that refuses the model by itself raises an error of its own, not of its transport.
    of_transport = any(type(cause).__module__.startswith(_TRANSPORT_MODULES) for cause in causes)
    if not of_transport:
        reason = server.clean(str(error)) or type(error).__name__
        return (
            f"Can't use {server.name} at {server.address}: {reason.rstrip('.')}. "
            "Check the model in QA_LLM."
        )
    reason = "it did not answer in time" if caused_by(TimeoutError) else type(error).__name__
    return f"{failed}: {reason}. Check QA_LLM_URL and the network."


def _redirected(server: Server, location: str) -> str:
    try:
        host = urlsplit(location).netloc.rpartition("@")[2]
    except ValueError:
        host = "an invalid address"
    target = server.clean(host or "another path")
    return (
        f"{server.address} redirects requests for {server.name} to {target}. Redirects are not "
        "followed. If that address is right, set QA_LLM_URL to it."
    )


def _too_long(server: Server) -> str:
    return (
        f"The question and its passages are too long for {server.name} at {server.address}. "
        "Lower QA_TOP_K, or set QA_LLM_CONTEXT to the model's context size in tokens."
    )


def _when_to_retry(retry_after: str) -> str:
    """Returns the advice of a Retry-After header: seconds, or a date."""
    wait: float | None
    try:
        wait = float(retry_after)
    except ValueError:
        wait = _seconds_until(retry_after)
    if wait is None or not 0 <= wait <= LONGEST_WAIT:  # also False for NaN
        return "Try again in a minute; if it fails again, check the limits of the key's account."
    return f"Try again in {_seconds(ceil(wait))}."


def _seconds_until(date: str) -> float | None:
    try:
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None


def _seconds(number: float) -> str:
    return f"{number:g} second" + ("" if number == 1 else "s")


def _error_in_stream(error: BaseException) -> str | None:
    """Returns the text of an error that the server sent as part of its answer; None without one."""
    for attribute in ("body", "error"):  # of openai's and anthropic's errors, and of ollama's
        content = getattr(error, attribute, None)
        if content:
            return _message_in(content)
    return None


def _message_in(body: Any) -> str:
    """Returns the text inside an error's JSON, whose shape each server chooses; else the body."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return str(body)
    while isinstance(body, dict):
        inner = body.get("error") or body.get("message") or body.get("detail")
        if not inner:
            break
        body = inner
    if isinstance(body, str):
        return body
    try:
        return json.dumps(body, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return ""


def _kinds(error: BaseException) -> set[str]:
    return {type(cause).__name__ for cause in _chain(error)}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and the errors that led to it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
