"""For every test: no network, no settings of the machine it runs on."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from qa.config import share_processors
from tests.properties import register_profiles

share_processors()
register_profiles()
TESTS = Path(__file__).parent
MODEL_FIXTURES = frozenset({"embedder", "seed_bot"})
"""Fixtures that load a packaged model."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NetworkUsed(AssertionError):
    """A test tried to reach something beyond its own process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that `make fast` leaves out, by their folder and their fixtures.

    Tests that load a model or take long without such a fixture carry their marker themselves.
    """
    for item in items:
        folders = item.path.relative_to(TESTS).parts
        if folders[0] == "browser":
            item.add_marker(pytest.mark.browser)
        if folders[:2] == ("qa", "llm"):
            item.add_marker(pytest.mark.server)
        if MODEL_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.model)


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection raises; only the browser's tests talk to their own server, on this machine."""
    own_server = "browser" in Path(request.node.path).parts
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        local = self.family == socket.AF_UNIX or (own_server and address[0] in LOOPBACK)
        if not local:
            raise NetworkUsed(f"a connection to {address}")
        connect(self, address)

    def guarded_resolve(host: Any, *others: Any, **options: Any) -> Any:
        if not (own_server and host in LOOPBACK):
            raise NetworkUsed(f"a look-up of {host}")
        return resolve(host, *others, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_resolve)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """`QA_…` variables of whoever runs the tests do not count."""
    for name in [name for name in os.environ if name.startswith("QA_")]:
        monkeypatch.delenv(name)
