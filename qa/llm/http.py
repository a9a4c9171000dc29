"""One request to a language model's server: its connection, which can be cut at any moment, and what came of it.

Each has an HTTP client of its own. A thread beside it cuts the connection when the person stops, and when no word comes
for too long: the libraries know no other way to leave a read that waits.
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

T = TypeVar("T")
_LOG = logging.getLogger(__name__)

KEY = "footnote-no-key"
"""What the libraries take for the key. The real one is put in its place only in the request that leaves, so that none
of their reprs, logs and events can have it. Where there is no key this is sent."""
NO_SUCH_PATH = frozenset({404, 405, 501})
TICK = 0.05
"""Seconds between two looks at whether to cut."""
_CONNECT = 5.0
"""Seconds for a connection to be made: until then there is nothing to cut."""


class Request:
    """A request to a server, in a `with` block that ends its connection. `timeout`: seconds without a word."""

    def __init__(self, server: Server, timeout: float, stop: threading.Event) -> None:
        self.server = server
        self.said = ""
        """The words so far."""
        self.head: ResponseHead | None = None
        self.exhausted = False
        """Whether the answer's body was read to its end."""
        self._timeout = timeout
        self._stop = stop
        self._slow = False
        self._waiting: float | None = None
        """Since when a word is waited for; None before the request leaves, and while a reader is busy with a word."""
        self._sockets: list[socket.socket] = []
        self._clients: list[Any] = []
        self._over = threading.Event()

    def __enter__(self) -> "Request":
        threading.Thread(target=self._watch, name="footnote-llm-watch", daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        self._cut()
        for client in self._clients:
            client.close()

    def call(self, library: Callable[[], T]) -> T:
        """What a library's call gives; whatever it raises is told as LanguageModelError, or StoppedError."""
        try:
            result = library()
        except Exception as error:  # noqa: BLE001  # of many libraries and kinds; told as ours below
            told = self.server.clean(str(error))
            _LOG.debug(
                "%s at %s: %s: %s",
                self.server.name,
                self.server.address,
                type(error).__name__,
                told,
            )
            failure = self._failure(error)
        else:
            if not self._stop.is_set() and not self._slow:
                return result
            failure = self._failure(None)
        raise failure  # not in the handler: the library's error holds what the server echoed, and would hang on ours

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the server says of itself, from JSON; None where it has no such path, or gives no JSON."""
        import httpx

        client = self.owned(
            httpx.Client(**self.options(httpx), headers={"authorization": f"Bearer {KEY}"})
        )
        response = self.call(lambda: client.request(method, self.server.url + path, json=body))
        if (
            self.head
            and self.head.failed
            and not (body is None and self.head.status in NO_SUCH_PATH)
        ):
            raise LanguageModelError(errors.refused(self.server, self.head))
        try:
            return response.json()
        except (ValueError, RecursionError):
            return None

    @property
    def unstreamed(self) -> bool:
        """Whether the server showed that it answers in one piece only."""
        if self.said or not self.head:
            return False
        whole = (
            self.exhausted
            and not self.head.failed
            and self.head.kind.startswith("application/json")
        )
        return whole or errors.refuses_streaming(self.head)

    def heard(self, text: str) -> Iterator[str]:
        """Hands words on; the time that their reader takes does not count as waiting."""
        self.said += text
        self._waiting = None
        yield text
        self.alive()

    def alive(self) -> None:
        """The wait for a word begins anew."""
        self._waiting = time.monotonic()

    def owned(self, client: T) -> T:
        """Closes a client with the request."""
        self._clients.append(client)
        return client

    def options(self, library: ModuleType) -> dict[str, Any]:
        """How an HTTP client is made. `library`: httpx, or httpx2, the same under the name that anthropic uses."""
        return {
            "limits": library.Limits(max_keepalive_connections=0),
            "follow_redirects": False,
            "event_hooks": {"request": [self._sending], "response": [self._answered]},
        }

    def _sending(self, request: Any) -> None:
        """Called with a library's request before it leaves."""
        self.alive()
        limit = min(_CONNECT, self._timeout)
        request.extensions["timeout"] = {
            "connect": limit,
            "read": None,
            "write": None,
            "pool": None,
        }
        request.extensions["trace"] = self._trace
        for name, value in request.headers.items():
            if KEY in value and self.server.key:
                request.headers[name] = value.replace(KEY, self.server.key)
        if self.server.login:
            request.headers["authorization"] = (
                "Basic " + b64encode(self.server.login.encode()).decode()
            )

    def _answered(self, response: Any) -> None:
        """Called with a library's response before its body is read."""
        headers = {
            name: response.headers.get(name, "")
            for name in ("content-type", "retry-after", "location")
        }
        self.head = ResponseHead(response.status_code, *headers.values())
        if self.head.failed:
            response.read()
            self.head = replace(self.head, body=response.text)

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Called by httpcore on its way. TLS takes the first socket over into another."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._sockets.append(info["return_value"].get_extra_info("socket"))
        elif event.endswith(".receive_response_body.complete"):
            self.exhausted = True

    def _watch(self) -> None:
        while not self._over.wait(TICK):
            waiting = self._waiting
            if waiting is not None and time.monotonic() - waiting > self._timeout:
                self._slow = True
            if self._slow or self._stop.is_set():
                self._cut()

    def _cut(self) -> None:
        """Ends every connection; a read that waits returns at once, in whichever thread."""
        for one in list(self._sockets):
            with suppress(OSError):
                socket.socket.shutdown(
                    one, socket.SHUT_RDWR
                )  # not TLS's own, which first waits for the other side

    def _failure(self, error: Exception | None) -> LanguageModelError:
        """What an error means, or a cut, whose errors are of many kinds."""
        if self._stop.is_set():
            return StoppedError(errors.stopped(self.server), self.said)
        if self._slow or error is None:
            return LanguageModelError(
                errors.slow(self.server, self._timeout, bool(self.said)), self.said
            )
        return LanguageModelError(errors.fault(self.server, self.head, error), self.said)
