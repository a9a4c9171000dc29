"""A full disk: conversations can be read, and an answer is shown though it is not stored."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DiskFullError
from tests.ui.answers import answered
from ui.chat import history as history_module
from ui.chat.history import History
from ui.chat.transcript import AnswerOptions
from ui.chat.unstored import NOT_STORED


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History(tmp_path)
    _ask(history, "before")
    return history


def _ask(history: History, question: str, owner: str = "ann") -> str:
    exchange = history.ask("talk", owner, question, AnswerOptions())
    assert exchange
    return exchange.id


@contextmanager
def _full_disk() -> Iterator[None]:
    """SQLite writes nothing, and says what it says on a full disk."""

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(history_module, "_append", full)
        patched.setattr(history_module, "_write_outcome", full)
        yield


def test_answer_on_a_full_disk_is_shown_with_a_word(history: History) -> None:
    with _full_disk():
        exchange = _ask(history, "during")
        history.settle(exchange, answered("during"))
        shown = history.exchanges("talk", "ann")
        assert [shown_exchange.question for shown_exchange in shown] == ["before", "during"]
        outcome = shown[1].outcome
        assert outcome
        assert outcome.answer
        assert outcome.answer.notices[-1] == NOT_STORED
        assert history.exchanges("talk", "bob") == []
        assert history.ask("talk", "bob", "mine?", AnswerOptions()) is None


def test_new_conversation_on_a_full_disk_belongs_to_its_owner(history: History) -> None:
    with _full_disk():
        assert history.ask("new", "ann", "What is new?", AnswerOptions())
        assert history.title("new", "ann") == "What is new?"
        assert not history.has("new", "bob")
        assert history.ask("new", "bob", "Mine?", AnswerOptions()) is None


def test_outcome_of_a_stored_question_is_kept(history: History) -> None:
    """The disk was filled while the question was answered; asked again, it is stored."""
    exchange = _ask(history, "filled")
    with _full_disk():
        history.settle(exchange, answered("filled"))
    outcome = history.exchanges("talk", "ann")[1].outcome
    assert outcome
    assert outcome.answer
    assert NOT_STORED in outcome.answer.notices
    history.settle(exchange, answered("filled"))
    assert history.exchanges("talk", "ann")[1].outcome == answered("filled")


def test_question_is_stored_when_there_is_space_again(tmp_path: Path, history: History) -> None:
    with _full_disk():
        exchange = _ask(history, "during")
    history.settle(exchange, answered("during"))
    stored = History(tmp_path).exchanges("talk", "ann")
    assert [stored_exchange.question for stored_exchange in stored] == ["before", "during"]
    assert stored == history.exchanges("talk", "ann")
    assert stored[1].outcome == answered("during")


def test_write_on_a_full_disk_names_it(history: History) -> None:
    refused = pytest.raises(DiskFullError, match="The disk is full: the conversations in ")
    with refused, history._connection():
        raise sqlite3.OperationalError("database or disk is full")


def test_read_without_room_for_shared_memory(
    tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reader of a database would make a file; SQLite calls its failure an I/O error."""
    connect = sqlite3.connect

    class Unshared(sqlite3.Connection):
        def execute(self, *_: Any) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("disk I/O error")

    def full(database: Any, uri: bool = False, **options: Any) -> sqlite3.Connection:
        if uri:
            return connect(database, uri=True)
        return connect(database, factory=Unshared)

    monkeypatch.setattr(sqlite3, "connect", full)
    monkeypatch.setattr(history_module, "has_room", lambda *_: False)
    opened = History(tmp_path)
    assert [exchange.question for exchange in opened.exchanges("talk", "ann")] == ["before"]
    assert [entry.id for entry in opened.entries("ann")] == ["talk"]
