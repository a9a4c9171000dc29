"""The conversations on disk: one SQLite file that several tabs and processes may write at once.

A question is written before it is answered, so that no question is lost. A question without an
outcome is being answered, or its answer was interrupted when the server ended. On a full disk,
what cannot be written is kept in memory, and its answer says so. A damaged record is shown as a
failure in its place.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

from pydantic import ValidationError

from qa.disk import disk_full, has_room, is_full
from qa.errors import DiskFullError, FootnoteError, NotWritableError
from ui.chat.transcript import DAMAGED, OPTIONS, OUTCOME, AnswerOptions, ExchangeOutcome
from ui.chat.unstored import NewQuestion, Unstored

FILE = "conversations.sqlite3"
MAX_TITLE = 80
LOCK_TIMEOUT = 15.0
"""Seconds to wait for another writer."""
_ROOM = 1 << 18
"""Bytes. With less free space, some errors of SQLite mean a full disk."""
_FULL_WITHOUT_ROOM = ("disk I/O error", "unable to open")
"""The second one where no file can be made, although there is space."""
_NOT_WRITABLE = ("readonly database", "unable to open")
_VERSION = 1
"""Of the tables; files of the first releases have 0. The table of choices came later, and a release
that does not know it ignores it."""
Rating = Literal["good", "bad"]
_RATINGS: dict[str | None, Rating] = {"good": "good", "bad": "bad"}

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, changed REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS exchanges (
    id TEXT PRIMARY KEY,
    place INTEGER NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    question TEXT NOT NULL,
    choice TEXT NOT NULL,
    outcome TEXT,
    rating TEXT CHECK (rating IN ('good', 'bad'))
) STRICT;
CREATE TABLE IF NOT EXISTS choices (owner TEXT PRIMARY KEY, choice TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS by_conversation ON exchanges (conversation, place);
CREATE INDEX IF NOT EXISTS by_owner ON conversations (owner, changed);
PRAGMA user_version = {_VERSION};
"""
_OWNED = "SELECT title FROM conversations WHERE (id, owner) = (?, ?)"
_OWNER = "SELECT owner FROM conversations WHERE id = ?"
_LIST = """
SELECT id, title FROM conversations AS c
WHERE owner = ? AND (? = '' OR matches(CAST(title AS BLOB)) OR EXISTS (
    SELECT 1 FROM exchanges WHERE conversation = c.id AND (
        matches(CAST(question AS BLOB)) OR CASE WHEN json_valid(outcome)
        THEN matches(CAST(json_extract(outcome, '$.told.text') AS BLOB)) END
    )
))
ORDER BY changed DESC, rowid DESC
"""
"""Bytes, because Python refuses a damaged text before a function of ours is called."""
_BEGIN = """
INSERT INTO conversations (id, owner, title, changed) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING
"""
_EXCHANGES = """
SELECT id, question, choice, outcome, rating FROM exchanges WHERE conversation = ? ORDER BY place
"""
_TOUCH = """
UPDATE conversations SET changed = max(:now, (
    SELECT max(changed) + 0.001 FROM conversations WHERE owner = :owner
)) WHERE id = :conversation
"""
"""Makes a conversation the latest of its owner, whatever the clocks of the machines say."""
_APPEND = """
INSERT INTO exchanges (id, place, conversation, question, choice)
SELECT :id, coalesce(max(place), 0) + 1, :conversation, :question, :choice
FROM exchanges WHERE conversation = :conversation
"""
_HAS_CHOICES = "SELECT count(*) FROM sqlite_master WHERE name = 'choices'"
_CHOICE = "SELECT choice FROM choices WHERE owner = ?"
_CHOOSE = "INSERT OR REPLACE INTO choices (owner, choice) VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its outcome; without one, it is not answered yet."""

    id: str
    question: str
    options: AnswerOptions
    outcome: ExchangeOutcome | None = None
    rating: Rating | None = None


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """A conversation in the list of conversations."""

    id: str
    title: str


