"""The door: nothing but the login to strangers, the page to users, and careful browsers for all."""

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
from ui import auth as door
from ui.auth import COOKIE, Door, Headers, logged_in, policy


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the page")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("the stream")
    await socket.close()


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(door, "SLOW", 0.0)
    app = Starlette(
        routes=[
            Route("/", _page),
            Route("/_stcore/health", _page),
            Route("/media/{name}", _page),
            WebSocketRoute("/_stcore/stream", _stream),
        ],
        middleware=[Middleware(Headers), Middleware(Door, home=tmp_path)],
    )
    with TestClient(app, follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def users(tmp_path: Path) -> Users:
    found = Users(tmp_path)
    found.add("ann", "correct horse")
    return found


PASSWORD = "correct horse"


def log_in(client: TestClient, name: str = "ann", password: str = PASSWORD) -> int:
    return client.post("/login", data={"name": name, "password": password}).status_code


def test_without_users_there_is_no_login(client: TestClient) -> None:
    assert client.get("/").text == "the page"


@pytest.mark.parametrize("path", ["/", "/media/x", "/_stcore/upload_file/x", "/login/../", "//"])
def test_strangers_get_the_login_and_nothing_else(
    client: TestClient, users: Users, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 303 or "Log in" in answer.text
    assert "the page" not in answer.text
    assert client.get("/_stcore/health").status_code == 200
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
        raise AssertionError("a stranger got in")


def test_the_right_password_lets_in_until_the_logout(client: TestClient, users: Users) -> None:
    assert log_in(client) == 303
    assert client.get("/").text == "the page"
    with client.websocket_connect("/_stcore/stream") as socket:
        assert socket.receive_text() == "the stream"
    assert client.get("/logout").status_code == 303
    assert client.get("/").status_code == 303


def test_the_cookie_is_for_the_server_only(client: TestClient, users: Users) -> None:
    answer = client.post("/login", data={"name": "ann", "password": "correct horse"})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "wrong"), ("bob", "correct horse"), ("", ""), ("ann", "a" * 9000)],
)
def test_wrong_passwords_do_not(client: TestClient, users: Users, name: str, password: str) -> None:
    assert log_in(client, name, password) in (401, 413)
    assert client.get("/").status_code == 303


def test_forged_and_old_cookies_do_not(client: TestClient, users: Users, tmp_path: Path) -> None:
    log_in(client)
    token = client.cookies[COOKIE]
    assert logged_in(tmp_path, {COOKIE: token}) == "ann"
    for forged in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "",
        "x.y.z",
        token.split(".")[0],
    ):
        assert logged_in(tmp_path, {COOKIE: forged}) is None
    users.add("ann", "another one")
    assert logged_in(tmp_path, {COOKIE: token}) is None
    assert client.get("/").status_code == 303


def test_what_a_stranger_types_is_not_shown(client: TestClient, users: Users) -> None:
    answer = client.post("/login", data={"name": "<script>alert(1)</script>", "password": "x"})
    assert "<script" not in answer.text


def test_every_answer_tells_browsers_to_be_careful(client: TestClient) -> None:
    for path in ("/", "/nowhere"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == policy()
        assert headers["x-content-type-options"] == "nosniff"


def test_the_policy_lets_only_streamlits_own_scripts_run() -> None:
    (scripts,) = re.findall(r"script-src ([^;]*)", policy())
    index = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    hashes = [
        f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'"
        for one in index.split("<script>")[1:2]
    ]
    assert "'unsafe-inline'" not in scripts
    assert scripts.count("'sha256-") == index.count("<script>")
    assert hashes
    assert "http" not in policy()


def test_logins_are_checked_a_few_at_a_time(
    tmp_path: Path, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most = 0, 0

    def slow(self: Users, name: str, password: str) -> bool:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.02)
        at_once -= 1
        return False

    monkeypatch.setattr(Users, "password_matches", slow)
    monkeypatch.setattr(door, "SLOW", 0.0)

    async def storm() -> None:
        gate = Door(_refuse, tmp_path)
        await asyncio.gather(*(_post(gate) for _ in range(20)))

    # In a thread of its own: where browser tests ran before, this one has an event loop already.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, storm()).result()
    assert 1 < most <= door.AT_ONCE


async def _refuse(scope: object, receive: object, send: object) -> None:
    raise AssertionError("a stranger got in")


async def _post(gate: Door) -> None:
    body = b"name=ann&password=wrong"
    headers = [(b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/login",
        "headers": headers,
        "query_string": b"",
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: object) -> None:
        pass

    await gate(scope, receive, send)
