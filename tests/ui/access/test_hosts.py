"""Without a login only this machine reaches the page; with a login, only by the page's names."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from qa.users import FILE, Users
from tests.ui.access.doors import PASSWORD, PORT, log_in, make_app, make_client, open_stream
from ui.access.hosts import INVALID_HOST, HostCheck, host_name, is_local

PATHS = ("/", "/_stcore/health", "/_stcore/host-config", "/_stcore/upload_file/a/b", "/media/x")


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return make_client(make_app(tmp_path))


def opens_websocket(client: TestClient, **headers: str) -> bool:
    try:
        with open_stream(client, **headers) as socket:
            return socket.receive_text() == "the stream"
    except WebSocketDisconnect:
        return False


@pytest.mark.parametrize("host", ["localhost", f"LOCALHOST:{PORT}", "127.0.0.1", "[::1]:1"])
def test_this_machine_reaches_the_page(client: TestClient, host: str) -> None:
    for path in PATHS:
        assert client.get(path, headers={"Host": host}).text == "the page"
    assert opens_websocket(client, Host=host, Origin=f"http://{host}")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "app.localhost",
        "192.0.2.1",
        "0.0.0.0",
        "[::]",
        "[2001:db8::1]",
    ],
)
def test_page_without_users_refuses_other_hosts(client: TestClient, host: str) -> None:
    """A site that has pointed its name at 127.0.0.1 gets nothing, by any path."""
    for path in PATHS:
        response = client.get(path, headers={"Host": host})
        assert response.status_code == 403
        assert "footnote user add NAME" in response.text
    assert not opens_websocket(client, Host=host, Origin=f"http://{host}")


@pytest.mark.parametrize(
    "host",
    [
        *("", " ", "localhost.", "local host", "localhost:", "localhost:x", "localhost:123456"),
        *("localhost/", "a@localhost", "[::1", "::1", "http://localhost", "localhost,evil.example"),
    ],
)
def test_invalid_host_is_refused(client: TestClient, host: str) -> None:
    response = client.get("/", headers={"Host": host})
    assert response.status_code == 400


@pytest.mark.parametrize("hosts", [[], [b"localhost", b"localhost"], [b"localhost", b"evil"]])
def test_missing_or_repeated_host_is_refused(client: TestClient, hosts: list[bytes]) -> None:
    """Asked of the layer itself: a client always sends one."""
    check = HostCheck(client.app, has_login=lambda: True)
    scope = {"type": "http", "headers": [(b"host", host) for host in hosts]}
    assert check._refusal(scope) is INVALID_HOST


@pytest.mark.parametrize(
    "header",
    [
        *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"),
        *("X-Forwarded-Whatever", "CF-Connecting-IP", "Tailscale-User-Login", "Via"),
    ],
)
def test_proxy_without_users_is_refused(client: TestClient, header: str) -> None:
    """Else a proxy that forwards to localhost serves everything without a login."""
    response = client.get("/", headers={header: ""})
    assert response.status_code == 403
    assert "Behind a proxy, users are needed" in response.text
    assert not opens_websocket(client, **{header: "192.0.2.1"})


@pytest.mark.parametrize("address", ["192.0.2.1", "::ffff:192.0.2.1", "10.0.0.1", "testclient"])
def test_other_machine_cannot_pretend_to_be_local(tmp_path: Path, address: str) -> None:
    """It can write any Host, but not the address of its connection."""
    client = make_client(make_app(tmp_path), address=address)
    assert client.get("/").status_code == 403
    assert not opens_websocket(client)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_addresses_of_this_machine_are_local(tmp_path: Path, address: str) -> None:
    assert make_client(make_app(tmp_path), address=address).get("/").text == "the page"


@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "null", "", f"http://localhost:{PORT}1", "http://localhost", "x"),
        *(f"http://localhost:{PORT}.evil.example", f"http://a@localhost:{PORT}"),
    ],
)
@pytest.mark.parametrize("with_users", [False, True])
def test_other_site_is_refused(tmp_path: Path, origin: str, with_users: bool) -> None:
    """With its user's cookie too."""
    client = make_client(make_app(tmp_path))
    if with_users:
        Users(tmp_path).add("ann", PASSWORD)
        log_in(client)
    assert opens_websocket(client)
    assert client.post("/", headers={"Origin": origin}).status_code == 403
    assert not opens_websocket(client, Origin=origin)


def test_repeated_origin_is_refused(client: TestClient) -> None:
    origin = f"http://localhost:{PORT}"
    assert client.get("/", headers=[("Origin", origin)]).status_code == 200
    assert client.get("/", headers=[("Origin", origin)] * 2).status_code == 403


@pytest.mark.parametrize("host", ["footnote.example", "192.0.2.1:8501"])
def test_page_with_users_has_any_name_by_default(tmp_path: Path, host: str) -> None:
    """Behind a proxy too. The cookie of a login belongs to one name."""
    Users(tmp_path).add("ann", PASSWORD)
    client = make_client(make_app(tmp_path), f"https://{host}", "192.0.2.9")
    client.headers["X-Forwarded-For"] = "192.0.2.9"
    assert log_in(client) == 303
    assert opens_websocket(client, Origin=f"https://{host}")


def test_public_hosts_are_the_only_names(tmp_path: Path) -> None:
    """Besides this machine's own, which watch the server's health."""
    Users(tmp_path).add("ann", PASSWORD)
    client = make_client(make_app(tmp_path, "footnote.example,192.0.2.1"), address="192.0.2.9")
    for host in ("footnote.example", "FOOTNOTE.example:443", "192.0.2.1", "localhost"):
        assert client.get("/login", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "a.footnote.example", "192.0.2.2"):
        response = client.get("/login", headers={"Host": host})
        assert response.status_code == 403
        assert "QA_PUBLIC_HOSTS" in response.text


def test_damaged_users_let_nobody_in(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    response = client.get("/")
    assert response.status_code == 503
    assert str(tmp_path) not in response.text
    assert not opens_websocket(client)


def test_refusal_repeats_nothing_of_the_request(client: TestClient) -> None:
    text = client.get("/<script>", headers={"Host": "evil.example", "Origin": "a"}).text
    assert "evil" not in text
    assert "script" not in text


def test_refusals_are_logged_once_a_minute(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        client.get("/", headers={"Host": "evil.example"})
    assert len(caplog.records) == 1


def test_host_name_is_a_name_or_an_address() -> None:
    assert host_name("Example.org:80") == "example.org"
    assert host_name("[::1]") == "::1"
    assert host_name("exämple.org") is None
    assert not is_local("example.org")
    assert is_local("127.0.0.1")
