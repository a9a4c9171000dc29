"""Users: only the right password is accepted, and none is on disk."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path

import pytest

from qa.cli import main
from qa.errors import DiskFullError, FootnoteError
from qa.users import FILE, Users


def test_password_matches_only_the_right_password(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ann", "correct horse")

    assert users.password_matches("ann", "correct horse")
    assert not users.password_matches("ann", "correct horsE")
    assert not users.password_matches("ann", "")
    assert not users.password_matches("bob", "correct horse")
    assert not users.password_matches("", "")


def test_file_holds_no_password_and_is_private(tmp_path: Path) -> None:
    """Two users with the same password have different hashes."""
    users = Users(tmp_path)
    users.add("ann", "correct horse")
    users.add("bob", "correct horse")

    assert "correct" not in (tmp_path / FILE).read_text()
    assert users.password_fingerprint("ann") != users.password_fingerprint("bob")
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_fingerprint_changes_with_password_and_removal(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ann", "correct horse")
    before = users.password_fingerprint("ann")

    users.add("ann", "battery staple")
    assert users.password_fingerprint("ann") not in (before, None)

    assert users.remove("ann")
    assert users.password_fingerprint("ann") is None
    assert not users.remove("ann")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("", "long enough"),
        ("a\nb", "long enough"),
        ("a" * 101, "long enough"),
        ("ann", "short"),
        ("ann", "a" * 1001),
    ],
)
def test_add_bad_name_or_password_raises(tmp_path: Path, name: str, password: str) -> None:
    with pytest.raises(FootnoteError):
        Users(tmp_path).add(name, password)
    assert Users(tmp_path).names() == []


@pytest.mark.parametrize(
    "text", ["", "[]", '{"ann": 1}', '{"ann": {"salt": "00"}}', '{"a":' * 100_000]
)
def test_damaged_file_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(FootnoteError, match="footnote user add"):
        Users(tmp_path).password_matches("ann", "correct horse")


def test_pipe_in_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    with pytest.raises(FootnoteError, match="it is not a file"):
        Users(tmp_path).names()


def test_command_line_adds_lists_and_removes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*words: str, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", StringIO(typed))
        return main(["user", *words, "--home", str(tmp_path)])

    assert run("add", "ann", typed="correct horse\n") == 0
    assert Users(tmp_path).password_matches("ann", "correct horse")
    assert run("list") == 0
    assert run("remove", "bob") == 2
    assert run("remove", "ann") == 0
    assert run("add", "ann", typed="short\n") == 2
    assert run("remove") == 2
    assert capsys.readouterr().out == "ann can log in now\nann\nremoved ann\n"


def test_concurrent_writers_lose_no_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reads what the writer before it wrote."""
    monkeypatch.setattr("qa.users._hash", lambda password, salt: "00" + salt.hex())
    names = [f"user{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: Users(tmp_path).add(name, "correct horse"), names))
    assert Users(tmp_path).names() == sorted(names)


def test_add_on_a_full_disk_keeps_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = Users(tmp_path)
    users.add("ann", "correct horse")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match=r"^The disk is full: .*users\.json could not be"):
        users.add("bob", "battery staple")
    assert users.names() == ["ann"]
    assert users.password_matches("ann", "correct horse")
