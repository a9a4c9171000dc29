"""Connections to Chroma: each has its own vectors in memory, and closing it frees them."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import chromadb
from chromadb.api import ClientAPI
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.config import System

from qa.errors import FootnoteError

_connecting = threading.Lock()


@dataclass(frozen=True, slots=True)
class Connection:
    """A client of Chroma, with the system behind it where the library is a folder."""

    client: ClientAPI
    system: System | None

    def close(self) -> None:
        """Ends the connection. Its collections cannot be used any more."""
        if self.system:
            self.system.stop()
            return
        client: Any = self.client  # `close` is not in the type that chromadb declares
        client.close()


def connect(where: Path | str) -> Connection:
    """Connects to a folder or to the address of a server."""
    settings = ChromaSettings(anonymized_telemetry=False)
    if isinstance(where, Path):
        return _connect_folder(where, settings)

    address = _address(where)
    https = address.scheme == "https"
    port = address.port or (443 if https else 8000)
    host = address.hostname or where
    client = chromadb.HttpClient(
        host=host,
        port=port,
        ssl=https,
        settings=settings,
    )
    return Connection(client, None)


def _address(where: str) -> SplitResult:
    """Raises FootnoteError, which shows no part of an invalid address: it may hold a password."""
    try:
        address = urlsplit(where)
        is_of_server = address.scheme in ("http", "https") and bool(address.hostname)
        # A password with "/" or "?" ends the host too early, and a path is of something else.
        has_rest = address.path not in ("", "/") or address.query or address.fragment
        is_valid = is_of_server and address.port != 0 and not has_rest
    except ValueError:
        is_valid = False
    if not is_valid:
        raise FootnoteError(
            "QA_CHROMA_URL is not the address of a server. Set it to an address like "
            "http://localhost:8000. In a password, write / as %2F and ? as %3F."
        )
    return address


def _connect_folder(folder: Path, settings: ChromaSettings) -> Connection:
    """Connects to a folder with a system that no other client shares.

    Chroma would share the first system of a path, with vectors that miss the changes of other
    processes, until the last client is closed. It would also keep a system that did not start.
    """
    path = str(folder)
    with _connecting:
        try:
            client = chromadb.PersistentClient(path=path, settings=settings)
            system = SharedSystemClient._identifier_to_system[path]
        finally:
            SharedSystemClient._identifier_to_system.pop(path, None)
            SharedSystemClient._identifier_to_refcount.pop(path, None)
    return Connection(client, system)
