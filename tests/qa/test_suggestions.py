"""Suggested questions: English, of the documents' own sentences, and such as the bot answers with those."""

import re
import threading
from collections.abc import Collection
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given

from qa.answer.citations import cite
from qa.bot import Bot
from qa.documents.load import load
from qa.suggestions import MOST_ASKED, MOST_READ, Suggestion, suggest
from qa.types import Answer, AnswerSentence, Citation, Document, Reason, Span
from tests.properties import examples
from tests.qa.conftest import SEEDS
from tests.qa.fakes import text_document
from tests.qa.texts import texts

BRIDGE = "The harbor bridge of Norra cost 48 million euros."
TUNNEL = "The Norra tunnel was opened in 1998."
FERRY = "About 400 people attended the feast in Lagos Bay."
DULL = "It was cold in the town, and the people were glad of it."
TOWN = f"{BRIDGE} {TUNNEL} {FERRY}"
PRICE = "How much did the harbor bridge of Norra cost?"
OPENED = "When was the Norra tunnel opened?"
GUESTS = "How many people attended the feast in Lagos Bay?"


class SentenceBot:
    """Answers a question with the sentence that its script has for it, cited in the document; refuses the others."""

    def __init__(
        self,
        *documents: Document,
        script: dict[str, str] | None = None,
        confidence: float = 0.9,
        version: str = "",
    ) -> None:
        self._documents = {document.name: document for document in documents}
        self._script = script or {}
        self._confidence = confidence
        self._version = version
        self.asked: list[str] = []
        """Every question, in order."""
        self.asked_of: list[str] = []
        """The document of each."""

    def ask(
        self, question: str, *, documents: Collection[str] | None = None, built_in: bool = False
    ) -> Answer:
        assert built_in, "a suggestion needs no language model"
        assert documents is not None
        (name,) = documents
        self.asked.append(question)
        self.asked_of.append(name)
        document = self._documents[name]
        sentence = self._script.get(question, "")
        start = document.text.find(sentence) if sentence else -1
        if start < 0:
            return _answer(question, 0.1)
        cited = cite(document, Span(start, start + len(sentence)))
        return _answer(
            question, self._confidence, replace(cited, version=self._version or cited.version)
        )


def _answer(question: str, confidence: float, *citations: Citation) -> Answer:
    sentences = tuple(
        AnswerSentence(citation.quote, "verbatim", (citation,)) for citation in citations
    )
    reason: Reason | None = None if sentences else "not_in_documents"
    return Answer(question, question, "", reason, confidence, sentences, (), "built-in")


def _asked(text: str, markdown: bool = False) -> list[str]:
    """What is put to a bot that answers nothing: all that can be made of a text."""
    document = text_document(text, markdown=markdown)
    bot = SentenceBot(document)
    assert suggest(bot, [document]) == ()
    return bot.asked


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The harbor bridge of Norra cost 48 million euros.", PRICE),
        ("The Norra tunnel was opened in 1998.", OPENED),
        ("According to the mayor, about 400 people attended the feast in Lagos Bay.", GUESTS),
        ("Ines Prado, a senior official at the port of Norra, thanked the workers.", "Who is Ines Prado?"),
        ("Later the bridge was praised by engineer Tomas Beck in a long speech.", "Who is Tomas Beck?"),
        ("The mayor of Lagos Bay opened the bridge on Tuesday, nine years late.",
         "When did the mayor of Lagos Bay open the bridge?"),
        ("On April 12, 1981, the Norra ferry carried the king to the island.",
         "When did the Norra ferry carry the king to the island?"),
        ("The fair will open in May 2031 at the port.", "When will the fair open?"),
        ("The first Norra fair was held in Lagos Bay by the port.", "Where was the first Norra fair held?"),
        ("The Norra fair took place at the Harbor Hall of the town.", "Where did the Norra fair take place?"),
        ("The Norra Choir was founded by Ana Ruiz for the poor.", "Who founded the Norra Choir?"),
        ("The book was written by Ana Ruiz for the poor.", "Who wrote the book?"),
        ("The accident on the bridge was caused by strong winds and heavy rain.",
         "What caused the accident on the bridge?"),
        ("The council closed the old bridge because it was in ruins.", "Why did the council close the old bridge?"),
        ("The lease was extended because the roof of the house was repaired.", "Why was the lease extended?"),
        ("The council urged the people of Norra to save water in the summer.",
         "What did the council urge the people of Norra to do?"),
        ("The tenant is required to report damage within seven days of it.", "What is the tenant required to do?"),
        ("The council plans to sell the two boats to the island.", "What does the council plan to do?"),
        ("The impeller of the pump is made of brass and of steel.", "What is the impeller of the pump made of?"),
        ("The study focuses on the water of the lake and its fish.", "What does the study focus on?"),
        ("The council has announced a new bridge to the island of Norra.", "What has the council announced?"),
        ("A pressure switch is a part that stops the motor of the pump.", "What is a pressure switch?"),
        ("The aim of the Norra fair is to sell the fish of the bay.", "What is the aim of the Norra fair?"),
        ("There are four seals in the housing of the pump.", "How many seals are there in the housing of the pump?"),
        ("The town of Norra has 62 bridges and a port for the ferry.", "How many bridges does the town of Norra have?"),
        ("“The bridge in Norra is ours,” said Ana Ruiz to the crowd.", "What did Ana Ruiz say about Norra?"),
        ("At noon Mayor Prado said that the old ferry would be sold in the spring.",
         "What did Mayor Prado say about the old ferry?"),
    ],
)  # fmt: skip
def test_a_sentence_makes_a_question(sentence: str, question: str) -> None:
    assert question in _asked(f"{DULL} {sentence}")


