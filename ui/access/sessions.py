"""Who is logged in: one small file for each session, which the logout deletes.

The file's name is the hash of the random token in the browser's cookie: who reads the folder cannot
log in with it. Several server processes can share the folder: a session is written once, before its
token is handed out, and only ever deleted.
"""

import json
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from qa.disk import disk_full, is_full
from qa.errors import NotWritableError
from qa.users import Users

FOLDER = "sessions"
SESSION_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class _Session:
    """What a file holds."""

    user: str
    password: str
    """The fingerprint of the user's password: a new password ends the session."""
    expires: float
    """In seconds since 1970."""


class Sessions:
    """The sessions of an installation.

    Every method raises FootnoteError if the users cannot be read: nobody is let in by a guess.
    """

    def __init__(self, home: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = home / FOLDER
        self._users = Users(home)
        self._clock = clock

    def begin(self, user: str, fingerprint: str) -> str:
        """Starts a session of a user whose password has this fingerprint; returns its token.

        Raises NotWritableError.
        """
        token = secrets.token_urlsafe(32)
        session = _Session(user, fingerprint, self._clock() + SESSION_SECONDS)
        path = self._path(token)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._delete_ended()
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(session), file)
        except OSError as error:
            with suppress(OSError):
                path.unlink()
            if is_full(error):
                raise disk_full("the login", "Nobody was logged in.") from error
            raise NotWritableError(
                f"Cannot store the login in {self._folder}: {error.strerror}. Check QA_HOME."
            ) from error
        return token

    def user(self, token: str) -> str | None:
        """Returns whose session this is; None if it has ended or never began.

        A new password and the removal of a user end all their sessions.
        """
        session = _read(self._path(token))
        return session.user if session and self._holds(session) else None

    def end(self, token: str) -> None:
        """Ends a session. Raises NotWritableError."""
        try:
            self._path(token).unlink(missing_ok=True)
        except OSError as error:
            raise NotWritableError(
                f"Cannot end the session in {self._folder}: {error.strerror}. Check QA_HOME."
            ) from error

    def _holds(self, session: _Session) -> bool:
        if session.expires <= self._clock():
            return False
        return self._users.password_fingerprint(session.user) == session.password

    def _delete_ended(self) -> None:
        for path in self._folder.iterdir():
            # Another login or a logout may delete the file at any moment, and a file that cannot
            # be deleted must keep nobody out.
            with suppress(OSError):
                if self._has_ended(path):
                    path.unlink()

    def _has_ended(self, path: Path) -> bool:
        """Raises OSError if the file is gone."""
        session = _read(path)
        if session:
            return not self._holds(session)
        # Another process may be writing the file now. Of a link, its own time counts.
        return path.lstat().st_mtime + SESSION_SECONDS < self._clock()

    def _path(self, token: str) -> Path:
        return self._folder / sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path) -> _Session | None:
    """Returns the session in a file; None if there is none, or the file is damaged."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        return _Session(str(row["user"]), str(row["password"]), float(row["expires"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
