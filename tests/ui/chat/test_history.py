"""Conversations on disk: kept, in order, of their owner only, whatever writes at the same time."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from qa.errors import FootnoteError
from tests.ui.texts import answer, answered
from ui.chat.history import FILE, History
from ui.chat.transcript import CHOICE, OUTCOME, Choice, Failure, Outcome, Told

CHOSEN = Choice("ollama/x", 7, True, ("a.txt", "b.txt"))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def begin(history: History, conversation: str, *questions: str, owner: str = "") -> list[str]:
    """The ids of these questions, asked in a conversation."""
    made = [history.ask(conversation, owner, question, Choice()) for question in questions]
    return [one.id for one in made if one]


def test_what_is_kept_comes_back_the_same(history: History, tmp_path: Path) -> None:
    asked = history.ask("c", "", "Do cats sleep?", CHOSEN)
    assert asked
    assert history.exchanges("c", "") == [asked]
    history.settle(asked.id, answered())
    history.rate(asked.id, "bad")
    (kept,) = History(tmp_path).exchanges("c", "")
    assert (kept.question, kept.choice, kept.outcome, kept.rating) == (
        "Do cats sleep?",
        CHOSEN,
        answered(),
        "bad",
    )
    history.rate(asked.id, None)
    history.settle(asked.id, None)
    assert history.exchanges("c", "") == [asked]


@pytest.mark.parametrize(
    "outcome",
    [
        answered("Katzen “schlafen” 😺 \u2028 </script>"),
        Outcome(failure=Failure("It broke", "Cats", True, True)),
    ],
)
def test_an_outcome_survives_its_json(outcome: Outcome) -> None:
    assert OUTCOME.validate_json(OUTCOME.dump_json(outcome)) == outcome
    assert CHOICE.validate_json(CHOICE.dump_json(CHOSEN)) == CHOSEN


def test_what_is_told_of_an_answer_is_all_that_the_page_shows() -> None:
    told = Told.of(answer(), 0.5)
    (shown,) = told.passages
    assert (shown.text, shown.publisher, shown.dense_rank, shown.lexical_rank) == (
        "Cats sleep. Dogs bark.",
        "The Zoo",
        1,
        None,
    )
    assert shown.holds(told.sentences[0].citations[0])
    assert (told.threshold, told.confidence, told.notices) == (0.5, 0.9, ("Note.",))


def test_conversations_are_listed_by_their_last_question(history: History) -> None:
    begin(history, "a", "One?")
    begin(history, "b", "Two?", "Three?")
    begin(history, "a", "Four?")
    assert [(entry.id, entry.title) for entry in history.entries("")] == [
        ("a", "One?"),
        ("b", "Two?"),
    ]
    assert [one.question for one in history.exchanges("a", "")] == ["One?", "Four?"]


def test_search_finds_words_of_title_question_and_answer(history: History) -> None:
    (first,) = begin(history, "a", "Straße?")
    history.settle(first, answered("ÜBER cats 100%"))
    history.rename("a", "", "Of  roads")
    begin(history, "b", "Other?")
    for words in ("STRASSE", "über", "of ROADS", "100%"):
        assert [entry.id for entry in history.entries("", words)] == ["a"], words
    assert history.entries("", "%") == history.entries("", "100%")
    assert not history.entries("", "pets.txt")


def test_nobody_sees_or_changes_what_is_anothers(history: History) -> None:
    begin(history, "a", "Mine?", owner="ann")
    assert history.entries("bob") == []
    assert history.exchanges("a", "bob") == []
    assert not history.has("a", "bob")
    assert history.title("a", "bob") is None
    assert history.ask("a", "bob", "Mine too?", Choice()) is None
    history.rename("a", "bob", "Bob's")
    history.delete("a", "bob")
    assert [
        (entry.title, len(history.exchanges("a", "ann"))) for entry in history.entries("ann")
    ] == [("Mine?", 1)]


def test_a_deleted_conversation_is_gone_with_its_exchanges(
    history: History, tmp_path: Path
) -> None:
    (asked,) = begin(history, "a", "One?")
    history.delete("a", "")
    history.settle(asked, answered())
    assert history.exchanges("a", "") == []
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("SELECT count(*) FROM exchanges").fetchone() == (0,)


def test_a_blank_title_is_not_taken(history: History) -> None:
    begin(history, "a", "  One \n two? ")
    history.rename("a", "", "   ")
    assert history.title("a", "") == "One two?"


def test_threads_lose_nothing(history: History) -> None:
    def write(name: str) -> None:
        begin(history, "shared", *(f"{name}{number}" for number in range(25)))

    threads = [Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    questions = [one.question for one in history.exchanges("shared", "")]
    assert sorted(questions) == sorted(f"{name}{number}" for name in "abcd" for number in range(25))
    for name in "abcd":
        assert [one for one in questions if one[0] == name] == [
            f"{name}{number}" for number in range(25)
        ]


def test_what_was_told_to_be_written_is_there_after_kill_9(tmp_path: Path) -> None:
    writes = (
        "import sys; from pathlib import Path; from ui.chat.history import History; from ui.chat.transcript import Choice\n"
        "history = History(Path(sys.argv[1]))\n"
        "number = 0\n"
        "while True:\n"
        "    history.ask('c', '', str(number), Choice()); print(number, flush=True); number += 1\n"
    )
    command = [sys.executable, "-c", writes, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        told = [running.stdout.readline() for _ in range(40)]
        running.kill()
    kept = [one.question for one in History(tmp_path).exchanges("c", "")]
    assert kept[: len(told)] == [line.strip() for line in told]
    assert kept == [str(number) for number in range(len(kept))]


def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    with pytest.raises(FootnoteError, match=r"mv '.*conversations\.sqlite3'"):
        History(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(FootnoteError, match="Set QA_HOME"):
        History(tmp_path / "file" / "home")