@pytest.mark.parametrize(
    "sentence",
    [
        "He said that the bridge of Norra had cost too much.",
        "They opened it on Tuesday, and their mayor was glad of it.",
        "The treaty signed in 1990 ended the war of the two islands.",
        "The letter sent to 400 people was about the bridge.",
        "The party led by Ana Ruiz in 2010 was the largest of all.",
        "The harbor was closed under a treaty signed in 1990 by the king.",
        "The deaths of about 40 people were announced by the town.",
        "Saudi Arabia, a member of the union, was glad of it.",
        "Yesterday the bridge was opened by the mayor, to the joy of all.",
        "The bridge will be ready next year, as it was said in the town.",
        "Was the bridge opened in 1998, or was it in 1999?",
        "The show returns in the spring, for all that it has been.",
        "In 1973, the king named William E. Simon the first governor of it.",
        "Critics said in the spring that the bridge was too narrow for two cars.",
    ],
)
def test_a_sentence_that_cannot_be_cut_with_certainty_makes_none(sentence: str) -> None:
    assert _asked(f"{DULL} {sentence}") == []


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        (
            "Country,Capital,People\nFrance,Paris,67 million\nItaly,Rome,59 million\nSpain,Madrid,47 million\n",
            False,
        ),
        ("| town | opened |\n|---|---|\n| Norra | The tunnel was opened in 1998. |\n", True),
        ("- 12 eggs\n- two litres of milk\n- bread, from Miller\n- 3 apples are enough\n", True),
        (
            "The moon was painted on the water,\nThe reeds were bent and sang to me,\n"
            "And Mary said that Death would wander\nIn 1912 along the sea.\n",
            False,
        ),
        (
            "Die Bürgermeisterin Ines Prado eröffnete die Brücke am Dienstag vor 400 Gästen. Der Bau war in 1998 "
            "begonnen worden. „Diese Brücke gehört den Leuten“, sagte Prado. In Berlin war die Freude groß.\n",
            False,
        ),
        (
            "It was raining and nobody came. They waited for a while, then they left because it was cold.\n",
            False,
        ),
        ("```\nThe Norra tunnel was opened in 1998.\n```\n", True),
        ("", False),
    ],
    ids=["table", "markdown table", "list", "poem", "German", "no names", "code", "nothing"],
)
def test_nothing_is_made_of_what_is_no_english_prose(text: str, markdown: bool) -> None:
    assert _asked(text, markdown) == []


@examples(60)
@given(texts)
def test_whatever_the_text_a_question_is_one_line_with_one_mark(text: str) -> None:
    for question in _asked(f"{TOWN}\n{text}\n{TOWN}"):
        assert re.fullmatch(
            r"(?:Who|What|When|Where|Why|How many|How much) [^?\n]*[^?\s]\?", question
        )
        assert "  " not in question


def test_a_question_is_suggested_when_its_own_sentence_answers_it() -> None:
    document = text_document(TOWN)
    bot = SentenceBot(document, script={PRICE: BRIDGE, OPENED: TUNNEL, GUESTS: FERRY})
    assert {one.question for one in suggest(bot, [document])} == {PRICE, OPENED, GUESTS}


@pytest.mark.parametrize(
    "bot",
    [
        SentenceBot(text_document(TOWN)),
        SentenceBot(text_document(TOWN), script={PRICE: BRIDGE}, confidence=0.6),
        SentenceBot(text_document(TOWN), script={PRICE: TUNNEL}),
        SentenceBot(text_document(TOWN), script={PRICE: BRIDGE[4:]}),
        SentenceBot(text_document(TOWN), script={PRICE: BRIDGE}, version="of before"),
    ],
    ids=["refused", "unsure", "another sentence", "part of it", "changed since"],
)
def test_no_question_that_its_own_sentence_does_not_answer(bot: SentenceBot) -> None:
    assert suggest(bot, [text_document(TOWN)]) == ()
    assert PRICE in bot.asked


def test_pieces_of_a_long_document_are_looked_into_and_their_places_are_exact() -> None:
    names = ["".join(letters) for letters in product("abcdefghij", repeat=4)]
    lines = [f"The bridge of Norra{name} cost 48 million euros." for name in names]
    document = text_document("\n".join([DULL] * 10_000 + lines))
    script = {
        f"How much did the bridge of Norra{name} cost?": line
        for name, line in zip(names, lines, strict=True)
    }
    bot = SentenceBot(document, script=script)
    assert [one.question in script for one in suggest(bot, [document])] == [True]


