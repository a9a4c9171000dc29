"""Greetings, thanks and questions about the bot get a reply; questions about documents do not."""

from dataclasses import replace

import pytest

from qa.answer.conversation import (
    ASK,
    CHECK,
    GOODBYE,
    HELLO,
    IDENTITY,
    MAX_LINE,
    MAX_NAMED,
    MAX_TITLES,
    MAX_UTTERANCE,
    WELCOME,
    conversation_reply,
    utterance_kind,
    without_small_talk,
)
from qa.answer.utterances import UTTERANCES, UtteranceKind
from qa.library.catalog import Entry
from qa.types import NO_DOCUMENTS, Turn
from tests.qa.fakes import entry_of, text_document

TURN = Turn("What did the bridge cost?", "The bridge cost 48 million euros.")
BRIDGE = entry_of(text_document("The bridge cost 48 million euros.", title="The bridge"))
FERRY = entry_of(text_document("The ferry stops in May.", "b.txt", "The ferry"))


def _titled(count: int) -> list[Entry]:
    documents = [text_document("Words.", f"{n}.txt", f"Title {n}") for n in range(1, count + 1)]
    return [entry_of(document) for document in documents]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hello", "greeting"),
        ("hi there!", "greeting"),
        ("Hellooo 👋", "greeting"),
        ("Good morning, Footnote.", "greeting"),
        ("Thanks!", "thanks"),
        ("Thank you very much for your help", "thanks"),
        ("Great, thanks", "thanks"),
        ("ok thanks bye", "farewell"),
        ("Good night", "farewell"),
        ("ok", "agreement"),
        ("Who are you?", "identity"),
        ("What’s your name?", "identity"),
        ("Hi, what can you do?", "ask"),
        ("What can I ask you about?", "ask"),
        ("help", "ask"),
        ("Could you help me please?", "ask"),
        ("Which documents do you have?", "documents"),
        ("whats in the library", "documents"),
        ("List all my files, please.", "documents"),
        ("Hello. Which PDFs can you search?", "documents"),
    ],
)
def test_utterance_to_the_bot_has_its_kind(text: str, kind: UtteranceKind) -> None:
    assert utterance_kind(text, has_answer=False) == kind
    assert utterance_kind(text, has_answer=True) == kind


@pytest.mark.parametrize(
    "text",
    [
        "Hello World program: who wrote it?",
        "hello world",
        "Hello, who signed it?",
        "Thanks to whom was the bridge built?",
        "Who are you meeting in Oslo?",
        "Who made you sign it?",
        "What documents do I need for a visa?",
        "List all documents that a visa needs",
        "What is in the library of Alexandria?",
        "What can I ask the landlord?",
        "Help desk hours",
        "Good morning to whom?",
        "Is it true that cats sleep?",
        "there",
        "?!",
        "hello " * MAX_UTTERANCE,
        "bye " * 25 + "x",
    ],
)
def test_question_with_content_has_no_kind(text: str) -> None:
    assert utterance_kind(text, has_answer=False) is None
    assert utterance_kind(text, has_answer=True) is None


@pytest.mark.parametrize("text", ["Is that true?", "Are you sure?", "What is your source?"])
def test_check_needs_an_answer_before_it(text: str) -> None:
    assert conversation_reply(text, [], [BRIDGE]) is None
    assert conversation_reply(text, [TURN], [BRIDGE]) == CHECK


@pytest.mark.parametrize("text", ["How does this work?", "What is this?"])
def test_question_that_may_mean_an_answer_is_ordinary_after_it(text: str) -> None:
    assert utterance_kind(text, has_answer=False) == "ask"
    assert utterance_kind(text, has_answer=True) is None


def test_every_listed_utterance_is_recognised() -> None:
    """An utterance that is not in the form that its words are brought to would never match."""
    for kind, lines in UTTERANCES.items():
        for utterance in lines.split("|"):
            assert utterance_kind(utterance, has_answer=True) == kind, utterance


@pytest.mark.parametrize(
    ("text", "words"),
    [("Thanks", WELCOME), ("bye", GOODBYE), ("hello", HELLO), ("who are you", IDENTITY)],
)
def test_reply_fits_the_utterance(text: str, words: str) -> None:
    reply = conversation_reply(text, [], [BRIDGE])
    assert reply
    assert reply.startswith(words)


def test_documents_are_listed_by_title() -> None:
    reply = conversation_reply("Which documents do you have?", [], [BRIDGE, FERRY])
    assert reply == "I answer from 2 documents:\n- The bridge\n- The ferry"


def test_many_documents_are_counted_after_the_first() -> None:
    reply = conversation_reply("what is in the library?", [], _titled(MAX_TITLES + 3))
    assert reply
    lines = reply.splitlines()
    assert lines[0] == f"I answer from {MAX_TITLES + 3} documents:"
    assert lines[MAX_TITLES] == f"- Title {MAX_TITLES}"
    assert lines[MAX_TITLES + 1 :] == ["and 3 more."]


@pytest.mark.parametrize("text", ["Which documents do you have?", "Hello", "What can I ask?"])
def test_empty_library_says_how_to_add_documents(text: str) -> None:
    reply = conversation_reply(text, [], [])
    assert reply
    assert NO_DOCUMENTS in reply


def test_ask_names_documents_and_gives_their_examples() -> None:
    questions = tuple(f"What is number {n}?" for n in range(1, MAX_NAMED + 2))
    documents = [replace(BRIDGE, examples=questions), *_titled(MAX_NAMED)]
    reply = conversation_reply("What can I ask?", [], documents)
    assert reply
    first, named, *examples = reply.splitlines()
    assert first == ASK
    assert named == "I answer from 4 documents: The bridge; Title 1; Title 2; and 1 more."
    assert examples == ["For example:", *(f"- {question}" for question in questions[:MAX_NAMED])]


def test_title_of_many_lines_is_one_short_line() -> None:
    """A title comes from a file: it cannot forge a line of the list."""
    hostile = replace(BRIDGE, title="A\n- B\n" + "x" * 1_000)
    reply = conversation_reply("Which documents do you have?", [], [hostile])
    assert reply
    _, line = reply.splitlines()
    assert line.startswith("- A - B xxx")
    assert len(line) == MAX_LINE + len("- ")


def test_small_talk_leaves_the_history() -> None:
    """A follow-up leans on questions, and "Is that true?" before any answer is a question."""
    early = Turn("Is that true?", "Nobody knows.")
    talk = [Turn("Hello", HELLO), TURN, Turn("Thanks!", WELCOME), Turn("Is that true?", CHECK)]
    assert without_small_talk([early, *talk]) == [early, TURN]
    assert without_small_talk(talk) == [TURN]
