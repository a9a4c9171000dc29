"""Suggestions: made of the documents' own sentences, and answered with them by the bot."""

import re
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from qa.answer.citations import cite
from qa.bot import Bot
from qa.documents.load import load
from qa.suggestions import (
    MAX_CHARACTERS,
    MAX_DOCUMENTS,
    MAX_QUESTIONS,
    Answerer,
    Suggestion,
    suggest,
    template_questions,
)
from qa.types import Answer, AnswerSentence, Citation, Document, Reason, Span
from tests.properties import examples
from tests.qa.conftest import SEEDS
from tests.qa.fakes import entry_of, text_document
from tests.qa.texts import texts

BRIDGE = "The harbor bridge of Norra cost 48 million euros."
TUNNEL = "The Norra tunnel was opened in 1998."
FERRY = "About 400 people attended the feast in Lagos Bay."
DULL = "It was cold in the town, and the people were glad of it."
TOWN = f"{BRIDGE} {TUNNEL} {FERRY}"
PRICE = "How much did the harbor bridge of Norra cost?"
OPENED = "When was the Norra tunnel opened?"
GUESTS = "How many people attended the feast in Lagos Bay?"
SCRIPT = {PRICE: BRIDGE, OPENED: TUNNEL, GUESTS: FERRY}


def _suggest(
    bot: Answerer, documents: Sequence[Document], **options: Any
) -> tuple[Suggestion, ...]:
    by_name = {document.name: document for document in documents}
    entries = [entry_of(document) for document in documents]
    return suggest(bot, entries, by_name.get, **options)


class SentenceBot:
    """Answers a question with the sentence of its script, cited; refuses other questions."""

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
        self.questions: list[str] = []
        self.document_names: list[str] = []
        """The document of each question."""

    def ask(
        self, question: str, *, documents: Collection[str] | None = None, built_in: bool = False
    ) -> Answer:
        assert built_in, "a suggestion needs no language model"
        assert documents is not None
        (name,) = documents
        self.questions.append(question)
        self.document_names.append(name)

        document = self._documents[name]
        sentence = self._script.get(question, "")
        start = document.text.find(sentence) if sentence else -1
        if start < 0:
            return _answer(question, 0.1)
        citation = cite(document, Span(start, start + len(sentence)))
        citation = replace(citation, version=self._version or citation.version)
        return _answer(question, self._confidence, citation)


def _answer(question: str, confidence: float, *citations: Citation) -> Answer:
    sentences = []
    for citation in citations:
        sentences.append(AnswerSentence(citation.quote, "verbatim", (citation,)))
    reason: Reason | None = None if sentences else "not_in_documents"
    return Answer(question, question, "", reason, confidence, tuple(sentences), (), "built-in")


def _made(text: str, markdown: bool = False) -> list[str]:
    document = text_document(text, markdown=markdown)
    return [made.question for made in template_questions(document)]


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        (BRIDGE, PRICE),
        ("The Nimbus costs 1,199 dollars.", "How much does the Nimbus cost?"),
        (TUNNEL, OPENED),
        ("The roof was repaired in May 2014 by the port.", "When was the roof repaired?"),
        ("The first fair was held in Lagos Bay.", "Where was the first fair held?"),
        (f"According to the mayor, {FERRY[0].lower()}{FERRY[1:]}", GUESTS),
        ("Ines Prado, a senior official at the port, thanked the workers.", "Who is Ines Prado?"),
        ("In the spring Tomas Beck, the mayor of Norra, said no.", "Who is Tomas Beck?"),
        ("“The bridge is ours,” said Ana Ruiz to the crowd.", "What did Ana Ruiz say?"),
        ("At noon Prado said that the old ferry would be sold.", "What did Prado say?"),
    ],
)
def test_template_fitting_sentence_makes_question(sentence: str, question: str) -> None:
    assert question in _made(f"{DULL} {sentence}")


