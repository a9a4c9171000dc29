"""Messages about a Chroma server do not show the password in its address."""

import re
import sqlite3
from pathlib import Path

import pytest

from qa.errors import BrokenError, DiskFullError, FootnoteError, NotWritableError
from qa.library.connection import connect
from qa.library.failures import damaged, index_full, reading_error, without_login


@pytest.mark.parametrize(
    "address",
    [
        "http://ann:pass@word@host:8000",
        "ann:pass@host:8000",
        "https://ann:pa/ss@host/x",
        "HTTP://ann:pass@[::1",
    ],
)
def test_message_has_no_login_of_a_server(address: str) -> None:
    cause = f"netloc {address.split('//')[-1]!r} is invalid"
    for error in (
        reading_error(address, ValueError(cause)),
        reading_error(address, OSError(cause)),
        damaged(address, cause),
        index_full(address),
    ):
        assert error
        assert "pa" not in str(error).replace("path", "").replace("space", "")
    assert "host" in without_login(address, address) or "[::1" in without_login(address, address)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_FULL, DiskFullError, "disk is full"),
        (sqlite3.SQLITE_BUSY, BrokenError, "Another program is writing"),
        (sqlite3.SQLITE_READONLY, NotWritableError, "not writable"),
        (sqlite3.SQLITE_CORRUPT, BrokenError, "delete this folder"),
        (None, BrokenError, "delete this folder"),
    ],
)
def test_error_of_the_catalog_says_what_helps(
    tmp_path: Path, code: int | None, kind: type[FootnoteError], words: str
) -> None:
    error = sqlite3.DatabaseError("failed")
    if code is not None:
        error.sqlite_errorcode = code
    translated = reading_error(tmp_path, error)
    assert type(translated) is kind
    assert words in str(translated)


def test_message_about_another_address_is_unchanged() -> None:
    for address in ("http://127.0.0.1:8000", "host:8000"):
        assert without_login(address, f"At {address}") == f"At {address}"


@pytest.mark.parametrize(
    "address",
    [
        "http://ann:pw/secret@host:80",
        "http://ann:8/secret@host",
        "http://host?k=secret",
        "http://[",
        "ftp://host:8000",
        "host:8000",
        "/srv/secret",
        "http://",
        "http://host/secret",
    ],
)
def test_connect_invalid_address_shows_no_part_of_it(address: str) -> None:
    with pytest.raises(FootnoteError, match="QA_CHROMA_URL is not the address") as raised:
        connect(address)
    assert not {"pw", "secret"} & set(re.findall(r"\w+", str(raised.value)))