def test_examples_that_are_answered_come_first() -> None:
    document = replace(
        text_document(TOWN),
        examples=("Who pays for it?", "Who pays for it?", "Who swims?", "What is a toll?"),
    )
    script = {
        "Who pays for it?": BRIDGE,
        "What is a toll?": FERRY,
        PRICE: BRIDGE,
        OPENED: TUNNEL,
        GUESTS: FERRY,
    }
    bot = SentenceBot(document, script=script)
    found = suggest(bot, [document], count=2)
    assert found == (
        Suggestion("Who pays for it?", "a.txt"),
        Suggestion("What is a toll?", "a.txt"),
    )
    assert bot.asked == ["Who pays for it?", "Who swims?", "What is a toll?"]
    assert suggest(bot, [document], count=3)[:2] == found
    assert len(suggest(bot, [document], count=3)) == 3


def test_documents_take_turns() -> None:
    first = text_document(TOWN, "first.txt")
    second = text_document(TOWN.replace("Norra", "Sorra").replace("Lagos", "Vagos"), "second.txt")
    third = replace(
        text_document("Nothing to ask.", "third.txt"), examples=("Who pays?", "Who else pays?")
    )
    script = {PRICE: BRIDGE, OPENED: TUNNEL, GUESTS: FERRY}
    script |= {
        question.replace("Norra", "Sorra").replace("Lagos", "Vagos"): sentence.replace(
            "Norra", "Sorra"
        ).replace("Lagos", "Vagos")
        for question, sentence in script.items()
    }
    script |= {"Who pays?": "Nothing to ask.", "Who else pays?": "Nothing to ask."}
    bot = SentenceBot(first, second, third, script=script)
    found = [one.document for one in suggest(bot, [first, second, third])]
    assert found[:2] == ["third.txt", "third.txt"]
    assert set(found[2:]) == {"first.txt", "second.txt"}


def test_none_is_like_another() -> None:
    text = f"{BRIDGE} The old harbor bridge of Norra cost 3 million euros. {FERRY}"
    document = text_document(text)
    script = {PRICE: BRIDGE, GUESTS: FERRY}
    script[PRICE.replace("the harbor", "the old harbor")] = (
        "The old harbor bridge of Norra cost 3 million euros."
    )
    found = [one.question for one in suggest(SentenceBot(document, script=script), [document])]
    assert GUESTS in found
    assert len(found) == 2


def test_among_several_documents_a_question_has_a_name() -> None:
    text = "The old bridge of the town was opened in 1998."
    alone, other = text_document(text), text_document("Nothing to ask.", "b.txt")
    bot = SentenceBot(alone, other)
    suggest(bot, [alone])
    assert bot.asked == ["When was the old bridge of the town opened?"]
    suggest(bot, [alone, other])
    assert len(bot.asked) == 1


def test_a_large_library_costs_no_more_than_a_small_one() -> None:
    many = [
        text_document(TOWN.replace("Norra", f"Norra{chr(65 + n % 26)}"), f"{n}.txt")
        for n in range(1000)
    ]
    bot = SentenceBot(*many)
    assert suggest(bot, many) == ()
    assert len(bot.asked) == MOST_ASKED
    assert len(set(bot.asked_of)) == MOST_READ


def test_the_same_seed_suggests_the_same() -> None:
    many = [text_document(TOWN, f"{n}.txt") for n in range(40)]

    def asked(seed: int) -> list[str]:
        bot = SentenceBot(*many)
        suggest(bot, many, seed=seed)
        return bot.asked_of

    assert asked(1) == asked(1)
    assert len({tuple(asked(seed)) for seed in range(5)}) > 1


def test_it_ends_when_stopped() -> None:
    document, stop = text_document(TOWN), threading.Event()

    class Stopping(SentenceBot):
        def ask(
            self, question: str, *, documents: Collection[str] | None = None, built_in: bool = False
        ) -> Answer:
            stop.set()
            return super().ask(question, documents=documents, built_in=built_in)

    bot = Stopping(document, script={PRICE: BRIDGE, OPENED: TUNNEL, GUESTS: FERRY})
    assert len(suggest(bot, [document], stop=stop)) == 1
    assert suggest(bot, [document], stop=stop) == ()
    assert len(bot.asked) == 1


def test_the_packaged_models_answer_what_is_suggested_of_the_article(seed_bot: Bot) -> None:
    article = replace(load([SEEDS]).documents[0], examples=())
    found = suggest(seed_bot, [article])
    assert len(found) >= 3
    for one in found:
        answer = seed_bot.ask(one.question, documents=[one.document])
        words = re.findall(r"[A-Z]\w+", one.question)[1:]
        assert any(word in answer.sentences[0].text for word in words), one.question
