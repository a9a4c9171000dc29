"""Strangers get the login and nothing else, users the page until their session ends."""

import asyncio
import errno
import logging
import os
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Send
from starlette.websockets import WebSocketDisconnect

from qa.users import FILE, MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH, Users
from tests.ui.access.doors import PASSWORD, log_in, make_app, make_client, open_stream
from ui.access import login
from ui.access.login import COOKIE, SECURE_COOKIE, LoginRequired, logged_in
from ui.access.sessions import FOLDER

T = TypeVar("T")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with make_client(make_app(tmp_path)) as client:
        yield client


@pytest.fixture
def users(tmp_path: Path) -> Users:
    users = Users(tmp_path)
    users.add("ann", PASSWORD)
    return users


def is_in(client: TestClient) -> bool:
    return client.get("/").text == "the page"


def test_page_without_users_has_no_login(client: TestClient) -> None:
    assert is_in(client)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "X"])
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/chat", "/media/x", "/component/x/y.js", "/static/js/x.js", "/oauth2callback"),
        *("/_stcore/upload_file/x/y", "/_stcore/bidi-components/x/y", "/_stcore/metrics"),
        *("/_stcore/agent/mcp", "/_stcore/health/", "//_stcore/health", "/_stcore/health/..%2fx"),
        *("/login/", "/login/../", "//", "//login", "/LOGIN", "/login%00", "/%2e%2e/"),
        *("/login%2f..%2f", "/login;x", "/login%3fx"),
    ],
)
def test_stranger_gets_only_the_login(
    client: TestClient, users: Users, path: str, method: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == 303
    assert response.headers["location"] == "/login"


def test_stranger_gets_health_but_no_websocket(client: TestClient, users: Users) -> None:
    assert client.get("/_stcore/health").status_code == 200
    with pytest.raises(WebSocketDisconnect), open_stream(client):
        raise AssertionError("a stranger got in")


def test_websocket_has_no_path_without_a_login(client: TestClient, users: Users) -> None:
    """The exceptions of the login are for pages."""
    for path in ("/login", "/_stcore/health", "/logout"):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"ws://localhost{path}"):
            raise AssertionError("a stranger got in")


def test_right_password_lets_in_until_the_logout(client: TestClient, users: Users) -> None:
    assert log_in(client) == 303
    assert is_in(client)
    with open_stream(client) as socket:
        assert socket.receive_text() == "the stream"
    assert client.post("/logout").status_code == 303
    assert not is_in(client)


def test_cookie_is_worthless_after_the_logout(client: TestClient, users: Users) -> None:
    """The server ends the session: a copy of the cookie opens nothing."""
    log_in(client)
    token = client.cookies[COOKIE]
    client.post("/logout")
    client.cookies.set(COOKIE, token, domain="localhost.local")
    assert not is_in(client)


def test_logout_ends_this_session_only(client: TestClient, users: Users, tmp_path: Path) -> None:
    second = make_client(make_app(tmp_path))
    for browser in (client, second):
        log_in(browser)
    client.post("/logout")
    assert not is_in(client)
    assert is_in(second)


def test_link_logs_nobody_out(client: TestClient, users: Users) -> None:
    """Another site can make a browser follow it; a form of another site has its Origin."""
    log_in(client)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout", headers={"Origin": "http://evil.example"}).status_code == 403
    assert is_in(client)


def test_open_page_does_nothing_after_the_logout(client: TestClient, users: Users) -> None:
    """A click runs its action before the page's script looks at the session."""
    log_in(client)
    with open_stream(client) as socket:
        assert socket.receive_text() == "the stream"
        socket.send_text("first")
        assert socket.receive_text() == "done: first"
        client.post("/logout")
        socket.send_text("second")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()


@pytest.mark.parametrize("change", ["removal", "removal of all", "password", "damage"])
def test_open_page_does_nothing_after_a_change(
    client: TestClient, users: Users, tmp_path: Path, change: str
) -> None:
    log_in(client)
    if change == "removal":
        users.add("bob", PASSWORD)
    with open_stream(client) as socket:
        assert socket.receive_text() == "the stream"
        if change.startswith("removal"):
            users.remove("ann")
        elif change == "password":
            users.add("ann", "battery staple")
        else:
            (tmp_path / FILE).write_text("{")
        socket.send_text("click")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()


def test_open_page_without_users_ends_with_the_first_user(
    client: TestClient, tmp_path: Path
) -> None:
    with open_stream(client) as socket:
        assert socket.receive_text() == "the stream"
        Users(tmp_path).add("ann", PASSWORD)
        socket.send_text("click")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()