@pytest.mark.parametrize(
    "sentence",
    [
        "He said that the bridge of Norra had cost too much.",
        "They opened it on Tuesday, and their mayor was glad of it.",
        "The treaty signed in 1990 ended the war of the two islands.",
        "Later Tomas Beck, the mayor, closed the bridge.",
        "In May Tomas Beck, the mayor, closed the bridge.",
        "Yesterday the bridge was opened by the mayor, to the joy of all.",
        "Was the bridge opened in 1998, or was it in 1999?",
        "Critics said in the spring that the bridge was too narrow for two cars.",
        "This bridge was opened in 1998.",
    ],
)
def test_unclear_sentence_makes_no_question(sentence: str) -> None:
    assert _made(f"{DULL} {sentence}") == []


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Country,Capital,People\nFrance,Paris,67 million\nItaly,Rome,59 million\n", False),
        ("| town | opened |\n|---|---|\n| Norra | The tunnel was opened in 1998. |\n", True),
        ("- 12 eggs\n- two litres of milk\n- bread, from Miller\n- 3 apples are enough\n", True),
        ("Die Bürgermeisterin Ines Prado eröffnete die Brücke am Dienstag vor 400 Gästen.", False),
        ("```\nThe Norra tunnel was opened in 1998.\n```\n", True),
        ("", False),
    ],
    ids=["table", "markdown table", "list", "German", "code", "empty"],
)
def test_text_without_english_prose_makes_no_question(text: str, markdown: bool) -> None:
    assert _made(text, markdown) == []


def test_headings_and_their_own_questions_are_asked() -> None:
    """The title is not asked about; a question of the document is asked as it stands."""
    text = (
        "# Kettles\n\n## How long is the warranty?\n\nThree years.\n\n## Cleaning tips\n\nBoil it."
    )
    document = text_document(text, markdown=True)
    made = template_questions(document)
    assert [one.question for one in made] == [
        "How long is the warranty?",
        "What about Cleaning tips?",
    ]
    assert [text[one.span.start : one.span.end] for one in made] == ["Three years.", "Boil it."]


@examples(60)
@given(texts)
def test_any_text_makes_one_line_questions_of_words(text: str) -> None:
    """Nothing that a document holds gets into a question but words on one line and one mark."""
    for question in _made(f"{TOWN}\n{text}\n{TOWN}"):
        assert re.fullmatch(r"[^?\n<>{}\[\]`*|]*[^?\s]\?", question)
        assert "  " not in question


def test_suggest_question_answered_by_its_sentence() -> None:
    document = text_document(TOWN)
    bot = SentenceBot(document, script=SCRIPT)
    assert {suggestion.question for suggestion in _suggest(bot, [document])} == set(SCRIPT)


@pytest.mark.parametrize(
    "bot",
    [
        SentenceBot(text_document(TOWN)),
        SentenceBot(text_document(TOWN), script={PRICE: BRIDGE}, confidence=0.6),
        SentenceBot(text_document(TOWN), script={PRICE: TUNNEL}),
        SentenceBot(text_document(TOWN), script={PRICE: f"{BRIDGE} {TUNNEL}"}),
        SentenceBot(text_document(TOWN), script={PRICE: BRIDGE}, version="of before"),
    ],
    ids=["refused", "unsure", "another sentence", "more than it", "changed since"],
)
def test_suggest_leaves_out_what_is_not_surely_answered(bot: SentenceBot) -> None:
    assert _suggest(bot, [text_document(TOWN)]) == ()
    assert PRICE in bot.questions


def test_suggest_reads_only_the_beginning_of_a_long_text() -> None:
    document = text_document("\n".join([TOWN, *[DULL] * 10_000, "The lake was closed in 1990."]))
    bot = SentenceBot(document, script=SCRIPT)
    assert len(document.text) > MAX_CHARACTERS
    assert {suggestion.question for suggestion in _suggest(bot, [document])} == set(SCRIPT)
    assert "When was the lake closed?" not in bot.questions


def test_suggest_puts_answered_examples_first() -> None:
    owner_questions = ("Who pays for it?", "Who pays for it?", "Who swims?", "What is a toll?")
    document = replace(text_document(TOWN), examples=owner_questions)
    script = {"Who pays for it?": BRIDGE, "What is a toll?": FERRY, **SCRIPT}
    bot = SentenceBot(document, script=script)

    suggestions = _suggest(bot, [document], count=2)
    assert suggestions == (
        Suggestion("Who pays for it?", "a.txt"),
        Suggestion("What is a toll?", "a.txt"),
    )
    assert bot.questions == ["Who pays for it?", "Who swims?", "What is a toll?"]
    assert _suggest(bot, [document], count=3)[:2] == suggestions
    assert len(_suggest(bot, [document], count=3)) == 3


