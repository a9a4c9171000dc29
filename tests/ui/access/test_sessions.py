"""A session is known to the server only, and ends when it should."""

import errno
import os
import time
from pathlib import Path

import pytest

from qa.errors import FootnoteError, NotWritableError
from qa.users import FILE, Users
from ui.access.sessions import FOLDER, SESSION_SECONDS, Sessions

PASSWORD = "correct horse"


@pytest.fixture
def users(tmp_path: Path) -> Users:
    users = Users(tmp_path)
    users.add("ann", PASSWORD)
    users.add("bob", PASSWORD)
    return users


def begin(home: Path, user: str = "ann", now: float = 0.0) -> str:
    fingerprint = Users(home).password_fingerprint(user)
    assert fingerprint
    return Sessions(home, lambda: now).begin(user, fingerprint)


def user(home: Path, token: str, now: float = 0.0) -> str | None:
    return Sessions(home, lambda: now).user(token)


def test_session_of_another_process_is_known(tmp_path: Path, users: Users) -> None:
    token = begin(tmp_path)
    assert user(tmp_path, token) == "ann"
    assert user(tmp_path, token[:-1]) is None
    assert user(tmp_path, "") is None
    assert user(tmp_path, "../users.json") is None
    assert user(tmp_path, "\ud800") is None


def test_folder_does_not_hold_the_token(tmp_path: Path, users: Users) -> None:
    """And nobody else on the machine can read it."""
    token = begin(tmp_path)
    (path,) = (tmp_path / FOLDER).iterdir()
    assert token not in path.name + path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_end_ends_one_session(tmp_path: Path, users: Users) -> None:
    first, second = begin(tmp_path), begin(tmp_path)
    Sessions(tmp_path).end(first)
    Sessions(tmp_path).end(first)
    assert user(tmp_path, first) is None
    assert user(tmp_path, second) == "ann"


def test_session_expires_and_is_then_deleted(tmp_path: Path, users: Users) -> None:
    token = begin(tmp_path)
    assert user(tmp_path, token, SESSION_SECONDS - 1) == "ann"
    assert user(tmp_path, token, SESSION_SECONDS) is None
    begin(tmp_path, now=SESSION_SECONDS)
    assert len(list((tmp_path / FOLDER).iterdir())) == 1


@pytest.mark.parametrize("change", ["password", "removal", "same password again"])
def test_change_of_a_user_ends_all_sessions(tmp_path: Path, users: Users, change: str) -> None:
    tokens = [begin(tmp_path), begin(tmp_path)]
    other = begin(tmp_path, "bob")
    if change == "removal":
        users.remove("ann")
    else:
        users.add("ann", PASSWORD if change == "same password again" else "battery staple")
    assert [user(tmp_path, token) for token in tokens] == [None, None]
    assert user(tmp_path, other) == "bob"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"user": "ann"}', "\x00" * 100])
def test_damaged_file_lets_nobody_in(tmp_path: Path, users: Users, content: str) -> None:
    """A new login works meanwhile, and does not delete what another process may be writing."""
    token = begin(tmp_path)
    (path,) = (tmp_path / FOLDER).iterdir()
    path.write_text(content)
    assert user(tmp_path, token) is None
    assert user(tmp_path, begin(tmp_path)) == "ann"
    assert path.exists()


def test_begin_session_deleted_meanwhile_logs_in(
    tmp_path: Path, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A logout, or another login, deletes a file between the listing and the reading of it."""
    token = begin(tmp_path)
    listed = list((tmp_path / FOLDER).iterdir())
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(listed))
    Sessions(tmp_path).end(token)
    assert user(tmp_path, begin(tmp_path)) == "ann"


@pytest.mark.parametrize("kind", ["dangling link", "folder", "unreadable JSON"])
def test_begin_strange_entry_in_folder_logs_in(tmp_path: Path, users: Users, kind: str) -> None:
    """Also when the entry is as old as a session that has ended."""
    begin(tmp_path)
    entry = tmp_path / FOLDER / "strange"
    if kind == "dangling link":
        entry.symlink_to(tmp_path / "nowhere")
    elif kind == "folder":
        entry.mkdir()
    else:
        entry.write_text("[" * 3_000)
    later = 2 * time.time()
    assert user(tmp_path, begin(tmp_path, now=0.0), now=0.0) == "ann"
    assert user(tmp_path, begin(tmp_path, now=later), now=later) == "ann"


def test_file_with_too_little_in_it_lets_nobody_in(tmp_path: Path, users: Users) -> None:
    begin(tmp_path)
    (path,) = (tmp_path / FOLDER).iterdir()
    path.write_text('{"user": "ann", "password": "", "expires": "inf"}')
    assert user(tmp_path, "x") is None


def test_full_disk_is_explained(
    tmp_path: Path, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the session stays."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ui.access.sessions.json.dump", fail)
    with pytest.raises(NotWritableError, match="The disk is full: the login"):
        begin(tmp_path)
    assert not list((tmp_path / FOLDER).iterdir())


def test_damaged_users_raise(tmp_path: Path, users: Users) -> None:
    token = begin(tmp_path)
    (tmp_path / FILE).write_text("{")
    with pytest.raises(FootnoteError):
        user(tmp_path, token)


def test_session_clock_goes_back_is_known(tmp_path: Path, users: Users) -> None:
    """Nobody is logged out because two machines, or a corrected clock, do not agree."""
    token = begin(tmp_path, now=3_600.0)
    assert user(tmp_path, token, now=0.0) == "ann"
    begin(tmp_path, "bob", now=0.0)
    assert user(tmp_path, token, now=3_600.0) == "ann"
