"""The conversations on disk: complete, in order, and visible to their owner only."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from qa.errors import DiskFullError, FootnoteError, NotWritableError
from tests.ui.answers import answered, stored_answer
from ui.chat.history import FILE, History
from ui.chat.transcript import (
    DAMAGED,
    OPTIONS,
    OUTCOME,
    AnswerOptions,
    ExchangeOutcome,
    Failure,
)

OPTIONS_CHOSEN = AnswerOptions("ollama/x", 7, True, ("a.txt", "b.txt"))
WRITE_FOR_EVER = """
import sys
from pathlib import Path
from ui.chat.history import History
from ui.chat.transcript import AnswerOptions

history = History(Path(sys.argv[1]))
number = 0
while True:
    history.ask("c", "", str(number), AnswerOptions())
    print(number, flush=True)
    number += 1
"""


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def ask(history: History, conversation: str, *questions: str, owner: str = "") -> list[str]:
    """Asks questions in a conversation; returns the ids of the exchanges."""
    ids = []
    for question in questions:
        exchange = history.ask(conversation, owner, question, AnswerOptions())
        assert exchange
        ids.append(exchange.id)
    return ids


def ids(history: History, owner: str = "", search: str = "") -> list[str]:
    return [entry.id for entry in history.entries(owner, search)]


def test_entries_clock_goes_back_latest_first(tmp_path: Path) -> None:
    """The order is that of the questions, also when the clock was set back."""
    times = [2000.0, 2000.0, 1000.0, 1000.0, 2001.0]
    history = History(tmp_path, lambda: times.pop(0))
    ask(history, "a", "?")
    ask(history, "b", "?")
    ask(history, "c", "?")
    assert ids(history) == ["c", "b", "a"]
    ask(history, "a", "?")
    assert ids(history) == ["a", "c", "b"]
    ask(history, "b", "?")
    assert ids(history) == ["b", "a", "c"]


def test_entries_two_clocks_latest_first(tmp_path: Path) -> None:
    """Two machines share a home, and the clock of one of them is a day ahead."""
    ahead = History(tmp_path, lambda: 100_000.0)
    behind = History(tmp_path, lambda: 13_600.0)
    ask(ahead, "a", "?")
    ask(behind, "b", "?")
    ask(ahead, "a", "?")
    ask(behind, "c", "?")
    assert ids(behind) == ["c", "a", "b"]
    ask(behind, "d", "?", owner="somebody else")
    assert ids(ahead) == ["c", "a", "b"]


def test_ask_half_a_character_is_our_error(history: History) -> None:
    """SQLite cannot store a surrogate; nothing of the question is stored."""
    for use in (ask, lambda *words: ids(history, search=words[-1])):
        with pytest.raises(FootnoteError, match="not valid UTF-8"):
            use(history, "c", "What did \ud800 cost?")
    assert ids(history) == []


def test_history_reopened_has_the_same_exchange(history: History, tmp_path: Path) -> None:
    exchange = history.ask("c", "", "Do cats sleep?", OPTIONS_CHOSEN)
    assert exchange
    assert history.exchanges("c", "") == [exchange]

    history.settle(exchange.id, answered())
    history.rate(exchange.id, "bad")
    (stored,) = History(tmp_path).exchanges("c", "")
    assert (stored.question, stored.options) == ("Do cats sleep?", OPTIONS_CHOSEN)
    assert (stored.outcome, stored.rating) == (answered(), "bad")

    history.rate(exchange.id, None)
    history.settle(exchange.id, None)
    assert history.exchanges("c", "") == [exchange]


@pytest.mark.parametrize(
    "outcome",
    [
        answered("Katzen “schlafen” 😺 \u2028 </script>"),
        ExchangeOutcome(failure=Failure("It broke", "Cats", True, True)),
    ],
)
def test_outcome_survives_its_json(outcome: ExchangeOutcome) -> None:
    assert OUTCOME.validate_json(OUTCOME.dump_json(outcome, by_alias=True)) == outcome
    assert OPTIONS.validate_json(OPTIONS.dump_json(OPTIONS_CHOSEN)) == OPTIONS_CHOSEN


def test_outcome_is_stored_under_the_same_names(history: History, tmp_path: Path) -> None:
    """Conversations of earlier versions stay readable: the keys of the JSON are a contract."""
    (exchange,) = ask(history, "c", "Do cats sleep?")
    history.settle(exchange, answered())
    with sqlite3.connect(tmp_path / FILE) as db:
        (stored,) = db.execute("SELECT outcome FROM exchanges").fetchone()
    outcome = json.loads(stored)
    assert set(outcome) == {"told", "failure"}
    assert outcome["told"]["text"] == "Cats sleep."
    assert {"standalone_question", "reason", "threshold", "sentences"} <= set(outcome["told"])
    assert {"dense_rank", "lexical_rank", "fused"} <= set(outcome["told"]["passages"][0])


def test_stored_answer_has_all_that_the_page_shows() -> None:
    answer = stored_answer()
    (passage,) = answer.passages
    assert (passage.text, passage.publisher) == ("Cats sleep. Dogs bark.", "The Zoo")
    assert (passage.dense_rank, passage.lexical_rank) == (1, None)
    assert passage.holds(answer.sentences[0].citations[0])
    assert (answer.threshold, answer.confidence, answer.notices) == (0.5, 0.9, ("Note.",))


def test_entries_are_ordered_by_last_question(history: History) -> None:
    ask(history, "a", "One?")
    ask(history, "b", "Two?", "Three?")
    ask(history, "a", "Four?")
    titles = [(entry.id, entry.title) for entry in history.entries("")]
    assert titles == [("a", "One?"), ("b", "Two?")]
    assert [exchange.question for exchange in history.exchanges("a", "")] == ["One?", "Four?"]


def test_search_finds_title_question_and_answer(history: History) -> None:
    (exchange,) = ask(history, "a", "Straße?")
    history.settle(exchange, answered("ÜBER cats 100%"))
    history.rename("a", "", "Of  roads")
    ask(history, "b", "Other?")
    for words in ("STRASSE", "über", "of ROADS", "100%"):
        assert ids(history, search=words) == ["a"], words
    # The percent sign is no wildcard, and the document's name is not searched.
    assert ids(history, search="%") == ids(history, search="100%")
    assert ids(history, search="pets.txt") == []


def test_history_of_another_owner_is_hidden_and_unchanged(history: History) -> None:
    ask(history, "a", "Mine?", owner="ann")
    assert ids(history, "bob") == []
    assert history.exchanges("a", "bob") == []
    assert not history.has("a", "bob")
    assert history.title("a", "bob") is None
    assert history.ask("a", "bob", "Mine too?", AnswerOptions()) is None
    history.rename("a", "bob", "Bob's")
    history.delete("a", "bob")
    assert history.title("a", "ann") == "Mine?"
    assert len(history.exchanges("a", "ann")) == 1


def test_delete_removes_the_exchanges_too(history: History, tmp_path: Path) -> None:
    (exchange,) = ask(history, "a", "One?")
    history.delete("a", "")
    history.settle(exchange, answered())
    assert history.exchanges("a", "") == []
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("SELECT count(*) FROM exchanges").fetchone() == (0,)


def test_rename_ignores_a_blank_title(history: History) -> None:
    ask(history, "a", "  One \n two? ")
    history.rename("a", "", "   ")
    assert history.title("a", "") == "One two?"


def test_history_written_by_threads_loses_nothing(history: History) -> None:
    def write(name: str) -> None:
        ask(history, "shared", *(f"{name}{number}" for number in range(25)))

    threads = [Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    questions = [exchange.question for exchange in history.exchanges("shared", "")]
    assert len(questions) == 100
    for name in "abcd":
        in_order = [question for question in questions if question[0] == name]
        assert in_order == [f"{name}{number}" for number in range(25)]


def test_history_after_a_kill_has_what_was_written(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        written = [running.stdout.readline().strip() for _ in range(40)]
        running.kill()
    questions = [exchange.question for exchange in History(tmp_path).exchanges("c", "")]
    assert questions[: len(written)] == written
    assert questions == [str(number) for number in range(len(questions))]


def test_history_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    with pytest.raises(FootnoteError, match=r"mv '.*conversations\.sqlite3'"):
        History(tmp_path)


def test_history_unwritable_home_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FootnoteError, match="Set QA_HOME"):
        History(tmp_path / "file" / "home")


def _execute(home: Path, statement: str, *values: object) -> None:
    """Changes the file as a damaged disk, or another version of Footnote, would."""
    with closing(sqlite3.connect(home / FILE)) as db, db:
        db.execute(statement, values)


@pytest.mark.parametrize(
    "stored",
    ["{x", "[]", "[" * 5000, '{"told": {"text": 1}}', '{"told": {"text": "\\ud800"}}', b"\xff{}"],
)
def test_damaged_outcome_is_a_failure_in_its_place(
    history: History, tmp_path: Path, stored: str | bytes
) -> None:
    """The exchanges around it can be read, and every conversation can be searched."""
    damaged, whole = ask(history, "a", "One?", "Two?")
    history.settle(whole, answered())
    ask(history, "b", "Three?")
    change = "UPDATE exchanges SET outcome = CAST(? AS TEXT) WHERE id = ?"
    _execute(tmp_path, change, stored, damaged)
    outcomes = [exchange.outcome for exchange in history.exchanges("a", "")]
    assert outcomes == [DAMAGED, answered()]
    assert ids(history, search="three") == ["b"]
    assert ids(history, search="cats sleep") == ["a"]


def test_damaged_options_leave_the_answer(history: History, tmp_path: Path) -> None:
    answered_one, _ = ask(history, "a", "One?", "Two?")
    history.settle(answered_one, answered())
    _execute(tmp_path, "UPDATE exchanges SET choice = 'x'")
    outcomes = [exchange.outcome for exchange in history.exchanges("a", "")]
    assert outcomes == [answered(), DAMAGED]


def test_damaged_text_is_read_with_marks(history: History, tmp_path: Path) -> None:
    ask(history, "a", "One?")
    _execute(tmp_path, "UPDATE exchanges SET question = CAST(x'4fff3f' AS TEXT)")
    assert [exchange.question for exchange in history.exchanges("a", "")] == ["O\ufffd?"]
    assert ids(history, search="o\ufffd") == ["a"]


def test_file_of_a_later_version_is_refused_plainly(history: History, tmp_path: Path) -> None:
    """Moving it away, the advice for a damaged file, would hide the conversations."""
    ask(history, "a", "One?")
    _execute(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(FootnoteError, match=r"later version of Footnote\. Install that version"):
        History(tmp_path)


def test_table_with_another_column_can_be_written(history: History, tmp_path: Path) -> None:
    _execute(tmp_path, "ALTER TABLE conversations ADD COLUMN pinned INTEGER")
    ask(history, "a", "One?")
    assert ids(history) == ["a"]


def test_history_without_a_writable_file_is_read(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite cannot open a database whose shared memory it cannot make, except as immutable."""
    ask(history, "a", "One?")
    connect = sqlite3.connect

    class ReadOnly(sqlite3.Connection):
        def execute(self, *_: Any) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("unable to open database file")

    def connect_on_read_only(database: Any, uri: bool = False, **_: Any) -> sqlite3.Connection:
        return connect(database, uri=True) if uri else connect(database, factory=ReadOnly)

    monkeypatch.setattr(sqlite3, "connect", connect_on_read_only)
    opened = History(tmp_path)
    assert [exchange.question for exchange in opened.exchanges("a", "")] == ["One?"]
    assert ids(opened, search="one") == ["a"]
    with pytest.raises(NotWritableError, match="Make the file and its folder writable"):
        ask(opened, "a", "Two?")


