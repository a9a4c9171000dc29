"""One request to a language model's server, whose connection can be cut at any moment.

Each request has an HTTP client of its own. A thread next to it cuts the connection when the person
stops, when no words arrive for too long, and when the whole answer takes too long: the libraries
have no other way out of a blocked read. What a server sends is bounded (`bounds.py`).
"""

import logging
import os
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

from qa.errors import LanguageModelError, StoppedError
from qa.llm import error_messages
from qa.llm.bounds import MODEL_LIST, BodyLimits, TooLargeError, beginning, replace_stream, within
from qa.llm.server import ResponseHead, Server

Result = TypeVar("Result")
Client = TypeVar("Client")
_LOG = logging.getLogger(__name__)

KEY_PLACEHOLDER = "footnote-no-key"
"""What the libraries get for the key, so that none of their reprs, logs and events can have the
real key, which replaces it only in the request that leaves. Sent as it is without a key."""
KEY_HEADERS = frozenset({"authorization", "x-api-key"})
SENT_HEADERS = KEY_HEADERS | {
    "accept",
    "accept-encoding",
    "anthropic-version",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
}
"""All that a server gets. The libraries add what the environment has for their own provider, such
as OPENAI_ORG_ID or OPENAI_CUSTOM_HEADERS, also for a server of another one."""
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
NO_SUCH_PATH = frozenset({404, 405, 501})
CHECK_SECONDS = 0.05
"""How often the watching thread checks whether to cut."""
CONNECT_SECONDS = 5.0
"""The time limit for connecting. Until a connection is there, there is nothing to cut."""
RECEIVE_BUFFER = 262_144
"""Bytes that the system holds for a connection; by default it is several MB."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """The seconds after which the connection is cut."""

    silence: float
    """Without words."""
    total: float
    """Of the whole request, however many words arrive."""


class Request:
    """A request to a server, used in a `with` block that closes its connection."""

    def __init__(
        self,
        server: Server,
        limits: TimeLimits,
        stop: threading.Event,
        body_limits: BodyLimits = MODEL_LIST,
    ) -> None:
        self.server = server
        self.words = ""
        """All words of the answer so far."""
        self.response: ResponseHead | None = None
        self.body_ended = False
        """Whether the answer's body was read to its end."""
        self._limits = limits
        self._body_limits = body_limits
        self._stop = stop
        self._refusal: str | None = None
        """Why this side ended the request: the message of a limit."""
        self._sent_at: float | None = None
        """None before the request leaves."""
        self._waiting_since: float | None = None
        """None before the request leaves, and while the caller is busy with the last words."""
        self._sockets: list[socket.socket] = []
        self._clients: list[Any] = []
        self._closed = threading.Event()

    def __enter__(self) -> "Request":
        threading.Thread(target=self._watch, name="footnote-llm-watch", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closed.set()
        self._cut()
        for client in self._clients:
            client.close()

    def run(self, library_call: Callable[[], Result]) -> Result:
        """Returns what a library's call returns. Raises LanguageModelError or StoppedError only."""
        try:
            result = library_call()
        except Exception as error:  # noqa: BLE001  # of any kind; raised as ours below
            message = self.server.clean(str(error))
            kind = type(error).__name__
            _LOG.debug("%s at %s: %s: %s", self.server.name, self.server.address, kind, message)
            failure = self._ended_here() or self._described(error)
        else:
            ended = self._ended_here()
            if ended is None:
                return result
            failure = ended
        # Outside the handler: the library's error may quote the key that the server echoed, and
        # would be attached to ours as its context.
        raise failure

    def fetch_json(self, method: str, path: str, body: Any = None) -> Any:
        """Returns the JSON at a path of the server; None if it has no such path, or no JSON there.

        Raises LanguageModelError for any other failure.
        """
        import httpx

        headers = {"authorization": f"Bearer {KEY_PLACEHOLDER}"}
        client = self.run(lambda: httpx.Client(**self.client_options(httpx), headers=headers))
        self.close_later(client)
        url = self.server.url + path
        response = self.run(lambda: client.request(method, url, json=body))
        if self.response and self.response.failed:
            path_is_optional = body is None and self.response.status in NO_SUCH_PATH
            if not path_is_optional:
                raise LanguageModelError(error_messages.describe_status(self.server, self.response))
        try:
            return response.json()
        except (ValueError, RecursionError):
            return None

    @property
    def cannot_stream(self) -> bool:
        """Whether the server showed that it answers in one piece only."""
        if self.words or not self.response:
            return False
        is_json = self.response.content_type.startswith("application/json")
        answered_whole = self.body_ended and is_json and not self.response.failed
        return answered_whole or error_messages.refuses_streaming(self.response)

    @property
    def is_silent(self) -> bool:
        """Whether the server accepted the connection, and did not answer."""
        return bool(self._sockets) and self.response is None

    def deliver(self, words: str) -> Iterator[str]:
        """Yields words to the caller, whose time does not count as waiting for the server."""
        if not words:
            return
        self.words += words
        self._waiting_since = None
        yield words
        self.restart_wait()

    def restart_wait(self) -> None:
        """Starts the time limit again: the server showed a sign of life."""
        self._waiting_since = time.monotonic()

    def close_later(self, client: Client) -> Client:
        """Returns the client, which is closed together with the request."""
        self._clients.append(client)
        return client

    def client_options(self, library: ModuleType) -> dict[str, Any]:
        """Returns the arguments for an HTTP client that this request controls.

        `library`: httpx, or httpx2, which is the same under the name that anthropic uses.
        """
        limits = library.Limits(max_keepalive_connections=0)
        options = {
            "limits": limits,
            "follow_redirects": False,
            "event_hooks": {
                "request": [self._before_send],
                "response": [partial(self._after_head, library)],
            },
        }
        if self.server.is_local:
            # A client with a transport of its own uses no proxy, which would see the prompts.
            options["transport"] = library.HTTPTransport(limits=limits)
        return options

    def _before_send(self, request: Any) -> None:
        """Called by the client before a request leaves."""
        self._sent_at = time.monotonic()
        self.restart_wait()
        connect_limit = min(CONNECT_SECONDS, self._limits.silence, self._limits.total)
        limits = {"connect": connect_limit, "read": None, "write": None, "pool": None}
        request.extensions["timeout"] = limits
        request.extensions["trace"] = self._trace
        # Compressed, a few bytes can become any number of them.
        request.headers["accept-encoding"] = "identity"
        for name, value in request.headers.items():
            if name not in SENT_HEADERS or (name in KEY_HEADERS and KEY_PLACEHOLDER not in value):
                del request.headers[name]
            elif KEY_PLACEHOLDER in value and self.server.key:
                request.headers[name] = value.replace(KEY_PLACEHOLDER, self.server.key)
        if self.server.login:
            encoded = b64encode(self.server.login.encode()).decode()
            request.headers["authorization"] = f"Basic {encoded}"

    def _after_head(self, library: ModuleType, response: Any) -> None:
        """Called by the client when the head of a response is there, before its body is read."""
        headers = response.headers
        self.response = ResponseHead(
            response.status_code,
            content_type=headers.get("content-type", ""),
            retry_after=headers.get("retry-after", ""),
            location=headers.get("location", ""),
        )
        # All protocols use UTF-8. The head may name any codec, also one that decompresses.
        response.encoding = "utf-8"
        encoding = headers.pop("content-encoding", "identity").strip().lower()
        compressed = encoding not in ("", "identity")
        if self.response.failed:
            replace_stream(library, response, beginning)
            response.read()
            body = "" if compressed else response.text
            self.response = replace(self.response, body=body)
        elif compressed:
            self._refusal = error_messages.compressed(self.server)
            raise TooLargeError(self._refusal)
        else:
            replace_stream(library, response, self._bounded)

    def _bounded(self, body: Iterator[bytes]) -> Iterator[bytes]:
        """Yields a body within its limits; the message of a limit becomes the failure's."""
        try:
            yield from within(self._body_limits, body)
        except TooLargeError as error:
            self._refusal = error_messages.too_large(self.server, str(error))
            raise

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Called by httpcore for each step of the connection."""
        # TLS wraps the first socket into another: both steps give one to cut.
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            connection = info["return_value"].get_extra_info("socket")
            # What has been received is still read after a cut, so little may wait there.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            self._sockets.append(connection)
        elif event.endswith(".receive_response_body.complete"):
            self.body_ended = True

    def _watch(self) -> None:
        while not self._closed.wait(CHECK_SECONDS):
            if not self._refusal:
                self._refusal = self._overdue()
            if self._refusal or self._stop.is_set():
                self._cut()

    def _overdue(self) -> str | None:
        """Returns the message of the time limit that is over; None: no limit is."""
        now = time.monotonic()
        since = self._waiting_since
        if since is not None and now - since > self._limits.silence:
            return error_messages.timed_out(
                self.server, self._limits.silence, started=bool(self.words)
            )
        if self._sent_at is not None and now - self._sent_at > self._limits.total:
            return error_messages.took_too_long(self.server, self._limits.total)
        return None

    def _cut(self) -> None:
        """Closes every connection; a blocked read returns at once, in whichever thread."""
        for connection in list(self._sockets):
            with suppress(OSError):
                # Not the TLS socket's own shutdown, which first waits for the other side.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _ended_here(self) -> LanguageModelError | None:
        """Returns our error if this side ended the request; a cut connection raises any error."""
        if self._stop.is_set():
            return StoppedError(error_messages.stopped(self.server), self.words)
        return LanguageModelError(self._refusal, self.words) if self._refusal else None

    def _described(self, error: Exception) -> LanguageModelError:
        """Returns our error for a library's error."""
        # Without a request it was the making of a client that failed.
        variable = invalid_proxy_variable() if self._sent_at is None else None
        if variable:
            message = error_messages.invalid_proxy(self.server, variable)
        else:
            message = error_messages.describe_error(self.server, self.response, error)
        return LanguageModelError(message, self.words)


def invalid_proxy_variable(environ: Mapping[str, str] = os.environ) -> str | None:
    """Returns the environment variable whose proxy no client can use; None if there is none."""
    import httpx

    for name in PROXY_VARIABLES:
        for variable in (name, name.lower()):
            proxy = environ.get(variable, "")
            address = proxy if "://" in proxy else f"http://{proxy}"
            try:
                if proxy:
                    httpx.HTTPTransport(proxy=address).close()
            except (ImportError, ValueError, httpx.InvalidURL):
                return variable
    return None
