"""A small page behind the real layers of the door, and clients that knock."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocket

from qa.users import Users
from ui.access.headers import SecurityHeaders
from ui.access.hosts import HostCheck
from ui.access.login import LoginRequired

PASSWORD = "correct horse"
PORT = 8501
LOCAL = ("127.0.0.1", 50_000)


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the page")


async def _stream(socket: WebSocket) -> None:
    """Sends back what it gets, as the page's script does after a click."""
    await socket.accept()
    await socket.send_text("the stream")
    async for text in socket.iter_text():
        await socket.send_text(f"done: {text}")


def make_app(home: Path, public_hosts: str = "") -> Starlette:
    """Returns a page with the layers in the order of `ui/app.py`."""
    users = Users(home)
    return Starlette(
        routes=[
            WebSocketRoute("/_stcore/stream", _stream),
            Route(
                "/cached", lambda _: PlainTextResponse("", headers={"Cache-Control": "immutable"})
            ),
            Mount("/", Route("/{path:path}", _page, methods=["GET", "POST", "PUT"])),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(HostCheck, has_login=lambda: bool(users.names()), public_hosts=public_hosts),
            Middleware(LoginRequired, home=home),
        ],
    )


def make_client(
    app: Starlette, base_url: str = f"http://localhost:{PORT}", address: str = LOCAL[0]
) -> TestClient:
    """Returns a client whose requests come from this address."""
    return TestClient(app, base_url=base_url, client=(address, LOCAL[1]), follow_redirects=False)


def log_in(client: TestClient, name: str = "ann", password: str = PASSWORD) -> int:
    """Returns the status of the answer."""
    return client.post("/login", data={"name": name, "password": password}).status_code


def open_stream(client: TestClient, **headers: str) -> WebSocketTestSession:
    """Returns the page's websocket, to the host of the client's other requests."""
    url = str(client.base_url.join("/_stcore/stream"))
    return client.websocket_connect(url.replace("http", "ws", 1), headers=headers)