def test_last_choice_is_each_owners_own_without_documents(tmp_path: Path) -> None:
    history = History(tmp_path)
    chosen = AnswerOptions("openai-like/x", 7, True, ("a.txt",), "http://127.0.0.1:1234/v1")
    history.remember_choice("ann", AnswerOptions("ollama/y"))
    history.remember_choice("ann", chosen)
    history.remember_choice("bob", AnswerOptions(top_k=3))
    again = History(tmp_path)
    assert again.last_choice("ann") == replace(chosen, documents=None)
    assert again.last_choice("bob") == AnswerOptions(top_k=3)
    assert again.last_choice("eve") == AnswerOptions()


def test_last_choice_that_is_damaged_is_as_configured(tmp_path: Path) -> None:
    """It must not keep anybody from asking."""
    history = History(tmp_path)
    history.remember_choice("", AnswerOptions("ollama/x"))
    for statement in (
        "UPDATE choices SET choice = 'x'",
        """UPDATE choices SET choice = '{"top_k": "many"}'""",
    ):
        _execute(tmp_path, statement)
        assert history.last_choice("") == AnswerOptions()


def test_file_of_an_earlier_release_has_no_last_choice(tmp_path: Path) -> None:
    """Also where the table cannot be added, on a read-only disk."""
    history = History(tmp_path)
    ask(history, "c", "one")
    _execute(tmp_path, "DROP TABLE choices")
    assert history.last_choice("") == AnswerOptions()
    again = History(tmp_path)
    again.remember_choice("", AnswerOptions("ollama/x"))
    assert again.last_choice("") == AnswerOptions("ollama/x")


@pytest.mark.parametrize("error", [DiskFullError("full"), NotWritableError("read-only")])
def test_choice_that_cannot_be_stored_is_no_failure(
    history: History, monkeypatch: pytest.MonkeyPatch, error: FootnoteError
) -> None:
    """It still holds for the conversation that is shown."""
    with monkeypatch.context() as patched:
        patched.setattr(History, "_connection", lambda _: _raising(error))
        history.remember_choice("", AnswerOptions("ollama/x"))
    assert history.last_choice("") == AnswerOptions()


@contextmanager
def _raising(error: FootnoteError) -> Iterator[None]:
    raise error
    yield
