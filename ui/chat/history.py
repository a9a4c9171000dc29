"""Conversations on disk: SQLite, one file, which several tabs and processes may write at once.

A question is written before it is answered, so that nothing asked is lost: one without an outcome is under way, or was
cut off when the server ended.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

from qa.errors import FootnoteError
from ui.chat.transcript import CHOICE, OUTCOME, Choice, Outcome

FILE = "conversations.sqlite3"
LONGEST_TITLE = 80
WAIT = 15.0
"""Seconds to wait for another writer."""
_SCHEMA = """
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
CREATE INDEX IF NOT EXISTS by_conversation ON exchanges (conversation, place);
CREATE INDEX IF NOT EXISTS by_owner ON conversations (owner, changed);
"""
Rating = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with what became of it; None: nothing yet."""

    id: str
    question: str
    choice: Choice
    outcome: Outcome | None = None
    rating: Rating | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A conversation in the list."""

    id: str
    title: str
    changed: float
    """Seconds since 1970."""


class History:
    """The conversations of everyone who uses this installation; each sees those of one `owner`.

    Raises FootnoteError where the file cannot be used.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / FILE
        with self._told():
            home.mkdir(parents=True, exist_ok=True)
        with self._opened() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)

    def entries(self, owner: str, search: str = "") -> list[Entry]:
        """The conversations, the latest first; `search`: those with these words in title, question or answer."""
        wanted = search.strip().casefold()
        query = """
            SELECT id, title, changed FROM conversations AS c
            WHERE owner = ? AND (? = '' OR holds(title) OR EXISTS (
                SELECT 1 FROM exchanges
                WHERE conversation = c.id AND (holds(question) OR holds(json_extract(outcome, '$.told.text')))))
            ORDER BY changed DESC, rowid DESC"""
        with self._opened() as db:
            db.create_function(
                "holds", 1, lambda text: wanted in (text or "").casefold(), deterministic=True
            )
            return [Entry(*row) for row in db.execute(query, (owner, wanted))]

    def has(self, conversation: str, owner: str) -> bool:
        """Whether there is such a conversation of this owner."""
        with self._opened() as db:
            return _is_of(db, conversation, owner)

    def exchanges(self, conversation: str, owner: str) -> list[Exchange]:
        """The exchanges of a conversation, in order; none where it is not this owner's."""
        query = "SELECT id, question, choice, outcome, rating FROM exchanges WHERE conversation = ? ORDER BY place"
        with self._opened() as db:
            rows = (
                db.execute(query, (conversation,)).fetchall()
                if _is_of(db, conversation, owner)
                else []
            )
        return [_exchange(row) for row in rows]

    def title(self, conversation: str, owner: str) -> str | None:
        """The title of a conversation; None where it is not this owner's."""
        with self._opened() as db:
            row = db.execute(
                "SELECT title FROM conversations WHERE (id, owner) = (?, ?)", (conversation, owner)
            )
            found = row.fetchone()
        return str(found[0]) if found else None

    def ask(self, conversation: str, owner: str, question: str, choice: Choice) -> Exchange | None:
        """Writes a question down, at the end of its conversation, which begins with its first.

        None where the conversation is somebody else's.
        """
        exchange = Exchange(uuid4().hex, question, choice)
        with self._opened() as db:
            title = " ".join(question.split())[:LONGEST_TITLE]
            begin = "INSERT INTO conversations VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
            db.execute(begin, (conversation, owner, title, time.time()))
            if not _is_of(db, conversation, owner):
                return None
            db.execute(
                "INSERT INTO exchanges (id, place, conversation, question, choice) VALUES "
                "(?, (SELECT coalesce(max(place), 0) + 1 FROM exchanges WHERE conversation = ?), ?, ?, ?)",
                (
                    exchange.id,
                    conversation,
                    conversation,
                    question,
                    CHOICE.dump_json(choice).decode(),
                ),
            )
            db.execute(
                "UPDATE conversations SET changed = ? WHERE id = ?", (time.time(), conversation)
            )
        return exchange

    def settle(self, exchange: str, outcome: Outcome | None) -> None:
        """Writes what became of a question; None: it is to be asked again."""
        told = OUTCOME.dump_json(outcome).decode() if outcome else None
        with self._opened() as db:
            db.execute("UPDATE exchanges SET outcome = ? WHERE id = ?", (told, exchange))

    def rate(self, exchange: str, rating: Rating | None) -> None:
        """Keeps what a person thinks of an answer; None takes it back."""
        with self._opened() as db:
            db.execute("UPDATE exchanges SET rating = ? WHERE id = ?", (rating, exchange))

    def rename(self, conversation: str, owner: str, title: str) -> None:
        """Gives a conversation another title; a blank one is not taken."""
        if kept := " ".join(title.split())[:LONGEST_TITLE]:
            with self._opened() as db:
                query = "UPDATE conversations SET title = ? WHERE (id, owner) = (?, ?)"
                db.execute(query, (kept, conversation, owner))

    def delete(self, conversation: str, owner: str) -> None:
        """Deletes a conversation with all its exchanges."""
        with self._opened() as db:
            db.execute(
                "DELETE FROM conversations WHERE (id, owner) = (?, ?)", (conversation, owner)
            )

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for each use, so that threads share none; all of it is written, or nothing."""
        with self._told(), closing(sqlite3.connect(self._file, timeout=WAIT)) as db, db:
            db.execute("PRAGMA foreign_keys = ON")
            yield db

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise FootnoteError(
                f"The conversations in {self._file} cannot be used: {error}. If the file is damaged, move it away: "
                f"mv '{self._file}' '{self._file}.damaged'"
            ) from error
        except OSError as error:
            raise FootnoteError(
                f"{self._file.parent} cannot be made: {error.strerror}. Set QA_HOME to a folder for writing."
            ) from error


def _is_of(db: sqlite3.Connection, conversation: str, owner: str) -> bool:
    query = "SELECT 1 FROM conversations WHERE (id, owner) = (?, ?)"
    return db.execute(query, (conversation, owner)).fetchone() is not None


def _exchange(row: Sequence[str | None]) -> Exchange:
    key, question, choice, outcome, rating = row
    found = OUTCOME.validate_json(outcome) if outcome else None
    return Exchange(
        str(key), str(question), CHOICE.validate_json(str(choice)), found, _rating(rating)
    )


def _rating(told: str | None) -> Rating | None:
    return "good" if told == "good" else "bad" if told == "bad" else None
