"""Who may use the page when it is not on this machine only: names and passwords, in a file of the home folder."""

import hashlib
import json
import os
import secrets
from pathlib import Path

from qa.errors import FootnoteError, NotWritableError

FILE = "users.json"
SHORTEST = 8
"""Characters of a password."""
_COST = {"n": 2**14, "r": 8, "p": 5}
"""Of scrypt, as OWASP advises for 16 MiB of memory."""


class Users:
    """The people of an installation. Passwords are kept as scrypt hashes (RFC 7914), each with its salt.

    Raises FootnoteError for a file that cannot be read: who is let in is never guessed.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / FILE

    def names(self) -> list[str]:
        """Everyone, by name; none: the page has no login."""
        return sorted(self._read())

    def add(self, name: str, password: str) -> None:
        """Adds somebody, or gives them another password."""
        if not name.strip() or not name.isprintable():
            raise FootnoteError("A user needs a name of printable characters.")
        if len(password) < SHORTEST:
            raise FootnoteError(
                f"A password needs {SHORTEST} characters or more. Choose a longer one."
            )
        salt = secrets.token_bytes(16)
        self._write({**self._read(), name: {"salt": salt.hex(), "hash": _hash(password, salt)}})

    def remove(self, name: str) -> bool:
        """Removes somebody, whose sessions end; False where there is no such user."""
        users = self._read()
        found = users.pop(name, None)
        if found:
            self._write(users)
        return found is not None

    def fits(self, name: str, password: str) -> bool:
        """Whether this is the password of that user; takes as long for a name that is none."""
        user = self._read().get(name) or {"salt": "00" * 16, "hash": ""}
        return secrets.compare_digest(_hash(password, bytes.fromhex(user["salt"])), user["hash"])

    def stamp(self, name: str) -> str | None:
        """Changes whenever the user's password does; None where there is no such user."""
        user = self._read().get(name)
        return hashlib.sha256(user["hash"].encode()).hexdigest()[:16] if user else None

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            return {
                name: {"salt": str(user["salt"]), "hash": str(user["hash"])}
                for name, user in told.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
            raise FootnoteError(
                f"The users in {self._file} cannot be read: {error}. Remove the file and add the users again: "
                f"python -m qa user add NAME"
            ) from error

    def _write(self, users: dict[str, dict[str, str]]) -> None:
        new = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(
                os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                json.dump(users, file, indent=1)
            new.replace(self._file)
        except OSError as error:
            raise NotWritableError(
                f"{self._file} cannot be written: {error.strerror}. Check QA_HOME."
            ) from error


def _hash(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, **_COST).hex()
