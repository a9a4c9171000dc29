"""The catalog of a library: its documents, and in how many sentences each of their terms stands.

A SQLite database on this machine. It is derived from the library, so it can be deleted without
loss. It answers what would otherwise need a walk over all documents.
"""

import json
import sqlite3
import threading
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.library.failures import local_index_error
from qa.library.stored_document import StoredDocument
from qa.library.word_index import PassageTerms
from qa.text.words import terms, words

FORMAT = "1"
"""The form of the tables, and how terms and words are counted. A catalog of another form is made
again."""
WAIT = 60.0
"""Seconds to wait for another process that writes."""
ASKED_AT_ONCE = 500
"""Values of one statement; SQLite accepts at least 999."""
_TABLES = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, record TEXT NOT NULL,
    characters INTEGER NOT NULL, sentences INTEGER NOT NULL,
    term_counts BLOB NOT NULL, words BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_name ON documents (name);
CREATE INDEX IF NOT EXISTS documents_by_version ON documents (version);
CREATE TABLE IF NOT EXISTS terms (term TEXT PRIMARY KEY, sentences INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS words (
    initial TEXT, length INTEGER, word TEXT, documents INTEGER NOT NULL,
    PRIMARY KEY (initial, length, word)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unindexed (document TEXT PRIMARY KEY, passages BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (document TEXT PRIMARY KEY, signature TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unfinished (document TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_GENERATION = "generation"
_PAIR = "pair"
_SENTENCES = "sentences"
_IS_SWEPT = "is swept"


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the library, without its text."""

    id: str
    name: str
    title: str
    source: str
    version: str
    publisher: str | None
    examples: tuple[str, ...]
    date: str | None
    language: str
    """Empty: it is not known."""
    markdown: bool
    pages: int
    """0: it has no pages."""
    characters: int
    """The length of its text."""
    furniture_lines: int
    """The number of lines that are not searched."""


@dataclass(frozen=True, slots=True)
class WordChange:
    """What the word index does not have yet."""

    document: str
    packed: bytes | None
    """All passages of the document, as they are stored. None: it was removed."""

    @property
    def passages(self) -> list[PassageTerms]:
        """All passages of the document; none, if it was removed."""
        if self.packed is None:
            return []
        return [PassageTerms(*row) for row in _unpacked(self.packed)]


class Catalog:
    """The tables in a file; without a file, in memory. Threads take turns."""

    def __init__(self, file: Path | None) -> None:
        """Opens the catalog, or makes an empty catalog. Raises sqlite3.Error."""
        self._folder = file.parent if file else None
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            file or ":memory:", timeout=WAIT, isolation_level=None, check_same_thread=False
        )
        # Readers and a writer do not wait for each other. A power cut can lose the last changes:
        # the generation shows that, and they are derived again.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)
        # A statement that writes would wait for another process that writes.
        if not self._connection.execute("SELECT 1 FROM about WHERE key = 'format'").fetchone():
            self._connection.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (FORMAT,))

    @property
    def is_of_this_format(self) -> bool:
        return self._about("format") == FORMAT

    @property
    def generation(self) -> str:
        """The generation of the library that the catalog describes; empty: of none."""
        return self._about(_GENERATION) or ""

    @property
    def pair(self) -> str:
        """The collection of passages that the catalog describes; a rebuild makes a new one."""
        return self._about(_PAIR) or ""

    @property
    def sentences(self) -> int:
        """The number of sentences of the library. The line with a document's name counts too."""
        return int(self._about(_SENTENCES) or 0)

    @property
    def is_swept(self) -> bool:
        """Whether everything that interrupted changes left behind is in `unfinished`."""
        return self._about(_IS_SWEPT) is not None

    def close(self) -> None:
        """Ends the connection."""
        with self._lock:
            self._connection.close()

    def count(self) -> int:
        """Returns the number of documents."""
        return int(self._rows("SELECT COUNT(*) FROM documents")[0][0])

    def entries(self, ids: Collection[str] | None = None) -> list[Entry]:
        """Returns the documents, or those with these ids, sorted by name."""
        columns = "SELECT id, record, characters FROM documents"
        rows = self._rows(columns) if ids is None else self._rows_of(f"{columns} WHERE id", ids)
        entries = [_entry(*row) for row in rows]
        entries.sort(key=lambda entry: entry.name)
        return entries

    def records(self, ids: Collection[str] | None = None) -> dict[str, str]:
        """Returns the records as JSON, by document id."""
        columns = "SELECT id, record FROM documents"
        rows = self._rows(columns) if ids is None else self._rows_of(f"{columns} WHERE id", ids)
        return dict(rows)

    def names(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Returns name and version of these documents, by document id."""
        rows = self._rows_of("SELECT id, name, version FROM documents WHERE id", ids)
        return {key: (name, version) for key, name, version in rows}

    def ids_named(self, names: Collection[str]) -> list[str]:
        """Returns the ids of the documents with these names."""
        return [key for (key,) in self._rows_of("SELECT id FROM documents WHERE name", names)]

    def ids_of_version(self, version: str) -> list[str]:
        """Returns the ids of the documents with this version: they have the same text."""
        return [
            key for (key,) in self._rows_of("SELECT id FROM documents WHERE version", [version])
        ]

    def sentences_with(self, term: str) -> int:
        """Returns in how many sentences of the library a term stands."""
        rows = self._rows("SELECT sentences FROM terms WHERE term = ?", term)
        return int(rows[0][0]) if rows else 0

    def counts_of(self, ids: Collection[str]) -> tuple[Counter[str], int]:
        """Returns in how many sentences of these documents each term stands, and their number."""
        counts: Counter[str] = Counter()
        total = 0
        for packed, size in self._rows_of(
            "SELECT term_counts, sentences FROM documents WHERE id", ids
        ):
            counts.update(_unpacked(packed))
            total += size
        return counts, total

    def has_word(self, word: str) -> bool:
        """Returns whether a document has a word, its title and its name included."""
        statement = "SELECT 1 FROM words WHERE initial = ? AND length = ? AND word = ?"
        return bool(self._rows(statement, word[:1], len(word), word))

    def words_like(self, initial: str, length: int) -> list[str]:
        """Returns the words of the documents with this first letter and this length."""
        statement = "SELECT word FROM words WHERE initial = ? AND length = ?"
        return [word for (word,) in self._rows(statement, initial, length)]

    def unindexed(self, limit: int) -> list[WordChange]:
        """Returns changes that the word index does not have yet, at most `limit` documents."""
        rows = self._rows("SELECT document, passages FROM unindexed LIMIT ?", limit)
        return [WordChange(document, packed) for document, packed in rows]

    def file_signature(self, document_id: str) -> str | None:
        """Returns what was noted of a document's file; None of an unknown or changed document."""
        rows = self._rows("SELECT signature FROM files WHERE document = ?", document_id)
        return str(rows[0][0]) if rows else None

    def set_file_signature(self, document_id: str, signature: str) -> None:
        """Notes the state of the file that a document of the library was read from."""
        with self._lock, self._translated():
            # In one statement: another process may have removed the document.
            statement = "INSERT OR REPLACE INTO files SELECT id, ? FROM documents WHERE id = ?"
            self._connection.execute(statement, (signature, document_id))

    def unfinished(self) -> list[str]:
        """Returns the documents whose passages a process began to write, and did not finish."""
        return [document for (document,) in self._rows("SELECT document FROM unfinished")]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Makes several changes at once: all of them or none. Other processes wait."""
        with self._lock, self._translated():
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def put(self, stored: StoredDocument, record: Mapping[str, Any]) -> None:
        """Adds a document, or replaces the document with its id."""
        document = stored.document
        counts, size = _term_counts(stored)
        distinct_words = _words(stored)
        with self.changing():
            self._forget(document.id)
            self._connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    document.id,
                    document.name,
                    document.version,
                    as_json(record),
                    len(document.text),
                    size,
                    _packed(counts),
                    _packed(distinct_words),
                ),
            )
            self._count(counts, size, distinct_words)
            passages = [
                (row.passage, row.version, row.start, row.terms) for row in _passages(stored)
            ]
            self._connection.execute(
                "INSERT OR REPLACE INTO unindexed VALUES (?, ?)", (document.id, _packed(passages))
            )

    def remove(self, document_id: str) -> None:
        """Removes a document, if it is there."""
        with self.changing():
            if self._forget(document_id):
                self._connection.execute(
                    "INSERT OR REPLACE INTO unindexed VALUES (?, NULL)", (document_id,)
                )

    def set_generation(self, generation: str) -> None:
        """Says which generation of the library the catalog describes."""
        self._set_about(_GENERATION, generation)

    def set_pair(self, pair: str) -> None:
        """Says which collection of passages the catalog describes."""
        self._set_about(_PAIR, pair)

    def set_indexed(self, changes: Sequence[WordChange]) -> None:
        """Takes note that the word index has these changes."""
        # Another process may have changed a document once more meanwhile.
        done = [(change.document, change.packed) for change in changes]
        with self.changing():
            statement = "DELETE FROM unindexed WHERE document = ? AND passages IS ?"
            self._connection.executemany(statement, done)

    def set_swept(self) -> None:
        """Takes note that nothing is left behind but what `unfinished` has."""
        self._set_about(_IS_SWEPT, "yes")

    def begin(self, ids: Iterable[str]) -> None:
        """Takes note that passages of these documents are going to be written."""
        with self.changing():
            statement = "INSERT OR IGNORE INTO unfinished VALUES (?)"
            self._connection.executemany(statement, [(key,) for key in ids])

    def finish(self, ids: Iterable[str]) -> None:
        """Takes note that these documents have the passages of their records, and no others."""
        with self.changing():
            statement = "DELETE FROM unfinished WHERE document = ?"
            self._connection.executemany(statement, [(key,) for key in ids])

    def _forget(self, document_id: str) -> bool:
        """Deletes a document and its counts. Returns whether it was there."""
        statement = "SELECT term_counts, sentences, words FROM documents WHERE id = ?"
        rows = self._rows(statement, document_id)
        if not rows:
            return False
        counts, size, distinct_words = rows[0]
        negative = {term: -count for term, count in _unpacked(counts).items()}
        self._count(negative, -size, _unpacked(distinct_words), sign=-1)
        self._connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        self._connection.execute("DELETE FROM files WHERE document = ?", (document_id,))
        return True

    def _count(
        self, counts: Mapping[str, int], size: int, distinct_words: Sequence[str], sign: int = 1
    ) -> None:
        """Adds to the counts of terms, sentences and words."""
        execute = self._connection.executemany
        execute(
            "INSERT INTO terms VALUES (?, ?) "
            "ON CONFLICT DO UPDATE SET sentences = sentences + excluded.sentences",
            counts.items(),
        )
        execute(
            "INSERT INTO words VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET documents = documents + excluded.documents",
            [(word[0], len(word), word, sign) for word in distinct_words],
        )
        if sign < 0:
            gone = "DELETE FROM terms WHERE term = ? AND sentences <= 0"
            execute(gone, [(term,) for term in counts])
            gone = (
                "DELETE FROM words WHERE initial = ? AND length = ? AND word = ? AND documents <= 0"
            )
            execute(gone, [(word[0], len(word), word) for word in distinct_words])
        self._set_about(_SENTENCES, str(self.sentences + size))

    def _about(self, key: str) -> str | None:
        rows = self._rows("SELECT value FROM about WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def _set_about(self, key: str, value: str) -> None:
        with self._lock, self._translated():
            self._connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, value))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turns the errors of SQLite into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise local_index_error(self._folder, error) from error

    def _rows_of(self, select: str, values: Collection[str]) -> list[tuple[Any, ...]]:
        """Returns the rows of a statement that ends with a column, where it has these values."""
        rows = []
        ordered = sorted(values)
        for first in range(0, len(ordered), ASKED_AT_ONCE):
            part = ordered[first : first + ASKED_AT_ONCE]
            places = ", ".join("?" * len(part))
            rows += self._rows(f"{select} IN ({places})", *part)
        return rows

    def _rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock, self._translated():
            return self._connection.execute(statement, values).fetchall()


def as_json(record: Mapping[str, Any]) -> str:
    """Returns the form in which the catalog has a record: equal records have equal forms."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True)


def _entry(key: str, record: str, characters: int) -> Entry:
    fields = json.loads(record)
    return Entry(
        id=key,
        name=fields["name"],
        title=fields["title"],
        source=fields["source"],
        version=fields["version"],
        publisher=fields["publisher"],
        examples=tuple(fields["examples"]),
        date=fields["date"],
        language=fields["language"] or "",
        markdown=fields["markdown"],
        pages=len(fields["pages"]),
        characters=characters,
        furniture_lines=len(fields["furniture"]),
    )


def _term_counts(stored: StoredDocument) -> tuple[Counter[str], int]:
    """Returns in how many sentences of a document each term stands, and the number of sentences."""
    # A year that only the name of a folder has is not missing from the library.
    texts = [stored.name_line, *map(stored.document.text_of, stored.spans)]
    counts: Counter[str] = Counter()
    for text in texts:
        # Repeats within a sentence count once.
        counts.update(set(terms(text)))
    return counts, len(texts)


def _words(stored: StoredDocument) -> list[str]:
    """Returns every word of a document, its title and its name, once each."""
    distinct = {*words(stored.document.text), *words(stored.name_line)}
    return sorted(distinct)


def _passages(stored: StoredDocument) -> Iterator[PassageTerms]:
    for passage in stored.passages:
        text = stored.embedded_text(passage)
        version = stored.document.version
        yield PassageTerms(passage.id, version, passage.span.start, " ".join(terms(text)))


def _packed(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode(), level=1)


def _unpacked(packed: bytes) -> Any:
    return json.loads(zlib.decompress(packed))