class History:
    """The conversations of all users of this installation; each owner sees only their own.

    Every method raises FootnoteError if the file cannot be used.
    """

    def __init__(self, home: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = home / FILE
        self._clock = clock
        self._unstored = Unstored()
        with self._errors_explained():
            home.mkdir(parents=True, exist_ok=True)
        try:
            self._prepare()
        except NotWritableError:
            # What is stored can still be read. Without a file there is nothing to begin with.
            self.entries("")

    def entries(self, owner: str, search: str = "") -> list[ConversationEntry]:
        """Returns the conversations, latest first.

        With `search`, only those that have these words in title, question or answer.
        """
        words = search.strip().casefold()

        # SQLite's own LIKE ignores the case of ASCII letters only, and has wildcards.
        def matches(text: bytes | None) -> bool:
            return words in _text(text or b"").casefold()

        with self._reading() as db:
            db.create_function("matches", 1, matches, deterministic=True)
            rows = db.execute(_LIST, (owner, words)).fetchall()
        return [ConversationEntry(*row) for row in rows]

    def has(self, conversation: str, owner: str) -> bool:
        """Returns whether this owner has such a conversation."""
        return self.title(conversation, owner) is not None

    def title(self, conversation: str, owner: str) -> str | None:
        """Returns the title of a conversation; None if it is not this owner's."""
        with self._reading() as db:
            title = _title(db, conversation, owner)
        unstored = self._unstored.exchanges(conversation, owner)
        if title is None and unstored:
            return _title_of(unstored[0].question)
        return title

    def exchanges(self, conversation: str, owner: str) -> list[Exchange]:
        """Returns the exchanges of a conversation in order; none if it is not this owner's."""
        rows: list[Sequence[str | None]] = []
        with self._reading() as db:
            if _title(db, conversation, owner) is not None:
                rows = db.execute(_EXCHANGES, (conversation,)).fetchall()
        stored = [_exchange(row) for row in rows]
        unstored = self._unstored.exchanges(conversation, owner)
        return self._unstored.with_outcomes([*stored, *unstored])

    def ask(
        self, conversation: str, owner: str, question: str, options: AnswerOptions
    ) -> Exchange | None:
        """Appends a question to a conversation; the first question creates it.

        Returns None if the conversation is somebody else's.
        """
        exchange = Exchange(uuid4().hex, question, options)
        new = NewQuestion(conversation, owner, exchange)
        try:
            with self._connection() as db:
                may_ask = _append(db, new, self._clock())
        except DiskFullError:
            may_ask = self._owners(conversation) <= {owner}
            if may_ask:
                self._unstored.add(new)
        return exchange if may_ask else None

    def settle(self, exchange: str, outcome: ExchangeOutcome | None) -> None:
        """Writes the outcome of a question; None before it is asked again."""
        stored = OUTCOME.dump_json(outcome, by_alias=True).decode() if outcome else None
        question = self._unstored.question(exchange)
        try:
            with self._connection() as db:
                if question:
                    # The disk may have space again.
                    _append(db, question, self._clock())
                _write_outcome(db, exchange, stored)
        except DiskFullError:
            self._unstored.settle(exchange, outcome)
        else:
            self._unstored.forget(exchange)

    def last_choice(self, owner: str) -> AnswerOptions:
        """Returns the owner's last choice of how to answer; without one, as configured."""
        with self._reading() as db:
            # A file of an earlier release that cannot be written has no such table.
            (has_choices,) = db.execute(_HAS_CHOICES).fetchone()
            row = db.execute(_CHOICE, (owner,)).fetchone() if has_choices else None
        try:
            return OPTIONS.validate_json(row[0]) if row else AnswerOptions()
        except ValidationError:
            # A damaged record must not keep anybody from asking.
            return AnswerOptions()

    def remember_choice(self, owner: str, options: AnswerOptions) -> None:
        """Stores a choice for the owner's next conversations, where the disk can be written."""
        stored = OPTIONS.dump_json(options.for_every_chat).decode()
        with suppress(DiskFullError, NotWritableError), self._connection() as db:
            db.execute(_CHOOSE, (owner, stored))

    def rate(self, exchange: str, rating: Rating | None) -> None:
        """Stores the person's rating of an answer; None takes it back."""
        with self._connection() as db:
            db.execute("UPDATE exchanges SET rating = ? WHERE id = ?", (rating, exchange))

    def rename(self, conversation: str, owner: str, title: str) -> None:
        """Changes the title of a conversation; a blank title is ignored."""
        title = _title_of(title)
        if not title:
            return
        with self._connection() as db:
            db.execute(
                "UPDATE conversations SET title = ? WHERE (id, owner) = (?, ?)",
                (title, conversation, owner),
            )

    def delete(self, conversation: str, owner: str) -> None:
        """Deletes a conversation with all its exchanges."""
        with self._connection() as db:
            db.execute(
                "DELETE FROM conversations WHERE (id, owner) = (?, ?)", (conversation, owner)
            )

    def _prepare(self) -> None:
        with self._connection() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise FootnoteError(
                    f"{self._file} was written by a later version of Footnote. Install that "
                    "version, or set QA_HOME to another folder."
                )
            # Readers and a writer do not wait for each other.
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)

    def _owners(self, conversation: str) -> set[str]:
        """Returns the owner of a conversation; none if it is new."""
        with self._reading() as db:
            rows = db.execute(_OWNER, (conversation,)).fetchall()
        stored = {str(row[0]) for row in rows}
        return stored | self._unstored.owners(conversation)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Opens a connection that only reads, also on a full disk and on one that is read-only."""
        with self._errors_explained(), closing(self._open_to_read()) as db:
            yield db

    def _open_to_read(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, timeout=LOCK_TIMEOUT)
        try:
            # The first read makes the file that SQLite shares between connections.
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            db.close()
            if not self._is_full(error) and not _says(error, _NOT_WRITABLE):
                raise
            # Without that file nobody else has the database open, so nobody changes it.
            address = f"{self._file.absolute().as_uri()}?immutable=1"
            db = sqlite3.connect(address, uri=True)
        db.text_factory = _text
        return db

    def _is_full(self, error: sqlite3.DatabaseError) -> bool:
        """Returns whether the disk is full, which SQLite may call another error."""
        if is_full(error):
            return True
        return _says(error, _FULL_WITHOUT_ROOM) and not has_room(self._file.parent, _ROOM)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Opens a connection for one transaction: all of it is written, or nothing."""
        # A new connection each time, because threads must not share one.
        with (
            self._errors_explained(),
            closing(sqlite3.connect(self._file, timeout=LOCK_TIMEOUT)) as db,
            db,
        ):
            # Off by default; it deletes the exchanges of a deleted conversation.
            db.execute("PRAGMA foreign_keys = ON")
            yield db

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if self._is_full(error):
                what = f"the conversations in {self._file}"
                raise disk_full(what, "What was stored before is still there.") from error
            if _says(error, _NOT_WRITABLE):
                raise NotWritableError(
                    f"Cannot write the conversations in {self._file}: {error}. Make the file and "
                    "its folder writable, or set QA_HOME to another folder."
                ) from error
            raise FootnoteError(
                f"Cannot use the conversations in {self._file}: {error}. "
                f"If the file is damaged, move it away: mv '{self._file}' '{self._file}.damaged'"
            ) from error
        except UnicodeEncodeError as error:
            raise FootnoteError("The text is not valid UTF-8. Type it again.") from error
        except OSError as error:
            raise FootnoteError(
                f"Cannot create {self._file.parent}: {error.strerror}. "
                "Set QA_HOME to a folder that can be written."
            ) from error


