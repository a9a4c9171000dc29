"""Strangers cannot fill the server's memory with a request's head, or keep idle connections."""

import asyncio
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit import net_util
from streamlit.web import cli
from streamlit.web.server.starlette.starlette_server import _get_uvicorn_config_kwargs
from uvicorn.config import HTTP_PROTOCOLS, Config
from uvicorn.server import ServerState

from ui import __main__ as program
from ui.access import connections
from ui.access.connections import HEAD_BYTES, MAX_WAITING, BoundedConnection

T = TypeVar("T")
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
APP = Starlette(routes=[Route("/", lambda _: PlainTextResponse("the page"))])
BLOCK = 4096


class Wire(asyncio.Transport):
    """A transport that keeps what the server writes."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


class Server:
    """Connections of one server, each with its wire."""

    def __init__(self, app: Starlette = APP) -> None:
        self.config = Config(app, http=BoundedConnection, ws="websockets-sansio")
        self.state = ServerState()

    def connect(self) -> tuple[BoundedConnection, Wire]:
        connection, wire = BoundedConnection(self.config, self.state, {}), Wire()
        connection.connection_made(wire)
        return connection, wire


def run(work: Coroutine[None, None, T]) -> T:
    # In another thread: after a browser test, Playwright's loop still runs in this thread.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def wait_past_deadline() -> None:
    await asyncio.sleep(5 * connections.HEAD_SECONDS)


@pytest.fixture
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.02)


@pytest.mark.parametrize(
    ("start", "more"),
    [(b"GET /", b"a"), (HEAD + b"X-A: ", b"a"), (HEAD, b"a:b\r\n")],
    ids=["address", "one header", "many headers"],
)
def test_head_without_end_is_refused(start: bytes, more: bytes) -> None:
    """What the server keeps of a head is bounded, whatever part of it does not end."""

    async def send() -> int:
        connection, wire = Server().connect()
        connection.data_received(start)
        sent = 0
        while not wire.closed and sent < 10 * HEAD_BYTES:
            connection.data_received(more * (BLOCK // len(more)))
            sent += BLOCK
        assert wire.written.startswith(b"HTTP/1.1 400 ")
        return sent

    assert run(send()) <= HEAD_BYTES + 2 * BLOCK


def test_head_with_long_cookies_is_served() -> None:
    async def send() -> bytes:
        connection, wire = Server().connect()
        cookies = b"Cookie: a=%s\r\n" % (b"x" * (HEAD_BYTES - 1000))
        connection.data_received(HEAD + cookies + b"\r\n")
        await asyncio.sleep(0.1)
        return wire.written

    assert run(send()).endswith(b"the page")


@pytest.mark.parametrize("start", [b"", HEAD, HEAD + b"\r\n" + HEAD], ids=["none", "half", "next"])
def test_idle_connection_is_closed(short_deadline: None, start: bytes) -> None:
    """A first head and a later one have the same time."""

    async def wait() -> bool:
        connection, wire = Server().connect()
        if start:
            connection.data_received(start)
        await wait_past_deadline()
        # The keep-alive time of uvicorn ends here too, but not while data arrives.
        connection.data_received(b"X-A: b\r\n")
        await wait_past_deadline()
        return wire.closed

    assert run(wait())


def test_slow_answer_keeps_its_connection(short_deadline: None) -> None:
    async def slow(_: Request) -> PlainTextResponse:
        await wait_past_deadline()
        return PlainTextResponse("late")

    async def wait() -> bytes:
        connection, wire = Server(Starlette(routes=[Route("/", slow)])).connect()
        connection.data_received(HEAD + b"\r\n")
        await wait_past_deadline()
        await wait_past_deadline()
        return wire.written

    assert run(wait()).endswith(b"late")


def test_websocket_has_no_deadline(short_deadline: None) -> None:
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_text()

    async def wait() -> tuple[bytes, bool]:
        connection, wire = Server(Starlette(routes=[WebSocketRoute("/", stream)])).connect()
        connection.data_received(HEAD + UPGRADE + b"\r\n")
        await wait_past_deadline()
        return wire.written, wire.closed

    written, closed = run(wait())
    assert written.startswith(b"HTTP/1.1 101 ")
    assert not closed


def test_more_idle_connections_end_the_oldest() -> None:
    async def connect() -> list[bool]:
        server = Server()
        wires = [server.connect()[1] for _ in range(MAX_WAITING + 1)]
        return [wire.closed for wire in wires]

    assert run(connect()) == [True] + [False] * MAX_WAITING


def test_program_serves_by_bounded_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit leaves the choice to uvicorn, and uvicorn takes ours."""
    monkeypatch.setitem(HTTP_PROTOCOLS, "auto", HTTP_PROTOCOLS["auto"])
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(cli, "main", lambda _: None)
    program.main()
    config = Config(APP, **_get_uvicorn_config_kwargs())
    config.load()
    assert config.http_protocol_class is BoundedConnection
