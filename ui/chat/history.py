"""The conversations on disk: one SQLite file that several tabs and processes may write at once.

A question is written before it is answered, so that no question is lost. A question without an
outcome is being answered, or its answer was interrupted when the server ended.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

from qa.errors import FootnoteError
from ui.chat.transcript import OPTIONS, OUTCOME, AnswerOptions, ExchangeOutcome

FILE = "conversations.sqlite3"
MAX_TITLE = 80
LOCK_TIMEOUT = 15.0
"""Seconds to wait for another writer."""
Rating = Literal["good", "bad"]
_RATINGS: dict[str | None, Rating] = {"good": "good", "bad": "bad"}

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
_OWNED = "SELECT title FROM conversations WHERE (id, owner) = (?, ?)"
_LIST = """
SELECT id, title FROM conversations AS c
WHERE owner = ? AND (? = '' OR matches(title) OR EXISTS (
    SELECT 1 FROM exchanges WHERE conversation = c.id
    AND (matches(question) OR matches(json_extract(outcome, '$.told.text')))
))
ORDER BY changed DESC, rowid DESC
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
        with self._errors_explained():
            home.mkdir(parents=True, exist_ok=True)
        with self._connection() as db:
            # Readers and a writer do not wait for each other.
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)

    def entries(self, owner: str, search: str = "") -> list[ConversationEntry]:
        """Returns the conversations, latest first.

        With `search`, only those that have these words in title, question or answer.
        """
        words = search.strip().casefold()

        # SQLite's own LIKE ignores the case of ASCII letters only, and has wildcards.
        def matches(text: str | None) -> bool:
            return words in (text or "").casefold()

        with self._connection() as db:
            db.create_function("matches", 1, matches, deterministic=True)
            rows = db.execute(_LIST, (owner, words)).fetchall()
        return [ConversationEntry(*row) for row in rows]

    def has(self, conversation: str, owner: str) -> bool:
        """Returns whether this owner has such a conversation."""
        return self.title(conversation, owner) is not None

    def title(self, conversation: str, owner: str) -> str | None:
        """Returns the title of a conversation; None if it is not this owner's."""
        with self._connection() as db:
            return _title(db, conversation, owner)

    def exchanges(self, conversation: str, owner: str) -> list[Exchange]:
        """Returns the exchanges of a conversation in order; none if it is not this owner's."""
        with self._connection() as db:
            if _title(db, conversation, owner) is None:
                return []
            rows = db.execute(_EXCHANGES, (conversation,)).fetchall()
        return [_exchange(row) for row in rows]

    def ask(
        self, conversation: str, owner: str, question: str, options: AnswerOptions
    ) -> Exchange | None:
        """Appends a question to a conversation; the first question creates it.

        Returns None if the conversation is somebody else's.
        """
        exchange = Exchange(uuid4().hex, question, options)
        title = " ".join(question.split())[:MAX_TITLE]
        now = self._clock()
        with self._connection() as db:
            # Only the first question of a conversation adds a row.
            db.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (conversation, owner, title, now),
            )
            if _title(db, conversation, owner) is None:
                return None
            row = {
                "id": exchange.id,
                "conversation": conversation,
                "owner": owner,
                "question": question,
                "choice": OPTIONS.dump_json(options).decode(),
                "now": now,
            }
            db.execute(_APPEND, row)
            db.execute(_TOUCH, row)
        return exchange

    def settle(self, exchange: str, outcome: ExchangeOutcome | None) -> None:
        """Writes the outcome of a question; None before it is asked again."""
        stored = OUTCOME.dump_json(outcome, by_alias=True).decode() if outcome else None
        with self._connection() as db:
            db.execute("UPDATE exchanges SET outcome = ? WHERE id = ?", (stored, exchange))

    def rate(self, exchange: str, rating: Rating | None) -> None:
        """Stores the person's rating of an answer; None takes it back."""
        with self._connection() as db:
            db.execute("UPDATE exchanges SET rating = ? WHERE id = ?", (rating, exchange))

    def rename(self, conversation: str, owner: str, title: str) -> None:
        """Changes the title of a conversation; a blank title is ignored."""
        title = " ".join(title.split())[:MAX_TITLE]
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
            raise FootnoteError(
                f"Cannot use the conversations in {self._file}: {error}. "
                f"If the file is damaged, move it away: mv '{self._file}' '{self._file}.damaged'"
            ) from error
        except UnicodeEncodeError as error:
            raise FootnoteError("The text is not valid Unicode. Type it again.") from error
        except OSError as error:
            raise FootnoteError(
                f"Cannot create {self._file.parent}: {error.strerror}. "
                "Set QA_HOME to a folder that can be written."
            ) from error


def _title(db: sqlite3.Connection, conversation: str, owner: str) -> str | None:
    row = db.execute(_OWNED, (conversation, owner)).fetchone()
    return str(row[0]) if row else None


def _exchange(row: Sequence[str | None]) -> Exchange:
    key, question, choice, stored, rating = row
    options = OPTIONS.validate_json(str(choice))
    outcome = OUTCOME.validate_json(stored) if stored else None
    return Exchange(str(key), str(question), options, outcome, _RATINGS.get(rating))
