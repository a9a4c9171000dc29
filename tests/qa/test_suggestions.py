"""Suggested questions: English, of the documents' own sentences, and such as the bot answers with those."""

import re
import threading
from collections.abc import Collection
from dataclasses import replace

import pytest
from hypothesis import given, settings

from qa.bot import Bot
from qa.citations import cite
from qa.documents import load
from qa.suggestions import MOST_ASKED, MOST_READ, Suggestion, suggested
from qa.types import Answer, AnswerSentence, Citation, Document, Reason, Span
from tests.qa.conftest import SEEDS
from tests.qa.fakes import text_document
from tests.qa.texts import texts

BRIDGE = "The harbor bridge of Norra cost 48 million euros."
TUNNEL = "The Norra tunnel was opened in 1998."
FERRY = "About 400 people attended the feast in Lagos Bay."
TOWN = f"{BRIDGE} {TUNNEL} {FERRY}"
PRICE = "How much did the harbor bridge of Norra cost?"
OPENED = "When was the Norra tunnel opened?"
GUESTS = "How many people attended the feast in Lagos Bay?"


class SentenceBot:
    """Answers a question with the sentence that its script has for it, cited in the document; refuses the others."""

    def __init__(
        self, *documents: Document, script: dict[str, str] | None = None, confidence: float = 0.9, version: str = ""
    ) -> None:
        self._documents = {document.name: document for document in documents}
        self._script = script or {}
        self._confidence = confidence
        self._version = version
        self.asked: list[str] = []
        """Every question, in order."""
        self.asked_of: list[str] = []
        """The document of each."""

    def ask(self, question: str, *, documents: Collection[str] | None = None, built_in: bool = False) -> Answer:
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
        return _answer(question, self._confidence, replace(cited, version=self._version or cited.version))


def _answer(question: str, confidence: float, *citations: Citation) -> Answer:
    sentences = tuple(AnswerSentence(citation.quote, "verbatim", (citation,)) for citation in citations)
    reason: Reason | None = None if sentences else "not_in_documents"
    return Answer(question, question, "", reason, confidence, sentences, (), "built-in")


def _asked(text: str, markdown: bool = False) -> list[str]:
    """What is put to a bot that answers nothing: all that can be made of a text."""
    document = text_document(text, markdown=markdown)
    bot = SentenceBot(document)
    assert suggested(bot, [document]) == ()
    return bot.asked


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The harbor bridge of Norra cost 48 million euros.", PRICE),
        ("The Norra tunnel was opened in 1998.", OPENED),
        ("According to the mayor, about 400 people attended the feast in Lagos Bay.", GUESTS),
        ("Ines Prado, a senior official at the port of Norra, thanked the workers.", "Who is Ines Prado?"),
        ("Later the bridge was praised by engineer Tomas Beck in a long speech.", "Who is Tomas Beck?"),
        ("The mayor of Lagos Bay opened the bridge on Tuesday, nine years late.", None),
        ("The mayor of Lagos Bay unveiled the bridge on Tuesday, nine years late.",
         "When did the mayor of Lagos Bay unveil the bridge?"),
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
def test_a_sentence_makes_a_question(sentence: str, question: str | None) -> None:
    asked = _asked(f"It was cold in the town, and the people were glad of it. {sentence}")
    assert asked == [] if question is None else question in asked