def _append(db: sqlite3.Connection, new: NewQuestion, now: float) -> bool:
    """Writes a question; False if the conversation is somebody else's."""
    exchange = new.exchange
    # Only the first question of a conversation adds a row.
    db.execute(_BEGIN, (new.conversation, new.owner, _title_of(exchange.question), now))
    if _title(db, new.conversation, new.owner) is None:
        return False
    row = {
        "id": exchange.id,
        "conversation": new.conversation,
        "owner": new.owner,
        "question": exchange.question,
        "choice": OPTIONS.dump_json(exchange.options).decode(),
        "now": now,
    }
    db.execute(_APPEND, row)
    db.execute(_TOUCH, row)
    return True


def _write_outcome(db: sqlite3.Connection, exchange: str, outcome: str | None) -> None:
    db.execute("UPDATE exchanges SET outcome = ? WHERE id = ?", (outcome, exchange))


def _title_of(text: str) -> str:
    """Returns a text on one line, short enough for a title."""
    return " ".join(text.split())[:MAX_TITLE]


def _title(db: sqlite3.Connection, conversation: str, owner: str) -> str | None:
    row = db.execute(_OWNED, (conversation, owner)).fetchone()
    return str(row[0]) if row else None


def _exchange(row: Sequence[str | None]) -> Exchange:
    key, question, choice, stored, rating = row
    options = AnswerOptions()
    outcome = None
    try:
        outcome = OUTCOME.validate_json(stored) if stored else None
        options = OPTIONS.validate_json(str(choice))
    except ValidationError:
        # The exchanges around it can be read. An outcome that was read is as it was.
        outcome = outcome or DAMAGED
    return Exchange(str(key), str(question), options, outcome, _RATINGS.get(rating))


def _text(stored: bytes) -> str:
    """Returns a text of the file; bytes of it that are not UTF-8 were damaged."""
    return stored.decode("utf-8", "replace")


def _says(error: sqlite3.DatabaseError, words: Sequence[str]) -> bool:
    return any(word in str(error) for word in words)
