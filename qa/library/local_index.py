"""What a library keeps on this machine to be searched: its catalog and its word index.

Both are derived. They are in one folder, which is made again where it is missing, of another
format or damaged.
"""

import logging
import shutil
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from qa.library.catalog import Catalog, as_json
from qa.library.failures import local_index_error
from qa.library.locking import FolderLock
from qa.library.stored_document import StoredDocument
from qa.library.word_index import Hit, WordIndex

Record = Mapping[str, Any]
ReadDocuments = Callable[[Collection[str]], Mapping[str, tuple[StoredDocument, Record]]]
"""Returns documents of the library with their records, by id, without those that are gone."""
INDEXED_AT_ONCE = 200
"""Documents that the word index gets in one update."""
MAX_CACHED = 4_000_000
"""Characters of the documents that stay in memory, with ten times as many bytes of sentences."""
_CATALOG = "catalog.sqlite3"
_WORDS = "words"
_LOCK = "words.lock"
_log = logging.getLogger(__name__)


class LocalIndex:
    """The catalog and the word index in a folder; without a folder, in memory."""

    def __init__(self, folder: Path | None, read: ReadDocuments) -> None:
        """Opens both, or makes them empty. `read` reads documents of the library.

        Raises sqlite3.Error, ValueError or OSError where they cannot be made.
        """
        self._folder = folder
        self._read = read
        self._cached: OrderedDict[str, tuple[tuple[str, str], StoredDocument]] = OrderedDict()
        """The last documents, each with its pair of collections and the JSON of its record."""
        self._lock = threading.Lock()
        self._words_turn = threading.Lock()
        """One thread at a time updates the word index."""
        try:
            self._open()
        except sqlite3.OperationalError:
            # The disk is full, or another process writes for too long: nothing is damaged.
            raise
        except (sqlite3.DatabaseError, ValueError) as error:
            _log.warning("%s is made again, because it cannot be read: %s", folder, error)
            self._delete()
            self._open()

    def search(
        self, terms: Sequence[str], count: int, documents: Collection[str] | None = None
    ) -> list[Hit]:
        """Returns the best passages for some terms, as `WordIndex.search` does."""
        self.index_words()
        with self._translated():
            return self._words.search(terms, count, documents)

    def index_words(self) -> None:
        """Brings the word index up to date with the catalog."""
        if not self.catalog.unindexed(1):
            return
        with self._words_turn, self._words_lock(), self._translated():
            while changes := self.catalog.unindexed(INDEXED_AT_ONCE):
                self._words.update((change.document, change.passages) for change in changes)
                self.catalog.set_indexed(changes)

    def stored(self, ids: Collection[str]) -> dict[str, StoredDocument]:
        """Returns the documents with these ids, by id, without those that are gone."""
        # After a rebuild the same record may stand for other passages.
        pair = self.catalog.pair
        known = self.catalog.records(ids)
        documents = {}
        missing = []
        with self._lock:
            for key, known_record in known.items():
                cached = self._cached.get(key)
                if cached and cached[0] == (pair, known_record):
                    self._cached.move_to_end(key)
                    documents[key] = cached[1]
                else:
                    missing.append(key)
        if missing:
            for key, (stored, record) in self._read(missing).items():
                documents[key] = stored
                self._keep(key, (pair, as_json(record)), stored)
        return documents

    def _open(self) -> None:
        folder = self._folder
        if folder is None:
            self.catalog = Catalog(None)
            self._words = WordIndex(None)
            return
        folder.mkdir(parents=True, exist_ok=True)
        self.catalog = Catalog(folder / _CATALOG)
        try:
            self._require_complete(folder)
            self._words = WordIndex(folder / _WORDS)
        except BaseException:
            self.catalog.close()
            raise

    def _require_complete(self, folder: Path) -> None:
        """Raises ValueError for a catalog of another format, or without its word index."""
        if not self.catalog.is_of_this_format:
            raise ValueError("another version of Footnote has made it")
        if self.catalog.count() and not WordIndex.exists(folder / _WORDS):
            raise ValueError("its word index is missing")

    def _delete(self) -> None:
        if self._folder:
            shutil.rmtree(self._folder)

    def _words_lock(self) -> AbstractContextManager[Any]:
        """Returns the lock that one process at a time updates the word index with."""
        return FolderLock(self._folder / _LOCK) if self._folder else nullcontext()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turns the errors of the word index into ours."""
        try:
            yield
        except (ValueError, OSError) as error:
            raise local_index_error(self._folder, error) from error

    def _keep(self, key: str, form: tuple[str, str], stored: StoredDocument) -> None:
        """Keeps a document in memory, and drops those that were not used for longest."""
        with self._lock:
            self._cached[key] = (form, stored)
            self._cached.move_to_end(key)
            size = sum(len(stored.document.text) for _, stored in self._cached.values())
            while size > MAX_CACHED and len(self._cached) > 1:
                _, (_, dropped) = self._cached.popitem(last=False)
                size -= len(dropped.document.text)
