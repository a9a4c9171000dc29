"""Keeps the local index up to date with a library, which other processes change as well."""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from qa.errors import FootnoteError
from qa.library.catalog import as_json
from qa.library.local_index import LocalIndex
from qa.library.records import Record, batches, read_records, read_stored
from qa.library.store import Store
from qa.library.stored_document import StoredDocument

COPIED_AT_ONCE = 16
"""Documents that are read from the library and written to the catalog at once."""
_log = logging.getLogger(__name__)


class Follower:
    """The local index of a library."""

    def __init__(self, store: Store, folder: Path | None) -> None:
        """`folder`: where the local index is; None: in memory, made again by each process."""
        self._store = store
        with store.translated_errors():
            self._local = LocalIndex(folder, self._read)

    def local(self) -> LocalIndex:
        """Returns the local index, which describes the library as it is now.

        Takes long where another program has added many documents, or where the local index is
        made again.
        """
        store = self._store
        with store.refreshed():
            is_changing = store.is_changing
            is_current = self._local.catalog.generation == store.generation
        if is_changing:
            store.end_interrupted_change()
        if is_changing or not is_current:
            store.read_with_retry(self._copy_changes)
        return self._local

    def apply(
        self,
        previous: str,
        stored: Mapping[str, tuple[StoredDocument, Record]],
        removed: Collection[str],
    ) -> None:
        """Takes over a change that this process has made since the generation `previous`.

        Does nothing where other processes have changed the library as well: the next call of
        `local` finds out what they did.
        """
        catalog = self._local.catalog
        try:
            with catalog.changing():
                if catalog.generation != previous:
                    return
                for key in removed:
                    catalog.remove(key)
                for document, record in stored.values():
                    catalog.put(document, record)
                catalog.set_generation(self._store.generation)
        except FootnoteError as error:
            # The library has the change: the next call of `local` copies it, or says what fails.
            _log.warning("the catalog does not have the last change yet: %s", error)

    def _read(self, ids: Collection[str]) -> dict[str, tuple[StoredDocument, Record]]:
        return self._store.read_with_retry(lambda: read_stored(self._store, list(ids)))

    def _copy_changes(self) -> None:
        """Copies every document of the library that the catalog has in another form, or not.

        Meanwhile the catalog describes no generation, so that a process that is killed leaves
        nothing that seems complete.
        """
        store = self._store
        catalog = self._local.catalog
        generation = store.generation
        records = read_records(store)
        known = self._begin_copying(records)
        changed = _different(records, known)
        if len(changed) > COPIED_AT_ONCE:
            _log.info("reading %d documents of the library %s", len(changed), store.shown)
        for batch in batches(len(changed), COPIED_AT_ONCE):
            # Another process may be copying the same documents.
            keys = changed[batch]
            wanted = _different({key: records[key] for key in keys}, catalog.records(keys))
            documents = read_stored(store, wanted)
            with catalog.changing():
                if catalog.generation:
                    # Another process has finished copying, perhaps of a later generation.
                    return
                for stored, record in documents.values():
                    catalog.put(stored, record)
        with catalog.changing():
            # Between two generations, the next call has to compare the records again.
            if not catalog.generation and not store.is_changing:
                catalog.set_generation(generation)

    def _begin_copying(self, records: Mapping[str, Record]) -> dict[str, str]:
        """Removes what the library does not have, and returns the records that the catalog has."""
        catalog = self._local.catalog
        pair = self._store.passages.name
        with catalog.changing():
            catalog.set_generation("")
            known = catalog.records()
            # After a rebuild the same documents may be cut into other passages.
            is_rebuilt = catalog.pair != pair
            for key in list(known):
                if is_rebuilt or key not in records:
                    catalog.remove(key)
                    del known[key]
            catalog.set_pair(pair)
        return known


def _different(records: Mapping[str, Record], known: Mapping[str, str]) -> Sequence[str]:
    """Returns the ids of the records that are not known in this form."""
    return [key for key, record in records.items() if known.get(key) != as_json(record)]
