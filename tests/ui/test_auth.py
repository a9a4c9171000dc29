"""Strangers get the login and nothing else, users the page, and browsers a strict policy."""

import asyncio
import re
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from qa.users import Users
from ui import auth
from ui.auth import (
    COOKIE,
    LoginRequired,
    SecurityHeaders,
    content_security_policy,
    logged_in,
)

PASSWORD = "correct horse"


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the page")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("the stream")
    await socket.close()


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(auth, "WRONG_PASSWORD_DELAY", 0.0)
    app = Starlette(
        routes=[
            Route("/", _page),
            Route("/_stcore/health", _page),
            Route("/media/{name}", _page),
            WebSocketRoute("/_stcore/stream", _stream),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(LoginRequired, home=tmp_path)],
    )
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.fixture
def users(tmp_path: Path) -> Users:
    users = Users(tmp_path)
    users.add("ann", PASSWORD)
    return users


def log_in(client: TestClient, name: str = "ann", password: str = PASSWORD) -> int:
    return client.post("/login", data={"name": name, "password": password}).status_code


def test_page_without_users_has_no_login(client: TestClient) -> None:
    assert client.get("/").text == "the page"


@pytest.mark.parametrize("path", ["/", "/media/x", "/_stcore/upload_file/x", "/login/../", "//"])
def test_stranger_gets_only_the_login(client: TestClient, users: Users, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 303 or "Log in" in response.text
    assert "the page" not in response.text


def test_stranger_gets_health_but_no_websocket(client: TestClient, users: Users) -> None:
    assert client.get("/_stcore/health").status_code == 200
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
        raise AssertionError("a stranger got in")


def test_right_password_lets_in_until_the_logout(client: TestClient, users: Users) -> None:
    assert log_in(client) == 303
    assert client.get("/").text == "the page"
    with client.websocket_connect("/_stcore/stream") as socket:
        assert socket.receive_text() == "the stream"
    assert client.get("/logout").status_code == 303
    assert client.get("/").status_code == 303


def test_cookie_is_for_the_server_only(client: TestClient, users: Users) -> None:
    response = client.post("/login", data={"name": "ann", "password": PASSWORD})
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "wrong"), ("bob", PASSWORD), ("", ""), ("ann", "a" * 9000)],
)
def test_wrong_password_is_refused(
    client: TestClient, users: Users, name: str, password: str
) -> None:
    assert log_in(client, name, password) in (401, 413)
    assert client.get("/").status_code == 303


def test_forged_cookie_is_refused(client: TestClient, users: Users, tmp_path: Path) -> None:
    log_in(client)
    token = client.cookies[COOKIE]
    assert logged_in(tmp_path, {COOKIE: token}) == "ann"
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    for forged in (changed, "", "x.y.z", token.split(".")[0]):
        assert logged_in(tmp_path, {COOKIE: forged}) is None


def test_new_password_ends_all_sessions(client: TestClient, users: Users, tmp_path: Path) -> None:
    log_in(client)
    token = client.cookies[COOKIE]
    users.add("ann", "another password")
    assert logged_in(tmp_path, {COOKIE: token}) is None
    assert client.get("/").status_code == 303


def test_login_does_not_show_what_was_typed(client: TestClient, users: Users) -> None:
    response = client.post("/login", data={"name": "<script>alert(1)</script>", "password": "x"})
    assert "Wrong name or password." in response.text
    assert "<script" not in response.text


def test_every_response_has_the_security_headers(client: TestClient) -> None:
    for path in ("/", "/nowhere"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == content_security_policy()
        assert headers["x-content-type-options"] == "nosniff"


def test_policy_allows_only_streamlits_inline_scripts() -> None:
    policy = content_security_policy()
    (scripts,) = re.findall(r"script-src ([^;]*)", policy)
    index = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    inline = re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    assert inline
    for script in inline:
        assert b64encode(sha256(script.encode()).digest()).decode() in scripts
    assert scripts.count("'sha256-") == len(inline)
    assert "'unsafe-inline'" not in scripts
    assert "http" not in policy


def test_passwords_are_checked_a_few_at_a_time(
    tmp_path: Path, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of logins must not take all processors and memory: scrypt needs 16 MiB each."""
    running, most = 0, 0

    def check_slowly(self: Users, name: str, password: str) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1
        return False

    monkeypatch.setattr(Users, "password_matches", check_slowly)
    monkeypatch.setattr(auth, "WRONG_PASSWORD_DELAY", 0.0)

    async def flood() -> None:
        login = LoginRequired(_forbidden, tmp_path)
        await asyncio.gather(*(_post(login) for _ in range(20)))

    # In a thread of its own: after browser tests this one has an event loop already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, flood()).result()
    assert 1 < most <= auth.MAX_CHECKS


async def _forbidden(scope: object, receive: object, send: object) -> None:
    raise AssertionError("a stranger got in")


async def _post(login: LoginRequired) -> None:
    body = b"name=ann&password=wrong"
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/login",
        "headers": [(b"content-length", str(len(body)).encode())],
        "query_string": b"",
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: object) -> None:
        pass

    await login(scope, receive, send)