def test_suggest_takes_documents_in_turn() -> None:
    def renamed(text: str) -> str:
        return text.replace("Norra", "Sorra").replace("Lagos", "Vagos")

    first = text_document(TOWN, "first.txt")
    second = text_document(renamed(TOWN), "second.txt")
    third = text_document("Nothing to ask.", "third.txt")
    third = replace(third, examples=("Who pays?", "Who else pays?"))
    script = {"Who pays?": "Nothing to ask.", "Who else pays?": "Nothing to ask.", **SCRIPT}
    for question, sentence in SCRIPT.items():
        script[renamed(question)] = renamed(sentence)

    suggestions = _suggest(SentenceBot(first, second, third, script=script), [first, second, third])
    names = [suggestion.document for suggestion in suggestions]
    assert names[0] == "third.txt"
    assert {"first.txt", "second.txt"} < set(names)


def test_suggest_none_is_similar_to_another() -> None:
    old_bridge = "The old harbor bridge of Norra cost 3 million euros."
    document = text_document(f"{BRIDGE} {old_bridge} {FERRY}")
    script = {PRICE: BRIDGE, GUESTS: FERRY, PRICE.replace("the h", "the old h"): old_bridge}
    suggestions = _suggest(SentenceBot(document, script=script), [document])
    assert GUESTS in {suggestion.question for suggestion in suggestions}
    assert len(suggestions) == 2


def test_suggest_needs_a_name_among_several_documents() -> None:
    text = "The old bridge of the town was opened in 1998."
    bridge, other = text_document(text), text_document("Nothing to ask.", "b.txt")
    bot = SentenceBot(bridge, other)

    _suggest(bot, [bridge])
    assert bot.questions == ["When was the old bridge of the town opened?"]
    _suggest(bot, [bridge, other])
    assert len(bot.questions) == 1


def test_suggest_large_library_costs_no_more() -> None:
    documents = []
    for number in range(1000):
        text = f"The port of Norra{number} costs 3 euros. {TOWN}"
        documents.append(text_document(text, f"{number}.txt"))
    bot = SentenceBot(*documents)
    assert _suggest(bot, documents) == ()
    assert len(bot.questions) == MAX_QUESTIONS
    assert len(set(bot.document_names)) == MAX_DOCUMENTS


def test_suggest_same_seed_gives_the_same() -> None:
    documents = [text_document(TOWN, f"{number}.txt") for number in range(40)]

    def order(seed: int) -> tuple[str, ...]:
        bot = SentenceBot(*documents)
        _suggest(bot, documents, seed=seed)
        return tuple(bot.document_names)

    assert order(1) == order(1)
    assert len({order(seed) for seed in range(5)}) > 1


def test_suggest_stops_with_what_there_is() -> None:
    document, stop = text_document(TOWN), threading.Event()

    class StoppingBot(SentenceBot):
        def ask(
            self, question: str, *, documents: Collection[str] | None = None, built_in: bool = False
        ) -> Answer:
            stop.set()
            return super().ask(question, documents=documents, built_in=built_in)

    bot = StoppingBot(document, script=SCRIPT)
    assert len(_suggest(bot, [document], stop=stop)) == 1
    assert _suggest(bot, [document], stop=stop) == ()
    assert len(bot.questions) == 1


def test_suggest_article_with_packaged_models(seed_bot: Bot) -> None:
    """Without its examples, too, the article has suggestions, and the bot answers each with them."""
    article = replace(load([SEEDS]).documents[0], examples=())
    suggestions = _suggest(seed_bot, [article])
    assert len(suggestions) >= 3
    for suggestion in suggestions:
        answer = seed_bot.ask(suggestion.question, documents=[suggestion.document])
        names = re.findall(r"[A-Z]\w+", suggestion.question)[1:]
        assert any(name in answer.sentences[0].text for name in names), suggestion.question
