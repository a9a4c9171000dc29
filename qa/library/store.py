"""Chroma: two collections and a pointer to them, in a folder or on a server.

The pointer is the metadata of a third collection: the name of the pair of collections that is the
library, and a generation that changes with the library. Moving the pointer is one write, so a
rebuilt library replaces the old library whole or not at all. A pair without a pointer is what an
interrupted rebuild left behind.

Chroma writes even when it only opens a folder. A file beside its database keeps the space free
that opening, undoing and removing need on a full disk.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import chromadb
from chromadb.api import ClientAPI
from chromadb.errors import ChromaError
from filelock import Timeout

from qa.disk import Reserve, is_full
from qa.errors import DiskFullError, FootnoteError, IndexDamagedError, NotWritableError
from qa.library.connection import Connection, connect
from qa.library.failures import damaged, index_full, is_disk_full, reading_error, without_login
from qa.library.index_format import IndexFormat
from qa.library.locking import FolderLock, busy, held_briefly, lock_of

_POINTER = "library"
_CHANGING = "changing "
"""What a generation begins with while records are being written."""
_DATABASE = "chroma.sqlite3"
_RESERVE = ".reserve"
_COSINE: Any = {"hnsw": {"space": "cosine"}}

Result = TypeVar("Result")


class Store:
    """The collections of a library. `passages` and `records` are the pair that the pointer names.

    `passages` holds texts, vectors and offsets. `records` holds one record a document.
    """

    def __init__(self, where: Path | str, index_format: IndexFormat) -> None:
        """Opens the library, or makes an empty library of this format."""
        # Links are resolved: messages name the folder itself.
        self.where = where.resolve() if isinstance(where, Path) else where
        self._thread_lock = threading.RLock()
        self._connection: Connection | None = None
        self._reserve: Reserve | None = None
        if isinstance(self.where, Path):
            _make_folder(self.where)
            _require_database(self.where)
            self._reserve = Reserve(self.where / _RESERVE)
        self.lock = lock_of(self.where)
        self.has_deleted_leftovers = not self.is_folder
        """Whether this process has deleted what interrupted changes left behind."""

        # A library that another process is changing for minutes can be read meanwhile.
        with self.translated_errors(), held_briefly(self.lock) as may_make:
            self.retry_with_reserve(lambda: self._open(index_format, may_make))

    @property
    def is_folder(self) -> bool:
        """Whether the library is a folder. A server's other users cannot be locked out."""
        return isinstance(self.where, Path)

    @property
    def shown(self) -> str:
        """Where the library is, as a message may say it."""
        return without_login(self.where, str(self.where))

    @property
    def generation(self) -> str:
        """The generation of the open collections."""
        return self._generation

    @property
    def index_format(self) -> IndexFormat:
        """The format that the passages were built in."""
        return IndexFormat.of_metadata(self.passages.metadata or {})

    @contextmanager
    def refreshed(self) -> Iterator[None]:
        """Lets one thread at a time use the collections, as they are now."""
        with self._thread_lock, self.translated_errors():
            self._refresh()
            yield

    def read_with_retry(self, work: Callable[[], Result]) -> Result:
        """Returns what the work reads of the collections, as they are now.

        While another process changes them, Chroma can fail as on a damaged library. Damage is what
        still fails in a new connection while nobody changes the library.
        """
        for _ in range(2):
            try:
                with self.refreshed():
                    return work()
            except IndexDamagedError:
                with self._thread_lock:
                    self._disconnect()
        with self.translated_errors(), self.lock, self.refreshed():
            return work()

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Turns the errors of Chroma into ours."""
        try:
            yield
        except FootnoteError:
            raise
        except BaseException as error:
            reason = reading_error(self.where, error)
            if reason is None:
                raise
            raise reason from error

    @contextmanager
    def exclusive_write(self) -> Iterator[None]:
        """Lets one process at a time write, and turns failed writes into NotWritableError."""
        with self.lock:
            try:
                yield
            except (ChromaError, OSError) as error:
                if is_disk_full(self.where, error):
                    raise index_full(self.where) from error
                raise NotWritableError(
                    f"The index could not be written: {error}. Set QA_HOME to a writable folder, "
                    f"then try again. The library is as it was before."
                ) from error

    def retry_with_reserve(self, work: Callable[[], Result]) -> Result:
        """Does the work; on a full disk again, in the space that was kept free for it."""
        try:
            with self.translated_errors():
                return work()
        except DiskFullError:
            size = self._reserve.release() if self._reserve else 0
            if not size:
                raise
        # The failed write may still hold its transaction, and a second one would wait for it.
        with self._thread_lock:
            self._disconnect()
        try:
            with self.translated_errors():
                return work()
        finally:
            if self._reserve:
                self._reserve.refill(size)

    def grow_reserve(self, size: int) -> None:
        """Keeps space free, so that a failed change can be undone. Raises DiskFullError."""
        if self._reserve:
            with self.exclusive_write():
                self._reserve.grow(size)

    @property
    def is_changing(self) -> bool:
        """Whether records are being written, or a process was killed while it wrote them."""
        return self._generation.startswith(_CHANGING)

    def begin_change(self) -> None:
        """Says that records are going to change. `write_generation` ends the change.

        Until then no local index counts as current: a process that is killed in between leaves the
        library between two generations.
        """
        self._point(self._pointer()["pair"], _CHANGING)

    def end_interrupted_change(self) -> None:
        """Ends the change of a killed process; does nothing while another process works."""
        if not isinstance(self.lock, FolderLock):
            return
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            return
        try:
            with self.refreshed(), self.exclusive_write():
                if self.is_changing:
                    self.write_generation()
        finally:
            self.lock.release()

    def write_generation(self) -> None:
        """Gives the library a new generation, which other processes see."""
        self._point(self._pointer()["pair"])

    def make_pair(self, index_format: IndexFormat) -> str:
        """Makes an empty pair of collections, without a pointer, and returns its name."""
        pair = uuid.uuid4().hex[:12]
        passages, records = _pair_names(pair)
        self._create(passages, index_format.metadata)
        self._create(records, {"pair": pair})
        return pair

    def pair(self, name: str) -> tuple[chromadb.Collection, chromadb.Collection]:
        """Returns the passages and the records of a pair."""
        passages, records = _pair_names(name)
        return self._get(passages), self._get(records)

    def switch(self, pair: str) -> None:
        """Makes this pair the library and deletes the pair that was the library."""
        previous = self._pointer()["pair"]
        self._point(pair)
        self._open_pair()
        self.delete_pair(previous)

    def delete_pair(self, pair: str) -> None:
        """Deletes the collections of a pair."""
        names = self._names()
        for name in _pair_names(pair):
            if name in names:
                self._client.delete_collection(name)

    def delete_leftover_pairs(self) -> None:
        """Deletes the collections that the pointer does not name.

        On a server they may be what another machine is building.
        """
        named = {self.passages.name, self.records.name, _POINTER}
        for name in self._names() - named:
            self._client.delete_collection(name)

    def batch_size(self) -> int:
        """Returns how many rows Chroma accepts in one call."""
        return self._client.get_max_batch_size()

    @property
    def _client(self) -> ClientAPI:
        if not self._connection:
            raise ValueError("the connection to the library is closed")
        return self._connection.client

    def _open(self, index_format: IndexFormat, may_make: bool) -> None:
        """Connects to Chroma and opens the library; makes an empty library where there is none."""
        is_there = not isinstance(self.where, Path) or _has_database(self.where)
        if not is_there and not may_make:
            raise busy(self.where)
        self._connect()
        if _POINTER not in self._names():
            if not may_make:
                raise busy(self.where)
            pair = self.make_pair(index_format)
            self._create(_POINTER, {"pair": pair, "generation": uuid.uuid4().hex})
        self._open_pair()

    def _refresh(self) -> None:
        """Opens the collections again when another process has changed the library."""
        if self._connection:
            if self._pointer()["generation"] == self._generation:
                return
            # Chroma keeps vectors in memory, where the changes of others are missing.
            self._disconnect()
        self.retry_with_reserve(self._reopen)

    def _reopen(self) -> None:
        self._connect()
        self._open_pair()

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _connect(self) -> None:
        self._disconnect()
        # Where opening the pair fails, no generation is the open one.
        self._generation = ""
        self._connection = connect(self.where)

    def _open_pair(self) -> None:
        pointer = self._pointer()
        self.passages, self.records = self.pair(pointer["pair"])
        self._generation = str(pointer["generation"])

    def _pointer(self) -> dict[str, Any]:
        return dict(self._get(_POINTER).metadata or {})

    def _point(self, pair: str, prefix: str = "") -> None:
        generation = f"{prefix}{uuid.uuid4().hex}"
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


def _pair_names(pair: str) -> tuple[str, str]:
    """Returns the names of the passages and of the records of a pair."""
    return f"passages-{pair}", f"documents-{pair}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if is_full(error):
            raise index_full(folder) from error
        raise NotWritableError(
            f"{folder} is not writable: {error.strerror}. Set QA_HOME to a writable folder."
        ) from error


def _require_database(folder: Path) -> None:
    """Raises IndexDamagedError where the database is missing but the vectors are there.

    Chroma would open an empty library there.
    """
    if not _has_database(folder) and any(path.is_dir() for path in folder.iterdir()):
        raise damaged(folder, f"its {_DATABASE} is missing or empty")


def _has_database(folder: Path) -> bool:
    database = folder / _DATABASE
    return database.is_file() and database.stat().st_size > 0
