"""Chroma: two collections and a pointer to them, in a folder or on a server.

The pointer is the metadata of a third collection: the name of the pair of collections that is the
library, and a generation that changes with the library. Moving the pointer is one write, so a
rebuilt library replaces the old library whole or not at all. A pair without a pointer is what an
interrupted rebuild left behind.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromadb
from chromadb.api import ClientAPI
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError
from filelock import FileLock

from qa.errors import BrokenError, FootnoteError, IndexDamagedError, NotWritableError

_POINTER = "library"
_DATABASE = "chroma.sqlite3"
_COSINE: Any = {"hnsw": {"space": "cosine"}}


class Store:
    """The collections of a library. `passages` and `records` are the pair that the pointer names.

    `passages` holds texts, vectors and offsets. `records` holds one record a document.
    """

    def __init__(self, where: Path | str, built_with: dict[str, Any]) -> None:
        """Opens the library, or makes an empty library with this metadata."""
        self.where = where
        self.lock = _lock(where)
        self._turn = threading.RLock()
        if isinstance(where, Path):
            _require_writable(where)
            _require_database(where)

        with self.readable(), self.lock:
            self._client = _client(where)
            if _POINTER not in self._names():
                pair = self.make_pair(built_with)
                self._create(_POINTER, {"pair": pair, "generation": uuid.uuid4().hex})
            self._open_pair()

    @property
    def generation(self) -> str:
        """The generation of the open collections."""
        return self._generation

    @property
    def built_with(self) -> dict[str, Any]:
        """The metadata that the passages were built with."""
        return dict(self.passages.metadata or {})

    @contextmanager
    def current(self) -> Iterator[None]:
        """Lets one thread at a time use the collections, as they are now."""
        with self._turn, self.readable():
            self._refresh()
            yield

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Turns the errors of Chroma into ours."""
        try:
            yield
        except FootnoteError:
            raise
        except BaseException as error:
            reason = _reading_error(self.where, error)
            if reason is None:
                raise
            raise reason from error

    @contextmanager
    def writable(self) -> Iterator[None]:
        """Lets one process at a time write, and turns failed writes into NotWritableError."""
        with self.lock:
            try:
                yield
            except (ChromaError, OSError) as error:
                raise NotWritableError(
                    f"The index could not be written: {error}. Free some space or set QA_HOME to "
                    f"a writable folder, then try again. The library is as it was before."
                ) from error

    def changed(self) -> None:
        """Gives the library a new generation, which other processes see."""
        self._point(self._pointer()["pair"])

    def make_pair(self, built_with: dict[str, Any]) -> str:
        """Makes an empty pair of collections, without a pointer, and returns its name."""
        pair = uuid.uuid4().hex[:12]
        self._create(f"passages-{pair}", built_with)
        self._create(f"documents-{pair}", {"pair": pair})
        return pair

    def pair(self, name: str) -> tuple[chromadb.Collection, chromadb.Collection]:
        """Returns the passages and the records of a pair."""
        return self._get(f"passages-{name}"), self._get(f"documents-{name}")

    def switch(self, pair: str) -> None:
        """Makes this pair the library and deletes all other pairs."""
        self._point(pair)
        self._open_pair()
        self.sweep_pairs()

    def sweep_pairs(self) -> None:
        """Deletes the collections that the pointer does not name."""
        named = {self.passages.name, self.records.name, _POINTER}
        for name in self._names() - named:
            self._client.delete_collection(name)

    def batch_size(self) -> int:
        """Returns how many rows Chroma accepts in one call."""
        return self._client.get_max_batch_size()

    def _refresh(self) -> None:
        """Opens the collections again when another process has changed the library."""
        if self._pointer()["generation"] == self._generation:
            return

        # Chroma keeps a collection's vectors in memory, where the changes of others are missing.
        client: Any = self._client  # `close` is not in the type that chromadb declares
        client.close()
        self._client = _client(self.where)
        self._open_pair()

    def _open_pair(self) -> None:
        pointer = self._pointer()
        self._generation = str(pointer["generation"])
        self.passages, self.records = self.pair(pointer["pair"])

    def _pointer(self) -> dict[str, Any]:
        return dict(self._get(_POINTER).metadata or {})

    def _point(self, pair: str) -> None:
        generation = uuid.uuid4().hex
        self._get(_POINTER).modify(metadata={"pair": pair, "generation": generation})
        self._generation = generation

    def _names(self) -> set[str]:
        return {collection.name for collection in self._client.list_collections()}

    def _get(self, name: str) -> chromadb.Collection:
        return self._client.get_collection(name, embedding_function=None)

    def _create(self, name: str, metadata: dict[str, Any]) -> None:
        self._client.create_collection(
            name,
            embedding_function=None,
            configuration=_COSINE,
            metadata=metadata,
        )


def damaged(where: Path | str, reason: str) -> IndexDamagedError:
    """Returns the error for an index that cannot be read, with the command that starts again."""
    lines = reason.splitlines() or ["it is damaged"]
    return IndexDamagedError(
        f"The index {where} cannot be opened: {lines[0].rstrip('.')}. Move it away and add your "
        f"documents again: mv '{where}' '{where}.damaged' && footnote add PATH"
    )


def _reading_error(where: Path | str, error: BaseException) -> FootnoteError | None:
    """Returns our error for an error while reading; None where it is not about the library."""
    cause = str(error)
    if isinstance(error, ChromaError):
        if "readonly" in cause or "read-only" in cause:
            return NotWritableError(f"{where} is read-only. Set QA_HOME to a writable folder.")
        return damaged(where, cause)

    if isinstance(error, ValueError | ConnectionError):
        if isinstance(where, Path):
            return damaged(where, cause)
        return BrokenError(
            f"The Chroma server at {where} does not answer: {cause} Check QA_CHROMA_URL."
        )
    if isinstance(error, OSError):
        return NotWritableError(f"{where} cannot be opened: {error.strerror}. Check the path.")

    # Chroma's core is written in Rust, and a panic there is not an Exception.
    if type(error).__name__ == "PanicException":
        return damaged(where, "Chroma failed on its contents")
    return None


def _client(where: Path | str) -> ClientAPI:
    settings = ChromaSettings(anonymized_telemetry=False)
    if isinstance(where, Path):
        return chromadb.PersistentClient(path=str(where), settings=settings)

    address = urlsplit(where)
    https = address.scheme == "https"
    port = address.port or (443 if https else 8000)
    host = address.hostname or where
    return chromadb.HttpClient(
        host=host,
        port=port,
        ssl=https,
        settings=settings,
    )


def _lock(where: Path | str) -> AbstractContextManager[Any]:
    """Returns a lock over processes for a folder; a server keeps its own order."""
    if isinstance(where, Path):
        return FileLock(where.with_name(where.name + ".lock"))
    return nullcontext()


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (folder, folder.parent):
            probe = place / f".write-{uuid.uuid4().hex}"
            probe.touch()
            probe.unlink()
    except OSError as error:
        raise NotWritableError(
            f"{folder} is not writable: {error.strerror}. Set QA_HOME to a writable folder."
        ) from error


def _require_database(folder: Path) -> None:
    """Raises IndexDamagedError where the database is missing but the vectors are there.

    Chroma would open an empty library there.
    """
    database = folder / _DATABASE
    if database.is_file() and database.stat().st_size:
        return
    if any(place.is_dir() for place in folder.iterdir()):
        raise damaged(folder, f"its {_DATABASE} is missing or empty")