def test_page_that_is_only_sent_to_ends_too(users: Users, tmp_path: Path) -> None:
    """The page of an answer that is being written sends nothing."""
    sent: list[str] = []
    token = ""

    async def page(scope: object, receive: object, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "before"})
        door._sessions.end(token)
        await asyncio.sleep(0.02)
        for _ in range(3):
            await send({"type": "websocket.send", "text": "after"})

    async def send(message: Message) -> None:
        sent.append(message.get("text", message["type"]))

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    door = LoginRequired(page, tmp_path)
    token = door._sessions.begin("ann", users.password_fingerprint("ann") or "")
    scope = {
        "type": "websocket",
        "path": "/_stcore/stream",
        "headers": [(b"cookie", f"{COOKIE}={token}".encode())],
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(login, "CHECK_INTERVAL", 0.01)
        _run(door(scope, receive, send))
    assert sent == ["websocket.accept", "before", "websocket.close"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookie_is_for_this_server_only(users: Users, tmp_path: Path, scheme: str) -> None:
    client = make_client(make_app(tmp_path), f"{scheme}://localhost")
    response = client.post("/login", data={"name": "ann", "password": PASSWORD})
    name, _, cookie = response.headers["set-cookie"].partition("=")
    attributes = [part.strip().lower() for part in cookie.split(";")[1:]]
    assert {"httponly", "samesite=strict", "path=/"} <= set(attributes)
    assert not any(attribute.startswith("domain") for attribute in attributes)
    secure = scheme == "https"
    assert ("secure" in attributes) == secure
    assert name == (SECURE_COOKIE if secure else COOKIE)
    assert is_in(client)


def test_plain_cookie_does_not_count_under_https(users: Users, tmp_path: Path) -> None:
    """Who controls the network could set it, over http."""
    plain = make_client(make_app(tmp_path))
    log_in(plain)
    secure = make_client(make_app(tmp_path), "https://localhost")
    token = plain.cookies[COOKIE]
    assert secure.get("/", headers={"Cookie": f"{COOKIE}={token}"}).status_code == 303
    assert secure.get("/", headers={"Cookie": f"{SECURE_COOKIE}={token}"}).text == "the page"


def test_login_gives_a_new_token_and_ends_the_old(client: TestClient, users: Users) -> None:
    """A token that somebody else has put into the browser never becomes a session."""
    log_in(client)
    first = client.cookies[COOKIE]
    log_in(client)
    second = client.cookies[COOKIE]
    assert first != second
    assert client.get("/", headers={"Cookie": f"{COOKIE}={first}"}).status_code == 303


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "wrong"), ("bob", PASSWORD), ("", ""), ("ann", "a" * 20_000), ("ann", "\x00")],
)
def test_wrong_password_is_refused(
    client: TestClient, users: Users, name: str, password: str
) -> None:
    assert log_in(client, name, password) in (401, 413)
    assert not is_in(client)


def test_longest_name_and_password_log_in(client: TestClient, tmp_path: Path) -> None:
    name, password = "ä" * MAX_NAME_LENGTH, "😀" * MAX_PASSWORD_LENGTH
    Users(tmp_path).add(name, password)
    assert log_in(client, name, password) == 303


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_login_has_two_methods(client: TestClient, users: Users, method: str) -> None:
    assert client.request(method, "/login").status_code == 405


