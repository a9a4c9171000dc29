"""Users: passwords that fit, and nothing of them on disk."""

from io import StringIO
from pathlib import Path

import pytest

from qa.cli import main
from qa.errors import FootnoteError
from qa.users import FILE, Users


def test_only_the_right_password_fits(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ann", "correct horse")
    assert users.fits("ann", "correct horse")
    for name, password in (
        ("ann", "correct horsE"),
        ("ann", ""),
        ("bob", "correct horse"),
        ("", ""),
    ):
        assert not users.fits(name, password)


def test_no_password_is_on_disk_and_two_alike_do_not_show(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ann", "correct horse")
    users.add("bob", "correct horse")
    text = (tmp_path / FILE).read_text()
    assert "correct" not in text
    assert users.stamp("ann") != users.stamp("bob")
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_a_new_password_and_a_removal_change_the_stamp(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ann", "correct horse")
    before = users.stamp("ann")
    users.add("ann", "battery staple")
    assert users.stamp("ann") not in (before, None)
    assert users.remove("ann")
    assert users.stamp("ann") is None
    assert not users.remove("ann")


@pytest.mark.parametrize(
    ("name", "password"), [("", "long enough"), ("a\nb", "long enough"), ("ann", "short")]
)
def test_bad_names_and_passwords_are_not_taken(tmp_path: Path, name: str, password: str) -> None:
    with pytest.raises(FootnoteError):
        Users(tmp_path).add(name, password)
    assert Users(tmp_path).names() == []


@pytest.mark.parametrize("text", ["", "[]", '{"ann": 1}', '{"ann": {"salt": "00"}}'])
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(FootnoteError, match="python -m qa user add"):
        Users(tmp_path).fits("ann", "correct horse")


def test_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*words: str, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", StringIO(typed))
        return main(["user", *words, "--home", str(tmp_path)])

    assert run("add", "ann", typed="correct horse\n") == 0
    assert Users(tmp_path).fits("ann", "correct horse")
    assert run("list") == 0
    assert run("remove", "bob") == 2
    assert run("remove", "ann") == 0
    assert run("add", "ann", typed="short\n") == 2
    assert run("remove") == 2
    assert capsys.readouterr().out == "ann can log in now\nann\nremoved ann\n"
