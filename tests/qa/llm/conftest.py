"""Tests of servers on this machine."""

import socket
from importlib import import_module
from typing import Any

import pytest

from tests.conftest import LOOPBACK, NetworkUsed

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(scope="session", autouse=True)
def _libraries() -> None:
    """Imports what the first request would: it takes seconds, and the tests measure time limits."""
    for name in ("httpx", "httpx2", "anthropic", "ollama", "openai"):
        import_module(name)
    for provider in ("ollama", "openai", "openai_like", "anthropic"):
        import_module(f"llama_index.llms.{provider}")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the rule of all tests: only this machine's own servers; no other host is known."""
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            raise NetworkUsed(f"a connection to {address}")
        connect(self, address)

    def guarded_resolve(host: Any, *others: Any, **options: Any) -> Any:
        if host not in LOOPBACK:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *others, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_resolve)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
