"""The people who may use the page from other machines: names and passwords, in one file."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from filelock import FileLock

from qa.disk import disk_full, is_full, write_atomically
from qa.errors import FootnoteError, NotWritableError

FILE = "users.json"
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 1000
"""Characters; the form of the login takes at least so many."""
MAX_NAME_LENGTH = 100

# What OWASP advises for scrypt with 16 MiB of memory.
_SCRYPT_COST = {"n": 2**14, "r": 8, "p": 5}


_DAMAGES = (OSError, ValueError, AttributeError, TypeError, KeyError, RecursionError)
"""What reading a damaged file raises."""


class _Record(TypedDict):
    """What the file holds of a user, both in hexadecimal."""

    salt: str
    hash: str


# A name without a user is checked against this record: the check then takes as long as a real one,
# and its duration does not reveal which names exist. No hash is the empty string.
_NO_USER = _Record(salt="00" * 16, hash="")


class Users:
    """The users of an installation. Passwords are kept as salted scrypt hashes (RFC 7914).

    Every method raises FootnoteError for a file that cannot be read: nobody is let in by a guess.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / FILE

    def names(self) -> list[str]:
        """Returns every user's name, sorted. Without users the page has no login."""
        return sorted(self._read())

    def add(self, name: str, password: str) -> None:
        """Adds a user, or changes the password of an existing user.

        Raises FootnoteError for an unusable name or a short password, NotWritableError when the
        file cannot be written.
        """
        if not name.strip() or not name.isprintable() or len(name) > MAX_NAME_LENGTH:
            raise FootnoteError(
                f"Invalid user name. Use printable characters, at most {MAX_NAME_LENGTH}."
            )
        if len(password) < MIN_PASSWORD_LENGTH:
            raise FootnoteError(
                f"The password is too short. Use at least {MIN_PASSWORD_LENGTH} characters."
            )
        if len(password) > MAX_PASSWORD_LENGTH:
            raise FootnoteError(
                f"The password is too long. Use at most {MAX_PASSWORD_LENGTH} characters."
            )

        salt = secrets.token_bytes(16)
        record = _Record(salt=salt.hex(), hash=_hash(password, salt))
        with self._lock():
            self._write({**self._read(), name: record})

    def remove(self, name: str) -> bool:
        """Removes a user and ends the user's sessions. Returns False for an unknown name."""
        with self._lock():
            users = self._read()
            if name not in users:
                return False
            del users[name]
            self._write(users)
        return True

    def password_matches(self, name: str, password: str) -> bool:
        """Returns whether this is the user's password. An unknown name takes as long to check."""
        user = self._read().get(name, _NO_USER)
        salt = bytes.fromhex(user["salt"])
        return secrets.compare_digest(_hash(password, salt), user["hash"])

    def password_fingerprint(self, name: str) -> str | None:
        """Returns a value that changes with the user's password; None for an unknown name."""
        user = self._read().get(name)
        if user is None:
            return None
        # Hashed again: a browser must not hold the hash of the password itself.
        fingerprint = hashlib.sha256(user["hash"].encode())
        return fingerprint.hexdigest()[:16]

    def _read(self) -> dict[str, _Record]:
        try:
            if self._file.exists() and not self._file.is_file():
                # A pipe has no end that could be read to.
                raise ValueError("it is not a file")
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            users = {}
            for name, row in rows.items():
                users[name] = _Record(salt=str(row["salt"]), hash=str(row["hash"]))
        except FileNotFoundError:
            return {}
        except _DAMAGES as error:
            raise FootnoteError(
                f"Cannot read the users in {self._file}: {error}. Delete the file and add the "
                "users again: footnote user add NAME"
            ) from error
        return users

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Lets one process at a time read, change and write the file."""
        lock = FileLock(self._file.with_name(f".{FILE}.lock"))
        with self._errors_explained():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _write(self, users: dict[str, _Record]) -> None:
        content = json.dumps(users, indent=1).encode()
        with self._errors_explained():
            write_atomically(self._file, content)

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if is_full(error):
                raise disk_full(str(self._file), "The users are as they were before.") from error
            raise NotWritableError(
                f"Cannot write {self._file}: {error.strerror}. Check QA_HOME."
            ) from error


def _hash(password: str, salt: bytes) -> str:
    # A password may hold a lone surrogate, which plain UTF-8 refuses.
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, **_SCRYPT_COST).hex()