@pytest.mark.parametrize("body", [b"a=1&" * 20, b"x" * 20_000, b"name=%ff%fe&password=\xff", b""])
def test_odd_form_is_refused(client: TestClient, users: Users, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    def in_pieces() -> Iterator[bytes]:
        yield body

    for content in (body, in_pieces()):
        assert client.post("/login", content=content, headers=headers).status_code in (401, 413)


def test_forged_token_is_refused(client: TestClient, users: Users, tmp_path: Path) -> None:
    log_in(client)
    token = client.cookies[COOKIE]
    assert logged_in(tmp_path, {COOKIE: token}) == "ann"
    for forged in (token[:-1], token + "x", "", "../users.json", "\ud800"):
        assert logged_in(tmp_path, {COOKIE: forged}) is None


def test_login_does_not_show_what_was_typed(client: TestClient, users: Users) -> None:
    response = client.post("/login", data={"name": "<script>alert(1)</script>", "password": "x"})
    assert "Wrong name or password." in response.text
    assert "<script" not in response.text


def test_logins_are_logged_without_passwords(
    client: TestClient, users: Users, caplog: pytest.LogCaptureFixture
) -> None:
    """A name that is not a user's is not logged either: it can be a password, typed too early."""
    caplog.set_level(logging.INFO)
    users.add("Ève", PASSWORD)
    log_in(client)
    log_in(client, "Ève", "s3cret-one")
    log_in(client, "s3cret-two\n2026 Login of ann", "x")
    lines = [record.getMessage() for record in caplog.records if record.name == login.__name__]
    assert lines == [
        "Login of 'ann' from '127.0.0.1': right",
        "Login of 'Ève' from '127.0.0.1': wrong password",
        "Login of an unknown name from '127.0.0.1': wrong password",
    ]


def test_address_of_a_login_is_logged_in_ascii(
    tmp_path: Path, users: Users, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy can pass on an address that its client has forged."""
    forged = "1.2.3.4\x1b[31m\nLogin of 'ann'" + "x" * 100
    log_in(make_client(make_app(tmp_path), address=forged), "ann", "wrong")
    (line,) = [record.getMessage() for record in caplog.records if record.name == login.__name__]
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 150


def test_too_many_wrong_logins_wait(client: TestClient, users: Users) -> None:
    """The password is then not even checked."""
    statuses = [log_in(client, "ann", "wrong") for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    response = client.post("/login", data={"name": "ann", "password": PASSWORD})
    assert response.status_code == 429
    assert 0 < int(response.headers["retry-after"]) <= 15
    assert "Too many wrong logins. Try again in " in response.text


def test_person_elsewhere_logs_in_meanwhile(users: Users, tmp_path: Path) -> None:
    app = make_app(tmp_path)
    attacker = make_client(app, address="192.0.2.1")
    assert [log_in(attacker, "ann", "wrong") for _ in range(6)][-1] == 429
    assert log_in(make_client(app, address="192.0.2.2")) == 303


def test_flood_of_wrong_logins_is_not_checked(
    users: Users, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 40 wrong logins at once five are checked: a right one waits for no more than these.

    The sixth and later ones are turned away at once, without their check.
    """
    names: list[str] = []

    def check(self: Users, name: str, password: str) -> bool:
        names.append(name)
        return False

    monkeypatch.setattr(Users, "password_matches", check)
    door = LoginRequired(_forbidden, tmp_path)

    async def flood() -> list[int]:
        return await asyncio.gather(*(_post(door, "ann") for _ in range(40)))

    statuses = Counter(_run(flood()))
    assert statuses == {401: 5, 429: 35}
    assert len(names) == 5


def test_passwords_are_checked_a_few_at_a_time(
    users: Users, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From many addresses too, whose waiting logins are bounded: scrypt needs 16 MiB each."""
    running, most = 0, 0

    def check_slowly(self: Users, name: str, password: str) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.01)
        running -= 1
        return False

    monkeypatch.setattr(Users, "password_matches", check_slowly)
    door = LoginRequired(_forbidden, tmp_path)

    async def flood() -> list[int]:
        posts = (_post(door, f"user-{number}", f"192.0.2.{number}") for number in range(100))
        return await asyncio.gather(*posts)

    statuses = Counter(_run(flood()))
    assert most == login.MAX_CHECKS
    assert statuses == {401: login.MAX_CHECKS + login.MAX_WAITING, 503: 48}


@pytest.mark.parametrize("call", ["login", "logout"])
def test_disk_that_fails_is_explained(
    client: TestClient, users: Users, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Nobody is let in, and nobody is told to be out who is not."""
    log_in(client)
    token = client.cookies[COOKIE]

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("ui.access.sessions.Path.unlink", fail)
    monkeypatch.setattr("ui.access.sessions.os.open", fail)
    if call == "login":
        assert log_in(client) == 503
        client.cookies.clear()
        assert log_in(client) == 503
    else:
        response = client.post("/logout")
        assert response.status_code == 503
        assert "Its log says why" in response.text
        assert client.cookies[COOKIE] == token


def test_damaged_session_lets_nobody_in(client: TestClient, users: Users, tmp_path: Path) -> None:
    log_in(client)
    for path in (tmp_path / FOLDER).iterdir():
        path.write_text("{")
    assert not is_in(client)
    assert log_in(client) == 303
    assert is_in(client)


def _run(work: Coroutine[object, object, T]) -> T:
    # In a thread of its own: after browser tests this one has an event loop already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work)).result()


async def _forbidden(scope: object, receive: object, send: object) -> None:
    raise AssertionError("a stranger got in")


async def _post(door: LoginRequired, name: str, address: str = "192.0.2.1") -> int:
    """Returns the status of a wrong login."""
    statuses: list[int] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/login",
        "headers": [],
        "query_string": b"",
        "client": (address, 1),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": f"name={name}&password=x".encode()}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await door(scope, receive, send)
    return statuses[0]
