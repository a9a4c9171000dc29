"""One request to a language model's server, whose connection can be cut at any moment.

Each request has an HTTP client of its own. A thread next to it cuts the connection when the person
stops, and when no words arrive for too long: the libraries have no other way out of a blocked read.
"""

import logging
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Any, TypeVar

from qa.errors import LanguageModelError, StoppedError
from qa.llm import errors
from qa.llm.errors import ResponseHead, Server

Result = TypeVar("Result")
Client = TypeVar("Client")
_LOG = logging.getLogger(__name__)

KEY = "footnote-no-key"
"""What the libraries get for the key, so that none of their reprs, logs and events can have the
real key, which replaces it only in the request that leaves. Sent as it is without a key."""
NO_SUCH_PATH = frozenset({404, 405, 501})
CHECK_SECONDS = 0.05
"""How often the watching thread checks whether to cut."""
CONNECT_SECONDS = 5.0
"""The time limit for connecting. Until a connection is there, there is nothing to cut."""


class Request:
    """A request to a server, used in a `with` block that closes its connection.

    `timeout`: seconds without words after which the connection is cut.
    """

    def __init__(self, server: Server, timeout: float, stop: threading.Event) -> None:
        self.server = server
        self.words = ""
        """All words of the answer so far."""
        self.response: ResponseHead | None = None
        self.body_ended = False
        """Whether the answer's body was read to its end."""
        self._timeout = timeout
        self._stop = stop
        self._timed_out = False
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
            failure = self._failure(error)
        else:
            if not self._stop.is_set() and not self._timed_out:
                return result
            failure = self._failure(None)
        # Outside the handler: the library's error may quote the key that the server echoed, and
        # would be attached to ours as its context.
        raise failure

    def fetch_json(self, method: str, path: str, body: Any = None) -> Any:
        """Returns the JSON at a path of the server; None if it has no such path, or no JSON there.

        Raises LanguageModelError for any other failure.
        """
        import httpx

        headers = {"authorization": f"Bearer {KEY}"}
        client = self.close_later(httpx.Client(**self.client_options(httpx), headers=headers))
        url = self.server.url + path
        response = self.run(lambda: client.request(method, url, json=body))
        if self.response and self.response.failed:
            path_is_optional = body is None and self.response.status in NO_SUCH_PATH
            if not path_is_optional:
                raise LanguageModelError(errors.describe_status(self.server, self.response))
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
        return answered_whole or errors.refuses_streaming(self.response)

    def deliver(self, words: str) -> Iterator[str]:
        """Yields words to the caller, whose time does not count as waiting for the server."""
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
        return {
            "limits": library.Limits(max_keepalive_connections=0),
            "follow_redirects": False,
            "event_hooks": {"request": [self._before_send], "response": [self._after_head]},
        }

    def _before_send(self, request: Any) -> None:
        """Called by the client before a request leaves."""
        self.restart_wait()
        connect_limit = min(CONNECT_SECONDS, self._timeout)
        limits = {"connect": connect_limit, "read": None, "write": None, "pool": None}
        request.extensions["timeout"] = limits
        request.extensions["trace"] = self._trace
        for name, value in request.headers.items():
            if KEY in value and self.server.key:
                request.headers[name] = value.replace(KEY, self.server.key)
        if self.server.login:
            encoded = b64encode(self.server.login.encode()).decode()
            request.headers["authorization"] = f"Basic {encoded}"

    def _after_head(self, response: Any) -> None:
        """Called by the client when the head of a response is there, before its body is read."""
        headers = response.headers
        self.response = ResponseHead(
            response.status_code,
            content_type=headers.get("content-type", ""),
            retry_after=headers.get("retry-after", ""),
            location=headers.get("location", ""),
        )
        if self.response.failed:
            response.read()
            self.response = replace(self.response, body=response.text)

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Called by httpcore for each step of the connection."""
        # TLS wraps the first socket into another: both steps give one to cut.
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._sockets.append(info["return_value"].get_extra_info("socket"))
        elif event.endswith(".receive_response_body.complete"):
            self.body_ended = True

    def _watch(self) -> None:
        while not self._closed.wait(CHECK_SECONDS):
            since = self._waiting_since
            if since is not None and time.monotonic() - since > self._timeout:
                self._timed_out = True
            if self._timed_out or self._stop.is_set():
                self._cut()

    def _cut(self) -> None:
        """Closes every connection; a blocked read returns at once, in whichever thread."""
        for connection in list(self._sockets):
            with suppress(OSError):
                # Not the TLS socket's own shutdown, which first waits for the other side.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _failure(self, error: Exception | None) -> LanguageModelError:
        """Returns our error for a library's error; a cut connection raises errors of any kind."""
        if self._stop.is_set():
            return StoppedError(errors.stopped(self.server), self.words)
        if self._timed_out or error is None:
            message = errors.timed_out(self.server, self._timeout, started=bool(self.words))
        else:
            message = errors.describe_error(self.server, self.response, error)
        return LanguageModelError(message, self.words)
