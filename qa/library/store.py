"""Chroma: two collections and a pointer to them, in a folder or on a server.

The pointer is the metadata of a third collection: which pair of collections is the library, and a generation that
changes whenever the library does. Switching it is one write, so a rebuilt library takes the old one's place whole or
not at all; a pair that nothing points to is what an interrupted rebuild left behind.
"""

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import chromadb
from chromadb.api import ClientAPI
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError
from filelock import FileLock

from qa.errors import BrokenError, FootnoteError, IndexDamagedError, NotWritableError

_POINTER = "library"
_DATABASE = "chroma.sqlite3"


class Store:
    """The collections of a library. `passages` and `records` are those that the pointer names."""

    def __init__(self, where: Path | str, made_with: dict[str, Any]) -> None:
        """Opens what is there, or makes an empty pair with this metadata."""
        self.where = where
        self.lock: AbstractContextManager[Any] = _lock(where)
        with self.reading(opening=True), self.lock:
            self._client = _client(where)
            if _POINTER not in self._names():
                pair = self.make_pair(made_with)
                self._create(_POINTER, {"pair": pair, "generation": uuid.uuid4().hex})
            self._adopt()

    @property
    def generation(self) -> str:
        """As it was when the collections were opened, or last changed by this store."""
        return self._generation

    @property
    def made_with(self) -> dict[str, Any]:
        """What the passages were made with."""
        return dict(self.passages.metadata or {})

    def refresh(self) -> None:
        """Opens the collections anew when another process has changed the library.

        Chroma keeps a collection's vectors in memory, where it does not see what another process wrote.
        """
        if self._told()["generation"] != self._generation:
            cast(Any, self._client).close()  # not in the type that chromadb declares
            self._client = _client(self.where)
            self._adopt()

    def changed(self) -> None:
        """Tells the other processes."""
        self._point(self._told()["pair"])

    def make_pair(self, made_with: dict[str, Any]) -> str:
        """Makes an empty pair of collections, to which nothing points yet; gives its name."""
        pair = uuid.uuid4().hex[:12]
        self._create(f"passages-{pair}", made_with)
        self._create(f"documents-{pair}", {"pair": pair})
        return pair

    def pair(self, name: str) -> tuple[chromadb.Collection, chromadb.Collection]:
        """The passages and the records of a pair."""
        return self._get(f"passages-{name}"), self._get(f"documents-{name}")

    def switch(self, pair: str) -> None:
        """Makes this pair the library; the others go."""
        self._point(pair)
        self._adopt()
        self.sweep_pairs()

    def sweep_pairs(self) -> None:
        """Deletes the collections that the pointer does not name."""
        for name in self._names() - {self.passages.name, self.records.name, _POINTER}:
            self._client.delete_collection(name)

    def batch_size(self) -> int:
        """How many records Chroma takes at once."""
        return self._client.get_max_batch_size()

    @contextmanager
    def reading(self, opening: bool = False) -> Iterator[None]:
        """Says in our errors why the library does not open or cannot be read."""
        if opening and isinstance(self.where, Path):
            _require_writable(self.where)
            _require_database(self.where)
        try:
            yield
        except FootnoteError:
            raise
        except ChromaError as error:
            if "readonly" in str(error) or "read-only" in str(error):
                raise NotWritableError(
                    f"{self.where} is read-only. Set QA_HOME to a folder for writing."
                ) from error
            raise damaged(self.where, str(error)) from error
        except (ValueError, ConnectionError) as error:
            if isinstance(self.where, Path):
                raise damaged(self.where, str(error)) from error
            raise BrokenError(
                f"The Chroma server at {self.where} does not answer: {error} Check QA_CHROMA_URL."
            ) from error
        except OSError as error:
            raise NotWritableError(
                f"{self.where} cannot be opened: {error.strerror}. Check the path."
            ) from error
        except BaseException as error:
            # Chroma's core is Rust, whose panics are no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise damaged(self.where, "Chroma broke on what it found there") from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One process at a time, and our errors for what does not take writes."""
        with self.lock:
            try:
                yield
            except (ChromaError, OSError) as error:
                raise NotWritableError(
                    f"The index could not be written: {error}. Free some space or set QA_HOME to a folder for "
                    f"writing, then do it again: nothing is there by half."
                ) from error

    def _adopt(self) -> None:
        told = self._told()
        self._generation = str(told["generation"])
        self.passages, self.records = self.pair(told["pair"])

    def _told(self) -> dict[str, Any]:
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
            configuration={"hnsw": {"space": "cosine"}},
            metadata=metadata,
        )


def damaged(where: Path | str, why: str) -> IndexDamagedError:
    """An index that cannot be read, and what to do."""
    first_line = (why.splitlines() or ["it is damaged"])[0].rstrip(".")
    return IndexDamagedError(
        f"The index {where} cannot be opened: {first_line}. "
        f"Move it away and add your documents again: mv '{where}' '{where}.damaged' && python -m qa add PATH"
    )


def _client(where: Path | str) -> ClientAPI:
    settings = ChromaSettings(anonymized_telemetry=False)
    if isinstance(where, Path):
        return chromadb.PersistentClient(path=str(where), settings=settings)
    address = urlsplit(where)
    https = address.scheme == "https"
    port = address.port or (443 if https else 8000)
    return chromadb.HttpClient(
        host=address.hostname or where, port=port, ssl=https, settings=settings
    )


def _lock(where: Path | str) -> AbstractContextManager[Any]:
    """One process at a time changes an index folder; a server sees to that itself."""
    return (
        FileLock(where.with_name(where.name + ".lock"))
        if isinstance(where, Path)
        else nullcontext()
    )


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (folder, folder.parent):
            probe = place / f".write-{uuid.uuid4().hex}"
            probe.touch()
            probe.unlink()
    except OSError as error:
        raise NotWritableError(
            f"{folder} does not take writes: {error.strerror}. Set QA_HOME to a folder that does."
        ) from error


def _require_database(folder: Path) -> None:
    """Chroma would make an empty library where its database is gone and the vectors are not."""
    database = folder / _DATABASE
    empty = not database.is_file() or not database.stat().st_size
    if empty and any(place.is_dir() for place in folder.iterdir()):
        raise damaged(folder, f"its {_DATABASE} is missing or empty")
